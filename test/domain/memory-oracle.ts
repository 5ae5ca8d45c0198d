// The invariants of the money, each account by its own formula: I2, I3, I5, I8 and I9, from the rows and the truth, never from the rules.
import { ACCOUNTS, type Account, type Balance, ZERO_BALANCE } from "../../src/domain/ledger/book.ts";
import type { Currency } from "../../src/domain/money.ts";
import type { Payout } from "../../src/domain/payout.ts";
import type { Memory } from "./memory-ledger.ts";
import { stateViolation } from "./memory-oracle-states.ts";
import type { Truth } from "./memory-provider.ts";

const sumOf = <T>(rows: Iterable<T>, amount: (row: T) => number): number => {
  let sum = 0;
  for (const row of rows) sum += amount(row);
  return sum;
};

const LIVE = ["requested", "pending", "approved", "processing"];

interface Standing {
  readonly memory: Memory;
  readonly truth: Truth;
  readonly currency: Currency;
}

const commissionsIn = ({ memory, currency }: Standing) =>
  [...memory.commissions.values()].filter((commission) => commission.currency === currency);
const payoutsIn = ({ memory, currency }: Standing) =>
  [...memory.payouts.values()].filter((payout) => payout.currency === currency);

const leftOfStatus = (at: Standing, statuses: readonly string[]): number =>
  sumOf(
    commissionsIn(at).filter(({ status }) => statuses.includes(status)),
    ({ amount, reduced }) => amount - reduced,
  );

const lateIn = ({ truth, currency }: Standing): number =>
  sumOf(truth.transfers.values(), (transfer) =>
    transfer.currency === currency && transfer.lateKnown ? transfer.amount : 0,
  );

const spentIn = ({ truth, currency }: Standing): number => truth.spent.get(currency) ?? 0;
const writtenOffIn = ({ truth, currency }: Standing): number => truth.writtenOff.get(currency) ?? 0;

const keepsRecovered = (truth: Truth, payout: Payout): boolean =>
  LIVE.includes(payout.status) || payout.status === "paid" || truth.inParts.has(payout.id);

/** Minus the program account: what affiliates earned and kept, as the commissions say it. */
const earnedIn = (at: Standing): number =>
  sumOf(commissionsIn(at), ({ status, origin, amount, reduced, clawedBack }) => {
    const reversed = reduced + clawedBack;
    if (origin === null) return status === "rejected" ? 0 : amount - reversed;
    return status === "rejected" ? -amount : -reversed;
  });

const expectedOf = (at: Standing): Balance => {
  const payouts = payoutsIn(at);
  const commissions = commissionsIn(at);
  const paid = payouts.filter(({ status }) => status === "paid");
  const isCredit = ({ paidVia }: Payout): boolean => paidVia === "store_credit";
  const owed =
    sumOf(commissions, ({ clawedBack }) => clawedBack) +
    sumOf(commissions, ({ origin, amount }) => (origin === "release" ? amount : 0)) -
    sumOf(payouts, (payout) => (keepsRecovered(at.truth, payout) ? payout.recovered : 0)) +
    lateIn(at) -
    writtenOffIn(at);
  return {
    pending: leftOfStatus(at, ["pending", "held"]),
    available: leftOfStatus(at, ["approved"]),
    reserved: sumOf(payouts, ({ status, amount }) => (LIVE.includes(status) ? amount : 0)),
    paid:
      sumOf(paid, (payout) => (isCredit(payout) ? 0 : payout.amount - payout.returnedAmount)) + lateIn(at),
    store_credit: sumOf(paid, (payout) => (isCredit(payout) ? payout.amount : 0)) - spentIn(at),
    recovery: owed === 0 ? 0 : -owed,
    program: spentIn(at) - writtenOffIn(at) - earnedIn(at) || 0,
  };
};

const foldedIn = ({ memory, currency }: Standing): Record<Account, number> => {
  const folded = { ...ZERO_BALANCE };
  for (const { currency: of, from, to, amount } of memory.entries) {
    if (of !== currency) continue;
    folded[from] -= amount;
    folded[to] += amount;
  }
  return folded;
};

const entryViolation = ({ entries, commissions, payouts, seq, turns }: Memory): string | undefined => {
  for (const entry of entries) {
    if (!Number.isSafeInteger(entry.amount) || entry.amount <= 0) return `I8 an entry of ${entry.amount}`;
    if (entry.from === entry.to) return `I8 an entry from ${entry.from} to itself`;
    const commission = entry.commissionId === null ? undefined : commissions.get(entry.commissionId);
    const payout = entry.payoutId === null ? undefined : payouts.get(entry.payoutId);
    if ((commission ?? entry).currency !== entry.currency) return "I8 an entry in another currency";
    if ((payout ?? entry).currency !== entry.currency) return "I8 an entry in another currency";
    if (entry.seq > seq) return `I9 an entry of turn ${entry.seq} after ${seq}`;
  }
  return turns.length === seq && turns.at(-1) === (seq === 0 ? undefined : seq)
    ? undefined
    : "I9 seq has a gap";
};

const NEVER_NEGATIVE: readonly Account[] = ["pending", "available", "reserved", "paid", "store_credit"];

const moneyViolation = (at: Standing): string | undefined => {
  const balance = at.memory.balances[at.currency] ?? ZERO_BALANCE;
  const folded = foldedIn(at);
  const expected = expectedOf(at);
  for (const account of ACCOUNTS) {
    const name = `${account} ${at.currency}`;
    if (!Number.isSafeInteger(balance[account])) return `I8 ${name} is ${balance[account]}`;
    if (folded[account] !== balance[account])
      return `I2 ${name} ${balance[account]} is not ${folded[account]}`;
  }
  if (sumOf(ACCOUNTS, (account) => balance[account]) !== 0) return `I2 ${at.currency} does not sum to zero`;
  for (const account of NEVER_NEGATIVE) {
    if (balance[account] < 0) return `I3 ${account} ${at.currency} is ${balance[account]}`;
  }
  if (balance.recovery > 0) return `I3 recovery ${at.currency} is +${balance.recovery}`;
  for (const account of ACCOUNTS) {
    if (balance[account] !== expected[account]) {
      return `I5 ${account} ${at.currency} is ${balance[account]}, its rows say ${expected[account]}`;
    }
  }
  return undefined;
};

const spendViolation = ({ spends }: Truth): string | undefined => {
  for (const [name, { amount, back }] of spends) {
    if (back > amount) return `I5 ${back} of the ${amount} spent on ${name} came back`;
  }
  return undefined;
};

/** The first invariant that does not hold, in words, or undefined. */
export const violation = (memory: Memory, truth: Truth): string | undefined => {
  const entries = entryViolation(memory);
  if (entries !== undefined) return entries;
  const currencies = new Set(
    [...memory.commissions.values(), ...memory.payouts.values(), ...memory.entries].map(
      ({ currency }) => currency,
    ),
  );
  for (const currency of currencies) {
    const found = moneyViolation({ memory, truth, currency });
    if (found !== undefined) return found;
  }
  return spendViolation(truth) ?? stateViolation(memory, truth);
};
