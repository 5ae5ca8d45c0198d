// A run's payouts that wait for something, page by page.
import type { PayoutId, ProgramId, RunId } from "../domain/ids.ts";
import type { Payout, PayoutStatus } from "../domain/payout.ts";
import { payoutOf, type Row } from "./rows.ts";

/** In order of id, behind `after`. */
export const listRunPayouts = async (
  db: D1Database,
  programId: ProgramId,
  runId: RunId,
  statuses: readonly PayoutStatus[],
  page: { readonly after: PayoutId | undefined; readonly limit: number },
): Promise<{ payouts: readonly Payout[]; hasMore: boolean }> => {
  // Left to itself the planner walks the program's payouts.
  const sql = `SELECT * FROM payouts INDEXED BY payouts_run WHERE run_id = ?1 AND program_id = ?2 AND status IN (SELECT value FROM json_each(?3)) AND id > ?4
    ORDER BY id LIMIT ?5`;
  const { results } = await db
    .prepare(sql)
    .bind(runId, programId, JSON.stringify(statuses), page.after ?? "", page.limit + 1)
    .all<Row>();
  return { payouts: results.slice(0, page.limit).map(payoutOf), hasMore: results.length > page.limit };
};
