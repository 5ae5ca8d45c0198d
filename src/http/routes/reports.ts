// Reports: a program at a glance in one call, and a tax year by affiliate as JSON or CSV.
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { addDays, dateOf, endOfDate, startOfDate } from "../../domain/dates.ts";
import { toDecimal } from "../../domain/money.ts";
import { nextRun } from "../../domain/schedule.ts";
import { necThreshold } from "../../domain/tax.ts";
import { type PaidPage, readPaid, readSummary, type Span } from "../../store/reports.ts";
import { CSV_PAGE, csvAnswer } from "../csv-stream.ts";
import { type AppEnv, ctxOf, type Register } from "../env.ts";
import { pageAnswer, pageOfQuery } from "../paging.ts";
import { defineRoute } from "../route.ts";
import { jsonAnswer, listQuery } from "../wire.ts";
import { type PayeeWire, payeeToWire, summarySchema, summaryToWire, taxYearSchema } from "../wire-report.ts";

const MONTHS = 12;

const summary = defineRoute(
  { to: "reports:read" },
  {
    method: "get",
    path: "/v1/reports/summary",
    tags: ["reports"],
    summary: "Say how a program stands",
    description: `Balances by bucket and currency, payouts by status and by month of payment (the last ${MONTHS}), and the next run.`,
    responses: { 200: jsonAnswer(summarySchema, "The program at a glance") },
  },
);

const yearText = z
  .string()
  .regex(/^(?:19[7-9]\d|20\d\d|2100)$/, "must be a year from 1970 to 2100")
  .transform(Number)
  .openapi({ type: "string", example: "2026" });

const YEAR = listQuery({ year: yearText });

const taxYear = defineRoute(
  { to: "reports:read" },
  {
    method: "get",
    path: "/v1/reports/tax-year",
    tags: ["reports"],
    summary: "List what each affiliate was paid in a year",
    description:
      "By date of payment in the program's zone, by rail; what came back, whenever it did, is taken off the year of its payment. In the order of affiliates' ids.",
    request: { query: YEAR },
    responses: { 200: jsonAnswer(taxYearSchema, "A page of affiliates") },
  },
);

const taxYearCsv = defineRoute(
  { to: "reports:read" },
  {
    method: "get",
    path: "/v1/reports/tax-year.csv",
    tags: ["reports"],
    summary: "Export what each affiliate was paid in a year",
    description: "One line per affiliate, currency and rail. Amounts are decimals of `currency`.",
    request: { query: z.strictObject({ year: yearText }) },
    responses: { 200: { description: "The year", content: { "text/csv": { schema: z.string() } } } },
  },
);

const monthsOf = (now: number, zone: string): (Span & { month: string })[] => {
  const months: (Span & { month: string })[] = [];
  let first = `${dateOf(now, zone).slice(0, 7)}-01`;
  let until = Number.MAX_SAFE_INTEGER;
  for (let n = 0; n < MONTHS; n++) {
    const from = startOfDate(first, zone);
    months.unshift({ month: first.slice(0, 7), from, until });
    until = from;
    first = `${addDays(first, -1).slice(0, 7)}-01`;
  }
  return months;
};

const yearOf = (year: number, zone: string): Span => ({
  from: startOfDate(`${year}-01-01`, zone),
  until: endOfDate(`${year}-12-31`, zone),
});

const payeesOf = (c: Context<AppEnv>, page: PaidPage, year: number): PayeeWire[] => {
  const { config, now } = ctxOf(c);
  const threshold = necThreshold(year, config.necThresholds);
  return page.affiliates.map((affiliate) => {
    const own = page.sums.filter((sum) => sum.affiliateId === affiliate.id);
    return payeeToWire(affiliate, own, threshold, now());
  });
};

const HEADER = [
  ...["year", "affiliate_id", "affiliate_external_id", "affiliate_name", "country"],
  ...["tax_form", "tax_form_country", "tax_id_last4", "tax_form_status"],
  ...["currency", "rail", "count", "paid_amount", "returned_amount", "amount", "reaches_1099_nec_threshold"],
];

const linesOf = (payee: PayeeWire, year: number) =>
  payee.totals.flatMap(({ currency, by_rail }) =>
    by_rail.map((rail) => [
      { exact: String(year) },
      { exact: payee.affiliate_id },
      { text: payee.external_id ?? "" },
      { text: payee.name },
      { exact: payee.country ?? "" },
      { exact: payee.tax_form?.form ?? "" },
      { exact: payee.tax_form?.country ?? "" },
      { exact: payee.tax_form?.last4 ?? "" },
      { exact: payee.tax_form?.status ?? "" },
      { exact: currency },
      { exact: rail.rail },
      { exact: String(rail.count) },
      { exact: toDecimal(rail.paid_amount, currency) },
      { exact: toDecimal(rail.returned_amount, currency) },
      { exact: toDecimal(rail.amount, currency) },
      { exact: String(payee.reaches_threshold) },
    ]),
  );

export const registerReports: Register = (app) => {
  app.openapi(summary, async (c) => {
    const { db, program, now } = ctxOf(c);
    const { time_zone: zone, payout_schedule } = program.policy;
    const stands = await readSummary(db, program.id, now(), monthsOf(now(), zone));
    const next = nextRun(payout_schedule, zone, now());
    const run = next === undefined ? null : { date: next.date, period_end: addDays(next.date, -1) };
    return c.json(summaryToWire(stands, run), 200);
  });
  app.openapi(taxYear, async (c) => {
    const query = { ...c.req.valid("query"), order: "asc" as const };
    const { db, program, config } = ctxOf(c);
    const { time_zone: zone } = program.policy;
    const { limit, after = "" } = await pageOfQuery(c, query);
    const page = await readPaid(db, program.id, yearOf(query.year, zone), { after, limit });
    const { amount, isKnown } = necThreshold(query.year, config.necThresholds);
    const data = payeesOf(c, page, query.year);
    return c.json(
      {
        year: query.year,
        time_zone: zone,
        threshold: { form: "1099-NEC" as const, currency: "USD" as const, amount, known: isKnown },
        ...(await pageAnswer(c, query, data, page.hasMore, data.at(-1)?.affiliate_id)),
      },
      200,
    );
  });
  app.openapi(taxYearCsv, async (c) => {
    const { year } = c.req.valid("query");
    const { db, program } = ctxOf(c);
    const span = yearOf(year, program.policy.time_zone);
    return csvAnswer<string>(c, `tax-year-${year}`, HEADER, async (after = "") => {
      const page = await readPaid(db, program.id, span, { after, limit: CSV_PAGE });
      const rows = payeesOf(c, page, year).flatMap((payee) => linesOf(payee, year));
      return { rows, next: page.hasMore ? page.affiliates.at(-1)?.id : undefined };
    }) as never;
  });
};
