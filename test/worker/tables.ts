// Every row of every table, so that a test can say that nothing changed, and where something did.
import { bindings } from "./world.ts";

type Row = Readonly<Record<string, unknown>>;

/** The rows of each table as text. */
export type Tables = Readonly<Record<string, string>>;

const NAMES = `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'
  AND name NOT LIKE '~_cf~_%' ESCAPE '~' AND name NOT LIKE 'd1~_%' ESCAPE '~' ORDER BY name`;

let names: readonly string[] | undefined;

const namesOf = async (): Promise<readonly string[]> => {
  const { results } = await bindings.DB.prepare(NAMES).all<{ name: string }>();
  return results.map(({ name }) => name);
};

/** A key's last use is written when it is used, also by a call that is refused. */
const withoutUse = ({ last_used_at: _used, ...row }: Row): Row => row;

export const readTables = async (): Promise<Tables> => {
  names ??= await namesOf();
  const read = await bindings.DB.batch<Row>(
    names.map((name) => bindings.DB.prepare(`SELECT * FROM "${name}"`)),
  );
  return Object.fromEntries(names.map((name, i) => [name, JSON.stringify(read[i]?.results.map(withoutUse))]));
};

export const changedTables = (before: Tables, after: Tables): readonly string[] =>
  Object.keys(after).filter((name) => before[name] !== after[name]);
