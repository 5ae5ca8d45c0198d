// The objects' part of a batch: commissions, payouts with their lines, attempts, the affiliate, refunds and counters.
import type { Capped, LinesChange } from "../domain/ledger/book.ts";
import type { DecidedTurn } from "./book.ts";
import { AFFILIATE_COLUMNS, ATTEMPT_COLUMNS, COMMISSION_COLUMNS, PAYOUT_COLUMNS } from "./columns.ts";
import { chunksOf, guardOf, insertRows, updateRows } from "./statements.ts";

const present = <T>(values: readonly (T | undefined)[]): T[] => values.filter((value) => value !== undefined);

const REFUNDS = `INSERT INTO refunds (program_id, commission_id, seq, external_id, amount, order_amount, reason, request_sha, at)
  SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7, value ->> 8 FROM json_each(?1)`;

const TAX_FORM = `INSERT INTO tax_forms (program_id, affiliate_id, seq, kind, sealed, expires_at, created_at)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)`;

const taxFormStatement = (db: D1Database, { book, change }: DecidedTurn): D1PreparedStatement[] => {
  if (change.insertedTaxForm === undefined) return [];
  const { form, sealed } = change.insertedTaxForm;
  const place = [book.programId, book.affiliateId, book.seq + 1];
  return [db.prepare(TAX_FORM).bind(...place, form.kind, sealed, form.expiresAt, form.filedAt)];
};

/** Everything but what the lines do to commissions, which must come before single commissions are touched. */
export const objectStatements = (db: D1Database, turns: readonly DecidedTurn[]): D1PreparedStatement[] => {
  const programId = turns[0]?.book.programId;
  if (programId === undefined) return [];
  const own = <T extends object>(values: readonly (T | undefined)[]) =>
    present(values).map((value) => ({ ...value, programId }));
  const refunds = turns.flatMap(({ book, change, at }) =>
    change.refunds.map((r) => [
      programId,
      r.commissionId,
      book.seq + 1,
      r.externalId,
      r.amount,
      r.orderAmount,
      r.reason,
      r.requestSha,
      at,
    ]),
  );
  return [
    ...insertRows(db, AFFILIATE_COLUMNS, own(turns.map(({ change }) => change.insertedAffiliate))),
    ...updateRows(db, AFFILIATE_COLUMNS, own(turns.map(({ change }) => change.updatedAffiliate))),
    ...turns.flatMap((turn) => taxFormStatement(db, turn)),
    ...insertRows(db, COMMISSION_COLUMNS, own(turns.flatMap(({ change }) => change.insertedCommissions))),
    ...insertRows(db, PAYOUT_COLUMNS, own(turns.map(({ change }) => change.insertedPayout))),
    ...updateRows(db, PAYOUT_COLUMNS, own(turns.map(({ change }) => change.updatedPayout))),
    ...insertRows(db, ATTEMPT_COLUMNS, own(turns.map(({ change }) => change.insertedAttempt))),
    ...updateRows(db, ATTEMPT_COLUMNS, own(turns.map(({ change }) => change.updatedAttempt))),
    ...chunksOf(refunds).map(({ json }) => db.prepare(REFUNDS).bind(json)),
    ...turns.flatMap((turn) => counterStatements(db, turn)),
  ];
};

const cappedStatement = (
  db: D1Database,
  programId: string,
  { name, by, cap }: Capped,
): D1PreparedStatement =>
  by < 0
    ? db
        .prepare("UPDATE counters SET n = max(0, n + ?3) WHERE program_id = ?1 AND name = ?2")
        .bind(programId, name, by)
    : db
        .prepare(
          "INSERT INTO counters (program_id, name, n, cap) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET n = n + excluded.n, cap = excluded.cap",
        )
        .bind(programId, name, by, cap);

const counterStatements = (db: D1Database, { book, change }: DecidedTurn): D1PreparedStatement[] => {
  const { programId } = book;
  const numbered = (payoutId: string | undefined, column: string): D1PreparedStatement[] =>
    payoutId === undefined
      ? []
      : [
          db
            .prepare(
              "INSERT INTO counters (program_id, name, n) VALUES (?1, 'invoice', 1) ON CONFLICT DO UPDATE SET n = n + 1",
            )
            .bind(programId),
          db
            .prepare(
              `UPDATE payouts SET ${column} = (SELECT n FROM counters WHERE program_id = ?1 AND name = 'invoice') WHERE program_id = ?1 AND id = ?2`,
            )
            .bind(programId, payoutId),
          guardOf(db, 1),
        ];
  const { capped } = change;
  return [
    ...numbered(change.invoiced, "invoice_number"),
    ...numbered(change.creditNoted, "credit_note_number"),
    ...(capped === undefined ? [] : [cappedStatement(db, programId, capped)]),
  ];
};

/** The program comes out of the rows: as a constant it would make the planner walk the program's commissions and read the JSON for each. */
const DUE_CLAIM = `UPDATE commissions SET status = 'processing', payout_id = j.po, updated_at = j.now
  FROM (SELECT value ->> 0 AS po, value ->> 1 AS aff, value ->> 2 AS cur, value ->> 3 AS as_of, value ->> 4 AS low, value ->> 5 AS high,
    value ->> 6 AS now, value ->> 7 AS prg FROM json_each(?1)) j
  WHERE commissions.program_id = j.prg AND commissions.affiliate_id = j.aff AND commissions.currency = j.cur
    AND commissions.status = 'approved' AND commissions.status IN ('pending', 'approved', 'held')
    AND commissions.payable_at <= j.as_of AND commissions.occurred_at >= j.low AND commissions.occurred_at < j.high`;

const LINES = `INSERT INTO payout_lines (payout_id, commission_id, amount)
  SELECT payout_id, id, amount - reduced FROM commissions WHERE payout_id IN (SELECT value FROM json_each(?1))
  ON CONFLICT (payout_id, commission_id) DO UPDATE SET amount = excluded.amount`;

type Claim = Extract<LinesChange, { kind: "claim" }>;

const claimStatements = (db: D1Database, turns: readonly DecidedTurn[]): D1PreparedStatement[] => {
  const claims = turns.flatMap((turn) =>
    turn.change.lines.flatMap((line) => (line.kind === "claim" ? [{ turn, line }] : [])),
  );
  if (claims.length === 0) return [];
  const statements: D1PreparedStatement[] = [];
  const due = claims.flatMap(({ turn, line }) =>
    line.selector.by === "due" ? [{ turn, line, selector: line.selector }] : [],
  );
  if (due.length > 0) {
    let taken = 0;
    const rows = due.map(({ turn, line, selector }) => [
      line.payoutId,
      turn.book.affiliateId,
      selector.currency,
      selector.asOf,
      selector.from,
      selector.until,
      turn.at,
      turn.book.programId,
    ]);
    for (const { json, count } of chunksOf(rows)) {
      const claimed = due.slice(taken, taken + count).reduce((sum, { line }) => sum + line.count, 0);
      statements.push(db.prepare(DUE_CLAIM).bind(json), guardOf(db, claimed));
      taken += count;
    }
  }
  for (const { turn, line } of claims)
    if (line.selector.by !== "due") statements.push(...chosenClaim(db, turn, line));
  statements.push(db.prepare(LINES).bind(JSON.stringify(claims.map(({ line }) => line.payoutId))));
  return statements;
};

const chosenClaim = (
  db: D1Database,
  turn: DecidedTurn,
  { selector, payoutId, count }: Claim,
): D1PreparedStatement[] => {
  const [wanted, list] =
    selector.by === "ids"
      ? ["SELECT value FROM json_each(?4)", JSON.stringify(selector.ids)]
      : ["SELECT commission_id FROM payout_lines WHERE payout_id = ?4", payoutId];
  return [
    db
      .prepare(`UPDATE commissions SET status = 'processing', payout_id = ?3, updated_at = ?5
      WHERE program_id = ?1 AND affiliate_id = ?2 AND id IN (${wanted}) AND status = 'approved' AND payable_at <= ?5`)
      .bind(turn.book.programId, turn.book.affiliateId, payoutId, list, turn.at),
    guardOf(db, count),
  ];
};

const SETTLE =
  "UPDATE commissions SET status = 'paid', updated_at = ?2 WHERE payout_id = ?1 AND status = 'processing'";
const RELEASE =
  "UPDATE commissions SET status = iif(reduced = amount, 'reversed', 'approved'), payout_id = NULL, updated_at = ?2 WHERE payout_id = ?1";

/** What happens to a payout's lines at once, then what single commissions become; later ones win. */
export const lineStatements = (db: D1Database, turns: readonly DecidedTurn[]): D1PreparedStatement[] => {
  const ended = turns.flatMap((turn) =>
    turn.change.lines.flatMap((line) =>
      line.kind === "claim"
        ? []
        : [
            db.prepare(line.kind === "settle" ? SETTLE : RELEASE).bind(line.payoutId, turn.at),
            guardOf(db, line.count),
          ],
    ),
  );
  const touched = turns.flatMap(({ book, change }) =>
    change.updatedCommissions.map((commission) => ({ ...commission, programId: book.programId })),
  );
  return [...claimStatements(db, turns), ...ended, ...updateRows(db, COMMISSION_COLUMNS, touched)];
};
