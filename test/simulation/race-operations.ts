// Two things at once: commands against each other, an object cut off in the middle, a book that moves between a read and its commit.
import { abortAllDurableObjects, evictDurableObject } from "cloudflare:test";
import type { AffiliateId } from "../../src/domain/ids.ts";
import { type Operation, record, refundOf, review, someAffiliate } from "./commission-operations.ts";
import type { Gate } from "./d1-port.ts";
import type { Draw } from "./draw.ts";
import { generate, payOnce, reviewOnce, somePayout } from "./payout-operations.ts";
import { changePolicy } from "./program-operations.ts";
import { deliver } from "./time-operations.ts";
import type { World } from "./world.ts";

type Racer = () => Promise<void>;

/** Commands that fight over one payout, or over one of its commissions. */
const racersOn = (world: World, draw: Draw): Racer[] => {
  const payout = somePayout(world, draw, "pending", "approved", "processing", "failed");
  const commission = draw.pick(
    payout !== undefined && draw.chance(60)
      ? world.before.commissions.filter(({ payout_id }) => payout_id === payout["id"])
      : world.before.commissions.filter(({ status }) => status !== "rejected" && status !== "reversed"),
  );
  const onPayout: Racer[] =
    payout === undefined
      ? []
      : [
          () => reviewOnce(world, draw, "cancel", payout),
          () => reviewOnce(world, draw, "mark_paid", payout),
          () => reviewOnce(world, draw, "approve_payout", payout),
          () => reviewOnce(world, draw, "retry", payout),
          () => payOnce(world, payout, 0),
          () => payOnce(world, payout, 3),
        ];
  const onCommission: Racer[] =
    commission === undefined
      ? []
      : [
          () => refundOf(world, draw, commission),
          () => refundOf(world, draw, commission),
          () => review(world, "approve", commission),
          () => review(world, "hold", commission),
          () => review(world, "reject", commission),
        ];
  return [...onPayout, ...onPayout, ...onCommission, () => deliver(world, draw)];
};

/** Each through the affiliate's object or through a second one of the same affiliate, whose memory is old. */
export const race: Operation = async (world, draw) => {
  world.crowded = true;
  const racers = racersOn(world, draw);
  const chosen = [draw.pick(racers), draw.pick(racers), draw.pick(racers)].filter(
    (racer) => racer !== undefined,
  );
  const running: Promise<void>[] = [];
  for (const racer of chosen) {
    world.throughTwin = draw.chance(50);
    running.push(racer());
    for (let turns = draw.below(4); turns > 0; turns--)
      await new Promise((resolve) => setTimeout(resolve, 0));
  }
  await Promise.all(running);
  world.throughTwin = false;
};

export const evict: Operation = async (world, draw) => {
  const twin = draw.chance(20);
  for (const id of world.affiliates) {
    // One that nobody called since the last crash is not there to be evicted.
    const evicted = evictDurableObject(world.stub(id, twin)).then(() => true);
    if (await evicted.catch(() => false)) world.tally.struck("object_evicted");
  }
};

export const abort: Operation = async (world) => {
  await abortAllDurableObjects();
  world.tally.struck("object_aborted");
};

const tick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

/** Runs work, and something else at the moment when its commit stands at the gate; false where it never came there. */
const atGate = async (
  world: World,
  side: "edge" | "ledger",
  when: Gate["when"],
  work: () => Promise<void>,
  meanwhile: () => Promise<void>,
): Promise<boolean> => {
  world.crowded = true;
  const gate: Gate = { when, stage: 0 };
  world[side].gate = gate;
  let isOver = false;
  const running = work().finally(() => {
    isOver = true;
  });
  while (!isOver && gate.stage === 0) await tick();
  const came = gate.stage === 1;
  try {
    if (came) {
      world[side].gate = undefined;
      await meanwhile();
    }
  } finally {
    gate.stage = 2;
    world[side].gate = undefined;
  }
  await running;
  return came;
};

const someWork = (world: World, draw: Draw): (() => Promise<void>) => {
  const payout = somePayout(world, draw, "pending", "approved", "processing");
  const commission = draw.pick(world.before.commissions);
  const work: (() => Promise<void>)[] = [() => record(world, draw), () => deliver(world, draw)];
  if (payout !== undefined)
    work.push(
      () => payOnce(world, payout, 0),
      () => payOnce(world, payout, 3),
      () => reviewOnce(world, draw, "cancel", payout),
    );
  if (commission !== undefined) work.push(() => refundOf(world, draw, commission));
  return draw.pick(work) ?? (() => record(world, draw));
};

/** The machine dies while a commit is on its way, or when it is done and nobody heard of it. */
export const abortInTurn: Operation = async (world, draw) => {
  const when = draw.of("before", "after");
  await atGate(world, "ledger", when, someWork(world, draw), async () => {
    world.strike(`object_aborted_${when}_commit`);
    await abortAllDurableObjects();
  });
};

const moveBook = async (world: World, draw: Draw, throughTwin: boolean): Promise<void> => {
  world.throughTwin = throughTwin;
  try {
    const claimed = world.before.commissions.filter(
      ({ status }) => status === "approved" || status === "processing",
    );
    const commission = draw.pick(claimed);
    if (commission === undefined || draw.chance(30)) await record(world, draw);
    else if (draw.chance(60)) await refundOf(world, draw, commission);
    else await review(world, draw.of("hold", "reject"), commission);
  } finally {
    world.throughTwin = false;
  }
};

/** A second object moves the book between an object's read and its commit. */
export const moveUnderTurn: Operation = async (world, draw) => {
  const work = someWork(world, draw);
  const came = await atGate(world, "ledger", "before", work, () => moveBook(world, draw, true));
  if (came) world.tally.struck("book_moved_under_a_turn");
};

/** A command moves a book, or the policy changes, between a run's read and its commit. */
export const moveUnderRun: Operation = async (world, draw) => {
  const isPolicy = draw.chance(30);
  const came = await atGate(
    world,
    "edge",
    "before",
    () => generate(world, draw),
    () => (isPolicy ? changePolicy(world, draw) : moveBook(world, draw, draw.chance(50))),
  );
  if (came) world.tally.struck(isPolicy ? "policy_moved_under_a_run" : "book_moved_under_a_run");
};

/** Orders and reviews for the same affiliate in one burst. */
export const burst: Operation = async (world, draw) => {
  world.crowded = true;
  const id: AffiliateId = someAffiliate(world, draw);
  const own = world.before.commissions.filter((row) => row["affiliate_id"] === id);
  const commission = draw.pick(own);
  const work: Promise<void>[] = [record(world, draw), record(world, draw)];
  if (commission !== undefined) work.push(refundOf(world, draw, commission));
  const payout = draw.pick(world.before.payouts.filter((row) => row["affiliate_id"] === id));
  if (payout !== undefined) work.push(reviewOnce(world, draw, "cancel", payout));
  await Promise.all(work);
};
