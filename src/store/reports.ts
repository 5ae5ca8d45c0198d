// Sums for reports: what was paid to whom in a year, by rail, and a program's money and payouts at a glance.
import type { Affiliate } from "../domain/affiliate.ts";
import type { AffiliateId, ProgramId } from "../domain/ids.ts";
import { ACCOUNTS, type Account } from "../domain/ledger/book.ts";
import type { PayoutMethod, PayoutStatus } from "../domain/payout.ts";
import { affiliateOf, numberIn, type Row } from "./rows.ts";

/** Instants in epoch milliseconds, `until` excluded. */
export interface Span {
  readonly from: number;
  readonly until: number;
}

export interface PaidSum {
  readonly affiliateId: AffiliateId;
  readonly currency: string;
  readonly rail: PayoutMethod;
  readonly count: number;
  /** Minor units that were paid. */
  readonly paid: number;
  /** Minor units of those that came back, whenever they did. */
  readonly returned: number;
}

/** A payment counts in the year in which it was made; one that was refused and paid all the same counts too. */
const PAID = `SELECT affiliate_id, currency, rail, sum(n) AS n, sum(paid) AS paid, sum(returned) AS returned FROM (
    SELECT affiliate_id, currency, coalesce(paid_via, method) AS rail, count(*) AS n, sum(amount) AS paid, sum(returned_amount) AS returned
      FROM payouts WHERE program_id = ?1 AND status IN ('paid', 'returned') AND paid_at >= ?2 AND paid_at < ?3
      GROUP BY affiliate_id, currency, rail
    UNION ALL SELECT affiliate_id, currency, rail, count(*), sum(amount), 0
      FROM attempts WHERE program_id = ?1 AND state = 'paid_late' AND updated_at >= ?2 AND updated_at < ?3
      GROUP BY affiliate_id, currency, rail
  ) WHERE affiliate_id > ?4 GROUP BY affiliate_id, currency, rail`;

export interface PaidPage {
  readonly affiliates: readonly Affiliate[];
  readonly sums: readonly PaidSum[];
  readonly hasMore: boolean;
}

const paidOf = (row: Row): PaidSum => ({
  affiliateId: row["affiliate_id"] as AffiliateId,
  currency: String(row["currency"]),
  rail: row["rail"] as PayoutMethod,
  count: numberIn(row, "n"),
  paid: numberIn(row, "paid"),
  returned: numberIn(row, "returned"),
});

/** Affiliates that were paid in the span, in the order of their ids, with their sums. Two round trips. */
export const readPaid = async (
  db: D1Database,
  programId: ProgramId,
  span: Span,
  page: { readonly after: string; readonly limit: number },
): Promise<PaidPage> => {
  const ids = `SELECT DISTINCT affiliate_id FROM (${PAID}) ORDER BY affiliate_id LIMIT ?5`;
  const found = await db
    .prepare(ids)
    .bind(programId, span.from, span.until, page.after, page.limit + 1)
    .all<{ affiliate_id: string }>();
  const wanted = found.results.map(({ affiliate_id }) => affiliate_id);
  const list = JSON.stringify(wanted.slice(0, page.limit));
  const [affiliates, sums] = await db.batch<Row>([
    db
      .prepare(
        "SELECT * FROM affiliates WHERE program_id = ?1 AND id IN (SELECT value FROM json_each(?2)) ORDER BY id",
      )
      .bind(programId, list),
    db
      .prepare(
        `SELECT * FROM (${PAID}) WHERE affiliate_id IN (SELECT value FROM json_each(?5)) ORDER BY affiliate_id, currency, rail`,
      )
      .bind(programId, span.from, span.until, page.after, list),
  ]);
  return {
    affiliates: (affiliates?.results ?? []).map(affiliateOf),
    sums: (sums?.results ?? []).map(paidOf),
    hasMore: wanted.length > page.limit,
  };
};

export interface StatusSum {
  readonly status: PayoutStatus;
  readonly currency: string;
  readonly count: number;
  readonly amount: number;
}

export interface MonthSum {
  /** YYYY-MM in the program's zone. */
  readonly month: string;
  readonly currency: string;
  readonly count: number;
  readonly amount: number;
  readonly returned: number;
}

export interface Summary {
  readonly affiliates: { readonly active: number; readonly suspended: number };
  readonly balances: readonly (Readonly<Record<Account, number>> & {
    readonly currency: string;
    readonly inHold: number;
    readonly affiliates: number;
  })[];
  readonly byStatus: readonly StatusSum[];
  readonly byMonth: readonly MonthSum[];
  readonly stalled: number;
}

const BALANCES = `SELECT b.currency AS currency, count(*) AS n, ${ACCOUNTS.map((account) => `sum(b.${account}) AS ${account}`).join(", ")}
  FROM affiliates a CROSS JOIN balances b ON b.affiliate_id = a.id WHERE a.program_id = ?1 GROUP BY b.currency ORDER BY b.currency`;

const IN_HOLD = `SELECT currency, sum(amount - reduced) AS amount FROM commissions
  WHERE program_id = ?1 AND status = 'approved' AND status IN ('pending', 'approved', 'held') AND payable_at > ?2 GROUP BY currency`;

const BY_STATUS = `SELECT status, currency, count(*) AS n, sum(amount) AS amount FROM payouts WHERE program_id = ?1
  GROUP BY status, currency ORDER BY status, currency`;

const BY_MONTH = `SELECT m.value ->> 'month' AS month, p.currency AS currency, count(*) AS n, sum(p.amount) AS amount, sum(p.returned_amount) AS returned
  FROM payouts p JOIN json_each(?2) m ON p.paid_at >= m.value ->> 'from' AND p.paid_at < m.value ->> 'until'
  WHERE p.program_id = ?1 AND p.status IN ('paid', 'returned') GROUP BY month, p.currency ORDER BY month, p.currency`;

const AFFILIATES =
  "SELECT sum(status = 'active') AS active, sum(status = 'suspended') AS suspended FROM affiliates WHERE program_id = ?1";

const STALLED =
  "SELECT count(*) AS n FROM payouts WHERE program_id = ?1 AND status = 'processing' AND stalled_at IS NOT NULL";

const orZero = (row: Row | undefined, column: string): number => Number(row?.[column] ?? 0);

/** One round trip. `now` is the program's, epoch milliseconds. */
export const readSummary = async (
  db: D1Database,
  programId: ProgramId,
  now: number,
  months: readonly (Span & { readonly month: string })[],
): Promise<Summary> => {
  const [affiliates, balances, inHold, byStatus, byMonth, stalled] = await db.batch<Row>([
    db.prepare(AFFILIATES).bind(programId),
    db.prepare(BALANCES).bind(programId),
    db.prepare(IN_HOLD).bind(programId, now),
    db.prepare(BY_STATUS).bind(programId),
    db.prepare(BY_MONTH).bind(programId, JSON.stringify(months)),
    db.prepare(STALLED).bind(programId),
  ]);
  const held = new Map((inHold?.results ?? []).map((row) => [row["currency"], numberIn(row, "amount")]));
  return {
    affiliates: {
      active: orZero(affiliates?.results[0], "active"),
      suspended: orZero(affiliates?.results[0], "suspended"),
    },
    balances: (balances?.results ?? []).map((row) => ({
      ...(Object.fromEntries(ACCOUNTS.map((account) => [account, numberIn(row, account)])) as Record<
        Account,
        number
      >),
      currency: String(row["currency"]),
      inHold: held.get(String(row["currency"])) ?? 0,
      affiliates: numberIn(row, "n"),
    })),
    byStatus: (byStatus?.results ?? []).map((row) => ({
      status: row["status"] as PayoutStatus,
      currency: String(row["currency"]),
      count: numberIn(row, "n"),
      amount: numberIn(row, "amount"),
    })),
    byMonth: (byMonth?.results ?? []).map((row) => ({
      month: String(row["month"]),
      currency: String(row["currency"]),
      count: numberIn(row, "n"),
      amount: numberIn(row, "amount"),
      returned: numberIn(row, "returned"),
    })),
    stalled: orZero(stalled?.results[0], "n"),
  };
};
