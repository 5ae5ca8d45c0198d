// API keys: the row behind a key with its program, in one look-up, and what changes a key's life.
import { isScope, type Mode, type Scope } from "../domain/api-key.ts";
import type { KeyId, ProgramId } from "../domain/ids.ts";
import { type Announcement, commitAnnounced } from "./events.ts";
import { HAS_ENDPOINTS, programOf, type StoredProgram } from "./programs.ts";
import { numberIn, type Row } from "./rows.ts";

/** What may be shown of a key. Instants are epoch milliseconds. */
export interface StoredKey {
  readonly id: KeyId;
  readonly programId: ProgramId;
  readonly name: string;
  readonly prefix: string;
  readonly scopes: readonly Scope[];
  readonly dialect: string | null;
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
  readonly lastUsedAt: number | null;
  readonly createdAt: number;
}

/** A key as it is written: with the HMAC of its text. */
export interface NewKey extends StoredKey {
  readonly hash: string;
  readonly pepperVersion: string;
}

export interface KeyWithProgram extends NewKey {
  readonly mode: Mode;
  readonly program: StoredProgram;
}

const numberOrNull = (row: Row, column: string): number | null =>
  row[column] == null ? null : numberIn(row, column);

const keyOf = (row: Row): StoredKey => ({
  id: row["id"] as KeyId,
  programId: row["program_id"] as ProgramId,
  name: String(row["name"]),
  prefix: String(row["prefix"]),
  scopes: (JSON.parse(String(row["scopes"])) as string[]).filter(isScope),
  dialect: row["dialect"] as string | null,
  expiresAt: numberOrNull(row, "expires_at"),
  revokedAt: numberOrNull(row, "revoked_at"),
  lastUsedAt: numberOrNull(row, "last_used_at"),
  createdAt: numberIn(row, "created_at"),
});

/** The program's columns under names of their own: in one row two of a name would hide each other. */
const FIND = `SELECT k.*, p.id AS p_id, p.name AS p_name, p.mode AS p_mode, p.default_currency AS p_default_currency,
    p.policy AS p_policy, p.policy_version AS p_policy_version, p.clock_offset AS p_clock_offset, p.created_at AS p_created_at,
    ${HAS_ENDPOINTS} AS p_has_endpoints
  FROM api_keys k JOIN programs p ON p.id = k.program_id WHERE k.id = ?1`;

const PROGRAM_COLUMNS = [
  "id",
  "name",
  "mode",
  "default_currency",
  "policy",
  "policy_version",
  "clock_offset",
  "has_endpoints",
  "created_at",
];

/** One round trip; the caller proves the secret against `hash`. */
export const findKey = async (db: D1Database, id: KeyId): Promise<KeyWithProgram | undefined> => {
  const row = await db.prepare(FIND).bind(id).first<Row>();
  if (row === null) return undefined;
  const columns = PROGRAM_COLUMNS.map((name) => [name, row[`p_${name}`] ?? null]);
  const program = programOf(Object.fromEntries(columns) as Row);
  const secrets = { hash: String(row["hash"]), pepperVersion: String(row["pepper_version"]) };
  return { ...keyOf(row), ...secrets, mode: program.mode, program };
};

export const touchKey = async (db: D1Database, id: KeyId, at: number): Promise<void> => {
  const sql =
    "UPDATE api_keys SET last_used_at = ?2 WHERE id = ?1 AND (last_used_at IS NULL OR last_used_at < ?2)";
  await db.prepare(sql).bind(id, at).run();
};

export const findProgramKey = async (
  db: D1Database,
  programId: ProgramId,
  id: KeyId,
): Promise<StoredKey | undefined> => {
  const sql = "SELECT * FROM api_keys WHERE program_id = ?1 AND id = ?2";
  const row = await db.prepare(sql).bind(programId, id).first<Row>();
  return row === null ? undefined : keyOf(row);
};

export const listKeys = async (
  db: D1Database,
  programId: ProgramId,
  page: { readonly limit: number; readonly order: "asc" | "desc"; readonly after: string | undefined },
): Promise<{ keys: readonly StoredKey[]; hasMore: boolean }> => {
  const [beyond, start] = page.order === "asc" ? [">", ""] : ["<", "~"];
  const sql = `SELECT * FROM api_keys WHERE program_id = ?1 AND id ${beyond} ?2 ORDER BY id ${page.order} LIMIT ?3`;
  const bound = db.prepare(sql).bind(programId, page.after ?? start, page.limit + 1);
  const { results } = await bound.all<Row>();
  return { keys: results.slice(0, page.limit).map(keyOf), hasMore: results.length > page.limit };
};

const INSERT = `INSERT INTO api_keys (id, program_id, name, prefix, hash, pepper_version, scopes, dialect, expires_at, created_at)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)`;

export const keyInsert = (db: D1Database, key: NewKey): D1PreparedStatement =>
  db
    .prepare(INSERT)
    .bind(
      key.id,
      key.programId,
      key.name,
      key.prefix,
      key.hash,
      key.pepperVersion,
      JSON.stringify(key.scopes),
      key.dialect,
      key.expiresAt,
      key.createdAt,
    );

/** False where it was revoked already. */
export const revokeKey = (
  db: D1Database,
  programId: ProgramId,
  id: KeyId,
  news: Announcement,
): Promise<boolean> => {
  const sql = "UPDATE api_keys SET revoked_at = ?3 WHERE program_id = ?1 AND id = ?2 AND revoked_at IS NULL";
  return commitAnnounced(db, db.prepare(sql).bind(programId, id, news.at), news);
};

/** The new key comes and the old one gets its end in one batch; false where the old one is over already. */
export const replaceKey = (
  db: D1Database,
  old: { readonly id: KeyId; readonly expiresAt: number },
  key: NewKey,
  news: Announcement,
): Promise<boolean> => {
  const sql = `UPDATE api_keys SET expires_at = min(coalesce(expires_at, ?3), ?3)
    WHERE program_id = ?1 AND id = ?2 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?4)`;
  const expire = db.prepare(sql).bind(key.programId, old.id, old.expiresAt, news.at);
  return commitAnnounced(db, expire, news, [keyInsert(db, key)]);
};
