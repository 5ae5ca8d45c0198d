// Store credit after it was paid: an order spends it, and what comes back of an order's spend was taken by that spend.
import type { AffiliateId } from "../ids.ts";
import type { Currency } from "../money.ts";
import { refuse } from "../refusals.ts";
import type { MoneyCommand } from "./command.ts";
import { balanceOf, type Draft, move, type Step } from "./draft.ts";

type Of<K extends MoneyCommand["kind"]> = Extract<MoneyCommand, { kind: K }>;

/** The counter of what came back of a spend; its cap is what the spend took, so the database too lets no more come back. */
export const spendCounter = (affiliateId: AffiliateId, currency: Currency, externalId: string): string =>
  `spend:${affiliateId}:${currency}:${externalId}`;

const noted = (what: string, note: string | null): { note: string } => ({
  note: note === null ? what : `${what}: ${note}`,
});

const answered = (draft: Draft, currency: Currency): Step => ({
  result: { kind: "balance", currency, balance: balanceOf(draft, currency) },
});

export const spendStoreCredit = (draft: Draft, command: Of<"spend_store_credit">): Step => {
  const { currency, amount, externalId, note } = command;
  if (draft.book.spend !== undefined)
    return refuse("duplicate_external_id", "Store credit was spent under this external_id before.", {
      pointer: "/external_id",
    });
  const { store_credit: has } = balanceOf(draft, currency);
  if (has < amount)
    return refuse("store_credit_short", `The store credit is ${has}, less than the ${amount} to be spent.`, {
      pointer: "/amount",
      facts: { store_credit: has, missing_amount: amount - has },
    });
  move(draft, "spend", currency, "store_credit", "program", amount, noted(externalId, note));
  draft.capped = { name: spendCounter(draft.book.affiliateId, currency, externalId), by: 0, cap: amount };
  return answered(draft, currency);
};

export const refundStoreCredit = (draft: Draft, command: Of<"refund_store_credit">): Step => {
  const { currency, amount, externalId, spendExternalId, note } = command;
  const { spend } = draft.book;
  if (spend === undefined)
    return refuse(
      "spend_not_found",
      `No store credit in ${currency} was spent by this affiliate under this spend_external_id.`,
      { pointer: "/spend_external_id" },
    );
  const left = spend.amount - spend.refunded;
  if (amount > left)
    return refuse("refund_exceeds_spend", `Only ${left} of the ${spend.amount} spent can still come back.`, {
      pointer: "/amount",
      facts: { amount: left },
    });
  move(draft, "refund_credit", currency, "program", "store_credit", amount, {
    ...noted(`${externalId} of ${spendExternalId}`, note),
  });
  const name = spendCounter(draft.book.affiliateId, currency, spendExternalId);
  draft.capped = { name, by: amount, cap: spend.amount };
  return answered(draft, currency);
};
