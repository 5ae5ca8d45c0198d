// Reads behind a payment: the payout with its affiliate and open attempt, and what is due to be looked at again.
import type { Affiliate } from "../domain/affiliate.ts";
import type { AffiliateId, PayoutId, ProgramId } from "../domain/ids.ts";
import type { Attempt, Payout } from "../domain/payout.ts";
import { affiliateOf, attemptOf, payoutOf, type Row } from "./rows.ts";

export interface Payment {
  readonly payout: Payout;
  readonly affiliate: Affiliate;
  /** The open attempt, if one began. */
  readonly attempt: Attempt | undefined;
}

/** One round trip. */
export const findPayment = async (
  db: D1Database,
  programId: ProgramId,
  payoutId: PayoutId,
): Promise<Payment | undefined> => {
  const [payouts, affiliates, attempts] = await db.batch<Row>([
    db.prepare("SELECT * FROM payouts WHERE program_id = ?1 AND id = ?2").bind(programId, payoutId),
    db
      .prepare(
        "SELECT a.* FROM affiliates a WHERE a.program_id = ?1 AND a.id = (SELECT affiliate_id FROM payouts WHERE program_id = ?1 AND id = ?2)",
      )
      .bind(programId, payoutId),
    db
      .prepare("SELECT * FROM attempts WHERE payout_id = ?1 AND state NOT IN ('refused', 'paid_late')")
      .bind(payoutId),
  ]);
  const [payout, affiliate, attempt] = [payouts?.results[0], affiliates?.results[0], attempts?.results[0]];
  if (payout === undefined || affiliate === undefined) return undefined;
  return {
    payout: payoutOf(payout),
    affiliate: affiliateOf(affiliate),
    attempt: attempt === undefined ? undefined : attemptOf(attempt),
  };
};

export interface PaymentRef {
  readonly programId: ProgramId;
  readonly affiliateId: AffiliateId;
  readonly payoutId: PayoutId;
}

const refOf = (row: Row): PaymentRef => ({
  programId: row["program_id"] as ProgramId,
  affiliateId: row["affiliate_id"] as AffiliateId,
  payoutId: row["payout_id"] as PayoutId,
});

/** Payouts go by their program's clock, attempts by real time. */
const AHEAD = "(SELECT clock_offset FROM programs p WHERE p.id = program_id)";

/** Payouts whose next look is due, or whose hint may be lost, behind `after` in order of payout; `now` in epoch milliseconds. */
export const listDuePayments = async (
  db: D1Database,
  now: number,
  after: string,
  limit: number,
): Promise<readonly PaymentRef[]> => {
  const sql = `SELECT program_id, affiliate_id, payout_id FROM attempts
      WHERE next_attempt_at IS NOT NULL AND next_attempt_at <= ?1 AND payout_id > ?2
    UNION SELECT program_id, affiliate_id, id FROM payouts
      WHERE status = 'processing' AND sent = 0 AND updated_at <= ?3 + ${AHEAD} AND id > ?2
    ORDER BY payout_id LIMIT ?4`;
  const rows = await db
    .prepare(sql)
    .bind(now, after, now - HINT_LOST_AFTER_MS, limit)
    .all<Row>();
  return rows.results.map(refOf);
};

/** A hint that was not taken up for this long is sent again. */
const HINT_LOST_AFTER_MS = 5_000;

/** Processing for longer than expected and not announced yet. */
export const listOverduePayments = async (
  db: D1Database,
  now: number,
  limit: number,
): Promise<readonly PaymentRef[]> => {
  const sql = `SELECT program_id, affiliate_id, id AS payout_id FROM payouts WHERE status = 'processing' AND expected_by IS NOT NULL AND expected_by <= ?1 + ${AHEAD} AND stalled_at IS NULL LIMIT ?2`;
  return (await db.prepare(sql).bind(now, limit).all<Row>()).results.map(refOf);
};

/** A program's payments whose outcome is open and that will be looked at again. */
export const listOpenPayments = async (
  db: D1Database,
  programId: ProgramId,
  limit: number,
): Promise<readonly PaymentRef[]> => {
  const sql =
    "SELECT program_id, affiliate_id, payout_id FROM attempts WHERE next_attempt_at IS NOT NULL AND program_id = ?1 ORDER BY next_attempt_at LIMIT ?2";
  return (await db.prepare(sql).bind(programId, limit).all<Row>()).results.map(refOf);
};
