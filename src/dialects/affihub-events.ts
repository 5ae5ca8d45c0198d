// Affihub's events and webhooks: its types over ours, the audit list, and endpoints that subscribe to them.
import { z } from "zod";
import type { EventType } from "../domain/events.ts";
import type { PayoutStatus } from "../domain/payout.ts";
import { Refused, refuse } from "../domain/refusals.ts";
import { RATE_PER_S_DEFAULT, type Subscription, subscriptionOf } from "../domain/webhooks/endpoint.ts";
import { dialectRoute } from "../http/dialect.ts";
import { createWebhookEndpoint } from "../operations/create-webhook-endpoint.ts";
import { pageEvents } from "../store/dialect-reads.ts";
import type { StoredEvent } from "../store/events.ts";
import { instant, pageOf, STATUS_OUT } from "./affihub-payout.ts";
import { pageNumber, pageSize } from "./paging.ts";
import { optionalLine } from "./texts.ts";
import { dayOrInstant, endIn, startIn, toSecond } from "./times.ts";

/** Nothing here is clicked, deleted, or told by a shop's provider: those types exist and nothing is of them. */
const TYPES = {
  "commission.created": ["commission.created"],
  "commission.updated": [
    "commission.approved",
    "commission.rejected",
    "commission.held",
    "commission.released",
    "commission.reversed",
    "commission.paid",
  ],
  "partner.created": ["affiliate.created"],
  "partner.updated": ["affiliate.updated", "affiliate.onboarded", "affiliate.payout_method_changed"],
  "partner.deleted": [],
  "payout.generated": ["payout.generated"],
  "payout.paid": ["payout.paid"],
  click: [],
  "webhook.stripe": [],
  "webhook.paddle": [],
} as const satisfies Readonly<Record<string, readonly EventType[]>>;
type Type = keyof typeof TYPES;

const TYPE_NAMES = Object.keys(TYPES) as [Type, ...Type[]];

const typeOf = (event: EventType): Type | undefined =>
  TYPE_NAMES.find((name) => (TYPES[name] as readonly EventType[]).includes(event));

const oursOf = (names: readonly Type[]): EventType[] => names.flatMap((name) => TYPES[name]);

const eventSchema = z.object({
  id: z.string(),
  program_id: z.string(),
  type: z.enum(TYPE_NAMES),
  payload: z.record(z.string(), z.unknown()),
  created_at: instant,
});

/** Affihub's names for what the event is about, its payout statuses among them. */
const payloadOf = ({ data }: StoredEvent): Record<string, unknown> => {
  const { object, id, affiliate_id, amount, status } = data;
  const noun = object === "affiliate" ? "partner" : object;
  const shown = object === "payout" ? STATUS_OUT[status as PayoutStatus] : status;
  return {
    [`${noun}_id`]: id,
    ...(affiliate_id === undefined || noun === "partner" ? {} : { partner_id: affiliate_id }),
    ...(data.payout_id === undefined ? {} : { payout_id: data.payout_id }),
    ...(amount === undefined ? {} : { amount_cents: amount }),
    ...(shown === undefined ? {} : { status: shown }),
  };
};

export const listEvents = dialectRoute({
  method: "GET",
  path: "/api/v1/events",
  scope: "events:read",
  summary: "List events",
  source: "chosen",
  query: z.object({
    page: pageNumber,
    per_page: pageSize(20, 100),
    type: z.enum(TYPE_NAMES).optional(),
    from: dayOrInstant.optional(),
    to: dayOrInstant.optional(),
  }),
  answers: { 200: { description: "A page of events, the newest first", schema: pageOf(eventSchema) } },
  async handle({ ctx, query: { page, per_page, type, from, to } }) {
    const { db, program } = ctx;
    const zone = program.policy.time_zone;
    const filters = {
      types: oursOf(type === undefined ? TYPE_NAMES : [type]),
      currency: program.defaultCurrency,
      after: from === undefined ? undefined : startIn(from, zone),
      before: to === undefined ? undefined : endIn(to, zone),
    };
    const { items, total } = await pageEvents(db, program.id, filters, { page, size: per_page });
    const data = items.map((event) => ({
      id: event.id,
      program_id: program.id,
      type: typeOf(event.type),
      payload: payloadOf(event),
      created_at: toSecond(event.at),
    }));
    return { status: 200, body: { data, total, page, per_page } };
  },
});

const SUBSCRIBE = z.object({
  url: z.string().min(1).max(2_048),
  events: z.array(z.enum(["*", ...TYPE_NAMES])).min(1),
  description: optionalLine(200),
});

const webhookSchema = z.object({
  id: z.string(),
  url: z.string(),
  secret: z.string(),
  events: z.array(z.string()),
  description: z.string().nullable(),
  active: z.boolean(),
  created_at: instant,
});

const subscriptionsOf = (asked: readonly (Type | "*")[]): readonly Subscription[] => {
  if (asked.includes("*")) return ["*"];
  const ours = oursOf(asked.filter((name) => name !== "*"));
  if (ours.length > 0) return subscriptionOf(ours);
  const detail = `Nothing here is announced as ${asked.join(", ")}.`;
  throw new Refused(refuse("invalid_state", detail, { pointer: "/events" }).refusal);
};

export const createWebhook = dialectRoute({
  method: "POST",
  path: "/api/v1/webhooks",
  scope: "webhooks:write",
  summary: "Subscribe an address to events",
  source: "documented",
  body: SUBSCRIBE,
  answers: {
    201: {
      description:
        "The endpoint, and its secret this once. Deliveries are Standard Webhooks under our own event types.",
      schema: webhookSchema,
    },
  },
  async handle({ ctx, body, forgetKeys }) {
    const { url, events: asked, description = null } = body;
    const wish = { url, events: subscriptionsOf(asked), description, ratePerS: RATE_PER_S_DEFAULT };
    const { endpoint, secret } = await createWebhookEndpoint(ctx, wish);
    forgetKeys();
    const { id, isActive, createdAt } = endpoint;
    const created_at = toSecond(createdAt);
    return {
      status: 201,
      body: { id, url: endpoint.url, secret, events: asked, description, active: isActive, created_at },
    };
  },
});
