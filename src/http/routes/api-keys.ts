// A program's API keys: made, listed, rotated and revoked; the secret is shown once.
import { z } from "@hono/zod-openapi";
import { createApiKey } from "../../operations/create-api-key.ts";
import { revokeApiKey } from "../../operations/revoke-api-key.ts";
import { rotateApiKey } from "../../operations/rotate-api-key.ts";
import { listKeys } from "../../store/access.ts";
import { accessOf, ctxOf, type Register } from "../env.ts";
import { pageAnswer, pageOfQuery } from "../paging.ts";
import { defineRoute } from "../route.ts";
import { idOf, jsonAnswer, jsonBody, listQuery, pageOf } from "../wire.ts";
import { keySchema, keyToWire, newKeyBody, newKeySchema, newKeyToWire } from "../wire-program.ts";

const PARAMS = z.object({ key_id: idOf("key") });

const create = defineRoute(
  { to: "program:admin" },
  {
    method: "post",
    path: "/v1/api-keys",
    tags: ["api keys"],
    summary: "Make an API key",
    request: { body: jsonBody(newKeyBody) },
    responses: { 201: jsonAnswer(newKeySchema, "The key") },
  },
);

const list = defineRoute(
  { to: "program:admin" },
  {
    method: "get",
    path: "/v1/api-keys",
    tags: ["api keys"],
    summary: "List the API keys",
    request: { query: listQuery({}) },
    responses: { 200: jsonAnswer(pageOf(keySchema), "A page of keys") },
  },
);

const revoke = defineRoute(
  { to: "program:admin" },
  {
    method: "delete",
    path: "/v1/api-keys/{key_id}",
    tags: ["api keys"],
    summary: "Revoke an API key",
    description: "It stops working within 30 seconds.",
    request: { params: PARAMS },
    responses: { 204: { description: "It is revoked" } },
  },
);

const ROTATE = z.strictObject({
  overlap_hours: z.number().int().min(0).max(168).default(24).openapi({
    description: "How long the old key works on.",
  }),
});

const rotate = defineRoute(
  { to: "program:admin" },
  {
    method: "post",
    path: "/v1/api-keys/{key_id}/rotate",
    tags: ["api keys"],
    summary: "Replace an API key by a new one of the same scopes",
    request: { params: PARAMS, body: jsonBody(ROTATE, false) },
    responses: { 201: jsonAnswer(newKeySchema, "The new key") },
  },
);

export const registerApiKeys: Register = (app) => {
  app.openapi(create, async (c) => {
    const { name, scopes, expires_at: expiresAt = null, dialect = null } = c.req.valid("json");
    const wish = { name, scopes, expiresAt, dialect, held: accessOf(c).key.scopes };
    return c.json(newKeyToWire(await createApiKey(ctxOf(c), wish)), 201);
  });
  app.openapi(list, async (c) => {
    const query = c.req.valid("query");
    const { db, program } = ctxOf(c);
    const page = await listKeys(db, program.id, await pageOfQuery(c, query));
    const data = page.keys.map(keyToWire);
    return c.json(await pageAnswer(c, query, data, page.hasMore, data.at(-1)?.id), 200);
  });
  app.openapi(revoke, async (c) => {
    await revokeApiKey(ctxOf(c), c.req.valid("param").key_id);
    return c.body(null, 204);
  });
  app.openapi(rotate, async (c) => {
    const { overlap_hours: overlapHours } = c.req.valid("json");
    const minted = await rotateApiKey(ctxOf(c), c.req.valid("param").key_id, overlapHours);
    return c.json(newKeyToWire(minted), 201);
  });
};
