// Commissions by the hundred: recorded, approved, rejected, each with its own result.
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { impliesScope } from "../../domain/api-key.ts";
import type { CommissionId } from "../../domain/ids.ts";
import { type BatchSale, recordBatch, reviewBatch } from "../../operations/batch-commissions.ts";
import type { Settled } from "../../operations/by-affiliate.ts";
import type { Recorded } from "../../operations/record-commission.ts";
import type { Ref } from "../../store/refs.ts";
import { type AppEnv, accessOf, ctxOf, type Register } from "../env.ts";
import { requestShaOf } from "../idempotency.ts";
import { defineRoute } from "../route.ts";
import { invalid } from "../validation.ts";
import { commissionRef, jsonAnswer, jsonBody, noteText } from "../wire.ts";
import { resultsSchema, resultsToWire } from "../wire-batch.ts";
import { commissionSchema, commissionToWire, recordBody } from "../wire-commission.ts";

const BATCH_MAX = 500;

/** Items are checked one by one: a bad one is its own result and keeps nobody else from being recorded. */
const BATCH = z.strictObject({
  commissions: z
    .array(z.unknown())
    .min(1)
    .max(BATCH_MAX)
    .openapi({ type: "array", items: { $ref: "#/components/schemas/NewCommission" } }),
});

const record = defineRoute(
  { to: "commissions:write" },
  {
    method: "post",
    path: "/v1/commissions/batch",
    tags: ["commissions"],
    summary: "Record up to 500 commissions",
    description:
      "Each by the rules, and with the result, of a call of its own: 201 recorded, 200 recorded earlier by this external_id with the same body, or its problem. One affiliate's are recorded in order.",
    request: { body: jsonBody(BATCH) },
    responses: { 200: jsonAnswer(resultsSchema("commission", commissionSchema), "A result for each") },
  },
);

const IDS = z.array(commissionRef).min(1).max(BATCH_MAX);

const approve = defineRoute(
  { to: "commissions:approve" },
  {
    method: "post",
    path: "/v1/commissions/approve",
    tags: ["commissions"],
    summary: "Approve up to 500 pending commissions",
    request: { body: jsonBody(z.strictObject({ ids: IDS })) },
    responses: { 200: jsonAnswer(resultsSchema("commission", commissionSchema), "A result for each") },
  },
);

const reject = defineRoute(
  { to: "commissions:write" },
  {
    method: "post",
    path: "/v1/commissions/reject",
    tags: ["commissions"],
    summary: "Reject up to 500 commissions that are not paid out yet",
    request: { body: jsonBody(z.strictObject({ ids: IDS, reason: noteText.optional() })) },
    responses: { 200: jsonAnswer(resultsSchema("commission", commissionSchema), "A result for each") },
  },
);

/** As POST /v1/commissions would take it, with that call's fingerprint. */
const saleOf = async (c: Context<AppEnv>, raw: unknown): Promise<BatchSale> => {
  const parsed = recordBody.safeParse(raw);
  if (!parsed.success) throw invalid("json", parsed.error.issues);
  const { data: body } = parsed;
  return {
    requestSha: await requestShaOf({ method: "POST", path: "/v1/commissions", body: raw }),
    sale: {
      affiliate: body.affiliate_id,
      externalId: body.external_id,
      amount: body.amount ?? null,
      orderAmount: body.order_amount ?? null,
      currency: body.currency,
      occurredAt: body.occurred_at,
      status: body.status ?? null,
      metadata: body.metadata === undefined ? null : JSON.stringify(body.metadata),
      mayApprove: impliesScope(accessOf(c).key.scopes, "commissions:approve"),
    },
  };
};

const recordAll = async (c: Context<AppEnv>, raws: readonly unknown[]): Promise<Settled<Recorded>[]> => {
  const taken = await Promise.allSettled(raws.map((raw) => saleOf(c, raw)));
  const sales = taken.flatMap((item) => (item.status === "fulfilled" ? [item.value] : []));
  const recorded = (await recordBatch(ctxOf(c), sales))[Symbol.iterator]();
  return taken.map((item): Settled<Recorded> => {
    if (item.status === "rejected") return { ok: false, thrown: item.reason };
    const { value, done } = recorded.next();
    if (done === true) throw new Error("a sale without its outcome");
    return value;
  });
};

const reviewAll = async (
  c: Context<AppEnv>,
  refs: readonly Ref<CommissionId>[],
  kind: "approve" | "reject",
  reason?: string,
) => {
  const named = (i: number): string => {
    const ref = refs[i];
    return ref === undefined ? "" : "id" in ref ? ref.id : `ext:${ref.externalId}`;
  };
  return resultsToWire(
    c,
    await reviewBatch(ctxOf(c), refs, { kind, reason: reason ?? null }),
    (i) => ({ id: named(i), pointer: `/ids/${i}` }),
    ({ commission, at }) => ({
      id: commission.id,
      status: 200,
      commission: commissionToWire(commission, at),
    }),
  );
};

export const registerCommissionBatches: Register = (app) => {
  app.openAPIRegistry.register("NewCommission", recordBody);
  app.openapi(record, async (c) => {
    const { commissions: raws } = c.req.valid("json");
    const answer = resultsToWire(
      c,
      await recordAll(c, raws),
      (i) => ({ id: null, pointer: `/commissions/${i}` }),
      ({ commission, at, outcome }) => ({
        id: commission.id,
        status: outcome === "known" ? 200 : 201,
        commission: commissionToWire(commission, at),
      }),
    );
    return c.json(answer, 200);
  });
  app.openapi(approve, async (c) => c.json(await reviewAll(c, c.req.valid("json").ids, "approve"), 200));
  app.openapi(reject, async (c) => {
    const { ids, reason } = c.req.valid("json");
    return c.json(await reviewAll(c, ids, "reject", reason), 200);
  });
};
