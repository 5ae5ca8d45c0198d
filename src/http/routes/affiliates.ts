// Affiliates: enrolled, listed, changed, told where their money goes, and shown what they have.
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { AFFILIATE_STATUSES } from "../../domain/affiliate.ts";
import { type AffiliateDone, createAffiliate, requireAffiliate } from "../../operations/create-affiliate.ts";
import { grantCredit } from "../../operations/record-commission.ts";
import { setPayoutMethod } from "../../operations/set-payout-method.ts";
import { updateAffiliate } from "../../operations/update-affiliate.ts";
import { listAffiliates } from "../../store/affiliates.ts";
import { type AppEnv, ctxOf, type Register } from "../env.ts";
import { commandOf } from "../idempotency.ts";
import { pageAnswer, pageOfQuery } from "../paging.ts";
import { defineRoute } from "../route.ts";
import {
  affiliateRef,
  externalId,
  instant,
  jsonAnswer,
  jsonBody,
  listQuery,
  pageOf,
  wordList,
} from "../wire.ts";
import {
  type AffiliateWire,
  affiliatePatchBody,
  affiliateSchema,
  affiliateToWire,
  choiceOf,
  newAffiliateBody,
  overridesOf,
  patchOf,
  payoutMethodBody,
} from "../wire-affiliate.ts";
import { commissionSchema, creditBody } from "../wire-commission.ts";
import { recordedAnswer } from "./commissions.ts";

const PARAMS = z.object({ affiliate_id: affiliateRef });

const LIST = listQuery({
  status: wordList(AFFILIATE_STATUSES).optional(),
  external_id: externalId.optional(),
  created_after: instant.optional(),
  created_before: instant.optional(),
});

const create = defineRoute(
  { to: "affiliates:write", idempotency: "honoured" },
  {
    method: "post",
    path: "/v1/affiliates",
    tags: ["affiliates"],
    summary: "Enrol an affiliate",
    request: { body: jsonBody(newAffiliateBody) },
    responses: { 201: jsonAnswer(affiliateSchema, "The affiliate") },
  },
);

const list = defineRoute(
  { to: "affiliates:read" },
  {
    method: "get",
    path: "/v1/affiliates",
    tags: ["affiliates"],
    summary: "List affiliates",
    request: { query: LIST },
    responses: { 200: jsonAnswer(pageOf(affiliateSchema), "A page of affiliates") },
  },
);

const read = defineRoute(
  { to: "affiliates:read" },
  {
    method: "get",
    path: "/v1/affiliates/{affiliate_id}",
    tags: ["affiliates"],
    summary: "Read an affiliate",
    request: { params: PARAMS },
    responses: { 200: jsonAnswer(affiliateSchema, "The affiliate") },
  },
);

const update = defineRoute(
  { to: "affiliates:write", idempotency: "honoured" },
  {
    method: "patch",
    path: "/v1/affiliates/{affiliate_id}",
    tags: ["affiliates"],
    summary: "Change an affiliate",
    description: "null takes an override, the country or the metadata away; metadata is replaced whole.",
    request: { params: PARAMS, body: jsonBody(affiliatePatchBody) },
    responses: { 200: jsonAnswer(affiliateSchema, "The affiliate") },
  },
);

const setMethod = defineRoute(
  { to: "affiliates:payout_method", idempotency: "honoured", portal: "affiliate" },
  {
    method: "put",
    path: "/v1/affiliates/{affiliate_id}/payout-method",
    tags: ["affiliates"],
    summary: "Say where the affiliate's money goes",
    description:
      "A Stripe account is looked up, and its readiness recorded, with the program's own credentials.",
    request: { params: PARAMS, body: jsonBody(payoutMethodBody) },
    responses: { 200: jsonAnswer(affiliateSchema, "The affiliate") },
  },
);

const credit = defineRoute(
  { to: "credits:write", idempotency: "honoured" },
  {
    method: "post",
    path: "/v1/affiliates/{affiliate_id}/credits",
    tags: ["affiliates"],
    summary: "Give an affiliate a credit or a bonus",
    description: "Approved and payable at once.",
    request: { params: PARAMS, body: jsonBody(creditBody) },
    responses: {
      200: jsonAnswer(commissionSchema, "Given earlier by this external_id"),
      201: jsonAnswer(commissionSchema, "The credit, a commission"),
    },
  },
);

const answer = (c: Context<AppEnv>, done: AffiliateDone): AffiliateWire => {
  if (done.replayed) c.header("Idempotent-Replayed", "true");
  return affiliateToWire(done.affiliate);
};

const registerReads: Register = (app) => {
  app.openapi(list, async (c) => {
    const query = c.req.valid("query");
    const { db, program } = ctxOf(c);
    const filters = {
      status: query.status,
      externalId: query.external_id,
      createdAfter: query.created_after,
      createdBefore: query.created_before,
    };
    const page = await listAffiliates(db, program.id, filters, await pageOfQuery(c, query));
    const data = page.affiliates.map(affiliateToWire);
    return c.json(await pageAnswer(c, query, data, page.hasMore, data.at(-1)?.id), 200);
  });
  app.openapi(read, async (c) => {
    const affiliate = await requireAffiliate(ctxOf(c), c.req.valid("param").affiliate_id);
    return c.json(affiliateToWire(affiliate), 200);
  });
};

export const registerAffiliates: Register = (app) => {
  app.openapi(create, async (c) => {
    const body = c.req.valid("json");
    const affiliate = {
      externalId: body.external_id ?? null,
      name: body.name,
      email: body.email,
      country: body.country ?? null,
      metadata: body.metadata === undefined ? null : JSON.stringify(body.metadata),
      overrides: overridesOf(body),
    };
    return c.json(answer(c, await createAffiliate(ctxOf(c), affiliate, await commandOf(c))), 201);
  });
  registerReads(app);
  app.openapi(update, async (c) => {
    const ref = c.req.valid("param").affiliate_id;
    const done = await updateAffiliate(ctxOf(c), ref, patchOf(c.req.valid("json")), await commandOf(c));
    return c.json(answer(c, done), 200);
  });
  app.openapi(setMethod, async (c) => {
    const ref = c.req.valid("param").affiliate_id;
    const done = await setPayoutMethod(ctxOf(c), ref, choiceOf(c.req.valid("json")), await commandOf(c));
    return c.json(answer(c, done), 200);
  });
  app.openapi(credit, async (c) => {
    const { kind, external_id, ...body } = c.req.valid("json");
    const ref = c.req.valid("param").affiliate_id;
    const wish = { grant: kind, externalId: external_id ?? null, ...body };
    return c.json(...recordedAnswer(c, await grantCredit(ctxOf(c), ref, wish, await commandOf(c))));
  });
};
