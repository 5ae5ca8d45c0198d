// Reads of commissions: one, the one of an order, and lists.
import type { Commission, CommissionStatus } from "../domain/commission.ts";
import type { AffiliateId, PayoutId, ProgramId } from "../domain/ids.ts";
import type { CommissionRef } from "../domain/ledger/command.ts";
import type { Currency } from "../domain/money.ts";
import { among, type Filter, type PageWindow, selectPage } from "./filters.ts";
import { commissionOf, type Row } from "./rows.ts";

export const findCommission = async (
  db: D1Database,
  programId: ProgramId,
  ref: CommissionRef,
): Promise<Commission | undefined> => {
  const [column, value] = "id" in ref ? ["id", ref.id] : ["external_id", ref.externalId];
  const sql = `SELECT * FROM commissions WHERE program_id = ?1 AND ${column} = ?2`;
  const row = await db.prepare(sql).bind(programId, value).first<Row>();
  return row === null ? undefined : commissionOf(row);
};

export interface CommissionFilters {
  readonly status?: readonly CommissionStatus[] | undefined;
  readonly affiliateId?: AffiliateId | undefined;
  readonly currency?: Currency | undefined;
  readonly externalId?: string | undefined;
  readonly payoutId?: PayoutId | undefined;
  /** Epoch milliseconds, inclusive after, exclusive before. */
  readonly createdAfter?: number | undefined;
  readonly createdBefore?: number | undefined;
}

export const commissionFilters = (filters: CommissionFilters): readonly Filter[] => [
  among("status", filters.status),
  [(at) => `affiliate_id = ${at}`, filters.affiliateId],
  [(at) => `currency = ${at}`, filters.currency],
  [(at) => `external_id = ${at}`, filters.externalId],
  [(at) => `payout_id = ${at}`, filters.payoutId],
  [(at) => `created_at >= ${at}`, filters.createdAfter],
  [(at) => `created_at < ${at}`, filters.createdBefore],
];

export const listCommissions = async (
  db: D1Database,
  programId: ProgramId,
  filters: CommissionFilters,
  page: PageWindow,
): Promise<{ commissions: readonly Commission[]; hasMore: boolean }> => {
  const { results } = await selectPage(
    db,
    "commissions",
    programId,
    commissionFilters(filters),
    page,
  ).all<Row>();
  return {
    commissions: results.slice(0, page.limit).map(commissionOf),
    hasMore: results.length > page.limit,
  };
};
