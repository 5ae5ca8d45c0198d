// The only writer of money: one D1 batch per list of turns, all or nothing, whatever of it is stale or doubled.

import type { Actor } from "../domain/events.ts";
import type { Book, Change, Result } from "../domain/ledger/book.ts";
import { eventCountOf } from "../domain/ledger/decide.ts";
import { balanceStatements, entryStatement, eventStatements, paidLineStatement } from "./book-journal.ts";
import { lineStatements, objectStatements } from "./book-objects.ts";
import { chunksOf } from "./statements.ts";

/** A decided turn, ready to be committed: everything in it stays the same when it is tried again. */
export interface DecidedTurn {
  readonly book: Book;
  readonly change: Change;
  readonly result: Result;
  readonly commandId: string;
  readonly requestSha: string;
  readonly actor: Actor;
  readonly at: number;
}

/** A run's own record of one affiliate and currency, written with the turns or alone. */
export interface RunItem {
  readonly runId: string;
  readonly affiliateId: string;
  readonly currency: string;
  readonly payoutId: string | null;
  readonly reason: string | null;
  readonly blockers: string | null;
}

export type CommitOutcome =
  | { readonly kind: "committed" }
  /** The fence, the policy's version or a guard says that the book moved: read it again. */
  | { readonly kind: "stale" }
  /** Someone else holds this external_id. */
  | { readonly kind: "external_id_taken" }
  /** The counter's cap. */
  | { readonly kind: "capped" };

/** Turns are kept for ever, and an address is a person's: where money goes stands in the attempt's own row, from which a replay takes it. */
const verdictOf = ({ result }: DecidedTurn): string =>
  JSON.stringify(
    result.kind === "attempt"
      ? { ...result, attempt: { ...result.attempt, destination: "", request: "" } }
      : result,
  );

const turnRow = (turn: DecidedTurn): (string | number)[] => [
  turn.book.affiliateId,
  turn.book.seq + 1,
  turn.book.programId,
  turn.commandId,
  turn.requestSha,
  verdictOf(turn),
  turn.book.eventSeq + eventCountOf(turn.change),
  turn.at,
];

/** Aborts the batch where the program's policy is not the one that the turns were decided on. */
const TURNS = `INSERT INTO turns (affiliate_id, seq, program_id, command_id, request_sha, verdict, event_seq, at)
  SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6,
    iif((SELECT policy_version FROM programs WHERE id = ?2) = ?3, value ->> 7, json('policy')) FROM json_each(?1)`;

const RUN_ITEMS = `INSERT INTO run_items (run_id, affiliate_id, currency, payout_id, reason, blockers)
  SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 FROM json_each(?1) WHERE true
  ON CONFLICT DO NOTHING`;

export const runItemStatements = (db: D1Database, items: readonly RunItem[]): D1PreparedStatement[] =>
  chunksOf(
    items.map((item) => [
      item.runId,
      item.affiliateId,
      item.currency,
      item.payoutId,
      item.reason,
      item.blockers,
    ]),
  ).map(({ json }) => db.prepare(RUN_ITEMS).bind(json));

/** The statements of one batch for turns of one program; several turns of one affiliate must follow each other. */
export const turnStatements = (db: D1Database, turns: readonly DecidedTurn[]): D1PreparedStatement[] => {
  const first = turns[0];
  if (first === undefined) return [];
  const { programId, policyVersion } = first.book;
  return [
    ...chunksOf(turns.map(turnRow)).map(({ json }) => db.prepare(TURNS).bind(json, programId, policyVersion)),
    ...entryStatement(db, turns),
    ...balanceStatements(db, turns),
    ...objectStatements(db, turns),
    ...lineStatements(db, turns),
    ...eventStatements(db, turns),
    ...paidLineStatement(db, turns),
  ];
};

/** Every message down the chain of causes: drizzle hides D1's own text there. */
const messagesOf = (error: unknown): string => {
  const texts: string[] = [];
  for (let at: unknown = error; at instanceof Error; at = at.cause) texts.push(at.message);
  return texts.join(" | ");
};

const LOST = [
  "Network connection lost",
  "reset because its code was updated",
  "storage caused object to be reset",
  "Cannot resolve D1 DB due to transient issue",
  "D1 DB is overloaded",
];

/** Nothing is known of this batch: it may have been committed. */
export const isLostAnswer = (error: unknown): boolean => {
  const text = messagesOf(error);
  return LOST.some((part) => text.includes(part));
};

const outcomeOf = (error: unknown): CommitOutcome => {
  const text = messagesOf(error);
  if (
    text.includes("fence") ||
    text.includes("malformed JSON") ||
    text.includes("UNIQUE constraint failed: turns.")
  )
    return { kind: "stale" };
  if (text.includes("UNIQUE constraint failed: balances.")) return { kind: "stale" };
  if (
    /UNIQUE constraint failed: (commissions|affiliates|refunds)\.program_id, \1\.(commission_id, \1\.)?external_id/.test(
      text,
    )
  )
    return { kind: "external_id_taken" };
  if (text.includes("counters_cap")) return { kind: "capped" };
  throw error;
};

/** How often a batch whose answer was lost is sent again, as it stands; its command ids make that safe. */
const RESENDS = 4;

export const commitTurns = async (
  db: D1Database,
  turns: readonly DecidedTurn[],
  sleep: (ms: number) => Promise<void>,
  more: readonly D1PreparedStatement[] = [],
): Promise<CommitOutcome> => {
  const statements = [...turnStatements(db, turns), ...more];
  if (statements.length === 0) return { kind: "committed" };
  for (let tried = 1; ; tried++) {
    try {
      await db.batch(statements);
      return { kind: "committed" };
    } catch (error) {
      if (!isLostAnswer(error)) return outcomeOf(error);
      if (tried === RESENDS) throw error;
      await sleep(50 * 4 ** (tried - 1));
    }
  }
};
