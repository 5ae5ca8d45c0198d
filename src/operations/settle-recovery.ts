// Writes off what an affiliate owes back, or notes that it was repaid outside.
import type { Ctx } from "../context.ts";
import type { AffiliateId } from "../domain/ids.ts";
import type { MoneyCommand } from "../domain/ledger/command.ts";
import type { AffiliateRef } from "../store/affiliates.ts";
import { applyTurn, type TurnInput } from "./apply-turn.ts";
import { requireAffiliate } from "./create-affiliate.ts";

export type Settlement = Omit<Extract<MoneyCommand, { kind: "settle_recovery" }>, "kind">;

export interface RecoverySettled {
  readonly affiliateId: AffiliateId;
  /** What is still owed in the currency, minor units. */
  readonly owed: number;
  readonly replayed: boolean;
}

export const settleRecovery = async (
  ctx: Ctx,
  ref: AffiliateRef,
  settlement: Settlement,
  input: TurnInput,
): Promise<RecoverySettled> => {
  const { id } = await requireAffiliate(ctx, ref);
  const command = { kind: "settle_recovery", ...settlement } as const;
  const { result, replayed } = await applyTurn(ctx, id, command, input, "balance");
  return { affiliateId: id, owed: 0 - result.balance.recovery, replayed };
};
