// Ids and `ext:` names become ids of this program; what is not there is left out.
import type { AffiliateId, CommissionId, ProgramId } from "../domain/ids.ts";
import type { Row } from "./rows.ts";

export type Ref<Id extends string> = { readonly id: Id } | { readonly externalId: string };

const resolve = async (
  db: D1Database,
  table: "affiliates" | "commissions",
  programId: ProgramId,
  refs: readonly Ref<string>[],
): Promise<readonly (string | undefined)[]> => {
  const ids = refs.flatMap((ref) => ("id" in ref ? [ref.id] : []));
  const externalIds = refs.flatMap((ref) => ("id" in ref ? [] : [ref.externalId]));
  // The names drive the second part: the planner would walk all of the program's rows to look each up in a list.
  const sql = `SELECT id, external_id FROM ${table} WHERE program_id = ?1 AND id IN (SELECT value FROM json_each(?2))
    UNION SELECT t.id, t.external_id FROM (SELECT DISTINCT value AS name FROM json_each(?3)) w
      CROSS JOIN ${table} t ON t.program_id = ?1 AND t.external_id = w.name`;
  const rows = (
    await db.prepare(sql).bind(programId, JSON.stringify(ids), JSON.stringify(externalIds)).all<Row>()
  ).results;
  const known = new Set(rows.map((row) => String(row["id"])));
  const byExternalId = new Map(rows.map((row) => [row["external_id"], String(row["id"])]));
  return refs.map((ref) =>
    "id" in ref ? (known.has(ref.id) ? ref.id : undefined) : byExternalId.get(ref.externalId),
  );
};

/** In the order of the refs; undefined where there is none in this program. One round trip. */
export const resolveAffiliates = async (
  db: D1Database,
  programId: ProgramId,
  refs: readonly Ref<AffiliateId>[],
): Promise<readonly (AffiliateId | undefined)[]> =>
  (await resolve(db, "affiliates", programId, refs)) as readonly (AffiliateId | undefined)[];

export const resolveCommissions = async (
  db: D1Database,
  programId: ProgramId,
  refs: readonly Ref<CommissionId>[],
): Promise<readonly (CommissionId | undefined)[]> =>
  (await resolve(db, "commissions", programId, refs)) as readonly (CommissionId | undefined)[];
