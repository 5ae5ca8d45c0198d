// What could be selected for payment: the due commissions of affiliates and currencies, and how chosen ones stand.
import type { AffiliateId, CommissionId, PayoutId, ProgramId } from "../domain/ids.ts";
import type { Currency } from "../domain/money.ts";
import { numberIn, type Row } from "./rows.ts";
import type { Pair } from "./session-rows.ts";

/** Of one affiliate and currency this many are listed. */
export const LISTED_MAX = 1_000;

export interface UnpaidCommission {
  readonly id: CommissionId;
  readonly externalId: string | null;
  readonly affiliateId: AffiliateId;
  readonly currency: Currency;
  /** What is left of it, minor units. */
  readonly amount: number;
  readonly occurredAt: number;
}

const LISTED = `SELECT * FROM (
    SELECT c.id, c.external_id, c.affiliate_id, c.currency, c.amount - c.reduced AS rest, c.occurred_at,
      row_number() OVER (PARTITION BY c.affiliate_id, c.currency ORDER BY c.occurred_at, c.id) AS k
    FROM (SELECT value ->> 0 AS aff, value ->> 1 AS cur, value ->> 2 AS prg FROM json_each(?1)) j
    CROSS JOIN commissions c ON c.program_id = j.prg AND c.affiliate_id = j.aff AND c.currency = j.cur
      AND c.status = 'approved' AND c.status IN ('pending', 'approved', 'held') AND c.payable_at <= ?2
    WHERE c.occurred_at < ?3
  ) WHERE k <= ${LISTED_MAX} ORDER BY affiliate_id, currency, occurred_at, id`;

/** The due commissions of each pair, the oldest first, by affiliate and currency joined by a space. Instants are epoch milliseconds. */
export const listUnpaid = async (
  db: D1Database,
  programId: ProgramId,
  pairs: readonly Pair[],
  at: { readonly now: number; readonly until: number },
): Promise<ReadonlyMap<string, readonly UnpaidCommission[]>> => {
  const rows = JSON.stringify(pairs.map((pair) => [pair.affiliateId, pair.currency, programId]));
  const { results } = await db.prepare(LISTED).bind(rows, at.now, at.until).all<Row>();
  const listed = new Map<string, UnpaidCommission[]>();
  for (const row of results) {
    const key = `${row["affiliate_id"]} ${row["currency"]}`;
    const of = listed.get(key) ?? [];
    of.push({
      id: row["id"] as CommissionId,
      externalId: row["external_id"] as string | null,
      affiliateId: row["affiliate_id"] as AffiliateId,
      currency: String(row["currency"]),
      amount: numberIn(row, "rest"),
      occurredAt: numberIn(row, "occurred_at"),
    });
    listed.set(key, of);
  }
  return listed;
};

/** A commission that somebody chose, and what keeps it from being claimed. */
export interface ChosenCommission {
  readonly id: CommissionId;
  readonly affiliateId: AffiliateId;
  readonly currency: Currency;
  readonly status: string;
  readonly amount: number;
  readonly occurredAt: number;
  readonly payableAt: number;
  readonly payoutId: PayoutId | null;
  readonly sessionId: string | null;
}

const CHOSEN = `SELECT c.id, c.affiliate_id, c.currency, c.status, c.amount - c.reduced AS rest, c.occurred_at, c.payable_at, c.payout_id, p.session_id
  FROM (SELECT DISTINCT value AS id FROM json_each(?2)) w CROSS JOIN commissions c ON c.program_id = ?1 AND c.id = w.id
  LEFT JOIN payouts p ON p.program_id = ?1 AND p.id = c.payout_id`;

export const readChosenCommissions = async (
  db: D1Database,
  programId: ProgramId,
  ids: readonly CommissionId[],
): Promise<ReadonlyMap<CommissionId, ChosenCommission>> => {
  const { results } = await db.prepare(CHOSEN).bind(programId, JSON.stringify(ids)).all<Row>();
  return new Map(
    results.map((row) => [
      row["id"] as CommissionId,
      {
        id: row["id"] as CommissionId,
        affiliateId: row["affiliate_id"] as AffiliateId,
        currency: String(row["currency"]),
        status: String(row["status"]),
        amount: numberIn(row, "rest"),
        occurredAt: numberIn(row, "occurred_at"),
        payableAt: numberIn(row, "payable_at"),
        payoutId: row["payout_id"] as PayoutId | null,
        sessionId: row["session_id"] as string | null,
      },
    ]),
  );
};
