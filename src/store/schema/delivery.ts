// Webhooks out, and stored answers: laid now so that the book's migrations stay one story.
import { sql } from "drizzle-orm";
import { check, index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import { DELIVERY_STATES, DISABLED_REASONS } from "../../domain/webhooks/endpoint.ts";
import { json, oneOf } from "./checks.ts";

export const webhookEndpoints = sqliteTable(
  "webhook_endpoints",
  {
    programId: text("program_id").notNull(),
    id: text("id").notNull(),
    url: text("url").notNull(),
    events: text("events").notNull(),
    description: text("description"),
    active: integer("active").notNull(),
    sealedSecret: text("sealed_secret").notNull(),
    sealedPrevious: text("sealed_previous"),
    previousUntil: integer("previous_until"),
    ratePerS: integer("rate_per_s").notNull(),
    /** Events up to here were made into deliveries; going back means going over them again. */
    position: integer("position").notNull(),
    /** Events up to here were there before the endpoint was. */
    createdPosition: integer("created_position").notNull(),
    /** Who delivers to it now, and until when nobody else may. */
    lease: text("lease"),
    leaseUntil: integer("lease_until"),
    /** Whether all of its last page was delivered without delay: those that are not wait in a queue of their own. */
    brisk: integer("brisk").notNull(),
    /** The endpoint itself asked for patience until then. */
    notBefore: integer("not_before"),
    failingSince: integer("failing_since"),
    lastFailedAt: integer("last_failed_at"),
    disabledAt: integer("disabled_at"),
    disabledReason: text("disabled_reason", { enum: DISABLED_REASONS }),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.programId, t.id] }),
    uniqueIndex("webhook_endpoints_url").on(t.programId, t.url),
    check("webhook_endpoints_events", json("events")),
    check("webhook_endpoints_active", sql`active IN (0, 1)`),
    check("webhook_endpoints_brisk", sql`brisk IN (0, 1)`),
    check("webhook_endpoints_disabled", sql`(active = 0) = (disabled_at IS NOT NULL)`),
    check("webhook_endpoints_reason", sql`(disabled_at IS NULL) = (disabled_reason IS NULL)`),
    check("webhook_endpoints_position", sql`position >= created_position AND created_position >= 0`),
  ],
);

/** One per endpoint and event, however often it is attempted. */
export const deliveries = sqliteTable(
  "deliveries",
  {
    programId: text("program_id").notNull(),
    endpointId: text("endpoint_id").notNull(),
    /** The event's place in the program's feed. */
    position: integer("position").notNull(),
    state: text("state", { enum: DELIVERY_STATES }).notNull(),
    /** Of all rounds; `tries` are those of the present one, which say when the next is due. */
    attempts: integer("attempts").notNull(),
    tries: integer("tries").notNull(),
    nextAttemptAt: integer("next_attempt_at"),
    status: integer("status"),
    latencyMs: integer("latency_ms"),
    error: text("error"),
    excerpt: text("excerpt"),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.endpointId, t.position] }),
    index("deliveries_due").on(t.endpointId, t.nextAttemptAt).where(sql`next_attempt_at IS NOT NULL`),
    index("deliveries_age").on(t.createdAt),
    check("deliveries_state", oneOf("state", DELIVERY_STATES)),
    check("deliveries_next", sql`(state = 'due') = (next_attempt_at IS NOT NULL)`),
  ],
);

export const idempotencyKeys = sqliteTable(
  "idempotency_keys",
  {
    programId: text("program_id").notNull(),
    /** As a command id: `k:` and what the client sent. */
    key: text("key").notNull(),
    requestSha: text("request_sha").notNull(),
    state: text("state", { enum: ["started", "done"] }).notNull(),
    status: integer("status"),
    contentType: text("content_type"),
    /** The answer's body, sealed: some hold a secret that is shown once. */
    sealed: text("sealed"),
    /** When it was first asked for: what the ids of the request are made from. */
    firstAt: integer("first_at").notNull(),
    /** When the request that works on it took it up. */
    startedAt: integer("started_at").notNull(),
    expiresAt: integer("expires_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.programId, t.key] }), index("idempotency_keys_expiry").on(t.expiresAt)],
);
