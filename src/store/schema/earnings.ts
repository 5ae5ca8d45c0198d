// Who is paid and what for: affiliates, commissions and the refunds of them.
import { sql } from "drizzle-orm";
import { check, index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import { AFFILIATE_STATUSES } from "../../domain/affiliate.ts";
import { COMMISSION_KINDS, COMMISSION_STATUSES } from "../../domain/commission.ts";
import { programs } from "./access.ts";
import { json, oneOf, whole } from "./checks.ts";

export const affiliates = sqliteTable(
  "affiliates",
  {
    programId: text("program_id")
      .notNull()
      .references(() => programs.id),
    id: text("id").notNull(),
    externalId: text("external_id"),
    name: text("name").notNull(),
    email: text("email").notNull(),
    country: text("country"),
    metadata: text("metadata"),
    status: text("status", { enum: AFFILIATE_STATUSES }).notNull(),
    overrides: text("overrides").notNull(),
    destination: text("destination"),
    destinationChangedAt: integer("destination_changed_at"),
    ready: integer("ready").notNull(),
    missing: text("missing").notNull(),
    /** When the provider was asked for `ready` and `missing`: an older answer never overwrites a newer one. */
    readyAsOf: integer("ready_as_of"),
    /** When the affiliate's Stripe account could first be sent money. */
    onboardedAt: integer("onboarded_at"),
    /** The form on file as far as it may be read. */
    taxForm: text("tax_form"),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.programId, t.id] }),
    uniqueIndex("affiliates_external").on(t.programId, t.externalId).where(sql`external_id IS NOT NULL`),
    index("affiliates_account")
      .on(t.programId, sql`destination ->> '$.account'`)
      .where(sql`destination IS NOT NULL`),
    check("affiliates_status", oneOf("status", AFFILIATE_STATUSES)),
    check("affiliates_overrides", json("overrides")),
    check("affiliates_destination", sql`destination IS NULL OR json_valid(destination)`),
    check("affiliates_missing", json("missing")),
    check("affiliates_ready", sql`ready IN (0, 1)`),
  ],
);

/** Recording touches three things here: the key, the external id and the due index. No further index may. */
export const commissions = sqliteTable(
  "commissions",
  {
    programId: text("program_id").notNull(),
    id: text("id").notNull(),
    affiliateId: text("affiliate_id").notNull(),
    externalId: text("external_id"),
    kind: text("kind", { enum: COMMISSION_KINDS }).notNull(),
    origin: text("origin", { enum: ["return", "release"] }),
    currency: text("currency").notNull(),
    amount: integer("amount").notNull(),
    reduced: integer("reduced").notNull(),
    clawedBack: integer("clawed_back").notNull(),
    status: text("status", { enum: COMMISSION_STATUSES }).notNull(),
    heldFrom: text("held_from", { enum: ["pending", "approved"] }),
    orderAmount: integer("order_amount"),
    rateBps: integer("rate_bps"),
    orderRefunded: integer("order_refunded").notNull(),
    orderReversed: integer("order_reversed").notNull(),
    occurredAt: integer("occurred_at").notNull(),
    payableAt: integer("payable_at").notNull(),
    payoutId: text("payout_id"),
    note: text("note"),
    metadata: text("metadata"),
    requestSha: text("request_sha").notNull(),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.programId, t.id] }),
    uniqueIndex("commissions_external").on(t.programId, t.externalId).where(sql`external_id IS NOT NULL`),
    index("commissions_due")
      .on(t.programId, t.affiliateId, t.currency, t.status, t.payableAt)
      .where(sql`status IN ('pending', 'approved', 'held')`),
    index("commissions_payout").on(t.payoutId).where(sql`payout_id IS NOT NULL`),
    check("commissions_kind", oneOf("kind", COMMISSION_KINDS)),
    check("commissions_status", oneOf("status", COMMISSION_STATUSES)),
    check("commissions_amount", sql`typeof(amount) = 'integer' AND amount BETWEEN 1 AND 9007199254740991`),
    check("commissions_reduced", sql`typeof(reduced) = 'integer' AND reduced BETWEEN 0 AND amount`),
    check(
      "commissions_clawed_back",
      sql`typeof(clawed_back) = 'integer' AND clawed_back BETWEEN 0 AND amount - reduced`,
    ),
    check("commissions_held", sql`(status = 'held') = (held_from IS NOT NULL)`),
    check(
      "commissions_claimed",
      sql`CASE status WHEN 'processing' THEN payout_id IS NOT NULL WHEN 'paid' THEN payout_id IS NOT NULL WHEN 'reversed' THEN 1 ELSE payout_id IS NULL END`,
    ),
    check(
      "commissions_left",
      sql`(status = 'reversed') = (reduced = amount AND status <> 'rejected' AND status <> 'paid')`,
    ),
  ],
);

export const refunds = sqliteTable(
  "refunds",
  {
    programId: text("program_id").notNull(),
    commissionId: text("commission_id").notNull(),
    seq: integer("seq").notNull(),
    externalId: text("external_id"),
    amount: integer("amount").notNull(),
    orderAmount: integer("order_amount"),
    reason: text("reason").notNull(),
    requestSha: text("request_sha").notNull(),
    at: integer("at").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.programId, t.commissionId, t.seq] }),
    uniqueIndex("refunds_external")
      .on(t.programId, t.commissionId, t.externalId)
      .where(sql`external_id IS NOT NULL`),
    check("refunds_amount", whole("amount", 0)),
  ],
);
