// Payouts, their lines, the attempts to pay them, and the runs that made them.
import { sql } from "drizzle-orm";
import { check, index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import { ATTEMPT_STATES, PAYOUT_METHODS, PAYOUT_STATUSES } from "../../domain/payout.ts";
import { json, oneOf, whole } from "./checks.ts";

export const payouts = sqliteTable(
  "payouts",
  {
    programId: text("program_id").notNull(),
    id: text("id").notNull(),
    affiliateId: text("affiliate_id").notNull(),
    currency: text("currency").notNull(),
    gross: integer("gross").notNull(),
    recovered: integer("recovered").notNull(),
    refunded: integer("refunded").notNull(),
    amount: integer("amount").notNull(),
    returnedAmount: integer("returned_amount").notNull(),
    latePaid: integer("late_paid").notNull(),
    commissionCount: integer("commission_count").notNull(),
    periodStart: text("period_start").notNull(),
    periodEnd: text("period_end").notNull(),
    status: text("status", { enum: PAYOUT_STATUSES }).notNull(),
    sent: integer("sent").notNull(),
    method: text("method", { enum: PAYOUT_METHODS }).notNull(),
    destinationSha: text("destination_sha"),
    attemptCount: integer("attempt_count").notNull(),
    externalRef: text("external_ref"),
    externalId: text("external_id"),
    createdBy: text("created_by").notNull(),
    approvedAt: integer("approved_at"),
    approvedBy: text("approved_by"),
    paidAt: integer("paid_at"),
    paidVia: text("paid_via", { enum: PAYOUT_METHODS }),
    expectedBy: integer("expected_by"),
    stalledAt: integer("stalled_at"),
    failureCode: text("failure_code"),
    failureDetail: text("failure_detail"),
    adminNote: text("admin_note"),
    partnerMessage: text("partner_message"),
    runId: text("run_id"),
    sessionId: text("session_id"),
    claims: integer("claims").notNull(),
    history: text("history").notNull(),
    /** Given by the settling, and the returning, batch: not part of what a turn decides. */
    invoiceNumber: integer("invoice_number"),
    creditNoteNumber: integer("credit_note_number"),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.programId, t.id] }),
    index("payouts_affiliate").on(t.programId, t.affiliateId, t.id),
    index("payouts_run").on(t.runId, t.id).where(sql`run_id IS NOT NULL`),
    index("payouts_processing").on(t.expectedBy).where(sql`status = 'processing'`),
    uniqueIndex("payouts_invoice").on(t.programId, t.invoiceNumber).where(sql`invoice_number IS NOT NULL`),
    check("payouts_status", oneOf("status", PAYOUT_STATUSES)),
    check("payouts_method", oneOf("method", PAYOUT_METHODS)),
    check(
      "payouts_amount",
      sql`typeof(amount) = 'integer' AND amount = gross - recovered - refunded AND amount > 0`,
    ),
    check(
      "payouts_parts",
      sql`typeof(gross) = 'integer' AND gross BETWEEN 1 AND 9007199254740991 AND typeof(recovered) = 'integer' AND recovered >= 0 AND typeof(refunded) = 'integer' AND refunded >= 0`,
    ),
    check(
      "payouts_returned",
      sql`typeof(returned_amount) = 'integer' AND returned_amount BETWEEN 0 AND amount`,
    ),
    check("payouts_late", whole("late_paid", 0)),
    check("payouts_history", json("history")),
    check("payouts_sent", sql`sent IN (0, 1)`),
  ],
);

export const payoutLines = sqliteTable(
  "payout_lines",
  {
    payoutId: text("payout_id").notNull(),
    commissionId: text("commission_id").notNull(),
    /** What was left of the commission when it was claimed. */
    amount: integer("amount").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.payoutId, t.commissionId] }),
    check("payout_lines_amount", whole("amount", 1)),
  ],
);

export const attempts = sqliteTable(
  "attempts",
  {
    programId: text("program_id").notNull(),
    id: text("id").notNull(),
    payoutId: text("payout_id").notNull(),
    affiliateId: text("affiliate_id").notNull(),
    n: integer("n").notNull(),
    rail: text("rail", { enum: PAYOUT_METHODS }).notNull(),
    providerAccount: text("provider_account").notNull(),
    apiVersion: text("api_version").notNull(),
    destination: text("destination").notNull(),
    key: text("idempotency_key").notNull(),
    request: text("request").notNull(),
    amount: integer("amount").notNull(),
    currency: text("currency").notNull(),
    state: text("state", { enum: ATTEMPT_STATES }).notNull(),
    providerRef: text("provider_ref"),
    detail: text("detail"),
    tries: integer("tries").notNull(),
    /** Since when complete look-ups find nothing, after the provider's key window. */
    emptySince: integer("empty_since"),
    nextAttemptAt: integer("next_attempt_at"),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.programId, t.id] }),
    uniqueIndex("attempts_key").on(t.key),
    uniqueIndex("attempts_open").on(t.payoutId).where(sql`state NOT IN ('refused', 'paid_late')`),
    index("attempts_next").on(t.nextAttemptAt).where(sql`next_attempt_at IS NOT NULL`),
    index("attempts_ref").on(t.programId, t.providerRef).where(sql`provider_ref IS NOT NULL`),
    check("attempts_state", oneOf("state", ATTEMPT_STATES)),
    check("attempts_amount", whole("amount", 1)),
  ],
);

export const payoutRuns = sqliteTable(
  "payout_runs",
  {
    programId: text("program_id").notNull(),
    id: text("id").notNull(),
    kind: text("kind", { enum: ["asked", "scheduled"] }).notNull(),
    status: text("status", { enum: ["running", "done"] }).notNull(),
    /** Frozen when the run begins: what is payable at this instant, to the end of this period. */
    asOf: integer("as_of").notNull(),
    periodStart: text("period_start"),
    periodEnd: text("period_end").notNull(),
    currency: text("currency"),
    affiliateIds: text("affiliate_ids"),
    /** The last affiliate that is through; a run goes on behind it. */
    cursor: text("cursor").notNull(),
    commandId: text("command_id"),
    requestSha: text("request_sha").notNull(),
    schedule: text("schedule"),
    /** The zone that the period's days are of, frozen like the rest. */
    timeZone: text("time_zone").notNull().default("UTC"),
    planId: text("plan_id"),
    actorType: text("actor_type").notNull(),
    actorId: text("actor_id").notNull(),
    touchedAt: integer("touched_at").notNull(),
    finishedAt: integer("finished_at"),
    createdAt: integer("created_at").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.programId, t.id] }),
    uniqueIndex("payout_runs_command").on(t.programId, t.commandId).where(sql`command_id IS NOT NULL`),
    uniqueIndex("payout_runs_schedule")
      .on(t.programId, t.schedule, t.periodEnd)
      .where(sql`schedule IS NOT NULL`),
    index("payout_runs_running").on(t.touchedAt).where(sql`status = 'running'`),
  ],
);

export const runItems = sqliteTable(
  "run_items",
  {
    runId: text("run_id").notNull(),
    affiliateId: text("affiliate_id").notNull(),
    currency: text("currency").notNull(),
    payoutId: text("payout_id"),
    reason: text("reason"),
    blockers: text("blockers"),
  },
  (t) => [
    primaryKey({ columns: [t.runId, t.affiliateId, t.currency] }),
    check("run_items_one", sql`(payout_id IS NULL) <> (reason IS NULL)`),
  ],
);

/** Payouts that are to be paid without anyone asking; a row ends with its payment, and a trigger wakes it when what stood in the way may be over. */
export const automaticPayments = sqliteTable(
  "automatic_payments",
  {
    payoutId: text("payout_id").primaryKey().notNull(),
    programId: text("program_id").notNull(),
    affiliateId: text("affiliate_id").notNull(),
    runId: text("run_id").notNull(),
    tryAt: integer("try_at").notNull(),
    /** How often it was woken: who found it blocked must not put to sleep what was woken since. */
    wakes: integer("wakes").notNull(),
  },
  (t) => [
    index("automatic_payments_due").on(t.tryAt, t.payoutId),
    index("automatic_payments_affiliate").on(t.affiliateId),
    index("automatic_payments_program").on(t.programId),
    check("automatic_payments_wakes", whole("wakes", 0)),
  ],
);
