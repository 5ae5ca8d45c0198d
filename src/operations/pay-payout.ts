// Pay: one turn claims the payout for payment, a hint sets it going; with a wait the same payment runs in the call.
import type { Ctx } from "../context.ts";
import type { PayoutId } from "../domain/ids.ts";
import { Refused, refuse } from "../domain/refusals.ts";
import { findPayoutAffiliate } from "../store/payouts.ts";
import { applyTurn, type Done, type TurnInput } from "./apply-turn.ts";
import { runPayment } from "./run-payment.ts";

/** A caller may wait this long, in seconds. */
export const WAIT_MAX_S = 25;

const runWithin = async (ctx: Ctx, payoutId: PayoutId, waitS: number): Promise<void> => {
  const until = ctx.now() + Math.min(waitS, WAIT_MAX_S) * 1000;
  for (;;) {
    const next = await runPayment(ctx, payoutId);
    if (next.kind === "done" || ctx.now() + next.afterMs >= until) return;
    await ctx.sleep(next.afterMs);
  }
};

export const payPayout = async (
  ctx: Ctx,
  payoutId: PayoutId,
  input: TurnInput & { readonly waitS: number },
): Promise<Done<"payout">> => {
  const affiliateId = await findPayoutAffiliate(ctx.db, ctx.program.id, payoutId);
  if (affiliateId === undefined)
    throw new Refused(refuse("payout_not_found", "No such payout in this program.").refusal);
  const done = await applyTurn(ctx, affiliateId, { kind: "pay", payoutId }, input, "payout");
  const hint = ctx.hints.send({ kind: "pay", programId: ctx.program.id, affiliateId, payoutId });
  // A lost hint is sent again by the sweeper, so a queue that fails must not fail the payment.
  ctx.defer(hint.catch(() => ctx.log({ event: "hint_lost", payout_id: payoutId })));
  if (input.waitS > 0)
    await runWithin(ctx, payoutId, input.waitS).catch((fault) =>
      ctx.log({
        event: "payment_fault",
        payout_id: payoutId,
        message: fault instanceof Error ? fault.name : "",
      }),
    );
  return done;
};
