// Where sealed values stand: each is bound to its place, and is found and written again when the master key changes.

/** Program, table, row and column: moved anywhere else, what is sealed does not open. A row's key of several columns is joined by |. */
export const sealedPlace = (owner: string, table: string, rowKey: string, column: string): string =>
  `${owner}|${table}|${rowKey}|${column}`;

interface SealedColumn {
  readonly table: string;
  /** SQL of the row's key within its program. */
  readonly rowKey: string;
  readonly column: string;
}

/** Affiliates' destinations are not here: only a turn writes those. Nor are attempts: their bytes are frozen. */
export const SEALED_COLUMNS: readonly SealedColumn[] = [
  { table: "credentials", rowKey: "provider", column: "sealed" },
  { table: "webhook_endpoints", rowKey: "id", column: "sealed_secret" },
  { table: "webhook_endpoints", rowKey: "id", column: "sealed_previous" },
  { table: "payout_files", rowKey: "id", column: "sealed" },
  { table: "tax_forms", rowKey: "affiliate_id || '|' || created_at", column: "sealed" },
  { table: "idempotency_keys", rowKey: "key", column: "sealed" },
];

/** A row that holds something sealed; what is sealed is read one by one, since a bank file may be long. */
export interface SealedRow {
  readonly owner: string;
  readonly rowKey: string;
}

export const FIRST_ROW: SealedRow = { owner: "", rowKey: "" };

const prefixOf = (keyId: string): string => `v1.${keyId}.`;

/** Version, key and nonce: no two sealed values have the same. */
const headOf = (sealed: string): string => sealed.split(".", 3).join(".");

/** Rows behind `after` whose value is under another key than `keyId`. */
export const listSealedElsewhere = async (
  db: D1Database,
  { table, rowKey, column }: SealedColumn,
  keyId: string,
  after: SealedRow,
  limit: number,
): Promise<SealedRow[]> => {
  const sql = `SELECT program_id AS owner, ${rowKey} AS rowKey FROM ${table}
    WHERE program_id >= ?1 AND (program_id, ${rowKey}) > (?1, ?2) AND ${column} IS NOT NULL AND substr(${column}, 1, length(?3)) <> ?3
    ORDER BY program_id, rowKey LIMIT ?4`;
  const { results } = await db
    .prepare(sql)
    .bind(after.owner, after.rowKey, prefixOf(keyId), limit)
    .all<{ owner: string; rowKey: string }>();
  return results;
};

/** undefined where nothing is left there under another key than `keyId`. */
export const readSealedElsewhere = async (
  db: D1Database,
  { table, rowKey, column }: SealedColumn,
  keyId: string,
  row: SealedRow,
): Promise<string | undefined> => {
  const sql = `SELECT ${column} AS sealed FROM ${table}
    WHERE program_id = ?1 AND ${rowKey} = ?2 AND ${column} IS NOT NULL AND substr(${column}, 1, length(?3)) <> ?3`;
  const { owner, rowKey: key } = row;
  return (await db.prepare(sql).bind(owner, key, prefixOf(keyId)).first<{ sealed: string }>())?.sealed;
};

/** False where something else stands there by now. */
export const replaceSealed = async (
  db: D1Database,
  { table, rowKey, column }: SealedColumn,
  row: SealedRow,
  before: string,
  after: string,
): Promise<boolean> => {
  const sql = `UPDATE ${table} SET ${column} = ?4
    WHERE program_id = ?1 AND ${rowKey} = ?2 AND substr(${column}, 1, length(?3)) = ?3`;
  const { meta } = await db.prepare(sql).bind(row.owner, row.rowKey, headOf(before), after).run();
  return meta.changes > 0;
};

/** Affiliates behind `after` whose destination is sealed under another key than `keyId`. */
export const listDestinationsElsewhere = async (
  db: D1Database,
  keyId: string,
  after: SealedRow,
  limit: number,
): Promise<SealedRow[]> => {
  const sql = `SELECT program_id AS owner, id AS rowKey FROM affiliates
    WHERE program_id >= ?1 AND (program_id, id) > (?1, ?2) AND destination IS NOT NULL
      AND destination ->> '$.sealed' IS NOT NULL AND substr(destination ->> '$.sealed', 1, length(?3)) <> ?3
    ORDER BY program_id, id LIMIT ?4`;
  const { results } = await db
    .prepare(sql)
    .bind(after.owner, after.rowKey, prefixOf(keyId), limit)
    .all<{ owner: string; rowKey: string }>();
  return results;
};

/** Payments under way whose frozen bytes are sealed under another key than `keyId`. */
export const countAttemptsElsewhere = async (db: D1Database, keyId: string): Promise<number> => {
  const sql = `SELECT count(*) AS n FROM attempts WHERE state NOT IN ('refused', 'paid_late') AND state <> 'settled'
    AND payout_id IN (SELECT id FROM payouts WHERE status = 'processing')
    AND substr(request, 1, 3) = 'v1.' AND substr(request, 1, length(?1)) <> ?1`;
  return (await db.prepare(sql).bind(prefixOf(keyId)).first<{ n: number }>())?.n ?? 0;
};

const LOOKED = (keyId: string): string => `sealed_under:${keyId}`;

/** When it was last found that nothing is left to be sealed under this key; epoch milliseconds. */
export const lastLookAtSeals = async (db: D1Database, keyId: string): Promise<number> => {
  const sql = "SELECT n FROM counters WHERE program_id = '' AND name = ?1";
  return (await db.prepare(sql).bind(LOOKED(keyId)).first<{ n: number }>())?.n ?? 0;
};

export const noteLookAtSeals = async (db: D1Database, keyId: string, now: number): Promise<void> => {
  const sql =
    "INSERT INTO counters (program_id, name, n) VALUES ('', ?1, ?2) ON CONFLICT DO UPDATE SET n = excluded.n";
  await db.prepare(sql).bind(LOOKED(keyId), now).run();
};
