// The payment: begin in one turn, call outside any turn, conclude in another; at every retry look before sending.
import type { Ctx } from "../context.ts";
import type { AffiliateId, PayoutId } from "../domain/ids.ts";
import type { Command, Instruction } from "../domain/ledger/command.ts";
import {
  type Attempt,
  BEGUN_STALE_MS,
  EMPTY_LOOKS_APART_MS,
  HISTORY_WINDOW_MS,
  type Payout,
  QUIET_AFTER_WINDOW_MS,
  type RailOutcome,
} from "../domain/payout.ts";
import type { Refusal } from "../domain/refusals.ts";
import type { PayoutRail } from "../rails/rail.ts";
import { findPayment, type Payment } from "../store/payments.ts";
import { askTurn, newBody } from "./apply-turn.ts";
import { reviewSettled } from "./review-attempt.ts";

/** What is left to do: nothing, or to come back after some milliseconds. */
export type PaymentNext = { readonly kind: "done" } | { readonly kind: "again"; readonly afterMs: number };

const DONE: PaymentNext = { kind: "done" };
const again = (afterMs: number): PaymentNext => ({ kind: "again", afterMs: Math.max(afterMs, 0) });

/** Another consumer holds the call, or the object is busy. */
const SOON_MS = 2_000;

/** A frozen instruction that the turn found outdated is frozen again this often. */
const FREEZES = 3;

const turn = (ctx: Ctx, affiliateId: AffiliateId, commandId: string, command: Command, mint = newBody(ctx)) =>
  askTurn(ctx, {
    programId: ctx.program.id,
    affiliateId,
    commandId,
    requestSha: "",
    actor: ctx.actor,
    mint,
    command,
  });

/** The payout goes back to pending with its reason: nothing was sent. */
const sendBack = async (ctx: Ctx, payout: Payout, refusal: Refusal): Promise<PaymentNext> => {
  const { code, detail } = refusal;
  const command = {
    kind: "send_back",
    payoutId: payout.id,
    steps: payout.history.length,
    code,
    detail,
  } as const;
  const answer = await turn(ctx, payout.affiliateId, `s:back:${payout.id}:${payout.history.length}`, command);
  return answer.kind === "busy" ? again(SOON_MS) : DONE;
};

const begin = async (
  ctx: Ctx,
  rail: PayoutRail,
  payment: Payment,
  tried = 1,
): Promise<PaymentNext | Attempt> => {
  const { payout, affiliate } = payment;
  const mint = newBody(ctx);
  const frozen: Instruction | { refusal: Refusal } = await rail.freeze(ctx.program, payout, affiliate, {
    attemptId: `att_${mint}`,
    key: `po:${payout.id}:${payout.attemptCount + 1}`,
  });
  if ("refusal" in frozen) return sendBack(ctx, payout, frozen.refusal);
  const command = { kind: "begin_payment", payoutId: payout.id, instruction: frozen } as const;
  const answer = await turn(
    ctx,
    payout.affiliateId,
    `s:begin:${payout.id}:${payout.attemptCount + 1}`,
    command,
    mint,
  );
  if (answer.kind === "busy") return again(SOON_MS);
  if (answer.kind === "done") {
    if (answer.result.kind !== "attempt" || answer.result.payout.status !== "processing") return DONE;
    // Whose mint it carries began it, also where the answer was lost on the way; anyone else leaves the first call to them.
    return answer.result.attempt.id === `att_${mint}` ? answer.result.attempt : again(SOON_MS);
  }
  if (answer.refusal.code === "book_rewound") return rewound(ctx, payout);
  if (answer.refusal.code !== "amount_changed") return sendBack(ctx, payout, answer.refusal);
  const fresh = await findPayment(ctx.db, ctx.program.id, payout.id);
  if (fresh === undefined || fresh.payout.status !== "processing" || tried === FREEZES) return again(SOON_MS);
  return fresh.attempt ?? begin(ctx, rail, fresh, tried + 1);
};

/** Money-out stops for this affiliate until the book is reconciled; a person sees it in the log and in the stalled payout. */
const rewound = (ctx: Ctx, payout: Payout): PaymentNext => {
  ctx.log({
    event: "book_rewound",
    program_id: ctx.program.id,
    affiliate_id: payout.affiliateId,
    payout_id: payout.id,
  });
  return DONE;
};

const conclude = async (ctx: Ctx, attempt: Attempt, outcome: RailOutcome): Promise<PaymentNext> => {
  const mark =
    outcome.kind === "settled"
      ? outcome.ref
      : outcome.kind === "refused"
        ? outcome.code
        : String(attempt.tries);
  const command = {
    kind: "conclude_payment",
    payoutId: attempt.payoutId,
    attemptId: attempt.id,
    outcome,
  } as const;
  const answer = await turn(
    ctx,
    attempt.affiliateId,
    `s:conclude:${attempt.id}:${outcome.kind}:${mark}`,
    command,
  );
  if (answer.kind !== "done" || answer.result.kind !== "attempt") return again(SOON_MS);
  const { nextAttemptAt } = answer.result.attempt;
  return nextAttemptAt === null ? DONE : again(nextAttemptAt - ctx.realNow());
};

/** Nothing was found, and it is too late to send again: only the provider's own history, twice silent, says that nothing was made. */
const afterWindow = async (ctx: Ctx, rail: PayoutRail, attempt: Attempt): Promise<RailOutcome> => {
  const now = ctx.realNow();
  const isQuiet = now - attempt.createdAt >= rail.resendWindowMs + QUIET_AFTER_WINDOW_MS;
  const isTwice = attempt.emptySince !== null && now - attempt.emptySince >= EMPTY_LOOKS_APART_MS;
  const isKnown = now - attempt.createdAt < HISTORY_WINDOW_MS;
  if (isQuiet && isTwice && isKnown && (await rail.isAbsent?.(ctx.program, attempt)) === true) {
    return {
      kind: "refused",
      code: "not_made",
      detail: "The provider's lists and its history show, twice, that this payment was never made.",
    };
  }
  return {
    kind: "unknown",
    detail: "not found at the provider, and too late to send again under the same key",
    isEmptyLook: true,
  };
};

/** What became of earlier sends before anything is sent again; undefined where sending is right. */
const lookFirst = async (
  ctx: Ctx,
  rail: PayoutRail,
  attempt: Attempt,
  always: boolean,
): Promise<RailOutcome | undefined> => {
  if (
    !always &&
    ((attempt.state === "deferred" && ctx.realNow() - attempt.createdAt < rail.resendWindowMs) ||
      (attempt.state === "begun" && attempt.n === 1 && ctx.realNow() - attempt.updatedAt < BEGUN_STALE_MS))
  )
    return undefined;
  const found = await rail.find(ctx.program, attempt);
  if (found !== undefined) return found;
  if (attempt.state === "accepted") return { kind: "accepted", ref: attempt.providerRef ?? "" };
  if (attempt.state === "needs_hand") return { kind: "needs_hand", instructions: attempt.detail ?? "" };
  return ctx.realNow() - attempt.createdAt < rail.resendWindowMs
    ? undefined
    : afterWindow(ctx, rail, attempt);
};

/** A deferred attempt is marked as under way before it is sent again; undefined where it is not this call's to send. */
const resumed = async (ctx: Ctx, attempt: Attempt): Promise<Attempt | undefined> => {
  if (attempt.state !== "deferred") return attempt;
  const { payoutId, id: attemptId, tries } = attempt;
  const command = { kind: "resume_payment", payoutId, attemptId } as const;
  const mint = newBody(ctx);
  const answer = await turn(
    ctx,
    attempt.affiliateId,
    `s:resume:${attemptId}:${tries}:${mint}`,
    command,
    mint,
  );
  if (answer.kind !== "done" || answer.result.kind !== "attempt") return undefined;
  return answer.result.attempt.state === "begun" ? answer.result.attempt : undefined;
};

/** What was found late may have come back already. A provider that cannot say so now will send a message about it. */
const reviewFound = async (ctx: Ctx, rail: PayoutRail, attempt: Attempt, ref: string): Promise<void> => {
  const settled = { ...attempt, state: "settled", providerRef: ref } as const;
  await reviewSettled(ctx, rail, settled).catch((fault) =>
    ctx.log({ event: "return_not_asked", payout_id: attempt.payoutId, name: faultName(fault) }),
  );
};

const faultName = (fault: unknown): string => (fault instanceof Error ? fault.name : "unknown");

/** Calls the provider for an attempt that nobody else is calling for. */
const call = async (ctx: Ctx, rail: PayoutRail, attempt: Attempt): Promise<PaymentNext> => {
  const ledger = ctx.ledgerOf(ctx.program.id, attempt.affiliateId);
  const lease = await ledger.leaseCall({ affiliateId: attempt.affiliateId, attemptId: attempt.id });
  if (lease === "busy") return again(SOON_MS);
  if (lease === "over") return DONE;
  if (lease === "rewound") {
    ctx.log({
      event: "book_rewound",
      program_id: ctx.program.id,
      affiliate_id: attempt.affiliateId,
      payout_id: attempt.payoutId,
    });
    return DONE;
  }
  try {
    const found = await lookFirst(ctx, rail, attempt, lease === "leased_to_look");
    const sent = found === undefined ? await resumed(ctx, attempt) : attempt;
    if (sent === undefined) return again(SOON_MS);
    const outcome = found ?? (await rail.send(ctx.program, sent));
    const next = await conclude(ctx, attempt, outcome);
    if (found?.kind === "settled") await reviewFound(ctx, rail, attempt, found.ref);
    return next;
  } finally {
    await ctx
      .ledgerOf(ctx.program.id, attempt.affiliateId)
      .endCall(attempt.id)
      .catch(() => undefined);
  }
};

/** Takes a payment one step on; safe to run any number of times, in any order, at once. */
export const runPayment = async (ctx: Ctx, payoutId: PayoutId, isDue = false): Promise<PaymentNext> => {
  const payment = await findPayment(ctx.db, ctx.program.id, payoutId);
  if (payment === undefined || payment.payout.status !== "processing") return DONE;
  const { payout, attempt } = payment;
  const rail = ctx.rails[attempt?.rail ?? payout.method];
  if (rail === undefined) {
    return sendBack(ctx, payout, {
      code: "rail_not_available",
      detail: `Nothing here pays by ${payout.method} yet; pay it by hand and mark it paid.`,
    });
  }
  if (attempt !== undefined) return callIfDue(ctx, rail, attempt, false, isDue);
  const begun = await begin(ctx, rail, payment);
  if (!("state" in begun)) return begun;
  // Another consumer may have begun it, on the rail that the payout has meanwhile.
  const begunBy = ctx.rails[begun.rail];
  if (begunBy === undefined) throw new Error(`an attempt on ${begun.rail} without its rail`);
  return callIfDue(ctx, begunBy, begun, begun.tries === 0 && begun.state === "begun");
};

const callIfDue = (
  ctx: Ctx,
  rail: PayoutRail,
  attempt: Attempt,
  justBegun: boolean,
  isDue = false,
): Promise<PaymentNext> | PaymentNext => {
  if (attempt.state === "settled" || (attempt.state === "needs_hand" && attempt.nextAttemptAt === null))
    return DONE;
  const now = ctx.realNow();
  if (!justBegun && attempt.state === "begun") {
    const staleAt = attempt.updatedAt + BEGUN_STALE_MS;
    return staleAt > now ? again(staleAt - now) : call(ctx, rail, attempt);
  }
  if (!justBegun && !isDue && attempt.nextAttemptAt !== null && attempt.nextAttemptAt > now)
    return again(attempt.nextAttemptAt - now);
  return call(ctx, rail, attempt);
};
