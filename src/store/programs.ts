// Programs: the tenants and their policies.
import type { Mode } from "../domain/api-key.ts";
import type { ProgramId } from "../domain/ids.ts";
import type { Currency } from "../domain/money.ts";
import type { Policy } from "../domain/policy.ts";
import { type Announcement, commitAnnounced } from "./events.ts";
import { numberIn, type Row } from "./rows.ts";

export interface StoredProgram {
  readonly id: ProgramId;
  readonly name: string;
  readonly mode: Mode;
  readonly defaultCurrency: Currency;
  readonly policy: Policy;
  readonly policyVersion: number;
  /** Epoch milliseconds. */
  readonly createdAt: number;
}

export const programOf = (row: Row): StoredProgram => ({
  id: row["id"] as ProgramId,
  name: String(row["name"]),
  mode: row["mode"] as Mode,
  defaultCurrency: String(row["default_currency"]),
  policy: JSON.parse(String(row["policy"])) as Policy,
  policyVersion: numberIn(row, "policy_version"),
  createdAt: numberIn(row, "created_at"),
});

export const findProgram = async (db: D1Database, id: ProgramId): Promise<StoredProgram | undefined> => {
  const row = await db.prepare("SELECT * FROM programs WHERE id = ?1").bind(id).first<Row>();
  return row === null ? undefined : programOf(row);
};

export const listPrograms = async (
  db: D1Database,
  page: { readonly limit: number; readonly order: "asc" | "desc"; readonly after: string | undefined },
): Promise<{ programs: readonly StoredProgram[]; hasMore: boolean }> => {
  const [beyond, start] = page.order === "asc" ? [">", ""] : ["<", "~"];
  const sql = `SELECT * FROM programs WHERE id ${beyond} ?1 ORDER BY id ${page.order} LIMIT ?2`;
  const bound = db.prepare(sql).bind(page.after ?? start, page.limit + 1);
  const { results } = await bound.all<Row>();
  return { programs: results.slice(0, page.limit).map(programOf), hasMore: results.length > page.limit };
};

export const programInsert = (db: D1Database, program: StoredProgram): D1PreparedStatement =>
  db
    .prepare(
      "INSERT INTO programs (id, name, mode, default_currency, policy, policy_version, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )
    .bind(
      program.id,
      program.name,
      program.mode,
      program.defaultCurrency,
      JSON.stringify(program.policy),
      program.policyVersion,
      program.createdAt,
    );

/** Writes what may change over the version that it was made from; false where another change came first. */
export const replaceProgram = (
  db: D1Database,
  before: StoredProgram,
  after: StoredProgram,
  news: Announcement,
): Promise<boolean> => {
  const sql = `UPDATE programs SET name = ?3, default_currency = ?4, policy = ?5, policy_version = ?2 + 1
    WHERE id = ?1 AND policy_version = ?2`;
  const values = [after.name, after.defaultCurrency, JSON.stringify(after.policy)];
  return commitAnnounced(db, db.prepare(sql).bind(before.id, before.policyVersion, ...values), news);
};
