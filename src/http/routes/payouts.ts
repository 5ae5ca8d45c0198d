// Payouts: generated, made of chosen commissions, listed and read.
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { AffiliateId, CommissionId } from "../../domain/ids.ts";
import { PAYOUT_STATUSES } from "../../domain/payout.ts";
import { Refused, refuse } from "../../domain/refusals.ts";
import { dueQueryOf } from "../../operations/claim-page.ts";
import { type Generated, generatePayouts, previewPayouts } from "../../operations/generate-payouts.ts";
import { payoutBlockers } from "../../operations/payout-blockers.ts";
import { createPayout } from "../../operations/review-payout.ts";
import {
  findPayout,
  listDueIds,
  listPayoutLines,
  listPayouts,
  readAffiliatesOf,
} from "../../store/payouts.ts";
import { type Ref, resolveAffiliates, resolveCommissions } from "../../store/refs.ts";
import { commissionOf } from "../../store/rows.ts";
import { type AppEnv, ctxOf, type Register } from "../env.ts";
import { commandOf } from "../idempotency.ts";
import { pageAnswer, pageOfQuery } from "../paging.ts";
import { payoutAnswer, payoutsToWire, viewsToWire } from "../payout-answer.ts";
import { defineRoute } from "../route.ts";
import {
  affiliateRef,
  commissionRef,
  currency,
  date,
  externalId,
  externalRef,
  flagText,
  idOf,
  instant,
  jsonAnswer,
  jsonBody,
  listQuery,
  noteText,
  pageOf,
  payoutId,
  wordList,
} from "../wire.ts";
import { commissionSchema, commissionToWire } from "../wire-commission.ts";
import { payoutSchema, previewToWire } from "../wire-payout.ts";
import { generatedSchema, generatedToWire } from "../wire-run.ts";

const GENERATE = z.strictObject({
  period_start: date.optional(),
  period_end: date,
  currency: currency.optional(),
  affiliate_ids: z.array(affiliateRef).min(1).max(1_000).optional(),
  dry_run: z.boolean().optional(),
});

const generate = defineRoute(
  { to: "payouts:write", idempotency: "honoured" },
  {
    method: "post",
    path: "/v1/payouts/generate",
    tags: ["payouts"],
    summary: "Gather what is due into payouts, or preview it",
    request: { body: jsonBody(GENERATE) },
    responses: {
      200: jsonAnswer(generatedSchema, "A dry run, or nothing was due"),
      201: jsonAnswer(generatedSchema, "Payouts were made"),
      202: jsonAnswer(generatedSchema, "The first payouts were made; the queue goes on with the run"),
    },
  },
);

const affiliatesOf = async (
  c: Context<AppEnv>,
  refs: readonly Ref<AffiliateId>[],
): Promise<readonly AffiliateId[]> => {
  const { db, program } = ctxOf(c);
  const ids = await resolveAffiliates(db, program.id, refs);
  return ids.map((id, i) => {
    if (id === undefined)
      throw new Refused(
        refuse("affiliate_not_found", "No such affiliate in this program.", {
          pointer: `/affiliate_ids/${i}`,
        }).refusal,
      );
    return id;
  });
};

const previewOf = async (c: Context<AppEnv>, generated: Generated) => {
  const ctx = ctxOf(c);
  const ids = generated.payouts.map((payout) => payout.affiliateId);
  const [due, affiliates] = await Promise.all([
    listDueIds(ctx.db, dueQueryOf({ ...generated.run, cursor: "" }, ctx.program.policy.time_zone), ids),
    readAffiliatesOf(ctx.db, ctx.program.id, ids),
  ]);
  return generated.payouts.map((payout) =>
    previewToWire(payout, due.get(`${payout.affiliateId} ${payout.currency}`) ?? [], {
      programId: ctx.program.id,
      livemode: ctx.program.mode === "live",
      blockers: payoutBlockers(ctx, payout, affiliates.get(payout.affiliateId)),
    }),
  );
};

const CREATE = z.strictObject({
  affiliate_id: affiliateRef,
  currency,
  commission_ids: z.array(commissionRef).min(1).max(1_000),
  admin_note: noteText.optional(),
});

const create = defineRoute(
  { to: "payouts:write", idempotency: "honoured" },
  {
    method: "post",
    path: "/v1/payouts",
    tags: ["payouts"],
    summary: "Make a payout of chosen commissions",
    request: { body: jsonBody(CREATE) },
    responses: { 201: jsonAnswer(payoutSchema, "The payout") },
  },
);

const commissionsOf = async (
  c: Context<AppEnv>,
  refs: readonly Ref<CommissionId>[],
): Promise<readonly CommissionId[]> => {
  const { db, program } = ctxOf(c);
  const ids = await resolveCommissions(db, program.id, refs);
  return ids.map((id, i) => {
    if (id === undefined)
      throw new Refused(
        refuse("commission_not_found", "No such commission in this program.", {
          pointer: `/commission_ids/${i}`,
        }).refusal,
      );
    return id;
  });
};

const LIST = listQuery({
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
});

const list = defineRoute(
  { to: "payouts:read" },
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
  { to: "payouts:read" },
  {
    method: "get",
    path: "/v1/payouts/{payout_id}",
    tags: ["payouts"],
    summary: "Read a payout",
    request: { params: PARAMS },
    responses: { 200: jsonAnswer(payoutSchema, "The payout") },
  },
);

const lineSchema = commissionSchema.extend({
  claimed_amount: z.number().int().openapi({ description: "Minor units as the payout claimed them." }),
});

const lines = defineRoute(
  { to: "payouts:read" },
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

const registerReads: Register = (app) => {
  app.openapi(list, async (c) => {
    const query = c.req.valid("query");
    const { db, program } = ctxOf(c);
    const [affiliateId] =
      query.affiliate_id === undefined ? [] : await resolveAffiliates(db, program.id, [query.affiliate_id]);
    const page = await pageOfQuery(c, query);
    if (query.affiliate_id !== undefined && affiliateId === undefined)
      return c.json(await pageAnswer(c, query, [], false, undefined), 200);
    const { views, hasMore } = await listPayouts(
      db,
      program.id,
      {
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
      },
      page,
    );
    return c.json(
      await pageAnswer(c, query, await viewsToWire(c, views), hasMore, views.at(-1)?.payout.id),
      200,
    );
  });
  app.openapi(read, async (c) => {
    const { db, program } = ctxOf(c);
    const view = await findPayout(db, program.id, c.req.valid("param").payout_id);
    const [wire] = view === undefined ? [] : await viewsToWire(c, [view]);
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

export const registerPayouts: Register = (app) => {
  app.openapi(generate, async (c) => {
    const body = c.req.valid("json");
    const affiliateIds = body.affiliate_ids === undefined ? null : await affiliatesOf(c, body.affiliate_ids);
    const input = {
      ...(await commandOf(c)),
      periodStart: body.period_start ?? null,
      periodEnd: body.period_end,
      currency: body.currency ?? null,
      affiliateIds,
    };
    if (body.dry_run === true) {
      const preview = await previewPayouts(ctxOf(c), input);
      return c.json(generatedToWire(preview, await previewOf(c, preview), true), 200);
    }
    const generated = await generatePayouts(ctxOf(c), input);
    if (generated.replayed) c.header("Idempotent-Replayed", "true");
    const wire = generatedToWire(generated, await payoutsToWire(c, generated.payouts), false);
    return c.json(wire, generated.isWhole ? (generated.payouts.length === 0 ? 200 : 201) : 202);
  });
  app.openapi(create, async (c) => {
    const body = c.req.valid("json");
    const input = await commandOf(c);
    const [affiliateId] = await resolveAffiliates(ctxOf(c).db, ctxOf(c).program.id, [body.affiliate_id]);
    if (affiliateId === undefined)
      throw new Refused(
        refuse("affiliate_not_found", "No such affiliate in this program.", { pointer: "/affiliate_id" })
          .refusal,
      );
    const commissionIds = await commissionsOf(c, body.commission_ids);
    const done = await createPayout(
      ctxOf(c),
      { affiliateId, currency: body.currency, commissionIds, adminNote: body.admin_note ?? null },
      input,
    );
    return c.json(await payoutAnswer(c, done), 201);
  });
  registerReads(app);
};
