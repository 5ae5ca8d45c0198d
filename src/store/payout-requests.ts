// What an affiliate has asked for: how often in a currency, and the request that nobody has answered yet.
import type { AffiliateId, PayoutId, ProgramId } from "../domain/ids.ts";
import type { Currency } from "../domain/money.ts";
import { numberIn, type Row } from "./rows.ts";

export interface Requests {
  /** Ever, whatever became of them. */
  readonly count: number;
  readonly open: PayoutId | null;
}

/** Left to itself the planner walks the program's payouts. */
const REQUESTS = `SELECT count(*) AS n, max(iif(status = 'requested', id, NULL)) AS open FROM payouts INDEXED BY payouts_affiliate
  WHERE program_id = ?1 AND affiliate_id = ?2 AND currency = ?3 AND history ->> '$[0].to' = 'requested'`;

export const readRequests = async (
  db: D1Database,
  programId: ProgramId,
  affiliateId: AffiliateId,
  currency: Currency,
): Promise<Requests> => {
  const row = await db.prepare(REQUESTS).bind(programId, affiliateId, currency).first<Row>();
  if (row === null) throw new Error("requests could not be counted");
  return { count: numberIn(row, "n"), open: row["open"] as PayoutId | null };
};
