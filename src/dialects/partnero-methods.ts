// Partnero's payout settings of a partner: where its money goes, and what it has otherwise than the program.
import { z } from "zod";
import { type Affiliate, methodOf } from "../domain/affiliate.ts";
import { PAYOUT_METHODS } from "../domain/payout.ts";
import { dialectRoute } from "../http/dialect.ts";
import { requireAffiliate } from "../operations/create-affiliate.ts";
import { type MethodChoice, setPayoutMethod } from "../operations/set-payout-method.ts";
import { updateAffiliate } from "../operations/update-affiliate.ts";
import { toNumber } from "./amounts.ts";
import { envelope, enveloped, idOut, no } from "./partnero-answers.ts";
import { bankDetails, currencyIn, decimal, email, paypalEmail } from "./partnero-fields.ts";
import { holdPeriod, minimumIn } from "./partnero-settings.ts";
import { affiliateRefOf } from "./refs.ts";

const METHODS = ["paypal", "wise", "bank_transfer", "store_credit", "manual"] as const;

const SETTINGS = z.object({
  payout_method: z.enum(METHODS).optional(),
  paypal_email: paypalEmail.optional(),
  wise_email: email.optional(),
  currency: currencyIn.optional().meta({ description: "Of wise's recipient, and of minimum_payout." }),
  bank_details: bankDetails.optional(),
  minimum_payout: decimal.nullish().meta({ description: "Whole units; null: the program's." }),
  hold_period: holdPeriod.nullish().meta({ description: "Days; null: the program's." }),
});
type Settings = z.output<typeof SETTINGS>;

const settingsSchema = z.object({
  partner_id: z.string(),
  payout_method: z.enum(PAYOUT_METHODS),
  destination: z
    .string()
    .nullable()
    .meta({ description: "An address or an account's id, of a bank account the last four characters." }),
  currency: z.string().nullable(),
  minimum_payouts: z
    .array(z.object({ currency: z.string(), minimum_payout: z.number() }))
    .nullable()
    .meta({ description: "null: the program's." }),
  hold_period: z.int().nullable().meta({ description: "null: the program's." }),
});

const toWire = (affiliate: Affiliate): z.infer<typeof settingsSchema> => {
  const { destination, overrides } = affiliate;
  const minimums = overrides.minimum_payout;
  return {
    partner_id: idOut(affiliate),
    payout_method: methodOf(affiliate),
    destination: destination?.display ?? null,
    currency: destination?.currency ?? null,
    minimum_payouts:
      minimums === undefined
        ? null
        : Object.entries(minimums).map(([currency, amount]) => ({
            currency,
            minimum_payout: toNumber(amount, currency),
          })),
    hold_period: overrides.hold_days ?? null,
  };
};

const needed = <Value>(value: Value | undefined, field: string, method: string): Value => {
  if (value !== undefined) return value;
  throw no("account_not_found", `payout_method ${method} needs ${field}.`, `/${field}`);
};

const choiceOf = (settings: Settings): MethodChoice | undefined => {
  const { payout_method: method, paypal_email, wise_email, currency, bank_details } = settings;
  switch (method) {
    case undefined:
      return undefined;
    case "paypal":
      return { method, email: needed(paypal_email, "paypal_email", method) };
    case "wise":
      return {
        method,
        email: needed(wise_email, "wise_email", method),
        currency: needed(currency, "currency", method),
      };
    case "bank_transfer": {
      const { account_name, iban, swift } = needed(bank_details, "bank_details", method);
      return { method, bank: { accountName: account_name, iban, swift, address: null } };
    }
    default:
      return { method };
  }
};

/** undefined: stays; null: the program's again. */
const overridesOf = ({ overrides }: Affiliate, settings: Settings, usual: string) => {
  const { minimum_payout: minimum, hold_period: days } = settings;
  const currency = settings.currency ?? usual;
  const minimums =
    minimum == null ? minimum : { ...overrides.minimum_payout, [currency]: minimumIn(minimum, currency) };
  return { hold_days: days, minimum_payout: minimums, commission_rate_bps: undefined };
};

export const readPartnerSettings = dialectRoute({
  method: "GET",
  path: "/v1/partners/{id}/payout_settings",
  scope: "affiliates:read",
  summary: "Read a partner's payout settings",
  source: "chosen",
  answers: { 200: { description: "The settings", schema: enveloped(settingsSchema) } },
  async handle({ ctx, params }) {
    const affiliate = await requireAffiliate(ctx, affiliateRefOf(params["id"] ?? ""));
    return { status: 200, body: envelope(toWire(affiliate)) };
  },
});

export const updatePartnerSettings = dialectRoute({
  method: "PUT",
  path: "/v1/partners/{id}/payout_settings",
  scope: ["affiliates:payout_method", "affiliates:write"],
  summary: "Change a partner's payout settings",
  source: "chosen",
  body: SETTINGS,
  answers: { 200: { description: "The settings", schema: enveloped(settingsSchema) } },
  async handle({ ctx, params, body, turn, require }) {
    const choice = choiceOf(body);
    const isOverridden = body.minimum_payout !== undefined || body.hold_period !== undefined;
    if (choice !== undefined) require("affiliates:payout_method");
    if (isOverridden) require("affiliates:write");
    const affiliate = await requireAffiliate(ctx, affiliateRefOf(params["id"] ?? ""));
    const { id } = affiliate;
    const overrides = overridesOf(affiliate, body, ctx.program.defaultCurrency);
    if (choice !== undefined) await setPayoutMethod(ctx, { id }, choice, turn);
    if (isOverridden) await updateAffiliate(ctx, { id }, { overrides }, turn);
    return { status: 200, body: envelope(toWire(await requireAffiliate(ctx, { id }))) };
  },
});
