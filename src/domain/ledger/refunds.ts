// Refunds: what a reversal takes, and from where, at any moment of a commission's life.
import { type Commission, refundableOf } from "../commission.ts";
import { isAmount, rateOf } from "../money.ts";
import { refuse } from "../refusals.ts";
import type { CommissionCommand } from "./command.ts";
import { unsendable } from "./commissions.ts";
import { uncapDaily } from "./daily-limit.ts";
import {
  announceCommission,
  announcePayout,
  announceRecovery,
  type Draft,
  move,
  putCommission,
  putPayout,
  type Step,
} from "./draft.ts";
import { giveBack } from "./release.ts";

type Of<K extends CommissionCommand["kind"]> = Extract<CommissionCommand, { kind: K }>;

/** How much a refund takes: what is named, the commission's rate of what is named, or all that is left. */
const refundOf = (
  commission: Commission,
  command: Of<"reverse">,
): { amount: number; order: number; byOrder: number } | ReturnType<typeof refuse> => {
  const open = refundableOf(commission);
  const exceeds = (asked: number) =>
    refuse("refund_exceeds_commission", `${asked} is more than the ${open} that can still be reversed.`, {
      pointer: command.orderAmount === null ? "/amount" : "/order_amount",
      facts: { reversible_amount: open },
    });
  if (command.amount !== null) {
    if (!isAmount(command.amount, commission.currency))
      return unsendable(command.amount, commission.currency, "/amount");
    return command.amount > open ? exceeds(command.amount) : { amount: command.amount, order: 0, byOrder: 0 };
  }
  if (command.orderAmount === null) return open === 0 ? exceeds(0) : { amount: open, order: 0, byOrder: 0 };
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
  // What was reversed by amount meanwhile is not taken twice; the order's own sum goes on as if it had not been.
  return open === 0 && amount > 0
    ? exceeds(amount)
    : { amount: Math.min(amount, open), order: command.orderAmount, byOrder: amount };
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
    orderReversed: before.orderReversed + refund.byOrder,
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
  if (payout.status === "processing") uncapDaily(draft, payout);
  const cancelled = putPayout(draft, payout, {
    status: "cancelled",
    expectedBy: null,
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
