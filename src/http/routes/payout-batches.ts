// Payouts by the hundred: approved, paid, marked as paid, each with its own result.
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { PayoutId } from "../../domain/ids.ts";
import type { Payout, PayoutStatus } from "../../domain/payout.ts";
import {
  approvePayouts,
  BATCH_MAX,
  markPayoutsPaid,
  payoutsOfRun,
  payPayouts,
  RUN_PAGE,
} from "../../operations/batch-payouts.ts";
import type { Settled } from "../../operations/by-affiliate.ts";
import { decodeCursor, encodeCursor } from "../cursor.ts";
import { type AppEnv, ctxOf, type Register } from "../env.ts";
import { defineRoute } from "../route.ts";
import { externalRef, idOf, instant, jsonAnswer, jsonBody, noteText, payoutId } from "../wire.ts";
import {
  briefPayoutSchema,
  briefPayoutToWire,
  type Named,
  resultsSchema,
  resultsToWire,
} from "../wire-batch.ts";

const CHOICE = z.union([
  z.strictObject({ payout_ids: z.array(payoutId).min(1).max(BATCH_MAX) }),
  z.strictObject({
    run_id: idOf("run"),
    cursor: z
      .string()
      .min(1)
      .max(1_024)
      .optional()
      .openapi({ description: "The last answer's next_cursor." }),
  }),
]);
type Choice = z.output<typeof CHOICE>;

const results = resultsSchema("payout", briefPayoutSchema);
const paged = results.extend({
  has_more: z.boolean().openapi({ description: "Whether more of the run's payouts wait behind these." }),
  next_cursor: z.string().nullable(),
});

const OF_RUN = `With \`run_id\` the first ${RUN_PAGE} of the run's payouts that wait for it; go on with \`cursor\`.`;

const approve = defineRoute(
  { to: "payouts:approve" },
  {
    method: "post",
    path: "/v1/payouts/approve",
    tags: ["payouts"],
    summary: "Approve up to 500 payouts",
    description: OF_RUN,
    request: { body: jsonBody(CHOICE) },
    responses: { 200: jsonAnswer(paged, "A result for each") },
  },
);

const pay = defineRoute(
  { to: "payouts:pay" },
  {
    method: "post",
    path: "/v1/payouts/pay",
    tags: ["payouts"],
    summary: "Pay up to 500 payouts through their rails",
    description: `${OF_RUN} Payments are spread over the seconds to come, as providers allow.`,
    request: { body: jsonBody(CHOICE) },
    responses: { 200: jsonAnswer(paged, "A result for each; 202 is one that is under way") },
  },
);

const NOTE = {
  external_ref: externalRef.optional(),
  paid_at: instant.optional(),
  paid_via: z.enum(["manual", "bank_transfer"]).optional(),
  admin_note: noteText.optional(),
  partner_message: noteText.optional(),
};

const MARK = z.strictObject({
  payments: z
    .array(z.strictObject({ payout_id: payoutId, amount: z.number().int().min(1).optional(), ...NOTE }))
    .min(1)
    .max(BATCH_MAX),
  ...NOTE,
});

const markPaid = defineRoute(
  { to: "payouts:pay" },
  {
    method: "post",
    path: "/v1/payouts/mark-paid",
    tags: ["payouts"],
    summary: "Say that up to 500 payouts were paid by hand",
    description: "What is said beside `payments` stands for those that do not say it.",
    request: { body: jsonBody(MARK) },
    responses: { 200: jsonAnswer(results, "A result for each") },
  },
);

const answerOf = (
  c: Context<AppEnv>,
  outcomes: readonly Settled<Payout>[],
  named: readonly Named[],
  status: (payout: Payout) => number,
) =>
  resultsToWire(
    c,
    outcomes,
    (i) => named[i] ?? { id: null, pointer: "" },
    (payout) => ({ id: payout.id, status: status(payout), payout: briefPayoutToWire(payout) }),
  );

interface Chosen {
  readonly ids: readonly PayoutId[];
  readonly named: readonly Named[];
  readonly next: string | null;
}

const chosenOf = async (
  c: Context<AppEnv>,
  choice: Choice,
  waiting: readonly PayoutStatus[],
): Promise<Chosen> => {
  if ("payout_ids" in choice) {
    const named = choice.payout_ids.map((id, i) => ({ id, pointer: `/payout_ids/${i}` }));
    return { ids: choice.payout_ids, named, next: null };
  }
  const ctx = ctxOf(c);
  const { cursorKey } = ctx.config;
  const place = { route: c.req.path, programId: ctx.program.id, filters: { run_id: choice.run_id } };
  const [after] = choice.cursor === undefined ? [] : await decodeCursor(cursorKey, place, choice.cursor);
  const behind = after === undefined ? undefined : (String(after) as PayoutId);
  const { ids, hasMore } = await payoutsOfRun(ctx, choice.run_id, waiting, behind);
  const last = ids.at(-1);
  const next = hasMore && last !== undefined ? await encodeCursor(cursorKey, place, [last]) : null;
  return { ids, named: ids.map((id) => ({ id, pointer: "/run_id" })), next };
};

export const registerPayoutBatches: Register = (app) => {
  app.openapi(approve, async (c) => {
    const { ids, named, next } = await chosenOf(c, c.req.valid("json"), ["pending"]);
    const answer = answerOf(c, await approvePayouts(ctxOf(c), ids), named, () => 200);
    return c.json({ ...answer, has_more: next !== null, next_cursor: next }, 200);
  });
  app.openapi(pay, async (c) => {
    const { ids, named, next } = await chosenOf(c, c.req.valid("json"), ["pending", "approved"]);
    const underWay = ({ status }: Payout): number => (status === "processing" ? 202 : 200);
    const answer = answerOf(c, await payPayouts(ctxOf(c), ids), named, underWay);
    return c.json({ ...answer, has_more: next !== null, next_cursor: next }, 200);
  });
  app.openapi(markPaid, async (c) => {
    const { payments, ...all } = c.req.valid("json");
    const statements = payments.map((payment) => ({
      payoutId: payment.payout_id,
      amount: payment.amount ?? null,
      externalRef: payment.external_ref ?? all.external_ref ?? null,
      paidAt: payment.paid_at ?? all.paid_at ?? null,
      paidVia: payment.paid_via ?? all.paid_via ?? null,
      adminNote: payment.admin_note ?? all.admin_note ?? null,
      partnerMessage: payment.partner_message ?? all.partner_message ?? null,
    }));
    const named = payments.map(({ payout_id: id }, i) => ({ id, pointer: `/payments/${i}` }));
    return c.json(
      answerOf(c, await markPayoutsPaid(ctxOf(c), statements), named, () => 200),
      200,
    );
  });
};
