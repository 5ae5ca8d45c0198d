// What is due, summed: of all unclaimed commissions, or of a choice among them.
import type { PayoutId } from "../domain/ids.ts";
import type { ChoiceSummary, DueSummary } from "../domain/ledger/book.ts";
import { numberIn, type Row } from "./rows.ts";

/** The sums over one affiliate's unclaimed commissions that decide a claim; also what a run reads for a thousand at once. */
export const DUE_SUMS = `
  sum(status = 'approved' AND payable_at <= ?3 AND occurred_at >= ?4 AND occurred_at < ?5) AS count,
  sum(iif(status = 'approved' AND payable_at <= ?3 AND occurred_at >= ?4 AND occurred_at < ?5, amount - reduced, 0)) AS gross,
  min(iif(status = 'approved' AND payable_at <= ?3 AND occurred_at >= ?4 AND occurred_at < ?5, occurred_at, NULL)) AS oldest_at,
  max(iif(status = 'approved' AND payable_at <= ?3 AND occurred_at >= ?4 AND occurred_at < ?5, occurred_at, NULL)) AS newest_at,
  sum(status = 'held') AS held, sum(status = 'pending') AS pending,
  sum(status = 'approved' AND payable_at > ?3) AS in_hold,
  min(iif(status = 'approved' AND payable_at > ?3, payable_at, NULL)) AS next_payable_at,
  sum(status = 'approved' AND payable_at <= ?3 AND (occurred_at < ?4 OR occurred_at >= ?5)) AS outside`;

const orNull = (row: Row, column: string): number | null =>
  row[column] == null ? null : numberIn(row, column);
const orZero = (row: Row, column: string): number => orNull(row, column) ?? 0;

export const dueOf = (row: Row): DueSummary => ({
  count: orZero(row, "count"),
  gross: orZero(row, "gross"),
  oldestAt: orNull(row, "oldest_at"),
  newestAt: orNull(row, "newest_at"),
  held: orZero(row, "held"),
  pending: orZero(row, "pending"),
  inHold: orZero(row, "in_hold"),
  nextPayableAt: orNull(row, "next_payable_at"),
  outside: orZero(row, "outside"),
});

export const choiceOf = (row: Row, bad: readonly Row[]): ChoiceSummary => ({
  count: numberIn(row, "count"),
  gross: numberIn(row, "gross"),
  oldestAt: orNull(row, "oldest_at"),
  newestAt: orNull(row, "newest_at"),
  missing: numberIn(row, "missing"),
  notFree: bad.map((c) => ({
    id: c["id"] as ChoiceSummary["notFree"][number]["id"],
    status: c["status"] as string,
    payoutId: c["payout_id"] as PayoutId | null,
    payableAt: numberIn(c, "payable_at"),
  })),
});
