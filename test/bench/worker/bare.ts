// The floor that the Worker is held against: the rows that it writes, in plain D1 batches, without reading or deciding anything.
import {
  affiliateIdOf,
  type BareGenerate,
  type BareOutcome,
  type BareRecord,
  PAGE,
  payoutIdOf,
} from "../control.ts";

type Cell = string | number | null;

const cellsOf = (columns: string): string =>
  columns
    .split(", ")
    .map((_, i) => `value ->> ${i}`)
    .join(", ");
const insertOf = (table: string, columns: string): string =>
  `INSERT INTO ${table} (${columns}) SELECT ${cellsOf(columns)} FROM json_each(?1)`;

const TURN_COLUMNS = "affiliate_id, seq, program_id, command_id, request_sha, verdict, event_seq, at";
const ENTRY_COLUMNS =
  "affiliate_id, seq, line, kind, currency, from_account, to_account, amount, commission_id, payout_id, note";
const PAYOUT_COLUMNS = `program_id, id, affiliate_id, currency, gross, recovered, refunded, amount, returned_amount, late_paid, commission_count, period_start, \
period_end, status, sent, method, attempt_count, created_by, run_id, claims, history, created_at, updated_at`;
const EVENT_COLUMNS =
  "program_id, position, type, at, livemode, affiliate_id, sequence, actor_type, actor_id, data";

const TURNS = insertOf("turns", TURN_COLUMNS);
const ENTRIES = insertOf("entries", ENTRY_COLUMNS);
const PAYOUTS = insertOf("payouts", PAYOUT_COLUMNS);
const EVENTS = insertOf("events", EVENT_COLUMNS);
const RUN_ITEMS = insertOf("run_items", "run_id, affiliate_id, currency, payout_id");
const BALANCES = `UPDATE balances SET seq = j.seq, available = available - j.amount, reserved = reserved + j.amount
  FROM (SELECT value ->> 0 AS aff, value ->> 1 AS seq, value ->> 2 AS amount FROM json_each(?1)) j WHERE affiliate_id = j.aff AND currency = 'USD'`;
/** The program comes out of the rows: as a constant it would make the planner walk the program's commissions and read the JSON for each. */
const CLAIM = `UPDATE commissions SET status = 'processing', payout_id = j.po, updated_at = ?2
  FROM (SELECT value ->> 0 AS aff, value ->> 1 AS po, value ->> 2 AS prg FROM json_each(?1)) j
  WHERE program_id = j.prg AND affiliate_id = j.aff AND currency = 'USD' AND status = 'approved' AND status IN ('pending', 'approved', 'held')`;
const LINES = `INSERT INTO payout_lines (payout_id, commission_id, amount)
  SELECT payout_id, id, amount FROM commissions WHERE payout_id IN (SELECT value ->> 1 FROM json_each(?1))`;

interface Head {
  readonly affiliate_id: string;
  readonly seq: number;
  readonly available: number;
  readonly event_seq: number;
}

const headsOf = async (db: D1Database, from: number, count: number): Promise<Head[]> => {
  const sql = `SELECT b.affiliate_id, b.seq, b.available, (SELECT event_seq FROM turns WHERE affiliate_id = b.affiliate_id ORDER BY seq DESC LIMIT 1) AS event_seq
    FROM balances b WHERE b.affiliate_id >= ?1 AND b.affiliate_id < ?2 ORDER BY b.affiliate_id`;
  return (
    await db
      .prepare(sql)
      .bind(affiliateIdOf(from), affiliateIdOf(from + count))
      .all<Head>()
  ).results;
};

const lastPosition = async (db: D1Database, programId: string): Promise<number> =>
  (await db
    .prepare("SELECT coalesce(max(position), 0) AS n FROM events WHERE program_id = ?1")
    .bind(programId)
    .first<number>("n")) ?? 0;

const historyOf = (at: number): string =>
  JSON.stringify([{ at, from: null, to: "pending", actor: "key:bench" }]);

/** Everything that one page writes, as arrays of whole rows. */
const pageRows = (programId: string, from: number, heads: readonly Head[], position: number, at: number) => {
  const rows = heads.map((head, i) => ({ ...head, po: payoutIdOf(from + i), next: head.seq + 1, i }));
  const event = (row: (typeof rows)[number]): string =>
    JSON.stringify({
      object: "payout",
      id: row.po,
      affiliate_id: row.affiliate_id,
      status: "pending",
      amount: row.available,
      currency: "USD",
    });
  const each = (make: (row: (typeof rows)[number]) => Cell[]): string => JSON.stringify(rows.map(make));
  const verdict = (po: string): string => JSON.stringify({ kind: "payout_ref", payoutId: po });
  const run = `run_${programId.slice(4)}`;
  return {
    turns: each((r) => [
      r.affiliate_id,
      r.next,
      programId,
      `s:gen:${run}:${r.affiliate_id}:USD`,
      "",
      verdict(r.po),
      r.event_seq + 1,
      at,
    ]),
    entries: each((r) => [
      r.affiliate_id,
      r.next,
      0,
      "claim",
      "USD",
      "available",
      "reserved",
      r.available,
      null,
      r.po,
      null,
    ]),
    balances: each((r) => [r.affiliate_id, r.next, r.available]),
    payouts: each((r) => [
      ...[
        programId,
        r.po,
        r.affiliate_id,
        "USD",
        r.available,
        0,
        0,
        r.available,
        0,
        0,
        10,
        "2026-01-01",
        "2026-12-31",
      ],
      ...["pending", 0, "manual", 0, "key:bench", run, 1, historyOf(at), at, at],
    ]),
    claims: each((r) => [r.affiliate_id, r.po, programId]),
    events: each((r) => [
      programId,
      position + r.i,
      "payout.generated",
      at,
      0,
      r.affiliate_id,
      r.event_seq + 1,
      "key",
      "bench",
      event(r),
    ]),
    items: each((r) => [run, r.affiliate_id, "USD", r.po]),
  };
};

/** Claims every commission of a seeded program; only the batches themselves are timed. */
export const bareGenerate = async (db: D1Database, bare: BareGenerate): Promise<BareOutcome> => {
  const outcome = { ms: 0, trips: 0, rowsWritten: 0 };
  for (let done = 0; done < bare.affiliates; done += PAGE) {
    const from = bare.from + done;
    const heads = await headsOf(db, from, Math.min(PAGE, bare.affiliates - done));
    const at = Date.now();
    const rows = pageRows(bare.programId, from, heads, (await lastPosition(db, bare.programId)) + 1, at);
    const statements = [
      db.prepare(TURNS).bind(rows.turns),
      db.prepare(ENTRIES).bind(rows.entries),
      db.prepare(BALANCES).bind(rows.balances),
      db.prepare(PAYOUTS).bind(rows.payouts),
      db.prepare(CLAIM).bind(rows.claims, at),
      db.prepare(LINES).bind(rows.claims),
      db.prepare(EVENTS).bind(rows.events),
      db.prepare(RUN_ITEMS).bind(rows.items),
    ];
    const began = Date.now();
    const results = await db.batch(statements);
    outcome.ms += Date.now() - began;
    outcome.trips++;
    outcome.rowsWritten += results.reduce((sum, { meta }) => sum + meta.rows_written, 0);
  }
  return outcome;
};

const TURN = `INSERT INTO turns (${TURN_COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?2, ?7)`;
const ENTRY = `INSERT INTO entries (${ENTRY_COLUMNS}) VALUES (?1, ?2, 0, 'record', 'USD', 'program', 'available', ?3, ?4, NULL, NULL)`;
const BALANCE = `UPDATE balances SET seq = ?2, program = program - ?3, available = available + ?3 WHERE affiliate_id = ?1 AND currency = 'USD'`;
const COMMISSION = `INSERT INTO commissions (program_id, id, affiliate_id, external_id, kind, currency, amount, reduced, clawed_back, status,
    order_refunded, order_reversed, occurred_at, payable_at, request_sha, created_at, updated_at)
  VALUES (?1, ?2, ?3, ?4, 'sale', 'USD', ?5, 0, 0, 'approved', 0, 0, ?6, ?6, ?7, ?6, ?6)`;
const EVENT = `INSERT INTO events (${EVENT_COLUMNS})
  SELECT ?1, (SELECT coalesce(max(position), 0) FROM events WHERE program_id = ?1) + 1, 'commission.created', ?2, 0, ?3, ?4, 'key', 'bench', ?5`;

const AMOUNT = 1234;
const SHA = "0".repeat(64);

/** Five statements, one round trip; resolves with the rows written. */
export const bareRecord = async (db: D1Database, bare: BareRecord): Promise<number> => {
  const { programId, affiliateId, seq, orderId } = bare;
  const at = Date.now();
  const com = `com_${affiliateId.slice(-12)}${String(seq).padStart(14, "0")}`;
  const commission = {
    id: com,
    affiliateId,
    externalId: orderId,
    kind: "sale",
    currency: "USD",
    amount: AMOUNT,
  };
  const verdict = JSON.stringify({
    kind: "commission",
    commission: { ...commission, status: "approved", requestSha: SHA },
  });
  const data = {
    object: "commission",
    id: com,
    affiliate_id: affiliateId,
    status: "approved",
    amount: AMOUNT,
    currency: "USD",
  };
  const results = await db.batch([
    db.prepare(TURN).bind(affiliateId, seq, programId, `s:record:${orderId}`, SHA, verdict, at),
    db.prepare(ENTRY).bind(affiliateId, seq, AMOUNT, com),
    db.prepare(BALANCE).bind(affiliateId, seq, AMOUNT),
    db.prepare(COMMISSION).bind(programId, com, affiliateId, orderId, AMOUNT, at, SHA),
    db.prepare(EVENT).bind(programId, at, affiliateId, seq, JSON.stringify(data)),
  ]);
  return results.reduce((sum, { meta }) => sum + meta.rows_written, 0);
};
