// Affihub's pay: the transfer to the partner's connected Stripe account, waited for.
import { z } from "zod";
import type { Ctx } from "../context.ts";
import { methodOf } from "../domain/affiliate.ts";
import type { Payout } from "../domain/payout.ts";
import { Refused, refuse } from "../domain/refusals.ts";
import { type DialectAnswer, dialectRoute } from "../http/dialect.ts";
import { payPayout, WAIT_MAX_S } from "../operations/pay-payout.ts";
import { findAffiliate } from "../store/affiliates.ts";
import { AFFIHUB_STATUSES, instant, requirePayout, STATUS_OUT } from "./affihub-payout.ts";
import { saidNo } from "./affihub-refusals.ts";
import { toSecondOrNull } from "./times.ts";

const paidSchema = z.object({
  id: z.string(),
  status: z.enum(AFFIHUB_STATUSES),
  payout_ref: z.string().nullable(),
  paid_at: instant.nullable(),
});

const toPaid = (payout: Payout): z.infer<typeof paidSchema> => ({
  id: payout.id,
  status: STATUS_OUT[payout.status],
  payout_ref: payout.externalRef,
  paid_at: toSecondOrNull(payout.paidAt),
});

const UNPAID = ["pending", "approved"];

/** Affihub pays by Stripe alone: another method would not give the answer that it documents. */
const assertStripe = async ({ db, program }: Ctx, { status, affiliateId }: Payout): Promise<void> => {
  if (!UNPAID.includes(status)) return;
  const partner = await findAffiliate(db, program.id, { id: affiliateId });
  if (partner !== undefined && methodOf(partner) === "stripe") return;
  throw new Refused(
    refuse("payout_method_not_ready", "The partner has no connected Stripe account.").refusal,
  );
};

const answerOf = (payout: Payout): DialectAnswer => {
  if (payout.status === "paid") return { status: 200, body: toPaid(payout) };
  if (payout.status === "processing") return { status: 202, body: toPaid(payout) };
  // Sent back before anything was sent, or refused by Stripe: either way the reason stands in the payout.
  const { failureCode, failureDetail } = payout;
  return saidNo(422, failureCode ?? "payment_failed", failureDetail ?? "The payment did not happen.");
};

export const pay = dialectRoute({
  method: "POST",
  path: "/api/v1/payouts/{id}/pay",
  scope: "payouts:pay",
  summary: "Pay a payout through Stripe Connect",
  source: "documented",
  keeps: "turn",
  answers: {
    200: { description: "Paid", schema: paidSchema },
    202: { description: `The transfer is under way after ${WAIT_MAX_S} seconds`, schema: paidSchema },
  },
  async handle({ ctx, params, turn }) {
    const payout = await requirePayout(ctx, params["id"] ?? "");
    const { id } = payout;
    await assertStripe(ctx, payout);
    const done = await payPayout(ctx, id, { ...turn, waitS: WAIT_MAX_S });
    const answer = answerOf(await requirePayout(ctx, id));
    return done.replayed ? { ...answer, headers: { "Idempotent-Replayed": "true" } } : answer;
  },
});
