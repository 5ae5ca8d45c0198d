// Programs, their keys and their credentials with providers.
import { sql } from "drizzle-orm";
import { check, index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { json, oneOf, whole } from "./checks.ts";

export const programs = sqliteTable(
  "programs",
  {
    id: text("id").primaryKey().notNull(),
    name: text("name").notNull(),
    mode: text("mode", { enum: ["test", "live"] }).notNull(),
    defaultCurrency: text("default_currency").notNull(),
    policy: text("policy").notNull(),
    policyVersion: integer("policy_version").notNull(),
    /** How far a test program's clock was moved forward, milliseconds; a live program's runs on real time. */
    clockOffset: integer("clock_offset").notNull().default(0),
    /** When the first scheduled run that is not made yet starts; null where payouts are made by hand only. */
    nextRunAt: integer("next_run_at"),
    createdAt: integer("created_at").notNull(),
  },
  (t) => [
    index("programs_next_run").on(sql`next_run_at - clock_offset`, t.id).where(sql`next_run_at IS NOT NULL`),
    check("programs_mode", oneOf("mode", ["test", "live"])),
    check("programs_policy", json("policy")),
    check("programs_version", whole("policy_version", 1)),
    check(
      "programs_clock",
      sql`typeof(clock_offset) = 'integer' AND clock_offset >= 0 AND (clock_offset = 0 OR mode = 'test')`,
    ),
  ],
);

/** Key look-up is a directory of its own, so that programs can be spread over databases later. */
export const apiKeys = sqliteTable(
  "api_keys",
  {
    id: text("id").primaryKey().notNull(),
    programId: text("program_id")
      .notNull()
      .references(() => programs.id),
    name: text("name").notNull(),
    prefix: text("prefix").notNull(),
    hash: text("hash").notNull(),
    pepperVersion: text("pepper_version").notNull(),
    scopes: text("scopes").notNull(),
    dialect: text("dialect"),
    expiresAt: integer("expires_at"),
    revokedAt: integer("revoked_at"),
    lastUsedAt: integer("last_used_at"),
    createdAt: integer("created_at").notNull(),
  },
  (t) => [index("api_keys_program").on(t.programId, t.id), check("api_keys_scopes", json("scopes"))],
);

export const credentials = sqliteTable(
  "credentials",
  {
    programId: text("program_id")
      .notNull()
      .references(() => programs.id),
    provider: text("provider", { enum: ["stripe", "paypal", "wise"] }).notNull(),
    /** The provider's own account that the secret belongs to: what an attempt freezes. */
    account: text("account").notNull(),
    sealed: text("sealed").notNull(),
    last4: text("last4").notNull(),
    livemode: integer("livemode").notNull(),
    checkedAt: integer("checked_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.programId, t.provider] }),
    check("credentials_provider", oneOf("provider", ["stripe", "paypal", "wise"])),
  ],
);

/** Connected accounts that were asked for: the key and the bytes stand here before Stripe is called, so that one affiliate gets one account. */
export const stripeOnboardings = sqliteTable(
  "stripe_onboardings",
  {
    programId: text("program_id").notNull(),
    affiliateId: text("affiliate_id").notNull(),
    n: integer("n").notNull(),
    /** The platform account that the connected account belongs to. */
    providerAccount: text("provider_account").notNull(),
    key: text("idempotency_key").notNull(),
    request: text("request").notNull(),
    /** null until Stripe's answer is known. */
    accountId: text("account_id"),
    /** When Stripe said no, or had made nothing; the next one has another key. */
    refusedAt: integer("refused_at"),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.programId, t.affiliateId, t.n] }),
    check("stripe_onboardings_n", whole("n", 1)),
  ],
);
