// A turn in the making: working copies that the rules move about, and the change that they add up to.
import type { Affiliate } from "../affiliate.ts";
import type { Commission } from "../commission.ts";
import { type Actor, actorName, type EventDraft, type EventType } from "../events.ts";
import { type CommissionId, nthBody, type PayoutId } from "../ids.ts";
import type { Currency } from "../money.ts";
import type { Attempt, Payout, PayoutStatus } from "../payout.ts";
import type { Refusal } from "../refusals.ts";
import {
  type Account,
  type Balance,
  type Book,
  type Capped,
  type Change,
  type Entry,
  type EntryKind,
  type FiledForm,
  type LinesChange,
  type Refund,
  type Result,
  ZERO_BALANCE,
} from "./book.ts";

export type Step =
  | { readonly result: Result }
  | { readonly unchanged: Result }
  | { readonly refusal: Refusal };

export interface Draft {
  readonly book: Book;
  /** The program's clock. */
  readonly now: number;
  /** What attempts go by: providers know nothing of a program's clock. */
  readonly realNow: number;
  readonly actor: Actor;
  readonly mint: string;
  minted: number;
  readonly balances: Map<Currency, Record<Account, number>>;
  readonly entries: Entry[];
  readonly insertedCommissions: Commission[];
  readonly updatedCommissions: Map<CommissionId, Commission>;
  readonly refunds: Refund[];
  insertedPayout: Payout | undefined;
  updatedPayout: Payout | undefined;
  readonly lines: LinesChange[];
  insertedAttempt: Attempt | undefined;
  updatedAttempt: Attempt | undefined;
  insertedAffiliate: Affiliate | undefined;
  updatedAffiliate: Affiliate | undefined;
  insertedTaxForm: FiledForm | undefined;
  invoiced: PayoutId | undefined;
  creditNoted: PayoutId | undefined;
  capped: Capped | undefined;
  readonly events: EventDraft[];
  paidLines: { payoutId: PayoutId; count: number } | undefined;
}

export const newDraft = (
  book: Book,
  now: number,
  actor: Actor,
  mint: string,
  realNow: number = now,
): Draft => ({
  book,
  now,
  realNow,
  actor,
  mint,
  minted: 0,
  balances: new Map(Object.entries(book.balances).map(([currency, balance]) => [currency, { ...balance }])),
  entries: [],
  insertedCommissions: [],
  updatedCommissions: new Map(),
  refunds: [],
  lines: [],
  events: [],
  insertedPayout: undefined,
  updatedPayout: undefined,
  insertedAttempt: undefined,
  updatedAttempt: undefined,
  insertedAffiliate: undefined,
  updatedAffiliate: undefined,
  insertedTaxForm: undefined,
  invoiced: undefined,
  creditNoted: undefined,
  capped: undefined,
  paidLines: undefined,
});

/** The next id body of this turn; the same sequence on every retry of it. */
export const nextBody = (draft: Draft): string => nthBody(draft.mint, draft.minted++);

export const balanceOf = (draft: Draft, currency: Currency): Balance =>
  draft.balances.get(currency) ?? ZERO_BALANCE;

/** What the affiliate owes in a currency, zero or more. */
export const owedOf = (draft: Draft, currency: Currency): number => 0 - balanceOf(draft, currency).recovery;

interface EntryRefs {
  readonly commissionId?: CommissionId;
  readonly payoutId?: PayoutId;
  readonly note?: string;
}

/** One journal entry; an amount of zero writes none, and an account that would cross its bound (I3) is a fault. */
export const move = (
  draft: Draft,
  kind: EntryKind,
  currency: Currency,
  from: Account,
  to: Account,
  amount: number,
  refs: EntryRefs = {},
): void => {
  if (amount === 0) return;
  if (!Number.isSafeInteger(amount) || amount < 0) throw new Error(`I8: entry ${kind} of ${amount}`);
  const balance = draft.balances.get(currency) ?? { ...ZERO_BALANCE };
  balance[from] -= amount;
  balance[to] += amount;
  draft.balances.set(currency, balance);
  draft.entries.push({
    kind,
    currency,
    from,
    to,
    amount,
    commissionId: refs.commissionId ?? null,
    payoutId: refs.payoutId ?? null,
    note: refs.note ?? null,
  });
};

const BOUNDED: readonly Account[] = ["pending", "available", "reserved", "paid", "store_credit"];

/** I3 and I8 over the whole draft: rules must never bring an account over its bound. */
const assertBounds = (draft: Draft): void => {
  for (const [currency, balance] of draft.balances) {
    for (const account of BOUNDED) {
      if (balance[account] < 0) throw new Error(`I3: ${account} ${currency} would be ${balance[account]}`);
    }
    if (balance.recovery > 0) throw new Error(`I3: recovery ${currency} would be ${balance.recovery}`);
    if (!Number.isSafeInteger(balance.program))
      throw new Error(`I8: program ${currency} leaves the safe integers`);
  }
};

export const announce = (draft: Draft, type: EventType, data: EventDraft["data"]): void => {
  draft.events.push({ type, data });
};

export const putCommission = (draft: Draft, commission: Commission): Commission => {
  const touched = { ...commission, updatedAt: draft.now };
  draft.updatedCommissions.set(commission.id, touched);
  return touched;
};

export const announceCommission = (
  draft: Draft,
  type: EventType,
  commission: Commission,
  previous: string | undefined,
  amount: number,
): void =>
  announce(draft, type, {
    object: "commission",
    id: commission.id,
    affiliate_id: commission.affiliateId,
    status: commission.status,
    ...(previous === undefined ? {} : { previous_status: previous }),
    ...(commission.payoutId === null ? {} : { payout_id: commission.payoutId }),
    amount,
    currency: commission.currency,
  });

/** Puts the payout's new shape into the change; a new status is written into its history. */
export const putPayout = (draft: Draft, before: Payout, patch: Partial<Payout>): Payout => {
  const status = patch.status ?? before.status;
  const step = { at: draft.now, from: before.status, to: status, actor: actorName(draft.actor) };
  const history = status === before.status ? before.history : [...before.history, step];
  const after = { ...before, ...patch, history, updatedAt: draft.now };
  draft.updatedPayout = after;
  return after;
};

export const announcePayout = (
  draft: Draft,
  type: EventType,
  payout: Payout,
  previous: PayoutStatus | undefined,
  reason?: string,
): void =>
  announce(draft, type, {
    object: "payout",
    id: payout.id,
    affiliate_id: payout.affiliateId,
    status: payout.status,
    ...(previous === undefined ? {} : { previous_status: previous }),
    amount: payout.amount,
    currency: payout.currency,
    ...(reason === undefined ? {} : { reason }),
  });

export const announceRecovery = (draft: Draft, currency: Currency): void =>
  announce(draft, "recovery.changed", {
    object: "recovery",
    id: draft.book.affiliateId,
    affiliate_id: draft.book.affiliateId,
    amount: owedOf(draft, currency),
    currency,
  });

export const changeOf = (draft: Draft): Change => {
  assertBounds(draft);
  return {
    entries: draft.entries,
    insertedCommissions: draft.insertedCommissions,
    updatedCommissions: [...draft.updatedCommissions.values()],
    refunds: draft.refunds,
    insertedPayout: draft.insertedPayout,
    updatedPayout: draft.updatedPayout,
    lines: draft.lines,
    insertedAttempt: draft.insertedAttempt,
    updatedAttempt: draft.updatedAttempt,
    insertedAffiliate: draft.insertedAffiliate,
    updatedAffiliate: draft.updatedAffiliate,
    insertedTaxForm: draft.insertedTaxForm,
    invoiced: draft.invoiced,
    creditNoted: draft.creditNoted,
    capped: draft.capped,
    events: draft.events,
    paidLines: draft.paidLines,
  };
};
