// Programs: the tenants and their policies.
import type { Mode } from "../domain/api-key.ts";
import type { ProgramId } from "../domain/ids.ts";
import type { Currency } from "../domain/money.ts";
import type { Policy } from "../domain/policy.ts";
import { nextRun, sameSchedule } from "../domain/schedule.ts";
import { type Announcement, commitAnnounced } from "./events.ts";
import { numberIn, type Row } from "./rows.ts";

export interface StoredProgram {
  readonly id: ProgramId;
  readonly name: string;
  readonly mode: Mode;
  readonly defaultCurrency: Currency;
  readonly policy: Policy;
  readonly policyVersion: number;
  /** How far a test program's clock was moved forward, milliseconds. */
  readonly clockOffset: number;
  /** Whether an active webhook endpoint waits for its events; absent where nobody asked. */
  readonly hasEndpoints?: boolean;
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
  clockOffset: numberIn(row, "clock_offset"),
  ...(row["has_endpoints"] == null ? {} : { hasEndpoints: row["has_endpoints"] === 1 }),
  createdAt: numberIn(row, "created_at"),
});

/** Of the program that stands in the query as `p`. */
export const HAS_ENDPOINTS =
  "EXISTS (SELECT 1 FROM webhook_endpoints WHERE program_id = p.id AND active = 1)";

export const findProgram = async (db: D1Database, id: ProgramId): Promise<StoredProgram | undefined> => {
  const sql = `SELECT p.*, ${HAS_ENDPOINTS} AS has_endpoints FROM programs p WHERE p.id = ?1`;
  const row = await db.prepare(sql).bind(id).first<Row>();
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

/** When the first run after an instant starts. */
const nextRunAt = (policy: Policy, after: number): number | null =>
  nextRun(policy.payout_schedule, policy.time_zone, after)?.startsAt ?? null;

export const programInsert = (db: D1Database, program: StoredProgram): D1PreparedStatement =>
  db
    .prepare(
      "INSERT INTO programs (id, name, mode, default_currency, policy, policy_version, next_run_at, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?8, ?7)",
    )
    .bind(
      program.id,
      program.name,
      program.mode,
      program.defaultCurrency,
      JSON.stringify(program.policy),
      program.policyVersion,
      program.createdAt,
      nextRunAt(program.policy, program.createdAt),
    );

/** Writes what may change over the version that it was made from; false where another change came first, or where a period fell due before its schedule goes. */
export const replaceProgram = (
  db: D1Database,
  before: StoredProgram,
  after: StoredProgram,
  news: Announcement,
): Promise<boolean> => {
  const isRescheduled = !sameSchedule(before.policy, after.policy);
  const keepsDue = isRescheduled && after.policy.payout_schedule.kind !== "manual";
  const sql = `UPDATE programs SET name = ?3, default_currency = ?4, policy = ?5, policy_version = ?2 + 1, next_run_at = iif(?6, ?7, next_run_at)
    WHERE id = ?1 AND policy_version = ?2 AND (NOT ?8 OR next_run_at IS NULL OR next_run_at > ?9)`;
  const rules = [after.name, after.defaultCurrency, JSON.stringify(after.policy)];
  const next = isRescheduled ? nextRunAt(after.policy, news.at) : null;
  const values = [...rules, isRescheduled ? 1 : 0, next, keepsDue ? 1 : 0, news.at];
  return commitAnnounced(db, db.prepare(sql).bind(before.id, before.policyVersion, ...values), news);
};

/** Moves a test program's clock forward, over the version that it was read at; false where another change came first. */
export const moveClock = (
  db: D1Database,
  before: StoredProgram,
  clockOffset: number,
  news: Announcement,
): Promise<boolean> => {
  const sql = `UPDATE programs SET clock_offset = ?3, policy_version = ?2 + 1
    WHERE id = ?1 AND policy_version = ?2 AND mode = 'test' AND clock_offset < ?3`;
  return commitAnnounced(db, db.prepare(sql).bind(before.id, before.policyVersion, clockOffset), news);
};
