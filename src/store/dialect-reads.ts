// Reads for vendors that count pages: a page by number and how many there are in all, in one round trip.
import type { Affiliate } from "../domain/affiliate.ts";
import type { Commission } from "../domain/commission.ts";
import type { EventType } from "../domain/events.ts";
import type { CommissionId, ProgramId } from "../domain/ids.ts";
import type { Payout } from "../domain/payout.ts";
import { type CommissionFilters, commissionFilters } from "./commissions.ts";
import { eventOf, type StoredEvent } from "./events.ts";
import { among, clauseOf, type Filter } from "./filters.ts";
import { type PayoutFilters, payoutFilters } from "./payouts.ts";
import { affiliateOf, commissionOf, numberIn, payoutOf, type Row } from "./rows.ts";

/** The `page`th page, from 1, of `size` rows. */
export interface NumberedPage {
  readonly page: number;
  readonly size: number;
}

export interface Numbered<Item> {
  readonly items: readonly Item[];
  readonly total: number;
}

/** Rows of a program's table, whole; `order` is SQL of this room's own. */
export const selectNumbered = async (
  db: D1Database,
  table: "affiliates" | "commissions" | "payouts" | "events",
  programId: ProgramId,
  filters: readonly Filter[],
  order: string,
  { page, size }: NumberedPage,
): Promise<Numbered<Row>> => {
  const { sql, values } = clauseOf(programId, filters);
  // A page beyond the last is empty, however far beyond: the number stays a safe one.
  const offset = Math.min((page - 1) * size, Number.MAX_SAFE_INTEGER);
  const [rows, counts] = await db.batch<Row>([
    db
      .prepare(`SELECT * FROM ${table} WHERE ${sql} ORDER BY ${order} LIMIT ${size} OFFSET ${offset}`)
      .bind(...values),
    db.prepare(`SELECT count(*) AS n FROM ${table} WHERE ${sql}`).bind(...values),
  ]);
  const [count] = counts?.results ?? [];
  return { items: rows?.results ?? [], total: count === undefined ? 0 : numberIn(count, "n") };
};

export const PAYOUT_SORTS = ["created_at", "updated_at", "amount", "paid_at"] as const;
export type PayoutSort = (typeof PAYOUT_SORTS)[number];

export interface NumberedPayout {
  readonly payout: Payout;
  readonly invoiceNumber: number | null;
}

export const numberedPayoutOf = (row: Row): NumberedPayout => ({
  payout: payoutOf(row),
  invoiceNumber: row["invoice_number"] as number | null,
});

/** Payouts that stand alike in the sort are in the order of their making. */
export const pagePayouts = async (
  db: D1Database,
  programId: ProgramId,
  filters: PayoutFilters,
  by: { readonly sort: PayoutSort; readonly order: "asc" | "desc" },
  window: NumberedPage,
): Promise<Numbered<NumberedPayout>> => {
  const order = `${by.sort} ${by.order}, id ${by.order}`;
  const { items, total } = await selectNumbered(
    db,
    "payouts",
    programId,
    payoutFilters(filters),
    order,
    window,
  );
  return { items: items.map(numberedPayoutOf), total };
};

export const findNumbered = async (
  db: D1Database,
  programId: ProgramId,
  payoutId: string,
): Promise<NumberedPayout | undefined> => {
  const sql = "SELECT * FROM payouts WHERE program_id = ?1 AND id = ?2";
  const row = await db.prepare(sql).bind(programId, payoutId).first<Row>();
  return row === null ? undefined : numberedPayoutOf(row);
};

/** Other currencies in which something is payable in a period; instants in epoch milliseconds, `until` exclusive. */
const WAITING = `SELECT DISTINCT currency FROM commissions
  WHERE program_id = ?1 AND status = 'approved' AND status IN ('pending', 'approved', 'held') AND currency <> ?2
    AND payable_at <= ?3 AND occurred_at >= ?4 AND occurred_at < ?5 ORDER BY currency`;

export const listWaitingCurrencies = async (
  db: D1Database,
  programId: ProgramId,
  except: string,
  period: { readonly asOf: number; readonly from: number; readonly until: number },
): Promise<readonly string[]> => {
  const { asOf, from, until } = period;
  const { results } = await db.prepare(WAITING).bind(programId, except, asOf, from, until).all<Row>();
  return results.map((row) => String(row["currency"]));
};

/** Among name, e-mail and the caller's own id, letters of either case. */
const SEARCHED = ["name", "email", "coalesce(external_id, '')"];

const containing = (search: string | undefined): Filter => [
  (at) => `(${SEARCHED.map((column) => `instr(lower(${column}), ${at}) > 0`).join(" OR ")})`,
  search?.toLowerCase(),
];

export const pageAffiliates = async (
  db: D1Database,
  programId: ProgramId,
  filters: { readonly status: readonly string[] | undefined; readonly search: string | undefined },
  window: NumberedPage,
): Promise<Numbered<Affiliate>> => {
  const where = [among("status", filters.status), containing(filters.search)];
  const { items, total } = await selectNumbered(db, "affiliates", programId, where, "id desc", window);
  return { items: items.map(affiliateOf), total };
};

export const pageCommissions = async (
  db: D1Database,
  programId: ProgramId,
  filters: CommissionFilters,
  window: NumberedPage,
): Promise<Numbered<Commission>> => {
  const where = commissionFilters(filters);
  const { items, total } = await selectNumbered(db, "commissions", programId, where, "id desc", window);
  return { items: items.map(commissionOf), total };
};

/** In no order; what is not there is left out. */
export const readCommissions = async (
  db: D1Database,
  programId: ProgramId,
  ids: readonly CommissionId[],
): Promise<readonly Commission[]> => {
  const sql = "SELECT * FROM commissions WHERE program_id = ?1 AND id IN (SELECT value FROM json_each(?2))";
  const { results } = await db.prepare(sql).bind(programId, JSON.stringify(ids)).all<Row>();
  return results.map(commissionOf);
};

export interface EventFilters {
  readonly types: readonly EventType[];
  /** Events of money in other currencies are left out. */
  readonly currency: string;
  /** Epoch milliseconds, inclusive after, exclusive before. */
  readonly after: number | undefined;
  readonly before: number | undefined;
}

export const pageEvents = async (
  db: D1Database,
  programId: ProgramId,
  { types, currency, after, before }: EventFilters,
  window: NumberedPage,
): Promise<Numbered<StoredEvent>> => {
  const where: readonly Filter[] = [
    among("type", types),
    [(at) => `coalesce(data ->> '$.currency', ${at}) = ${at}`, currency],
    [(at) => `at >= ${at}`, after],
    [(at) => `at < ${at}`, before],
  ];
  const { items, total } = await selectNumbered(db, "events", programId, where, "position desc", window);
  return { items: items.map((row) => eventOf(programId, row)), total };
};
