// Reads for vendors that count pages: a page by number and how many there are in all, in one round trip.
import type { ProgramId } from "../domain/ids.ts";
import type { Payout } from "../domain/payout.ts";
import { clauseOf, type Filter } from "./filters.ts";
import { type PayoutFilters, payoutFilters } from "./payouts.ts";
import { numberIn, payoutOf, type Row } from "./rows.ts";

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
