// Loads the book of one command from the memory, and takes one turn on it: load, decide, commit.
import { type Commission, leftOf } from "../../src/domain/commission.ts";
import { type Actor, actorName } from "../../src/domain/events.ts";
import { mintBody } from "../../src/domain/ids.ts";
import type {
  Book,
  ChoiceSummary,
  DueSummary,
  LinesSummary,
  Selector,
  Spend,
  Verdict,
} from "../../src/domain/ledger/book.ts";
import {
  type Command,
  type CommissionRef,
  type Needs,
  needsOf,
  type SpendRef,
} from "../../src/domain/ledger/command.ts";
import { decide } from "../../src/domain/ledger/decide.ts";
import { spendCounter } from "../../src/domain/ledger/store-credit.ts";
import { isOpenAttempt, type Payout } from "../../src/domain/payout.ts";
import { refuse } from "../../src/domain/refusals.ts";
import { applyChange, freezeDeep, type Memory, selected } from "./memory-ledger.ts";

export type Decide = typeof decide;

const lowest = (values: readonly number[]): number | null =>
  values.length === 0 ? null : Math.min(...values);
const highest = (values: readonly number[]): number | null =>
  values.length === 0 ? null : Math.max(...values);

const sumsOf = (commissions: readonly Commission[]) => {
  const occurred = commissions.map(({ occurredAt }) => occurredAt);
  return {
    count: commissions.length,
    gross: commissions.reduce((sum, commission) => sum + leftOf(commission), 0),
    oldestAt: lowest(occurred),
    newestAt: highest(occurred),
  };
};

const dueOf = (memory: Memory, selector: Extract<Selector, { by: "due" }>): DueSummary => {
  const all = [...memory.commissions.values()].filter(({ currency }) => currency === selector.currency);
  const due = selected(memory, selector);
  const approved = all.filter(({ status }) => status === "approved");
  const inHold = approved.filter(({ payableAt }) => payableAt > selector.asOf);
  return {
    ...sumsOf(due),
    held: all.filter(({ status }) => status === "held").length,
    pending: all.filter(({ status }) => status === "pending").length,
    inHold: inHold.length,
    nextPayableAt: lowest(inHold.map(({ payableAt }) => payableAt)),
    outside: approved.length - inHold.length - due.length,
  };
};

const choiceOf = (memory: Memory, selector: Selector, now: number): ChoiceSummary => {
  const chosen = selected(memory, selector);
  const asked = selector.by === "ids" ? new Set(selector.ids).size : chosen.length;
  const notFree = chosen
    .filter(
      ({ status, payoutId, payableAt }) => status !== "approved" || payoutId !== null || payableAt > now,
    )
    .map(({ id, status, payoutId, payableAt }) => ({ id, status, payoutId, payableAt }));
  return { ...sumsOf(chosen), missing: asked - chosen.length, notFree };
};

const linesOf = (memory: Memory, payout: Payout): LinesSummary => {
  const held = [...memory.commissions.values()].filter(({ payoutId }) => payoutId === payout.id);
  return {
    held: held.length,
    processing: held.filter(({ status }) => status === "processing").length,
    clawed: held.filter(({ clawedBack }) => clawedBack > 0),
  };
};

export const commissionBy = (memory: Memory, ref: CommissionRef): Commission | undefined =>
  "id" in ref
    ? memory.commissions.get(ref.id)
    : [...memory.commissions.values()].find(({ externalId }) => externalId === ref.externalId);

const attemptFor = (memory: Memory, needs: Needs, payout: Payout) =>
  needs.attemptId === undefined
    ? [...memory.attempts.values()].find(
        ({ payoutId, state }) => payoutId === payout.id && isOpenAttempt(state),
      )
    : memory.attempts.get(needs.attemptId);

const spendOf = (memory: Memory, { currency, externalId }: SpendRef): Spend | undefined => {
  const counter = memory.counters.get(spendCounter(memory.affiliateId, currency, externalId));
  return counter && { amount: counter.cap, refunded: counter.n };
};

export const loadBook = (memory: Memory, command: Command, now: number): Book => {
  const { programId, affiliateId, policy, affiliate, seq, eventSeq, balances } = memory;
  const needs = needsOf(command);
  const commission = needs.commission === undefined ? undefined : commissionBy(memory, needs.commission);
  const payoutId = needs.payoutOfCommission === true ? (commission?.payoutId ?? undefined) : needs.payoutId;
  const payout = payoutId === undefined ? undefined : memory.payouts.get(payoutId);
  const { selector, refundExternalId } = needs;
  return {
    programId,
    livemode: false,
    policyVersion: 1,
    policy,
    affiliateId,
    affiliate,
    seq,
    eventSeq,
    balances,
    commission,
    refund: memory.refunds.find(
      (refund) =>
        refundExternalId != null &&
        refund.externalId === refundExternalId &&
        refund.commissionId === commission?.id,
    ),
    payout,
    lines: payout === undefined ? undefined : linesOf(memory, payout),
    attempt:
      payout === undefined || needs.payoutId === undefined ? undefined : attemptFor(memory, needs, payout),
    due: selector?.by === "due" ? dueOf(memory, selector) : undefined,
    spend: needs.spend === undefined ? undefined : spendOf(memory, needs.spend),
    choice: selector === undefined || selector.by === "due" ? undefined : choiceOf(memory, selector, now),
  };
};

/** What the store's unique keys and counters say before a turn is committed. */
const guarded = (memory: Memory, command: Command, verdict: Verdict): Verdict => {
  if (verdict.kind !== "change") return verdict;
  if ((command.kind === "record" || command.kind === "credit") && command.externalId !== null) {
    const earlier = commissionBy(memory, { externalId: command.externalId });
    if (earlier !== undefined) {
      return earlier.requestSha === command.requestSha
        ? { kind: "unchanged", result: { kind: "commission", commission: earlier } }
        : { kind: "refused", ...refuse("duplicate_external_id", "Recorded before, with another body.") };
    }
  }
  const { capped } = verdict.change;
  if (capped !== undefined && (memory.counters.get(capped.name)?.n ?? 0) + capped.by > capped.cap) {
    return { kind: "refused", ...refuse("daily_limit_reached", "Beyond the day's limit.") };
  }
  return verdict;
};

export interface TurnOf {
  readonly now: number;
  readonly actor: Actor;
  readonly decide?: Decide;
}

/** Each turn mints from its own number, so ids never meet. */
const mintOf = (seq: number, now: number): string => {
  const chance = new Uint8Array(10);
  new DataView(chance.buffer).setUint32(2, seq + 1);
  return mintBody(now, chance);
};

export const takeTurn = (memory: Memory, command: Command, turn: TurnOf): Verdict => {
  const book = freezeDeep(loadBook(memory, freezeDeep(command), turn.now));
  const facts = { now: turn.now, actor: turn.actor, mint: mintOf(memory.seq, turn.now) };
  const verdict = guarded(memory, command, (turn.decide ?? decide)(book, command, facts));
  if (verdict.kind === "change") applyChange(memory, verdict.change, turn.now);
  return verdict;
};

export const KEY_A: Actor = { type: "key", id: "key_a" };
export const KEY_B: Actor = { type: "key", id: "key_b" };
export const NAME_A = actorName(KEY_A);
export const NAME_B = actorName(KEY_B);
