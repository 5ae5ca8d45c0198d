// The CHECKs that every table shares: enumerations, whole numbers and JSON.
import { sql } from "drizzle-orm";

export const oneOf = (column: string, values: readonly string[]) =>
  sql.raw(`${column} IN (${values.map((value) => `'${value}'`).join(", ")})`);
export const whole = (column: string, low: number) =>
  sql.raw(`typeof(${column}) = 'integer' AND ${column} BETWEEN ${low} AND 9007199254740991`);
export const json = (column: string) => sql.raw(`json_valid(${column})`);
