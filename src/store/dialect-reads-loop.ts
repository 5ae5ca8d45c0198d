// Reads for Loop: what an affiliate earned in a period, and whose payout of a period is still to be made.
import type { AffiliateId, ProgramId } from "../domain/ids.ts";
import type { Currency } from "../domain/money.ts";
import { numberIn, type Row } from "./rows.ts";

/** Instants in epoch milliseconds by occurred_at, `until` exclusive. */
export interface EarnedIn {
  readonly currency: Currency;
  readonly from: number;
  readonly until: number;
}

/** Credits of a return or a release give back what another commission has counted already (I5). */
const EARNED = `SELECT count(*) AS n, coalesce(sum(amount - reduced - clawed_back), 0) AS earned FROM commissions
  WHERE program_id = ?1 AND affiliate_id = ?2 AND currency = ?3 AND occurred_at >= ?4 AND occurred_at < ?5
    AND status NOT IN ('rejected', 'reversed') AND origin IS NULL`;

/** Minor units that are left after refunds, whether paid or not. */
export const sumEarned = async (
  db: D1Database,
  programId: ProgramId,
  affiliateId: AffiliateId,
  { currency, from, until }: EarnedIn,
): Promise<{ readonly earned: number; readonly count: number }> => {
  const row = await db.prepare(EARNED).bind(programId, affiliateId, currency, from, until).first<Row>();
  if (row === null) throw new Error("a sum without a row");
  return { earned: numberIn(row, "earned"), count: numberIn(row, "n") };
};

const MADE = `SELECT affiliate_id FROM payouts WHERE program_id = ?1 AND currency = ?2 AND period_start = ?3 AND period_end = ?4
  AND status NOT IN ('failed', 'cancelled', 'returned')`;

const UNMADE = `SELECT DISTINCT affiliate_id FROM commissions WHERE program_id = ?1 AND currency = ?2
  AND status IN ('pending', 'approved', 'held') AND occurred_at >= ?5 AND occurred_at < ?6
  AND affiliate_id NOT IN (${MADE}) ORDER BY affiliate_id`;

/** Dates of the period, both inclusive, beside its instants. */
export interface Period extends EarnedIn {
  readonly start: string;
  readonly end: string;
}

/** Who has a payout of exactly the period, and who else has something unclaimed in it. One round trip. */
export const readPeriod = async (
  db: D1Database,
  programId: ProgramId,
  { currency, start, end, from, until }: Period,
): Promise<{ readonly made: number; readonly unmade: readonly AffiliateId[] }> => {
  const [made, unmade] = await db.batch<Row>([
    db.prepare(`SELECT count(*) AS n FROM (${MADE})`).bind(programId, currency, start, end),
    db.prepare(UNMADE).bind(programId, currency, start, end, from, until),
  ]);
  const [count] = made?.results ?? [];
  return {
    made: count === undefined ? 0 : numberIn(count, "n"),
    unmade: (unmade?.results ?? []).map((row) => row["affiliate_id"] as AffiliateId),
  };
};
