// Exports as CSV of any length: payouts, commissions, and the journal as accountants read it.
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Commission } from "../../domain/commission.ts";
import { dateOf } from "../../domain/dates.ts";
import type { Cell } from "../../domain/files/csv.ts";
import { Refused, refuse } from "../../domain/refusals.ts";
import { type AffiliateRef, findAffiliateId } from "../../store/affiliates.ts";
import { listEntries } from "../../store/entries.ts";
import { exportCommissions, exportPayouts } from "../../store/exports.ts";
import {
  COMMISSION_HEADER,
  commissionCells,
  ENTRY_HEADER,
  entryCells,
  PAYOUT_HEADER,
  payoutCells,
} from "../csv-rows.ts";
import { CSV_PAGE, csvAnswer } from "../csv-stream.ts";
import { type AppEnv, ctxOf, type Register } from "../env.ts";
import { defineRoute } from "../route.ts";
import { affiliateRef, instant, payoutId } from "../wire.ts";
import { COMMISSION_FILTERS } from "./commissions.ts";
import { PAYOUT_FILTERS, payoutFiltersOf } from "./payout-reads.ts";

const csv = (description: string) => ({
  200: { description, content: { "text/csv": { schema: z.string() } } },
});

const GUARD =
  "One line per row, in the order of ids, with a header. Free text that a spreadsheet would read as a formula starts with an apostrophe. Amounts are decimals of `currency`.";

const payouts = defineRoute(
  { to: "payouts:read" },
  {
    method: "get",
    path: "/v1/payouts/export.csv",
    tags: ["reports"],
    summary: "Export payouts as CSV",
    description: `${GUARD} Filters as in the list.`,
    request: { query: z.strictObject(PAYOUT_FILTERS) },
    responses: csv("The payouts"),
  },
);

const commissions = defineRoute(
  { to: "commissions:read" },
  {
    method: "get",
    path: "/v1/commissions/export.csv",
    tags: ["reports"],
    summary: "Export commissions as CSV",
    description: `${GUARD} Filters as in the list.`,
    request: { query: z.strictObject({ ...COMMISSION_FILTERS, affiliate_id: affiliateRef.optional() }) },
    responses: csv("The commissions"),
  },
);

const journal = defineRoute(
  { to: "reports:read" },
  {
    method: "get",
    path: "/v1/ledger/export.csv",
    tags: ["reports"],
    summary: "Export the journal as CSV",
    description: `${GUARD} By affiliate, turn and line. Each line moves its amount from the credited to the debited account; per currency the books sum to zero.`,
    request: {
      query: z.strictObject({
        affiliate_id: affiliateRef.optional(),
        payout_id: payoutId.optional(),
        created_after: instant.optional(),
        created_before: instant.optional(),
      }),
    },
    responses: csv("The entries"),
  },
);

const affiliateIn = async (c: Context<AppEnv>, ref: AffiliateRef | undefined) => {
  if (ref === undefined) return undefined;
  const { db, program } = ctxOf(c);
  const id = await findAffiliateId(db, program.id, ref);
  if (id === undefined) throw new Refused(refuse("affiliate_not_found", "").refusal);
  return id;
};

const nameOf = (c: Context<AppEnv>, what: string): string =>
  `${what}-${dateOf(ctxOf(c).now(), ctxOf(c).program.policy.time_zone)}`;

interface Identified {
  readonly cells: readonly Cell[];
  readonly id: string;
}

const pageOfRows = (rows: readonly Identified[]) => ({
  rows: rows.map(({ cells }) => cells),
  next: rows.length < CSV_PAGE ? undefined : rows.at(-1)?.id,
});

export const registerExports: Register = (app) => {
  app.openapi(payouts, async (c) => {
    const query = c.req.valid("query");
    const { db, program } = ctxOf(c);
    const filters = payoutFiltersOf(query, await affiliateIn(c, query.affiliate_id));
    return csvAnswer<string>(c, nameOf(c, "payouts"), PAYOUT_HEADER, async (after) => {
      const rows = await exportPayouts(db, program.id, filters, { after, limit: CSV_PAGE });
      return pageOfRows(rows.map((row) => ({ cells: payoutCells(row), id: row.payout.id })));
    }) as never;
  });
  app.openapi(commissions, async (c) => {
    const { affiliate_id, ...query } = c.req.valid("query");
    const { db, program } = ctxOf(c);
    const filters = {
      status: query.status,
      affiliateId: await affiliateIn(c, affiliate_id),
      currency: query.currency,
      externalId: query.external_id,
      payoutId: query.payout_id,
      createdAfter: query.created_after,
      createdBefore: query.created_before,
    };
    return csvAnswer<string>(c, nameOf(c, "commissions"), COMMISSION_HEADER, async (after) => {
      const rows = await exportCommissions(db, program.id, filters, { after, limit: CSV_PAGE });
      const cellsOf = (row: { commission: Commission; payee: Parameters<typeof commissionCells>[1] }) => ({
        cells: commissionCells(row.commission, row.payee),
        id: row.commission.id,
      });
      return pageOfRows(rows.map(cellsOf));
    }) as never;
  });
  app.openapi(journal, async (c) => {
    const query = c.req.valid("query");
    const { db, program } = ctxOf(c);
    const filters = {
      affiliateId: await affiliateIn(c, query.affiliate_id),
      payoutId: query.payout_id,
      after: query.created_after,
      before: query.created_before,
    };
    return csvAnswer<{ affiliateId: string; seq: number; line: number }>(
      c,
      nameOf(c, "journal"),
      ENTRY_HEADER,
      async (after) => {
        const page = await listEntries(db, program.id, filters, { limit: CSV_PAGE, order: "asc", after });
        const last = page.entries.at(-1);
        return { rows: page.entries.map(entryCells), next: page.hasMore ? last : undefined };
      },
    ) as never;
  });
};
