// Stored answers: who works on a key, and what was answered. A key that stands for a turn or a run stands there, not here.
import type { ProgramId } from "../domain/ids.ts";
import { numberIn, type Row } from "./rows.ts";

/** Requests with the root key have no program. */
export type KeyOwner = ProgramId | "root";

export interface KeyPlace {
  readonly owner: KeyOwner;
  /** `k:` and what the client sent. */
  readonly key: string;
}

/** A key as one request took it up: one that was thought dead must not speak for the next. */
export interface HeldKey extends KeyPlace {
  readonly startedAt: number;
}

export interface KeptAnswer {
  readonly status: number;
  readonly contentType: string;
  /** Sealed: some answers hold a secret that is shown once. */
  readonly sealed: string;
}

export type Claim =
  /** This request works on it; `firstAt` is when the key was first used, epoch milliseconds. */
  | { readonly kind: "ours"; readonly firstAt: number; readonly startedAt: number }
  | { readonly kind: "running" }
  | { readonly kind: "other_request" }
  | { readonly kind: "answered"; readonly answer: KeptAnswer };

/** Whoever took a key up this long ago, in milliseconds, is gone. */
export const ABANDONED_MS = 60_000;

const CLAIM = `INSERT INTO idempotency_keys (program_id, key, request_sha, state, status, content_type, sealed, first_at, started_at, expires_at)
  SELECT ?1, ?2, ?3, 'started', NULL, NULL, NULL, ?4, ?4, ?5
  WHERE NOT EXISTS (SELECT 1 FROM turns WHERE program_id = ?1 AND command_id = ?2)
    AND NOT EXISTS (SELECT 1 FROM payout_runs WHERE program_id = ?1 AND command_id = ?2)
  ON CONFLICT (program_id, key) DO UPDATE SET started_at = excluded.started_at
    WHERE state = 'started' AND started_at <= ?4 - ${ABANDONED_MS} AND request_sha = excluded.request_sha`;

const READ = "SELECT * FROM idempotency_keys WHERE program_id = ?1 AND key = ?2";

const claimOf = (row: Row | undefined, wasWritten: boolean, requestSha: string): Claim => {
  // Nothing was written and nothing stands here: the key is a turn's or a run's.
  if (row === undefined || row["request_sha"] !== requestSha) return { kind: "other_request" };
  if (wasWritten)
    return { kind: "ours", firstAt: numberIn(row, "first_at"), startedAt: numberIn(row, "started_at") };
  if (row["state"] === "started") return { kind: "running" };
  const contentType = String(row["content_type"]);
  return {
    kind: "answered",
    answer: { status: numberIn(row, "status"), contentType, sealed: String(row["sealed"]) },
  };
};

/** One round trip. */
export const claimKey = async (
  db: D1Database,
  place: KeyPlace,
  requestSha: string,
  now: number,
  expiresAt: number,
): Promise<Claim> => {
  const { owner, key } = place;
  const [written, read] = await db.batch<Row>([
    db.prepare(CLAIM).bind(owner, key, requestSha, now, expiresAt),
    db.prepare(READ).bind(owner, key),
  ]);
  return claimOf(read?.results[0], (written?.meta.changes ?? 0) > 0, requestSha);
};

export const keepAnswer = async (db: D1Database, place: KeyPlace, answer: KeptAnswer): Promise<void> => {
  const sql =
    "UPDATE idempotency_keys SET state = 'done', status = ?3, content_type = ?4, sealed = ?5 WHERE program_id = ?1 AND key = ?2";
  const { status, contentType, sealed } = answer;
  await db.prepare(sql).bind(place.owner, place.key, status, contentType, sealed).run();
};

/** A refusal is not stored: the same key decides anew. */
export const forgetKey = async (db: D1Database, { owner, key, startedAt }: HeldKey): Promise<void> => {
  const sql =
    "DELETE FROM idempotency_keys WHERE program_id = ?1 AND key = ?2 AND started_at = ?3 AND state = 'started'";
  await db.prepare(sql).bind(owner, key, startedAt).run();
};

/** After a fault nobody knows how far the request came: the next one with the key goes on with the same ids, at once. */
export const releaseKey = async (db: D1Database, { owner, key, startedAt }: HeldKey): Promise<void> => {
  const sql =
    "UPDATE idempotency_keys SET started_at = 0 WHERE program_id = ?1 AND key = ?2 AND started_at = ?3 AND state = 'started'";
  await db.prepare(sql).bind(owner, key, startedAt).run();
};

/** Ends what is older than its time, a bounded page at once; answers how many went. */
export const expireKeys = async (db: D1Database, now: number, limit: number): Promise<number> => {
  const sql = `DELETE FROM idempotency_keys WHERE (program_id, key) IN
    (SELECT program_id, key FROM idempotency_keys WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)`;
  return (await db.prepare(sql).bind(now, limit).run()).meta.changes;
};
