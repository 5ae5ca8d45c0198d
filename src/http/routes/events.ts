// The feed of events: read behind a position, in commit order, so that nothing ever appears behind a reader.
import { z } from "@hono/zod-openapi";
import { toInstant } from "../../domain/dates.ts";
import { EVENT_TYPES } from "../../domain/events.ts";
import { placeOfEvent } from "../../domain/ids.ts";
import { Refused, refuse } from "../../domain/refusals.ts";
import { findEvent, listEvents, type StoredEvent } from "../../store/events.ts";
import { ctxOf, type Register } from "../env.ts";
import { pageAnswer, pageOfQuery } from "../paging.ts";
import { defineRoute } from "../route.ts";
import { idOf, instantText, jsonAnswer, listQuery, pageOf } from "../wire.ts";

export const eventSchema = z
  .object({
    id: z.string(),
    type: z.enum(EVENT_TYPES).openapi({ description: "More may be added." }),
    timestamp: instantText,
    sequence: z
      .number()
      .int()
      .nullable()
      .openapi({ description: "Counts per affiliate; null on what is about none." }),
    position: z.number().int().openapi({ description: "The place in the program's feed, from 1." }),
    livemode: z.boolean(),
    actor: z.object({ type: z.enum(["key", "affiliate", "schedule", "provider"]), id: z.string() }),
    data: z.looseObject({ object: z.string(), id: z.string() }),
  })
  .openapi("Event");

export const eventToWire = (event: StoredEvent): z.infer<typeof eventSchema> => ({
  id: event.id,
  type: event.type,
  timestamp: toInstant(event.at),
  sequence: event.sequence,
  position: event.position,
  livemode: event.livemode,
  actor: { type: event.actor.type, id: event.actor.id },
  data: { ...event.data },
});

const LIST = listQuery({
  after: z
    .string()
    .regex(/^(?:0|[1-9]\d{0,14})$/, "must be a position: a whole number from 0")
    .transform(Number)
    .default(0)
    .openapi({ type: "integer", default: 0, description: "Only events behind this position." }),
}).omit({ order: true });

const list = defineRoute(
  { to: "events:read" },
  {
    method: "get",
    path: "/v1/events",
    tags: ["events"],
    summary: "Read the feed of events behind a position",
    request: { query: LIST },
    responses: {
      200: jsonAnswer(
        pageOf(eventSchema).extend({
          last_position: z
            .number()
            .int()
            .openapi({ description: "For the next `?after=`; the one asked with where nothing came." }),
        }),
        "A page of events, oldest first",
      ),
    },
  },
);

const read = defineRoute(
  { to: "events:read" },
  {
    method: "get",
    path: "/v1/events/{event_id}",
    tags: ["events"],
    summary: "Read an event",
    request: { params: z.object({ event_id: idOf("evt") }) },
    responses: { 200: jsonAnswer(eventSchema, "The event") },
  },
);

export const registerEvents: Register = (app) => {
  app.openapi(list, async (c) => {
    const query = c.req.valid("query");
    const { db, program } = ctxOf(c);
    const { limit, after } = await pageOfQuery(c, query);
    const from = after === undefined ? query.after : Number(after);
    const { events, hasMore } = await listEvents(db, program.id, { after: from, limit });
    const last = events.at(-1)?.position ?? from;
    const page = await pageAnswer(c, query, events.map(eventToWire), hasMore, String(last));
    return c.json({ ...page, last_position: last }, 200);
  });
  app.openapi(read, async (c) => {
    const { db, program } = ctxOf(c);
    const place = placeOfEvent(c.req.valid("param").event_id);
    const event =
      place?.programId === program.id ? await findEvent(db, program.id, place.position) : undefined;
    if (event === undefined) throw new Refused(refuse("event_not_found", "").refusal);
    return c.json(eventToWire(event), 200);
  });
};
