// Webhooks out, and stored answers: laid now so that the book's migrations stay one story.
import { sql } from "drizzle-orm";
import { check, index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
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
    failingSince: integer("failing_since"),
    disabledAt: integer("disabled_at"),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.programId, t.id] }),
    check("webhook_endpoints_events", json("events")),
    check("webhook_endpoints_active", sql`active IN (0, 1)`),
  ],
);

const DELIVERY_STATES = ["due", "delivered", "exhausted"] as const;

export const deliveries = sqliteTable(
  "deliveries",
  {
    programId: text("program_id").notNull(),
    id: text("id").notNull(),
    endpointId: text("endpoint_id").notNull(),
    position: integer("position").notNull(),
    state: text("state", { enum: DELIVERY_STATES }).notNull(),
    attempts: integer("attempts").notNull(),
    nextAttemptAt: integer("next_attempt_at"),
    status: integer("status"),
    latencyMs: integer("latency_ms"),
    excerpt: text("excerpt"),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.programId, t.id] }),
    index("deliveries_endpoint").on(t.endpointId, t.position),
    index("deliveries_next").on(t.nextAttemptAt).where(sql`next_attempt_at IS NOT NULL`),
    check("deliveries_state", oneOf("state", DELIVERY_STATES)),
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
