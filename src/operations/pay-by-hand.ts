// Begins a payment that a person makes, whatever the affiliate's method is: nothing is sent, and the payout waits to be marked.
import type { Ctx } from "../context.ts";
import type { AffiliateId, PayoutId } from "../domain/ids.ts";
import { Refused, refuse } from "../domain/refusals.ts";
import { applyTurn, type TurnInput } from "./apply-turn.ts";
import { runPayment } from "./run-payment.ts";

/** A ledger that is busy is asked again so often; after that the sweeper goes on. */
const TRIES = 3;

const begin = async (ctx: Ctx, payoutId: PayoutId): Promise<void> => {
  for (let tried = 1; tried <= TRIES; tried++) {
    const next = await runPayment(ctx, payoutId);
    if (next.kind === "done") return;
    await ctx.sleep(Math.min(next.afterMs, 200));
  }
};

export const payByHand = async (
  ctx: Ctx,
  payout: { readonly id: PayoutId; readonly affiliateId: AffiliateId },
  input: TurnInput,
): Promise<void> => {
  const command = { kind: "pay", payoutId: payout.id, byHand: true } as const;
  const { result } = await applyTurn(ctx, payout.affiliateId, command, input, "payout");
  // Somebody else's request came first, and a consumer pays it by API.
  if (result.payout.method !== "manual" && result.payout.method !== "bank_transfer")
    throw new Refused(
      refuse("payment_under_way", "The payout is being paid by its rail; only its outcome changes it.")
        .refusal,
    );
  await begin(ctx, payout.id);
};
