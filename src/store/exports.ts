// Reads for exports: payouts and commissions with whom they are for, page by page in the order of their ids.
import type { Commission } from "../domain/commission.ts";
import type { ProgramId } from "../domain/ids.ts";
import type { Payout } from "../domain/payout.ts";
import { type CommissionFilters, commissionFilters } from "./commissions.ts";
import { clauseOf, type Filter } from "./filters.ts";
import { type PayoutFilters, payoutFilters } from "./payouts.ts";
import { commissionOf, payoutOf, type Row } from "./rows.ts";

/** Whom a row is for. */
export interface Payee {
  readonly externalId: string | null;
  readonly name: string;
  readonly email: string;
}

export interface ExportPage {
  readonly after: string | undefined;
  readonly limit: number;
}

const PAYEE = "a.external_id AS a_external_id, a.name AS a_name, a.email AS a_email";

const payeeOf = (row: Row): Payee => ({
  externalId: row["a_external_id"] as string | null,
  name: String(row["a_name"]),
  email: String(row["a_email"]),
});

const select = async (
  db: D1Database,
  table: "payouts" | "commissions",
  programId: ProgramId,
  filters: readonly Filter[],
  page: ExportPage,
): Promise<readonly Row[]> => {
  const beyond: Filter = [(at) => `id > ${at}`, page.after];
  const { sql, values } = clauseOf(programId, [...filters, beyond]);
  // The page is cut before anything is joined to it.
  const text = `SELECT t.*, ${PAYEE} FROM (SELECT * FROM ${table} WHERE ${sql} ORDER BY id LIMIT ${page.limit}) t
    JOIN affiliates a ON a.program_id = t.program_id AND a.id = t.affiliate_id ORDER BY t.id`;
  return (
    await db
      .prepare(text)
      .bind(...values)
      .all<Row>()
  ).results;
};

export interface ExportedPayout {
  readonly payout: Payout;
  readonly payee: Payee;
  readonly invoiceNumber: number | null;
  readonly creditNoteNumber: number | null;
}

export const exportPayouts = async (
  db: D1Database,
  programId: ProgramId,
  filters: PayoutFilters,
  page: ExportPage,
): Promise<readonly ExportedPayout[]> =>
  (await select(db, "payouts", programId, payoutFilters(filters), page)).map((row) => ({
    payout: payoutOf(row),
    payee: payeeOf(row),
    invoiceNumber: row["invoice_number"] as number | null,
    creditNoteNumber: row["credit_note_number"] as number | null,
  }));

export const exportCommissions = async (
  db: D1Database,
  programId: ProgramId,
  filters: CommissionFilters,
  page: ExportPage,
): Promise<readonly { readonly commission: Commission; readonly payee: Payee }[]> =>
  (await select(db, "commissions", programId, commissionFilters(filters), page)).map((row) => ({
    commission: commissionOf(row),
    payee: payeeOf(row),
  }));
