// Deliveries: made of events behind each endpoint's position, taken page by page under a lease, and kept for a while.
import type { ProgramId } from "../domain/ids.ts";
import type { DeliveryError, Outcome } from "../domain/webhooks/answer.ts";
import type { DeliveryState, EndpointId } from "../domain/webhooks/endpoint.ts";
import type { Health } from "../domain/webhooks/health.ts";
import { eventOf, type StoredEvent } from "./events.ts";
import { numberIn, type Row } from "./rows.ts";
import { chunksOf } from "./statements.ts";
import { endpointOf, positionBefore, type StoredEndpoint } from "./webhook-endpoints.ts";

/** Instants are epoch milliseconds. */
export interface Delivery {
  readonly endpointId: EndpointId;
  readonly position: number;
  readonly eventType: string | null;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly nextAttemptAt: number | null;
  readonly status: number | null;
  readonly latencyMs: number | null;
  readonly error: DeliveryError | null;
  readonly excerpt: string | null;
  /** When it was made or asked for again; its age counts from here. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

const deliveryOf = (row: Row): Delivery => ({
  endpointId: row["endpoint_id"] as EndpointId,
  position: numberIn(row, "position"),
  eventType: row["event_type"] as string | null,
  state: row["state"] as DeliveryState,
  attempts: numberIn(row, "attempts"),
  nextAttemptAt: row["next_attempt_at"] as number | null,
  status: row["status"] as number | null,
  latencyMs: row["latency_ms"] as number | null,
  error: row["error"] as DeliveryError | null,
  excerpt: row["excerpt"] as string | null,
  createdAt: numberIn(row, "created_at"),
  updatedAt: numberIn(row, "updated_at"),
});

export interface ReadyEndpoint {
  readonly programId: ProgramId;
  readonly endpointId: EndpointId;
  readonly isBrisk: boolean;
}

export const readyOf = (programId: ProgramId, row: Row): ReadyEndpoint => ({
  programId,
  endpointId: row["id"] as EndpointId,
  isBrisk: row["brisk"] === 1,
});

const IS_FREE =
  "(w.lease_until IS NULL OR w.lease_until <= ?2) AND (w.not_before IS NULL OR w.not_before <= ?2)";
const HAS_DUE = `EXISTS (SELECT 1 FROM deliveries d WHERE d.endpoint_id = w.id AND d.next_attempt_at <= ?2)`;

/** A delivery that is there already was recovered: it starts a new round, unless it got through. */
const FAN_OUT = `INSERT INTO deliveries (program_id, endpoint_id, position, state, attempts, tries, next_attempt_at, created_at, updated_at)
  SELECT w.program_id, w.id, e.position, 'due', 0, 0, ?2, ?2, ?2
  FROM webhook_endpoints w CROSS JOIN events e
  WHERE w.program_id = ?1 AND w.active = 1
    AND e.program_id = w.program_id AND e.position > w.position AND e.position <= w.position + ?3
    AND (w.events = '["*"]' OR e.type IN (SELECT value FROM json_each(w.events)))
  ON CONFLICT (endpoint_id, position) DO UPDATE SET state = 'due', tries = 0, created_at = excluded.created_at, updated_at = excluded.updated_at,
    next_attempt_at = min(coalesce(deliveries.next_attempt_at, excluded.next_attempt_at), excluded.next_attempt_at)
    WHERE deliveries.state <> 'delivered'`;

const HEAD = "(SELECT coalesce(max(position), 0) FROM events WHERE program_id = ?1)";

const ADVANCE = `UPDATE webhook_endpoints SET position = min(position + ?2, ${HEAD})
  WHERE program_id = ?1 AND active = 1 AND position < ${HEAD}`;

const STANDING = `SELECT w.id, w.brisk, w.position < ${HEAD} AS behind, ${IS_FREE} AND ${HAS_DUE} AS ready
  FROM webhook_endpoints w WHERE w.program_id = ?1 AND w.active = 1`;

/**
 * The next `limit` events behind each active endpoint become its deliveries and its position moves on, in one transaction: none is left out, none
 * made twice. Answers who has something to be sent now, and whether anybody is still behind. One round trip.
 */
export const fanOut = async (
  db: D1Database,
  programId: ProgramId,
  now: number,
  limit: number,
): Promise<{ readonly isBehind: boolean; readonly ready: readonly ReadyEndpoint[] }> => {
  const [, , standing] = await db.batch<Row>([
    db.prepare(FAN_OUT).bind(programId, now, limit),
    db.prepare(ADVANCE).bind(programId, limit),
    db.prepare(STANDING).bind(programId, now),
  ]);
  const rows = standing?.results ?? [];
  return {
    isBehind: rows.some((row) => row["behind"] === 1),
    ready: rows.filter((row) => row["ready"] === 1).map((row) => readyOf(programId, row)),
  };
};

export interface DueDelivery {
  readonly event: StoredEvent;
  readonly attempts: number;
  readonly tries: number;
}

export interface LeasedPage {
  readonly endpoint: StoredEndpoint;
  readonly mode: "test" | "live";
  readonly due: readonly DueDelivery[];
}

export interface LeaseRequest {
  readonly programId: ProgramId;
  readonly endpointId: EndpointId;
  /** Names this holder. */
  readonly lease: string;
  readonly now: number;
  readonly until: number;
  readonly limit: number;
}

const LEASE = `UPDATE webhook_endpoints AS w SET lease = ?4, lease_until = ?5
  WHERE w.program_id = ?1 AND w.id = ?3 AND w.active = 1 AND ${IS_FREE} AND ${HAS_DUE}`;

const LEASED = `SELECT w.*, (SELECT mode FROM programs WHERE id = ?1) AS mode FROM webhook_endpoints w
  WHERE w.program_id = ?1 AND w.id = ?2 AND w.lease = ?3`;

const DUE = `SELECT position, attempts, tries FROM deliveries
  WHERE endpoint_id = ?1 AND next_attempt_at <= ?2 ORDER BY next_attempt_at, position LIMIT ?3`;

const DUE_EVENTS = `SELECT * FROM events WHERE program_id = ?4 AND position IN (
    SELECT position FROM deliveries WHERE endpoint_id = ?1 AND next_attempt_at <= ?2
    ORDER BY next_attempt_at, position LIMIT ?3)`;

/** Takes the endpoint and what is due to it; undefined where somebody else has it, or nothing is due. One round trip. */
export const leasePage = async (db: D1Database, request: LeaseRequest): Promise<LeasedPage | undefined> => {
  const { programId, endpointId, lease, now, until, limit } = request;
  const [, leased, due, events] = await db.batch<Row>([
    db.prepare(LEASE).bind(programId, now, endpointId, lease, until),
    db.prepare(LEASED).bind(programId, endpointId, lease),
    db.prepare(DUE).bind(endpointId, now, limit),
    db.prepare(DUE_EVENTS).bind(endpointId, now, limit, programId),
  ]);
  const row = leased?.results[0];
  if (row === undefined) return undefined;
  const byPosition = new Map((events?.results ?? []).map((event) => [event["position"], event]));
  return {
    endpoint: endpointOf(row),
    mode: row["mode"] === "live" ? "live" : "test",
    due: (due?.results ?? []).flatMap((delivery) => {
      const event = byPosition.get(delivery["position"] ?? null);
      if (event === undefined) return [];
      const [attempts, tries] = [numberIn(delivery, "attempts"), numberIn(delivery, "tries")];
      return [{ event: eventOf(programId, event), attempts, tries }];
    }),
  };
};

/** What became of one attempt. */
export interface Attempted {
  readonly due: DueDelivery;
  readonly outcome: Outcome;
  /** Epoch milliseconds; null where it was delivered, or was the last try. */
  readonly nextAttemptAt: number | null;
}

const stateOf = ({ outcome, nextAttemptAt }: Attempted): DeliveryState =>
  outcome.error === null ? "delivered" : nextAttemptAt === null ? "exhausted" : "due";

/** The endpoint comes out of the rows: as a constant it would make the planner walk all of its deliveries for each of them. */
const RESULTS = `UPDATE deliveries SET state = j.state, attempts = j.attempts + 1, tries = j.tries + 1, next_attempt_at = j.next, status = j.status,
    latency_ms = j.latency, error = j.error, excerpt = j.excerpt, updated_at = j.now
  FROM (SELECT value ->> 0 AS endpoint, value ->> 1 AS position, value ->> 2 AS attempts, value ->> 3 AS tries, value ->> 4 AS state, value ->> 5 AS next,
    value ->> 6 AS status, value ->> 7 AS latency, value ->> 8 AS error, value ->> 9 AS excerpt, value ->> 10 AS now FROM json_each(?1)) j
  WHERE deliveries.endpoint_id = j.endpoint AND deliveries.position = j.position AND deliveries.state = 'due' AND deliveries.attempts = j.attempts`;

/** What was learnt of an address is not put down to another that came in its place meanwhile. */
const RELEASE = `UPDATE webhook_endpoints SET lease = NULL, lease_until = NULL,
    failing_since = iif(url = ?4, ?5, failing_since), last_failed_at = iif(url = ?4, ?6, last_failed_at), not_before = iif(url = ?4, ?7, not_before),
    brisk = iif(url = ?4, ?8, brisk)
  WHERE program_id = ?1 AND id = ?2 AND lease = ?3`;

const NEXT = `SELECT min(d.next_attempt_at) AS next FROM deliveries d WHERE d.endpoint_id = ?1 AND d.next_attempt_at IS NOT NULL`;

export interface FinishedPage {
  readonly endpoint: StoredEndpoint;
  readonly lease: string;
  readonly attempted: readonly Attempted[];
  readonly health: Health;
  readonly isBrisk: boolean;
  /** Nobody calls it before; null where it asked for nothing. */
  readonly notBefore: number | null;
  readonly now: number;
}

/**
 * Writes what became of a page and gives the endpoint back; answers when its next delivery is due. In one transaction with the release, so that what
 * was made due meanwhile is either seen here or finds the endpoint free. One round trip.
 */
export const finishPage = async (db: D1Database, page: FinishedPage): Promise<number | null> => {
  const { endpoint, lease, attempted, health, isBrisk, notBefore, now } = page;
  const rows = attempted.map((one) => {
    const { due, outcome, nextAttemptAt } = one;
    const { status, latencyMs, error, excerpt } = outcome;
    const before = [endpoint.id, due.event.position, due.attempts, due.tries];
    return [...before, stateOf(one), nextAttemptAt, status, latencyMs, error, excerpt, now];
  });
  const { failingSince, lastFailedAt } = health;
  const place = [endpoint.programId, endpoint.id, lease, endpoint.url];
  const results = await db.batch<Row>([
    ...chunksOf(rows).map(({ json }) => db.prepare(RESULTS).bind(json)),
    db.prepare(RELEASE).bind(...place, failingSince, lastFailedAt, notBefore, isBrisk ? 1 : 0),
    db.prepare(NEXT).bind(endpoint.id),
  ]);
  return (results.at(-1)?.results[0]?.["next"] as number | null | undefined) ?? null;
};

const WITH_TYPE =
  "SELECT d.*, (SELECT type FROM events WHERE program_id = d.program_id AND position = d.position) AS event_type FROM deliveries d";

export const listDeliveries = async (
  db: D1Database,
  endpointId: EndpointId,
  page: {
    readonly limit: number;
    readonly order: "asc" | "desc";
    readonly after: string | undefined;
    readonly states: readonly DeliveryState[] | undefined;
  },
): Promise<{ deliveries: readonly Delivery[]; hasMore: boolean }> => {
  const [beyond, start] = page.order === "asc" ? [">", 0] : ["<", Number.MAX_SAFE_INTEGER];
  const sql = `${WITH_TYPE} WHERE d.endpoint_id = ?1 AND d.position ${beyond} ?2
      AND (?3 IS NULL OR d.state IN (SELECT value FROM json_each(?3)))
    ORDER BY d.position ${page.order} LIMIT ?4`;
  const states = page.states === undefined ? null : JSON.stringify(page.states);
  const after = page.after === undefined ? start : Number(page.after);
  const bound = db.prepare(sql).bind(endpointId, after, states, page.limit + 1);
  const { results } = await bound.all<Row>();
  return { deliveries: results.slice(0, page.limit).map(deliveryOf), hasMore: results.length > page.limit };
};

const AGAIN = `INSERT INTO deliveries (program_id, endpoint_id, position, state, attempts, tries, next_attempt_at, created_at, updated_at)
  SELECT w.program_id, w.id, ?2, 'due', 0, 0, ?3, ?3, ?3 FROM webhook_endpoints w
  WHERE w.program_id = ?1 AND w.active = 1
    AND iif(?4 IS NULL, w.events = '["*"]' OR ?5 IN (SELECT value FROM json_each(w.events)), w.id = ?4)
  ON CONFLICT (endpoint_id, position) DO UPDATE SET state = 'due', tries = 0, next_attempt_at = excluded.next_attempt_at,
    created_at = excluded.created_at, updated_at = excluded.updated_at`;

const MADE_DUE = `${WITH_TYPE} WHERE d.position = ?2 AND d.endpoint_id IN (SELECT w.id FROM webhook_endpoints w
    WHERE w.program_id = ?1 AND w.active = 1
      AND iif(?3 IS NULL, w.events = '["*"]' OR ?4 IN (SELECT value FROM json_each(w.events)), w.id = ?3))
  ORDER BY d.endpoint_id`;

/** One event once more, delivered or not: to the endpoint that is named, or to all active ones that subscribe to it. One round trip. */
export const makeDueAgain = async (
  db: D1Database,
  event: StoredEvent & { readonly programId: ProgramId },
  endpointId: EndpointId | null,
  now: number,
): Promise<readonly Delivery[]> => {
  const { programId, position, type } = event;
  const [, made] = await db.batch<Row>([
    db.prepare(AGAIN).bind(programId, position, now, endpointId, type),
    db.prepare(MADE_DUE).bind(programId, position, endpointId, type),
  ]);
  return (made?.results ?? []).map(deliveryOf);
};

const REWIND = `UPDATE webhook_endpoints SET position = max(created_position, min(position, ${positionBefore("?3")})), not_before = NULL
  WHERE program_id = ?1 AND id = ?2 AND active = 1 RETURNING position`;

/** Sets an endpoint's position back to what happened before an instant; answers the position, or undefined where the endpoint is off. */
export const rewindEndpoint = async (
  db: D1Database,
  programId: ProgramId,
  endpointId: EndpointId,
  since: number,
): Promise<number | undefined> => {
  const row = await db.prepare(REWIND).bind(programId, endpointId, since).first<Row>();
  return row === null ? undefined : numberIn(row, "position");
};

const HURRY = `UPDATE deliveries SET next_attempt_at = ?2 WHERE next_attempt_at > ?2
  AND endpoint_id IN (SELECT id FROM webhook_endpoints WHERE program_id = ?1)`;

/** Whatever a program's endpoints still wait for is due now. */
export const hurryDue = async (db: D1Database, programId: ProgramId, now: number): Promise<void> => {
  const patience = "UPDATE webhook_endpoints SET not_before = NULL WHERE program_id = ?1";
  await db.batch([db.prepare(HURRY).bind(programId, now), db.prepare(patience).bind(programId)]);
};
