// Reads of the journal: entries in the order of their books, of one affiliate or of a whole program.
import type { AffiliateId, CommissionId, PayoutId, ProgramId } from "../domain/ids.ts";
import type { Entry } from "../domain/ledger/book.ts";
import { numberIn, type Row } from "./rows.ts";

/** An entry with its place: the turn's number in the affiliate's book, and its line in the turn. */
export interface PlacedEntry extends Entry {
  readonly affiliateId: AffiliateId;
  readonly seq: number;
  readonly line: number;
  /** Epoch milliseconds of the turn. */
  readonly at: number;
}

export interface EntryPlace {
  readonly affiliateId: string;
  readonly seq: number;
  readonly line: number;
}

export interface EntryFilters {
  readonly affiliateId?: AffiliateId | undefined;
  readonly payoutId?: PayoutId | undefined;
  /** Epoch milliseconds of the turn, inclusive after, exclusive before. */
  readonly after?: number | undefined;
  readonly before?: number | undefined;
}

const entryOf = (row: Row): PlacedEntry => ({
  affiliateId: row["affiliate_id"] as AffiliateId,
  seq: numberIn(row, "seq"),
  line: numberIn(row, "line"),
  at: numberIn(row, "at"),
  kind: row["kind"] as Entry["kind"],
  currency: String(row["currency"]),
  from: row["from_account"] as Entry["from"],
  to: row["to_account"] as Entry["to"],
  amount: numberIn(row, "amount"),
  commissionId: row["commission_id"] as CommissionId | null,
  payoutId: row["payout_id"] as PayoutId | null,
  note: row["note"] as string | null,
});

/** The affiliates drive the loop, in the order of their ids, so that a page is read and no more. */
const selectOf = (
  order: "asc" | "desc",
  filters: EntryFilters,
): { sql: string; values: (string | number)[] } => {
  const beyond = order === "asc" ? ">" : "<";
  const values: (string | number)[] = [];
  const place = (value: string | number): string => `?${5 + values.push(value)}`;
  const owner = filters.affiliateId === undefined ? "" : `AND a.id = ${place(filters.affiliateId)}`;
  const of = filters.payoutId === undefined ? undefined : place(filters.payoutId);
  const payout =
    of === undefined
      ? ""
      : `AND e.payout_id = ${of} AND a.id = (SELECT affiliate_id FROM payouts WHERE program_id = ?1 AND id = ${of})`;
  const since = filters.after === undefined ? "" : `AND t.at >= ${place(filters.after)}`;
  const until = filters.before === undefined ? "" : `AND t.at < ${place(filters.before)}`;
  const sql = `SELECT e.*, t.at AS at FROM affiliates a CROSS JOIN entries e ON e.affiliate_id = a.id
      CROSS JOIN turns t ON t.affiliate_id = e.affiliate_id AND t.seq = e.seq
    WHERE a.program_id = ?1 AND a.id ${beyond}= ?2 AND (e.affiliate_id, e.seq, e.line) ${beyond} (?2, ?3, ?4) ${owner} ${payout} ${since} ${until}
    ORDER BY a.id ${order}, e.seq ${order}, e.line ${order} LIMIT ?5`;
  return { sql, values };
};

const FIRST: EntryPlace = { affiliateId: "", seq: 0, line: -1 };
const LAST: EntryPlace = { affiliateId: "~", seq: Number.MAX_SAFE_INTEGER, line: Number.MAX_SAFE_INTEGER };

export const listEntries = async (
  db: D1Database,
  programId: ProgramId,
  filters: EntryFilters,
  page: { readonly limit: number; readonly order: "asc" | "desc"; readonly after: EntryPlace | undefined },
): Promise<{ entries: readonly PlacedEntry[]; hasMore: boolean }> => {
  const from = page.after ?? (page.order === "asc" ? FIRST : LAST);
  const { sql, values } = selectOf(page.order, filters);
  const place = [from.affiliateId, from.seq, from.line];
  const bound = db.prepare(sql).bind(programId, ...place, page.limit + 1, ...values);
  const { results } = await bound.all<Row>();
  return { entries: results.slice(0, page.limit).map(entryOf), hasMore: results.length > page.limit };
};
