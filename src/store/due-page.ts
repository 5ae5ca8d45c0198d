// A page of who is due what, with all that deciding a claim for each of them needs, in one round trip whatever the number of commissions.
import type { Affiliate } from "../domain/affiliate.ts";
import type { AffiliateId, ProgramId } from "../domain/ids.ts";
import type { Balance, DueSummary } from "../domain/ledger/book.ts";
import type { Policy } from "../domain/policy.ts";
import { DUE_SUMS, dueOf } from "./due.ts";
import { affiliateOf, balanceOf, numberIn, type Row } from "./rows.ts";

/** One affiliate and currency of a page. */
export interface DueGroup {
  readonly affiliate: Affiliate;
  readonly currency: string;
  readonly due: DueSummary;
  /** A fingerprint of which commissions are due; null where it was not asked for. */
  readonly digest: number | null;
  readonly seq: number;
  readonly eventSeq: number;
  readonly balances: Readonly<Record<string, Balance>>;
}

interface Read {
  readonly policy: Policy;
  readonly policyVersion: number;
  readonly livemode: boolean;
  /** In order of affiliate, then currency; groups of one affiliate stand together. */
  readonly groups: readonly DueGroup[];
}

export interface DuePage extends Read {
  /** The page's last affiliate; the next page begins behind it. */
  readonly cursor: string;
  readonly isLast: boolean;
}

/** Which commissions count as due. */
export interface DueTerms {
  readonly programId: ProgramId;
  /** Payable at this instant; epoch milliseconds. */
  readonly asOf: number;
  /** occurred_at from (inclusive) and until (exclusive), epoch milliseconds. */
  readonly from: number;
  readonly until: number;
  readonly currency: string | null;
}

export interface DueQuery extends DueTerms {
  readonly affiliateIds: readonly AffiliateId[] | null;
  readonly cursor: string;
  readonly pageSize: number;
  readonly withDigest?: boolean;
}

const UNCLAIMED = "status IN ('pending', 'approved', 'held')";

/** The end of an id is chance; its square, modulo a prime, keeps ids that follow each other apart. Sums stay below what a number holds. */
const ID_NUMBER = Array.from({ length: 7 }, (_, i) => `unicode(substr(id, ${24 + i})) * ${61 ** i}`).join(
  " + ",
);
const DIGEST = "sum((n % 2147483647) * (n % 2147483629) % 1099511627689) % 9007199254740881 AS digest";

interface PageSql {
  /** SELECTs the page's affiliates, and their currencies where `pairs`. */
  readonly page: string;
  readonly pairs: boolean;
  readonly values: readonly (string | number)[];
  readonly withDigest: boolean;
}

/** Every statement binds the same values, so that the page's own SELECT can stand in each of them. */
const readGroups = async (
  db: D1Database,
  terms: DueTerms,
  sql: PageSql,
): Promise<Read & { affiliates: number }> => {
  const bind = `WITH bound AS (SELECT ${sql.values.map((_, i) => `?${i + 1}`).join(", ")}), page AS (${sql.page})`;
  const bound = (select: string): D1PreparedStatement => db.prepare(`${bind} ${select}`).bind(...sql.values);
  const within = sql.pairs
    ? "(affiliate_id, currency) IN (SELECT affiliate_id, currency FROM page)"
    : `affiliate_id IN (SELECT affiliate_id FROM page) ${terms.currency === null ? "" : "AND currency = ?6"}`;
  const counted = `program_id = ?1 AND ${UNCLAIMED} AND ${within}`;
  const digests = `SELECT affiliate_id, currency, ${DIGEST} FROM (SELECT affiliate_id, currency, ${ID_NUMBER} AS n FROM commissions WHERE ${counted}
    AND status = 'approved' AND payable_at <= ?3 AND occurred_at >= ?4 AND occurred_at < ?5) GROUP BY affiliate_id, currency`;
  const [sums, affiliates, balances, programs, sets] = await db.batch<Row>([
    bound(`SELECT affiliate_id, currency, ${DUE_SUMS} FROM commissions WHERE ${counted}
      GROUP BY affiliate_id, currency ORDER BY affiliate_id, currency`),
    bound(`SELECT a.*, (SELECT max(seq) FROM turns WHERE affiliate_id = a.id) AS seq,
      (SELECT event_seq FROM turns WHERE affiliate_id = a.id ORDER BY seq DESC LIMIT 1) AS event_seq
      FROM affiliates a WHERE a.program_id = ?1 AND a.id IN (SELECT affiliate_id FROM page)`),
    bound("SELECT * FROM balances WHERE affiliate_id IN (SELECT affiliate_id FROM page)"),
    db.prepare("SELECT mode, policy, policy_version FROM programs WHERE id = ?1").bind(terms.programId),
    ...(sql.withDigest ? [bound(digests)] : []),
  ]);
  const program = programs?.results[0];
  if (program === undefined) throw new Error(`program ${terms.programId} is gone`);
  return {
    policy: JSON.parse(String(program["policy"])) as Policy,
    policyVersion: numberIn(program, "policy_version"),
    livemode: program["mode"] === "live",
    groups: groupsOf(
      sums?.results ?? [],
      affiliates?.results ?? [],
      balances?.results ?? [],
      sets?.results ?? [],
    ),
    affiliates: affiliates?.results.length ?? 0,
  };
};

const groupsOf = (
  sums: readonly Row[],
  affiliates: readonly Row[],
  balances: readonly Row[],
  sets: readonly Row[],
): DueGroup[] => {
  const byId = new Map(affiliates.map((row) => [String(row["id"]), row]));
  const balancesById = new Map<string, Record<string, Balance>>();
  for (const row of balances) {
    const of = balancesById.get(String(row["affiliate_id"])) ?? {};
    of[String(row["currency"])] = balanceOf(row);
    balancesById.set(String(row["affiliate_id"]), of);
  }
  const placeOf = (row: Row): string => `${row["affiliate_id"]} ${row["currency"]}`;
  const digests = new Map(sets.map((row) => [placeOf(row), numberIn(row, "digest")]));
  return sums.map((row) => {
    const affiliate = byId.get(String(row["affiliate_id"]));
    if (affiliate === undefined) throw new Error(`affiliate ${String(row["affiliate_id"])} is gone`);
    return {
      affiliate: affiliateOf(affiliate),
      currency: String(row["currency"]),
      due: dueOf(row),
      digest: digests.get(placeOf(row)) ?? null,
      seq: numberIn(affiliate, "seq"),
      eventSeq: numberIn(affiliate, "event_seq"),
      balances: balancesById.get(String(row["affiliate_id"])) ?? {},
    };
  });
};

/** Those with anything unclaimed, in order of id, and one more to know whether there is a next page. */
export const readDuePage = async (db: D1Database, query: DueQuery): Promise<DuePage> => {
  const page = `SELECT DISTINCT affiliate_id FROM commissions
    WHERE program_id = ?1 AND ${UNCLAIMED} AND affiliate_id > ?2 ${query.currency === null ? "" : "AND currency = ?6"}
    ${query.affiliateIds === null ? "" : "AND affiliate_id IN (SELECT value FROM json_each(?7))"} ORDER BY affiliate_id LIMIT ${query.pageSize + 1}`;
  const ids = JSON.stringify(query.affiliateIds ?? []);
  const values = [
    query.programId,
    query.cursor,
    query.asOf,
    query.from,
    query.until,
    query.currency ?? "",
    ids,
  ];
  const withDigest = query.withDigest === true;
  const { affiliates, ...read } = await readGroups(db, query, { page, pairs: false, values, withDigest });
  const isLast = affiliates <= query.pageSize;
  const beyond = read.groups.at(-1)?.affiliate.id;
  const groups = isLast ? read.groups : read.groups.filter(({ affiliate }) => affiliate.id !== beyond);
  return { ...read, groups, cursor: groups.at(-1)?.affiliate.id ?? query.cursor, isLast };
};

/** A place in the order of affiliate, then currency. */
export interface DuePlace {
  readonly affiliateId: string;
  readonly currency: string;
}

export interface DueListQuery extends DueTerms {
  readonly affiliateId: AffiliateId | null;
  readonly order: "asc" | "desc";
  readonly after: DuePlace | undefined;
  readonly limit: number;
}

/** The same of single affiliates and currencies, at most `limit`. */
export const listDue = async (db: D1Database, query: DueListQuery): Promise<Read & { hasMore: boolean }> => {
  const { order, limit, affiliateId, currency } = query;
  const beyond = order === "asc" ? ">" : "<";
  const start = order === "asc" ? "" : "~";
  const page = `SELECT DISTINCT affiliate_id, currency FROM commissions
    WHERE program_id = ?1 AND ${UNCLAIMED} AND (affiliate_id, currency) ${beyond} (?2, ?7)
    ${currency === null ? "" : "AND currency = ?6"} ${affiliateId === null ? "" : "AND affiliate_id = ?8"}
    ORDER BY affiliate_id ${order}, currency ${order} LIMIT ${limit + 1}`;
  const values = [
    query.programId,
    query.after?.affiliateId ?? start,
    query.asOf,
    query.from,
    query.until,
    currency ?? "",
    query.after?.currency ?? start,
    affiliateId ?? "",
  ];
  const { affiliates: _n, ...read } = await readGroups(db, query, {
    page,
    pairs: true,
    values,
    withDigest: false,
  });
  const ordered = order === "asc" ? read.groups : [...read.groups].reverse();
  return { ...read, groups: ordered.slice(0, limit), hasMore: ordered.length > limit };
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
