// A run ends once, and says so once.
import type { Run } from "./runs.ts";

export const finishRunStatements = (
  db: D1Database,
  run: Run,
  livemode: boolean,
  now: number,
): D1PreparedStatement[] => [
  db
    .prepare(
      "UPDATE payout_runs SET status = 'done', finished_at = ?3, touched_at = ?3 WHERE program_id = ?1 AND id = ?2 AND status = 'running'",
    )
    .bind(run.programId, run.id, now),
  db
    .prepare(`INSERT INTO events (program_id, position, type, at, livemode, affiliate_id, sequence, actor_type, actor_id, data)
    SELECT ?1, (SELECT coalesce(max(position), 0) FROM events WHERE program_id = ?1) + 1, 'run.completed', ?3, ?4, NULL, NULL, ?5, ?6,
      json_object('object', 'run', 'id', ?2, 'run_id', ?2, 'status', 'done', 'previous_status', 'running') WHERE changes() = 1`)
    .bind(run.programId, run.id, now, livemode ? 1 : 0, run.actorType, run.actorId),
];
