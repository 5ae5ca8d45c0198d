// Loads what one turn needs of an affiliate's book, in one round trip to D1.
import type { AffiliateId, PayoutId, ProgramId } from "../domain/ids.ts";
import type { Balance, Book, Refund, Result, Selector } from "../domain/ledger/book.ts";
import type { CommissionRef, Needs, SpendRef } from "../domain/ledger/command.ts";
import type { Policy } from "../domain/policy.ts";
import { choiceOf, DUE_SUMS, dueOf } from "./due.ts";
import { affiliateOf, attemptOf, balanceOf, commissionOf, numberIn, payoutOf, type Row } from "./rows.ts";
import { spendOf, spendStatement } from "./spends.ts";

/** A command that was applied before: its verdict is answered again. */
export interface Replay {
  readonly seq: number;
  readonly at: number;
  readonly requestSha: string;
  readonly result: Result;
}

export interface Loaded {
  readonly book: Book;
  readonly replay: Replay | undefined;
  /** False where the turn that was asked about is not in D1: the book was restored to before it. */
  readonly markFound: boolean;
}

export interface LoadRequest {
  readonly programId: ProgramId;
  readonly affiliateId: AffiliateId;
  readonly commandId: string;
  readonly needs: Needs;
  /** Epoch milliseconds at which a choice must be payable. */
  /** Real time; the program's clock is read with its head. */
  readonly now: number;
  /** The last begin_payment that the object remembers. */
  readonly mark?: { readonly seq: number; readonly commandId: string } | undefined;
}

type Reader = (results: readonly (readonly Row[])[]) => Partial<Book>;

/** Statements that travel together, each with the place of its result. */
interface Trip {
  readonly db: D1Database;
  readonly statements: D1PreparedStatement[];
  readonly readers: Reader[];
}

const ask = (trip: Trip, sql: string, ...values: (string | number)[]): number =>
  trip.statements.push(trip.db.prepare(sql).bind(...values)) - 1;

const refSql = (ref: CommissionRef): { sql: string; value: string } =>
  "id" in ref ? { sql: "id = ?2", value: ref.id } : { sql: "external_id = ?2", value: ref.externalId };

const LINES =
  "SELECT count(*) AS held, coalesce(sum(status = 'processing'), 0) AS processing FROM commissions WHERE payout_id =";

const readCommission = (trip: Trip, request: LoadRequest, ref: CommissionRef): void => {
  const { sql, value } = refSql(ref);
  const { programId, needs } = request;
  const at = ask(
    trip,
    `SELECT * FROM commissions WHERE program_id = ?1 AND ${sql} AND affiliate_id = ?3`,
    programId,
    value,
    request.affiliateId,
  );
  trip.readers.push((results) => ({
    commission: results[at]?.[0] === undefined ? undefined : commissionOf(results[at][0]),
  }));
  if (needs.refundExternalId != null) {
    const refundAt = ask(
      trip,
      `SELECT r.* FROM refunds r WHERE r.program_id = ?1 AND r.external_id = ?3 AND r.commission_id = (SELECT id FROM commissions WHERE program_id = ?1 AND ${sql})`,
      programId,
      value,
      needs.refundExternalId,
    );
    trip.readers.push((results) => ({ refund: refundOf(results[refundAt]?.[0]) }));
  }
  if (needs.payoutOfCommission === true) {
    const of = `(SELECT payout_id FROM commissions WHERE program_id = ?1 AND ${sql})`;
    readPayout(trip, `SELECT * FROM payouts WHERE program_id = ?1 AND id = ${of}`, `${of}`, [
      programId,
      value,
    ]);
  }
};

const refundOf = (row: Row | undefined): Refund | undefined =>
  row === undefined
    ? undefined
    : {
        commissionId: row["commission_id"] as Refund["commissionId"],
        externalId: row["external_id"] as string,
        amount: numberIn(row, "amount"),
        orderAmount: row["order_amount"] as number | null,
        reason: row["reason"] as string,
        requestSha: row["request_sha"] as string,
      };

const readPayout = (trip: Trip, select: string, idSql: string, values: string[]): void => {
  const at = ask(trip, select, ...values);
  const linesAt = ask(trip, `${LINES} ${idSql}`, ...values);
  const clawedAt = ask(
    trip,
    `SELECT * FROM commissions WHERE payout_id = ${idSql} AND clawed_back > 0`,
    ...values,
  );
  trip.readers.push((results) => {
    const row = results[at]?.[0];
    const lines = results[linesAt]?.[0];
    if (row === undefined || lines === undefined) return {};
    const clawed = (results[clawedAt] ?? []).map(commissionOf);
    return {
      payout: payoutOf(row),
      lines: { held: numberIn(lines, "held"), processing: numberIn(lines, "processing"), clawed },
    };
  });
};

const readPayment = (trip: Trip, request: LoadRequest, payoutId: PayoutId): void => {
  const { programId, affiliateId, needs } = request;
  readPayout(trip, "SELECT * FROM payouts WHERE program_id = ?1 AND id = ?2", "?2", [programId, payoutId]);
  const at =
    needs.attemptId === undefined
      ? ask(
          trip,
          "SELECT * FROM attempts WHERE payout_id = ?1 AND affiliate_id = ?2 AND state NOT IN ('refused', 'paid_late')",
          payoutId,
          affiliateId,
        )
      : ask(
          trip,
          "SELECT * FROM attempts WHERE program_id = ?1 AND id = ?2 AND payout_id = ?3",
          programId,
          needs.attemptId,
          payoutId,
        );
  trip.readers.push((results) => ({
    attempt: results[at]?.[0] === undefined ? undefined : attemptOf(results[at][0]),
  }));
};

const readDue = (trip: Trip, request: LoadRequest, selector: Extract<Selector, { by: "due" }>): void => {
  const at = ask(
    trip,
    `SELECT ${DUE_SUMS} FROM commissions WHERE program_id = ?1 AND affiliate_id = ?2 AND currency = ?6 AND status IN ('pending', 'approved', 'held')`,
    request.programId,
    request.affiliateId,
    selector.asOf,
    selector.from,
    selector.until,
    selector.currency,
  );
  trip.readers.push((results) => ({
    due: results[at]?.[0] === undefined ? undefined : dueOf(results[at][0]),
  }));
};

const FREE =
  "c.status = 'approved' AND c.payout_id IS NULL AND c.payable_at <= ?3 + (SELECT clock_offset FROM programs WHERE id = ?1)";

const readChoice = (
  trip: Trip,
  request: LoadRequest,
  selector: Extract<Selector, { by: "ids" | "lines" }>,
): void => {
  const { programId, affiliateId, now } = request;
  const [wanted, list, currency] =
    selector.by === "ids"
      ? ["SELECT DISTINCT value AS id FROM json_each(?4)", JSON.stringify(selector.ids), selector.currency]
      : ["SELECT commission_id AS id FROM payout_lines WHERE payout_id = ?4", selector.payoutId, ""];
  const from = `FROM (${wanted}) w LEFT JOIN commissions c ON c.program_id = ?1 AND c.id = w.id AND c.affiliate_id = ?2 AND (?5 = '' OR c.currency = ?5)`;
  const values = [programId, affiliateId, now, list, currency] as const;
  const at = ask(
    trip,
    `SELECT count(DISTINCT c.id) AS count, coalesce(sum(c.amount - c.reduced), 0) AS gross, min(c.occurred_at) AS oldest_at,
      max(c.occurred_at) AS newest_at, coalesce(sum(c.id IS NULL), 0) AS missing ${from}`,
    ...values,
  );
  const badAt = ask(
    trip,
    `SELECT c.id, c.status, c.payout_id, c.payable_at ${from} WHERE c.id IS NOT NULL AND NOT (${FREE}) LIMIT 100`,
    ...values,
  );
  trip.readers.push((results) => {
    const row = results[at]?.[0];
    return row === undefined ? {} : { choice: choiceOf(row, results[badAt] ?? []) };
  });
};

const readHead = (trip: Trip, { programId, affiliateId }: LoadRequest): void => {
  const programAt = ask(
    trip,
    "SELECT mode, policy, policy_version, clock_offset FROM programs WHERE id = ?1",
    programId,
  );
  const affiliateAt = ask(
    trip,
    "SELECT * FROM affiliates WHERE program_id = ?1 AND id = ?2",
    programId,
    affiliateId,
  );
  const headAt = ask(
    trip,
    "SELECT seq, event_seq FROM turns WHERE affiliate_id = ?1 ORDER BY seq DESC LIMIT 1",
    affiliateId,
  );
  const balancesAt = ask(trip, "SELECT * FROM balances WHERE affiliate_id = ?1", affiliateId);
  trip.readers.push((results) => {
    const program = results[programAt]?.[0];
    if (program === undefined) throw new Error(`program ${programId} is gone`);
    const head = results[headAt]?.[0];
    const affiliate = results[affiliateAt]?.[0];
    const balances: Record<string, Balance> = {};
    for (const row of results[balancesAt] ?? []) balances[String(row["currency"])] = balanceOf(row);
    return {
      livemode: program["mode"] === "live",
      policy: JSON.parse(String(program["policy"])) as Policy,
      policyVersion: numberIn(program, "policy_version"),
      clockOffset: numberIn(program, "clock_offset"),
      affiliate: affiliate === undefined ? undefined : affiliateOf(affiliate),
      balances,
      seq: head === undefined ? 0 : numberIn(head, "seq"),
      eventSeq: head === undefined ? 0 : numberIn(head, "event_seq"),
    };
  });
};

const readSpend = (trip: Trip, { programId, affiliateId }: LoadRequest, ref: SpendRef): void => {
  const at = trip.statements.push(spendStatement(trip.db, programId, affiliateId, ref)) - 1;
  trip.readers.push((results) => ({ spend: spendOf(results[at]?.[0]) }));
};

const replayOf = (row: Row | undefined): Replay | undefined =>
  row === undefined
    ? undefined
    : {
        seq: numberIn(row, "seq"),
        at: numberIn(row, "at"),
        requestSha: String(row["request_sha"]),
        result: JSON.parse(String(row["verdict"])) as Result,
      };

/** Of an attempt with what its own row keeps. */
const VERDICT = `coalesce((SELECT json_set(verdict, '$.attempt.destination', a.destination, '$.attempt.request', a.request)
  FROM attempts a WHERE a.program_id = ?1 AND a.id = verdict ->> '$.attempt.id'), verdict)`;

export const loadBook = async (db: D1Database, request: LoadRequest): Promise<Loaded> => {
  const { programId, affiliateId, needs, mark } = request;
  const trip: Trip = { db, statements: [], readers: [] };
  readHead(trip, request);
  const replayAt = ask(
    trip,
    `SELECT seq, at, request_sha, ${VERDICT} AS verdict FROM turns WHERE program_id = ?1 AND command_id = ?2
     UNION ALL SELECT 0, created_at, '', 'null' FROM payout_runs WHERE program_id = ?1 AND command_id = ?2
     UNION ALL SELECT 0, first_at, '', 'null' FROM idempotency_keys WHERE program_id = ?1 AND key = ?2`,
    programId,
    request.commandId,
  );
  const markAt =
    mark === undefined
      ? undefined
      : ask(
          trip,
          "SELECT 1 AS found FROM turns WHERE affiliate_id = ?1 AND seq = ?2 AND command_id = ?3",
          affiliateId,
          mark.seq,
          mark.commandId,
        );
  if (needs.commission !== undefined) readCommission(trip, request, needs.commission);
  if (needs.payoutId !== undefined) readPayment(trip, request, needs.payoutId);
  if (needs.selector?.by === "due") readDue(trip, request, needs.selector);
  if (needs.selector?.by === "ids" || needs.selector?.by === "lines")
    readChoice(trip, request, needs.selector);
  if (needs.spend !== undefined) readSpend(trip, request, needs.spend);
  const results = (await db.batch<Row>(trip.statements)).map((result) => result.results);
  const parts = trip.readers.map((read) => read(results));
  const book = Object.assign({ programId, affiliateId }, ...parts) as Book;
  return {
    book,
    replay: replayOf(results[replayAt]?.[0]),
    markFound: markAt === undefined || (results[markAt]?.length ?? 0) > 0,
  };
};
