// POST /v1/affiliates/{id}/payout-requests: an affiliate, or the storefront for it, asks to be paid what is due.
import { z } from "@hono/zod-openapi";
import { requestPayout } from "../../operations/request-payout.ts";
import { ctxOf, type Register } from "../env.ts";
import { payoutAnswer } from "../payout-answer.ts";
import { defineRoute } from "../route.ts";
import { affiliateRef, currency, jsonAnswer, jsonBody } from "../wire.ts";
import { payoutSchema } from "../wire-payout.ts";

const request = defineRoute(
  { to: "payouts:write", portal: "affiliate" },
  {
    method: "post",
    path: "/v1/affiliates/{affiliate_id}/payout-requests",
    tags: ["affiliates"],
    summary: "Ask to be paid what is due",
    description:
      "Claims everything that is payable in the currency, the program's default one unless given; the minimum holds. The payout is `requested` until it is accepted or denied; one at a time in a currency, else 409 `request_open` with its `payout_id`.",
    request: {
      params: z.object({ affiliate_id: affiliateRef }),
      body: jsonBody(z.strictObject({ currency: currency.optional() }), false),
    },
    responses: { 201: jsonAnswer(payoutSchema, "The payout, requested") },
  },
);

export const registerPayoutRequests: Register = (app) => {
  app.openapi(request, async (c) => {
    const ctx = ctxOf(c);
    const { currency: of = ctx.program.defaultCurrency } = c.req.valid("json");
    return c.json(
      await payoutAnswer(c, await requestPayout(ctx, c.req.valid("param").affiliate_id, of)),
      201,
    );
  });
};
