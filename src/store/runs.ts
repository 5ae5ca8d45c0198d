// Runs: their rows, and a page of who is due with all that deciding a claim for each of them needs.
import type { Affiliate } from "../domain/affiliate.ts";
import type { AffiliateId, ProgramId, RunId } from "../domain/ids.ts";
import type { Balance, DueSummary } from "../domain/ledger/book.ts";
import type { Policy } from "../domain/policy.ts";
import { DUE_SUMS, dueOf } from "./due.ts";
import { affiliateOf, balanceOf, numberIn, type Row } from "./rows.ts";

export interface Run {
  readonly programId: ProgramId;
  readonly id: RunId;
  readonly kind: "asked" | "scheduled";
  readonly status: "running" | "done";
  /** Epoch milliseconds: payable at this instant. */
  readonly asOf: number;
  readonly periodStart: string | null;
  readonly periodEnd: string;
  readonly currency: string | null;
  readonly affiliateIds: readonly AffiliateId[] | null;
  readonly cursor: string;
  readonly requestSha: string;
  readonly actorType: string;
  readonly actorId: string;
  readonly finishedAt: number | null;
  readonly createdAt: number;
}

export const runOf = (row: Row): Run => ({
  programId: row["program_id"] as ProgramId,
  id: row["id"] as RunId,
  kind: row["kind"] as Run["kind"],
  status: row["status"] as Run["status"],
  asOf: numberIn(row, "as_of"),
  periodStart: row["period_start"] as string | null,
  periodEnd: String(row["period_end"]),
  currency: row["currency"] as string | null,
  affiliateIds:
    row["affiliate_ids"] == null ? null : (JSON.parse(String(row["affiliate_ids"])) as AffiliateId[]),
  cursor: String(row["cursor"]),
  requestSha: String(row["request_sha"]),
  actorType: String(row["actor_type"]),
  actorId: String(row["actor_id"]),
  finishedAt: row["finished_at"] as number | null,
  createdAt: numberIn(row, "created_at"),
});

const INSERT = `INSERT INTO payout_runs (program_id, id, kind, status, as_of, period_start, period_end, currency, affiliate_ids, cursor, command_id, request_sha,
  schedule, actor_type, actor_id, touched_at, finished_at, created_at)
  SELECT ?1, ?2, ?3, 'running', ?4, ?5, ?6, ?7, ?8, '', ?9, ?10, NULL, ?11, ?12, ?13, NULL, ?13
  WHERE NOT EXISTS (SELECT 1 FROM turns WHERE program_id = ?1 AND command_id = ?9)
    AND NOT EXISTS (SELECT 1 FROM idempotency_keys WHERE program_id = ?1 AND key = ?9) ON CONFLICT (program_id, command_id) WHERE command_id IS NOT NULL DO NOTHING`;

/** The run, made now or found under the same command; undefined where the command is a turn's. One round trip. */
export const insertRun = async (
  db: D1Database,
  run: Run,
  commandId: string | undefined,
): Promise<{ run: Run; found: boolean } | undefined> => {
  const [, read] = await db.batch<Row>([
    db
      .prepare(INSERT)
      .bind(
        run.programId,
        run.id,
        run.kind,
        run.asOf,
        run.periodStart,
        run.periodEnd,
        run.currency,
        run.affiliateIds === null ? null : JSON.stringify(run.affiliateIds),
        commandId ?? null,
        run.requestSha,
        run.actorType,
        run.actorId,
        run.createdAt,
      ),
    db
      .prepare("SELECT * FROM payout_runs WHERE program_id = ?1 AND (id = ?2 OR command_id = ?3)")
      .bind(run.programId, run.id, commandId ?? null),
  ]);
  const row = read?.results[0];
  return row === undefined ? undefined : { run: runOf(row), found: row["id"] !== run.id };
};

export const findRun = async (
  db: D1Database,
  programId: ProgramId,
  runId: RunId,
): Promise<Run | undefined> => {
  const row = await db
    .prepare("SELECT * FROM payout_runs WHERE program_id = ?1 AND id = ?2")
    .bind(programId, runId)
    .first<Row>();
  return row === null ? undefined : runOf(row);
};

export const listIdleRuns = async (
  db: D1Database,
  idleSince: number,
  limit: number,
): Promise<readonly Run[]> =>
  (
    await db
      .prepare(
        "SELECT * FROM payout_runs WHERE status = 'running' AND touched_at <= ?1 + (SELECT clock_offset FROM programs p WHERE p.id = program_id) LIMIT ?2",
      )
      .bind(idleSince, limit)
      .all<Row>()
  ).results.map(runOf);

/** One affiliate and currency of a page. */
export interface DueGroup {
  readonly affiliate: Affiliate;
  readonly currency: string;
  readonly due: DueSummary;
  readonly seq: number;
  readonly eventSeq: number;
  readonly balances: Readonly<Record<string, Balance>>;
}

export interface DuePage {
  readonly policy: Policy;
  readonly policyVersion: number;
  readonly livemode: boolean;
  /** In order of affiliate, then currency; groups of one affiliate stand together. */
  readonly groups: readonly DueGroup[];
  /** The page's last affiliate; the next page begins behind it. */
  readonly cursor: string;
  readonly isLast: boolean;
}

export interface DueQuery {
  readonly programId: ProgramId;
  readonly asOf: number;
  /** occurred_at from (inclusive) and until (exclusive), epoch milliseconds. */
  readonly from: number;
  readonly until: number;
  readonly currency: string | null;
  readonly affiliateIds: readonly AffiliateId[] | null;
  readonly cursor: string;
  readonly pageSize: number;
}

const UNCLAIMED = "status IN ('pending', 'approved', 'held')";

/** The page's affiliates: those with anything unclaimed, in order of id, and one more to know whether there is a next page. */
const pageSql = (query: DueQuery): string => `SELECT DISTINCT affiliate_id FROM commissions
  WHERE program_id = ?1 AND ${UNCLAIMED} AND affiliate_id > ?2 ${query.currency === null ? "" : "AND currency = ?6"}
  ${query.affiliateIds === null ? "" : "AND affiliate_id IN (SELECT value FROM json_each(?7))"} ORDER BY affiliate_id LIMIT ${query.pageSize + 1}`;

/** Four statements, one round trip, whatever the number of commissions. */
export const readDuePage = async (db: D1Database, query: DueQuery): Promise<DuePage> => {
  const values = [
    query.programId,
    query.cursor,
    query.asOf,
    query.from,
    query.until,
    query.currency ?? "",
    JSON.stringify(query.affiliateIds ?? []),
  ] as const;
  // Every statement binds the same seven, so that the page's own SELECT can stand in each of them.
  const bound = (sql: string): D1PreparedStatement =>
    db
      .prepare(`WITH bound AS (SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7), page AS (${pageSql(query)}) ${sql}`)
      .bind(...values);
  const [sums, affiliates, balances, programs] = await db.batch<Row>([
    bound(`SELECT affiliate_id, currency, ${DUE_SUMS} FROM commissions WHERE program_id = ?1 AND ${UNCLAIMED} AND affiliate_id IN (SELECT affiliate_id FROM page)
      ${query.currency === null ? "" : "AND currency = ?6"} GROUP BY affiliate_id, currency ORDER BY affiliate_id, currency`),
    bound(`SELECT a.*, (SELECT max(seq) FROM turns WHERE affiliate_id = a.id) AS seq,
      (SELECT event_seq FROM turns WHERE affiliate_id = a.id ORDER BY seq DESC LIMIT 1) AS event_seq
      FROM affiliates a WHERE a.program_id = ?1 AND a.id IN (SELECT affiliate_id FROM page)`),
    bound("SELECT * FROM balances WHERE affiliate_id IN (SELECT affiliate_id FROM page)"),
    db.prepare("SELECT mode, policy, policy_version FROM programs WHERE id = ?1").bind(query.programId),
  ]);
  const program = programs?.results[0];
  if (program === undefined) throw new Error(`program ${query.programId} is gone`);
  const isLast = (affiliates?.results.length ?? 0) <= query.pageSize;
  const read = groupsOf(sums?.results ?? [], affiliates?.results ?? [], balances?.results ?? []);
  const beyond = read.at(-1)?.affiliate.id;
  const groups = isLast ? read : read.filter(({ affiliate }) => affiliate.id !== beyond);
  return {
    policy: JSON.parse(String(program["policy"])) as Policy,
    policyVersion: numberIn(program, "policy_version"),
    livemode: program["mode"] === "live",
    groups,
    cursor: groups.at(-1)?.affiliate.id ?? query.cursor,
    isLast,
  };
};

const groupsOf = (sums: readonly Row[], affiliates: readonly Row[], balances: readonly Row[]): DueGroup[] => {
  const byId = new Map(affiliates.map((row) => [String(row["id"]), row]));
  const balancesById = new Map<string, Record<string, Balance>>();
  for (const row of balances) {
    const of = balancesById.get(String(row["affiliate_id"])) ?? {};
    of[String(row["currency"])] = balanceOf(row);
    balancesById.set(String(row["affiliate_id"]), of);
  }
  return sums.map((row) => {
    const affiliate = byId.get(String(row["affiliate_id"]));
    if (affiliate === undefined) throw new Error(`affiliate ${String(row["affiliate_id"])} is gone`);
    return {
      affiliate: affiliateOf(affiliate),
      currency: String(row["currency"]),
      due: dueOf(row),
      seq: numberIn(affiliate, "seq"),
      eventSeq: numberIn(affiliate, "event_seq"),
      balances: balancesById.get(String(row["affiliate_id"])) ?? {},
    };
  });
};

/** The heads of affiliates as they stand now: who moved since a page was read. */
export const readHeads = async (
  db: D1Database,
  affiliateIds: readonly AffiliateId[],
): Promise<ReadonlyMap<AffiliateId, number>> => {
  const sql =
    "SELECT value AS id, (SELECT max(seq) FROM turns WHERE affiliate_id = value) AS seq FROM json_each(?1)";
  const rows = (await db.prepare(sql).bind(JSON.stringify(affiliateIds)).all<Row>()).results;
  return new Map(rows.map((row) => [row["id"] as AffiliateId, numberIn(row, "seq")]));
};
