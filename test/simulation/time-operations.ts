// Time, cron and the queue: messages that come once, twice, in another order or never, and a clock that jumps.

import { ask } from "./ask.ts";
import type { Operation } from "./commission-operations.ts";
import { Violation } from "./violation.ts";
import type { World } from "./world.ts";

const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;

export const advance: Operation = async (world, draw) => {
  const seconds = draw.of(1, 2, 3, 5, 10, 12, 26, 30, 60, 120, 700, 1_200, 6 * 3_600);
  world.now += seconds * SECOND_MS;
};

/** A day and more passes: beyond the window in which a key may be sent again. */
export const jumpClock: Operation = async (world, draw) => {
  if (
    world.before.attempts.some(
      ({ state }) => state === "begun" || state === "unknown" || state === "deferred",
    )
  )
    world.tally.struck("clock_jumped_past_the_key_window");
  world.now += draw.of(23, 24, 25, 30) * HOUR_MS + draw.below(3_600) * SECOND_MS;
};

export const cron: Operation = async (world) => {
  world.crowded = true;
  await ask(world, "cron", () => world.cron());
};

/** A consumer that throws instead of asking for another try would lose the batch. */
const delivering = async (world: World, work: Promise<void>): Promise<void> => {
  try {
    await work;
    world.tally.answered("deliver", "done");
  } catch (fault) {
    if (world.disturbed === 0) throw new Violation("fault", `the consumer threw: ${String(fault)}`);
    world.tally.answered("deliver", "lost");
  }
};

export const deliver: Operation = async (world, draw) => {
  const n = draw.chance(70) ? world.hints.waiting.length : 1;
  await delivering(world, world.hints.deliver(world.hints.take(n)));
};

export const deliverTwice: Operation = async (world, draw) => {
  const messages = world.hints.take();
  if (messages.length === 0) return;
  world.tally.struck("queue_duplicated");
  const copies = messages.map((message) => ({ ...message }));
  if (draw.chance(60)) await delivering(world, world.hints.deliver([...messages, ...copies]));
  else {
    // Two consumers of one message, at the same moment.
    const both = Promise.all([world.hints.deliver(messages), world.hints.deliver(copies)]);
    await delivering(
      world,
      both.then(() => undefined),
    );
  }
};

/** Late and out of order, among them messages of long ago. */
export const deliverReordered: Operation = async (world, draw) => {
  const old = draw.pick([...world.hints.everSent.values()]);
  const messages = [...world.hints.take(), ...(old === undefined ? [] : [{ hint: old, attempts: 0 }])];
  if (messages.length < 2) return await delivering(world, world.hints.deliver(messages));
  world.tally.struck("queue_reordered");
  for (const message of messages.reverse()) await delivering(world, world.hints.deliver([message]));
};

export const dropMessages: Operation = async (world) => {
  if (world.hints.take().length > 0) world.tally.struck("queue_dropped");
};

export const deadLetter: Operation = async (world, draw) => {
  const hint = draw.pick([...world.hints.everSent.values()]);
  if (hint !== undefined) await delivering(world, world.hints.deliverDead([{ hint, attempts: 5 }]));
};
