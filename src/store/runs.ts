// Runs: their rows, and which of them is to be taken on.
import type { AffiliateId, ProgramId, RunId } from "../domain/ids.ts";
import { numberIn, type Row } from "./rows.ts";

export type PlanId = `plan_${string}`;

export interface Run {
  readonly programId: ProgramId;
  readonly id: RunId;
  readonly kind: "asked" | "scheduled";
  readonly status: "running" | "done";
  /** Epoch milliseconds: payable at this instant. */
  readonly asOf: number;
  readonly periodStart: string | null;
  readonly periodEnd: string;
  readonly currency: string | null;
  readonly affiliateIds: readonly AffiliateId[] | null;
  /** The zone that the period's days are of. */
  readonly timeZone: string;
  /** The plan that it makes, and nothing else. */
  readonly planId: PlanId | null;
  /** The last affiliate that is through; of a plan, how many of its parts are. */
  readonly cursor: string;
  readonly requestSha: string;
  readonly actorType: string;
  readonly actorId: string;
  readonly finishedAt: number | null;
  readonly createdAt: number;
}

export const runOf = (row: Row): Run => ({
  programId: row["program_id"] as ProgramId,
  id: row["id"] as RunId,
  kind: row["kind"] as Run["kind"],
  status: row["status"] as Run["status"],
  asOf: numberIn(row, "as_of"),
  periodStart: row["period_start"] as string | null,
  periodEnd: String(row["period_end"]),
  currency: row["currency"] as string | null,
  affiliateIds:
    row["affiliate_ids"] == null ? null : (JSON.parse(String(row["affiliate_ids"])) as AffiliateId[]),
  timeZone: String(row["time_zone"]),
  planId: row["plan_id"] as PlanId | null,
  cursor: String(row["cursor"]),
  requestSha: String(row["request_sha"]),
  actorType: String(row["actor_type"]),
  actorId: String(row["actor_id"]),
  finishedAt: row["finished_at"] as number | null,
  createdAt: numberIn(row, "created_at"),
});

const INSERT = `INSERT INTO payout_runs (program_id, id, kind, status, as_of, period_start, period_end, currency, affiliate_ids, cursor, command_id, request_sha,
  schedule, time_zone, plan_id, actor_type, actor_id, touched_at, finished_at, created_at)
  SELECT ?1, ?2, ?3, 'running', ?4, ?5, ?6, ?7, ?8, '', ?9, ?10, NULL, ?14, ?15, ?11, ?12, ?13, NULL, ?13
  WHERE NOT EXISTS (SELECT 1 FROM turns WHERE program_id = ?1 AND command_id = ?9)
    AND NOT EXISTS (SELECT 1 FROM idempotency_keys WHERE program_id = ?1 AND key = ?9)
    AND (?15 IS NULL OR EXISTS (SELECT 1 FROM payout_plans WHERE program_id = ?1 AND id = ?15 AND run_id IS NULL))
  ON CONFLICT (program_id, command_id) WHERE command_id IS NOT NULL DO NOTHING`;

/** A plan is used by the run that got through. */
const USE_PLAN = `UPDATE payout_plans SET run_id = ?3 WHERE program_id = ?1 AND id = ?2 AND run_id IS NULL
  AND EXISTS (SELECT 1 FROM payout_runs WHERE program_id = ?1 AND id = ?3)`;

/** The run, made now or found under the same command; undefined where the command is a turn's or the plan is used. One round trip. */
export const insertRun = async (
  db: D1Database,
  run: Run,
  commandId: string | undefined,
): Promise<{ run: Run; found: boolean } | undefined> => {
  const [, , read] = await db.batch<Row>([
    db
      .prepare(INSERT)
      .bind(
        run.programId,
        run.id,
        run.kind,
        run.asOf,
        run.periodStart,
        run.periodEnd,
        run.currency,
        run.affiliateIds === null ? null : JSON.stringify(run.affiliateIds),
        commandId ?? null,
        run.requestSha,
        run.actorType,
        run.actorId,
        run.createdAt,
        run.timeZone,
        run.planId,
      ),
    db.prepare(USE_PLAN).bind(run.programId, run.planId, run.id),
    db
      .prepare("SELECT * FROM payout_runs WHERE program_id = ?1 AND (id = ?2 OR command_id = ?3)")
      .bind(run.programId, run.id, commandId ?? null),
  ]);
  const row = read?.results[0];
  return row === undefined ? undefined : { run: runOf(row), found: row["id"] !== run.id };
};

export const findRun = async (
  db: D1Database,
  programId: ProgramId,
  runId: RunId,
): Promise<Run | undefined> => {
  const row = await db
    .prepare("SELECT * FROM payout_runs WHERE program_id = ?1 AND id = ?2")
    .bind(programId, runId)
    .first<Row>();
  return row === null ? undefined : runOf(row);
};

/** The run with that command, which may be one's own whose answer was lost. */
export const findRunOfCommand = async (
  db: D1Database,
  programId: ProgramId,
  commandId: string,
): Promise<Run | undefined> => {
  const sql = "SELECT * FROM payout_runs WHERE program_id = ?1 AND command_id = ?2";
  const row = await db.prepare(sql).bind(programId, commandId).first<Row>();
  return row === null ? undefined : runOf(row);
};

/** A scheduled run waits for the earlier ones of its program: what they leave over is in it. The plus keeps the planner on the few runs that run. */
const EARLIER = `SELECT 1 FROM payout_runs e WHERE +e.program_id = r.program_id AND e.status = 'running' AND e.kind = 'scheduled'
  AND r.kind = 'scheduled' AND (e.as_of, e.id) < (r.as_of, r.id)`;

export const findRunInTurn = async (
  db: D1Database,
  programId: ProgramId,
  runId: RunId,
): Promise<{ readonly run: Run; readonly waits: boolean } | undefined> => {
  const sql = `SELECT r.*, EXISTS (${EARLIER}) AS waits FROM payout_runs r WHERE r.program_id = ?1 AND r.id = ?2`;
  const row = await db.prepare(sql).bind(programId, runId).first<Row>();
  return row === null ? undefined : { run: runOf(row), waits: row["waits"] === 1 };
};

/** The program's scheduled run whose turn it is. */
export const findNextScheduled = async (db: D1Database, programId: ProgramId): Promise<RunId | undefined> => {
  const sql = `SELECT id FROM payout_runs WHERE +program_id = ?1 AND status = 'running' AND kind = 'scheduled'
    ORDER BY as_of, id LIMIT 1`;
  return (await db.prepare(sql).bind(programId).first<{ id: RunId }>())?.id;
};

/** Those that nobody took on since, and that need not wait for another. */
export const listIdleRuns = async (
  db: D1Database,
  idleSince: number,
  limit: number,
): Promise<readonly Run[]> => {
  const sql = `SELECT * FROM payout_runs r WHERE r.status = 'running'
    AND r.touched_at <= ?1 + (SELECT clock_offset FROM programs p WHERE p.id = r.program_id) AND NOT EXISTS (${EARLIER}) LIMIT ?2`;
  return (await db.prepare(sql).bind(idleSince, limit).all<Row>()).results.map(runOf);
};
