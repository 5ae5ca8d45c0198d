// How a claim ends when it was sent: settled, or refused and given back.
import type { Attempt, Payout, PayoutMethod } from "../payout.ts";
import { uncapDaily } from "./daily-limit.ts";
import { announcePayout, type Draft, move, putPayout } from "./draft.ts";
import { giveBack } from "./release.ts";

interface Settlement {
  readonly via: PayoutMethod;
  readonly ref: string | null;
  readonly paidAt: number;
  readonly attempt: Attempt | undefined;
  readonly note?: string;
  /** A person said so, under a reference of their own. */
  readonly isByHand?: boolean;
}

export const settlePayout = (draft: Draft, before: Payout, settlement: Settlement): Payout => {
  const lines = draft.book.lines;
  if (lines === undefined) throw new Error(`settlement of ${before.id} without its lines`);
  const to = settlement.via === "store_credit" ? "store_credit" : "paid";
  const refs = { payoutId: before.id, ...(settlement.note === undefined ? {} : { note: settlement.note }) };
  move(draft, "settle", before.currency, "reserved", to, before.amount, refs);
  draft.lines.push({ kind: "settle", payoutId: before.id, count: lines.processing });
  draft.paidLines = { payoutId: before.id, count: lines.processing };
  draft.invoiced = before.id;
  const { attempt } = settlement;
  if (attempt !== undefined) {
    draft.updatedAttempt = {
      ...attempt,
      state: "settled",
      // A person's reference is the payout's; the provider's own stays where it can be asked about.
      providerRef:
        settlement.isByHand === true ? attempt.providerRef : (settlement.ref ?? attempt.providerRef),
      nextAttemptAt: null,
      tries: attempt.tries + 1,
      updatedAt: draft.realNow,
    };
  }
  const payout = putPayout(draft, before, {
    status: "paid",
    paidAt: settlement.paidAt,
    paidVia: settlement.via,
    externalRef: settlement.ref ?? before.externalRef,
    expectedBy: null,
  });
  announcePayout(draft, "payout.paid", payout, before.status);
  return payout;
};

export const failPayout = (
  draft: Draft,
  before: Payout,
  attempt: Attempt,
  why: { code: string; detail: string },
): Payout => {
  giveBack(draft, before, "reserved");
  uncapDaily(draft, before);
  draft.updatedAttempt = {
    ...attempt,
    state: "refused",
    detail: why.detail,
    nextAttemptAt: null,
    tries: attempt.tries + 1,
    updatedAt: draft.realNow,
  };
  const payout = putPayout(draft, before, {
    status: "failed",
    sent: false,
    failureCode: why.code,
    failureDetail: why.detail,
    expectedBy: null,
  });
  announcePayout(draft, "payout.failed", payout, before.status, why.code);
  return payout;
};
