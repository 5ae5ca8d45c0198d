// PATCH /v1/payouts/{payout_id}: what people want to remember of a payout.
import { z } from "@hono/zod-openapi";
import { reviewPayout } from "../../operations/review-payout.ts";
import { ctxOf, type Register } from "../env.ts";
import { commandOf } from "../idempotency.ts";
import { payoutAnswer } from "../payout-answer.ts";
import { defineRoute } from "../route.ts";
import { externalRef, jsonAnswer, jsonBody, noteText, payoutId } from "../wire.ts";
import { payoutSchema } from "../wire-payout.ts";

const PARAMS = z.object({ payout_id: payoutId });

const ANNOTATE = z
  .strictObject({
    external_ref: externalRef.nullable().optional(),
    admin_note: noteText.nullable().optional(),
    partner_message: noteText.nullable().optional(),
  })
  .refine((body) => Object.keys(body).length > 0, "must name at least one field");

const annotate = defineRoute(
  { to: "payouts:write", idempotency: "honoured" },
  {
    method: "patch",
    path: "/v1/payouts/{payout_id}",
    tags: ["payouts"],
    summary: "Note something on a payout",
    request: { params: PARAMS, body: jsonBody(ANNOTATE) },
    responses: { 200: jsonAnswer(payoutSchema, "The payout") },
  },
);

export const registerPayoutNotes: Register = (app) => {
  app.openapi(annotate, async (c) => {
    const body = c.req.valid("json");
    return c.json(
      await payoutAnswer(
        c,
        await reviewPayout(
          ctxOf(c),
          {
            kind: "annotate",
            payoutId: c.req.valid("param").payout_id,
            ...(body.external_ref === undefined ? {} : { externalRef: body.external_ref }),
            ...(body.admin_note === undefined ? {} : { adminNote: body.admin_note }),
            ...(body.partner_message === undefined ? {} : { partnerMessage: body.partner_message }),
          },
          await commandOf(c),
        ),
      ),
      200,
    );
  });
};
