// A provider's message is a hint: the provider is asked again what became of an attempt, and only its answer moves the book.
import type { Ctx } from "../context.ts";
import type { Command } from "../domain/ledger/command.ts";
import type { Attempt } from "../domain/payout.ts";
import type { PayoutRail } from "../rails/rail.ts";
import { askTurn, newBody } from "./apply-turn.ts";

/** Thrown so that the provider sends its message again. */
const notNow = (attempt: Attempt, why: string): Error =>
  Object.assign(new Error(`${attempt.rail} could not say what became of ${attempt.id}: ${why}`), {
    retryAfterS: 30,
  });

const apply = async (ctx: Ctx, attempt: Attempt, commandId: string, command: Command): Promise<void> => {
  const answer = await askTurn(ctx, {
    programId: ctx.program.id,
    affiliateId: attempt.affiliateId,
    commandId,
    requestSha: "",
    actor: ctx.actor,
    mint: newBody(ctx),
    command,
  });
  if (answer.kind === "busy") throw notNow(attempt, "the ledger is busy");
  if (answer.kind === "refused")
    ctx.log({ event: "message_refused", code: answer.refusal.code, payout_id: attempt.payoutId });
};

/** A person may have settled it without the provider's own id: what stands there is found by what was sent. */
const withRef = async (ctx: Ctx, rail: PayoutRail, attempt: Attempt): Promise<Attempt> => {
  if (attempt.providerRef !== null) return attempt;
  const found = await rail.find(ctx.program, { ...attempt, state: "unknown" });
  return found?.kind === "settled" ? { ...attempt, providerRef: found.ref } : attempt;
};

/** How much came back, as a total: whoever says it first, and however often, it counts once. */
export const reviewSettled = async (ctx: Ctx, rail: PayoutRail, attempt: Attempt): Promise<void> => {
  if (rail.returned === undefined) return;
  const total = await rail.returned(ctx.program, await withRef(ctx, rail, attempt));
  if (total === undefined) throw notNow(attempt, "no answer");
  if (total === 0) return;
  const { payoutId } = attempt;
  const reason = `returned by ${attempt.rail}`;
  // Named by what it says, never by the message: one message may conclude first and tell of a return when it comes again.
  const commandId = `s:returned:${attempt.id}:${total}`;
  await apply(ctx, attempt, commandId, { kind: "provider_return", payoutId, total, reason });
};

/** A person may have settled it under a reference of their own: then the message names the provider's, where it is this attempt's. */
const asNamed = async (
  ctx: Ctx,
  rail: PayoutRail,
  attempt: Attempt,
  ref: string | undefined,
): Promise<Attempt> => {
  if (ref === undefined || ref === attempt.providerRef) return attempt;
  const outcome = await rail.find(ctx.program, attempt, ref);
  return outcome?.kind === "settled" ? { ...attempt, providerRef: outcome.ref } : attempt;
};

/**
 * Safe to run any number of times, in any order: a settled attempt can only come back, an open one be concluded,
 * and a refused one turn out to have paid. `ref` is the provider's own id where the message named it.
 */
export const reviewAttempt = async (
  ctx: Ctx,
  attempt: Attempt,
  commandId: string,
  ref?: string,
): Promise<void> => {
  const rail = ctx.rails[attempt.rail];
  if (rail === undefined || attempt.state === "paid_late") return;
  if (attempt.state === "settled") return reviewSettled(ctx, rail, await asNamed(ctx, rail, attempt, ref));
  const outcome = await rail.find(ctx.program, attempt, ref);
  if (outcome === undefined) return;
  if (outcome.kind === "unknown") throw notNow(attempt, outcome.detail);
  if (attempt.state === "refused") {
    if (outcome.kind !== "settled") return;
    // Paid after a refusal and sent back since: the affiliate has nothing of it.
    const back = await rail.returned?.(ctx.program, {
      ...attempt,
      state: "settled",
      providerRef: outcome.ref,
    });
    if (rail.returned !== undefined && back === undefined) throw notNow(attempt, "no answer");
    if (back === attempt.amount) return;
  }
  const { payoutId, id: attemptId } = attempt;
  await apply(ctx, attempt, commandId, { kind: "conclude_payment", payoutId, attemptId, outcome });
  if (outcome.kind === "settled" && attempt.state !== "refused")
    await reviewSettled(ctx, rail, { ...attempt, state: "settled", providerRef: outcome.ref });
};
