// Partnero's partners and customers, both our affiliates: read with their balance, and credited.
import { z } from "zod";
import type { Ctx } from "../context.ts";
import { dialectRoute } from "../http/dialect.ts";
import { requireAffiliate } from "../operations/create-affiliate.ts";
import { grantCredit } from "../operations/record-commission.ts";
import { type CurrencyStanding, readStanding, type Standing } from "../store/affiliates.ts";
import { fromDecimal, toNumber } from "./amounts.ts";
import {
  envelope,
  enveloped,
  idOut,
  moneySchema,
  no,
  personSchema,
  toMicros,
  toMoney,
  toPerson,
} from "./partnero-answers.ts";
import { currencyIn, decimal, note } from "./partnero-fields.ts";
import { affiliateRefOf } from "./refs.ts";

const balanceSchema = z.object({
  currency: z.array(
    moneySchema.extend({
      amount: z.number().meta({ description: "Payable now." }),
      pending: z.number().meta({ description: "Waits for approval, or is on hold." }),
      in_hold_period: z.number(),
      in_payouts: z.number(),
      paid: z.number(),
      recovery_owed: z.number().meta({ description: "Owed back; netted from the next payout." }),
      store_credit: z.number(),
    }),
  ),
});

const toBalance = ({ currencies }: Standing): z.infer<typeof balanceSchema> => ({
  currency: currencies.map(({ currency, balance, due, inHoldAmount }) => ({
    ...toMoney(due.gross, currency),
    pending: toNumber(balance.pending, currency),
    in_hold_period: toNumber(inHoldAmount, currency),
    in_payouts: toNumber(balance.reserved, currency),
    paid: toNumber(balance.paid, currency),
    recovery_owed: toNumber(0 - balance.recovery, currency),
    store_credit: toNumber(balance.store_credit, currency),
  })),
});

const amounts = z.array(z.object({ currency: z.string(), amount: z.number() }));

const partnerSchema = personSchema.extend({
  referrals: z
    .object({
      clicks: z.int(),
      signups: z.int(),
      revenue: amounts,
      sales_count: z.int(),
      paid_accounts: z.int(),
    })
    .meta({ description: "Not tracked here." }),
  commissions: z.object({
    paid: z.number().meta({ description: "In the program's default currency." }),
    pending: amounts.meta({ description: "Not payable yet." }),
    not_paid: amounts.meta({ description: "Payable, or in a payout that is not paid." }),
  }),
  custom_field_values: z.array(z.string()),
  custom_fields: z.array(z.string()),
  tags: z.array(z.object({ value: z.string() })),
  balance: balanceSchema,
});

const amountsOf = (
  { currencies }: Standing,
  of: (own: CurrencyStanding) => number,
): z.infer<typeof amounts> =>
  currencies
    .filter((own) => of(own) > 0)
    .map((own) => ({ currency: own.currency, amount: toNumber(of(own), own.currency) }));

const paidIn = ({ currencies }: Standing, currency: string): number =>
  currencies.find((own) => own.currency === currency)?.balance.paid ?? 0;

const toPartner = (standing: Standing): z.infer<typeof partnerSchema> => {
  const { defaultCurrency } = standing.program;
  return {
    ...toPerson(standing.affiliate),
    referrals: { clicks: 0, signups: 0, revenue: [], sales_count: 0, paid_accounts: 0 },
    commissions: {
      paid: toNumber(paidIn(standing, defaultCurrency), defaultCurrency),
      pending: amountsOf(standing, ({ balance, inHoldAmount }) => balance.pending + inHoldAmount),
      not_paid: amountsOf(standing, ({ balance, due }) => due.gross + balance.reserved),
    },
    custom_field_values: [],
    custom_fields: [],
    tags: [],
    balance: toBalance(standing),
  };
};

const requireStanding = async ({ db, program, now }: Ctx, id: string): Promise<Standing> => {
  const at = now();
  const standing = await readStanding(db, program.id, affiliateRefOf(id), { now: at, later: at });
  if (standing === undefined) throw no("affiliate_not_found", "No such partner or customer in this program.");
  return standing;
};

export const readPartner = dialectRoute({
  method: "GET",
  path: "/v1/partners/{id}",
  scope: "affiliates:read",
  summary: "Read a partner with its balance",
  source: "chosen",
  answers: { 200: { description: "The partner", schema: enveloped(partnerSchema) } },
  async handle({ ctx, params }) {
    return { status: 200, body: envelope(toPartner(await requireStanding(ctx, params["id"] ?? ""))) };
  },
});

const customerSchema = personSchema.extend({
  referring_customer: z.null().meta({ description: "Not tracked here." }),
});

export const readBalance = dialectRoute({
  method: "GET",
  path: "/v1/customers/{id}/balance",
  scope: "affiliates:read",
  summary: "Read a customer's balance",
  source: "chosen",
  answers: {
    200: {
      description: "The customer and its balance by currency",
      schema: enveloped(z.object({ customer: customerSchema, balance: balanceSchema })),
    },
  },
  async handle({ ctx, params }) {
    const standing = await requireStanding(ctx, params["id"] ?? "");
    const customer = { ...toPerson(standing.affiliate), referring_customer: null };
    return { status: 200, body: envelope({ customer, balance: toBalance(standing) }) };
  },
});

/** The guide says `currency`, an older page `amount_units` with `is_currency`. */
const CREDIT = z
  .object({
    amount: decimal,
    currency: currencyIn.nullish(),
    amount_units: currencyIn.nullish(),
    is_currency: z
      .literal(true, "points are not kept here: send true and a currency, or leave it out")
      .nullish(),
    note: note.nullish(),
  })
  .refine(({ currency, amount_units }) => (currency ?? amount_units) != null, {
    message: "is missing: send the currency of the amount",
    path: ["currency"],
  });

const creditSchema = moneySchema.extend({
  id: z.string(),
  customer_id: z.string(),
  currency: z.string(),
  note: z.string().nullable(),
  created_at: z.string().meta({ format: "date-time" }),
});

export const creditBalance = dialectRoute({
  method: "POST",
  path: "/v1/customers/{id}/balance/credit",
  scope: "credits:write",
  summary: "Credit a balance",
  source: "chosen",
  keeps: "turn",
  body: CREDIT,
  answers: { 201: { description: "The credit, payable at once", schema: enveloped(creditSchema) } },
  async handle({ ctx, params, body, turn }) {
    const currency = body.currency ?? body.amount_units ?? ctx.program.defaultCurrency;
    const amount = fromDecimal(body.amount, currency);
    if (amount === undefined)
      throw no("amount_not_sendable", `amount is no amount above zero that ${currency} has.`, "/amount");
    const affiliate = await requireAffiliate(ctx, affiliateRefOf(params["id"] ?? ""));
    const text = body.note ?? "Credited through Partnero's API.";
    const credit = { grant: "credit" as const, amount, currency, note: text, externalId: null };
    const { commission, outcome } = await grantCredit(ctx, { id: affiliate.id }, credit, turn);
    return {
      status: 201,
      body: envelope({
        id: commission.id,
        customer_id: idOut(affiliate),
        ...toMoney(commission.amount, currency),
        currency,
        note: commission.note,
        created_at: toMicros(commission.createdAt),
      }),
      headers: outcome === "replayed" ? { "Idempotent-Replayed": "true" } : {},
    };
  },
});
