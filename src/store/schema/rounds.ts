// Payout rounds worked by people: sessions, bank files, plans to commit, and the tax forms that they ask for.
import { sql } from "drizzle-orm";
import { check, index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import { SESSION_STATUSES } from "../../domain/session.ts";
import { TAX_FORMS } from "../../domain/tax.ts";
import { json, oneOf, whole } from "./checks.ts";

export const payoutSessions = sqliteTable(
  "payout_sessions",
  {
    programId: text("program_id").notNull(),
    id: text("id").notNull(),
    title: text("title").notNull(),
    /** As last written; done and cancelled are final. */
    status: text("status", { enum: SESSION_STATUSES }).notNull(),
    /** How often something was selected. */
    n: integer("n").notNull(),
    selection: text("selection"),
    createdBy: text("created_by").notNull(),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.programId, t.id] }),
    check("payout_sessions_status", oneOf("status", SESSION_STATUSES)),
    check("payout_sessions_n", whole("n", 0)),
    check(
      "payout_sessions_selection",
      sql`(n = 0) = (selection IS NULL) AND (selection IS NULL OR json_valid(selection))`,
    ),
  ],
);

/** One affiliate and currency of a session's n-th selection; its payout is found by the turn that claimed it. */
export const sessionRows = sqliteTable(
  "session_rows",
  {
    sessionId: text("session_id").notNull(),
    n: integer("n").notNull(),
    affiliateId: text("affiliate_id").notNull(),
    currency: text("currency").notNull(),
    commissionCount: integer("commission_count").notNull(),
    gross: integer("gross").notNull(),
    recovered: integer("recovered").notNull(),
    amount: integer("amount").notNull(),
    /** [[commission id, what was left of it], …] */
    chosen: text("chosen").notNull(),
    tried: integer("tried").notNull(),
    failureCode: text("failure_code"),
    failureDetail: text("failure_detail"),
  },
  (t) => [
    primaryKey({ columns: [t.sessionId, t.n, t.affiliateId, t.currency] }),
    check("session_rows_n", whole("n", 1)),
    check("session_rows_count", whole("commission_count", 1)),
    check("session_rows_recovered", whole("recovered", 0)),
    check(
      "session_rows_amount",
      sql`typeof(amount) = 'integer' AND typeof(gross) = 'integer' AND amount = gross - recovered AND amount > 0`,
    ),
    check("session_rows_chosen", json("chosen")),
    check("session_rows_tried", whole("tried", 0)),
  ],
);

export const payoutFiles = sqliteTable(
  "payout_files",
  {
    programId: text("program_id").notNull(),
    id: text("id").notNull(),
    format: text("format").notNull(),
    /** The file's own bytes as text, sealed: they hold bank details. */
    sealed: text("sealed").notNull(),
    /** Of the bytes, in lower-case hexadecimal. */
    sha256: text("sha256").notNull(),
    /** The MsgId inside a pain.001; the file's id without its prefix elsewhere. */
    messageId: text("message_id").notNull(),
    payoutCount: integer("payout_count").notNull(),
    totals: text("totals").notNull(),
    runId: text("run_id"),
    voidedAt: integer("voided_at"),
    voidReason: text("void_reason"),
    createdBy: text("created_by").notNull(),
    createdAt: integer("created_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.programId, t.id] }), check("payout_files_totals", json("totals"))],
);

/** A payout is in at most one file that is not voided. */
export const payoutFileItems = sqliteTable(
  "payout_file_items",
  {
    programId: text("program_id").notNull(),
    fileId: text("file_id").notNull(),
    payoutId: text("payout_id").notNull(),
    attemptId: text("attempt_id").notNull(),
    endToEndId: text("end_to_end_id").notNull(),
    voided: integer("voided").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.fileId, t.payoutId] }),
    uniqueIndex("payout_file_items_live").on(t.payoutId).where(sql`voided = 0`),
    index("payout_file_items_end_to_end").on(t.programId, t.endToEndId),
  ],
);

export const payoutPlans = sqliteTable(
  "payout_plans",
  {
    programId: text("program_id").notNull(),
    id: text("id").notNull(),
    plan: text("plan").notNull(),
    runId: text("run_id"),
    expiresAt: integer("expires_at").notNull(),
    createdAt: integer("created_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.programId, t.id] }), check("payout_plans_plan", json("plan"))],
);

/** What a plan would pay, a page of affiliates to a row. */
export const payoutPlanParts = sqliteTable(
  "payout_plan_parts",
  {
    programId: text("program_id").notNull(),
    planId: text("plan_id").notNull(),
    part: integer("part").notNull(),
    items: text("items").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.programId, t.planId, t.part] }),
    check("payout_plan_parts_items", json("items")),
    check("payout_plan_parts_part", whole("part", 0)),
  ],
);

/** Every form that was ever filed; the turn that filed it names it. */
export const taxForms = sqliteTable(
  "tax_forms",
  {
    programId: text("program_id").notNull(),
    affiliateId: text("affiliate_id").notNull(),
    seq: integer("seq").notNull(),
    kind: text("kind", { enum: TAX_FORMS }).notNull(),
    sealed: text("sealed").notNull(),
    expiresAt: integer("expires_at"),
    createdAt: integer("created_at").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.programId, t.affiliateId, t.seq] }),
    check("tax_forms_kind", oneOf("kind", TAX_FORMS)),
  ],
);
