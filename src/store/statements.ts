// How a set of rows goes through one bound parameter, and how a batch is made to fail when a statement missed.
import type { Columns } from "./columns.ts";

/** Aborts the batch unless the statement before it changed exactly `count` rows: a guard that misses is a successful batch otherwise. */
export const guardOf = (db: D1Database, count: number): D1PreparedStatement =>
  db.prepare("SELECT iif(changes() = ?1, 1, json('guard')) AS ok").bind(count);

/** D1 takes strings up to 2 MB; sets are cut well below. */
const CHUNK_BYTES = 900_000;

/** JSON arrays of rows, cut so that each stays below what D1 binds. */
export const chunksOf = (
  rows: readonly (readonly (string | number | null)[])[],
): { json: string; count: number }[] => {
  const chunks: { json: string; count: number }[] = [];
  let texts: string[] = [];
  let bytes = 0;
  for (const row of rows) {
    const text = JSON.stringify(row);
    if (bytes + text.length > CHUNK_BYTES && texts.length > 0) {
      chunks.push({ json: `[${texts.join(",")}]`, count: texts.length });
      texts = [];
      bytes = 0;
    }
    texts.push(text);
    bytes += text.length + 1;
  }
  if (texts.length > 0) chunks.push({ json: `[${texts.join(",")}]`, count: texts.length });
  return chunks;
};

const valueAt = (index: number): string => `value ->> ${index}`;

export const insertRows = <T>(
  db: D1Database,
  columns: Columns<T>,
  values: readonly T[],
): D1PreparedStatement[] => {
  if (values.length === 0) return [];
  const names = Object.keys(columns.cells);
  const cells = Object.values(columns.cells);
  const sql = `INSERT INTO ${columns.table} (${names.join(", ")}) WITH j(value) AS MATERIALIZED (SELECT value FROM json_each(?1)) SELECT ${names.map((_, i) => valueAt(i)).join(", ")} FROM j`;
  return chunksOf(values.map((value) => cells.map((cell) => cell(value)))).map(({ json }) =>
    db.prepare(sql).bind(json),
  );
};

/** Whole-row updates of what may change; every row must be there. */
export const updateRows = <T>(
  db: D1Database,
  columns: Columns<T>,
  values: readonly T[],
): D1PreparedStatement[] => {
  if (values.length === 0) return [];
  const names = Object.keys(columns.cells).filter((name) => !columns.frozen.includes(name));
  const cells = names.map((name) => columns.cells[name] as (value: T) => string | number | null);
  const sets = names.flatMap((name, i) => (columns.key.includes(name) ? [] : [`${name} = j.c${i}`]));
  const keys = columns.key.map((name) => `${columns.table}.${name} = j.c${names.indexOf(name)}`);
  const sql = `UPDATE ${columns.table} SET ${sets.join(", ")} FROM (SELECT ${names.map((_, i) => `${valueAt(i)} AS c${i}`).join(", ")} FROM json_each(?1)) j WHERE ${keys.join(" AND ")}`;
  return chunksOf(values.map((value) => cells.map((cell) => cell(value)))).flatMap(({ json, count }) => [
    db.prepare(sql).bind(json),
    guardOf(db, count),
  ]);
};
