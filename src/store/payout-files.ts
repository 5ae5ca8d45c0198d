// Payout files: their rows with the sealed bytes, written together with the items that bind each payout to one of them.
import type { FileFormat, FileId } from "../domain/files/format.ts";
import type { AttemptId, PayoutId, ProgramId, RunId } from "../domain/ids.ts";
import type { Currency } from "../domain/money.ts";
import { clauseOf, type PageWindow } from "./filters.ts";
import { OVER } from "./payout-file-items.ts";
import { numberIn, type Row } from "./rows.ts";
import { guardOf } from "./statements.ts";

export interface FileTotal {
  readonly currency: Currency;
  /** Minor units. */
  readonly amount: number;
  readonly count: number;
}

export interface PayoutFile {
  readonly programId: ProgramId;
  readonly id: FileId;
  readonly format: FileFormat;
  readonly sealed: string;
  /** Of the bytes, 64 hexadecimal digits. */
  readonly sha256: string;
  readonly messageId: string;
  readonly payoutCount: number;
  readonly totals: readonly FileTotal[];
  readonly runId: RunId | null;
  readonly voidedAt: number | null;
  readonly voidReason: string | null;
  readonly createdBy: string;
  readonly createdAt: number;
}

/** Where a file's sealed bytes stand: moved to another row they do not open. */
export const filePlace = (programId: ProgramId, fileId: FileId): string =>
  `${programId}|payout_files|${fileId}|sealed`;

export interface NewItem {
  readonly payoutId: PayoutId;
  readonly attemptId: AttemptId;
  readonly endToEndId: string;
}

/** An attempt that is over leaves its old file: only so can the payout's next attempt stand in another. */
const FREE = `UPDATE payout_file_items SET voided = 1 WHERE program_id = ?1 AND voided = 0
    AND payout_id IN (SELECT value ->> 0 FROM json_each(?2))
    AND EXISTS (SELECT 1 FROM attempts t WHERE t.program_id = payout_file_items.program_id AND t.id = payout_file_items.attempt_id AND t.state IN ${OVER})`;

const INSERT = `INSERT INTO payout_files (program_id, id, format, sealed, sha256, message_id, payout_count, totals, run_id, voided_at, void_reason, created_by, created_at)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, NULL, NULL, ?10, ?11)`;

const INSERT_ITEMS = `INSERT INTO payout_file_items (program_id, file_id, payout_id, attempt_id, end_to_end_id, voided)
  SELECT ?1, ?2, value ->> 0, value ->> 1, value ->> 2, 0 FROM json_each(?3)
  WHERE EXISTS (SELECT 1 FROM attempts t WHERE t.program_id = ?1 AND t.id = value ->> 1 AND t.payout_id = value ->> 0 AND t.state = 'needs_hand')`;

const isStale = (error: unknown): boolean =>
  error instanceof Error &&
  (error.message.includes("malformed JSON") ||
    error.message.includes("UNIQUE constraint failed: payout_file_items.payout_id"));

/**
 * The file as it stands then, with its items, all or nothing. undefined where a payout came into another file meanwhile, or waits no
 * longer: the unique index on live items and the guard behind them are what keeps a payout in one file.
 */
export const insertPayoutFile = async (
  db: D1Database,
  file: PayoutFile,
  items: readonly NewItem[],
): Promise<PayoutFile | undefined> => {
  const { programId, id, totals } = file;
  const list = JSON.stringify(items.map((item) => [item.payoutId, item.attemptId, item.endToEndId]));
  const insert = db
    .prepare(INSERT)
    .bind(
      programId,
      id,
      file.format,
      file.sealed,
      file.sha256,
      file.messageId,
      file.payoutCount,
      JSON.stringify(totals),
      file.runId,
      file.createdBy,
      file.createdAt,
    );
  try {
    await db.batch([
      db.prepare(FREE).bind(programId, list),
      insert,
      db.prepare(INSERT_ITEMS).bind(programId, id, list),
      guardOf(db, items.length),
    ]);
    return file;
  } catch (error) {
    if (isStale(error)) return undefined;
    // The answer may be what was lost: the row says whether the batch was committed.
    const found = await findPayoutFile(db, programId, id);
    if (found === undefined) throw error;
    return found;
  }
};

const fileOf = (row: Row): PayoutFile => ({
  programId: row["program_id"] as ProgramId,
  id: row["id"] as FileId,
  format: row["format"] as FileFormat,
  sealed: String(row["sealed"]),
  sha256: String(row["sha256"]),
  messageId: String(row["message_id"]),
  payoutCount: numberIn(row, "payout_count"),
  totals: JSON.parse(String(row["totals"])) as FileTotal[],
  runId: row["run_id"] as RunId | null,
  voidedAt: row["voided_at"] as number | null,
  voidReason: row["void_reason"] as string | null,
  createdBy: String(row["created_by"]),
  createdAt: numberIn(row, "created_at"),
});

/** Without the bytes, which are most of a row. */
const HEAD =
  "program_id, id, format, '' AS sealed, sha256, message_id, payout_count, totals, run_id, voided_at, void_reason, created_by, created_at";

const findRow = async (
  db: D1Database,
  columns: string,
  programId: ProgramId,
  fileId: string,
): Promise<PayoutFile | undefined> => {
  const sql = `SELECT ${columns} FROM payout_files WHERE program_id = ?1 AND id = ?2`;
  const row = await db.prepare(sql).bind(programId, fileId).first<Row>();
  return row === null ? undefined : fileOf(row);
};

/** `sealed` is empty. */
export const findPayoutFile = (
  db: D1Database,
  programId: ProgramId,
  fileId: string,
): Promise<PayoutFile | undefined> => findRow(db, HEAD, programId, fileId);

export const findSealedFile = (
  db: D1Database,
  programId: ProgramId,
  fileId: string,
): Promise<PayoutFile | undefined> => findRow(db, "*", programId, fileId);

export interface FileFilters {
  readonly format?: FileFormat | undefined;
  readonly runId?: RunId | undefined;
}

export const listPayoutFiles = async (
  db: D1Database,
  programId: ProgramId,
  filters: FileFilters,
  page: PageWindow,
): Promise<{ readonly files: readonly PayoutFile[]; readonly hasMore: boolean }> => {
  const { sql, values } = clauseOf(programId, [
    [(at) => `format = ${at}`, filters.format],
    [(at) => `run_id = ${at}`, filters.runId],
    [(at) => `id ${page.order === "asc" ? ">" : "<"} ${at}`, page.after],
  ]);
  const text = `SELECT ${HEAD} FROM payout_files WHERE ${sql} ORDER BY id ${page.order} LIMIT ${page.limit + 1}`;
  const { results } = await db
    .prepare(text)
    .bind(...values)
    .all<Row>();
  return { files: results.slice(0, page.limit).map(fileOf), hasMore: results.length > page.limit };
};

const VOID = `UPDATE payout_files SET voided_at = ?3, void_reason = ?4 WHERE program_id = ?1 AND id = ?2 AND voided_at IS NULL
  AND NOT EXISTS (SELECT 1 FROM payout_file_items i JOIN attempts t ON t.program_id = i.program_id AND t.id = i.attempt_id
    WHERE i.file_id = ?2 AND i.program_id = ?1 AND t.state <> 'settled' AND t.state NOT IN ${OVER})`;

const VOID_ITEMS = `UPDATE payout_file_items SET voided = 1 WHERE program_id = ?1 AND file_id = ?2 AND voided = 0
  AND EXISTS (SELECT 1 FROM attempts t WHERE t.program_id = payout_file_items.program_id AND t.id = payout_file_items.attempt_id AND t.state IN ${OVER})`;

/** Takes effect only where nothing of the file waits any more. */
export const markFileVoided = async (
  db: D1Database,
  programId: ProgramId,
  fileId: FileId,
  at: number,
  reason: string,
): Promise<void> => {
  await db.batch([
    db.prepare(VOID).bind(programId, fileId, at, reason),
    db.prepare(VOID_ITEMS).bind(programId, fileId),
  ]);
};
