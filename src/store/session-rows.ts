// The rows of a payout session: selected in one statement from what is due, read with their payouts, and held against what is no longer so.
import type { AffiliateId, CommissionId, PayoutId, ProgramId } from "../domain/ids.ts";
import type { Currency } from "../domain/money.ts";
import type { PayoutStatus } from "../domain/payout.ts";
import type { RowChange, RowPayout, SelectionWish, SessionId, SessionRow } from "../domain/session.ts";
import { numberIn, type Row } from "./rows.ts";
import { COUNTED_ROWS } from "./sessions.ts";
import { chunksOf, guardOf } from "./statements.ts";

/** A row holds at most this many commissions, the oldest; more of one affiliate and currency wait for the next selection. */
export const ROW_COMMISSIONS_MAX = 20_000;

export interface Pair {
  readonly affiliateId: AffiliateId;
  readonly currency: Currency;
}

export interface Selecting {
  readonly programId: ProgramId;
  readonly sessionId: SessionId;
  /** The number of this selection: one more than the session's. */
  readonly n: number;
  readonly wish: SelectionWish;
  /** Epoch milliseconds: payable now, and occurred before. */
  readonly now: number;
  readonly until: number;
  readonly pairs: readonly Pair[];
  /** null takes all that is due. */
  readonly commissionIds: readonly CommissionId[] | null;
}

const NEXT = `UPDATE payout_sessions SET n = ?3, selection = ?4, updated_at = ?5
  WHERE program_id = ?1 AND id = ?2 AND n = ?3 - 1 AND status IN ('open', 'paying')`;

/** The program comes out of the pairs: as a constant it would make the planner walk the program's commissions. */
const SELECT_ROWS = `INSERT INTO session_rows (session_id, n, affiliate_id, currency, commission_count, gross, recovered, amount, chosen, tried, failure_code, failure_detail)
  SELECT ?2, ?3, f.aff, f.cur, count(*), sum(f.rest), coalesce(-b.recovery, 0), sum(f.rest) - coalesce(-b.recovery, 0),
    json_group_array(json_array(f.id, f.rest)), 0, NULL, NULL
  FROM (SELECT j.aff, j.cur, c.id, c.amount - c.reduced AS rest, row_number() OVER (PARTITION BY j.aff, j.cur ORDER BY c.occurred_at, c.id) AS k
    FROM (SELECT value ->> 0 AS aff, value ->> 1 AS cur, value ->> 2 AS prg FROM json_each(?1)) j
    CROSS JOIN commissions c ON c.program_id = j.prg AND c.affiliate_id = j.aff AND c.currency = j.cur
      AND c.status = 'approved' AND c.status IN ('pending', 'approved', 'held') AND c.payable_at <= ?4
    WHERE c.occurred_at < ?5 AND (?6 IS NULL OR c.id IN (SELECT value FROM json_each(?6)))) f
  LEFT JOIN balances b ON b.affiliate_id = f.aff AND b.currency = f.cur
  WHERE f.k <= ${ROW_COMMISSIONS_MAX} GROUP BY f.aff, f.cur
  HAVING sum(f.rest) + coalesce(b.recovery, 0) BETWEEN max(coalesce(?7, 1), 1) AND coalesce(?8, 9007199254740991)`;

/** One batch; false where somebody selected meanwhile, or the session is over. */
export const insertSelection = async (db: D1Database, selecting: Selecting): Promise<boolean> => {
  const { programId, sessionId, n, wish, now, until, pairs, commissionIds } = selecting;
  const chosen = commissionIds === null ? null : JSON.stringify(commissionIds);
  const rows = pairs.map((pair) => [pair.affiliateId, pair.currency, programId]);
  try {
    await db.batch([
      db.prepare(NEXT).bind(programId, sessionId, n, JSON.stringify(wish), now),
      guardOf(db, 1),
      ...chunksOf(rows).map(({ json }) =>
        db.prepare(SELECT_ROWS).bind(json, sessionId, n, now, until, chosen, wish.minAmount, wish.maxAmount),
      ),
    ]);
    return true;
  } catch (error) {
    if (error instanceof Error && error.message.includes("malformed JSON")) return false;
    throw error;
  }
};

const ROW = `SELECT r.*, p.id AS p_id, p.status AS p_status, p.amount AS p_amount, p.gross AS p_gross, p.recovered AS p_recovered,
    p.commission_count AS p_count, p.claims AS p_claims
  FROM payout_sessions s CROSS JOIN ${COUNTED_ROWS} AND s.program_id = ?1 AND s.id = ?2`;

const payoutIn = (row: Row): RowPayout | null =>
  row["p_id"] === null
    ? null
    : {
        id: row["p_id"] as PayoutId,
        status: row["p_status"] as PayoutStatus,
        amount: numberIn(row, "p_amount"),
        gross: numberIn(row, "p_gross"),
        recovered: numberIn(row, "p_recovered"),
        commissionCount: numberIn(row, "p_count"),
        claims: numberIn(row, "p_claims"),
      };

const rowOf = (row: Row): SessionRow => ({
  n: numberIn(row, "n"),
  affiliateId: row["affiliate_id"] as AffiliateId,
  currency: String(row["currency"]),
  commissionCount: numberIn(row, "commission_count"),
  gross: numberIn(row, "gross"),
  recovered: numberIn(row, "recovered"),
  amount: numberIn(row, "amount"),
  tried: numberIn(row, "tried"),
  failure:
    row["failure_code"] === null
      ? null
      : { code: String(row["failure_code"]), detail: String(row["failure_detail"]) },
  payout: payoutIn(row),
});

/** By affiliate, currency and selection. */
const PLACE = "r.affiliate_id || ' ' || r.currency || ' ' || printf('%09d', r.n)";

export const rowPlace = ({ affiliateId, currency, n }: SessionRow): string =>
  `${affiliateId} ${currency} ${String(n).padStart(9, "0")}`;

export const listRows = async (
  db: D1Database,
  programId: ProgramId,
  sessionId: SessionId,
  page: { readonly limit: number; readonly order: "asc" | "desc"; readonly after: string | undefined },
): Promise<{ rows: readonly SessionRow[]; hasMore: boolean }> => {
  const [beyond, start] = page.order === "asc" ? [">", ""] : ["<", "~"];
  const sql = `${ROW} AND ${PLACE} ${beyond} ?3 ORDER BY ${PLACE} ${page.order} LIMIT ?4`;
  const { results } = await db
    .prepare(sql)
    .bind(programId, sessionId, page.after ?? start, page.limit + 1)
    .all<Row>();
  return { rows: results.slice(0, page.limit).map(rowOf), hasMore: results.length > page.limit };
};

const UNPAID = "(p.id IS NULL OR p.status NOT IN ('paid', 'returned'))";
const NOT_SENT = "(p.id IS NULL OR p.status NOT IN ('processing', 'paid', 'returned'))";

/** What a call may work on: `unsent` for paying, `unpaid` for marking, `all` where either is over. Those tried least come first. */
export const listWork = async (
  db: D1Database,
  programId: ProgramId,
  sessionId: SessionId,
  which: "unsent" | "unpaid" | "all",
  limit: number,
): Promise<readonly SessionRow[]> => {
  const where = which === "all" ? "" : `AND ${which === "unsent" ? NOT_SENT : UNPAID}`;
  const sql = `${ROW} ${where} ORDER BY r.tried, ${PLACE} LIMIT ?3`;
  return (await db.prepare(sql).bind(programId, sessionId, limit).all<Row>()).results.map(rowOf);
};

/** The rows of named affiliates and currencies. */
export const findRows = async (
  db: D1Database,
  programId: ProgramId,
  sessionId: SessionId,
  pairs: readonly Pair[],
): Promise<readonly SessionRow[]> => {
  const wanted = JSON.stringify(pairs.map(({ affiliateId, currency }) => `${affiliateId} ${currency}`));
  const sql = `${ROW} AND r.affiliate_id || ' ' || r.currency IN (SELECT value FROM json_each(?3)) ORDER BY ${PLACE}`;
  return (await db.prepare(sql).bind(programId, sessionId, wanted).all<Row>()).results.map(rowOf);
};

/** Rows that no call has come to since they were selected. */
export const countUntried = async (
  db: D1Database,
  programId: ProgramId,
  sessionId: SessionId,
  which: "unsent" | "unpaid",
): Promise<number> => {
  const sql = `SELECT count(*) AS n FROM (${ROW} AND r.tried = 0 AND ${which === "unsent" ? NOT_SENT : UNPAID})`;
  const row = await db.prepare(sql).bind(programId, sessionId).first<Row>();
  return row === null ? 0 : numberIn(row, "n");
};

const CHOSEN =
  "SELECT r.chosen FROM session_rows r WHERE r.session_id = ?1 AND r.n = ?2 AND r.affiliate_id = ?3 AND r.currency = ?4";

export const readChosen = async (
  db: D1Database,
  sessionId: SessionId,
  row: Pick<SessionRow, "n" | "affiliateId" | "currency">,
): Promise<readonly CommissionId[]> => {
  const found = await db
    .prepare(CHOSEN)
    .bind(sessionId, row.n, row.affiliateId, row.currency)
    .first<{ chosen: string }>();
  if (found === null) throw new Error(`a row of ${sessionId} is gone`);
  return (JSON.parse(found.chosen) as [CommissionId, number][]).map(([id]) => id);
};

const CHANGES_MAX = 1_000;

const KEYS = `SELECT r.* FROM (SELECT value ->> 0 AS n, value ->> 1 AS aff, value ->> 2 AS cur FROM json_each(?3)) k
  CROSS JOIN session_rows r ON r.session_id = ?2 AND r.n = k.n AND r.affiliate_id = k.aff AND r.currency = k.cur`;

const CHANGED_COMMISSIONS = `SELECT r.affiliate_id, r.currency, c.id, c.status, x.value ->> 1 AS was, c.amount - c.reduced AS now, c.payout_id, p.session_id
  FROM (${KEYS}) r CROSS JOIN json_each(r.chosen) x CROSS JOIN commissions c ON c.program_id = ?1 AND c.id = x.value ->> 0
  LEFT JOIN payouts p ON p.program_id = ?1 AND p.id = c.payout_id
  WHERE c.status <> 'approved' OR c.amount - c.reduced <> x.value ->> 1 LIMIT ${CHANGES_MAX}`;

const CHANGED_RECOVERY = `SELECT r.affiliate_id, r.currency, NULL AS id, 'recovery' AS status, r.recovered AS was, coalesce(-b.recovery, 0) AS now, NULL AS payout_id, NULL AS session_id
  FROM (${KEYS}) r LEFT JOIN balances b ON b.affiliate_id = r.affiliate_id AND b.currency = r.currency
  WHERE ?1 <> '' AND r.recovered <> coalesce(-b.recovery, 0)`;

const WHAT: Readonly<Record<string, RowChange["what"]>> = {
  processing: "claimed",
  paid: "claimed",
  held: "held",
  rejected: "rejected",
  recovery: "recovery",
};

const changeOf = (row: Row): RowChange => ({
  affiliateId: row["affiliate_id"] as AffiliateId,
  currency: String(row["currency"]),
  commissionId: row["id"] as CommissionId | null,
  what: WHAT[String(row["status"])] ?? "refunded",
  was: numberIn(row, "was"),
  now: numberIn(row, "now"),
  payoutId: row["payout_id"] as PayoutId | null,
  sessionId: row["session_id"] as string | null,
});

/** What of unclaimed rows is no longer as it was selected, the first thousand; one round trip. */
export const readChanges = async (
  db: D1Database,
  programId: ProgramId,
  sessionId: SessionId,
  rows: readonly SessionRow[],
): Promise<readonly RowChange[]> => {
  const open = rows.filter(({ payout }) => payout === null);
  if (open.length === 0) return [];
  const keys = JSON.stringify(open.map(({ n, affiliateId, currency }) => [n, affiliateId, currency]));
  const read = await db.batch<Row>(
    [CHANGED_COMMISSIONS, CHANGED_RECOVERY].map((sql) => db.prepare(sql).bind(programId, sessionId, keys)),
  );
  return read.flatMap(({ results }) => results.map(changeOf));
};

/** What came of a try to pay a row. */
export interface RowTry {
  readonly row: SessionRow;
  readonly failure: SessionRow["failure"];
}

const TRIED = `UPDATE session_rows SET tried = tried + 1, failure_code = j.code, failure_detail = j.detail
  FROM (SELECT value ->> 0 AS n, value ->> 1 AS aff, value ->> 2 AS cur, value ->> 3 AS code, value ->> 4 AS detail FROM json_each(?2)) j
  WHERE session_rows.session_id = ?1 AND session_rows.n = j.n AND session_rows.affiliate_id = j.aff AND session_rows.currency = j.cur`;

export const writeTries = async (
  db: D1Database,
  sessionId: SessionId,
  tries: readonly RowTry[],
): Promise<void> => {
  const rows = tries.map(({ row, failure }) => [
    row.n,
    row.affiliateId,
    row.currency,
    failure?.code ?? null,
    failure?.detail ?? null,
  ]);
  if (rows.length === 0) return;
  await db.batch(chunksOf(rows).map(({ json }) => db.prepare(TRIED).bind(sessionId, json)));
};
