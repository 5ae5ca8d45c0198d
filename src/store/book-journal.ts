// The journal's part of a batch: entries, balances and the events that announce them.
import { ACCOUNTS, type Account } from "../domain/ledger/book.ts";
import type { DecidedTurn } from "./book.ts";
import { chunksOf, guardOf } from "./statements.ts";

const ENTRIES = `INSERT INTO entries (affiliate_id, seq, line, kind, currency, from_account, to_account, amount, commission_id, payout_id, note)
  SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7, value ->> 8, value ->> 9, value ->> 10 FROM json_each(?1)`;

export const entryStatement = (db: D1Database, turns: readonly DecidedTurn[]): D1PreparedStatement[] => {
  const rows = turns.flatMap(({ book, change }) =>
    change.entries.map((e, line) => [
      book.affiliateId,
      book.seq + 1,
      line,
      e.kind,
      e.currency,
      e.from,
      e.to,
      e.amount,
      e.commissionId,
      e.payoutId,
      e.note,
    ]),
  );
  return chunksOf(rows).map(({ json }) => db.prepare(ENTRIES).bind(json));
};

interface Delta {
  readonly affiliateId: string;
  readonly currency: string;
  seq: number;
  readonly isNew: boolean;
  readonly by: Record<Account, number>;
}

const deltasOf = (turns: readonly DecidedTurn[]): Delta[] => {
  const deltas = new Map<string, Delta>();
  for (const { book, change } of turns) {
    for (const { currency, from, to, amount } of change.entries) {
      const key = `${book.affiliateId} ${currency}`;
      const known = deltas.get(key);
      const delta = known ?? {
        affiliateId: book.affiliateId,
        currency,
        seq: 0,
        isNew: book.balances[currency] === undefined,
        by: { program: 0, pending: 0, available: 0, reserved: 0, paid: 0, recovery: 0, store_credit: 0 },
      };
      delta.by[from] -= amount;
      delta.by[to] += amount;
      delta.seq = book.seq + 1;
      if (known === undefined) deltas.set(key, delta);
    }
  }
  return [...deltas.values()];
};

const BOUNDED = ["pending", "available", "reserved", "paid", "store_credit"] as const;

/** An upsert proposes the delta as a row, which the CHECKs refuse where an account with a bound would go down. */
const fitsUpsert = ({ isNew, by }: Delta): boolean =>
  isNew || (by.recovery <= 0 && BOUNDED.every((account) => by[account] >= 0));

const RAISED_BALANCES = `INSERT INTO balances (affiliate_id, currency, seq, ${ACCOUNTS.join(", ")})
  SELECT value ->> 0, value ->> 1, value ->> 2, ${ACCOUNTS.map((_, i) => `value ->> ${i + 3}`).join(", ")} FROM json_each(?1) WHERE true
  ON CONFLICT DO UPDATE SET seq = excluded.seq, ${ACCOUNTS.map((account) => `${account} = ${account} + excluded.${account}`).join(", ")}`;

/** By increments. */
const MOVED_BALANCES = `UPDATE balances SET seq = j.seq, ${ACCOUNTS.map((account) => `${account} = balances.${account} + j.${account}`).join(", ")}
  FROM (SELECT value ->> 0 AS aff, value ->> 1 AS cur, value ->> 2 AS seq, ${ACCOUNTS.map((account, i) => `value ->> ${i + 3} AS ${account}`).join(", ")} FROM json_each(?1)) j
  WHERE balances.affiliate_id = j.aff AND balances.currency = j.cur`;

export const balanceStatements = (db: D1Database, turns: readonly DecidedTurn[]): D1PreparedStatement[] => {
  const deltas = deltasOf(turns);
  const rows = (isRaised: boolean) =>
    deltas
      .filter((delta) => fitsUpsert(delta) === isRaised)
      .map((d) => [d.affiliateId, d.currency, d.seq, ...ACCOUNTS.map((account) => d.by[account])]);
  return [
    ...chunksOf(rows(true)).map(({ json }) => db.prepare(RAISED_BALANCES).bind(json)),
    ...chunksOf(rows(false)).flatMap(({ json, count }) => [
      db.prepare(MOVED_BALANCES).bind(json),
      guardOf(db, count),
    ]),
  ];
};

const EVENTS = `INSERT INTO events (program_id, position, type, at, livemode, affiliate_id, sequence, actor_type, actor_id, data)
  SELECT ?1, (SELECT coalesce(max(position), 0) FROM events WHERE program_id = ?1) + 1 + j.key,
    j.value ->> 0, j.value ->> 1, j.value ->> 2, j.value ->> 3, j.value ->> 4, j.value ->> 5, j.value ->> 6, j.value ->> 7
  FROM json_each(?2) j`;

export const eventStatements = (db: D1Database, turns: readonly DecidedTurn[]): D1PreparedStatement[] => {
  const programId = turns[0]?.book.programId;
  if (programId === undefined) return [];
  const rows = turns.flatMap(({ book, change, actor, at }) =>
    change.events.map((event, i) => [
      event.type,
      at,
      book.livemode ? 1 : 0,
      book.affiliateId,
      book.eventSeq + 1 + i,
      actor.type,
      actor.id,
      JSON.stringify(event.data),
    ]),
  );
  return chunksOf(rows).map(({ json }) => db.prepare(EVENTS).bind(programId, json));
};

/** One commission.paid per commission of a settled payout, however many there are. */
const PAID_LINES = `INSERT INTO events (program_id, position, type, at, livemode, affiliate_id, sequence, actor_type, actor_id, data)
  SELECT ?1, (SELECT coalesce(max(position), 0) FROM events WHERE program_id = ?1) + c.n, 'commission.paid', ?3, ?4, ?5, ?6 + c.n, ?7, ?8,
    json_object('object', 'commission', 'id', c.id, 'affiliate_id', ?5, 'payout_id', ?2, 'status', 'paid', 'previous_status', 'processing',
      'amount', c.amount - c.reduced, 'currency', c.currency)
  FROM (SELECT id, amount, reduced, currency, row_number() OVER (ORDER BY id) AS n FROM commissions WHERE payout_id = ?2 AND status = 'paid') c`;

export const paidLineStatement = (db: D1Database, turns: readonly DecidedTurn[]): D1PreparedStatement[] =>
  turns.flatMap(({ book, change, actor, at }) => {
    const { paidLines } = change;
    if (paidLines === undefined) return [];
    return [
      db
        .prepare(PAID_LINES)
        .bind(
          book.programId,
          paidLines.payoutId,
          at,
          book.livemode ? 1 : 0,
          book.affiliateId,
          book.eventSeq + change.events.length,
          actor.type,
          actor.id,
        ),
      guardOf(db, paidLines.count),
    ];
  });
