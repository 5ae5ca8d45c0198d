// Works on the rows of a session: each is claimed in one turn and paid in the next, and what came of it is remembered.
import type { Ctx } from "../context.ts";
import type { AffiliateId, PayoutId } from "../domain/ids.ts";
import type { Currency } from "../domain/money.ts";
import type { Payout } from "../domain/payout.ts";
import { Refused, refuse } from "../domain/refusals.ts";
import type { SessionId, SessionRow } from "../domain/session.ts";
import { countUntried, type RowTry, readChanges, writeTries } from "../store/session-rows.ts";
import { type SessionView, writeStatus } from "../store/sessions.ts";
import { eachByAffiliate, type Settled } from "./by-affiliate.ts";
import { changeAgainst, claimRow } from "./claim-session-row.ts";
import { requireSession } from "./start-session.ts";

/** Rows that one call claims and pays; the next call goes on. */
export const ROWS_PER_CALL = 200;

export interface RowFailure {
  readonly affiliateId: AffiliateId | null;
  readonly currency: Currency;
  /** As the request names it, where it does. */
  readonly index: number | null;
  readonly thrown: unknown;
  /** The session's own payout, where the row was claimed. */
  readonly payoutId: PayoutId | null;
}

export interface SessionOutcome {
  readonly view: SessionView;
  readonly payouts: readonly Payout[];
  readonly failed: readonly RowFailure[];
  /** Rows that no call has come to yet. */
  readonly remaining: number;
}

/** Thrown by a row that was claimed and could not be paid. */
class Unpaid extends Error {
  readonly payoutId: PayoutId;
  constructor(payoutId: PayoutId, cause: unknown) {
    super("claimed and not paid", { cause });
    this.payoutId = payoutId;
  }
}

export type Act = (row: SessionRow, claim: () => Promise<{ readonly id: PayoutId }>) => Promise<Payout>;

/** Claims the row, then pays what it claimed. */
export const claiming = (
  act: (row: SessionRow, payoutId: PayoutId, isNew: boolean) => Promise<Payout>,
): Act => {
  return async (row, claim) => {
    const { id } = await claim();
    return act(row, id, row.payout === null).catch((cause) => {
      throw new Unpaid(id, cause);
    });
  };
};

const failureOf = (row: SessionRow, index: number | null, thrown: unknown): RowFailure => ({
  affiliateId: row.affiliateId,
  currency: row.currency,
  index,
  thrown: thrown instanceof Unpaid ? thrown.cause : thrown,
  payoutId: thrown instanceof Unpaid ? thrown.payoutId : (row.payout?.id ?? null),
});

const triesOf = (rows: readonly SessionRow[], outcomes: readonly Settled<Payout>[]): RowTry[] =>
  rows.flatMap((row, i): RowTry[] => {
    const outcome = outcomes[i];
    if (outcome === undefined) return [];
    if (outcome.ok) return [{ row, failure: null }];
    const { thrown } = failureOf(row, null, outcome.thrown);
    const refusal = thrown instanceof Refused ? thrown.refusal : undefined;
    const failure = {
      code: refusal?.code ?? "busy",
      detail: refusal?.detail ?? "It could not be finished; pay the session again.",
    };
    return [{ row, failure }];
  });

/** What the session remembers of the call is for people; what happened to the money stands in the books already. */
const remember = async (ctx: Ctx, view: SessionView, work: Promise<unknown>): Promise<void> => {
  await work.catch((fault) =>
    ctx.log({
      event: "session_not_noted",
      session_id: view.session.id,
      name: fault instanceof Error ? fault.name : "unknown",
    }),
  );
};

export const settleStatus = async (ctx: Ctx, sessionId: SessionId): Promise<SessionView> => {
  const view = await requireSession(ctx, sessionId);
  if (view.status === view.session.status) return view;
  await remember(ctx, view, writeStatus(ctx.db, ctx.program.id, sessionId, view.status, ctx.now()));
  return view;
};

export const workOn = async (
  ctx: Ctx,
  view: SessionView,
  rows: readonly SessionRow[],
  act: Act,
): Promise<readonly Settled<Payout>[]> => {
  const { session } = view;
  const changes = await readChanges(ctx.db, ctx.program.id, session.id, rows);
  const outcomes = await eachByAffiliate(
    rows,
    ({ affiliateId }) => affiliateId,
    (row) =>
      act(row, async () => {
        const changed = row.payout === null ? changeAgainst(session, row, changes) : undefined;
        if (changed !== undefined) throw changed;
        return claimRow(ctx, session, row);
      }),
  );
  await remember(ctx, view, writeTries(ctx.db, session.id, triesOf(rows, outcomes)));
  return outcomes;
};

export const gather = async (
  ctx: Ctx,
  view: SessionView,
  worked: { readonly rows: readonly SessionRow[]; readonly outcomes: readonly Settled<Payout>[] },
  which: "unsent" | "unpaid",
  indexOf: (row: SessionRow) => number | null = () => null,
): Promise<SessionOutcome> => ({
  payouts: worked.outcomes.flatMap((outcome) => (outcome.ok ? [outcome.value] : [])),
  failed: worked.outcomes.flatMap((outcome, i) => {
    const row = worked.rows[i];
    return outcome.ok || row === undefined ? [] : [failureOf(row, indexOf(row), outcome.thrown)];
  }),
  remaining: await countUntried(ctx.db, ctx.program.id, view.session.id, which),
  view: await settleStatus(ctx, view.session.id),
});

export const openSession = async (ctx: Ctx, sessionId: SessionId): Promise<SessionView> => {
  const view = await requireSession(ctx, sessionId);
  if (view.status === "cancelled")
    throw new Refused(refuse("invalid_state", "The session is cancelled; start another one.").refusal);
  if (view.tally.rows === 0)
    throw new Refused(refuse("nothing_claimed", "Nothing is selected: select what to pay first.").refusal);
  return view;
};
