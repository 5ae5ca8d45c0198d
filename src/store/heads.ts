// The heads of many affiliates' books at once, with the commissions in question: what deciding turns for all of them needs, as of one moment.

import type { Commission } from "../domain/commission.ts";
import type { AffiliateId, CommissionId, ProgramId } from "../domain/ids.ts";
import type { Balance, Book } from "../domain/ledger/book.ts";
import type { Policy } from "../domain/policy.ts";
import type { Ref } from "./refs.ts";
import { affiliateOf, balanceOf, commissionOf, numberIn, type Row } from "./rows.ts";

export interface Heads {
  readonly books: ReadonlyMap<AffiliateId, Book>;
  readonly commissions: readonly Commission[];
}

const namesOf = (refs: readonly Ref<string>[]): [ids: string, externalIds: string] => [
  JSON.stringify(refs.flatMap((ref) => ("id" in ref ? [ref.id] : []))),
  JSON.stringify(refs.flatMap((ref) => ("id" in ref ? [] : [ref.externalId]))),
];

interface HeadsSql {
  /** SELECTs the ids of the affiliates as `id`, of the program ?1. */
  readonly affiliates: string;
  /** SELECTs commissions of the program ?1. */
  readonly commissions: string;
  readonly values: readonly string[];
}

const booksOf = (
  programId: ProgramId,
  program: Row,
  affiliates: readonly Row[],
  balances: readonly Row[],
) => {
  const byId = new Map<string, Record<string, Balance>>();
  for (const row of balances) {
    const of = byId.get(String(row["affiliate_id"])) ?? {};
    of[String(row["currency"])] = balanceOf(row);
    byId.set(String(row["affiliate_id"]), of);
  }
  const policy = JSON.parse(String(program["policy"])) as Policy;
  const books = affiliates.map((row): [AffiliateId, Book] => {
    const affiliate = affiliateOf(row);
    const book: Book = {
      programId,
      livemode: program["mode"] === "live",
      policyVersion: numberIn(program, "policy_version"),
      clockOffset: numberIn(program, "clock_offset"),
      policy,
      affiliateId: affiliate.id,
      affiliate,
      seq: numberIn(row, "seq"),
      eventSeq: numberIn(row, "event_seq"),
      balances: byId.get(affiliate.id) ?? {},
    };
    return [affiliate.id, book];
  });
  return new Map(books);
};

/** One round trip, and one moment: a batch is a transaction. */
const readHeads = async (db: D1Database, programId: ProgramId, sql: HeadsSql): Promise<Heads> => {
  const bound = (select: string): D1PreparedStatement => db.prepare(select).bind(programId, ...sql.values);
  const named = `WITH named AS (${sql.affiliates}) SELECT`;
  const [programs, affiliates, balances, commissions] = await db.batch<Row>([
    db
      .prepare("SELECT mode, policy, policy_version, clock_offset FROM programs WHERE id = ?1")
      .bind(programId),
    bound(`${named} a.*, (SELECT max(seq) FROM turns WHERE affiliate_id = a.id) AS seq,
      (SELECT event_seq FROM turns WHERE affiliate_id = a.id ORDER BY seq DESC LIMIT 1) AS event_seq
      FROM affiliates a WHERE a.program_id = ?1 AND a.id IN (SELECT id FROM named)`),
    bound(`${named} * FROM balances WHERE affiliate_id IN (SELECT id FROM named)`),
    bound(sql.commissions),
  ]);
  const program = programs?.results[0];
  if (program === undefined) throw new Error(`program ${programId} is gone`);
  return {
    books: booksOf(programId, program, affiliates?.results ?? [], balances?.results ?? []),
    commissions: (commissions?.results ?? []).map(commissionOf),
  };
};

/** As a join: a set of external ids makes the planner walk all commissions of the program. */
const byExternalId = (at: string): string =>
  `FROM (SELECT DISTINCT value AS name FROM json_each(${at})) w CROSS JOIN commissions c ON c.program_id = ?1 AND c.external_id = w.name`;

/** The affiliates by id or by their external ids, and what stands under the external ids of the sales already. */
export const readHeadsForSales = (
  db: D1Database,
  programId: ProgramId,
  affiliates: readonly Ref<AffiliateId>[],
  externalIds: readonly string[],
): Promise<Heads> =>
  readHeads(db, programId, {
    // Every statement binds the same values, used or not.
    affiliates: `SELECT id FROM affiliates WHERE program_id = ?1 AND id IN (SELECT value FROM json_each(?2))
      UNION SELECT id FROM affiliates WHERE program_id = ?1 AND external_id IN (SELECT value FROM json_each(?3)) AND ?4 <> ''`,
    commissions: `SELECT c.* ${byExternalId("?4")} WHERE ?2 <> '' AND ?3 <> ''`,
    values: [...namesOf(affiliates), JSON.stringify(externalIds)],
  });

/** Commissions by id or by external id, and the books that they stand in. */
export const readHeadsOfCommissions = (
  db: D1Database,
  programId: ProgramId,
  commissions: readonly Ref<CommissionId>[],
): Promise<Heads> => {
  const named = (columns: string): string =>
    `SELECT ${columns} FROM commissions c WHERE c.program_id = ?1 AND c.id IN (SELECT value FROM json_each(?2))
      UNION SELECT ${columns} ${byExternalId("?3")}`;
  return readHeads(db, programId, {
    affiliates: named("c.affiliate_id AS id"),
    commissions: named("c.*"),
    values: namesOf(commissions),
  });
};
