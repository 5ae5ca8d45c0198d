// Moves a test program's clock forward and sets going what falls due: a merchant lives through a quarter in a minute.
import type { Ctx, Program } from "../context.ts";
import { toInstant } from "../domain/dates.ts";
import { Refused, refuse } from "../domain/refusals.ts";
import { listOpenPayments } from "../store/payments.ts";
import { findProgram, moveClock } from "../store/programs.ts";
import { hurryDeliveries } from "./hurry-deliveries.ts";
import { runScheduleOf } from "./run-schedules.ts";

/** As far as a clock goes, in milliseconds ahead of real time: ten years. */
const AHEAD_MAX_MS = 10 * 366 * 86_400_000;

const PAYMENTS_MAX = 500;

const no = (detail: string): Refused =>
  new Refused(refuse("period_invalid", detail, { pointer: "/advance_to" }).refusal);

const assertForward = (program: Program, realNow: number, advanceTo: number): void => {
  const now = realNow + program.clockOffset;
  if (advanceTo <= now) throw no(`The clock stands at ${toInstant(now)} and only goes forward.`);
  if (advanceTo > realNow + AHEAD_MAX_MS)
    throw no(`The clock goes to ${toInstant(realNow + AHEAD_MAX_MS)} at the most.`);
};

/** Retries that wait are due at once; what the providers remember of their keys goes by real time all the same. */
const hurryPayments = async (ctx: Ctx): Promise<void> => {
  for (const ref of await listOpenPayments(ctx.db, ctx.program.id, PAYMENTS_MAX))
    await ctx.hints.send({ kind: "pay", ...ref, isDue: true });
};

/** Epoch milliseconds, both. A live program never gets here: its clock is real time. */
export const advanceClock = async (
  ctx: Ctx,
  advanceTo: number,
): Promise<{ readonly now: number; readonly before: number }> => {
  const before = await findProgram(ctx.db, ctx.program.id);
  if (before === undefined) throw new Error("the key's program is gone");
  const realNow = ctx.realNow();
  assertForward(before, realNow, advanceTo);
  const clockOffset = advanceTo - realNow;
  const isMoved = await moveClock(ctx.db, before, clockOffset, {
    programId: before.id,
    livemode: false,
    type: "program.updated",
    actor: ctx.actor,
    at: advanceTo,
    data: { object: "program", id: before.id, reason: "clock_advanced" },
  });
  if (!isMoved) throw Object.assign(new Error("the program changes at this moment"), { retryAfterS: 1 });
  await hurryPayments(ctx);
  await hurryDeliveries(ctx);
  await runScheduleOf({ ...ctx, now: () => advanceTo }, before.id);
  return { now: advanceTo, before: realNow + before.clockOffset };
};
