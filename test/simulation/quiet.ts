// The end of a history: faults stop, time passes, messages drain; then nothing may be left open, and nothing changes any more.

import { disarmOurs } from "./disarm.ts";
import type { Draw } from "./draw.ts";
import { checkAll } from "./oracle.ts";
import { checkNothingElseSent } from "./oracle-provider.ts";
import { recoverProvider, resolvePayment } from "./provider-operations.ts";
import { amountIn, differingTable, type Row, textIn } from "./snapshot.ts";
import { must } from "./violation.ts";
import type { World } from "./world.ts";

const ROUNDS = 40;

/** What the code has not found out by then is left to a person, a day later. */
const PATIENT_ROUNDS = 8;
const DAY_MS = 24 * 3_600_000;

/** A run that nobody took on gets its next hint within this time, a payment that never began sooner. */
const HINTED_WITHIN_MS = 16_000;

const openAttempt = (world: World, payout: Row): Row | undefined =>
  world.before.attempts.find(
    (row) =>
      row["payout_id"] === payout["id"] &&
      !["refused", "paid_late", "settled"].includes(textIn(row, "state")),
  );

/** What waits for a person is at rest: everything else must still come to an end by itself. */
const isMoving = (world: World, payout: Row): boolean =>
  payout["status"] === "processing" && openAttempt(world, payout)?.["state"] !== "needs_hand";

const moving = (world: World): Row[] => world.before.payouts.filter((payout) => isMoving(world, payout));

/** To the next moment at which anything is due. */
const passTime = (world: World): void => {
  const looks = moving(world).map((payout) => openAttempt(world, payout)?.["next_attempt_at"]);
  const due = looks.filter((at) => typeof at === "number");
  const soon = world.now + HINTED_WITHIN_MS;
  world.now = due.length === 0 ? soon : Math.max(soon, Math.min(...due));
};

const round = async (world: World): Promise<void> => {
  await world.cron();
  while (world.hints.waiting.length > 0) {
    const messages = world.hints.take();
    // Later hints of the same round are for a later time; the sweeper sends them again.
    await world.hints.deliver(messages);
    if (messages.every(({ hint }) => hint.kind === "pay")) break;
  }
  world.hints.take();
  world.before = await world.snapshot();
};

/** An attempt whose key is too old to be sent again waits for a person, who looks at the provider's pages. */
const closeTheUnknown = async (world: World): Promise<void> => {
  for (const payout of moving(world)) {
    const attempt = openAttempt(world, payout);
    if (attempt?.["state"] !== "unknown" || world.now - amountIn(attempt, "created_at") < DAY_MS) continue;
    await resolvePayment(world, payout);
  }
  world.before = await world.snapshot();
};

const isDone = (world: World): boolean =>
  moving(world).length === 0 && world.before.payout_runs.every(({ status }) => status === "done");

const drain = async (world: World): Promise<void> => {
  for (let n = 0; n < ROUNDS; n++) {
    passTime(world);
    if (n === PATIENT_ROUNDS) world.now += DAY_MS;
    await round(world);
    if (isDone(world)) return;
    await closeTheUnknown(world);
  }
  const stuck = moving(world).map((payout) => JSON.stringify([payout, openAttempt(world, payout)]));
  must(stuck.length === 0, "liveness", () => `after ${ROUNDS} rounds: ${stuck.join("\n")}`);
};

/** I10: every message that was ever sent, again, twice and in another order. */
const deliverEverythingAgain = async (world: World, draw: Draw): Promise<void> => {
  const hints = [...world.hints.everSent.values()];
  const messages = [...hints, ...hints].map((hint) => ({ hint, attempts: 0, place: draw.below(1 << 20) }));
  messages.sort((a, b) => a.place - b.place);
  await world.hints.deliver(messages);
  world.hints.take();
  const now = await world.snapshot();
  const table = differingTable(world.before, now);
  must(table === undefined, "I10", () => `messages that were delivered again changed ${table}`);
  must(
    now.transfers.length === world.before.transfers.length,
    "I10",
    () => "a message that came again sent money",
  );
};

export const becomeQuiet = async (world: World, draw: Draw): Promise<void> => {
  disarmOurs(world);
  recoverProvider(world);
  world.disturbed = 0;
  world.crowded = true;
  const last = world.before;
  await drain(world);
  const now = world.before;
  world.before = last;
  checkAll(world, now, true);
  world.before = now;
  checkNothingElseSent(now);
  await deliverEverythingAgain(world, draw);
};
