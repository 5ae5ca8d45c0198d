// An affiliate as the wire shows it, and the bodies that enrol one, change it, and say where its money goes.
import { z } from "@hono/zod-openapi";
import { electronicFormatIBAN, isValidBIC, isValidIBAN } from "ibantools";
import { AFFILIATE_STATUSES, type Affiliate } from "../domain/affiliate.ts";
import { toInstant } from "../domain/dates.ts";
import type { PostalAddress } from "../domain/files/payment-line.ts";
import { PAYOUT_METHODS } from "../domain/payout.ts";
import type { Overrides } from "../domain/policy.ts";
import type { MethodChoice } from "../operations/set-payout-method.ts";
import {
  amountsByCurrency,
  countryCode,
  currency,
  emailText,
  externalId,
  instantText,
  lineText,
  metadata,
  nameText,
  noteText,
} from "./wire.ts";

/** Whole hours × 24 that a commission waits: the refund window. */
export const holdDays = z.number().int().min(0).max(365);
/** Basis points: 1000 is 10 %. */
export const rateBps = z.number().int().min(0).max(10_000);

export const affiliateSchema = z
  .object({
    id: z.string(),
    external_id: z.string().nullable(),
    name: z.string(),
    email: z.string(),
    country: z.string().nullable(),
    metadata: z.record(z.string(), z.unknown()).nullable(),
    status: z.enum(AFFILIATE_STATUSES),
    hold_days: z.number().int().nullable().openapi({ description: "null: the program's." }),
    minimum_payout: z
      .record(z.string(), z.number().int())
      .nullable()
      .openapi({ description: "Minor units; null: the program's." }),
    commission_rate_bps: z.number().int().nullable().openapi({ description: "null: the program's." }),
    payout_method: z.enum(PAYOUT_METHODS).nullable().openapi({ description: "null counts as manual." }),
    payout_destination: z
      .object({
        display: z
          .string()
          .nullable()
          .openapi({ description: "An account id, an address, or the last four characters." }),
        currency: z.string().nullable(),
        ready: z.boolean(),
        missing: z
          .array(z.string())
          .openapi({ description: "What the provider still wants, in its own words." }),
        changed_at: instantText
          .nullable()
          .openapi({ description: "null for the first, which has no cooldown." }),
      })
      .nullable(),
    created_at: instantText,
    updated_at: instantText,
  })
  .openapi("Affiliate");

export type AffiliateWire = z.infer<typeof affiliateSchema>;

const destinationToWire = (affiliate: Affiliate): AffiliateWire["payout_destination"] => {
  const { destination, destinationChangedAt, ready, missing } = affiliate;
  if (destination === null) return null;
  const changedAt = destinationChangedAt === null ? null : toInstant(destinationChangedAt);
  const { display, currency: of } = destination;
  return { display, currency: of, ready, missing: [...missing], changed_at: changedAt };
};

export const affiliateToWire = (affiliate: Affiliate): AffiliateWire => ({
  id: affiliate.id,
  external_id: affiliate.externalId,
  name: affiliate.name,
  email: affiliate.email,
  country: affiliate.country,
  metadata: affiliate.metadata === null ? null : (JSON.parse(affiliate.metadata) as Record<string, unknown>),
  status: affiliate.status,
  hold_days: affiliate.overrides.hold_days ?? null,
  minimum_payout: affiliate.overrides.minimum_payout ?? null,
  commission_rate_bps: affiliate.overrides.commission_rate_bps ?? null,
  payout_method: affiliate.destination?.method ?? null,
  payout_destination: destinationToWire(affiliate),
  created_at: toInstant(affiliate.createdAt),
  updated_at: toInstant(affiliate.updatedAt),
});

export const newAffiliateBody = z.strictObject({
  name: nameText,
  email: emailText,
  external_id: externalId.optional(),
  country: countryCode.optional(),
  metadata: metadata.optional(),
  hold_days: holdDays.optional(),
  minimum_payout: amountsByCurrency.optional(),
  commission_rate_bps: rateBps.optional(),
});

export const affiliatePatchBody = z
  .strictObject({
    name: nameText.optional(),
    email: emailText.optional(),
    country: countryCode.nullable().optional(),
    metadata: metadata.nullable().optional(),
    status: z.enum(AFFILIATE_STATUSES).optional(),
    hold_days: holdDays.nullable().optional(),
    minimum_payout: amountsByCurrency.nullable().optional(),
    commission_rate_bps: rateBps.nullable().optional(),
  })
  .refine((body) => Object.keys(body).length > 0, "must name at least one field");

type NewBody = z.output<typeof newAffiliateBody>;
type PatchBody = z.output<typeof affiliatePatchBody>;

export const overridesOf = (body: NewBody): Overrides => ({
  ...(body.hold_days === undefined ? {} : { hold_days: body.hold_days }),
  ...(body.minimum_payout === undefined ? {} : { minimum_payout: body.minimum_payout }),
  ...(body.commission_rate_bps === undefined ? {} : { commission_rate_bps: body.commission_rate_bps }),
});

const textOf = (value: Readonly<Record<string, unknown>> | null): string | null =>
  value === null ? null : JSON.stringify(value);

export const patchOf = (body: PatchBody) => ({
  ...(body.name === undefined ? {} : { name: body.name }),
  ...(body.email === undefined ? {} : { email: body.email }),
  ...(body.country === undefined ? {} : { country: body.country }),
  ...(body.metadata === undefined ? {} : { metadata: textOf(body.metadata) }),
  ...(body.status === undefined ? {} : { status: body.status }),
  overrides: {
    hold_days: body.hold_days,
    minimum_payout: body.minimum_payout,
    commission_rate_bps: body.commission_rate_bps,
  },
});

export const iban = z
  .string()
  .max(64)
  .transform((text) => electronicFormatIBAN(text) ?? "")
  .refine((text) => isValidIBAN(text), "must be an IBAN with its own check digits")
  .openapi({ type: "string", example: "DE89370400440532013000" });

export const swift = z
  .string()
  .max(32)
  .transform((text) => text.replaceAll(" ", "").toUpperCase())
  .refine((text) => isValidBIC(text), "must be a BIC of 8 or 11 characters")
  .openapi({ type: "string", example: "COBADEFFXXX" });

/** The lengths are those of ISO 20022 payment files. */
export const postalAddress = z
  .strictObject({
    street: lineText(70).optional(),
    postal_code: lineText(16).optional(),
    town: lineText(35),
    country: countryCode,
  })
  .openapi("PostalAddress");

export const addressOf = (address: z.output<typeof postalAddress>): PostalAddress => ({
  street: address.street ?? null,
  postalCode: address.postal_code ?? null,
  town: address.town,
  country: address.country,
});

const accountId = z
  .string()
  .max(255)
  .regex(/^acct_[\x21-\x7e]+$/, "must be a Stripe account id acct_…")
  .openapi({ example: "acct_1PabcDEF" });

/** As PayPal takes a receiver: at most 127 single-byte characters. */
const paypalEmail = emailText.refine(
  (text) => /^[\x21-\x7e]{1,127}$/.test(text),
  "must be at most 127 ASCII characters, as PayPal takes them",
);

export const payoutMethodBody = z.discriminatedUnion("payout_method", [
  z.strictObject({ payout_method: z.literal("stripe"), stripe_account_id: accountId }),
  z.strictObject({ payout_method: z.literal("paypal"), paypal_email: paypalEmail }),
  z.strictObject({ payout_method: z.literal("wise"), wise_email: emailText, currency }),
  z.strictObject({
    payout_method: z.literal("bank_transfer"),
    bank_details: z.strictObject({
      account_name: lineText(140),
      iban,
      swift,
      address: z
        .union([noteText.max(500), postalAddress])
        .optional()
        .openapi({
          description:
            "Structured where payments leave the EEA or SEPA: payout files carry no address lines, so free text stays out of them.",
        }),
    }),
  }),
  z.strictObject({ payout_method: z.literal("store_credit") }),
  z.strictObject({ payout_method: z.literal("manual") }),
]);

export const choiceOf = (body: z.output<typeof payoutMethodBody>): MethodChoice => {
  switch (body.payout_method) {
    case "stripe":
      return { method: "stripe", accountId: body.stripe_account_id };
    case "paypal":
      return { method: "paypal", email: body.paypal_email };
    case "wise":
      return { method: "wise", email: body.wise_email, currency: body.currency };
    case "bank_transfer": {
      const { account_name: accountName, iban: number, swift: bic, address } = body.bank_details;
      return {
        method: "bank_transfer",
        bank: {
          accountName,
          iban: number,
          swift: bic,
          address: typeof address === "object" ? addressOf(address) : (address ?? null),
        },
      };
    }
    default:
      return { method: body.payout_method };
  }
};
