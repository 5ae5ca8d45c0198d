// A short way to tell an example: one affiliate whose turns are taken one by one, with every invariant asked after each.
import { strictEqual } from "node:assert/strict";
import type { Commission } from "../../src/domain/commission.ts";
import type { Actor } from "../../src/domain/events.ts";
import type { AttemptId, CommissionId, PayoutId } from "../../src/domain/ids.ts";
import { type Balance, type Verdict, ZERO_BALANCE } from "../../src/domain/ledger/book.ts";
import type { Command } from "../../src/domain/ledger/command.ts";
import type { Attempt, Payout, PayoutMethod, RailOutcome } from "../../src/domain/payout.ts";
import type { Policy } from "../../src/domain/policy.ts";
import { KEY_A, takeTurn } from "./memory-book.ts";
import { type Memory, openMemory } from "./memory-ledger.ts";
import { violation } from "./memory-oracle.ts";
import { grow, openTruth, type Truth, transferFor } from "./memory-provider.ts";
import { EPOCH } from "./memory-world.ts";

export type ClaimBy = "generate" | "request" | "person";

export interface SceneOf {
  readonly policy?: Partial<Policy>;
  /** null leaves the affiliate without a chosen method. */
  readonly method?: PayoutMethod | null;
}

export class Scene {
  readonly memory: Memory;
  readonly truth: Truth = openTruth();
  now = EPOCH;
  /** The entries of the last change, as "from→to amount". */
  moves: string[] = [];
  /** The types of the events of the last change. */
  announced: string[] = [];
  #named = 0;

  constructor({ policy = {}, method = "stripe" }: SceneOf = {}) {
    this.memory = openMemory({ hold_days: 0, auto_approve_commissions: true, ...policy });
    const blank = { externalId: null, country: null, metadata: null, overrides: {} };
    this.apply({ kind: "create_affiliate", affiliate: { ...blank, name: "Ada", email: "ada@example.com" } });
    if (method !== null) this.setMethod(method, `${method}-1`);
  }

  turn(command: Command, actor: Actor = KEY_A): Verdict {
    const events = this.memory.events.length;
    const verdict = takeTurn(this.memory, command, { now: this.now, actor });
    if (verdict.kind === "change") {
      this.moves = verdict.change.entries.map(({ from, to, amount }) => `${from}→${to} ${amount}`);
      this.announced = this.memory.events.slice(events).map(({ type }) => type);
    }
    return verdict;
  }

  /** The turn must change something. */
  apply(command: Command, actor?: Actor): Extract<Verdict, { kind: "change" }> {
    const verdict = this.turn(command, actor);
    if (verdict.kind !== "change") throw new Error(`${command.kind}: ${JSON.stringify(verdict)}`);
    this.#observe(command);
    strictEqual(violation(this.memory, this.truth), undefined);
    return verdict;
  }

  /** The turn must be refused; its code. */
  refusal(command: Command, actor?: Actor): string {
    const verdict = this.turn(command, actor);
    if (verdict.kind !== "refused") throw new Error(`${command.kind} was ${verdict.kind}`);
    strictEqual(violation(this.memory, this.truth), undefined);
    return verdict.refusal.code;
  }

  #observe(command: Command): void {
    const { spent, writtenOff } = this.truth;
    if (command.kind === "spend_store_credit") {
      grow(spent, command.currency, command.amount);
      this.truth.spends.set(command.externalId, { ...command, back: 0 });
    }
    if (command.kind === "refund_store_credit") {
      grow(spent, command.currency, -command.amount);
      const spend = this.truth.spends.get(command.spendExternalId);
      if (spend !== undefined) spend.back += command.amount;
    }
    if (command.kind === "settle_recovery") grow(writtenOff, command.currency, command.amount);
    if (command.kind !== "provider_return") return;
    for (const transfer of this.truth.transfers.values()) {
      if (transfer.payoutId === command.payoutId && !transfer.late) transfer.returned = command.total;
    }
    if (command.total < this.payout(command.payoutId).amount) this.truth.inParts.add(command.payoutId);
  }

  setMethod(method: PayoutMethod, sha: string, ready = true): void {
    const destination = { method, sha, account: sha, display: sha, sealed: null, currency: null };
    this.apply({ kind: "set_payout_method", destination, ready, missing: [], readyAsOf: this.now });
  }

  record(amount: number, more: Partial<Extract<Command, { kind: "record" }>> = {}): CommissionId {
    const { result } = this.apply(this.recording(amount, more));
    if (result.kind !== "commission") throw new Error(`record answered a ${result.kind}`);
    return result.commission.id;
  }

  recording(amount: number | null, more: Partial<Extract<Command, { kind: "record" }>> = {}): Command {
    const blank = { orderAmount: null, currency: "USD", occurredAt: this.now, status: null, metadata: null };
    return { kind: "record", externalId: `o-${this.#named++}`, amount, ...blank, requestSha: "sha", ...more };
  }

  /** What is due, or the commissions that are named, as a payout. */
  claiming(by: ClaimBy, more: { currency?: string; ids?: readonly CommissionId[] } = {}): Command {
    const { currency = "USD", ids } = more;
    const due = { by: "due", currency, asOf: this.now, from: 0, until: Number.MAX_SAFE_INTEGER } as const;
    const selector = ids === undefined ? due : ({ by: "ids", currency, ids } as const);
    const blank = { periodStart: null, runId: null, sessionId: null, adminNote: null };
    return { kind: "claim", by, selector, periodEnd: "2026-01-01", ...blank };
  }

  claim(by: ClaimBy = "generate", more: { currency?: string; ids?: readonly CommissionId[] } = {}): PayoutId {
    const { result } = this.apply(this.claiming(by, more));
    if (result.kind !== "payout") throw new Error(`claim answered a ${result.kind}`);
    return result.payout.id;
  }

  reversing(id: CommissionId, amount: number | null): Extract<Command, { kind: "reverse" }> {
    const blank = { orderAmount: null, reason: "refund", externalId: null, requestSha: "sha" };
    return { kind: "reverse", commission: { id }, amount, ...blank };
  }

  refund(id: CommissionId, amount: number | null = null): void {
    this.apply(this.reversing(id, amount));
  }

  beginning(payoutId: PayoutId): Command {
    const { method, destinationSha, amount, currency } = this.payout(payoutId);
    const frozen = {
      providerAccount: "acct",
      apiVersion: "1",
      destination: destinationSha ?? "hand",
      request: "{}",
    };
    return {
      kind: "begin_payment",
      payoutId,
      instruction: { ...frozen, rail: method, destinationSha, amount, currency },
    };
  }

  /** pay and begin_payment: from here on the payout is sent. */
  send(payoutId: PayoutId): AttemptId {
    this.apply({ kind: "pay", payoutId });
    const { result } = this.apply(this.beginning(payoutId));
    if (result.kind !== "attempt") throw new Error(`begin answered a ${result.kind}`);
    return result.attempt.id;
  }

  concluding(attemptId: AttemptId, outcome: RailOutcome): Command {
    return { kind: "conclude_payment", payoutId: this.attempt(attemptId).payoutId, attemptId, outcome };
  }

  conclude(attemptId: AttemptId, outcome: RailOutcome): void {
    const attempt = this.attempt(attemptId);
    if (outcome.kind === "settled" && attempt.rail === "stripe") {
      const transfer = transferFor(this.truth, attempt, true);
      transfer.late = attempt.state === "refused";
      transfer.lateKnown = transfer.late;
    }
    this.apply(this.concluding(attemptId, outcome));
  }

  settle(payoutId: PayoutId): void {
    this.conclude(this.send(payoutId), { kind: "settled", ref: "tr_1" });
  }

  fail(payoutId: PayoutId): AttemptId {
    const attemptId = this.send(payoutId);
    this.conclude(attemptId, { kind: "refused", code: "declined", detail: "no" });
    return attemptId;
  }

  /** A payout of one commission, paid. */
  paid(amount: number, currency = "USD"): { commission: CommissionId; payout: PayoutId } {
    const commission = this.record(amount, { currency });
    const payout = this.claim("generate", { currency });
    this.settle(payout);
    return { commission, payout };
  }

  /** So much more comes back than came back before. */
  providerReturn(payoutId: PayoutId, amount: number): void {
    const total = this.payout(payoutId).returnedAmount + amount;
    this.apply({ kind: "provider_return", payoutId, total, reason: "account closed" });
  }

  /** An order takes this much of the store credit. */
  spending(amount: number, externalId: string, currency = "USD"): Command {
    return { kind: "spend_store_credit", amount, currency, externalId, note: null };
  }

  /** So much of an order's spend comes back. */
  givingBack(amount: number, spendExternalId: string, currency = "USD"): Command {
    const externalId = `back-${this.#named++}`;
    return { kind: "refund_store_credit", amount, currency, externalId, spendExternalId, note: null };
  }

  markingPaid(payoutId: PayoutId, more: Partial<Extract<Command, { kind: "mark_paid" }>> = {}): Command {
    const blank = { amount: null, paidAt: null, paidVia: null, adminNote: null, partnerMessage: null };
    return { kind: "mark_paid", payoutId, externalRef: "bank-1", ...blank, ...more };
  }

  commission(id: CommissionId): Commission {
    const found = this.memory.commissions.get(id);
    if (found === undefined) throw new Error(`no commission ${id}`);
    return found;
  }

  payout(id: PayoutId): Payout {
    const found = this.memory.payouts.get(id);
    if (found === undefined) throw new Error(`no payout ${id}`);
    return found;
  }

  attempt(id: AttemptId): Attempt {
    const found = this.memory.attempts.get(id);
    if (found === undefined) throw new Error(`no attempt ${id}`);
    return found;
  }

  /** The accounts of a currency that are not zero. */
  balance(currency = "USD"): Partial<Balance> {
    const all = Object.entries(this.memory.balances[currency] ?? ZERO_BALANCE);
    return Object.fromEntries(all.filter(([, amount]) => amount !== 0));
  }

  /** Credits that a return in parts or a release made, in order. */
  credits(): Commission[] {
    return [...this.memory.commissions.values()].filter(({ origin }) => origin !== null);
  }
}
