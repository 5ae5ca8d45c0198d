// The lines of payout files: which attempt stands in which file, and the payouts that may still go into one.
import type { Affiliate } from "../domain/affiliate.ts";
import type { FileId } from "../domain/files/format.ts";
import type { FileItem } from "../domain/files/settlement.ts";
import type { AffiliateId, AttemptId, PayoutId, ProgramId, RunId } from "../domain/ids.ts";
import type { Attempt, AttemptState, Payout, PayoutMethod, PayoutStatus } from "../domain/payout.ts";
import { affiliateOf, attemptOf, numberIn, payoutOf, type Row } from "./rows.ts";

/** The attempt is over without payment, or paid after it was over: whatever file it stood in, it is not waiting there. */
export const OVER = "('refused', 'paid_late')";

const isLiveItem = (item: string): string =>
  `${item}.voided = 0 AND NOT EXISTS (SELECT 1 FROM attempts t WHERE t.program_id = ${item}.program_id AND t.id = ${item}.attempt_id AND t.state IN ${OVER})`;

/** A payout with all that decides whether it goes into a file. */
export interface FileCandidate {
  readonly payout: Payout;
  readonly affiliate: Affiliate;
  /** The open attempt, if one began. */
  readonly attempt: Attempt | undefined;
  /** The file in which it waits already. */
  readonly fileId: FileId | undefined;
}

/** By payout; what is not there is left out. One round trip. */
export const readCandidates = async (
  db: D1Database,
  programId: ProgramId,
  payoutIds: readonly PayoutId[],
): Promise<ReadonlyMap<PayoutId, FileCandidate>> => {
  const list = JSON.stringify(payoutIds);
  const among = "IN (SELECT value FROM json_each(?2))";
  const [payouts, affiliates, attempts, items] = await db.batch<Row>(
    [
      `SELECT * FROM payouts WHERE program_id = ?1 AND id ${among}`,
      `SELECT * FROM affiliates WHERE program_id = ?1 AND id IN (SELECT affiliate_id FROM payouts WHERE program_id = ?1 AND id ${among})`,
      `SELECT * FROM attempts WHERE payout_id ${among} AND state NOT IN ${OVER} AND program_id = ?1`,
      `SELECT payout_id, file_id FROM payout_file_items i WHERE i.program_id = ?1 AND i.payout_id ${among} AND ${isLiveItem("i")}`,
    ].map((sql) => db.prepare(sql).bind(programId, list)),
  );
  const owners = new Map((affiliates?.results ?? []).map((row) => [row["id"], affiliateOf(row)]));
  const open = new Map((attempts?.results ?? []).map((row) => [row["payout_id"], attemptOf(row)]));
  const files = new Map((items?.results ?? []).map((row) => [row["payout_id"], row["file_id"] as FileId]));
  return new Map(
    (payouts?.results ?? []).map(payoutOf).flatMap((payout) => {
      const affiliate = owners.get(payout.affiliateId);
      if (affiliate === undefined) return [];
      const candidate = { payout, affiliate, attempt: open.get(payout.id), fileId: files.get(payout.id) };
      return [[payout.id, candidate]];
    }),
  );
};

/** An attempt by hand that began for a file: what somebody pays by hand otherwise is not swept into one. */
export const FOR_A_FILE = "file.v1";

/** What a payout would be paid by, or was paid for by hand, is the affiliate's present method. What goes by API stays out. */
const RUN = `SELECT p.id, count(*) OVER () AS n FROM payouts p JOIN affiliates a ON a.program_id = p.program_id AND a.id = p.affiliate_id
  WHERE p.run_id = ?2 AND p.program_id = ?1 AND p.status IN ('pending', 'approved', 'processing')
    AND a.destination ->> '$.method' = ?3 AND (p.status <> 'processing' OR p.method = ?4)
    AND NOT EXISTS (SELECT 1 FROM attempts o WHERE o.payout_id = p.id AND o.state NOT IN ${OVER} AND o.rail <> ?4)
    AND (?4 <> 'manual' OR p.status <> 'processing'
      OR EXISTS (SELECT 1 FROM attempts f WHERE f.payout_id = p.id AND f.state NOT IN ${OVER} AND f.api_version = '${FOR_A_FILE}'))
    AND NOT EXISTS (SELECT 1 FROM payout_file_items i WHERE i.payout_id = p.id AND ${isLiveItem("i")})
  ORDER BY p.id LIMIT ?5`;

/** A run's first payouts that may go into a file of this method and are in none yet, and how many there are in all. */
export const listRunCandidates = async (
  db: D1Database,
  programId: ProgramId,
  runId: RunId,
  by: { readonly method: PayoutMethod; readonly rail: PayoutMethod },
  limit: number,
): Promise<{ readonly ids: readonly PayoutId[]; readonly count: number }> => {
  const { results } = await db.prepare(RUN).bind(programId, runId, by.method, by.rail, limit).all<Row>();
  const [first] = results;
  return {
    ids: results.map((row) => row["id"] as PayoutId),
    count: first === undefined ? 0 : numberIn(first, "n"),
  };
};

/** A line of a file with its attempt and payout as they are now. */
export interface StoredItem extends FileItem {
  readonly affiliateId: AffiliateId;
  readonly attemptId: AttemptId;
  readonly payoutStatus: PayoutStatus;
}

const ITEMS = `SELECT i.payout_id, i.attempt_id, i.end_to_end_id, t.affiliate_id, t.amount, t.currency, t.state, t.provider_ref, p.external_ref, p.status
  FROM payout_file_items i JOIN attempts t ON t.program_id = i.program_id AND t.id = i.attempt_id
    JOIN payouts p ON p.program_id = i.program_id AND p.id = i.payout_id
  WHERE i.file_id = ?2 AND i.program_id = ?1 ORDER BY i.payout_id`;

/** A person's reference stands with the payout, the bank's with the attempt too. */
const settledRefsOf = (row: Row): string[] => {
  const columns = row["state"] === "settled" ? ["provider_ref", "external_ref"] : ["provider_ref"];
  return columns.flatMap((column) => (row[column] == null ? [] : [String(row[column])]));
};

export const readFileItems = async (
  db: D1Database,
  programId: ProgramId,
  fileId: FileId,
): Promise<readonly StoredItem[]> =>
  (await db.prepare(ITEMS).bind(programId, fileId).all<Row>()).results.map((row) => ({
    payoutId: row["payout_id"] as PayoutId,
    attemptId: row["attempt_id"] as AttemptId,
    endToEndId: String(row["end_to_end_id"]),
    affiliateId: row["affiliate_id"] as AffiliateId,
    amount: numberIn(row, "amount"),
    currency: String(row["currency"]),
    state: row["state"] as AttemptState,
    settledRefs: settledRefsOf(row),
    payoutStatus: row["status"] as PayoutStatus,
  }));

/** Which files of the program hold these ids, for lines that are of another file. */
export const findFilesOfIds = async (
  db: D1Database,
  programId: ProgramId,
  endToEndIds: readonly string[],
): Promise<ReadonlyMap<string, FileId>> => {
  if (endToEndIds.length === 0) return new Map();
  const sql =
    "SELECT end_to_end_id, file_id FROM payout_file_items WHERE program_id = ?1 AND end_to_end_id IN (SELECT value FROM json_each(?2))";
  const { results } = await db.prepare(sql).bind(programId, JSON.stringify(endToEndIds)).all<Row>();
  return new Map(results.map((row) => [String(row["end_to_end_id"]), row["file_id"] as FileId]));
};
