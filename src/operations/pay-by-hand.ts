// Begins a payment that a person makes, whatever the affiliate's method is: nothing is sent, and the payout waits to be marked.
import type { Ctx } from "../context.ts";
import type { AffiliateId, PayoutId } from "../domain/ids.ts";
import type { Attempt } from "../domain/payout.ts";
import { Refused, refuse } from "../domain/refusals.ts";
import { findPayment } from "../store/payments.ts";
import { applyTurn, type TurnInput } from "./apply-turn.ts";
import { runPayment } from "./run-payment.ts";

const HAND_RAILS: readonly string[] = ["manual", "bank_transfer"];

/** These rails send nothing: whoever began the attempt and died over it, it waits for a person. */
const awaitHand = async (ctx: Ctx, attempt: Attempt): Promise<void> => {
  const outcome = {
    kind: "needs_hand",
    instructions: "Pay it by hand, then mark it paid or failed.",
  } as const;
  const { id, payoutId, affiliateId, tries } = attempt;
  await applyTurn(
    ctx,
    affiliateId,
    { kind: "conclude_payment", payoutId, attemptId: id, outcome },
    { commandId: `s:conclude:${id}:needs_hand:${tries}`, requestSha: "" },
    "attempt",
  );
};

export const payByHand = async (
  ctx: Ctx,
  payout: { readonly id: PayoutId; readonly affiliateId: AffiliateId },
  input: TurnInput,
): Promise<void> => {
  const command = { kind: "pay", payoutId: payout.id, byHand: true } as const;
  const { result } = await applyTurn(ctx, payout.affiliateId, command, input, "payout");
  // Somebody else's request came first, and a consumer pays it by API.
  if (!HAND_RAILS.includes(result.payout.method))
    throw new Refused(
      refuse("payment_under_way", "The payout is being paid by its rail; only its outcome changes it.")
        .refusal,
    );
  await runPayment(ctx, payout.id);
  const attempt = (await findPayment(ctx.db, ctx.program.id, payout.id))?.attempt;
  if (attempt?.state === "begun" && HAND_RAILS.includes(attempt.rail)) await awaitHand(ctx, attempt);
};
