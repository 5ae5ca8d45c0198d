// What a person says of a payment: it was paid, it failed, the money came back.
import type { Payout } from "../payout.ts";
import { refuse } from "../refusals.ts";
import type { PayoutCommand } from "./command.ts";
import { insertCredit } from "./commissions.ts";
import { announcePayout, type Draft, move, putPayout, type Step } from "./draft.ts";
import { giveBack } from "./release.ts";
import { failPayout, settlePayout } from "./settle.ts";
import { moved } from "./transitions.ts";

type Of<K extends PayoutCommand["kind"]> = Extract<PayoutCommand, { kind: K }>;

const byHand = (draft: Draft): boolean => draft.book.attempt?.state === "needs_hand";

const otherAmount = (before: Payout, amount: number | null) =>
  amount === null || amount === before.amount
    ? undefined
    : refuse(
        "amount_changed",
        `The payout is ${before.amount}, not ${amount}; read it again before paying.`,
        { pointer: "/amount", facts: { amount: before.amount } },
      );

/** The same reference again is the same statement again, whoever settled it. */
const alreadyPaid = (before: Payout, command: Of<"mark_paid">): Step => {
  const isSame =
    before.externalRef === command.externalRef &&
    (command.externalRef !== null || before.paidVia === "manual") &&
    (command.paidVia === null || before.paidVia === command.paidVia);
  if (isSame) return otherAmount(before, command.amount) ?? { unchanged: { kind: "payout", payout: before } };
  return refuse("external_ref_differs", "The payout is paid already, under another reference.", {
    pointer: "/external_ref",
  });
};

export const markPaid = (draft: Draft, before: Payout, command: Of<"mark_paid">): Step => {
  if (before.status === "paid") return alreadyPaid(before, command);
  const next = moved(before, "mark_paid");
  if ("refusal" in next) return next;
  if (before.status === "processing" && before.sent && !byHand(draft)) {
    return refuse(
      "payment_under_way",
      "The rail is paying this payout; only its answer, or resolve, may conclude it.",
    );
  }
  if (before.approvedAt === null && !before.sent && draft.book.policy.require_approval) {
    return refuse("awaiting_approval", "The program requires approval: approve the payout first.");
  }
  const differs = otherAmount(before, command.amount);
  if (differs !== undefined) return differs;
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
    isByHand: true,
  });
  return { result: { kind: "payout", payout } };
};

export const markFailed = (draft: Draft, before: Payout, reason: string): Step => {
  const next = moved(before, "mark_failed");
  if ("refusal" in next) return next;
  const { attempt } = draft.book;
  if (attempt === undefined || !byHand(draft)) {
    return refuse(
      "payment_under_way",
      "Only a payment that waits for a person can be marked failed; cancel it while unsent, or wait for the rail.",
    );
  }
  if (attempt.rail === "wise") {
    return refuse(
      "payment_under_way",
      "The transfer at Wise can still be paid there: cancel it in Wise, and the payout fails by itself.",
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

export const returnByHand = (draft: Draft, before: Payout, reason: string): Step => {
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
