// A payment that waits for a file: paid for, begun and put into a person's hand, without any call to a provider.
import type { Ctx } from "../context.ts";
import type { Affiliate } from "../domain/affiliate.ts";
import type { WhyNot } from "../domain/files/payment-line.ts";
import type { Command } from "../domain/ledger/command.ts";
import type { Attempt, Payout } from "../domain/payout.ts";
import { type Refusal, Refused, refuse } from "../domain/refusals.ts";
import type { PayoutRail } from "../rails/rail.ts";
import { findPayment } from "../store/payments.ts";
import { type FileCandidate, FOR_A_FILE } from "../store/payout-file-items.ts";
import { applyTurn, askTurn, newBody } from "./apply-turn.ts";

export type HandRail = "bank_transfer" | "manual";

/** Whether the payment began or not is not known now; nothing of it is lost, and a later file takes it in. */
const UNSURE: WhyNot = refuse(
  "payment_under_way",
  "The affiliate's ledger did not answer in time: send the request again for this payout.",
).refusal;

const BY_API: WhyNot = refuse(
  "payment_under_way",
  "Its payment has begun by another way; only its outcome, or a person who marks it, frees it for a file.",
).refusal;

/** An instruction frozen over a payout that changed meanwhile is frozen again this often. */
const FREEZES = 3;

const turn = (ctx: Ctx, payout: Payout, commandId: string, command: Command, mint = newBody(ctx)) =>
  askTurn(ctx, {
    programId: ctx.program.id,
    affiliateId: payout.affiliateId,
    commandId,
    requestSha: "",
    actor: ctx.actor,
    mint,
    command,
  });

/** What was asked for may not begin: nothing was sent, so the payout waits for a person again, as after any refused beginning. */
const sendBack = async (ctx: Ctx, payout: Payout, { code, detail }: Refusal): Promise<WhyNot> => {
  const steps = payout.history.length;
  const command = { kind: "send_back", payoutId: payout.id, steps, code, detail } as const;
  await turn(ctx, payout, `s:back:${payout.id}:${steps}`, command);
  return { code, detail };
};

const begin = async (
  ctx: Ctx,
  rail: PayoutRail,
  payout: Payout,
  affiliate: Affiliate,
  tried = 1,
): Promise<Attempt | WhyNot> => {
  const mint = newBody(ctx);
  const n = payout.attemptCount + 1;
  const next = { attemptId: `att_${mint}`, key: `po:${payout.id}:${n}` } as const;
  const frozen = await rail.freeze(ctx.program, payout, affiliate, next);
  if ("refusal" in frozen) return sendBack(ctx, payout, frozen.refusal);
  const instruction = { ...frozen, ...(frozen.rail === "manual" ? { apiVersion: FOR_A_FILE } : {}) };
  const command = { kind: "begin_payment", payoutId: payout.id, instruction } as const;
  const answer = await turn(ctx, payout, `s:begin:${payout.id}:${n}`, command, mint);
  if (answer.kind === "busy") return UNSURE;
  if (answer.kind === "done")
    return answer.result.kind === "attempt" && answer.result.payout.status === "processing"
      ? answer.result.attempt
      : UNSURE;
  if (answer.refusal.code === "book_rewound") return answer.refusal;
  if (answer.refusal.code !== "amount_changed") return sendBack(ctx, payout, answer.refusal);
  const fresh = await findPayment(ctx.db, ctx.program.id, payout.id);
  if (fresh === undefined || fresh.payout.status !== "processing" || tried === FREEZES) return UNSURE;
  return fresh.attempt ?? begin(ctx, rail, fresh.payout, fresh.affiliate, tried + 1);
};

/** These rails send nothing, so whoever began the attempt, it waits for a person; saying so twice is saying it once. */
const awaitHand = async (ctx: Ctx, payout: Payout, attempt: Attempt): Promise<Attempt | WhyNot> => {
  if (attempt.state === "needs_hand") return attempt;
  const outcome = { kind: "needs_hand", instructions: "It goes into a payout file." } as const;
  const command = {
    kind: "conclude_payment",
    payoutId: payout.id,
    attemptId: attempt.id,
    outcome,
  } as const;
  const answer = await turn(ctx, payout, `s:conclude:${attempt.id}:needs_hand:${attempt.tries}`, command);
  if (answer.kind !== "done" || answer.result.kind !== "attempt") return UNSURE;
  return answer.result.attempt.state === "needs_hand" ? answer.result.attempt : UNSURE;
};

const CHANGED: Refusal = refuse(
  "destination_changed",
  "The affiliate's payout method changed while the file was made: nothing was begun.",
).refusal;

/** The payout as it is asked to be paid, or why it is not. */
const pay = async (
  ctx: Ctx,
  method: HandRail,
  { payout: { id, affiliateId }, affiliate }: FileCandidate,
): Promise<Payout | WhyNot> => {
  const byHand = method === "manual" ? { byHand: true as const } : {};
  const command = { kind: "pay", payoutId: id, ...byHand } as const;
  const done = await applyTurn(ctx, affiliateId, command, { commandId: undefined, requestSha: "" }, "payout");
  const { payout } = done.result;
  const isAsJudged = payout.method === method && payout.destinationSha === affiliate.destination?.sha;
  if (isAsJudged) return payout;
  // Where this very turn asked for the payment, a consumer would take it up and pay another destination or by API.
  return done.written ? sendBack(ctx, payout, CHANGED) : BY_API;
};

const began = async (ctx: Ctx, method: HandRail, candidate: FileCandidate): Promise<Attempt | WhyNot> => {
  const { payout: before, affiliate, attempt: open } = candidate;
  const rail = ctx.rails[method];
  if (rail === undefined) return refuse("rail_not_available", `Nothing here pays by ${method}.`).refusal;
  const payout = before.status === "processing" ? before : await pay(ctx, method, candidate);
  if ("code" in payout) return payout;
  const attempt = open ?? (await begin(ctx, rail, payout, affiliate));
  if (!("state" in attempt)) return attempt;
  return attempt.rail === method ? awaitHand(ctx, payout, attempt) : BY_API;
};

/**
 * The turn of `pay` first where nobody asked for payment yet: the same rules and refusals. What is uploaded at PayPal or Wise is paid
 * for by hand in that very turn, so that from then on no consumer, whenever it comes, pays it by API.
 */
export const beginByHand = async (
  ctx: Ctx,
  method: HandRail,
  candidate: FileCandidate,
): Promise<Attempt | WhyNot> => {
  try {
    return await began(ctx, method, candidate);
  } catch (fault) {
    if (fault instanceof Refused) return fault.refusal;
    // One ledger that cannot be reached must not keep the others out of the file.
    const name = fault instanceof Error ? fault.name : "unknown";
    ctx.log({ event: "payout_file_fault", payout_id: candidate.payout.id, name });
    return UNSURE;
  }
};
