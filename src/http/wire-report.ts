// Reports as the wire shows them: a program at a glance, and a year's payments to each affiliate.
import { z } from "@hono/zod-openapi";
import type { Affiliate } from "../domain/affiliate.ts";
import { PAYOUT_METHODS, PAYOUT_STATUSES } from "../domain/payout.ts";
import { isCurrent, TAX_FORMS, type Threshold } from "../domain/tax.ts";
import type { PaidSum, Summary } from "../store/reports.ts";

const minor = z.number().int().openapi({ description: "Minor units of `currency`." });
const count = z.number().int();

export const summarySchema = z
  .object({
    affiliates: z.object({ active: count, suspended: count }),
    balances: z.array(
      z.object({
        currency: z.string(),
        affiliates: count.openapi({ description: "Affiliates with a book in this currency." }),
        pending: minor,
        available: minor,
        in_hold_period: minor,
        payable: minor.openapi({ description: "Available and no longer on hold." }),
        reserved: minor,
        paid: minor,
        recovery_owed: minor,
        store_credit: minor,
      }),
    ),
    payouts_by_status: z.array(
      z.object({ status: z.enum(PAYOUT_STATUSES), currency: z.string(), count, amount: minor }),
    ),
    payouts_by_month: z.array(
      z.object({
        month: z
          .string()
          .openapi({ example: "2026-10", description: "Of `paid_at`, in the program's zone." }),
        currency: z.string(),
        count,
        amount: minor,
        returned_amount: minor,
      }),
    ),
    stalled: count.openapi({ description: "Payouts that are processing for longer than expected." }),
    next_run: z
      .object({ date: z.string(), period_end: z.string() })
      .nullable()
      .openapi({ description: "null where payouts are made by hand only." }),
  })
  .openapi("Summary");

export const summaryToWire = (
  summary: Summary,
  nextRun: { date: string; period_end: string } | null,
): z.infer<typeof summarySchema> => ({
  affiliates: summary.affiliates,
  balances: summary.balances.map((balance) => ({
    currency: balance.currency,
    affiliates: balance.affiliates,
    pending: balance.pending,
    available: balance.available,
    in_hold_period: balance.inHold,
    payable: balance.available - balance.inHold,
    reserved: balance.reserved,
    paid: balance.paid,
    recovery_owed: 0 - balance.recovery,
    store_credit: balance.store_credit,
  })),
  payouts_by_status: summary.byStatus.map((sum) => ({ ...sum })),
  payouts_by_month: summary.byMonth.map(({ returned, ...sum }) => ({ ...sum, returned_amount: returned })),
  stalled: summary.stalled,
  next_run: nextRun,
});

const railSchema = z.object({
  rail: z.enum(PAYOUT_METHODS),
  count,
  paid_amount: minor,
  returned_amount: minor,
  amount: minor.openapi({ description: "Paid less returned." }),
});

const payeeSchema = z
  .object({
    affiliate_id: z.string(),
    external_id: z.string().nullable(),
    name: z.string(),
    country: z.string().nullable(),
    tax_form: z
      .object({
        form: z.enum(TAX_FORMS),
        country: z.string(),
        last4: z.string(),
        status: z.enum(["valid", "expired"]),
      })
      .nullable(),
    totals: z.array(z.object({ currency: z.string(), count, amount: minor, by_rail: z.array(railSchema) })),
    reaches_threshold: z.boolean().openapi({
      description:
        "The US dollars of the year reach the 1099-NEC threshold. Other currencies are not converted.",
    }),
  })
  .openapi("TaxYearPayee");

export const taxYearSchema = z
  .object({
    year: count,
    time_zone: z.string(),
    threshold: z.object({
      form: z.literal("1099-NEC"),
      currency: z.literal("USD"),
      amount: minor,
      known: z.boolean().openapi({
        description: "False where the year's own figure is not configured and the last known one stands in.",
      }),
    }),
    data: z.array(payeeSchema),
    has_more: z.boolean(),
    next_cursor: z.string().nullable(),
  })
  .openapi("TaxYear");

export type PayeeWire = z.infer<typeof payeeSchema>;

const railToWire = ({ rail, count: n, paid, returned }: PaidSum): z.infer<typeof railSchema> => ({
  rail,
  count: n,
  paid_amount: paid,
  returned_amount: returned,
  amount: paid - returned,
});

export const payeeToWire = (
  affiliate: Affiliate,
  sums: readonly PaidSum[],
  threshold: Threshold,
  now: number,
): PayeeWire => {
  const { taxForm } = affiliate;
  const totals = [...new Set(sums.map(({ currency }) => currency))].map((currency) => {
    const own = sums.filter((sum) => sum.currency === currency);
    const by_rail = own.map(railToWire);
    const add = (of: (rail: (typeof by_rail)[number]) => number) =>
      by_rail.reduce((sum, rail) => sum + of(rail), 0);
    return { currency, count: add((rail) => rail.count), amount: add((rail) => rail.amount), by_rail };
  });
  return {
    affiliate_id: affiliate.id,
    external_id: affiliate.externalId,
    name: affiliate.name,
    country: affiliate.country,
    tax_form:
      taxForm === null
        ? null
        : {
            form: taxForm.kind,
            country: taxForm.country,
            last4: taxForm.last4,
            status: isCurrent(taxForm, now) ? "valid" : "expired",
          },
    totals,
    reaches_threshold: totals.some(
      ({ currency, amount }) => currency === "USD" && amount >= threshold.amount,
    ),
  };
};
