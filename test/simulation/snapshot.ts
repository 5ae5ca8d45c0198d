// Everything that the book and the provider hold about one program, read whole and raw: the oracle's only source.
import type { StripeSimulator } from "../simulators/stripe.ts";

export type Row = Readonly<Record<string, string | number | null>>;
export type Transfer = ReturnType<StripeSimulator["transfers"]>[number];

const OF_AFFILIATES = "affiliate_id IN (SELECT id FROM affiliates WHERE program_id = ?1)";

/** By table, in the order of its key. */
const READS = {
  programs: "SELECT * FROM programs WHERE id = ?1",
  affiliates: "SELECT * FROM affiliates WHERE program_id = ?1 ORDER BY id",
  commissions: "SELECT * FROM commissions WHERE program_id = ?1 ORDER BY id",
  refunds: "SELECT * FROM refunds WHERE program_id = ?1 ORDER BY commission_id, seq",
  turns:
    "SELECT affiliate_id, seq, command_id, request_sha, length(verdict) AS verdict, event_seq, at FROM turns WHERE program_id = ?1 ORDER BY affiliate_id, seq",
  entries: `SELECT * FROM entries WHERE ${OF_AFFILIATES} ORDER BY affiliate_id, seq, line`,
  balances: `SELECT * FROM balances WHERE ${OF_AFFILIATES} ORDER BY affiliate_id, currency`,
  payouts: "SELECT * FROM payouts WHERE program_id = ?1 ORDER BY id",
  payout_lines:
    "SELECT * FROM payout_lines WHERE payout_id IN (SELECT id FROM payouts WHERE program_id = ?1) ORDER BY payout_id, commission_id",
  attempts: "SELECT * FROM attempts WHERE program_id = ?1 ORDER BY id",
  payout_runs: "SELECT * FROM payout_runs WHERE program_id = ?1 ORDER BY id",
  run_items:
    "SELECT * FROM run_items WHERE run_id IN (SELECT id FROM payout_runs WHERE program_id = ?1) ORDER BY run_id, affiliate_id, currency",
  events: "SELECT * FROM events WHERE program_id = ?1 ORDER BY position",
  counters: "SELECT * FROM counters WHERE program_id = ?1 ORDER BY name",
  credentials: "SELECT * FROM credentials WHERE program_id = ?1 ORDER BY provider",
} as const;

export type Table = keyof typeof READS;
const TABLES = Object.keys(READS) as Table[];

export type Snapshot = Readonly<Record<Table, readonly Row[]>> & { readonly transfers: readonly Transfer[] };

export const emptySnapshot = (): Snapshot => ({
  ...(Object.fromEntries(TABLES.map((table) => [table, []])) as unknown as Record<Table, readonly Row[]>),
  transfers: [],
});

export const readSnapshot = async (
  db: D1Database,
  programId: string,
  stripe: StripeSimulator,
): Promise<Snapshot> => {
  const results = await db.batch<Row>(TABLES.map((table) => db.prepare(READS[table]).bind(programId)));
  const tables = Object.fromEntries(TABLES.map((table, i) => [table, results[i]?.results ?? []]));
  return { ...(tables as unknown as Record<Table, readonly Row[]>), transfers: stripe.transfers() };
};

/** The first table in which two snapshots differ; undefined where they are the same to the last cell. */
export const differingTable = (left: Snapshot, right: Snapshot): Table | undefined =>
  TABLES.find((table) => JSON.stringify(left[table]) !== JSON.stringify(right[table]));

export const textIn = (row: Row, column: string): string => String(row[column]);

export const amountIn = (row: Row, column: string): number => {
  const value = row[column];
  if (typeof value !== "number") throw new Error(`${column} is ${value}, not a number`);
  return value;
};

export const sumOf = (rows: readonly Row[], ...columns: readonly string[]): number =>
  rows.reduce((sum, row) => sum + columns.reduce((inner, column) => inner + amountIn(row, column), 0), 0);

export const groupBy = (rows: readonly Row[], ...columns: readonly string[]): Map<string, Row[]> => {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = columns.map((column) => row[column]).join(" ");
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  return groups;
};
