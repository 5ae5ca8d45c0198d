// Partnero's payout history: filtered by date range, partner or status, and exported for accounting.
import { z } from "zod";
import type { Ctx } from "../context.ts";
import { toInstant } from "../domain/dates.ts";
import { dialectRoute } from "../http/dialect.ts";
import type { PartneroFilters } from "../store/dialect-reads-partnero.ts";
import { GUIDE_OUT, GUIDE_STATUSES, historySchema, no, statusesOf, toHistory } from "./partnero-answers.ts";
import { currencyIn } from "./partnero-fields.ts";
import { listPage, PARTNER, pageOf, partnersNamed, WINDOW } from "./partnero-pages.ts";
import { dayOrInstant, endIn, startIn } from "./times.ts";

const FILTERS = {
  ...PARTNER,
  status: z.enum(GUIDE_STATUSES).optional(),
  amount_units: currencyIn.optional(),
  date_from: dayOrInstant.optional(),
  date_to: dayOrInstant.optional(),
};
const LIST = z.object({ ...WINDOW, ...FILTERS });
const EXPORT = z.object(FILTERS);

const filtersOf = async (ctx: Ctx, query: z.output<typeof EXPORT>): Promise<PartneroFilters> => {
  const { status, amount_units: currency, date_from, date_to } = query;
  const zone = ctx.program.policy.time_zone;
  return {
    partners: await partnersNamed(ctx, query),
    status: status === undefined ? undefined : statusesOf(GUIDE_OUT, status),
    currency,
    createdAfter: date_from === undefined ? undefined : startIn(date_from, zone),
    createdBefore: date_to === undefined ? undefined : endIn(date_to, zone),
  };
};

export const listHistory = dialectRoute({
  method: "GET",
  path: "/v1/payouts/history",
  scope: "payouts:read",
  summary: "List payouts in the guide's statuses",
  source: "chosen",
  query: LIST,
  answers: { 200: { description: "A page of payouts", schema: pageOf(historySchema) } },
  async handle({ ctx, query }) {
    const filters = await filtersOf(ctx, query);
    return { status: 200, body: await listPage(ctx, "/v1/payouts/history", query, filters, toHistory) };
  },
});

const NOBODY = "aff_nobody";

const exportQueryOf = (filters: PartneroFilters): URLSearchParams => {
  const { partners, status, currency, createdAfter, createdBefore } = filters;
  if (partners !== undefined && partners.length > 1)
    throw no(
      "affiliate_not_found",
      "Several partners have this address: name the one meant by its id.",
      "?partner_email",
    );
  const query = new URLSearchParams();
  if (partners !== undefined) query.set("affiliate_id", partners[0] ?? NOBODY);
  if (status !== undefined) query.set("status", status.join(","));
  if (currency !== undefined) query.set("currency", currency);
  if (createdAfter !== undefined) query.set("created_after", toInstant(createdAfter));
  if (createdBefore !== undefined) query.set("created_before", toInstant(createdBefore));
  return query;
};

export const exportHistory = dialectRoute({
  method: "GET",
  path: "/v1/payouts/history/export",
  scope: "payouts:read",
  summary: "Export payouts as CSV",
  source: "chosen",
  query: EXPORT,
  answers: { 302: { description: "To the CSV of the same payouts, of any length, with the same key" } },
  async handle({ ctx, query }) {
    const asked = exportQueryOf(await filtersOf(ctx, query)).toString();
    const location = `/v1/payouts/export.csv${asked === "" ? "" : `?${asked}`}`;
    return { status: 302, body: undefined, headers: { Location: location } };
  },
});
