// Plans: what a dry run found, kept for a day so that exactly that can be made, once.
import { type AffiliateId, mintBody, type PayoutId, type ProgramId, type RunId } from "../domain/ids.ts";
import type { Result } from "../domain/ledger/book.ts";
import { numberIn, type Row } from "./rows.ts";
import type { PlanId, Run } from "./runs.ts";

export type { PlanId } from "./runs.ts";

/** One payout of a plan: minor units, and a fingerprint of its commissions. */
export interface PlanItem {
  readonly affiliateId: AffiliateId;
  readonly currency: string;
  readonly count: number;
  readonly gross: number;
  readonly recovered: number;
  readonly digest: number | null;
}

/** What was asked, with the instant and the zone that it was answered for. */
export type PlanTerms = Pick<
  Run,
  "asOf" | "periodStart" | "periodEnd" | "currency" | "affiliateIds" | "timeZone"
>;

export interface Plan {
  readonly programId: ProgramId;
  readonly id: PlanId;
  readonly terms: PlanTerms;
  /** How many parts its items are in, one at least. */
  readonly parts: number;
  /** The run that made it. */
  readonly runId: RunId | null;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
  readonly createdAt: number;
}

type Cells = readonly [AffiliateId, string, number, number, number, number | null];

const cellsOf = (item: PlanItem): Cells => [
  item.affiliateId,
  item.currency,
  item.count,
  item.gross,
  item.recovered,
  item.digest,
];

const itemOf = ([affiliateId, currency, count, gross, recovered, digest]: Cells): PlanItem => ({
  affiliateId,
  currency,
  count,
  gross,
  recovered,
  digest,
});

const PART = "INSERT INTO payout_plan_parts (program_id, plan_id, part, items) VALUES (?1, ?2, ?3, ?4)";
const PLAN =
  "INSERT INTO payout_plans (program_id, id, plan, run_id, expires_at, created_at) VALUES (?1, ?2, ?3, NULL, ?4, ?5)";

/** Ids are in order of time: what is older than this and at work in no run is taken out again. */
const FORGET_PARTS = `DELETE FROM payout_plan_parts WHERE program_id = ?1 AND plan_id < ?2
  AND plan_id NOT IN (SELECT plan_id FROM payout_runs WHERE program_id = ?1 AND status = 'running' AND plan_id IS NOT NULL)`;
const FORGET_PLANS = "DELETE FROM payout_plans WHERE program_id = ?1 AND id < ?2";

const DAY_MS = 86_400_000;
const PARTS_KEPT_MS = 3 * DAY_MS;
/** Until then an old plan is answered with `plan_expired` or `plan_used`, afterwards as one that never was. */
const PLANS_KEPT_MS = 30 * DAY_MS;

/** Parts of about 100 kB that travel together. */
const PARTS_AT_ONCE = 10;

const firstIdAt = (ms: number): string => `plan_${mintBody(Math.max(ms, 0), new Uint8Array(10))}`;

/** The plan is there when its last part is: a reader never sees half of one. One round trip per ten thousand affiliates. */
export const insertPlan = async (
  db: D1Database,
  plan: Plan,
  parts: readonly (readonly PlanItem[])[],
): Promise<void> => {
  const { programId, id, terms, createdAt } = plan;
  const rows = parts.map((items, part) =>
    db.prepare(PART).bind(programId, id, part, JSON.stringify(items.map(cellsOf))),
  );
  while (rows.length > PARTS_AT_ONCE) await db.batch(rows.splice(0, PARTS_AT_ONCE));
  const text = JSON.stringify({ ...terms, parts: parts.length });
  await db.batch([
    ...rows,
    db.prepare(PLAN).bind(programId, id, text, plan.expiresAt, createdAt),
    db.prepare(FORGET_PARTS).bind(programId, firstIdAt(createdAt - PARTS_KEPT_MS)),
    db.prepare(FORGET_PLANS).bind(programId, firstIdAt(createdAt - PLANS_KEPT_MS)),
  ]);
};

export const findPlan = async (
  db: D1Database,
  programId: ProgramId,
  id: PlanId,
): Promise<Plan | undefined> => {
  const sql = "SELECT * FROM payout_plans WHERE program_id = ?1 AND id = ?2";
  const row = await db.prepare(sql).bind(programId, id).first<Row>();
  if (row === null) return undefined;
  const { parts, ...terms } = JSON.parse(String(row["plan"])) as PlanTerms & { parts: number };
  return {
    programId,
    id,
    terms,
    parts,
    runId: row["run_id"] as RunId | null,
    expiresAt: numberIn(row, "expires_at"),
    createdAt: numberIn(row, "created_at"),
  };
};

/** One part of a plan, and whether it is the last; undefined where the plan has no such part. */
export const readPlanPart = async (
  db: D1Database,
  programId: ProgramId,
  planId: PlanId,
  part: number,
): Promise<{ readonly items: readonly PlanItem[]; readonly isLast: boolean } | undefined> => {
  const sql = `SELECT items, (SELECT max(part) FROM payout_plan_parts WHERE program_id = ?1 AND plan_id = ?2) AS last
    FROM payout_plan_parts WHERE program_id = ?1 AND plan_id = ?2 AND part = ?3`;
  const row = await db.prepare(sql).bind(programId, planId, part).first<Row>();
  if (row === null) return undefined;
  const cells = JSON.parse(String(row["items"])) as Cells[];
  return { items: cells.map(itemOf), isLast: numberIn(row, "last") === part };
};

/** The payouts that turns of these commands have made already. */
export const readClaimed = async (
  db: D1Database,
  programId: ProgramId,
  commandIds: readonly string[],
): Promise<ReadonlyMap<string, PayoutId>> => {
  const sql =
    "SELECT command_id, verdict FROM turns WHERE program_id = ?1 AND command_id IN (SELECT value FROM json_each(?2))";
  const rows = (await db.prepare(sql).bind(programId, JSON.stringify(commandIds)).all<Row>()).results;
  const made = new Map<string, PayoutId>();
  for (const row of rows) {
    const result = JSON.parse(String(row["verdict"])) as Result;
    if (result.kind === "payout_ref") made.set(String(row["command_id"]), result.payoutId);
  }
  return made;
};
