// Webhook endpoints: made, listed, changed, tried out, given new secrets, and taken away.
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { createWebhookEndpoint, type EndpointWithSecret } from "../../operations/create-webhook-endpoint.ts";
import { deleteWebhookEndpoint } from "../../operations/delete-webhook-endpoint.ts";
import { requireEndpoint } from "../../operations/require-webhook-endpoint.ts";
import { rotateWebhookEndpoint } from "../../operations/rotate-webhook-endpoint.ts";
import { testWebhookEndpoint } from "../../operations/test-webhook-endpoint.ts";
import { updateWebhookEndpoint } from "../../operations/update-webhook-endpoint.ts";
import { listEndpoints } from "../../store/webhook-endpoints.ts";
import { type AppEnv, ctxOf, type Register, type StipendApp } from "../env.ts";
import { pageAnswer, pageOfQuery } from "../paging.ts";
import { defineRoute } from "../route.ts";
import { jsonAnswer, jsonBody, listQuery, pageOf } from "../wire.ts";
import {
  endpointId,
  endpointPatchBody,
  endpointSchema,
  endpointToWire,
  newEndpointBody,
  rotateBody,
  secretEndpointSchema,
  testedSchema,
  testedToWire,
} from "../wire-webhook.ts";

const PARAMS = z.object({ endpoint_id: endpointId });
const TAGS = ["webhooks"];
const PATH = "/v1/webhook-endpoints";
const ONE = "/v1/webhook-endpoints/{endpoint_id}";

const create = defineRoute(
  { to: "webhooks:write" },
  {
    method: "post",
    path: PATH,
    tags: TAGS,
    summary: "Make a webhook endpoint",
    description: "It gets the events that happen from now on. A program has at most 20.",
    request: { body: jsonBody(newEndpointBody) },
    responses: { 201: jsonAnswer(secretEndpointSchema, "The endpoint, and its secret this once") },
  },
);

const list = defineRoute(
  { to: "webhooks:write" },
  {
    method: "get",
    path: PATH,
    tags: TAGS,
    summary: "List webhook endpoints",
    request: { query: listQuery({}) },
    responses: { 200: jsonAnswer(pageOf(endpointSchema), "A page of endpoints") },
  },
);

const read = defineRoute(
  { to: "webhooks:write" },
  {
    method: "get",
    path: ONE,
    tags: TAGS,
    summary: "Read a webhook endpoint",
    request: { params: PARAMS },
    responses: { 200: jsonAnswer(endpointSchema, "The endpoint") },
  },
);

const update = defineRoute(
  { to: "webhooks:write" },
  {
    method: "patch",
    path: ONE,
    tags: TAGS,
    summary: "Change a webhook endpoint",
    description:
      "A field that is given replaces its whole value. Switching an endpoint on again forgets its failures.",
    request: { params: PARAMS, body: jsonBody(endpointPatchBody) },
    responses: { 200: jsonAnswer(endpointSchema, "The endpoint") },
  },
);

const remove = defineRoute(
  { to: "webhooks:write" },
  {
    method: "delete",
    path: ONE,
    tags: TAGS,
    summary: "Delete a webhook endpoint",
    description: "What was still to be delivered to it is not.",
    request: { params: PARAMS },
    responses: { 204: { description: "It is gone" } },
  },
);

const rotate = defineRoute(
  { to: "webhooks:write" },
  {
    method: "post",
    path: `${ONE}/rotate-secret`,
    tags: TAGS,
    summary: "Give a webhook endpoint a new secret",
    description: "Until the overlap ends every message carries two signatures, the new secret's first.",
    request: { params: PARAMS, body: jsonBody(rotateBody, false) },
    responses: { 200: jsonAnswer(secretEndpointSchema, "The endpoint, and its new secret this once") },
  },
);

const test = defineRoute(
  { to: "webhooks:write" },
  {
    method: "post",
    path: `${ONE}/test`,
    tags: TAGS,
    summary: "Send a webhook endpoint a test message",
    description:
      "A signed `webhook_endpoint.test`, sent once in the call whatever the endpoint subscribes to. It stands in no feed and counts neither for nor against the endpoint.",
    request: { params: PARAMS },
    responses: { 200: jsonAnswer(testedSchema, "What became of it") },
  },
);

const withSecret = ({ endpoint, secret }: EndpointWithSecret) => ({ ...endpointToWire(endpoint), secret });

/** Keys that are warm know whether their program has endpoints; now it may be otherwise. */
const forgetKeys = (c: Context<AppEnv>): void => c.get("keyRing").forget(ctxOf(c).program.id);

const registerLife = (app: StipendApp): void => {
  app.openapi(create, async (c) => {
    const { url, events, description = null, rate_per_s: ratePerS } = c.req.valid("json");
    const made = await createWebhookEndpoint(ctxOf(c), { url, events, description, ratePerS });
    forgetKeys(c);
    return c.json(withSecret(made), 201);
  });
  app.openapi(update, async (c) => {
    const { rate_per_s: ratePerS, ...fields } = c.req.valid("json");
    const { endpoint_id: id } = c.req.valid("param");
    const endpoint = await updateWebhookEndpoint(ctxOf(c), id, { ...fields, ratePerS });
    forgetKeys(c);
    return c.json(endpointToWire(endpoint), 200);
  });
  app.openapi(remove, async (c) => {
    await deleteWebhookEndpoint(ctxOf(c), c.req.valid("param").endpoint_id);
    forgetKeys(c);
    return c.body(null, 204);
  });
};

export const registerWebhookEndpoints: Register = (app) => {
  registerLife(app);
  app.openapi(list, async (c) => {
    const query = c.req.valid("query");
    const { db, program } = ctxOf(c);
    const page = await listEndpoints(db, program.id, await pageOfQuery(c, query));
    const data = page.endpoints.map(endpointToWire);
    return c.json(await pageAnswer(c, query, data, page.hasMore, data.at(-1)?.id), 200);
  });
  app.openapi(read, async (c) =>
    c.json(endpointToWire(await requireEndpoint(ctxOf(c), c.req.valid("param").endpoint_id)), 200),
  );
  app.openapi(rotate, async (c) => {
    const { overlap_hours: hours } = c.req.valid("json");
    const { endpoint_id: id } = c.req.valid("param");
    return c.json(withSecret(await rotateWebhookEndpoint(ctxOf(c), id, hours)), 200);
  });
  app.openapi(test, async (c) => {
    const tested = await testWebhookEndpoint(ctxOf(c), c.req.valid("param").endpoint_id);
    return c.json(testedToWire(tested.eventId, tested.outcome), 200);
  });
};
