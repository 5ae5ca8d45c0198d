// What a run made: its payouts, who was skipped and why, and the sums of both.
import type { AffiliateId } from "../domain/ids.ts";
import type { Payout } from "../domain/payout.ts";
import type { Blocker, Reason } from "../domain/plan.ts";
import { numberIn, payoutOf, type Row } from "./rows.ts";
import type { Run } from "./runs.ts";

export interface SkipRow {
  readonly affiliateId: AffiliateId;
  readonly currency: string;
  readonly reason: Reason;
  readonly blockers: readonly Blocker[];
}

export interface RunOutcome {
  readonly payouts: readonly Payout[];
  readonly skipped: readonly SkipRow[];
  readonly skippedCount: Readonly<Record<string, number>>;
  readonly totals: readonly { readonly currency: string; readonly amount: number; readonly count: number }[];
  /** Affiliates and currencies: those who are through, and while the run goes on those who wait. */
  readonly planned: number;
  /** Of its payouts, those whose payment failed and was not tried again. */
  readonly failed: number;
}

const skipOf = (row: Row): SkipRow => ({
  affiliateId: row["affiliate_id"] as AffiliateId,
  currency: String(row["currency"]),
  reason: row["reason"] as Reason,
  blockers: JSON.parse(String(row["blockers"] ?? "[]")) as Blocker[],
});

const COUNTS =
  "SELECT reason, count(*) AS n FROM run_items WHERE run_id = ?1 AND reason IS NOT NULL GROUP BY reason";
/** From the journal: what the run claimed, whatever became of its payouts since. */
const TOTALS = `SELECT i.currency, sum(e.amount) AS amount, count(*) AS n FROM run_items i
  JOIN turns t ON t.program_id = ?2 AND t.command_id = 's:gen:' || i.run_id || ':' || i.affiliate_id || ':' || i.currency
  JOIN entries e ON e.affiliate_id = t.affiliate_id AND e.seq = t.seq AND e.kind = 'claim' AND e.currency = i.currency
  WHERE i.run_id = ?1 AND i.payout_id IS NOT NULL GROUP BY i.currency ORDER BY i.currency`;

const FAILED = "SELECT count(*) AS n FROM payouts WHERE run_id = ?1 AND status = 'failed'";

/** Who is still to come, by the place that the run has reached. */
const waitingStatement = (db: D1Database, run: Run): D1PreparedStatement => {
  if (run.status === "done") return db.prepare("SELECT 0 AS n");
  if (run.planId !== null)
    return db
      .prepare(
        "SELECT coalesce(sum(json_array_length(items)), 0) AS n FROM payout_plan_parts WHERE program_id = ?1 AND plan_id = ?2 AND part >= ?3",
      )
      .bind(run.programId, run.planId, Number(run.cursor));
  const sql = `SELECT count(*) AS n FROM (SELECT DISTINCT affiliate_id, currency FROM commissions
    WHERE program_id = ?1 AND status IN ('pending', 'approved', 'held') AND affiliate_id > ?2
      AND (?3 IS NULL OR currency = ?3) AND (?4 IS NULL OR affiliate_id IN (SELECT value FROM json_each(?4))))`;
  const ids = run.affiliateIds === null ? null : JSON.stringify(run.affiliateIds);
  return db.prepare(sql).bind(run.programId, run.cursor, run.currency, ids);
};

/** Counts and totals of all, lists of the first `limit`; totals are as generated. One round trip. */
export const readRunOutcome = async (db: D1Database, run: Run, limit: number): Promise<RunOutcome> => {
  const [payouts, skipped, counts, totals, failed, waiting] = await db.batch<Row>([
    db
      .prepare("SELECT * FROM payouts WHERE run_id = ?1 ORDER BY affiliate_id, currency LIMIT ?2")
      .bind(run.id, limit),
    db
      .prepare(
        "SELECT * FROM run_items WHERE run_id = ?1 AND reason IS NOT NULL ORDER BY affiliate_id, currency LIMIT ?2",
      )
      .bind(run.id, limit),
    db.prepare(COUNTS).bind(run.id),
    db.prepare(TOTALS).bind(run.id, run.programId),
    db.prepare(FAILED).bind(run.id),
    waitingStatement(db, run),
  ]);
  const sumOf = (rows: readonly Row[] | undefined): number =>
    (rows ?? []).reduce((sum, row) => sum + numberIn(row, "n"), 0);
  return {
    payouts: (payouts?.results ?? []).map(payoutOf),
    skipped: (skipped?.results ?? []).map(skipOf),
    skippedCount: Object.fromEntries(
      (counts?.results ?? []).map((row) => [row["reason"], numberIn(row, "n")]),
    ),
    totals: (totals?.results ?? []).map((row) => ({
      currency: String(row["currency"]),
      amount: numberIn(row, "amount"),
      count: numberIn(row, "n"),
    })),
    planned: sumOf(counts?.results) + sumOf(totals?.results) + sumOf(waiting?.results),
    failed: sumOf(failed?.results),
  };
};

/** A run's skips in order, one more than the limit, behind `after` (affiliate and currency, joined by a space). */
export const listSkips = async (
  db: D1Database,
  run: Run,
  page: { readonly limit: number; readonly order: "asc" | "desc"; readonly after: string | undefined },
): Promise<readonly SkipRow[]> => {
  const place = "affiliate_id || ' ' || currency";
  const sql = `SELECT * FROM run_items WHERE run_id = ?1 AND reason IS NOT NULL AND ${place} ${page.order === "asc" ? ">" : "<"} ?2
    ORDER BY ${place} ${page.order} LIMIT ?3`;
  const after = page.after ?? (page.order === "asc" ? "" : "~");
  return (
    await db
      .prepare(sql)
      .bind(run.id, after, page.limit + 1)
      .all<Row>()
  ).results.map(skipOf);
};

export const listRuns = async (
  db: D1Database,
  programId: string,
  after: string | undefined,
  order: "asc" | "desc",
  limit: number,
): Promise<readonly Row[]> => {
  const sql = `SELECT * FROM payout_runs WHERE program_id = ?1 AND id ${order === "asc" ? ">" : "<"} ?2 ORDER BY id ${order} LIMIT ?3`;
  return (
    await db
      .prepare(sql)
      .bind(programId, after ?? (order === "asc" ? "" : "~"), limit)
      .all<Row>()
  ).results;
};
