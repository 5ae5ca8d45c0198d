// Deliveries of webhooks: what became of each, and everything that did not get through once more.
import { z } from "@hono/zod-openapi";
import { toInstant } from "../../domain/dates.ts";
import { DELIVERY_STATES } from "../../domain/webhooks/endpoint.ts";
import { recoverDeliveries } from "../../operations/recover-deliveries.ts";
import { redeliverEvent } from "../../operations/redeliver-event.ts";
import { requireEndpoint } from "../../operations/require-webhook-endpoint.ts";
import { listDeliveries } from "../../store/deliveries.ts";
import { ctxOf, type Register } from "../env.ts";
import { pageAnswer, pageOfQuery } from "../paging.ts";
import { defineRoute } from "../route.ts";
import { idOf, instantText, jsonAnswer, jsonBody, listQuery, pageOf, wordList } from "../wire.ts";
import { deliverySchema, deliveryToWire, endpointId, recoverBody, redeliverBody } from "../wire-webhook.ts";

const ENDPOINT = z.object({ endpoint_id: endpointId });

const list = defineRoute(
  { to: "webhooks:write" },
  {
    method: "get",
    path: "/v1/webhook-endpoints/{endpoint_id}/deliveries",
    tags: ["webhooks"],
    summary: "List the deliveries of a webhook endpoint",
    description: "In the order of the feed, kept for 30 days. Each shows its last attempt.",
    request: { params: ENDPOINT, query: listQuery({ status: wordList(DELIVERY_STATES).optional() }) },
    responses: { 200: jsonAnswer(pageOf(deliverySchema), "A page of deliveries") },
  },
);

const recoverySchema = z
  .object({
    endpoint_id: z.string(),
    since: instantText,
    after: z.number().int().openapi({ description: "The endpoint goes over the feed behind this position." }),
  })
  .openapi("WebhookRecovery");

const recover = defineRoute(
  { to: "webhooks:write" },
  {
    method: "post",
    path: "/v1/webhook-endpoints/{endpoint_id}/recover",
    tags: ["webhooks"],
    summary: "Send an endpoint everything that it did not get since an instant",
    description:
      "What failed starts a new round of attempts, and what was never made for it is: events while it was switched off, or of types that it subscribes to only now. What it took is not sent again.",
    request: { params: ENDPOINT, body: jsonBody(recoverBody) },
    responses: { 202: jsonAnswer(recoverySchema, "It is under way") },
  },
);

const redeliver = defineRoute(
  { to: "webhooks:write" },
  {
    method: "post",
    path: "/v1/events/{event_id}/redeliver",
    tags: ["webhooks"],
    summary: "Send an event once more",
    description: "Under the same `webhook-id`, also where it was delivered.",
    request: { params: z.object({ event_id: idOf("evt") }), body: jsonBody(redeliverBody, false) },
    responses: { 202: jsonAnswer(z.object({ data: z.array(deliverySchema) }), "The deliveries, now due") },
  },
);

export const registerDeliveries: Register = (app) => {
  app.openapi(list, async (c) => {
    const query = c.req.valid("query");
    const ctx = ctxOf(c);
    const { id } = await requireEndpoint(ctx, c.req.valid("param").endpoint_id);
    const page = { ...(await pageOfQuery(c, query)), states: query.status };
    const { deliveries, hasMore } = await listDeliveries(ctx.db, id, page);
    const data = deliveries.map((delivery) => deliveryToWire(ctx.program.id, delivery));
    return c.json(await pageAnswer(c, query, data, hasMore, String(deliveries.at(-1)?.position)), 200);
  });
  app.openapi(recover, async (c) => {
    const { since } = c.req.valid("json");
    const { endpoint_id: id } = c.req.valid("param");
    const after = await recoverDeliveries(ctxOf(c), id, since);
    return c.json({ endpoint_id: id, since: toInstant(since), after }, 202);
  });
  app.openapi(redeliver, async (c) => {
    const ctx = ctxOf(c);
    const { endpoint_id: only = null } = c.req.valid("json");
    const made = await redeliverEvent(ctx, c.req.valid("param").event_id, only);
    return c.json({ data: made.map((delivery) => deliveryToWire(ctx.program.id, delivery)) }, 202);
  });
};
