// Webhook endpoints, their deliveries and the catalogue of events as the wire shows them, and the bodies that make and change endpoints.
import { z } from "@hono/zod-openapi";
import { toInstant } from "../domain/dates.ts";
import { EVENT_TYPES } from "../domain/events.ts";
import { eventIdOf, type ProgramId } from "../domain/ids.ts";
import { DELIVERY_ERRORS, EXCERPT_MAX_BYTES, type Outcome } from "../domain/webhooks/answer.ts";
import {
  DELIVERY_STATES,
  DISABLED_REASONS,
  deliveryIdOf,
  type Endpoint,
  type EndpointId,
  RATE_PER_S_DEFAULT,
  RATE_PER_S_MAX,
  subscriptionOf,
} from "../domain/webhooks/endpoint.ts";
import { URL_MAX } from "../domain/webhooks/url-guard.ts";
import type { Delivery } from "../store/deliveries.ts";
import { idOf, instant, instantText, lineText } from "./wire.ts";

export const endpointId: z.ZodType<EndpointId, string> = idOf("whe");

const SUBSCRIPTIONS = ["*", ...EVENT_TYPES] as const;

const url = z.string().min(1).max(URL_MAX).openapi({
  format: "uri",
  example: "https://hooks.example.com/stipend",
  description:
    "https on port 443 of a public host, without user name or fragment. In development a test program may use http on this machine.",
});

const events = z
  .array(z.enum(SUBSCRIPTIONS))
  .min(1)
  .max(SUBSCRIPTIONS.length)
  .transform(subscriptionOf)
  .openapi({
    type: "array",
    items: { type: "string", enum: [...SUBSCRIPTIONS] },
    example: ["*"],
    description: "Types of `GET /v1/event-types`; `*` is all of them, those to come included.",
  });

const description = lineText(200).nullable().openapi({ example: "Books payouts in the shop" });

const ratePerS = z.number().int().min(1).max(RATE_PER_S_MAX).openapi({
  description: "At most so many deliveries a second; what is over waits.",
});

export const newEndpointBody = z.strictObject({
  url,
  events,
  description: description.optional(),
  rate_per_s: ratePerS.default(RATE_PER_S_DEFAULT),
});

export const endpointPatchBody = z.strictObject({
  url: url.optional(),
  events: events.optional(),
  description: description.optional(),
  rate_per_s: ratePerS.optional(),
  active: z.boolean().optional().openapi({
    description: "Switched on again it goes on where it stopped, at most 30 days back.",
  }),
});

const HOURS_MAX = 168;

export const rotateBody = z.strictObject({
  overlap_hours: z.number().int().min(0).max(HOURS_MAX).default(24).openapi({
    description: "How long the secret before signs too.",
  }),
});

export const recoverBody = z.strictObject({
  since: instant.openapi({
    type: "string",
    format: "date-time",
    description: "At most 30 days back: what happened since then and was not delivered is sent again.",
  }),
});

export const redeliverBody = z.strictObject({
  endpoint_id: endpointId.optional().openapi({
    type: "string",
    description: "Only to this endpoint, subscribed or not; without it to all active ones that subscribe.",
  }),
});

export const endpointSchema = z
  .object({
    id: z.string(),
    url: z.string(),
    events: z.array(z.string()),
    description: z.string().nullable(),
    active: z.boolean(),
    rate_per_s: z.number().int(),
    previous_secret_until: instantText
      .nullable()
      .openapi({ description: "Until when the secret before the present one signs too." }),
    failing_since: instantText
      .nullable()
      .openapi({ description: "Nothing was delivered since; after five days the endpoint is switched off." }),
    disabled_at: instantText.nullable(),
    disabled_reason: z
      .enum(DISABLED_REASONS)
      .nullable()
      .openapi({ description: "By hand, by an answer of 410, or for failing. More may be added." }),
    created_at: instantText,
    updated_at: instantText,
  })
  .openapi("WebhookEndpoint");

export const secretEndpointSchema = endpointSchema
  .extend({
    secret: z.string().openapi({
      description: "Shown this once: what signatures are made with, as Standard Webhooks 1.0.0 says.",
      example: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwqjYwTvZfTBk=",
    }),
  })
  .openapi("WebhookEndpointWithSecret");

const textOrNull = (at: number | null): string | null => (at === null ? null : toInstant(at));

export const endpointToWire = (endpoint: Endpoint): z.infer<typeof endpointSchema> => ({
  id: endpoint.id,
  url: endpoint.url,
  events: [...endpoint.events],
  description: endpoint.description,
  active: endpoint.isActive,
  rate_per_s: endpoint.ratePerS,
  previous_secret_until: textOrNull(endpoint.previousUntil),
  failing_since: textOrNull(endpoint.failingSince),
  disabled_at: textOrNull(endpoint.disabledAt),
  disabled_reason: endpoint.disabledReason,
  created_at: toInstant(endpoint.createdAt),
  updated_at: toInstant(endpoint.updatedAt),
});

const error = z
  .enum(DELIVERY_ERRORS)
  .nullable()
  .openapi({ description: "Why the last attempt failed. More may be added." });

const answered = {
  http_status: z.number().int().nullable().openapi({ description: "Null where no answer came." }),
  latency_ms: z.number().int().nullable(),
  error,
  response_excerpt: z
    .string()
    .nullable()
    .openapi({ description: `Of the answer's first ${EXCERPT_MAX_BYTES} bytes, what can be shown.` }),
};

export const deliverySchema = z
  .object({
    id: z.string(),
    endpoint_id: z.string(),
    event_id: z.string().openapi({ description: "Also the header `webhook-id` of every attempt." }),
    event_type: z.string().nullable(),
    status: z.enum(DELIVERY_STATES),
    attempts: z.number().int(),
    ...answered,
    next_attempt_at: instantText.nullable(),
    created_at: instantText,
    updated_at: instantText,
  })
  .openapi("WebhookDelivery");

export const deliveryToWire = (programId: ProgramId, delivery: Delivery): z.infer<typeof deliverySchema> => ({
  id: deliveryIdOf(delivery.endpointId, delivery.position),
  endpoint_id: delivery.endpointId,
  event_id: eventIdOf(programId, delivery.position),
  event_type: delivery.eventType,
  status: delivery.state,
  attempts: delivery.attempts,
  http_status: delivery.status,
  latency_ms: delivery.latencyMs,
  error: delivery.error,
  response_excerpt: delivery.excerpt,
  next_attempt_at: textOrNull(delivery.nextAttemptAt),
  created_at: toInstant(delivery.createdAt),
  updated_at: toInstant(delivery.updatedAt),
});

export const testedSchema = z
  .object({ event_id: z.string(), status: z.enum(["delivered", "failed"]), ...answered })
  .openapi("WebhookTest");

export const testedToWire = (eventId: string, outcome: Outcome): z.infer<typeof testedSchema> => ({
  event_id: eventId,
  status: outcome.error === null ? "delivered" : "failed",
  http_status: outcome.status,
  latency_ms: outcome.latencyMs,
  error: outcome.error,
  response_excerpt: outcome.excerpt,
});
