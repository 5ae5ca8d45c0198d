// A D1 binding that counts: what goes over it is the same, how often and how much is known.
import type { Counts } from "../control.ts";

const TRACE_MAX = 60;

export interface Tally {
  trips: number;
  rowsRead: number;
  rowsWritten: number;
  trace: string[];
}

const newTally = (): Tally => ({ trips: 0, rowsRead: 0, rowsWritten: 0, trace: [] });

/** One per isolate, so that objects and handlers count together. */
const tally = newTally();

export const countsNow = (): Counts => ({ ...tally, trace: [...tally.trace] });

export const resetCounts = (): void => {
  Object.assign(tally, newTally());
};

const headOf = (sql: string): string => sql.replace(/\s+/g, " ").trim().slice(0, 48);

type Result = Readonly<Pick<D1Result, "meta">>;

/** `ms` is the whole trip, the number behind a statement the database's own time with it. */
const lineOf = (texts: readonly string[], results: readonly Result[], ms: number): string =>
  `${ms} ms: ${texts.map((text, at) => `${headOf(text)} ${results[at]?.meta.duration ?? "failed"}`).join(" · ")}`;

/** One round trip, whatever becomes of it. */
const onTrip = async <R extends Result>(texts: readonly string[], go: () => Promise<R[]>): Promise<R[]> => {
  tally.trips++;
  const began = Date.now();
  const { trace } = tally;
  const place = trace.length < TRACE_MAX ? trace.push("") - 1 : undefined;
  const note = (results: readonly Result[]): void => {
    if (place !== undefined) trace[place] = lineOf(texts, results, Date.now() - began);
  };
  try {
    const results = await go();
    for (const { meta } of results) {
      tally.rowsRead += meta.rows_read;
      tally.rowsWritten += meta.rows_written;
    }
    note(results);
    return results;
  } catch (error) {
    note([]);
    throw error;
  }
};

const only = <R>(results: readonly R[]): R => {
  const [first] = results;
  if (first === undefined) throw new Error("D1 gave no result");
  return first;
};

class CountedStatement {
  readonly inner: D1PreparedStatement;
  readonly text: string;

  constructor(inner: D1PreparedStatement, text: string) {
    this.inner = inner;
    this.text = text;
  }

  bind(...values: unknown[]): CountedStatement {
    return new CountedStatement(this.inner.bind(...values), this.text);
  }

  async run<T>(): Promise<D1Result<T>> {
    return only(await onTrip([this.text], async () => [await this.inner.run<T>()]));
  }

  async all<T>(): Promise<D1Result<T>> {
    return only(await onTrip([this.text], async () => [await this.inner.all<T>()]));
  }

  /** By way of all(), which is what tells the rows. */
  async first<T extends Record<string, unknown>>(column?: string): Promise<unknown> {
    const row = (await this.all<T>()).results[0];
    if (row === undefined) return null;
    return column === undefined ? row : (row[column] ?? null);
  }
}

const innerOf = (statement: unknown): CountedStatement => {
  if (statement instanceof CountedStatement) return statement;
  throw new Error("a statement of another binding");
};

/** Only what the Worker uses; anything else fails loudly instead of going uncounted. */
export const countedDb = (db: D1Database): D1Database => {
  const counted: Pick<D1Database, "prepare" | "batch"> = {
    prepare: (text) => new CountedStatement(db.prepare(text), text) as unknown as D1PreparedStatement,
    batch<T>(statements: D1PreparedStatement[]) {
      const inner = statements.map(innerOf);
      const texts = inner.map(({ text }) => text);
      return onTrip(texts, () => db.batch<T>(inner.map((statement) => statement.inner)));
    },
  };
  return counted as D1Database;
};
