// Reads of payouts: one, a list, whose it is, and which commissions stand in it.
import type { Affiliate } from "../domain/affiliate.ts";
import type { AffiliateId, CommissionId, PayoutId, ProgramId } from "../domain/ids.ts";
import type { Payout, PayoutStatus } from "../domain/payout.ts";
import { among, type Filter, type PageWindow, selectPage } from "./filters.ts";
import { affiliateOf, numberIn, payoutOf, type Row } from "./rows.ts";

/** A payout with what batches gave it: its numbers, its lines, and what its affiliate owes from it now. */
export interface PayoutView {
  readonly payout: Payout;
  readonly invoiceNumber: number | null;
  readonly creditNoteNumber: number | null;
  readonly commissionIds: readonly CommissionId[];
  /** Minor units clawed back from its commissions and still owed. */
  readonly recoveryOwed: number;
}

export const findPayoutAffiliate = async (
  db: D1Database,
  programId: ProgramId,
  payoutId: PayoutId,
): Promise<AffiliateId | undefined> => {
  const row = await db
    .prepare("SELECT affiliate_id FROM payouts WHERE program_id = ?1 AND id = ?2")
    .bind(programId, payoutId)
    .first<{ affiliate_id: AffiliateId }>();
  return row?.affiliate_id;
};

/** The wire lists this many commission ids; the rest is at /payouts/{id}/commissions. */
export const COMMISSION_IDS_MAX = 1000;

const IDS = `SELECT payout_id, commission_id FROM (
    SELECT payout_id, commission_id, row_number() OVER (PARTITION BY payout_id ORDER BY commission_id) AS n FROM payout_lines
    WHERE payout_id IN (SELECT value FROM json_each(?1))
  ) WHERE n <= ${COMMISSION_IDS_MAX}`;

const NUMBERS =
  "SELECT id, invoice_number, credit_note_number FROM payouts WHERE program_id = ?2 AND id IN (SELECT value FROM json_each(?1))";

const OWED = `SELECT p.id, min(coalesce((SELECT sum(clawed_back) FROM commissions WHERE payout_id = p.id), 0),
    coalesce((SELECT -recovery FROM balances WHERE affiliate_id = p.affiliate_id AND currency = p.currency), 0)) AS owed
  FROM payouts p WHERE p.program_id = ?2 AND p.id IN (SELECT value FROM json_each(?1))`;

/** Views of payouts that are at hand as they stood in a turn; one round trip for all of them. */
export const viewsOf = async (
  db: D1Database,
  programId: ProgramId,
  payouts: readonly Payout[],
): Promise<readonly PayoutView[]> => {
  if (payouts.length === 0) return [];
  const list = JSON.stringify(payouts.map((payout) => payout.id));
  const [ids, numbers, owed] = await db.batch<Row>([
    db.prepare(IDS).bind(list),
    db.prepare(NUMBERS).bind(list, programId),
    db.prepare(OWED).bind(list, programId),
  ]);
  const commissionIds = new Map<string, CommissionId[]>();
  for (const row of ids?.results ?? []) {
    const of = commissionIds.get(String(row["payout_id"])) ?? [];
    of.push(row["commission_id"] as CommissionId);
    commissionIds.set(String(row["payout_id"]), of);
  }
  const numbersById = new Map((numbers?.results ?? []).map((row) => [row["id"], row]));
  const owedById = new Map((owed?.results ?? []).map((row) => [row["id"], row]));
  return payouts.map((payout) => ({
    payout,
    invoiceNumber: (numbersById.get(payout.id)?.["invoice_number"] as number | null | undefined) ?? null,
    creditNoteNumber:
      (numbersById.get(payout.id)?.["credit_note_number"] as number | null | undefined) ?? null,
    commissionIds: commissionIds.get(payout.id) ?? [],
    recoveryOwed: Number(owedById.get(payout.id)?.["owed"] ?? 0),
  }));
};

export const findPayout = async (
  db: D1Database,
  programId: ProgramId,
  payoutId: PayoutId,
): Promise<PayoutView | undefined> => {
  const row = await db
    .prepare("SELECT * FROM payouts WHERE program_id = ?1 AND id = ?2")
    .bind(programId, payoutId)
    .first<Row>();
  return row === null ? undefined : (await viewsOf(db, programId, [payoutOf(row)]))[0];
};

export const readPayouts = async (
  db: D1Database,
  programId: ProgramId,
  ids: readonly PayoutId[],
): Promise<readonly Payout[]> => {
  if (ids.length === 0) return [];
  const sql =
    "SELECT * FROM payouts WHERE program_id = ?1 AND id IN (SELECT value FROM json_each(?2)) ORDER BY id";
  return (await db.prepare(sql).bind(programId, JSON.stringify(ids)).all<Row>()).results.map(payoutOf);
};

export interface PayoutFilters {
  readonly status?: readonly PayoutStatus[] | undefined;
  readonly affiliateId?: AffiliateId | undefined;
  readonly currency?: string | undefined;
  /** Epoch milliseconds, inclusive after, exclusive before. */
  readonly createdAfter?: number | undefined;
  readonly createdBefore?: number | undefined;
  readonly paidAfter?: number | undefined;
  readonly paidBefore?: number | undefined;
  readonly externalRef?: string | undefined;
  readonly externalId?: string | undefined;
  readonly runId?: string | undefined;
  readonly sessionId?: string | undefined;
  readonly stalled?: boolean | undefined;
}

interface Page {
  readonly limit: number;
  readonly order: "asc" | "desc";
  readonly after: string | undefined;
}

/** Filters become one WHERE clause; each value is bound, and a filter that is not given is not in it. */
const STALLED = "stalled_at IS NOT NULL AND status = 'processing'";

export const payoutFilters = (filters: PayoutFilters): readonly Filter[] => [
  among("status", filters.status),
  [(at) => `affiliate_id = ${at}`, filters.affiliateId],
  [(at) => `currency = ${at}`, filters.currency],
  [(at) => `created_at >= ${at}`, filters.createdAfter],
  [(at) => `created_at < ${at}`, filters.createdBefore],
  [(at) => `paid_at >= ${at}`, filters.paidAfter],
  [(at) => `paid_at < ${at}`, filters.paidBefore],
  [(at) => `external_ref = ${at}`, filters.externalRef],
  [(at) => `external_id = ${at}`, filters.externalId],
  [(at) => `run_id = ${at}`, filters.runId],
  [(at) => `session_id = ${at}`, filters.sessionId],
  [(at) => `(${STALLED}) = ${at}`, filters.stalled === undefined ? undefined : Number(filters.stalled)],
];

/** One more than the limit is read, to know whether there is more. Two round trips. */
export const listPayouts = async (
  db: D1Database,
  programId: ProgramId,
  filters: PayoutFilters,
  page: PageWindow,
): Promise<{ views: readonly PayoutView[]; hasMore: boolean }> => {
  const rows = (await selectPage(db, "payouts", programId, payoutFilters(filters), page).all<Row>()).results;
  return {
    views: await viewsOf(db, programId, rows.slice(0, page.limit).map(payoutOf)),
    hasMore: rows.length > page.limit,
  };
};

export interface PayoutLine {
  readonly commission: Row;
  /** Minor units as claimed. */
  readonly claimed: number;
}

/** The commissions of a payout as it claimed them, also after it gave them back. */
export const listPayoutLines = async (
  db: D1Database,
  programId: ProgramId,
  payoutId: PayoutId,
  page: Page,
): Promise<{ lines: readonly PayoutLine[]; hasMore: boolean }> => {
  const sql = `SELECT c.*, l.amount AS claimed FROM payout_lines l JOIN commissions c ON c.program_id = ?1 AND c.id = l.commission_id
    WHERE l.payout_id = ?2 AND l.commission_id ${page.order === "asc" ? ">" : "<"} ?3 ORDER BY l.commission_id ${page.order} LIMIT ${page.limit + 1}`;
  const rows = (
    await db
      .prepare(sql)
      .bind(programId, payoutId, page.after ?? (page.order === "asc" ? "" : "~"))
      .all<Row>()
  ).results;
  return {
    lines: rows.slice(0, page.limit).map((row) => ({ commission: row, claimed: numberIn(row, "claimed") })),
    hasMore: rows.length > page.limit,
  };
};

const DUE_IDS = `SELECT id, affiliate_id, currency FROM (
    SELECT id, affiliate_id, currency, row_number() OVER (PARTITION BY affiliate_id, currency ORDER BY id) AS n FROM commissions
    WHERE program_id = ?1 AND affiliate_id IN (SELECT value FROM json_each(?2)) AND status = 'approved' AND status IN ('pending', 'approved', 'held')
      AND payable_at <= ?3 AND occurred_at >= ?4 AND occurred_at < ?5
  ) WHERE n <= ${COMMISSION_IDS_MAX}`;

/** Which commissions a preview's payouts would claim, by affiliate and currency joined by a space. */
export const listDueIds = async (
  db: D1Database,
  query: {
    readonly programId: ProgramId;
    readonly asOf: number;
    readonly from: number;
    readonly until: number;
  },
  affiliateIds: readonly AffiliateId[],
): Promise<ReadonlyMap<string, readonly CommissionId[]>> => {
  const rows = (
    await db
      .prepare(DUE_IDS)
      .bind(query.programId, JSON.stringify(affiliateIds), query.asOf, query.from, query.until)
      .all<Row>()
  ).results;
  const ids = new Map<string, CommissionId[]>();
  for (const row of rows) {
    const key = `${String(row["affiliate_id"])} ${String(row["currency"])}`;
    const of = ids.get(key) ?? [];
    of.push(row["id"] as CommissionId);
    ids.set(key, of);
  }
  return ids;
};

/** The affiliates of payouts, for what stands in a payout's way. */
export const readAffiliatesOf = async (
  db: D1Database,
  programId: ProgramId,
  affiliateIds: readonly AffiliateId[],
): Promise<ReadonlyMap<AffiliateId, Affiliate>> => {
  const sql = "SELECT * FROM affiliates WHERE program_id = ?1 AND id IN (SELECT value FROM json_each(?2))";
  const rows = (
    await db
      .prepare(sql)
      .bind(programId, JSON.stringify([...new Set(affiliateIds)]))
      .all<Row>()
  ).results;
  return new Map(rows.map((row) => [row["id"] as AffiliateId, affiliateOf(row)]));
};
