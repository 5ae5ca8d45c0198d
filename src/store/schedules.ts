// Schedules that fall due: which programs have a run to make, and the rows of their runs, each period once.
import type { ProgramId, RunId } from "../domain/ids.ts";
import type { Policy } from "../domain/policy.ts";
import type { DueRun } from "../domain/schedule.ts";
import { numberIn, type Row } from "./rows.ts";

/** A program has one schedule, whatever it says: no period is made again because it changed. */
const SCHEDULE = "payout_schedule";

/** Whom scheduled runs and their payouts name. */
export const SCHEDULE_ACTOR = { type: "schedule", id: SCHEDULE } as const;

export interface ScheduledProgram {
  readonly programId: ProgramId;
  readonly policy: Pick<Policy, "payout_schedule" | "time_zone">;
  readonly policyVersion: number;
  /** When the first run that is not made yet starts, by the program's own clock; epoch milliseconds. */
  readonly nextRunAt: number;
  /** How far the program's clock is ahead, milliseconds. */
  readonly clockOffset: number;
}

const COLUMNS = "id, policy, policy_version, next_run_at, clock_offset";

const programOf = (row: Row): ScheduledProgram => ({
  programId: row["id"] as ProgramId,
  policy: JSON.parse(String(row["policy"])) as Policy,
  policyVersion: numberIn(row, "policy_version"),
  nextRunAt: numberIn(row, "next_run_at"),
  clockOffset: numberIn(row, "clock_offset"),
});

/** Those with a run to make, longest waiting first, behind the last of the page before. `now` is real time. */
export const listDuePrograms = async (
  db: D1Database,
  now: number,
  after: ScheduledProgram | undefined,
  limit: number,
): Promise<readonly ScheduledProgram[]> => {
  const sql = `SELECT ${COLUMNS} FROM programs WHERE next_run_at IS NOT NULL AND next_run_at - clock_offset <= ?1
    AND (next_run_at - clock_offset, id) > (?2, ?3) ORDER BY next_run_at - clock_offset, id LIMIT ?4`;
  const waitsSince = after === undefined ? Number.MIN_SAFE_INTEGER : after.nextRunAt - after.clockOffset;
  const bound = db.prepare(sql).bind(now, waitsSince, after?.programId ?? "", limit);
  return (await bound.all<Row>()).results.map(programOf);
};

/** undefined where the program makes its payouts by hand only. */
export const findScheduled = async (
  db: D1Database,
  programId: ProgramId,
): Promise<ScheduledProgram | undefined> => {
  const sql = `SELECT ${COLUMNS} FROM programs WHERE id = ?1 AND next_run_at IS NOT NULL`;
  const row = await db.prepare(sql).bind(programId).first<Row>();
  return row === null ? undefined : programOf(row);
};

/** Nothing of it where the program's schedule moved on since it was read; a period that has its run gets no second one. */
const INSERT = `INSERT INTO payout_runs (program_id, id, kind, status, as_of, period_start, period_end, currency, affiliate_ids, cursor, command_id, request_sha,
  schedule, time_zone, actor_type, actor_id, touched_at, finished_at, created_at)
  SELECT ?1, value ->> 0, 'scheduled', 'running', value ->> 1, NULL, value ->> 2, NULL, NULL, '', NULL, '', ?5, ?6, ?7, ?8, ?9, NULL, ?9 FROM json_each(?4)
  WHERE EXISTS (SELECT 1 FROM programs WHERE id = ?1 AND policy_version = ?2 AND next_run_at = ?3)
  ON CONFLICT (program_id, schedule, period_end) WHERE schedule IS NOT NULL DO NOTHING`;

const MOVE_ON =
  "UPDATE programs SET next_run_at = ?4 WHERE id = ?1 AND policy_version = ?2 AND next_run_at = ?3";

/** Makes the runs and moves the schedule on behind them, both or none; answers those of the runs that are new. One round trip. */
export const insertScheduledRuns = async (
  db: D1Database,
  program: ScheduledProgram,
  runs: readonly (DueRun & { readonly id: RunId })[],
  nextRunAt: number | null,
  at: number,
): Promise<readonly RunId[]> => {
  const place = [program.programId, program.policyVersion, program.nextRunAt] as const;
  const rows = JSON.stringify(runs.map((run) => [run.id, run.startsAt, run.periodEnd]));
  const { type, id } = SCHEDULE_ACTOR;
  const [, , made] = await db.batch<Row>([
    db.prepare(INSERT).bind(...place, rows, SCHEDULE, program.policy.time_zone, type, id, at),
    db.prepare(MOVE_ON).bind(...place, nextRunAt),
    db
      .prepare(
        "SELECT id FROM payout_runs WHERE program_id = ?1 AND id IN (SELECT value FROM json_each(?2)) ORDER BY period_end",
      )
      .bind(program.programId, JSON.stringify(runs.map((run) => run.id))),
  ]);
  return (made?.results ?? []).map((row) => row["id"] as RunId);
};
