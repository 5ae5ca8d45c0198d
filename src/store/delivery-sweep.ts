// What a sweep asks of deliveries: who waits for something that nobody does, and what is old enough to go.
import type { ProgramId } from "../domain/ids.ts";
import { type ReadyEndpoint, readyOf } from "./deliveries.ts";
import type { Row } from "./rows.ts";

const BEHIND = `SELECT DISTINCT w.program_id FROM webhook_endpoints w
  WHERE w.active = 1 AND w.program_id > ?1
    AND w.position < (SELECT coalesce(max(position), 0) FROM events WHERE program_id = w.program_id)
  ORDER BY w.program_id LIMIT ?2`;

/** Programs behind `after` with events that are not deliveries yet. */
export const listBehind = async (
  db: D1Database,
  after: string,
  limit: number,
): Promise<readonly ProgramId[]> => {
  const { results } = await db.prepare(BEHIND).bind(after, limit).all<Row>();
  return results.map((row) => row["program_id"] as ProgramId);
};

const WAITING = `SELECT w.program_id, w.id, w.brisk FROM webhook_endpoints w
  WHERE w.active = 1 AND (w.program_id, w.id) > (?2, ?3)
    AND (w.lease_until IS NULL OR w.lease_until <= ?1) AND (w.not_before IS NULL OR w.not_before <= ?1)
    AND EXISTS (SELECT 1 FROM deliveries d WHERE d.endpoint_id = w.id AND d.next_attempt_at <= ?1)
  ORDER BY w.program_id, w.id LIMIT ?4`;

/** Endpoints behind `after` to which something is due, and nobody is at it. `now` in epoch milliseconds. */
export const listWaiting = async (
  db: D1Database,
  now: number,
  after: ReadyEndpoint | undefined,
  limit: number,
): Promise<readonly ReadyEndpoint[]> => {
  const bound = db.prepare(WAITING).bind(now, after?.programId ?? "", after?.endpointId ?? "", limit);
  return (await bound.all<Row>()).results.map((row) => readyOf(row["program_id"] as ProgramId, row));
};

const EXPIRE = `DELETE FROM deliveries WHERE (endpoint_id, position) IN
  (SELECT endpoint_id, position FROM deliveries WHERE created_at < ?1 ORDER BY created_at LIMIT ?2)`;

/** One look-up per endpoint that has deliveries, not one per delivery. */
const ORPHANS = `DELETE FROM deliveries WHERE (endpoint_id, position) IN
  (SELECT d.endpoint_id, d.position FROM deliveries d WHERE d.endpoint_id = (
    WITH RECURSIVE s(id) AS (
      SELECT min(endpoint_id) FROM deliveries
      UNION ALL SELECT (SELECT min(endpoint_id) FROM deliveries WHERE endpoint_id > s.id) FROM s WHERE s.id IS NOT NULL)
    SELECT s.id FROM s WHERE s.id IS NOT NULL AND s.id NOT IN (SELECT id FROM webhook_endpoints) LIMIT 1)
  LIMIT ?1)`;

/** A bounded page of what is older than `before`, and of what belongs to endpoints that are gone; answers how many went. One round trip. */
export const deleteDeliveries = async (db: D1Database, before: number, limit: number): Promise<number> => {
  const gone = await db.batch([db.prepare(EXPIRE).bind(before, limit), db.prepare(ORPHANS).bind(limit)]);
  return gone.reduce((sum, { meta }) => Math.max(sum, meta.changes), 0);
};
