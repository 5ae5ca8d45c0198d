// The money came back: a person says so where a person paid, and elsewhere the rail is asked whether it did.
import type { Ctx } from "../context.ts";
import type { PayoutId } from "../domain/ids.ts";
import type { Payout } from "../domain/payout.ts";
import { Refused } from "../domain/refusals.ts";
import { findAttempts } from "../store/attempts.ts";
import { readPayouts } from "../store/payouts.ts";
import type { Done, TurnInput } from "./apply-turn.ts";
import { reviewSettled } from "./review-attempt.ts";
import { reviewPayout } from "./review-payout.ts";

const read = async (ctx: Ctx, id: PayoutId): Promise<Payout> => {
  const [payout] = await readPayouts(ctx.db, ctx.program.id, [id]);
  if (payout === undefined) throw new Error(`payout ${id} is gone`);
  return payout;
};

/** Undefined where the rail says that nothing more came back. */
const asTheRailSays = async (ctx: Ctx, id: PayoutId): Promise<Payout | undefined> => {
  const before = await read(ctx, id);
  const rail = before.paidVia === null ? undefined : ctx.rails[before.paidVia];
  if (rail === undefined) return undefined;
  const attempts = await findAttempts(ctx.db, ctx.program.id, rail.method, { kind: "payout", payoutId: id });
  for (const attempt of attempts) if (attempt.state === "settled") await reviewSettled(ctx, rail, attempt);
  const after = await read(ctx, id);
  return after.returnedAmount > before.returnedAmount ? after : undefined;
};

export const returnPayout = async (
  ctx: Ctx,
  payoutId: PayoutId,
  reason: string,
  input: TurnInput,
): Promise<Done<"payout">> => {
  try {
    return await reviewPayout(ctx, { kind: "return", payoutId, reason }, input);
  } catch (thrown) {
    if (!(thrown instanceof Refused) || thrown.refusal.code !== "settled_by_rail") throw thrown;
    const payout = await asTheRailSays(ctx, payoutId);
    if (payout === undefined) throw thrown;
    const at = ctx.now();
    return { kind: "done", result: { kind: "payout", payout }, seq: 0, at, replayed: false, written: true };
  }
};
