// Commissions: recorded, approved, held, released, rejected, given by hand, and refunded at any moment of their life.
import { type Commission, leftOf } from "../commission.ts";
import { type Currency, isAmount, rateOf, stepOf } from "../money.ts";
import { allowsCurrency, payableAtOf, rateBpsOf } from "../policy.ts";
import { refuse } from "../refusals.ts";
import type { CommissionCommand } from "./command.ts";
import { announceCommission, type Draft, move, nextBody, putCommission, type Step } from "./draft.ts";

type Of<K extends CommissionCommand["kind"]> = Extract<CommissionCommand, { kind: K }>;

const BLANK = {
  reduced: 0,
  clawedBack: 0,
  heldFrom: null,
  orderAmount: null,
  rateBps: null,
  orderRefunded: 0,
  orderReversed: 0,
  payoutId: null,
  note: null,
  metadata: null,
  origin: null,
} as const;

export const unsendable = (amount: number, currency: Currency, pointer: string) =>
  refuse(
    "amount_not_sendable",
    `An amount of ${amount} cannot be paid out in ${currency}: it must be a positive multiple of ${stepOf(currency)} minor units, at most 99,999,999,999.`,
    { pointer },
  );

export const record = (draft: Draft, command: Of<"record">): Step => {
  const { affiliate, policy, affiliateId } = draft.book;
  const { currency, orderAmount } = command;
  if (affiliate === undefined)
    return refuse("affiliate_not_found", "No such affiliate in this program.", { pointer: "/affiliate_id" });
  if (affiliate.status === "suspended")
    return refuse(
      "affiliate_suspended",
      "The affiliate is suspended and earns nothing until its status is active.",
    );
  if (!allowsCurrency(currency, policy))
    return refuse("currency_not_allowed", `The program does not take ${currency}.`, { pointer: "/currency" });
  const rateBps = command.amount === null ? rateBpsOf(policy, affiliate.overrides) : null;
  if (command.amount === null && rateBps === null) {
    return refuse(
      "rate_missing",
      "No commission_rate_bps is set, so an order_amount says nothing: send amount, or set a rate.",
      { pointer: "/order_amount" },
    );
  }
  const amount = command.amount ?? rateOf(orderAmount ?? 0, rateBps ?? 0, currency);
  if (!isAmount(amount, currency))
    return unsendable(amount, currency, command.amount === null ? "/order_amount" : "/amount");
  const status = command.status ?? (policy.auto_approve_commissions ? "approved" : "pending");
  const commission: Commission = {
    ...BLANK,
    id: `com_${nextBody(draft)}`,
    affiliateId,
    externalId: command.externalId,
    kind: "sale",
    currency,
    amount,
    status,
    orderAmount,
    rateBps,
    occurredAt: command.occurredAt,
    payableAt: payableAtOf(command.occurredAt, policy, affiliate.overrides),
    metadata: command.metadata,
    requestSha: command.requestSha,
    createdAt: draft.now,
    updatedAt: draft.now,
  };
  move(draft, "record", currency, "program", status === "approved" ? "available" : "pending", amount, {
    commissionId: commission.id,
  });
  draft.insertedCommissions.push(commission);
  announceCommission(draft, "commission.created", commission, undefined, amount);
  return { result: { kind: "commission", commission } };
};

/** A commission that nobody earned by an order: payable at once. */
export const insertCredit = (
  draft: Draft,
  credit: Pick<Commission, "kind" | "currency" | "amount" | "origin" | "note" | "externalId" | "requestSha">,
): Commission => {
  const commission: Commission = {
    ...BLANK,
    ...credit,
    id: `com_${nextBody(draft)}`,
    affiliateId: draft.book.affiliateId,
    status: "approved",
    occurredAt: draft.now,
    payableAt: draft.now,
    createdAt: draft.now,
    updatedAt: draft.now,
  };
  draft.insertedCommissions.push(commission);
  announceCommission(draft, "commission.created", commission, undefined, commission.amount);
  return commission;
};

export const credit = (draft: Draft, command: Of<"credit">): Step => {
  const { currency, amount } = command;
  if (draft.book.affiliate === undefined)
    return refuse("affiliate_not_found", "No such affiliate in this program.");
  if (!allowsCurrency(currency, draft.book.policy))
    return refuse("currency_not_allowed", `The program does not take ${currency}.`, { pointer: "/currency" });
  if (!isAmount(amount, currency)) return unsendable(amount, currency, "/amount");
  const commission = insertCredit(draft, {
    kind: command.grant,
    currency,
    amount,
    origin: null,
    note: command.note,
    externalId: command.externalId,
    requestSha: command.requestSha,
  });
  move(draft, "credit", currency, "program", "available", amount, {
    commissionId: commission.id,
    note: command.note,
  });
  return { result: { kind: "commission", commission } };
};

const wrongState = (commission: Commission, verb: string) => {
  const facts = commission.payoutId === null ? undefined : { payout_id: commission.payoutId };
  return commission.status === "processing"
    ? refuse(
        "commission_claimed",
        `The commission is in a payout; cancel the payout first, then ${verb} it.`,
        facts === undefined ? {} : { facts },
      )
    : refuse("invalid_state", `A commission that is ${commission.status} cannot be changed by ${verb}.`);
};

const done = (
  draft: Draft,
  type: "approved" | "rejected" | "held" | "released",
  before: Commission,
  patch: Partial<Commission>,
): Step => {
  const commission = putCommission(draft, { ...before, ...patch });
  announceCommission(draft, `commission.${type}`, commission, before.status, leftOf(before));
  return { result: { kind: "commission", commission } };
};

export const reviewCommission = (
  draft: Draft,
  command: Of<"approve" | "reject" | "hold" | "release">,
): Step => {
  const before = draft.book.commission;
  if (before === undefined) return refuse("commission_not_found", "No such commission in this program.");
  const { currency, status } = before;
  const left = leftOf(before);
  const refs = { commissionId: before.id, ...(command.reason === null ? {} : { note: command.reason }) };
  switch (command.kind) {
    case "approve":
      if (status !== "pending") return wrongState(before, "approve");
      move(draft, "approve", currency, "pending", "available", left, refs);
      return done(draft, "approved", before, { status: "approved" });
    case "hold":
      if (status !== "pending" && status !== "approved") return wrongState(before, "hold");
      if (status === "approved") move(draft, "hold", currency, "available", "pending", left, refs);
      return done(draft, "held", before, {
        status: "held",
        heldFrom: status,
        note: command.reason ?? before.note,
      });
    case "release":
      if (status !== "held" || before.heldFrom === null) return wrongState(before, "release");
      if (before.heldFrom === "approved")
        move(draft, "release_hold", currency, "pending", "available", left, refs);
      return done(draft, "released", before, { status: before.heldFrom, heldFrom: null });
    case "reject":
      if (status !== "pending" && status !== "approved" && status !== "held")
        return wrongState(before, "reject");
      move(draft, "reject", currency, status === "approved" ? "available" : "pending", "program", left, refs);
      return done(draft, "rejected", before, { status: "rejected", heldFrom: null });
  }
};
