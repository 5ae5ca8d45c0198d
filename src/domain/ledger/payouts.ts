// Payouts in a person's hands: accept, approve, pay, mark, cancel, try again, take back.
import { methodOf } from "../affiliate.ts";
import { actorName } from "../events.ts";
import {
  EXPECTED_WITHIN_MS,
  type Payout,
  PAYOUT_TRANSITIONS,
  type PayoutAction,
  type PayoutStatus,
} from "../payout.ts";
import { affiliateBlockers, destinationBlockers, type Reason } from "../plan.ts";
import { type RefusalCode, refuse } from "../refusals.ts";
import { dateOf } from "../dates.ts";
import { insertCredit } from "./commissions.ts";
import { reclaim } from "./claims.ts";
import type { PayoutCommand } from "./command.ts";
import { announcePayout, type Draft, move, putPayout, type Step } from "./draft.ts";
import { failPayout, settlePayout } from "./settle.ts";
import { giveBack } from "./release.ts";

type Of<K extends PayoutCommand["kind"]> = Extract<PayoutCommand, { kind: K }>;

/** The status that an action leads to, or why it does not. */
const moved = (
  payout: Payout,
  action: PayoutAction,
): { status: PayoutStatus } | ReturnType<typeof refuse> => {
  const status = PAYOUT_TRANSITIONS[payout.status][action];
  return status === undefined
    ? refuse(
        "invalid_state",
        `A payout that is ${payout.status} cannot be changed by ${action.replace("_", "-")}.`,
        { facts: { status: payout.status } },
      )
    : { status };
};

const shift = (
  draft: Draft,
  before: Payout,
  action: PayoutAction,
  patch: Partial<Payout>,
  event: "payout.updated" | "payout.approved",
): Step => {
  const next = moved(before, action);
  if ("refusal" in next) return next;
  const payout = putPayout(draft, before, { ...patch, status: next.status });
  announcePayout(draft, event, payout, before.status);
  return { result: { kind: "payout", payout } };
};

/** The affiliate's present destination: approval, and payment where none is needed, are for exactly this one. */
const destinationNow = (draft: Draft): Pick<Payout, "method" | "destinationSha"> => {
  const { affiliate } = draft.book;
  if (affiliate === undefined) throw new Error("a payout without its affiliate");
  return { method: methodOf(affiliate), destinationSha: affiliate.destination?.sha ?? null };
};

const approve = (draft: Draft, before: Payout): Step => {
  if (before.status === "approved") return { unchanged: { kind: "payout", payout: before } };
  if (draft.book.policy.four_eyes && before.createdBy === actorName(draft.actor)) {
    return refuse(
      "four_eyes",
      "The program asks for four eyes: the key that made this payout cannot approve it.",
    );
  }
  const patch = { approvedAt: draft.now, approvedBy: actorName(draft.actor), ...destinationNow(draft) };
  return shift(draft, before, "approve", patch, "payout.approved");
};

const REFUSED_AS: Partial<Record<Reason, RefusalCode>> = {
  affiliate_suspended: "affiliate_suspended",
  currency_not_supported_by_method: "currency_not_supported_by_method",
  no_payout_method: "no_payout_method",
  tax_form_required: "tax_form_required",
  payout_method_not_ready: "payout_method_not_ready",
  destination_cooldown: "destination_cooldown",
};

/** What keeps this payout's money from leaving now, of the program's rules and the affiliate's state. */
export const paymentStop = (draft: Draft, payout: Payout): ReturnType<typeof refuse> | undefined => {
  const { affiliate, policy } = draft.book;
  if (affiliate === undefined) throw new Error("a payout without its affiliate");
  const stops = [
    ...affiliateBlockers(affiliate, policy, payout.currency),
    ...destinationBlockers(affiliate, policy, draft.now),
  ];
  const stop = stops.find((blocker) => REFUSED_AS[blocker.reason] !== undefined);
  if (stop !== undefined)
    return refuse(
      REFUSED_AS[stop.reason] ?? "invalid_state",
      stop.detail,
      stop.until === undefined ? {} : { facts: { until: new Date(stop.until).toISOString() } },
    );
  if (policy.require_approval && payout.approvedAt === null) {
    return refuse("awaiting_approval", "The program requires approval: approve the payout first.");
  }
  return undefined;
};

const pay = (draft: Draft, before: Payout): Step => {
  if (before.status === "processing") return { unchanged: { kind: "payout", payout: before } };
  const next = moved(before, "pay");
  if ("refusal" in next) return next;
  const stop = paymentStop(draft, before);
  if (stop !== undefined) return stop;
  const now = destinationNow(draft);
  if (before.status === "approved" && before.destinationSha !== now.destinationSha) {
    return refuse(
      "destination_changed",
      "The destination changed after approval: withdraw the approval and approve the payout again.",
    );
  }
  const payout = putPayout(draft, before, {
    ...now,
    status: next.status,
    expectedBy: draft.now + EXPECTED_WITHIN_MS,
    stalledAt: null,
  });
  capDaily(draft, payout);
  announcePayout(draft, "payout.processing", payout, before.status);
  return { result: { kind: "payout", payout } };
};

/** The program's daily limit is a CHECK on a counter row in the same batch; the day is the program's. */
const capDaily = (draft: Draft, payout: Payout): void => {
  const cap = draft.book.policy.daily_payout_limit[payout.currency];
  if (cap === undefined) return;
  const day = dateOf(draft.now, draft.book.policy.time_zone);
  draft.capped = { name: `paid:${payout.currency}:${day}`, by: payout.amount, cap };
};

const cancel = (draft: Draft, before: Payout, action: "cancel" | "deny", reason: string): Step => {
  const next = moved(before, action);
  if ("refusal" in next) return next;
  if (before.status === "processing" && before.sent) {
    return refuse(
      "payment_under_way",
      "The payment was sent; wait for the rail's answer, or mark it failed where it is paid by hand.",
    );
  }
  if (before.status !== "failed") giveBack(draft, before, "reserved");
  const payout = putPayout(draft, before, { status: next.status, failureDetail: reason, expectedBy: null });
  announcePayout(
    draft,
    "payout.cancelled",
    payout,
    before.status,
    action === "deny" ? "denied" : "cancelled",
  );
  return { result: { kind: "payout", payout } };
};

const byHand = (draft: Draft): boolean => draft.book.attempt?.state === "needs_hand";

const markPaid = (draft: Draft, before: Payout, command: Of<"mark_paid">): Step => {
  if (before.status === "paid") {
    return before.externalRef === command.externalRef &&
      before.paidVia === (command.paidVia ?? "manual") &&
      (command.amount ?? before.amount) === before.amount
      ? { unchanged: { kind: "payout", payout: before } }
      : refuse("external_ref_differs", "The payout is paid already, under another reference.", {
          pointer: "/external_ref",
        });
  }
  const next = moved(before, "mark_paid");
  if ("refusal" in next) return next;
  if (before.status === "processing" && before.sent && !byHand(draft)) {
    return refuse(
      "payment_under_way",
      "The rail is paying this payout; only its answer, or resolve, may conclude it.",
    );
  }
  if (before.status === "pending" && draft.book.policy.require_approval) {
    return refuse("awaiting_approval", "The program requires approval: approve the payout first.");
  }
  if (command.amount !== null && command.amount !== before.amount) {
    return refuse(
      "amount_changed",
      `The payout is ${before.amount}, not ${command.amount}; read it again before paying.`,
      { pointer: "/amount", facts: { amount: before.amount } },
    );
  }
  const noted = {
    ...before,
    adminNote: command.adminNote ?? before.adminNote,
    partnerMessage: command.partnerMessage ?? before.partnerMessage,
  };
  const payout = settlePayout(draft, noted, {
    via: command.paidVia ?? "manual",
    ref: command.externalRef,
    paidAt: command.paidAt ?? draft.now,
    attempt: draft.book.attempt,
  });
  return { result: { kind: "payout", payout } };
};

const markFailed = (draft: Draft, before: Payout, reason: string): Step => {
  const next = moved(before, "mark_failed");
  if ("refusal" in next) return next;
  const { attempt } = draft.book;
  if (attempt === undefined || !byHand(draft)) {
    return refuse(
      "payment_under_way",
      "Only a payment that waits for a person can be marked failed; cancel it while unsent, or wait for the rail.",
    );
  }
  const payout = failPayout(draft, before, attempt, { code: "marked_failed", detail: reason });
  return { result: { kind: "payout", payout } };
};

/** The whole amount came back, or, after parts of it did, the rest as a credit like the parts. */
export const returnAmount = (draft: Draft, before: Payout, x: number, reason: string): Payout => {
  draft.creditNoted = before.id;
  if (x === before.amount && before.returnedAmount === 0) {
    giveBack(draft, before, before.paidVia === "store_credit" ? "store_credit" : "paid");
    const payout = putPayout(draft, before, {
      status: "returned",
      returnedAmount: before.amount,
      failureDetail: reason,
    });
    announcePayout(draft, "payout.returned", payout, before.status, "returned");
    return payout;
  }
  const returnedAmount = before.returnedAmount + x;
  const status = returnedAmount === before.amount ? "returned" : before.status;
  move(draft, "return_part", before.currency, "paid", "available", x, { payoutId: before.id, note: reason });
  const payout = putPayout(draft, before, { status, returnedAmount, failureDetail: reason });
  insertCredit(draft, {
    kind: "credit",
    currency: before.currency,
    amount: x,
    origin: "return",
    note: `returned from ${before.id}`,
    externalId: null,
    requestSha: "",
  });
  announcePayout(
    draft,
    status === "returned" ? "payout.returned" : "payout.updated",
    payout,
    before.status,
    "returned_in_part",
  );
  return payout;
};

const returnByHand = (draft: Draft, before: Payout, reason: string): Step => {
  const next = moved(before, "return");
  if ("refusal" in next) return next;
  const via = before.paidVia ?? before.method;
  if (via !== "manual" && via !== "bank_transfer" && via !== "store_credit") {
    return refuse(
      "settled_by_rail",
      `The payout was paid by ${via}; only the rail can say that the money came back.`,
    );
  }
  if (via === "store_credit" && (draft.book.balances[before.currency]?.store_credit ?? 0) < before.amount) {
    return refuse(
      "store_credit_spent",
      "The store credit of this payout is spent in part; it can be returned only while unspent.",
    );
  }
  return {
    result: {
      kind: "payout",
      payout: returnAmount(draft, before, before.amount - before.returnedAmount, reason),
    },
  };
};

const annotate = (draft: Draft, before: Payout, command: Of<"annotate">): Step => {
  if (
    command.externalRef !== undefined &&
    before.paidVia !== null &&
    before.paidVia !== "manual" &&
    before.paidVia !== "bank_transfer"
  ) {
    return refuse("settled_by_rail", "The rail's own reference stands for this payout.", {
      pointer: "/external_ref",
    });
  }
  const payout = putPayout(draft, before, {
    ...(command.externalRef === undefined ? {} : { externalRef: command.externalRef }),
    ...(command.adminNote === undefined ? {} : { adminNote: command.adminNote }),
    ...(command.partnerMessage === undefined ? {} : { partnerMessage: command.partnerMessage }),
  });
  announcePayout(draft, "payout.updated", payout, before.status);
  return { result: { kind: "payout", payout } };
};

export const reviewPayout = (draft: Draft, command: PayoutCommand): Step => {
  const before = draft.book.payout;
  if (before === undefined) return refuse("payout_not_found", "No such payout in this program.");
  switch (command.kind) {
    case "accept":
      return shift(draft, before, "accept", {}, "payout.updated");
    case "approve_payout":
      return approve(draft, before);
    case "withdraw":
      return shift(draft, before, "withdraw", { approvedAt: null, approvedBy: null }, "payout.updated");
    case "pay":
      return pay(draft, before);
    case "cancel":
    case "deny":
      return cancel(draft, before, command.kind, command.reason);
    case "mark_paid":
      return markPaid(draft, before, command);
    case "mark_failed":
      return markFailed(draft, before, command.reason);
    case "retry":
    case "reopen": {
      const next = moved(before, command.kind);
      return "refusal" in next ? next : reclaim(draft, before);
    }
    case "return":
      return returnByHand(draft, before, command.reason);
    case "annotate":
      return annotate(draft, before, command);
  }
};
