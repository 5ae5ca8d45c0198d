// POST /v1/affiliates/{id}/recovery: what an affiliate owes back is written off, or was repaid outside.
import { z } from "@hono/zod-openapi";
import { settleRecovery } from "../../operations/settle-recovery.ts";
import { ctxOf, type Register } from "../env.ts";
import { commandOf } from "../idempotency.ts";
import { defineRoute } from "../route.ts";
import { affiliateRef, amount, amountOrZero, currency, jsonAnswer, jsonBody, noteText } from "../wire.ts";

const kind = z.enum(["written_off", "repaid"]);

const recoverySchema = z
  .object({
    affiliate_id: z.string(),
    currency: z.string(),
    amount,
    kind,
    recovery_owed: amountOrZero.openapi({ description: "What is still owed in the currency, minor units." }),
  })
  .openapi("RecoverySettlement");

const settle = defineRoute(
  { to: "credits:write", idempotency: "honoured" },
  {
    method: "post",
    path: "/v1/affiliates/{affiliate_id}/recovery",
    tags: ["affiliates"],
    summary: "Write off what an affiliate owes back, or note that it was repaid",
    description: "At most what is owed in the currency. What is left is netted from the next payouts.",
    request: {
      params: z.object({ affiliate_id: affiliateRef }),
      body: jsonBody(z.strictObject({ amount, currency, kind, note: noteText })),
    },
    responses: { 201: jsonAnswer(recoverySchema, "Settled, and what is still owed") },
  },
);

export const registerRecovery: Register = (app) => {
  app.openapi(settle, async (c) => {
    const { kind: how, ...body } = c.req.valid("json");
    const ref = c.req.valid("param").affiliate_id;
    const done = await settleRecovery(ctxOf(c), ref, { ...body, how }, await commandOf(c));
    if (done.replayed) c.header("Idempotent-Replayed", "true");
    const { amount: settled, currency: of } = body;
    return c.json(
      {
        affiliate_id: done.affiliateId,
        currency: of,
        amount: settled,
        kind: how,
        recovery_owed: done.owed,
      },
      201,
    );
  });
};
