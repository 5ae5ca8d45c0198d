// Says that what a session selected was paid outside: every row with one note, or only the payments that are named.
import type { Ctx } from "../context.ts";
import type { AffiliateId } from "../domain/ids.ts";
import type { Currency } from "../domain/money.ts";
import { Refused, refuse } from "../domain/refusals.ts";
import type { SessionId, SessionRow } from "../domain/session.ts";
import { type Ref, resolveAffiliates } from "../store/refs.ts";
import { findRows, listWork } from "../store/session-rows.ts";
import { applyTurn } from "./apply-turn.ts";
import {
  type Act,
  claiming,
  gather,
  openSession,
  ROWS_PER_CALL,
  type RowFailure,
  type SessionOutcome,
  workOn,
} from "./work-session.ts";

/** What a person says of payments made outside. Instants are epoch milliseconds. */
export interface Note {
  readonly externalRef: string | null;
  readonly paidAt: number | null;
  readonly adminNote: string | null;
  readonly partnerMessage: string | null;
}

export interface NotedPayment extends Omit<Note, "paidAt"> {
  readonly affiliate: Ref<AffiliateId>;
  readonly currency: Currency;
  /** What was paid, minor units; null where nobody says. */
  readonly amount: number | null;
}

/** Before anything is claimed: what was paid must be what the row shows. */
const assertAmount = (row: SessionRow, amount: number | null): void => {
  const due = row.payout?.amount ?? row.amount;
  if (amount === null || amount === due) return;
  const facts = { amount: due };
  const detail = `The row is ${due}, not ${amount}; read the summary again.`;
  throw new Refused(refuse("amount_changed", detail, { pointer: "/amount", facts }).refusal);
};

const markByHand =
  (ctx: Ctx, noteOf: (row: SessionRow) => Note & { readonly amount: number | null }): Act =>
  (row, claim) => {
    const { amount, ...note } = noteOf(row);
    assertAmount(row, amount);
    return claiming(async ({ affiliateId }, payoutId, isNew) => {
      // A fresh claim is marked at the sum that the person saw.
      const paid = amount ?? (isNew ? row.amount : null);
      const command = { kind: "mark_paid", payoutId, paidVia: null, amount: paid, ...note } as const;
      return (await applyTurn(ctx, affiliateId, command, { commandId: undefined, requestSha: "" }, "payout"))
        .result.payout;
    })(row, claim);
  };

/** Every row with one note. */
export const markSessionPaid = async (
  ctx: Ctx,
  sessionId: SessionId,
  note: Note,
): Promise<SessionOutcome> => {
  const view = await openSession(ctx, sessionId);
  if (view.session.selection?.bulk === false) {
    const detail = "The selection is not in bulk mode: say of each payment that it was made.";
    throw new Refused(refuse("payments_required", detail, { pointer: "/payments" }).refusal);
  }
  const unpaid = await listWork(ctx.db, ctx.program.id, sessionId, "unpaid", ROWS_PER_CALL);
  // All of it is paid: the same call again says the same, another reference is refused.
  const rows =
    unpaid.length > 0 ? unpaid : await listWork(ctx.db, ctx.program.id, sessionId, "all", ROWS_PER_CALL);
  const act = markByHand(ctx, () => ({ ...note, amount: null }));
  const outcomes = await workOn(ctx, view, rows, act);
  return gather(ctx, view, { rows, outcomes }, "unpaid");
};

const isUnpaid = ({ payout }: SessionRow): boolean =>
  payout === null || (payout.status !== "paid" && payout.status !== "returned");

/** Where an affiliate has several rows in a currency, the first that is not paid, and of the sum that was paid. */
const rowFor = (rows: readonly SessionRow[], amount: number | null): SessionRow | undefined => {
  const open = rows.filter(isUnpaid);
  const due = (row: SessionRow): number => row.payout?.amount ?? row.amount;
  return open.find((row) => due(row) === amount) ?? open[0] ?? rows.at(-1);
};

const notSelected = (isNamed: boolean): Refused => {
  const detail = isNamed
    ? "Another payment of the request names the same row."
    : "The session has nothing selected of this affiliate in this currency.";
  return new Refused(refuse("not_selected", detail).refusal);
};

/** Only the payments that are named. */
export const markPaymentsPaid = async (
  ctx: Ctx,
  sessionId: SessionId,
  payments: readonly NotedPayment[],
  paidAt: number | null,
): Promise<SessionOutcome> => {
  const view = await openSession(ctx, sessionId);
  const { db, program } = ctx;
  const ids = await resolveAffiliates(
    db,
    program.id,
    payments.map(({ affiliate }) => affiliate),
  );
  const pairs = payments.flatMap(({ currency }, i) => {
    const affiliateId = ids[i];
    return affiliateId === undefined ? [] : [{ affiliateId, currency }];
  });
  const found = await findRows(db, program.id, sessionId, pairs);
  const named = new Map<SessionRow, number>();
  const strangers: RowFailure[] = [];
  for (const [index, { currency, amount }] of payments.entries()) {
    const affiliateId = ids[index] ?? null;
    const own = found.filter((row) => row.affiliateId === affiliateId && row.currency === currency);
    const row = rowFor(own, amount);
    if (row !== undefined && !named.has(row)) named.set(row, index);
    else
      strangers.push({
        affiliateId,
        currency,
        index,
        thrown: notSelected(row !== undefined),
        payoutId: null,
      });
  }
  const rows = [...named.keys()];
  const act = markByHand(ctx, (row) => {
    const payment = payments[named.get(row) ?? -1];
    if (payment === undefined) throw new Error("a row that no payment names");
    const { affiliate: _affiliate, currency: _currency, ...note } = payment;
    return { ...note, paidAt };
  });
  const outcomes = await workOn(ctx, view, rows, act);
  const outcome = await gather(ctx, view, { rows, outcomes }, "unpaid", (row) => named.get(row) ?? null);
  // Whatever is not named was not asked for.
  return { ...outcome, failed: [...outcome.failed, ...strangers], remaining: 0 };
};
