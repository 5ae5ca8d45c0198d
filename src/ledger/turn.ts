// One turn: read the book, decide, commit; stale means read and decide again, a lost answer means the same batch again.
import type { Book, TurnAnswer, TurnRequest } from "../domain/ledger/book.ts";
import { fitsCachedBook, needsOf, sendsMoney } from "../domain/ledger/command.ts";
import { decide, emptyChange, fold } from "../domain/ledger/decide.ts";
import { refuse } from "../domain/refusals.ts";
import { type CommitOutcome, commitTurns, type DecidedTurn } from "../store/book.ts";
import { loadBook } from "../store/book-load.ts";

export interface LedgerPorts {
  readonly db: D1Database;
  now(): number;
  sleep(ms: number): Promise<void>;
}

/** What the object keeps between turns: the head as last committed, for turns that need nothing more. */
export interface Seat {
  book: Book | undefined;
}

/** The object's own memory of its last begin_payment. */
export interface Mark {
  readonly seq: number;
  readonly commandId: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

const STALE_MAX = 5;

const isClientKey = (commandId: string): boolean => commandId.startsWith("k:");

const refused = (refusal: ReturnType<typeof refuse>): TurnAnswer => ({
  kind: "refused",
  refusal: refusal.refusal,
});

export const takeTurn = async (
  ports: LedgerPorts,
  storage: DurableObjectStorage,
  seat: Seat,
  request: TurnRequest,
): Promise<TurnAnswer> => {
  const { kind } = request.command;
  const known =
    sendsMoney(request.command) || kind === "confirm_book" ? await storage.get<Mark>("begun") : undefined;
  const mark = kind === "confirm_book" ? undefined : known;
  for (let stale = 0; stale < STALE_MAX; stale++) {
    const cached = stale === 0 && fitsCachedBook(request.command) ? seat.book : undefined;
    const answer =
      (await tryTurn(ports, seat, request, cached, mark)) ??
      (cached === undefined ? undefined : await tryTurn(ports, seat, request, undefined, mark));
    if (answer === undefined) continue;
    // A repeated confirmation confirms nothing that came after it.
    if (answer.kind === "done" && kind === "confirm_book" && known !== undefined && known.at <= answer.at)
      await confirm(storage);
    if (
      answer.kind === "done" &&
      answer.written &&
      request.command.kind === "begin_payment" &&
      answer.result.kind === "attempt"
    ) {
      if (answer.seq > (mark?.seq ?? 0))
        await storage.put("begun", {
          seq: answer.seq,
          commandId: request.commandId,
          at: answer.at,
        } satisfies Mark);
    }
    return answer;
  }
  return { kind: "busy", retryAfterS: 1 };
};

/** From now on each payment looks before it sends, also the first of a payout: the numbers of attempts start again after a restore. */
const confirm = async (storage: DurableObjectStorage): Promise<void> => {
  await storage.put("confirmed", true);
  await storage.delete("begun");
};

/** undefined where the book moved meanwhile, or where a refusal was decided on a book that was not read in this turn. */
const tryTurn = async (
  ports: LedgerPorts,
  seat: Seat,
  request: TurnRequest,
  cached: Book | undefined,
  mark: Mark | undefined,
): Promise<TurnAnswer | undefined> => {
  const realNow = ports.now();
  const loaded =
    cached === undefined
      ? await loadBook(ports.db, { ...request, needs: needsOf(request.command), now: realNow, mark })
      : undefined;
  const book = loaded?.book ?? cached;
  if (book === undefined) throw new Error("a turn without a book");
  if (loaded?.replay !== undefined) {
    const { replay } = loaded;
    return replay.requestSha === request.requestSha
      ? {
          kind: "done",
          result: replay.result,
          seq: replay.seq,
          at: replay.at,
          replayed: true,
          written: request.command.kind === "begin_payment",
        }
      : refused(refuse("idempotency_mismatch", "This idempotency key was used for another request."));
  }
  if (loaded?.markFound === false) {
    return refused(
      refuse(
        "book_rewound",
        "The book was restored to a point before this affiliate's last payment: reconcile with the provider before paying again.",
      ),
    );
  }
  const now = realNow + (book.clockOffset ?? 0);
  const facts = { now, realNow, actor: request.actor, mint: request.mint };
  const verdict = decide(book, request.command, facts);
  if (verdict.kind === "refused")
    return cached === undefined ? { kind: "refused", refusal: verdict.refusal } : undefined;
  // A client's key is taken also where there was nothing to do: repeated later, it must not find something.
  if (verdict.kind === "unchanged" && !isClientKey(request.commandId))
    return { kind: "done", result: verdict.result, seq: book.seq, at: now, replayed: false, written: false };
  const turn: DecidedTurn = {
    book,
    change: verdict.kind === "change" ? verdict.change : emptyChange(book, facts),
    result: verdict.result,
    commandId: request.commandId,
    requestSha: request.requestSha,
    actor: request.actor,
    at: now,
  };
  return committed(
    seat,
    turn,
    await commitTurns(ports.db, [turn], ports.sleep).catch((fault) => forget(seat, fault)),
  );
};

/** After a fault nothing is known of the head: the next turn reads it. */
const forget = (seat: Seat, fault: unknown): never => {
  seat.book = undefined;
  throw fault;
};

const committed = (seat: Seat, turn: DecidedTurn, outcome: CommitOutcome): TurnAnswer | undefined => {
  seat.book = undefined;
  switch (outcome.kind) {
    case "committed":
      seat.book = fold(turn.book, turn.change);
      return {
        kind: "done",
        result: turn.result,
        seq: turn.book.seq + 1,
        at: turn.at,
        replayed: false,
        written: true,
      };
    case "stale":
      return undefined;
    case "external_id_taken":
      return refused(
        refuse("duplicate_external_id", "This external_id is taken.", { pointer: "/external_id" }),
      );
    case "capped":
      return refused(
        refuse(
          "daily_limit_reached",
          "The program's daily payout limit in this currency is reached; raise it or pay tomorrow.",
        ),
      );
  }
};
