// One turn on one commission: approve, reject, hold, release, or reverse what was refunded.
import type { Ctx } from "../context.ts";
import type { Commission } from "../domain/commission.ts";
import type { CommissionCommand, CommissionRef } from "../domain/ledger/command.ts";
import { Refused, refuse } from "../domain/refusals.ts";
import { findCommission } from "../store/commissions.ts";
import { applyTurn, type Done, type TurnInput } from "./apply-turn.ts";

export interface Reversal {
  /** Minor units; at most one of amount and orderAmount, all that is left where both are null. */
  readonly amount: number | null;
  readonly orderAmount: number | null;
  readonly reason: string;
  readonly externalId: string | null;
}

const requireCommission = async (ctx: Ctx, ref: CommissionRef): Promise<Commission> => {
  const commission = await findCommission(ctx.db, ctx.program.id, ref);
  if (commission === undefined) {
    throw new Refused(refuse("commission_not_found", "No such commission in this program.").refusal);
  }
  return commission;
};

const apply = async (
  ctx: Ctx,
  ref: CommissionRef,
  commandOn: (commission: CommissionRef) => CommissionCommand,
  input: TurnInput,
): Promise<Done<"commission">> => {
  const { id, affiliateId } = await requireCommission(ctx, ref);
  return applyTurn(ctx, affiliateId, commandOn({ id }), input, "commission");
};

export const reviewCommission = (
  ctx: Ctx,
  ref: CommissionRef,
  review: { readonly kind: "approve" | "reject" | "hold" | "release"; readonly reason: string | null },
  input: TurnInput,
): Promise<Done<"commission">> => apply(ctx, ref, (commission) => ({ ...review, commission }), input);

export const reverseCommission = (
  ctx: Ctx,
  ref: CommissionRef,
  reversal: Reversal,
  input: TurnInput,
): Promise<Done<"commission">> => {
  const { requestSha } = input;
  return apply(ctx, ref, (commission) => ({ kind: "reverse", commission, ...reversal, requestSha }), input);
};
