// Payout sessions: their rows, how far each has come, and the writes that are about no money.
import type { ProgramId } from "../domain/ids.ts";
import {
  type PayoutSession,
  type SelectionWish,
  type SessionId,
  type SessionStatus,
  type SessionTally,
  sessionStatusOf,
} from "../domain/session.ts";
import { numberIn, type Row } from "./rows.ts";

/** Sums of a session's rows in one currency; amounts are minor units, of payouts as they stand and of the rest as selected. */
export interface SessionTotal {
  readonly currency: string;
  readonly amount: number;
  readonly count: number;
  readonly paidAmount: number;
  readonly paidCount: number;
}

export interface SessionView {
  readonly session: PayoutSession;
  /** As the rows say it now. */
  readonly status: SessionStatus;
  readonly tally: SessionTally;
  readonly totals: readonly SessionTotal[];
}

const sessionOf = (row: Row): PayoutSession => ({
  id: row["id"] as SessionId,
  title: String(row["title"]),
  status: row["status"] as SessionStatus,
  n: numberIn(row, "n"),
  selection: row["selection"] === null ? null : (JSON.parse(String(row["selection"])) as SelectionWish),
  createdBy: String(row["created_by"]),
  createdAt: numberIn(row, "created_at"),
  updatedAt: numberIn(row, "updated_at"),
});

/** The rows of sessions `s` that count, each with the payout that the row's own turn claimed, whoever asked for it. */
export const COUNTED_ROWS = `session_rows r
  LEFT JOIN turns t ON t.program_id = s.program_id AND t.command_id = 's:ses:' || r.session_id || ':' || r.n || ':' || r.affiliate_id || ':' || r.currency
  LEFT JOIN payouts p ON p.program_id = s.program_id AND p.id = t.verdict ->> '$.payout.id'
  WHERE r.session_id = s.id AND (r.n = s.n OR p.status NOT IN ('failed', 'cancelled'))`;

const TOTALS = `SELECT json_group_array(json_array(currency, amount, count, paid_amount, paid_count, claimed)) FROM (
    SELECT r.currency, sum(coalesce(p.amount, r.amount)) AS amount, count(*) AS count,
      sum(iif(p.status IN ('paid', 'returned'), p.amount, 0)) AS paid_amount,
      sum(coalesce(p.status IN ('paid', 'returned'), 0)) AS paid_count,
      sum(coalesce(p.status NOT IN ('failed', 'cancelled'), 0)) AS claimed
    FROM ${COUNTED_ROWS} GROUP BY r.currency ORDER BY r.currency)`;

type Sums = readonly [string, number, number, number, number, number];

const viewOf = (row: Row): SessionView => {
  const session = sessionOf(row);
  const sums = JSON.parse(String(row["totals"])) as Sums[];
  const tally = { rows: 0, claimed: 0, paid: 0 };
  for (const [, , count, , paidCount, claimed] of sums) {
    tally.rows += count;
    tally.paid += paidCount;
    tally.claimed += claimed;
  }
  const totals = sums.map(([currency, amount, count, paidAmount, paidCount]) => ({
    currency,
    amount,
    count,
    paidAmount,
    paidCount,
  }));
  return { session, status: sessionStatusOf(session.status, tally), tally, totals };
};

/** One round trip. */
export const findSession = async (
  db: D1Database,
  programId: ProgramId,
  id: SessionId,
): Promise<SessionView | undefined> => {
  const sql = `SELECT s.*, (${TOTALS}) AS totals FROM payout_sessions s WHERE s.program_id = ?1 AND s.id = ?2`;
  const row = await db.prepare(sql).bind(programId, id).first<Row>();
  return row === null ? undefined : viewOf(row);
};

export const listSessions = async (
  db: D1Database,
  programId: ProgramId,
  page: { readonly limit: number; readonly order: "asc" | "desc"; readonly after: string | undefined },
): Promise<{ views: readonly SessionView[]; hasMore: boolean }> => {
  const [beyond, start] = page.order === "asc" ? [">", ""] : ["<", "~"];
  const sql = `SELECT s.*, (${TOTALS}) AS totals FROM payout_sessions s WHERE s.program_id = ?1 AND s.id ${beyond} ?2
    ORDER BY s.id ${page.order} LIMIT ?3`;
  const { results } = await db
    .prepare(sql)
    .bind(programId, page.after ?? start, page.limit + 1)
    .all<Row>();
  return { views: results.slice(0, page.limit).map(viewOf), hasMore: results.length > page.limit };
};

const INSERT = `INSERT INTO payout_sessions (program_id, id, title, status, n, selection, created_by, created_at, updated_at)
  VALUES (?1, ?2, ?3, 'open', 0, NULL, ?4, ?5, ?5) ON CONFLICT (program_id, id) DO NOTHING`;

/** The same id again, from a request that is taken up after a crash, finds the session as it is. */
export const insertSession = async (
  db: D1Database,
  programId: ProgramId,
  session: Pick<PayoutSession, "id" | "title" | "createdBy" | "createdAt">,
): Promise<void> => {
  const { id, title, createdBy, createdAt } = session;
  await db.prepare(INSERT).bind(programId, id, title, createdBy, createdAt).run();
};

/** Writes down how far the session is; done and cancelled stay. False where it was over already. */
export const writeStatus = async (
  db: D1Database,
  programId: ProgramId,
  id: SessionId,
  status: SessionStatus,
  at: number,
): Promise<boolean> => {
  const sql = `UPDATE payout_sessions SET status = ?3, updated_at = ?4
    WHERE program_id = ?1 AND id = ?2 AND status NOT IN ('done', 'cancelled')`;
  return (await db.prepare(sql).bind(programId, id, status, at).run()).meta.changes > 0;
};
