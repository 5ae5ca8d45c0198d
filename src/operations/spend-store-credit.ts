// Spends an affiliate's store credit on an order of the shop, and gives back what an order had spent; each once per id of the shop's own.
import type { Ctx } from "../context.ts";
import type { AffiliateId } from "../domain/ids.ts";
import type { Balance } from "../domain/ledger/book.ts";
import type { MoneyCommand } from "../domain/ledger/command.ts";
import { Refused, refuse } from "../domain/refusals.ts";
import type { AffiliateRef } from "../store/affiliates.ts";
import { digestOf } from "../store/key-hash.ts";
import { applyTurn } from "./apply-turn.ts";
import { requireAffiliate } from "./create-affiliate.ts";

type Credit = Extract<MoneyCommand, { kind: "spend_store_credit" | "refund_store_credit" }>;
type Spend = Omit<Extract<Credit, { kind: "spend_store_credit" }>, "kind">;
type Refund = Omit<Extract<Credit, { kind: "refund_store_credit" }>, "kind">;

export interface CreditMoved {
  readonly affiliateId: AffiliateId;
  /** The account as this left it, minor units. */
  readonly storeCredit: Balance["store_credit"];
  readonly replayed: boolean;
}

/** The shop's id names the command, so that the same order counts once for ever; another order under the same id is told apart. */
const applyOnce = async (ctx: Ctx, ref: AffiliateRef, command: Credit): Promise<CreditMoved> => {
  const { id } = await requireAffiliate(ctx, ref);
  const verb = command.kind === "spend_store_credit" ? "spend" : "refund";
  const spendId = command.kind === "spend_store_credit" ? null : command.spendExternalId;
  const { amount, currency, externalId, note } = command;
  const input = {
    commandId: `s:credit:${verb}:${id}:${externalId}`,
    requestSha: await digestOf(JSON.stringify([amount, currency, spendId, note])),
  };
  try {
    const { result, replayed } = await applyTurn(ctx, id, command, input, "balance");
    return { affiliateId: id, storeCredit: result.balance.store_credit, replayed };
  } catch (thrown) {
    if (!(thrown instanceof Refused) || thrown.refusal.code !== "idempotency_mismatch") throw thrown;
    const detail = `This external_id stands for another ${verb} of this affiliate's store credit.`;
    throw new Refused(refuse("duplicate_external_id", detail, { pointer: "/external_id" }).refusal);
  }
};

export const spendStoreCredit = (ctx: Ctx, ref: AffiliateRef, spend: Spend): Promise<CreditMoved> =>
  applyOnce(ctx, ref, { kind: "spend_store_credit", ...spend });

export const refundStoreCredit = (ctx: Ctx, ref: AffiliateRef, refund: Refund): Promise<CreditMoved> =>
  applyOnce(ctx, ref, { kind: "refund_store_credit", ...refund });
