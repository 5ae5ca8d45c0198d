// Payout rounds worked by people: sessions, bank files, plans to commit, and the tax forms that they ask for.
import { sql } from "drizzle-orm";
import { check, index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import { json, oneOf } from "./checks.ts";

const SESSION_STATUSES = ["open", "paying", "done", "cancelled"] as const;

export const payoutSessions = sqliteTable(
  "payout_sessions",
  {
    programId: text("program_id").notNull(),
    id: text("id").notNull(),
    title: text("title").notNull(),
    status: text("status", { enum: SESSION_STATUSES }).notNull(),
    selection: text("selection"),
    createdBy: text("created_by").notNull(),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.programId, t.id] }),
    check("payout_sessions_status", oneOf("status", SESSION_STATUSES)),
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

export const taxForms = sqliteTable(
  "tax_forms",
  {
    programId: text("program_id").notNull(),
    affiliateId: text("affiliate_id").notNull(),
    kind: text("kind").notNull(),
    sealed: text("sealed").notNull(),
    last4: text("last4"),
    status: text("status").notNull(),
    expiresAt: integer("expires_at"),
    createdAt: integer("created_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.programId, t.affiliateId, t.createdAt] })],
);
