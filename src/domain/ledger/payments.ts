// The payment's two turns: begin freezes an instruction, conclude says what became of it. Only a definite refusal releases money.
import {
  type Attempt,
  BEGUN_STALE_MS,
  handPollAt,
  isOpenAttempt,
  nextLookAt,
  nextPollAt,
  type Payout,
  type RailOutcome,
} from "../payout.ts";
import { refuse } from "../refusals.ts";
import { returnAmount } from "./by-hand.ts";
import type { PaymentCommand } from "./command.ts";
import { uncapDaily } from "./daily-limit.ts";
import {
  announcePayout,
  announceRecovery,
  type Draft,
  move,
  nextBody,
  putPayout,
  type Step,
} from "./draft.ts";
import { paymentStop } from "./payouts.ts";
import { resolvePayment } from "./resolve.ts";
import { failPayout, settlePayout } from "./settle.ts";

type Of<K extends PaymentCommand["kind"]> = Extract<PaymentCommand, { kind: K }>;

/** What was true when it was asked for is no longer: nothing was sent, so the payout waits for a person again. */
const sendBack = (draft: Draft, before: Payout, { code, detail, steps }: Of<"send_back">): Step => {
  if (before.status !== "processing" || before.sent || before.history.length !== steps)
    return { unchanged: { kind: "payout", payout: before } };
  const payout = putPayout(draft, before, {
    status: "pending",
    approvedAt: null,
    approvedBy: null,
    expectedBy: null,
    failureCode: code,
    failureDetail: detail,
  });
  uncapDaily(draft, before);
  announcePayout(draft, "payout.updated", payout, before.status, code);
  return { result: { kind: "payout", payout } };
};

const begin = (draft: Draft, before: Payout, { instruction }: Of<"begin_payment">): Step => {
  const open = draft.book.attempt;
  if (open !== undefined && isOpenAttempt(open.state))
    return { unchanged: { kind: "attempt", payout: before, attempt: open } };
  if (before.status !== "processing") return { unchanged: { kind: "payout", payout: before } };
  if (before.sent) throw new Error(`payout ${before.id} is sent without an open attempt`);
  const stop = paymentStop(draft, before);
  if (stop !== undefined) return stop;
  if (before.destinationSha !== (draft.book.affiliate?.destination?.sha ?? null)) {
    return refuse("destination_changed", "The destination changed after the payment was asked for.");
  }
  if (
    instruction.amount !== before.amount ||
    instruction.currency !== before.currency ||
    instruction.destinationSha !== before.destinationSha ||
    instruction.rail !== before.method
  ) {
    return refuse(
      "amount_changed",
      "The payout changed while its instruction was frozen; it will be frozen again.",
    );
  }
  const n = before.attemptCount + 1;
  const attempt: Attempt = {
    id: `att_${nextBody(draft)}`,
    payoutId: before.id,
    affiliateId: before.affiliateId,
    n,
    rail: instruction.rail,
    providerAccount: instruction.providerAccount,
    apiVersion: instruction.apiVersion,
    destination: instruction.destination,
    key: `po:${before.id}:${n}`,
    request: instruction.request,
    amount: before.amount,
    currency: before.currency,
    state: "begun",
    providerRef: null,
    detail: null,
    tries: 0,
    emptySince: null,
    nextAttemptAt: nextLookAt(draft.realNow, draft.realNow),
    createdAt: draft.realNow,
    updatedAt: draft.realNow,
  };
  const sent = putPayout(draft, before, { sent: true, attemptCount: n });
  if (instruction.rail !== "store_credit") {
    draft.insertedAttempt = attempt;
    return { result: { kind: "attempt", payout: sent, attempt } };
  }
  const payout = settlePayout(draft, sent, {
    via: "store_credit",
    ref: null,
    paidAt: draft.now,
    attempt: undefined,
  });
  draft.insertedAttempt = { ...attempt, state: "settled", nextAttemptAt: null };
  return { result: { kind: "attempt", payout, attempt: draft.insertedAttempt } };
};

/** From here on the attempt is one whose call is under way, as when it began; nobody touches it for a while. */
const resume = (draft: Draft, before: Payout): Step => {
  const { attempt } = draft.book;
  if (attempt === undefined) return refuse("attempt_not_found", "No such attempt.");
  if (attempt.state !== "deferred" || before.status !== "processing")
    return { unchanged: { kind: "attempt", payout: before, attempt } };
  const resumed: Attempt = { ...attempt, state: "begun", updatedAt: draft.realNow };
  draft.updatedAttempt = resumed;
  return { result: { kind: "attempt", payout: before, attempt: resumed } };
};

/** A refusal that turns out to have paid: the affiliate has the money, so it is owed back; state and lines stay. */
const paidLate = (draft: Draft, before: Payout, attempt: Attempt, ref: string): Step => {
  const late: Attempt = { ...attempt, state: "paid_late", providerRef: ref, updatedAt: draft.realNow };
  draft.updatedAttempt = late;
  move(draft, "paid_late", attempt.currency, "recovery", "paid", attempt.amount, {
    payoutId: before.id,
    note: attempt.id,
  });
  const payout = putPayout(draft, before, { latePaid: before.latePaid + attempt.amount });
  announcePayout(draft, "payout.paid_late", payout, before.status, "paid_after_refusal");
  announceRecovery(draft, attempt.currency);
  return { result: { kind: "attempt", payout, attempt: late } };
};

const conclude = (draft: Draft, before: Payout, { outcome }: Of<"conclude_payment">): Step => {
  const { attempt } = draft.book;
  if (attempt === undefined) return refuse("attempt_not_found", "No such attempt.");
  if (attempt.state === "refused" && outcome.kind === "settled")
    return paidLate(draft, before, attempt, outcome.ref);
  if (!isOpenAttempt(attempt.state) || attempt.state === "settled")
    return { unchanged: { kind: "attempt", payout: before, attempt } };
  if (before.status !== "processing")
    throw new Error(`attempt ${attempt.id} is open while its payout is ${before.status}`);
  if (outcome.kind === "settled") {
    const payout = settlePayout(draft, before, {
      via: attempt.rail,
      ref: outcome.ref,
      paidAt: outcome.paidAt ?? draft.now,
      attempt,
    });
    return { result: { kind: "attempt", payout, attempt: draft.updatedAttempt ?? attempt } };
  }
  if (outcome.kind === "refused") {
    const payout = failPayout(draft, before, attempt, outcome);
    return { result: { kind: "attempt", payout, attempt: draft.updatedAttempt ?? attempt } };
  }
  return wait(draft, before, attempt, outcome);
};

/** Accepted, deferred and unknown keep the money reserved; a deferral never hides that an earlier send may have moved money. */
const wait = (
  draft: Draft,
  before: Payout,
  attempt: Attempt,
  outcome: Exclude<Of<"conclude_payment">["outcome"], { kind: "settled" | "refused" }>,
): Step => {
  // What may have moved money, or waits for a person, is not talked over by a later answer that says less.
  const stood =
    attempt.state === "begun" && draft.realNow - attempt.updatedAt >= BEGUN_STALE_MS
      ? "unknown"
      : attempt.state;
  const keeps =
    stood === "needs_hand" ||
    (stood === "accepted" && outcome.kind !== "needs_hand") ||
    (stood === "unknown" && outcome.kind !== "accepted" && outcome.kind !== "needs_hand");
  const state = keeps ? stood : outcome.kind;
  const asked =
    outcome.kind === "deferred" && outcome.retryAfterS !== undefined
      ? draft.realNow + outcome.retryAfterS * 1000
      : 0;
  const after: Attempt = {
    ...attempt,
    state,
    tries: attempt.tries + 1,
    updatedAt: draft.realNow,
    providerRef: refOf(outcome) ?? attempt.providerRef,
    detail: detailOf(outcome) ?? attempt.detail,
    emptySince:
      outcome.kind === "unknown" && outcome.isEmptyLook === true
        ? (attempt.emptySince ?? draft.realNow)
        : null,
    nextAttemptAt: lookAgainAt(attempt, state, draft.realNow, asked),
  };
  draft.updatedAttempt = after;
  const payout = expectAgain(draft, before, state, outcome);
  return { result: { kind: "attempt", payout, attempt: after } };
};

const lookAgainAt = (
  attempt: Attempt,
  state: Attempt["state"],
  now: number,
  asked: number,
): number | null => {
  if (state === "needs_hand") return handPollAt(attempt.rail, now);
  const next = state === "accepted" ? nextPollAt : nextLookAt;
  return Math.max(next(attempt.createdAt, now), asked);
};

const refOf = (outcome: RailOutcome): string | undefined =>
  outcome.kind === "accepted" || outcome.kind === "needs_hand" ? outcome.ref : undefined;

const detailOf = (outcome: RailOutcome): string | undefined => {
  if (outcome.kind === "needs_hand") return outcome.instructions;
  return outcome.kind === "settled" ? undefined : outcome.detail;
};

/** Who waits for a person is not late; who waits for a provider is late when the provider says so. */
const expectAgain = (draft: Draft, before: Payout, state: Attempt["state"], outcome: RailOutcome): Payout => {
  if (state === "needs_hand")
    return before.expectedBy === null ? before : putPayout(draft, before, { expectedBy: null });
  if (outcome.kind !== "accepted" || outcome.expectedWithinMs === undefined || before.stalledAt !== null)
    return before;
  const expectedBy = Math.max(before.expectedBy ?? 0, draft.now + outcome.expectedWithinMs);
  return expectedBy === before.expectedBy ? before : putPayout(draft, before, { expectedBy });
};

const providerReturn = (draft: Draft, before: Payout, command: Of<"provider_return">): Step => {
  const rest = before.amount - before.returnedAmount;
  if (before.status === "returned" && command.total <= before.returnedAmount)
    return { unchanged: { kind: "payout", payout: before } };
  if (before.status !== "paid")
    return refuse("invalid_state", `A payout that is ${before.status} cannot be returned.`);
  if (before.paidVia === null || !["stripe", "paypal", "wise"].includes(before.paidVia))
    return refuse(
      "invalid_state",
      `A payout that was paid by ${before.paidVia} can only be returned by a person.`,
    );
  const more = command.total - before.returnedAmount;
  if (!Number.isSafeInteger(command.total) || command.total < 0)
    throw new Error(`a provider that returned ${command.total}`);
  if (more <= 0) return { unchanged: { kind: "payout", payout: before } };
  if (more > rest)
    return refuse("amount_changed", `Only ${rest} of the payout is still out.`, { facts: { amount: rest } });
  return { result: { kind: "payout", payout: returnAmount(draft, before, more, command.reason) } };
};

const stall = (draft: Draft, before: Payout, reason: string): Step => {
  if (before.status !== "processing" || before.stalledAt !== null)
    return { unchanged: { kind: "payout", payout: before } };
  const payout = putPayout(draft, before, { stalledAt: draft.now });
  announcePayout(draft, "payout.stalled", payout, before.status, reason);
  return { result: { kind: "payout", payout } };
};

export const payment = (draft: Draft, command: PaymentCommand): Step => {
  const before = draft.book.payout;
  if (before === undefined) return refuse("payout_not_found", "No such payout in this program.");
  switch (command.kind) {
    case "begin_payment":
      return begin(draft, before, command);
    case "conclude_payment":
      return conclude(draft, before, command);
    case "resume_payment":
      return resume(draft, before);
    case "resolve":
      return resolvePayment(draft, before, command);
    case "provider_return":
      return providerReturn(draft, before, command);
    case "stall":
      return stall(draft, before, command.reason);
    case "send_back":
      return sendBack(draft, before, command);
  }
};
