// Random operations on payouts and their payments.
import type { PayoutCommand } from "../../src/domain/ledger/command.ts";
import type { Attempt, Payout, PayoutStatus, RailOutcome } from "../../src/domain/payout.ts";
import { KEY_A, KEY_B } from "./memory-book.ts";
import { transferFor } from "./memory-provider.ts";
import {
  aim,
  choose,
  DAY_MS,
  type Deed,
  type Operation,
  oneOf,
  type Pick,
  type World,
} from "./memory-world.ts";

const payoutIn = (world: World, statuses: readonly PayoutStatus[], n: number): Payout | undefined =>
  aim(world.memory.payouts.values(), ({ status }) => statuses.includes(status), n);

type Simple = Extract<
  PayoutCommand,
  { kind: "accept" | "approve_payout" | "withdraw" | "retry" | "reopen" | "pay" }
>;

const simple =
  (kind: Simple["kind"], statuses: readonly PayoutStatus[]) =>
  (world: World, { a, b }: Pick): Deed | undefined => {
    const payout = payoutIn(world, statuses, a);
    return payout && { command: { kind, payoutId: payout.id }, actor: oneOf([KEY_A, KEY_B], b) };
  };

const reasoned =
  (kind: "deny" | "cancel", statuses: readonly PayoutStatus[]) =>
  (world: World, { a }: Pick): Deed | undefined => {
    const payout = payoutIn(world, statuses, a);
    return payout && { command: { kind, payoutId: payout.id, reason: "said so" } };
  };

/** Half of the time one that netted a recovery, which has most to give back. */
const returned = (world: World, { a, b }: Pick): Deed | undefined => {
  const paid = [...world.memory.payouts.values()].filter(
    ({ status, recovered }) => status === "paid" && (recovered > 0 || b % 2 === 0),
  );
  const payout = choose(paid, a) ?? payoutIn(world, ["paid"], a);
  return payout && { command: { kind: "return", payoutId: payout.id, reason: "it came back" } };
};

const waitsForHand = (world: World, { id }: Payout): boolean =>
  [...world.memory.attempts.values()].some(
    ({ payoutId, state }) => payoutId === id && state === "needs_hand",
  );

const markFailed = (world: World, { a }: Pick): Deed | undefined => {
  const payout = aim(world.memory.payouts.values(), (row) => waitsForHand(world, row), a);
  return payout && { command: { kind: "mark_failed", payoutId: payout.id, reason: "the bank said no" } };
};

const markPaid = (world: World, { a, b, c }: Pick): Deed | undefined => {
  const statuses: readonly PayoutStatus[] = c % 2 === 0 ? ["pending", "approved"] : ["processing"];
  const payout = payoutIn(world, statuses, a);
  if (payout === undefined) return undefined;
  const amount = b % 8 === 0 ? payout.amount + 1 : b % 2 === 0 ? payout.amount : null;
  return {
    command: {
      kind: "mark_paid",
      payoutId: payout.id,
      externalRef: `bank-${b % 2}`,
      amount,
      paidAt: null,
      paidVia: null,
      adminNote: null,
      partnerMessage: null,
    },
  };
};

const begin = (world: World, { a, b }: Pick): Deed | undefined => {
  const payout = aim(
    world.memory.payouts.values(),
    ({ status, sent }) => status === "processing" && !sent,
    a,
  );
  if (payout === undefined) return undefined;
  const destination = payout.destinationSha ?? "by hand";
  return {
    command: {
      kind: "begin_payment",
      payoutId: payout.id,
      instruction: {
        rail: payout.method,
        providerAccount: "acct_program",
        apiVersion: "1",
        destination,
        destinationSha: payout.destinationSha,
        request: JSON.stringify({ amount: payout.amount, destination }),
        amount: payout.amount + (b % 16 === 0 ? 1 : 0),
        currency: payout.currency,
      },
    },
  };
};

const OUTCOMES: readonly RailOutcome["kind"][] = [
  ...(["settled", "settled", "settled", "refused", "refused"] as const),
  ...(["accepted", "unknown", "unknown", "deferred", "needs_hand"] as const),
];

/** What the provider does when it is called, and what of it the book gets to hear. */
const outcomeOf = (world: World, attempt: Attempt, { b, c }: Pick): RailOutcome => {
  if (attempt.rail === "manual") return { kind: "needs_hand", instructions: "pay by hand" };
  const known = world.truth.transfers.get(attempt.key);
  const kind = OUTCOMES[b % OUTCOMES.length] ?? "settled";
  if (kind === "settled") return { kind, ref: `tr-${transferFor(world.truth, attempt, true).key}` };
  if (kind === "accepted") {
    const ref = `tr-${transferFor(world.truth, attempt, false).key}`;
    return c % 2 === 0 ? { kind, ref } : { kind, ref, detail: "UNCLAIMED", expectedWithinMs: 30 * DAY_MS };
  }
  if (kind === "deferred") return { kind, detail: "429", ...(c % 2 === 0 ? { retryAfterS: c } : {}) };
  if (kind === "needs_hand" && known === undefined)
    return { kind, instructions: "fund by hand", ...(c % 2 === 0 ? { ref: `draft-${attempt.key}` } : {}) };
  if (kind === "refused" && known?.final !== true) {
    world.truth.transfers.delete(attempt.key);
    return { kind, code: "declined", detail: "no" };
  }
  if (c % 2 === 0) transferFor(world.truth, attempt, true);
  const isEmptyLook = known === undefined && c % 4 === 1;
  return { kind: "unknown", detail: "timeout", ...(isEmptyLook ? { isEmptyLook } : {}) };
};

const WAITING: readonly Attempt["state"][] = ["begun", "unknown", "accepted", "deferred"];

const conclude = (world: World, pick: Pick): Deed | undefined => {
  const attempt = choose(
    [...world.memory.attempts.values()].filter(
      ({ state }) => WAITING.includes(state) || (state === "needs_hand" && pick.c % 8 === 0),
    ),
    pick.a,
  );
  if (attempt === undefined) return undefined;
  const outcome =
    attempt.state === "needs_hand"
      ? ({ kind: "needs_hand", instructions: "still" } as const)
      : outcomeOf(world, attempt, pick);
  return {
    command: { kind: "conclude_payment", payoutId: attempt.payoutId, attemptId: attempt.id, outcome },
    after: () => {
      if (outcome.kind === "unknown" || outcome.kind === "accepted") world.truth.doubtful.add(attempt.id);
    },
  };
};

/** The same answer once more, as a doubled message would bring it. */
const concludeAgain = (world: World, { a }: Pick): Deed | undefined => {
  const attempt = choose(
    [...world.memory.attempts.values()].filter(
      ({ rail, state }) => rail === "stripe" && ["settled", "refused", "paid_late"].includes(state),
    ),
    a,
  );
  if (attempt === undefined) return undefined;
  const outcome: RailOutcome =
    attempt.state === "refused"
      ? { kind: "refused", code: "declined", detail: "no" }
      : { kind: "settled", ref: "again" };
  return {
    command: { kind: "conclude_payment", payoutId: attempt.payoutId, attemptId: attempt.id, outcome },
  };
};

/** An attempt that was refused, by the rail or by a person, turns out to have paid. */
const paidLate = (world: World, { a }: Pick): Deed | undefined => {
  const attempt = choose(
    [...world.memory.attempts.values()].filter(({ state, rail }) => state === "refused" && rail === "stripe"),
    a,
  );
  if (attempt === undefined) return undefined;
  const transfer = transferFor(world.truth, attempt, true);
  transfer.late = true;
  const outcome = { kind: "settled", ref: `tr-${transfer.key}` } as const;
  return {
    command: { kind: "conclude_payment", payoutId: attempt.payoutId, attemptId: attempt.id, outcome },
    after: () => {
      transfer.lateKnown = true;
    },
  };
};

const resolve = (world: World, { a, b }: Pick): Deed | undefined => {
  const attempt = choose(
    [...world.memory.attempts.values()].filter(({ state }) => state === "unknown"),
    a,
  );
  if (attempt === undefined) return undefined;
  const transfer = world.truth.transfers.get(attempt.key);
  const outcome = transfer !== undefined && b % 4 !== 0 ? "settled" : "refused";
  return {
    command: {
      kind: "resolve",
      payoutId: attempt.payoutId,
      outcome,
      externalRef: null,
      evidence: "a statement",
    },
    after: () => {
      if (outcome === "refused" && transfer !== undefined) transfer.late = true;
    },
  };
};

const providerReturn = (world: World, { a, b, c }: Pick): Deed | undefined => {
  const payout = aim(
    [...world.memory.payouts.values()].filter(({ paidVia }) => paidVia === "stripe"),
    ({ status }) => status === "paid",
    a,
  );
  if (payout === undefined) return undefined;
  const total = c % 2 === 0 ? payout.amount : payout.returnedAmount + 1 + (b % 4);
  return {
    command: { kind: "provider_return", payoutId: payout.id, total, reason: "account closed" },
    after: () => {
      const transfer = [...world.truth.transfers.values()].find(
        (row) => row.payoutId === payout.id && !row.late && row.returned < row.amount,
      );
      if (transfer !== undefined) transfer.returned = total;
      if (total < payout.amount) world.truth.inParts.add(payout.id);
    },
  };
};

/** A total that was told before, or less than it: messages come twice and out of order. */
const providerReturnAgain = (world: World, { a, b }: Pick): Deed | undefined => {
  const payout = choose(
    [...world.memory.payouts.values()].filter(
      ({ paidVia, returnedAmount }) => paidVia === "stripe" && returnedAmount > 0,
    ),
    a,
  );
  if (payout === undefined) return undefined;
  const total = b % 2 === 0 ? payout.returnedAmount : payout.returnedAmount - 1;
  return { command: { kind: "provider_return", payoutId: payout.id, total, reason: "account closed" } };
};

const minorOf =
  (kind: "stall" | "send_back" | "annotate") =>
  (world: World, { a }: Pick): Deed | undefined => {
    const payout = payoutIn(world, ["processing"], a);
    if (payout === undefined) return undefined;
    if (kind === "stall") return { command: { kind, payoutId: payout.id, reason: "late" } };
    if (kind === "annotate") return { command: { kind, payoutId: payout.id, adminNote: "looked at" } };
    const why = { code: "destination_changed", detail: "it changed" };
    return { command: { kind, payoutId: payout.id, steps: payout.history.length, ...why } };
  };

export const PAYOUT_OPERATIONS: readonly Operation[] = [
  { name: "accept", weight: 3, deed: simple("accept", ["requested"]) },
  { name: "deny", weight: 1, deed: reasoned("deny", ["requested"]) },
  { name: "approve payout", weight: 5, deed: simple("approve_payout", ["pending"]) },
  { name: "withdraw", weight: 2, deed: simple("withdraw", ["approved"]) },
  { name: "pay", weight: 12, deed: simple("pay", ["pending", "approved"]) },
  {
    name: "cancel",
    weight: 5,
    deed: reasoned("cancel", ["requested", "pending", "approved", "processing", "failed"]),
  },
  { name: "mark paid", weight: 4, deed: markPaid },
  { name: "mark failed", weight: 3, deed: markFailed },
  { name: "retry", weight: 10, deed: simple("retry", ["failed"]) },
  { name: "reopen", weight: 7, deed: simple("reopen", ["cancelled"]) },
  { name: "return", weight: 7, deed: returned },
  { name: "begin", weight: 13, deed: begin },
  { name: "conclude", weight: 16, deed: conclude },
  { name: "conclude again", weight: 2, deed: concludeAgain },
  { name: "paid late", weight: 2, deed: paidLate },
  { name: "resolve", weight: 2, deed: resolve },
  { name: "provider return", weight: 9, deed: providerReturn },
  { name: "provider return again", weight: 2, deed: providerReturnAgain },
  { name: "stall", weight: 1, deed: minorOf("stall") },
  { name: "send back", weight: 1, deed: minorOf("send_back") },
  { name: "annotate", weight: 1, deed: minorOf("annotate") },
];
