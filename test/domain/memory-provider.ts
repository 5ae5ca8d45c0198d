// A provider that remembers every transfer it made, whatever the book was told: the truth that paid payouts are held against.
import type { AttemptId, PayoutId } from "../../src/domain/ids.ts";
import type { Currency } from "../../src/domain/money.ts";
import type { Attempt } from "../../src/domain/payout.ts";

export interface Transfer {
  readonly key: string;
  readonly attemptId: AttemptId;
  readonly payoutId: PayoutId;
  readonly amount: number;
  readonly currency: Currency;
  readonly destination: string;
  returned: number;
  /** False while the provider may still fail it. */
  final: boolean;
  /** Made, or found, after the book had been told that it was refused. */
  late: boolean;
  /** The book was told of the late payment. */
  lateKnown: boolean;
}

/** What people and providers did, noted beside the book and never read from it. */
export interface Truth {
  readonly transfers: Map<string, Transfer>;
  readonly spent: Map<Currency, number>;
  /** By the shop's own id, minor units: what was spent, and what of it came back. */
  readonly spends: Map<string, { readonly currency: Currency; readonly amount: number; back: number }>;
  readonly writtenOff: Map<Currency, number>;
  /** Payouts of which a part, but not the whole, came back at once. */
  readonly inParts: Set<PayoutId>;
  /** Attempts that were unknown or accepted at some time: money may have moved. */
  readonly doubtful: Set<AttemptId>;
  /** Per account the newest word that the provider said of it. */
  readonly words: Map<string, { readonly ready: boolean; readonly asOf: number }>;
}

export const openTruth = (): Truth => ({
  transfers: new Map(),
  spent: new Map(),
  spends: new Map(),
  writtenOff: new Map(),
  inParts: new Set(),
  doubtful: new Set(),
  words: new Map(),
});

/** The same key is the same transfer, however often it is sent. */
export const transferFor = (truth: Truth, attempt: Attempt, final: boolean): Transfer => {
  const known = truth.transfers.get(attempt.key);
  if (known !== undefined) {
    known.final ||= final;
    return known;
  }
  const made: Transfer = {
    key: attempt.key,
    attemptId: attempt.id,
    payoutId: attempt.payoutId,
    amount: attempt.amount,
    currency: attempt.currency,
    destination: attempt.destination,
    returned: 0,
    final,
    late: false,
    lateKnown: false,
  };
  truth.transfers.set(attempt.key, made);
  return made;
};

export const hear = (truth: Truth, account: string, ready: boolean, asOf: number): void => {
  if ((truth.words.get(account)?.asOf ?? 0) <= asOf) truth.words.set(account, { ready, asOf });
};

export const grow = (sums: Map<Currency, number>, currency: Currency, by: number): void => {
  sums.set(currency, (sums.get(currency) ?? 0) + by);
};
