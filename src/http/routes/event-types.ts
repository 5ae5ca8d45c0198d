// The catalogue of events: what each type says, and the JSON Schema of its message.
import { z } from "@hono/zod-openapi";
import { EVENT_CATALOGUE } from "../../domain/webhooks/event-schemas.ts";
import type { Register } from "../env.ts";
import { pageAnswer, pageOfQuery } from "../paging.ts";
import { defineRoute } from "../route.ts";
import { jsonAnswer, listQuery, pageOf } from "../wire.ts";

const eventTypeSchema = z
  .object({
    type: z.string(),
    description: z.string(),
    schema: z
      .record(z.string(), z.unknown())
      .openapi({ type: "object", description: "JSON Schema 2020-12 of the message. Members may be added." }),
  })
  .openapi("EventType");

const list = defineRoute(
  { to: "events:read" },
  {
    method: "get",
    path: "/v1/event-types",
    tags: ["events"],
    summary: "List the types of events with their schemas",
    request: { query: listQuery({}).omit({ order: true }) },
    responses: { 200: jsonAnswer(pageOf(eventTypeSchema), "A page of types") },
  },
);

export const registerEventTypes: Register = (app) => {
  app.openapi(list, async (c) => {
    const query = c.req.valid("query");
    const { after, limit } = await pageOfQuery(c, query);
    const from = EVENT_CATALOGUE.findIndex(({ type }) => type === after) + 1;
    const data = EVENT_CATALOGUE.slice(from, from + limit).map((entry) => ({ ...entry }));
    const hasMore = from + limit < EVENT_CATALOGUE.length;
    return c.json(await pageAnswer(c, query, data, hasMore, data.at(-1)?.type), 200);
  });
};
