// One turn on one payout: accept, approve, cancel, mark, retry, return; what is allowed when is the domain's table.
import type { Ctx } from "../context.ts";
import { dateOf } from "../domain/dates.ts";
import type { AffiliateId, CommissionId } from "../domain/ids.ts";
import type { PaymentCommand, PayoutCommand } from "../domain/ledger/command.ts";
import { Refused, refuse } from "../domain/refusals.ts";
import { findPayoutAffiliate } from "../store/payouts.ts";
import { applyTurn, type Done, type TurnInput } from "./apply-turn.ts";

export type ReviewCommand =
  | Exclude<PayoutCommand, { kind: "pay" }>
  | Extract<PaymentCommand, { kind: "resolve" }>;

export const reviewPayout = async (
  ctx: Ctx,
  command: ReviewCommand,
  input: TurnInput,
): Promise<Done<"payout">> => {
  const affiliateId = await findPayoutAffiliate(ctx.db, ctx.program.id, command.payoutId);
  if (affiliateId === undefined)
    throw new Refused(refuse("payout_not_found", "No such payout in this program.").refusal);
  return applyTurn(ctx, affiliateId, command, input, "payout");
};

export interface ChosenPayout {
  readonly affiliateId: AffiliateId;
  readonly currency: string;
  readonly commissionIds: readonly CommissionId[];
  readonly adminNote: string | null;
}

/** A payout of exactly the chosen commissions; a person chose, so the minimum only warns. */
export const createPayout = (ctx: Ctx, chosen: ChosenPayout, input: TurnInput): Promise<Done<"payout">> =>
  applyTurn(
    ctx,
    chosen.affiliateId,
    {
      kind: "claim",
      by: "person",
      selector: { by: "ids", currency: chosen.currency, ids: chosen.commissionIds },
      periodStart: null,
      periodEnd: dateOf(ctx.now(), ctx.program.policy.time_zone),
      runId: null,
      sessionId: null,
      adminNote: chosen.adminNote,
    },
    input,
    "payout",
  );
