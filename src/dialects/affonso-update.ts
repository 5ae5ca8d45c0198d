// PUT /v1/payouts/{id}: Affonso's table of transitions, each as the commands of ours that it stands for.
import { z } from "zod";
import type { Ctx } from "../context.ts";
import type { Scope } from "../domain/api-key.ts";
import type { PayoutCommand } from "../domain/ledger/command.ts";
import type { Payout, PayoutStatus } from "../domain/payout.ts";
import { type RefusalCode, Refused, refuse } from "../domain/refusals.ts";
import { dialectRoute } from "../http/dialect.ts";
import type { TurnInput } from "../operations/apply-turn.ts";
import { payByHand } from "../operations/pay-by-hand.ts";
import { type ReviewCommand, reviewPayout } from "../operations/review-payout.ts";
import { findPayment, type Payment } from "../store/payments.ts";
import {
  AFFONSO_STATUSES,
  type AffonsoStatus,
  METHOD_MAX,
  methodOutOf,
  namedMethodOf,
  noteNaming,
  payoutSchema,
  STATUS_OUT,
  toWire,
} from "./affonso-payout.ts";
import { requirePayout } from "./affonso-reads.ts";
import { optionalLine } from "./texts.ts";

const UPDATE = z.object({
  status: z.enum(AFFONSO_STATUSES),
  paymentMethod: optionalLine(METHOD_MAX),
  paymentReference: optionalLine(255),
});
type Update = z.output<typeof UPDATE>;

/** `begin`: a person starts to pay it, and nothing is sent; `repeat`: what stands is only said again; `note`: reference and method alone. */
type Deed =
  | "accept"
  | "deny"
  | "cancel"
  | "retry"
  | "reopen"
  | "begin"
  | "mark_paid"
  | "mark_failed"
  | "note"
  | "repeat";

/** Affonso's transitions by where a payout of ours stands; what is not here is refused. */
const MOVES: Readonly<Record<PayoutStatus, Partial<Record<AffonsoStatus, readonly Deed[]>>>> = {
  requested: { pending: ["note"], processing: ["accept", "begin", "note"], cancelled: ["deny", "note"] },
  pending: { pending: ["note"], processing: ["begin", "note"], cancelled: ["cancel", "note"] },
  approved: { pending: ["note"], processing: ["begin", "note"], cancelled: ["cancel", "note"] },
  processing: {
    processing: ["begin", "note"],
    completed: ["begin", "mark_paid"],
    failed: ["begin", "mark_failed", "note"],
    cancelled: ["begin", "mark_failed", "cancel", "note"],
  },
  paid: { completed: ["repeat"] },
  failed: { failed: ["note"], pending: ["retry", "note"], cancelled: ["cancel", "note"] },
  cancelled: { cancelled: ["note"], pending: ["reopen", "note"] },
  returned: { failed: ["note"] },
};

const SCOPES: Readonly<Record<Deed, Scope>> = {
  accept: "payouts:write",
  deny: "payouts:write",
  cancel: "payouts:write",
  retry: "payouts:write",
  reopen: "payouts:write",
  begin: "payouts:pay",
  mark_paid: "payouts:pay",
  mark_failed: "payouts:pay",
  note: "payouts:write",
  repeat: "payouts:pay",
};

const no = (code: RefusalCode, detail: string, pointer?: string): Refused =>
  new Refused(refuse(code, detail, pointer === undefined ? {} : { pointer }).refusal);

const refuseMove = (payout: Payout, to: AffonsoStatus): Refused => {
  const from = STATUS_OUT[payout.status];
  const allowed = Object.keys(MOVES[payout.status]).filter((status) => status !== from);
  const ways = allowed.length === 0 ? "It cannot be changed." : `It can become ${allowed.join(" or ")}.`;
  return no("invalid_state", `A payout that is ${from} cannot become ${to}. ${ways}`, "/status");
};

const HAND_RAILS: readonly string[] = ["manual", "bank_transfer"];

/** Its payment waits for a person, or has nobody else to wait for. */
const isByHand = ({ payout, attempt }: Payment): boolean =>
  attempt?.state === "needs_hand" || HAND_RAILS.includes(attempt?.rail ?? payout.method);

const deedsOf = (payment: Payment, to: AffonsoStatus): readonly Deed[] => {
  const { payout } = payment;
  if (payout.status === "processing" && !isByHand(payment)) {
    throw no(
      "payment_under_way",
      "The payout's transfer is under way; only its outcome changes the payout.",
      "/status",
    );
  }
  const deeds = MOVES[payout.status][to];
  if (deeds === undefined) throw refuseMove(payout, to);
  return deeds;
};

const WHY = "through Affonso's API";

const commandOf = (
  deed: Exclude<Deed, "begin" | "note" | "repeat">,
  payout: Payout,
  { paymentMethod, paymentReference }: Update,
): ReviewCommand => {
  const payoutId = payout.id;
  switch (deed) {
    case "accept":
    case "retry":
    case "reopen":
      return { kind: deed, payoutId };
    case "deny":
      return { kind: deed, payoutId, reason: `Denied ${WHY}.` };
    case "cancel":
      return { kind: deed, payoutId, reason: `Cancelled ${WHY}.` };
    case "mark_failed":
      return { kind: deed, payoutId, reason: `Marked failed ${WHY}.` };
    case "mark_paid":
      return {
        kind: deed,
        payoutId,
        externalRef: paymentReference ?? payout.externalRef,
        amount: null,
        paidAt: null,
        paidVia: paymentMethod === "bank_transfer" ? "bank_transfer" : null,
        adminNote: paymentMethod === undefined ? null : noteNaming(payout, paymentMethod),
        partnerMessage: null,
      };
  }
};

const annotation = (
  payout: Payout,
  { paymentMethod, paymentReference }: Update,
): PayoutCommand | undefined => {
  const renames = paymentMethod !== undefined && paymentMethod !== namedMethodOf(payout);
  const refers = paymentReference !== undefined && paymentReference !== payout.externalRef;
  if (!renames && !refers) return undefined;
  return {
    kind: "annotate",
    payoutId: payout.id,
    ...(refers ? { externalRef: paymentReference } : {}),
    ...(renames ? { adminNote: noteNaming(payout, paymentMethod) } : {}),
  };
};

/** What is paid stays as it is: the same word again is heard, another is not. */
const assertRepeat = (payout: Payout, { paymentMethod, paymentReference }: Update): void => {
  if (paymentReference !== undefined && paymentReference !== payout.externalRef)
    throw no(
      "external_ref_differs",
      "The payout is completed, under another reference.",
      "/paymentReference",
    );
  if (paymentMethod !== undefined && paymentMethod !== methodOutOf(payout))
    throw no("invalid_state", "The payout is completed, by another method.", "/paymentMethod");
};

/** Nothing to begin where it waits for a person already. */
const begin = async (ctx: Ctx, { attempt, payout }: Payment, turn: TurnInput): Promise<void> =>
  attempt?.state === "needs_hand" ? undefined : payByHand(ctx, payout, turn);

const requirePayment = async (ctx: Ctx, id: string): Promise<Payment> => {
  const { payout } = await requirePayout(ctx, id);
  const payment = await findPayment(ctx.db, ctx.program.id, payout.id);
  if (payment === undefined) throw new Error(`payout ${payout.id} without its affiliate`);
  return payment;
};

/** Each step leaves the payout where the same request goes on from: a request that died is simply sent again. */
const act = async (
  ctx: Ctx,
  payment: Payment,
  deeds: readonly Deed[],
  update: Update,
  turn: TurnInput,
): Promise<void> => {
  let now = payment;
  for (const deed of deeds) {
    const { payout } = now;
    if (deed === "repeat") {
      assertRepeat(payout, update);
    } else if (deed === "begin") {
      await begin(ctx, now, turn);
    } else {
      const command = deed === "note" ? annotation(payout, update) : commandOf(deed, payout, update);
      if (command === undefined || command.kind === "pay") continue;
      now = { ...now, payout: (await reviewPayout(ctx, command, turn)).result.payout };
    }
  }
};

export const updatePayout = dialectRoute({
  method: "PUT",
  path: "/v1/payouts/{id}",
  scope: ["payouts:write", "payouts:pay"],
  summary: "Update a payout's status, method and reference",
  source: "documented",
  body: UPDATE,
  answers: {
    200: { description: "The payout", schema: z.object({ success: z.literal(true), data: payoutSchema }) },
  },
  async handle({ ctx, params, body, turn, require }) {
    const payment = await requirePayment(ctx, params["id"] ?? "");
    const deeds = deedsOf(payment, body.status);
    for (const deed of deeds) if (deed !== "note" || deeds.length === 1) require(SCOPES[deed]);
    await act(ctx, payment, deeds, body, turn);
    const updated = await requirePayout(ctx, payment.payout.id);
    return { status: 200, body: { success: true, data: toWire(updated, payment.affiliate) } };
  },
});
