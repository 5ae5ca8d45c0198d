// The journal: turns with the fence, immutable entries, balances, counters and the feed of events.
import { sql } from "drizzle-orm";
import {
  check,
  foreignKey,
  integer,
  primaryKey,
  sqliteTable,
  text,
  uniqueIndex,
} from "drizzle-orm/sqlite-core";
import { ACCOUNTS, ENTRY_KINDS } from "../../domain/ledger/book.ts";
import { json, oneOf, whole } from "./checks.ts";

/** One row per turn, with entries or without: the fence. A trigger lets in only seq = max + 1 and a new command. */
export const turns = sqliteTable(
  "turns",
  {
    affiliateId: text("affiliate_id").notNull(),
    seq: integer("seq").notNull(),
    programId: text("program_id").notNull(),
    commandId: text("command_id").notNull(),
    requestSha: text("request_sha").notNull(),
    verdict: text("verdict").notNull(),
    /** The sequence of the affiliate's last event after this turn. */
    eventSeq: integer("event_seq").notNull(),
    at: integer("at").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.affiliateId, t.seq] }),
    uniqueIndex("turns_command").on(t.programId, t.commandId),
    check("turns_seq", whole("seq", 1)),
    check("turns_verdict", json("verdict")),
    check("turns_event_seq", whole("event_seq", 0)),
  ],
);

export const entries = sqliteTable(
  "entries",
  {
    affiliateId: text("affiliate_id").notNull(),
    seq: integer("seq").notNull(),
    line: integer("line").notNull(),
    kind: text("kind", { enum: ENTRY_KINDS }).notNull(),
    currency: text("currency").notNull(),
    from: text("from_account", { enum: ACCOUNTS }).notNull(),
    to: text("to_account", { enum: ACCOUNTS }).notNull(),
    amount: integer("amount").notNull(),
    commissionId: text("commission_id"),
    payoutId: text("payout_id"),
    note: text("note"),
  },
  (t) => [
    primaryKey({ columns: [t.affiliateId, t.seq, t.line] }),
    foreignKey({ columns: [t.affiliateId, t.seq], foreignColumns: [turns.affiliateId, turns.seq] }),
    check("entries_kind", oneOf("kind", ENTRY_KINDS)),
    check("entries_from", oneOf("from_account", ACCOUNTS)),
    check("entries_to", oneOf("to_account", ACCOUNTS)),
    check("entries_two", sql`from_account <> to_account`),
    check("entries_amount", whole("amount", 1)),
    check("entries_currency", sql`length(currency) = 3`),
  ],
);

const money = (name: string) => integer(name).notNull().default(0);

export const balances = sqliteTable(
  "balances",
  {
    affiliateId: text("affiliate_id").notNull(),
    currency: text("currency").notNull(),
    seq: integer("seq").notNull(),
    program: money("program"),
    pending: money("pending"),
    available: money("available"),
    reserved: money("reserved"),
    paid: money("paid"),
    recovery: money("recovery"),
    storeCredit: money("store_credit"),
  },
  (t) => [
    primaryKey({ columns: [t.affiliateId, t.currency] }),
    check(
      "balances_zero",
      sql`program + pending + available + reserved + paid + recovery + store_credit = 0`,
    ),
    check(
      "balances_program",
      sql`typeof(program) = 'integer' AND program BETWEEN -9007199254740991 AND 9007199254740991`,
    ),
    check("balances_pending", whole("pending", 0)),
    check("balances_available", whole("available", 0)),
    check("balances_reserved", whole("reserved", 0)),
    check("balances_paid", whole("paid", 0)),
    check(
      "balances_recovery",
      sql`typeof(recovery) = 'integer' AND recovery BETWEEN -9007199254740991 AND 0`,
    ),
    check("balances_store_credit", whole("store_credit", 0)),
  ],
);

/** Gap-free numbers and caps: a rolled-back batch takes no number, and a cap is a CHECK. */
export const counters = sqliteTable(
  "counters",
  {
    programId: text("program_id").notNull(),
    name: text("name").notNull(),
    n: integer("n").notNull(),
    cap: integer("cap"),
  },
  (t) => [
    primaryKey({ columns: [t.programId, t.name] }),
    check("counters_cap", sql`cap IS NULL OR n <= cap`),
    check("counters_n", whole("n", 0)),
  ],
);

/** The feed: position is max + 1 in the committing batch, so it is commit order and nothing appears behind a reader. */
export const events = sqliteTable(
  "events",
  {
    programId: text("program_id").notNull(),
    position: integer("position").notNull(),
    type: text("type").notNull(),
    at: integer("at").notNull(),
    livemode: integer("livemode").notNull(),
    affiliateId: text("affiliate_id"),
    sequence: integer("sequence"),
    actorType: text("actor_type").notNull(),
    actorId: text("actor_id").notNull(),
    data: text("data").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.programId, t.position] }),
    check("events_data", json("data")),
    check("events_position", whole("position", 1)),
  ],
);
