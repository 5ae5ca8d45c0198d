// Webhook endpoints: their rows, what changes them, and the secrets that stand in them sealed.
import type { ProgramId } from "../domain/ids.ts";
import {
  type DisabledReason,
  ENDPOINTS_MAX,
  type Endpoint,
  type EndpointId,
  type Subscription,
} from "../domain/webhooks/endpoint.ts";
import { type Announcement, commitAnnounced } from "./events.ts";
import { numberIn, type Row } from "./rows.ts";
import { sealedPlace } from "./sealed.ts";

export interface StoredEndpoint extends Endpoint {
  readonly sealedSecret: string;
  readonly sealedPrevious: string | null;
}

/** Where a sealed secret stands: moved to another row or column it does not open. */
export const secretPlace = (
  { programId, id }: Pick<Endpoint, "programId" | "id">,
  column: "sealed_secret" | "sealed_previous",
): string => sealedPlace(programId, "webhook_endpoints", id, column);

const numberOrNull = (row: Row, column: string): number | null =>
  row[column] == null ? null : numberIn(row, column);

export const endpointOf = (row: Row): StoredEndpoint => ({
  programId: row["program_id"] as ProgramId,
  id: row["id"] as EndpointId,
  url: String(row["url"]),
  events: JSON.parse(String(row["events"])) as Subscription[],
  description: row["description"] as string | null,
  isActive: row["active"] === 1,
  previousUntil: numberOrNull(row, "previous_until"),
  ratePerS: numberIn(row, "rate_per_s"),
  failingSince: numberOrNull(row, "failing_since"),
  lastFailedAt: numberOrNull(row, "last_failed_at"),
  disabledAt: numberOrNull(row, "disabled_at"),
  disabledReason: row["disabled_reason"] as DisabledReason | null,
  createdAt: numberIn(row, "created_at"),
  updatedAt: numberIn(row, "updated_at"),
  sealedSecret: String(row["sealed_secret"]),
  sealedPrevious: row["sealed_previous"] as string | null,
});

/** What happened before it came into being is not its: it starts at the head of the feed. */
const INSERT = `INSERT INTO webhook_endpoints (program_id, id, url, events, description, active, sealed_secret, rate_per_s,
    position, created_position, brisk, created_at, updated_at)
  SELECT ?1, ?2, ?3, ?4, ?5, 1, ?6, ?7, h.head, h.head, 0, ?8, ?8
  FROM (SELECT coalesce(max(position), 0) AS head FROM events WHERE program_id = ?1) h
  WHERE (SELECT count(*) FROM webhook_endpoints WHERE program_id = ?1) < ${ENDPOINTS_MAX}
  ON CONFLICT DO NOTHING`;

export type Inserted =
  | { readonly kind: "there"; readonly endpoint: StoredEndpoint }
  | { readonly kind: "url_taken"; readonly by: EndpointId }
  | { readonly kind: "too_many" };

/** The row itself also where an earlier run of the same request made it. One round trip. */
export const insertEndpoint = async (
  db: D1Database,
  endpoint: Pick<
    StoredEndpoint,
    "programId" | "id" | "url" | "events" | "description" | "sealedSecret" | "ratePerS" | "createdAt"
  >,
): Promise<Inserted> => {
  const { programId, id, url, events, description, sealedSecret, ratePerS, createdAt } = endpoint;
  const [, read] = await db.batch<Row>([
    db
      .prepare(INSERT)
      .bind(programId, id, url, JSON.stringify(events), description, sealedSecret, ratePerS, createdAt),
    db
      .prepare("SELECT * FROM webhook_endpoints WHERE program_id = ?1 AND (id = ?2 OR url = ?3)")
      .bind(programId, id, url),
  ]);
  const rows = (read?.results ?? []).map(endpointOf);
  const own = rows.find((row) => row.id === id);
  if (own !== undefined) return { kind: "there", endpoint: own };
  return rows[0] === undefined ? { kind: "too_many" } : { kind: "url_taken", by: rows[0].id };
};

export const findEndpoint = async (
  db: D1Database,
  programId: ProgramId,
  id: EndpointId,
): Promise<StoredEndpoint | undefined> => {
  const sql = "SELECT * FROM webhook_endpoints WHERE program_id = ?1 AND id = ?2";
  const row = await db.prepare(sql).bind(programId, id).first<Row>();
  return row === null ? undefined : endpointOf(row);
};

export const listEndpoints = async (
  db: D1Database,
  programId: ProgramId,
  page: { readonly limit: number; readonly order: "asc" | "desc"; readonly after: string | undefined },
): Promise<{ endpoints: readonly StoredEndpoint[]; hasMore: boolean }> => {
  const [beyond, start] = page.order === "asc" ? [">", ""] : ["<", "~"];
  const sql = `SELECT * FROM webhook_endpoints WHERE program_id = ?1 AND id ${beyond} ?2 ORDER BY id ${page.order} LIMIT ?3`;
  const bound = db.prepare(sql).bind(programId, page.after ?? start, page.limit + 1);
  const { results } = await bound.all<Row>();
  return { endpoints: results.slice(0, page.limit).map(endpointOf), hasMore: results.length > page.limit };
};

/** Fields that are not there stay as they are. */
export interface EndpointPatch {
  readonly url?: string | undefined;
  readonly events?: readonly Subscription[] | undefined;
  readonly description?: string | null | undefined;
  readonly ratePerS?: number | undefined;
}

/** Another address starts afresh: failures, patience and pace were the old one's. */
const FRESH = "failing_since = NULL, last_failed_at = NULL, not_before = NULL, brisk = 0";

const patchStatement = (
  db: D1Database,
  { programId, id }: Endpoint,
  patch: EndpointPatch,
  now: number,
): D1PreparedStatement[] => {
  const { url, events, description, ratePerS } = patch;
  const given = (
    [
      ["url", url],
      ["events", events === undefined ? undefined : JSON.stringify(events)],
      ["description", description],
      ["rate_per_s", ratePerS],
    ] as const
  ).flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]));
  if (given.length === 0) return [];
  const sets = [...given.map(({ name }, i) => `${name} = ?${i + 4}`), ...(url === undefined ? [] : [FRESH])];
  const sql = `UPDATE webhook_endpoints SET ${sets.join(", ")}, updated_at = ?3 WHERE program_id = ?1 AND id = ?2`;
  return [db.prepare(sql).bind(programId, id, now, ...given.map(({ value }) => value))];
};

/**
 * The last position of what happened before an instant, by halving: events are in the order of their commits, which is nearly that of time.
 * `?1` is the program.
 */
export const positionBefore = (instant: string): string => {
  const isBefore = `coalesce((SELECT at FROM events WHERE program_id = ?1 AND position = (s.low + s.high + 1) / 2), 0) < ${instant}`;
  return `(WITH RECURSIVE s(low, high) AS (
      SELECT 0, coalesce((SELECT max(position) FROM events WHERE program_id = ?1), 0)
      UNION ALL
      SELECT iif(${isBefore}, (s.low + s.high + 1) / 2, s.low), iif(${isBefore}, s.high, (s.low + s.high + 1) / 2 - 1)
      FROM s WHERE s.low < s.high)
    SELECT low FROM s WHERE low = high)`;
};

/** It goes on where it stopped, but never further back than `oldest`, epoch milliseconds. */
const ENABLE = `UPDATE webhook_endpoints SET active = 1, disabled_at = NULL, disabled_reason = NULL, ${FRESH},
    position = max(position, ${positionBefore("?4")}), updated_at = ?3
  WHERE program_id = ?1 AND id = ?2 AND active = 0`;

/** False where another endpoint has the address. */
export const updateEndpoint = async (
  db: D1Database,
  endpoint: Endpoint,
  patch: EndpointPatch & { readonly enabledFrom?: number | undefined },
  now: number,
): Promise<boolean> => {
  const statements = patchStatement(db, endpoint, patch, now);
  if (patch.enabledFrom !== undefined)
    statements.push(db.prepare(ENABLE).bind(endpoint.programId, endpoint.id, now, patch.enabledFrom));
  return statements.length === 0 || withoutTaken(db.batch(statements).then(() => true));
};

const DISABLE = `UPDATE webhook_endpoints SET active = 0, disabled_at = ?3, disabled_reason = ?4, updated_at = ?3
  WHERE program_id = ?1 AND id = ?2 AND active = 1 AND url = ?5`;

/** False where it was switched off already, or stands for another address by now. */
export const disableEndpoint = (
  db: D1Database,
  { programId, id, url }: Endpoint,
  reason: DisabledReason,
  now: number,
  news: Announcement,
): Promise<boolean> => commitAnnounced(db, db.prepare(DISABLE).bind(programId, id, now, reason, url), news);

const withoutTaken = async (work: Promise<boolean>): Promise<boolean> => {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Error && error.message.includes("webhook_endpoints.url")) return false;
    throw error;
  }
};

/** False where the secret is no longer the one that was read. */
export const replaceSecret = async (
  db: D1Database,
  before: StoredEndpoint,
  after: Pick<StoredEndpoint, "sealedSecret" | "sealedPrevious" | "previousUntil">,
  now: number,
): Promise<boolean> => {
  const sql = `UPDATE webhook_endpoints SET sealed_secret = ?4, sealed_previous = ?5, previous_until = ?6, updated_at = ?7
    WHERE program_id = ?1 AND id = ?2 AND sealed_secret = ?3`;
  const { sealedSecret, sealedPrevious, previousUntil } = after;
  const bound = db
    .prepare(sql)
    .bind(before.programId, before.id, before.sealedSecret, sealedSecret, sealedPrevious, previousUntil, now);
  return (await bound.run()).meta.changes === 1;
};

/** Its deliveries go with the next sweep. */
export const deleteEndpoint = async (
  db: D1Database,
  programId: ProgramId,
  id: EndpointId,
): Promise<boolean> => {
  const sql = "DELETE FROM webhook_endpoints WHERE program_id = ?1 AND id = ?2";
  return (await db.prepare(sql).bind(programId, id).run()).meta.changes === 1;
};
