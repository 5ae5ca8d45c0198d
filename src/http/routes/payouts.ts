// Payouts: generated, made of chosen commissions, listed and read.
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { AffiliateId, CommissionId } from "../../domain/ids.ts";
import { payoutBlockers } from "../../domain/payout-blockers.ts";
import { Refused, refuse } from "../../domain/refusals.ts";
import { dueQueryOf } from "../../operations/claim-page.ts";
import { describeChange, type PlanChange } from "../../operations/claim-plan-part.ts";
import { commitPlan } from "../../operations/commit-plan.ts";
import { type Generated, generatePayouts, previewPayouts } from "../../operations/generate-payouts.ts";
import { createPayout } from "../../operations/review-payout.ts";
import { listDueIds, readAffiliatesOf } from "../../store/payouts.ts";
import { type Ref, resolveAffiliates, resolveCommissions } from "../../store/refs.ts";
import { type AppEnv, ctxOf, type Register } from "../env.ts";
import { commandOf } from "../idempotency.ts";
import { payoutAnswer, payoutsToWire } from "../payout-answer.ts";
import { Problem } from "../problem.ts";
import { defineRoute } from "../route.ts";
import { answerOnce } from "../stored-answer.ts";
import {
  affiliateRef,
  commissionRef,
  currency,
  date,
  idOf,
  jsonAnswer,
  jsonBody,
  noteText,
} from "../wire.ts";
import { blockerToWire, payoutSchema, previewToWire } from "../wire-payout.ts";
import { generatedSchema, generatedToWire } from "../wire-run.ts";

const GENERATE = z
  .strictObject({
    period_start: date.optional(),
    period_end: date.optional().openapi({ description: "Required, unless a plan is made." }),
    currency: currency.optional(),
    affiliate_ids: z.array(affiliateRef).min(1).max(1_000).optional(),
    dry_run: z.boolean().optional(),
    plan_id: idOf("plan").optional().openapi({
      description: "Of a dry run: makes exactly that plan, and takes no other field beside it.",
    }),
  })
  .superRefine(({ plan_id: plan, ...rest }, refined) => {
    if (plan === undefined) {
      if (rest.period_end === undefined)
        refined.addIssue({ code: "custom", message: "is required", path: ["period_end"] });
      return;
    }
    for (const [name, value] of Object.entries(rest))
      if (value !== undefined)
        refined.addIssue({ code: "custom", message: "is not taken beside plan_id", path: [name] });
  });

const generate = defineRoute(
  { to: "payouts:write", idempotency: "honoured" },
  {
    method: "post",
    path: "/v1/payouts/generate",
    tags: ["payouts"],
    summary: "Gather what is due into payouts, or preview it",
    description:
      "A dry run answers a `plan_id`; committing that makes exactly its payouts, or 409 `plan_changed` and nothing at all: each of `errors` then names affiliate_id, currency, planned_amount, planned_commission_count, and what would be now, amount, commission_count and blockers. What changes after that check, in a plan of more than a thousand affiliates or at the same moment, is left out and stands among the skipped.",
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
    listDueIds(ctx.db, dueQueryOf({ ...generated.run, cursor: "" }), ids),
    readAffiliatesOf(ctx.db, ctx.program.id, ids),
  ]);
  return generated.payouts.map((payout) =>
    previewToWire(payout, due.get(`${payout.affiliateId} ${payout.currency}`) ?? [], {
      programId: ctx.program.id,
      livemode: ctx.program.mode === "live",
      blockers: payoutBlockers(payout, affiliates.get(payout.affiliateId), ctx.program.policy, ctx.now()),
    }),
  );
};

const generatedAnswer = async (c: Context<AppEnv>, generated: Generated) => {
  if (generated.replayed) c.header("Idempotent-Replayed", "true");
  const wire = generatedToWire(generated, await payoutsToWire(c, generated.payouts), false);
  const whole = generated.payouts.length === 0 ? (200 as const) : (201 as const);
  return [wire, generated.isWhole ? whole : (202 as const)] as const;
};

/** Nothing was claimed: what each planned payout would be now, the first fifty of those that changed. */
const planChanged = (changes: readonly PlanChange[]): Problem => {
  const errors = changes.map((change) => ({
    pointer: "/plan_id",
    detail: describeChange(change),
    affiliate_id: change.item.affiliateId,
    currency: change.item.currency,
    planned_amount: change.item.gross - change.item.recovered,
    planned_commission_count: change.item.count,
    amount: change.now?.amount ?? 0,
    commission_count: change.now?.count ?? 0,
    blockers: change.blockers.map(blockerToWire),
  }));
  const detail = `${changes.length} payout(s) of the plan would not be as it says, so none was made; make a new dry run.`;
  return new Problem("plan_changed", detail, { errors, facts: { changed_count: changes.length } });
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

export const registerPayouts: Register = (app) => {
  app.openapi(generate, async (c) => {
    const body = c.req.valid("json");
    if (body.plan_id !== undefined) {
      const made = await commitPlan(ctxOf(c), body.plan_id, await commandOf(c));
      if ("changes" in made) throw planChanged(made.changes);
      return c.json(...(await generatedAnswer(c, made)));
    }
    const affiliateIds = body.affiliate_ids === undefined ? null : await affiliatesOf(c, body.affiliate_ids);
    const input = {
      ...(await commandOf(c)),
      periodStart: body.period_start ?? null,
      periodEnd: body.period_end ?? "",
      currency: body.currency ?? null,
      affiliateIds,
    };
    if (body.dry_run === true) {
      return (await answerOnce(c, async () => {
        const preview = await previewPayouts(ctxOf(c), input);
        return c.json(generatedToWire(preview, await previewOf(c, preview), true), 200);
      })) as never;
    }
    return c.json(...(await generatedAnswer(c, await generatePayouts(ctxOf(c), input))));
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
};
