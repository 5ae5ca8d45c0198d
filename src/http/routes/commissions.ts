// Commissions: recorded, listed, read, reviewed and reversed.
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { impliesScope, type Scope } from "../../domain/api-key.ts";
import { COMMISSION_STATUSES } from "../../domain/commission.ts";
import type { CommissionRef } from "../../domain/ledger/command.ts";
import { Refused, refuse } from "../../domain/refusals.ts";
import type { Done } from "../../operations/apply-turn.ts";
import { type Recorded, recordCommission } from "../../operations/record-commission.ts";
import { reverseCommission, reviewCommission } from "../../operations/review-commission.ts";
import { findAffiliateId } from "../../store/affiliates.ts";
import { type CommissionFilters, findCommission, listCommissions } from "../../store/commissions.ts";
import { type AppEnv, accessOf, ctxOf, type Register, type StipendApp } from "../env.ts";
import { commandOf } from "../idempotency.ts";
import { pageAnswer, pageOfQuery } from "../paging.ts";
import { defineRoute } from "../route.ts";
import {
  affiliateRef,
  commissionRef,
  currency,
  externalId,
  instant,
  jsonAnswer,
  jsonBody,
  listQuery,
  noteText,
  pageOf,
  payoutId,
  wordList,
} from "../wire.ts";
import {
  type CommissionWire,
  commissionSchema,
  commissionToWire,
  recordBody,
  reverseBody,
} from "../wire-commission.ts";

const PARAMS = z.object({ commission_id: commissionRef });

/** What lists of commissions may be narrowed by, besides an affiliate. */
export const COMMISSION_FILTERS = {
  status: wordList(COMMISSION_STATUSES).optional(),
  currency: currency.optional(),
  external_id: externalId.optional(),
  payout_id: payoutId.optional(),
  created_after: instant.optional(),
  created_before: instant.optional(),
};

const LIST = listQuery({ ...COMMISSION_FILTERS, affiliate_id: affiliateRef.optional() });
type Filters = Omit<z.output<typeof LIST>, "affiliate_id">;

const record = defineRoute(
  { to: "commissions:write", idempotency: "honoured" },
  {
    method: "post",
    path: "/v1/commissions",
    tags: ["commissions"],
    summary: "Record a commission",
    description:
      "The same external_id with the same body again answers 200 with the commission as it stands.",
    request: { body: jsonBody(recordBody) },
    responses: {
      200: jsonAnswer(commissionSchema, "Recorded earlier by this external_id"),
      201: jsonAnswer(commissionSchema, "The commission"),
    },
  },
);

const list = defineRoute(
  { to: "commissions:read" },
  {
    method: "get",
    path: "/v1/commissions",
    tags: ["commissions"],
    summary: "List commissions",
    request: { query: LIST },
    responses: { 200: jsonAnswer(pageOf(commissionSchema), "A page of commissions") },
  },
);

const read = defineRoute(
  { to: "commissions:read" },
  {
    method: "get",
    path: "/v1/commissions/{commission_id}",
    tags: ["commissions"],
    summary: "Read a commission",
    request: { params: PARAMS },
    responses: { 200: jsonAnswer(commissionSchema, "The commission") },
  },
);

const reverse = defineRoute(
  { to: "commissions:write", idempotency: "honoured" },
  {
    method: "post",
    path: "/v1/commissions/{commission_id}/reverse",
    tags: ["commissions"],
    summary: "Take back what was refunded",
    description: "All that is left where no amount is given; order_amount applies the commission's own rate.",
    request: { params: PARAMS, body: jsonBody(reverseBody) },
    responses: { 200: jsonAnswer(commissionSchema, "The commission") },
  },
);

/** 201 for what the request made, also when its idempotency key replays it; 200 for what an earlier one made. */
export const recordedAnswer = (c: Context<AppEnv>, recorded: Recorded): [CommissionWire, 200 | 201] => {
  if (recorded.outcome === "replayed") c.header("Idempotent-Replayed", "true");
  return [commissionToWire(recorded.commission, recorded.at), recorded.outcome === "known" ? 200 : 201];
};

export const commissionPage = async (c: Context<AppEnv>, query: Filters, filters: CommissionFilters) => {
  const { db, program, now } = ctxOf(c);
  const asked: CommissionFilters = {
    ...filters,
    status: query.status,
    currency: query.currency,
    externalId: query.external_id,
    payoutId: query.payout_id,
    createdAfter: query.created_after,
    createdBefore: query.created_before,
  };
  const page = await listCommissions(db, program.id, asked, await pageOfQuery(c, query));
  const at = now();
  const data = page.commissions.map((commission) => commissionToWire(commission, at));
  return pageAnswer(c, query, data, page.hasMore, data.at(-1)?.id);
};

const turnAnswer = (c: Context<AppEnv>, done: Done<"commission">): CommissionWire => {
  if (done.replayed) c.header("Idempotent-Replayed", "true");
  return commissionToWire(done.result.commission, done.at);
};

interface Review {
  readonly kind: "approve" | "reject" | "hold" | "release";
  readonly scope: Scope;
  readonly summary: string;
}

const BY_ITSELF: readonly Review[] = [
  { kind: "approve", scope: "commissions:approve", summary: "Approve a pending commission" },
  { kind: "release", scope: "commissions:write", summary: "Put a held commission back where it stood" },
];
const WITH_REASON: readonly Review[] = [
  { kind: "reject", scope: "commissions:write", summary: "Reject a commission that is not paid out yet" },
  { kind: "hold", scope: "commissions:write", summary: "Keep a commission from being paid out" },
];

const reviewRoute = <Body extends z.ZodType, Required extends boolean>(
  { kind, scope, summary }: Review,
  body: Body,
  required: Required,
) =>
  defineRoute(
    { to: scope, idempotency: "honoured" },
    {
      method: "post",
      path: `/v1/commissions/{commission_id}/${kind}`,
      tags: ["commissions"],
      summary,
      request: { params: PARAMS, body: jsonBody(body, required) },
      responses: { 200: jsonAnswer(commissionSchema, "The commission") },
    },
  );

const registerReviews = (app: StipendApp): void => {
  const answer = async (c: Context<AppEnv>, ref: CommissionRef, kind: Review["kind"], reason?: string) => {
    const review = { kind, reason: reason ?? null };
    return turnAnswer(c, await reviewCommission(ctxOf(c), ref, review, await commandOf(c)));
  };
  for (const review of BY_ITSELF) {
    app.openapi(reviewRoute(review, z.strictObject({}), false), async (c) =>
      c.json(await answer(c, c.req.valid("param").commission_id, review.kind), 200),
    );
  }
  for (const review of WITH_REASON) {
    const isOwed = review.kind === "hold";
    const body = z.strictObject({ reason: isOwed ? noteText : noteText.optional() });
    app.openapi(reviewRoute(review, body, isOwed), async (c) =>
      c.json(
        await answer(c, c.req.valid("param").commission_id, review.kind, c.req.valid("json").reason),
        200,
      ),
    );
  }
};

const registerReads = (app: StipendApp): void => {
  app.openapi(list, async (c) => {
    const query = c.req.valid("query");
    const { affiliate_id: ref } = query;
    const { db, program } = ctxOf(c);
    const affiliateId = ref === undefined ? undefined : await findAffiliateId(db, program.id, ref);
    if (ref !== undefined && affiliateId === undefined) {
      return c.json(await pageAnswer(c, query, [], false, undefined), 200);
    }
    return c.json(await commissionPage(c, query, { affiliateId }), 200);
  });
  app.openapi(read, async (c) => {
    const { db, program, now } = ctxOf(c);
    const commission = await findCommission(db, program.id, c.req.valid("param").commission_id);
    if (commission === undefined) throw new Refused(refuse("commission_not_found", "").refusal);
    return c.json(commissionToWire(commission, now()), 200);
  });
};

export const registerCommissions: Register = (app) => {
  app.openapi(record, async (c) => {
    const body = c.req.valid("json");
    const sale = {
      affiliate: body.affiliate_id,
      externalId: body.external_id,
      amount: body.amount ?? null,
      orderAmount: body.order_amount ?? null,
      currency: body.currency,
      occurredAt: body.occurred_at,
      status: body.status ?? null,
      metadata: body.metadata === undefined ? null : JSON.stringify(body.metadata),
      mayApprove: impliesScope(accessOf(c).key.scopes, "commissions:approve"),
    };
    return c.json(...recordedAnswer(c, await recordCommission(ctxOf(c), sale, await commandOf(c))));
  });
  registerReads(app);
  app.openapi(reverse, async (c) => {
    const { reason, ...body } = c.req.valid("json");
    const reversal = {
      amount: body.amount ?? null,
      orderAmount: body.order_amount ?? null,
      reason,
      externalId: body.external_id ?? null,
    };
    const ref = c.req.valid("param").commission_id;
    const done = await reverseCommission(ctxOf(c), ref, reversal, await commandOf(c));
    return c.json(turnAnswer(c, done), 200);
  });
  registerReviews(app);
};
