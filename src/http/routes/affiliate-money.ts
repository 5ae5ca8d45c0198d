// What an affiliate has: the balance with what stands in its way, the commissions, and the entries of its book.
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { Refused, refuse } from "../../domain/refusals.ts";
import { requireAffiliate } from "../../operations/create-affiliate.ts";
import { type AffiliateRef, readStanding, type Standing } from "../../store/affiliates.ts";
import { listEntries } from "../../store/entries.ts";
import { type AppEnv, ctxOf, type Register } from "../env.ts";
import { pageAnswer, pageOfQuery } from "../paging.ts";
import { defineRoute } from "../route.ts";
import { affiliateRef, jsonAnswer, listQuery, pageOf } from "../wire.ts";
import { balanceSchema, balanceToWire, nextRunOf } from "../wire-balance.ts";
import { commissionSchema } from "../wire-commission.ts";
import { entrySchema, entryToWire, placeOf, placeText } from "../wire-entry.ts";
import { COMMISSION_FILTERS, commissionPage } from "./commissions.ts";

const PARAMS = z.object({ affiliate_id: affiliateRef });

const balance = defineRoute(
  { to: "affiliates:read", portal: "affiliate" },
  {
    method: "get",
    path: "/v1/affiliates/{affiliate_id}/balance",
    tags: ["affiliates"],
    summary: "Read an affiliate's balance and what stands in its way",
    request: { params: PARAMS },
    responses: { 200: jsonAnswer(balanceSchema, "The balance by currency") },
  },
);

const commissions = defineRoute(
  { to: "commissions:read", portal: "affiliate" },
  {
    method: "get",
    path: "/v1/affiliates/{affiliate_id}/commissions",
    tags: ["affiliates"],
    summary: "List an affiliate's commissions",
    request: { params: PARAMS, query: listQuery(COMMISSION_FILTERS) },
    responses: { 200: jsonAnswer(pageOf(commissionSchema), "A page of commissions") },
  },
);

const ledger = defineRoute(
  { to: "affiliates:read" },
  {
    method: "get",
    path: "/v1/affiliates/{affiliate_id}/ledger",
    tags: ["affiliates"],
    summary: "List the entries of an affiliate's book",
    description: "In the order in which they were written, unless `order=desc`.",
    request: { params: PARAMS, query: listQuery({}) },
    responses: { 200: jsonAnswer(pageOf(entrySchema), "A page of entries") },
  },
);

/** The key may remember a policy of half a minute ago; what is due at the next run is asked again where it changed since. */
const standingOf = async (
  c: Context<AppEnv>,
  ref: AffiliateRef,
  now: number,
): Promise<Standing | undefined> => {
  const { db, program } = ctxOf(c);
  const later = nextRunOf(program.policy, now).startsAt;
  const standing = await readStanding(db, program.id, ref, { now, later });
  if (standing === undefined) return undefined;
  const asked = nextRunOf(standing.program.policy, now).startsAt;
  return asked === later ? standing : readStanding(db, program.id, ref, { now, later: asked });
};

export const registerAffiliateMoney: Register = (app) => {
  app.openapi(balance, async (c) => {
    const now = ctxOf(c).now();
    const standing = await standingOf(c, c.req.valid("param").affiliate_id, now);
    if (standing === undefined) throw new Refused(refuse("affiliate_not_found", "").refusal);
    return c.json(balanceToWire(standing, now), 200);
  });
  app.openapi(commissions, async (c) => {
    const { id } = await requireAffiliate(ctxOf(c), c.req.valid("param").affiliate_id);
    return c.json(await commissionPage(c, c.req.valid("query"), { affiliateId: id }), 200);
  });
  app.openapi(ledger, async (c) => {
    const { id } = await requireAffiliate(ctxOf(c), c.req.valid("param").affiliate_id);
    const query = { ...c.req.valid("query"), order: c.req.valid("query").order ?? ("asc" as const) };
    const { db, program } = ctxOf(c);
    const { limit, order, after } = await pageOfQuery(c, query);
    const page = await listEntries(
      db,
      program.id,
      { affiliateId: id },
      { limit, order, after: placeOf(after) },
    );
    const last = page.entries.at(-1);
    const next = last === undefined ? undefined : placeText(last);
    return c.json(await pageAnswer(c, query, page.entries.map(entryToWire), page.hasMore, next), 200);
  });
};
