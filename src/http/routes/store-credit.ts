// What a shop does with an affiliate's store credit: an order spends it, and what an order spent comes back.
import { z } from "@hono/zod-openapi";
import {
  type CreditMoved,
  refundStoreCredit,
  spendStoreCredit,
} from "../../operations/spend-store-credit.ts";
import { ctxOf, type Register } from "../env.ts";
import { defineRoute } from "../route.ts";
import {
  affiliateRef,
  amount,
  amountOrZero,
  currency,
  externalId,
  jsonAnswer,
  jsonBody,
  noteText,
} from "../wire.ts";

const PARAMS = z.object({ affiliate_id: affiliateRef });

const movedSchema = z
  .object({
    affiliate_id: z.string(),
    currency: z.string(),
    amount,
    store_credit: amountOrZero.openapi({ description: "What is left of it afterwards, minor units." }),
    external_id: z.string(),
  })
  .openapi("StoreCreditMove");

const SPEND = z.strictObject({
  amount,
  currency,
  external_id: externalId.openapi({ description: "The order's id at the shop: it spends once." }),
  note: noteText.optional(),
});

const REFUND = z.strictObject({
  amount,
  currency,
  external_id: externalId.openapi({ description: "The refund's id at the shop: it gives back once." }),
  spend_external_id: externalId.openapi({
    description: "The external_id of the spend: no more comes back than it took.",
  }),
  note: noteText.optional(),
});

const AGAIN = "The same external_id and body again answers the same; another body is 409.";

const spend = defineRoute(
  { to: "credits:write" },
  {
    method: "post",
    path: "/v1/affiliates/{affiliate_id}/store-credit/spend",
    tags: ["affiliates"],
    summary: "Spend an affiliate's store credit on an order",
    description: AGAIN,
    request: { params: PARAMS, body: jsonBody(SPEND) },
    responses: {
      200: jsonAnswer(movedSchema, "It was spent before"),
      201: jsonAnswer(movedSchema, "It is spent"),
    },
  },
);

const refund = defineRoute(
  { to: "credits:write" },
  {
    method: "post",
    path: "/v1/affiliates/{affiliate_id}/store-credit/refund",
    tags: ["affiliates"],
    summary: "Give back what an order spent",
    description: AGAIN,
    request: { params: PARAMS, body: jsonBody(REFUND) },
    responses: {
      200: jsonAnswer(movedSchema, "It was given back before"),
      201: jsonAnswer(movedSchema, "It is given back"),
    },
  },
);

const toWire = (
  moved: CreditMoved,
  body: { readonly currency: string; readonly amount: number; readonly external_id: string },
): z.infer<typeof movedSchema> => ({
  affiliate_id: moved.affiliateId,
  currency: body.currency,
  amount: body.amount,
  store_credit: moved.storeCredit,
  external_id: body.external_id,
});

export const registerStoreCredit: Register = (app) => {
  app.openapi(spend, async (c) => {
    const body = c.req.valid("json");
    const moved = await spendStoreCredit(ctxOf(c), c.req.valid("param").affiliate_id, {
      amount: body.amount,
      currency: body.currency,
      externalId: body.external_id,
      note: body.note ?? null,
    });
    return c.json(toWire(moved, body), moved.replayed ? 200 : 201);
  });
  app.openapi(refund, async (c) => {
    const body = c.req.valid("json");
    const moved = await refundStoreCredit(ctxOf(c), c.req.valid("param").affiliate_id, {
      amount: body.amount,
      currency: body.currency,
      externalId: body.external_id,
      spendExternalId: body.spend_external_id,
      note: body.note ?? null,
    });
    return c.json(toWire(moved, body), moved.replayed ? 200 : 201);
  });
};
