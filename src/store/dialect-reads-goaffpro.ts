// Reads for GoAffPro: payments in the order in which they were made, which is that of their invoice numbers.
import type { ProgramId } from "../domain/ids.ts";
import { type NumberedPayout, numberedPayoutOf } from "./dialect-reads.ts";
import { clauseOf, type Filter } from "./filters.ts";
import type { Row } from "./rows.ts";

/** A payment by its number, or by the id of its payout. */
export type PaymentRef = number | string;

export interface PaymentFilters {
  /** Those behind it; behind a payout that is not paid, or not there, is nothing. */
  readonly since: PaymentRef | undefined;
  readonly refs: readonly PaymentRef[] | undefined;
  /** Epoch milliseconds, inclusive. */
  readonly paidAfter: number | undefined;
}

const sinceFilter = (since: PaymentRef | undefined): Filter =>
  typeof since === "string"
    ? [
        (at) =>
          `invoice_number > (SELECT invoice_number FROM payouts s WHERE s.program_id = ?1 AND s.id = ${at})`,
        since,
      ]
    : [(at) => `invoice_number > ${at}`, since];

const filtersOf = ({ since, refs, paidAfter }: PaymentFilters): readonly Filter[] => [
  sinceFilter(since),
  [
    (at) =>
      `(invoice_number IN (SELECT value FROM json_each(${at})) OR id IN (SELECT value FROM json_each(${at})))`,
    refs === undefined ? undefined : JSON.stringify(refs),
  ],
  [(at) => `paid_at >= ${at}`, paidAfter],
];

/** A number is given in the turn that settles, so that nothing appears behind a reader. */
export const listPayments = async (
  db: D1Database,
  programId: ProgramId,
  filters: PaymentFilters,
  limit: number,
): Promise<readonly NumberedPayout[]> => {
  const { sql, values } = clauseOf(programId, filtersOf(filters));
  const text = `SELECT * FROM payouts WHERE ${sql} AND invoice_number IS NOT NULL AND status = 'paid'
    ORDER BY invoice_number LIMIT ${limit}`;
  const { results } = await db
    .prepare(text)
    .bind(...values)
    .all<Row>();
  return results.map(numberedPayoutOf);
};
