// The affiliate's own turns: created, changed, suspended, and told where its money goes; and the money that is not a commission.
import type { Affiliate, Destination } from "../affiliate.ts";
import { isAmount } from "../money.ts";
import type { Overrides } from "../policy.ts";
import { refuse } from "../refusals.ts";
import type { AffiliateCommand, ConfirmBook, MoneyCommand, OverridesPatch } from "./command.ts";
import { announce, announceRecovery, balanceOf, type Draft, move, owedOf, type Step } from "./draft.ts";
import { refundStoreCredit, spendStoreCredit } from "./store-credit.ts";

type Of<K extends AffiliateCommand["kind"]> = Extract<AffiliateCommand, { kind: K }>;

const create = (draft: Draft, command: Of<"create_affiliate">): Step => {
  const { affiliateId, affiliate } = draft.book;
  if (affiliate !== undefined) throw new Error(`${affiliateId} exists already`);
  draft.insertedAffiliate = {
    id: affiliateId,
    ...command.affiliate,
    status: "active",
    destination: null,
    destinationChangedAt: null,
    ready: false,
    missing: [],
    readyAsOf: null,
    onboardedAt: null,
    taxForm: null,
    createdAt: draft.now,
    updatedAt: draft.now,
  };
  announce(draft, "affiliate.created", {
    object: "affiliate",
    id: affiliateId,
    affiliate_id: affiliateId,
    status: "active",
  });
  return { result: { kind: "affiliate", affiliateId } };
};

const put = (
  draft: Draft,
  before: Affiliate,
  patch: Partial<Affiliate>,
  type: "affiliate.updated" | "affiliate.payout_method_changed",
): Step => {
  const after: Affiliate = { ...before, ...patch, updatedAt: draft.now };
  draft.updatedAffiliate = after;
  const changed = after.status === before.status ? {} : { previous_status: before.status };
  announce(draft, type, {
    object: "affiliate",
    id: after.id,
    affiliate_id: after.id,
    status: after.status,
    ...changed,
  });
  return { result: { kind: "affiliate", affiliateId: after.id } };
};

const setMethod = (draft: Draft, before: Affiliate, command: Of<"set_payout_method">): Step => {
  const same = before.destination?.sha === command.destination.sha;
  const changedAt = same ? before.destinationChangedAt : before.destination === null ? null : draft.now;
  // Asked before what stands was asked: the destination is the same, and the newer word on it holds.
  const isOlder = same && (before.readyAsOf ?? 0) > (command.readyAsOf ?? Number.POSITIVE_INFINITY);
  const patch = {
    destination: command.destination,
    destinationChangedAt: changedAt,
    ...standing(draft, before, command.destination.method, isOlder ? before : command),
  };
  const step = put(draft, before, patch, same ? "affiliate.updated" : "affiliate.payout_method_changed");
  announceOnboarded(draft, before, patch);
  return step;
};

type Standing = Pick<Affiliate, "ready" | "missing" | "readyAsOf" | "onboardedAt">;

/** Only a provider's account is onboarded, and only once. */
const standing = (
  draft: Draft,
  before: Affiliate,
  method: Destination["method"],
  said: Omit<Standing, "onboardedAt">,
): Standing => ({
  ready: said.ready,
  missing: said.missing,
  readyAsOf: said.readyAsOf,
  onboardedAt: before.onboardedAt ?? (method === "stripe" && said.ready ? draft.now : null),
});

const announceOnboarded = (draft: Draft, before: Affiliate, after: Standing): void => {
  if (before.onboardedAt !== null || after.onboardedAt === null) return;
  const { id, status } = before;
  announce(draft, "affiliate.onboarded", { object: "affiliate", id, affiliate_id: id, status });
};

/** An answer that was asked for before the one that stands is too old to say anything. */
const setReadiness = (draft: Draft, before: Affiliate, command: Of<"set_readiness">): Step => {
  const { destination, readyAsOf } = before;
  const isSame = before.ready === command.ready && before.missing.join("\n") === command.missing.join("\n");
  const result = { kind: "affiliate", affiliateId: before.id } as const;
  if (destination?.account !== command.account || (readyAsOf ?? 0) > command.readyAsOf)
    return { unchanged: result };
  if (isSame && readyAsOf === command.readyAsOf) return { unchanged: result };
  if (isSame) {
    // The same word later: whoever asked in between is too old to say anything else.
    draft.updatedAffiliate = { ...before, readyAsOf: command.readyAsOf };
    return { result };
  }
  const patch = standing(draft, before, destination.method, command);
  const step = put(draft, before, patch, "affiliate.updated");
  announceOnboarded(draft, before, patch);
  return step;
};

const resealDestination = (draft: Draft, before: Affiliate, command: Of<"reseal_destination">): Step => {
  const { destination } = before;
  const result = { kind: "affiliate", affiliateId: before.id } as const;
  if (destination === null || destination.sealed !== command.sealed) return { unchanged: result };
  draft.updatedAffiliate = { ...before, destination: { ...destination, sealed: command.resealed } };
  return { result };
};

/** A newer form replaces what stands; the older ones stay on file. */
const setTaxForm = (draft: Draft, before: Affiliate, { form, sealed }: Of<"set_tax_form">): Step => {
  draft.insertedTaxForm = { form, sealed };
  return put(draft, before, { taxForm: form }, "affiliate.updated");
};

const mergeOverrides = (before: Overrides, patch: OverridesPatch): Overrides =>
  Object.fromEntries(Object.entries({ ...before, ...patch }).filter(([, value]) => value != null));

const update = (
  draft: Draft,
  before: Affiliate,
  { patch: { overrides, ...patch } }: Of<"update_affiliate">,
): Step => {
  const merged = overrides === undefined ? {} : { overrides: mergeOverrides(before.overrides, overrides) };
  return put(draft, before, { ...patch, ...merged }, "affiliate.updated");
};

export const affiliateTurn = (draft: Draft, command: AffiliateCommand): Step => {
  if (command.kind === "create_affiliate") return create(draft, command);
  const before = draft.book.affiliate;
  if (before === undefined) return refuse("affiliate_not_found", "No such affiliate in this program.");
  switch (command.kind) {
    case "set_payout_method":
      return setMethod(draft, before, command);
    case "set_readiness":
      return setReadiness(draft, before, command);
    case "reseal_destination":
      return resealDestination(draft, before, command);
    case "set_tax_form":
      return setTaxForm(draft, before, command);
    case "update_affiliate":
      return update(draft, before, command);
  }
};

/** A turn without entries: the evidence stays in its verdict. */
export const confirmBook = (draft: Draft, { evidence }: ConfirmBook): Step => {
  const { affiliate } = draft.book;
  if (affiliate === undefined) return refuse("affiliate_not_found", "No such affiliate in this program.");
  announce(draft, "affiliate.updated", {
    object: "affiliate",
    id: affiliate.id,
    affiliate_id: affiliate.id,
    status: affiliate.status,
    reason: "book_confirmed",
  });
  return { result: { kind: "affiliate", affiliateId: affiliate.id, evidence } };
};

export const moneyTurn = (draft: Draft, command: MoneyCommand): Step => {
  const { currency, amount } = command;
  if (draft.book.affiliate === undefined)
    return refuse("affiliate_not_found", "No such affiliate in this program.");
  if (!isAmount(amount, currency))
    return refuse("amount_not_sendable", `${amount} is no amount in ${currency}.`, { pointer: "/amount" });
  switch (command.kind) {
    case "spend_store_credit":
      return spendStoreCredit(draft, command);
    case "refund_store_credit":
      return refundStoreCredit(draft, command);
    case "settle_recovery":
      if (owedOf(draft, currency) < amount)
        return refuse("recovery_not_owed", `Only ${owedOf(draft, currency)} is owed.`, {
          pointer: "/amount",
        });
      move(draft, "written_off", currency, "program", "recovery", amount, {
        note: `${command.how}: ${command.note}`,
      });
      announceRecovery(draft, currency);
      return { result: { kind: "balance", currency, balance: balanceOf(draft, currency) } };
  }
};
