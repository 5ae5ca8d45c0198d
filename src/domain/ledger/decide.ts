// The core: decide(book, command) says what one turn changes or why not; fold applies it. Pure: same input, same answer.
import type { Actor } from "../events.ts";
import { payoutBlockers } from "../payout-blockers.ts";
import { affiliateTurn, confirmBook, moneyTurn } from "./affiliates.ts";
import {
  type Balance,
  type Book,
  type Change,
  type Entry,
  type Result,
  type Verdict,
  ZERO_BALANCE,
} from "./book.ts";
import { claim } from "./claims.ts";
import type { Command } from "./command.ts";
import { credit, record, reviewCommission } from "./commissions.ts";
import { changeOf, type Draft, newDraft, owedOf, type Step } from "./draft.ts";
import { payment } from "./payments.ts";
import { reviewPayout } from "./payouts.ts";
import { reverse } from "./refunds.ts";

const step = (draft: Draft, command: Command): Step => {
  switch (command.kind) {
    case "record":
      return record(draft, command);
    case "credit":
      return credit(draft, command);
    case "approve":
    case "reject":
    case "hold":
    case "release":
      return reviewCommission(draft, command);
    case "reverse":
      return reverse(draft, command);
    case "claim":
      return claim(draft, command);
    case "create_affiliate":
    case "update_affiliate":
    case "set_payout_method":
    case "set_readiness":
    case "reseal_destination":
    case "set_tax_form":
      return affiliateTurn(draft, command);
    case "confirm_book":
      return confirmBook(draft, command);
    case "spend_store_credit":
    case "refund_store_credit":
    case "settle_recovery":
      return moneyTurn(draft, command);
    case "begin_payment":
    case "conclude_payment":
    case "resume_payment":
    case "resolve":
    case "provider_return":
    case "stall":
    case "send_back":
      return payment(draft, command);
    default:
      return reviewPayout(draft, command);
  }
};

/** A turn that changes nothing: what a client's key stands for when there was nothing to do. */
export const emptyChange = (book: Book, facts: TurnFacts): Change =>
  changeOf(newDraft(book, facts.now, facts.actor, facts.mint, facts.realNow));

export interface TurnFacts {
  /** Epoch milliseconds of the program's clock. */
  readonly now: number;
  /** Epoch milliseconds of real time, where the program's clock is ahead of it. */
  readonly realNow?: number;
  readonly actor: Actor;
  /** An id body; every id that the turn makes follows from it. */
  readonly mint: string;
}

/** Computed in the turn and stored with it, so that a replay answers what was answered. */
const standingIn = (draft: Draft, result: Result): Result => {
  if (result.kind !== "payout") return result;
  const { book, now } = draft;
  const { payout } = result;
  const released = draft.lines.some((line) => line.kind === "release");
  const clawed = released ? [] : (book.lines?.clawed ?? []);
  const owed = clawed.reduce((sum, commission) => sum + commission.clawedBack, 0);
  return {
    ...result,
    standing: {
      blockers: payoutBlockers(payout, book.affiliate, book.policy, now),
      recoveryOwed: Math.min(owed, owedOf(draft, payout.currency)),
    },
  };
};

export const decide = (book: Book, command: Command, facts: TurnFacts): Verdict => {
  const draft = newDraft(book, facts.now, facts.actor, facts.mint, facts.realNow);
  const taken = step(draft, command);
  if ("refusal" in taken) return { kind: "refused", refusal: taken.refusal };
  if ("unchanged" in taken) return { kind: "unchanged", result: standingIn(draft, taken.unchanged) };
  return { kind: "change", change: changeOf(draft), result: standingIn(draft, taken.result) };
};

/** Balances are the fold of the entries. */
export const foldEntries = (
  balances: Readonly<Record<string, Balance>>,
  entries: readonly Pick<Entry, "currency" | "from" | "to" | "amount">[],
): Record<string, Balance> => {
  const folded: Record<string, Balance> = { ...balances };
  for (const { currency, from, to, amount } of entries) {
    const balance = { ...(folded[currency] ?? ZERO_BALANCE) };
    balance[from] -= amount;
    balance[to] += amount;
    folded[currency] = balance;
  }
  return folded;
};

export const eventCountOf = (change: Change): number => change.events.length + (change.paidLines?.count ?? 0);

/** The head after a committed change: what a warm object may decide its next turn on. */
export const fold = (book: Book, change: Change): Book => ({
  programId: book.programId,
  livemode: book.livemode,
  policyVersion: book.policyVersion,
  ...(book.clockOffset === undefined ? {} : { clockOffset: book.clockOffset }),
  policy: book.policy,
  affiliateId: book.affiliateId,
  affiliate: change.insertedAffiliate ?? change.updatedAffiliate ?? book.affiliate,
  seq: book.seq + 1,
  eventSeq: book.eventSeq + eventCountOf(change),
  balances: foldEntries(book.balances, change.entries),
});
