// The program's daily limit: a counter per currency and day of the program's zone, whose cap is a CHECK in the same batch.
import { dateOf } from "../dates.ts";
import type { Payout } from "../payout.ts";
import type { Draft } from "./draft.ts";

const counterOf = (draft: Draft, payout: Payout, at: number): string =>
  `paid:${payout.currency}:${dateOf(at, draft.book.policy.time_zone)}`;

/** Counted when the payment is asked for. */
export const capDaily = (draft: Draft, payout: Payout): void => {
  const cap = draft.book.policy.daily_payout_limit[payout.currency];
  if (cap !== undefined) draft.capped = { name: counterOf(draft, payout, draft.now), by: payout.amount, cap };
};

/** A payment that did not happen is taken off the day on which it was asked for. */
export const uncapDaily = (draft: Draft, payout: Payout): void => {
  const asked = payout.history.findLast((step) => step.to === "processing");
  const cap = draft.book.policy.daily_payout_limit[payout.currency];
  if (asked === undefined || cap === undefined) return;
  draft.capped = { name: counterOf(draft, payout, asked.at), by: -payout.amount, cap };
};
