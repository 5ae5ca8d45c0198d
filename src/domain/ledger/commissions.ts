// Commissions: recorded, approved, held, released, rejected, given by hand, and refunded at any moment of their life.
import { type Commission, leftOf, refundableOf } from "../commission.ts";
import { type Currency, isAmount, rateOf, stepOf } from "../money.ts";
import { allowsCurrency, payableAtOf, rateBpsOf } from "../policy.ts";
import { refuse } from "../refusals.ts";
import type { CommissionCommand } from "./command.ts";
import {
  announceCommission,
  announcePayout,
  announceRecovery,
  type Draft,
  move,
  nextBody,
  putCommission,
  putPayout,
  type Step,
} from "./draft.ts";
import { giveBack } from "./release.ts";

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

const unsendable = (amount: number, currency: Currency, pointer: string) =>
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

/** How much a refund takes: what is named, the commission's rate of what is named, or all that is left. */
const refundOf = (
  commission: Commission,
  command: Of<"reverse">,
): { amount: number; order: number } | ReturnType<typeof refuse> => {
  const open = refundableOf(commission);
  const exceeds = (asked: number) =>
    refuse("refund_exceeds_commission", `${asked} is more than the ${open} that can still be reversed.`, {
      pointer: command.orderAmount === null ? "/amount" : "/order_amount",
      facts: { reversible_amount: open },
    });
  if (command.amount !== null) {
    if (!isAmount(command.amount, commission.currency))
      return unsendable(command.amount, commission.currency, "/amount");
    return command.amount > open ? exceeds(command.amount) : { amount: command.amount, order: 0 };
  }
  if (command.orderAmount === null) return open === 0 ? exceeds(0) : { amount: open, order: 0 };
  if (commission.orderAmount === null || commission.rateBps === null) {
    return refuse(
      "rate_missing",
      "The commission was recorded by amount, not by rate: reverse it by amount.",
      { pointer: "/order_amount" },
    );
  }
  const refunded = commission.orderRefunded + command.orderAmount;
  if (refunded > commission.orderAmount) {
    return refuse(
      "refund_exceeds_commission",
      `The order was ${commission.orderAmount}, of which ${commission.orderRefunded} is refunded already.`,
      { pointer: "/order_amount" },
    );
  }
  const kept = rateOf(commission.orderAmount - refunded, commission.rateBps, commission.currency);
  const amount = commission.amount - kept - commission.orderReversed;
  return amount > open ? exceeds(amount) : { amount, order: command.orderAmount };
};

export const reverse = (draft: Draft, command: Of<"reverse">): Step => {
  const before = draft.book.commission;
  if (before === undefined) return refuse("commission_not_found", "No such commission in this program.");
  const earlier = draft.book.refund;
  if (earlier !== undefined) {
    return earlier.requestSha === command.requestSha
      ? { unchanged: { kind: "commission", commission: before } }
      : refuse(
          "duplicate_external_id",
          "This commission was already reversed under this external_id, with another body.",
          { pointer: "/external_id" },
        );
  }
  if (before.status === "rejected")
    return refuse("invalid_state", "A rejected commission has nothing left to reverse.");
  const refund = refundOf(before, command);
  if ("refusal" in refund) return refund;
  draft.refunds.push({
    commissionId: before.id,
    externalId: command.externalId,
    amount: refund.amount,
    orderAmount: command.orderAmount,
    reason: command.reason,
    requestSha: command.requestSha,
  });
  const counted: Commission = {
    ...before,
    orderRefunded: before.orderRefunded + refund.order,
    orderReversed: before.orderReversed + (refund.order === 0 ? 0 : refund.amount),
  };
  const after =
    refund.amount === 0 ? putCommission(draft, counted) : take(draft, counted, refund.amount, command.reason);
  return { result: { kind: "commission", commission: after } };
};

/** Takes x from where the commission's money stands: unclaimed, in an unsent payout, or gone and so owed. */
const take = (draft: Draft, before: Commission, x: number, reason: string): Commission => {
  const refs = { commissionId: before.id, note: reason };
  const { status } = before;
  if (status === "pending" || status === "held" || status === "approved") {
    move(
      draft,
      "refund",
      before.currency,
      status === "approved" ? "available" : "pending",
      "program",
      x,
      refs,
    );
    return reduce(draft, before, x);
  }
  const payout = draft.book.payout;
  if (payout === undefined) throw new Error(`I4: commission ${before.id} is ${status} without a payout`);
  const unsent =
    payout.status === "requested" ||
    payout.status === "pending" ||
    payout.status === "approved" ||
    (payout.status === "processing" && !payout.sent);
  if (!unsent) {
    move(draft, "refund", before.currency, "recovery", "program", x, { ...refs, payoutId: payout.id });
    const after = putCommission(draft, { ...before, clawedBack: before.clawedBack + x });
    announceCommission(draft, "commission.reversed", after, before.status, x);
    announceRecovery(draft, before.currency);
    return after;
  }
  return x < payout.amount ? shrink(draft, before, x, reason) : releaseAndTake(draft, before, x, reason);
};

const reduce = (draft: Draft, before: Commission, x: number): Commission => {
  const reduced = before.reduced + x;
  const status = reduced === before.amount ? "reversed" : before.status;
  const after = putCommission(draft, {
    ...before,
    reduced,
    status,
    heldFrom: status === "held" ? before.heldFrom : null,
  });
  announceCommission(draft, "commission.reversed", after, before.status, x);
  return after;
};

const shrink = (draft: Draft, before: Commission, x: number, reason: string): Commission => {
  const payout = draft.book.payout;
  if (payout === undefined) throw new Error("shrink without a payout");
  move(draft, "refund", before.currency, "reserved", "program", x, {
    commissionId: before.id,
    payoutId: payout.id,
    note: reason,
  });
  const smaller = putPayout(draft, payout, { amount: payout.amount - x, refunded: payout.refunded + x });
  const after = reduce(draft, before, x);
  announcePayout(draft, "payout.updated", smaller, payout.status, "commission_reversed");
  return after;
};

/** The refund takes all that the payout would send: it is given back and cancelled first, then the commission is reduced. */
const releaseAndTake = (draft: Draft, before: Commission, x: number, reason: string): Commission => {
  const payout = draft.book.payout;
  if (payout === undefined) throw new Error("release without a payout");
  giveBack(draft, payout, "reserved");
  const cancelled = putPayout(draft, payout, {
    status: "cancelled",
    failureCode: "reversed",
    failureDetail: reason,
  });
  move(draft, "refund", before.currency, "available", "program", x, {
    commissionId: before.id,
    note: reason,
  });
  const free: Commission = { ...before, payoutId: null, status: "approved" };
  const after = reduce(draft, free, x);
  announcePayout(draft, "payout.cancelled", cancelled, payout.status, "commission_reversed");
  return after;
};
