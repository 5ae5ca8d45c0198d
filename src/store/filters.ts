// Optional filters of a list as one WHERE clause: every value is bound, and a filter that is not given is not in it.

export interface PageWindow {
  readonly limit: number;
  readonly order: "asc" | "desc";
  /** The id of the last row that the caller has. */
  readonly after: string | undefined;
}

/** SQL with the place of its value, beside the value; undefined asks for nothing. */
export type Filter = readonly [sql: (at: string) => string, value: string | number | undefined];

/** A filter by a set of words. */
export const among = (column: string, words: readonly string[] | undefined): Filter => [
  (at) => `${column} IN (SELECT value FROM json_each(${at}))`,
  words === undefined ? undefined : JSON.stringify(words),
];

export const clauseOf = (
  programId: string,
  filters: readonly Filter[],
): { readonly sql: string; readonly values: readonly (string | number)[] } => {
  const values: (string | number)[] = [programId];
  const parts = ["program_id = ?1"];
  for (const [sql, value] of filters) {
    if (value !== undefined) parts.push(sql(`?${values.push(value)}`));
  }
  return { sql: parts.join(" AND "), values };
};

/** Rows of a program's table by id; one more than the limit is read, to know whether there is more. */
export const selectPage = (
  db: D1Database,
  table: "affiliates" | "commissions" | "payouts",
  programId: string,
  filters: readonly Filter[],
  page: PageWindow,
): D1PreparedStatement => {
  const beyond: Filter = [(at) => `id ${page.order === "asc" ? ">" : "<"} ${at}`, page.after];
  const { sql, values } = clauseOf(programId, [...filters, beyond]);
  const text = `SELECT * FROM ${table} WHERE ${sql} ORDER BY id ${page.order} LIMIT ${page.limit + 1}`;
  return db.prepare(text).bind(...values);
};
