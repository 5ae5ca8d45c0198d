// Payouts listed and read, with their commissions.
import { z } from "@hono/zod-openapi";
import type { AffiliateId } from "../../domain/ids.ts";
import { PAYOUT_STATUSES } from "../../domain/payout.ts";
import { Refused, refuse } from "../../domain/refusals.ts";
import { findPayout, listPayoutLines, listPayouts, type PayoutFilters } from "../../store/payouts.ts";
import { resolveAffiliates } from "../../store/refs.ts";
import { commissionOf } from "../../store/rows.ts";
import { ctxOf, type Register } from "../env.ts";
import { pageAnswer, pageOfQuery } from "../paging.ts";
import { viewsToWire } from "../payout-answer.ts";
import { defineRoute } from "../route.ts";
import {
  affiliateRef,
  currency,
  externalId,
  externalRef,
  flagText,
  idOf,
  instant,
  jsonAnswer,
  listQuery,
  pageOf,
  payoutId,
  wordList,
} from "../wire.ts";
import { commissionSchema, commissionToWire } from "../wire-commission.ts";
import { payoutSchema } from "../wire-payout.ts";

const EXPAND = z.enum(["affiliate"]).openapi({ description: "Adds who is paid." });

export const PAYOUT_FILTERS = {
  status: wordList(PAYOUT_STATUSES).optional(),
  affiliate_id: affiliateRef.optional(),
  currency: currency.optional(),
  created_after: instant.optional(),
  created_before: instant.optional(),
  paid_after: instant.optional(),
  paid_before: instant.optional(),
  external_ref: externalRef.optional(),
  external_id: externalId.optional(),
  run_id: idOf("run").optional(),
  session_id: idOf("ses").optional(),
  stalled: flagText.optional(),
};

const LIST = listQuery({ ...PAYOUT_FILTERS, expand: EXPAND.optional() });

type Asked = { readonly [Name in keyof typeof PAYOUT_FILTERS]?: z.output<(typeof PAYOUT_FILTERS)[Name]> };

/** What was asked for, in the store's words; `affiliateId` is the resolved one. */
export const payoutFiltersOf = (query: Asked, affiliateId: AffiliateId | undefined): PayoutFilters => ({
  status: query.status,
  affiliateId,
  currency: query.currency,
  createdAfter: query.created_after,
  createdBefore: query.created_before,
  paidAfter: query.paid_after,
  paidBefore: query.paid_before,
  externalRef: query.external_ref,
  externalId: query.external_id,
  runId: query.run_id,
  sessionId: query.session_id,
  stalled: query.stalled,
});

const list = defineRoute(
  { to: "payouts:read", portal: "list" },
  {
    method: "get",
    path: "/v1/payouts",
    tags: ["payouts"],
    summary: "List payouts",
    request: { query: LIST },
    responses: { 200: jsonAnswer(pageOf(payoutSchema), "A page of payouts") },
  },
);

const PARAMS = z.object({ payout_id: payoutId });

const read = defineRoute(
  { to: "payouts:read", portal: "payout" },
  {
    method: "get",
    path: "/v1/payouts/{payout_id}",
    tags: ["payouts"],
    summary: "Read a payout",
    request: { params: PARAMS, query: z.strictObject({ expand: EXPAND.optional() }) },
    responses: { 200: jsonAnswer(payoutSchema, "The payout") },
  },
);

const lineSchema = commissionSchema.extend({
  claimed_amount: z.number().int().openapi({ description: "Minor units as the payout claimed them." }),
});

const lines = defineRoute(
  { to: "payouts:read", portal: "payout" },
  {
    method: "get",
    path: "/v1/payouts/{payout_id}/commissions",
    tags: ["payouts"],
    summary: "List the commissions of a payout",
    request: { params: PARAMS, query: listQuery({}) },
    responses: { 200: jsonAnswer(pageOf(lineSchema), "A page of commissions") },
  },
);

const notFound = (): Refused =>
  new Refused(refuse("payout_not_found", "No such payout in this program.").refusal);

export const registerPayoutReads: Register = (app) => {
  app.openapi(list, async (c) => {
    const query = c.req.valid("query");
    const { db, program } = ctxOf(c);
    const [affiliateId] =
      query.affiliate_id === undefined ? [] : await resolveAffiliates(db, program.id, [query.affiliate_id]);
    const page = await pageOfQuery(c, query);
    if (query.affiliate_id !== undefined && affiliateId === undefined)
      return c.json(await pageAnswer(c, query, [], false, undefined), 200);
    const filters = payoutFiltersOf(query, affiliateId);
    const { views, hasMore } = await listPayouts(db, program.id, filters, page);
    return c.json(
      await pageAnswer(c, query, await viewsToWire(c, views, query.expand), hasMore, views.at(-1)?.payout.id),
      200,
    );
  });
  app.openapi(read, async (c) => {
    const { db, program } = ctxOf(c);
    const view = await findPayout(db, program.id, c.req.valid("param").payout_id);
    const [wire] = view === undefined ? [] : await viewsToWire(c, [view], c.req.valid("query").expand);
    if (wire === undefined) throw notFound();
    return c.json(wire, 200);
  });
  app.openapi(lines, async (c) => {
    const { db, program, now } = ctxOf(c);
    const { payout_id: id } = c.req.valid("param");
    const query = c.req.valid("query");
    if ((await findPayout(db, program.id, id)) === undefined) throw notFound();
    const { lines: found, hasMore } = await listPayoutLines(db, program.id, id, await pageOfQuery(c, query));
    const data = found.map((line) => ({
      ...commissionToWire(commissionOf(line.commission), now()),
      claimed_amount: line.claimed,
    }));
    return c.json(await pageAnswer(c, query, data, hasMore, data.at(-1)?.id), 200);
  });
};
