// A program, its policy and its keys as the wire shows them, and the bodies that make and change them.
import { z } from "@hono/zod-openapi";
import type { Program } from "../context.ts";
import { type Mode, SCOPES } from "../domain/api-key.ts";
import { isTimeZone, toInstant } from "../domain/dates.ts";
import { DIALECTS } from "../domain/dialects.ts";
import { PAYOUT_METHODS } from "../domain/payout.ts";
import type { Policy } from "../domain/policy.ts";
import { weekdayOf } from "../domain/schedule.ts";
import type { PolicyPatch } from "../operations/update-program.ts";
import type { StoredKey } from "../store/access.ts";
import { Problem } from "./problem.ts";
import {
  amountsByCurrency,
  currency,
  date,
  instant,
  instantText,
  lineText,
  nameText,
  noteText,
} from "./wire.ts";
import { holdDays, rateBps } from "./wire-affiliate.ts";

const isDistinct = (values: readonly unknown[]): boolean => new Set(values).size === values.length;
const TWICE = "must not name anything twice";

const weekday = z.number().int().min(1).max(7).openapi({ description: "1 is Monday, 7 Sunday." });

const schedule = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("manual") }),
  z.strictObject({ kind: z.literal("weekly"), weekday }),
  z
    .strictObject({ kind: z.literal("biweekly"), anchor_date: date, weekday: weekday.optional() })
    .refine(({ anchor_date: anchor, weekday: day }) => day === undefined || day === weekdayOf(anchor), {
      message: "must be the weekday of anchor_date",
      path: ["weekday"],
    }),
  z.strictObject({
    kind: z.literal("monthly"),
    day_of_month: z
      .number()
      .int()
      .min(1)
      .max(31)
      .openapi({ description: "29 to 31 fall on the month's last day." }),
  }),
]);

const LOCAL_HOSTS: readonly string[] = ["localhost", "127.0.0.1", "[::1]"];

const isReturnUrl = (text: string): boolean => {
  if (!URL.canParse(text) || /[^\x21-\x7e]/.test(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  if (username !== "" || password !== "") return false;
  return protocol === "https:" || (protocol === "http:" && LOCAL_HOSTS.includes(hostname));
};

const returnUrl = z
  .string()
  .max(2_048)
  .refine(isReturnUrl, "must be an https URL, or in test mode one of http on localhost")
  .openapi({ format: "uri", example: "https://example.com/affiliates" });

/** The policy's fields, each optional; a type beside domain's Policy keeps the two from growing apart. */
const policyFields = {
  time_zone: z.string().max(64).refine(isTimeZone, "must be a time zone of the IANA data base").optional(),
  hold_days: holdDays.optional(),
  minimum_payout: amountsByCurrency.optional(),
  payout_schedule: schedule.optional(),
  automatic_payouts: z.boolean().optional(),
  require_approval: z.boolean().optional(),
  four_eyes: z.boolean().optional(),
  auto_approve_commissions: z.boolean().optional(),
  require_tax_form: z.boolean().optional(),
  commission_rate_bps: rateBps.nullable().optional(),
  payout_methods: z.array(z.enum(PAYOUT_METHODS)).min(1).refine(isDistinct, TWICE).optional(),
  destination_cooldown_hours: z.number().int().min(0).max(720).optional(),
  currencies: z.array(currency).min(1).refine(isDistinct, TWICE).nullable().optional(),
  daily_payout_limit: amountsByCurrency.optional(),
  legal: z
    .strictObject({
      name: lineText(200).optional(),
      address: noteText.max(500).optional(),
      vat_id: lineText(50).optional(),
    })
    .optional(),
  onboarding_return_url: returnUrl.nullable().optional(),
} satisfies Record<keyof Policy, z.ZodType>;

export const newProgramBody = z.strictObject({
  name: nameText,
  default_currency: currency,
  mode: z.enum(["test", "live"]).default("test"),
  ...policyFields,
});

export const programPatchBody = z.strictObject({
  name: nameText.optional(),
  default_currency: currency.optional(),
  ...policyFields,
});

type PatchBody = z.output<typeof programPatchBody>;

export const policyPatchOf = (body: PatchBody): PolicyPatch => {
  const { name: _name, default_currency: _currency, ...policy } = body;
  // Optional fields that the schema saw as absent are absent; exactOptionalPropertyTypes cannot see that.
  return policy as PolicyPatch;
};

/** Plain http is for trying things out on one's own machine. */
export const assertReturnUrl = (mode: Mode, url: string | null | undefined): void => {
  if (mode === "test" || url == null || url.startsWith("https:")) return;
  const errors = [{ pointer: "/onboarding_return_url", detail: "must be an https URL" }];
  throw new Problem("validation_failed", "/onboarding_return_url: must be an https URL", { errors });
};

const amounts = z.record(z.string(), z.number().int());

export const programSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    mode: z.enum(["test", "live"]),
    default_currency: z.string(),
    policy_version: z.number().int().openapi({ description: "Grows by one with every change." }),
    created_at: instantText,
    time_zone: z.string(),
    hold_days: z.number().int(),
    minimum_payout: amounts,
    payout_schedule: z.object({
      kind: z.enum(["manual", "weekly", "biweekly", "monthly"]),
      weekday: z.number().int().optional(),
      day_of_month: z.number().int().optional(),
      anchor_date: z.string().optional(),
    }),
    automatic_payouts: z.boolean(),
    require_approval: z.boolean(),
    four_eyes: z.boolean(),
    auto_approve_commissions: z.boolean(),
    require_tax_form: z.boolean(),
    commission_rate_bps: z.number().int().nullable(),
    payout_methods: z.array(z.enum(PAYOUT_METHODS)),
    destination_cooldown_hours: z.number().int(),
    currencies: z.array(z.string()).nullable().openapi({ description: "null: all of the allow-list." }),
    daily_payout_limit: amounts,
    legal: z.object({
      name: z.string().optional(),
      address: z.string().optional(),
      vat_id: z.string().optional(),
    }),
    onboarding_return_url: z.string().nullable(),
  })
  .openapi("Program");

export const programToWire = (program: Program): z.infer<typeof programSchema> => ({
  id: program.id,
  name: program.name,
  mode: program.mode,
  default_currency: program.defaultCurrency,
  policy_version: program.policyVersion,
  created_at: toInstant(program.createdAt),
  ...program.policy,
  payout_methods: [...program.policy.payout_methods],
  currencies: program.policy.currencies === null ? null : [...program.policy.currencies],
});

export const keySchema = z
  .object({
    id: z.string(),
    name: z.string(),
    prefix: z.string().openapi({ description: "The key's beginning; it holds nothing of the secret." }),
    scopes: z.array(z.enum(SCOPES)),
    dialect: z.string().nullable(),
    expires_at: instantText.nullable(),
    revoked_at: instantText.nullable(),
    last_used_at: instantText.nullable(),
    created_at: instantText,
  })
  .openapi("ApiKey");

export const newKeySchema = keySchema
  .extend({ secret: z.string().openapi({ description: "The whole key; shown this once." }) })
  .openapi("NewApiKey");

export const newKeyBody = z.strictObject({
  name: nameText,
  scopes: z.array(z.enum(SCOPES)).min(1).refine(isDistinct, TWICE),
  expires_at: instant.optional(),
  dialect: z.enum(DIALECTS).optional(),
});

const at = (ms: number | null): string | null => (ms === null ? null : toInstant(ms));

export const keyToWire = (key: StoredKey): z.infer<typeof keySchema> => ({
  id: key.id,
  name: key.name,
  prefix: key.prefix,
  scopes: [...key.scopes],
  dialect: key.dialect,
  expires_at: at(key.expiresAt),
  revoked_at: at(key.revokedAt),
  last_used_at: at(key.lastUsedAt),
  created_at: toInstant(key.createdAt),
});

export const newKeyToWire = (minted: { readonly key: StoredKey; readonly secret: string }) => ({
  ...keyToWire(minted.key),
  secret: minted.secret,
});
