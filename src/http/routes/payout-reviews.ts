// What people and keys do with a payout: approve, pay, mark, cancel, retry, reopen, return, resolve, annotate.
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Scope } from "../../domain/api-key.ts";
import type { PayoutId } from "../../domain/ids.ts";
import { Refused, refuse } from "../../domain/refusals.ts";
import { payPayout, WAIT_MAX_S } from "../../operations/pay-payout.ts";
import { returnPayout } from "../../operations/return-payout.ts";
import { type ReviewCommand, reviewPayout } from "../../operations/review-payout.ts";
import { findPayout } from "../../store/payouts.ts";
import { type AppEnv, ctxOf, type Register, type StipendApp } from "../env.ts";
import { commandOf } from "../idempotency.ts";
import { payoutAnswer, viewsToWire } from "../payout-answer.ts";
import { defineRoute } from "../route.ts";
import { externalRef, instant, jsonAnswer, jsonBody, noteText, payoutId } from "../wire.ts";
import { payoutSchema } from "../wire-payout.ts";

const PARAMS = z.object({ payout_id: payoutId });
const NOTHING = z.strictObject({});
const REASON = z.strictObject({ reason: noteText });
const REASON_OR_NOT = z.strictObject({ reason: noteText.optional() });

const answer = async (c: Context<AppEnv>, command: ReviewCommand) =>
  payoutAnswer(c, await reviewPayout(ctxOf(c), command, await commandOf(c)));

interface Plain {
  readonly verb: string;
  readonly scope: Scope;
  readonly summary: string;
  command(payoutId: PayoutId): ReviewCommand;
}

const PLAIN: readonly Plain[] = [
  {
    verb: "accept",
    scope: "payouts:write",
    summary: "Accept a requested payout",
    command: (payoutId) => ({ kind: "accept", payoutId }),
  },
  {
    verb: "approve",
    scope: "payouts:approve",
    summary: "Approve a payout",
    command: (payoutId) => ({ kind: "approve_payout", payoutId }),
  },
  {
    verb: "withdraw-approval",
    scope: "payouts:approve",
    summary: "Withdraw the approval",
    command: (payoutId) => ({ kind: "withdraw", payoutId }),
  },
  {
    verb: "retry",
    scope: "payouts:write",
    summary: "Claim a failed payout's commissions again",
    command: (payoutId) => ({ kind: "retry", payoutId }),
  },
  {
    verb: "reopen",
    scope: "payouts:write",
    summary: "Claim a cancelled payout's commissions again",
    command: (payoutId) => ({ kind: "reopen", payoutId }),
  },
];

interface Reasoned extends Omit<Plain, "command"> {
  command(payoutId: PayoutId, reason: string): ReviewCommand;
}

/** Nothing was sent: a reason helps, but none is owed. */
const UNSENT: readonly Reasoned[] = [
  {
    verb: "deny",
    scope: "payouts:write",
    summary: "Deny a requested payout",
    command: (payoutId, reason) => ({ kind: "deny", payoutId, reason }),
  },
  {
    verb: "cancel",
    scope: "payouts:write",
    summary: "Cancel an unsent payout and give its commissions back",
    command: (payoutId, reason) => ({ kind: "cancel", payoutId, reason }),
  },
];

/** Money was, or may have been, on its way: the books want to know why. */
const SENT: readonly Reasoned[] = [
  {
    verb: "mark-failed",
    scope: "payouts:pay",
    summary: "Say that a payment by hand did not go through",
    command: (payoutId, reason) => ({ kind: "mark_failed", payoutId, reason }),
  },
];

const returned = defineRoute(
  { to: "payouts:pay", idempotency: "honoured" },
  {
    method: "post",
    path: "/v1/payouts/{payout_id}/return",
    tags: ["payouts"],
    summary: "Say that the money came back",
    description:
      "Of a payment by hand a person says so. Where a rail paid, the rail is asked whether money came back; where it says no, the answer is 409 `settled_by_rail`.",
    request: { params: PARAMS, body: jsonBody(REASON) },
    responses: { 200: jsonAnswer(payoutSchema, "The payout") },
  },
);

const registerPlain = (app: StipendApp): void => {
  for (const { verb, scope, summary, command } of PLAIN) {
    const route = defineRoute(
      { to: scope, idempotency: "honoured" },
      {
        method: "post",
        path: `/v1/payouts/{payout_id}/${verb}`,
        tags: ["payouts"],
        summary,
        request: { params: PARAMS, body: jsonBody(NOTHING, false) },
        responses: { 200: jsonAnswer(payoutSchema, "The payout") },
      },
    );
    app.openapi(route, async (c) => c.json(await answer(c, command(c.req.valid("param").payout_id)), 200));
  }
  for (const { verb, scope, summary, command } of UNSENT) {
    const route = defineRoute(
      { to: scope, idempotency: "honoured" },
      {
        method: "post",
        path: `/v1/payouts/{payout_id}/${verb}`,
        tags: ["payouts"],
        summary,
        request: { params: PARAMS, body: jsonBody(REASON_OR_NOT, false) },
        responses: { 200: jsonAnswer(payoutSchema, "The payout") },
      },
    );
    app.openapi(route, async (c) =>
      c.json(
        await answer(c, command(c.req.valid("param").payout_id, c.req.valid("json").reason ?? summary)),
        200,
      ),
    );
  }
  for (const { verb, scope, summary, command } of SENT) {
    const route = defineRoute(
      { to: scope, idempotency: "honoured" },
      {
        method: "post",
        path: `/v1/payouts/{payout_id}/${verb}`,
        tags: ["payouts"],
        summary,
        request: { params: PARAMS, body: jsonBody(REASON) },
        responses: { 200: jsonAnswer(payoutSchema, "The payout") },
      },
    );
    app.openapi(route, async (c) =>
      c.json(await answer(c, command(c.req.valid("param").payout_id, c.req.valid("json").reason)), 200),
    );
  }
};

const pay = defineRoute(
  { to: "payouts:pay", idempotency: "honoured" },
  {
    method: "post",
    path: "/v1/payouts/{payout_id}/pay",
    tags: ["payouts"],
    summary: "Pay a payout through its rail",
    description: `With \`Prefer: wait=N\` the payment runs in the call, for at most ${WAIT_MAX_S} seconds, and the answer says what became of it.`,
    request: { params: PARAMS, body: jsonBody(NOTHING, false) },
    responses: {
      200: jsonAnswer(payoutSchema, "What became of it within the wait"),
      202: jsonAnswer(payoutSchema, "The payment is under way"),
    },
  },
);

const waitOf = (c: Context<AppEnv>): number => {
  const wait = /(?:^|[,;\s])wait=(\d{1,5})(?:$|[,;\s])/.exec(c.req.header("prefer") ?? "")?.[1];
  return wait === undefined ? 0 : Math.min(Number(wait), WAIT_MAX_S);
};

const MARK_PAID = z.strictObject({
  external_ref: externalRef.optional(),
  // Only compared: a payout of many commissions may be more than one of them can be.
  amount: z.number().int().min(1).optional(),
  paid_at: instant.optional(),
  paid_via: z.enum(["manual", "bank_transfer"]).optional(),
  admin_note: noteText.optional(),
  partner_message: noteText.optional(),
});

const markPaid = defineRoute(
  { to: "payouts:pay", idempotency: "honoured" },
  {
    method: "post",
    path: "/v1/payouts/{payout_id}/mark-paid",
    tags: ["payouts"],
    summary: "Say that a payout was paid by hand",
    request: { params: PARAMS, body: jsonBody(MARK_PAID, false) },
    responses: { 200: jsonAnswer(payoutSchema, "The payout") },
  },
);

const RESOLVE = z.strictObject({
  outcome: z.enum(["settled", "refused"]),
  external_ref: externalRef.optional(),
  evidence: noteText,
});

const resolve = defineRoute(
  { to: "payouts:pay", idempotency: "honoured" },
  {
    method: "post",
    path: "/v1/payouts/{payout_id}/resolve",
    tags: ["payouts"],
    summary: "Close a payment whose outcome no look-up settles",
    request: { params: PARAMS, body: jsonBody(RESOLVE) },
    responses: { 200: jsonAnswer(payoutSchema, "The payout") },
  },
);

const registerMoney = (app: StipendApp): void => {
  app.openapi(pay, async (c) => {
    const { payout_id: id } = c.req.valid("param");
    const waitS = waitOf(c);
    const done = await payPayout(ctxOf(c), id, { ...(await commandOf(c)), waitS });
    if (waitS === 0) return c.json(await payoutAnswer(c, done), 202);
    if (done.replayed) c.header("Idempotent-Replayed", "true");
    c.header("Preference-Applied", `wait=${waitS}`);
    const view = await findPayout(ctxOf(c).db, ctxOf(c).program.id, id);
    const [wire] = view === undefined ? [] : await viewsToWire(c, [view]);
    if (wire === undefined) throw new Error("a paid payout is gone");
    return c.json(wire, wire.status === "processing" ? 202 : 200);
  });
  app.openapi(markPaid, async (c) => {
    const body = c.req.valid("json");
    if (body.paid_at !== undefined && body.paid_at > ctxOf(c).now()) {
      throw new Refused(
        refuse("period_invalid", "paid_at is in the future.", { pointer: "/paid_at" }).refusal,
      );
    }
    return c.json(
      await answer(c, {
        kind: "mark_paid",
        payoutId: c.req.valid("param").payout_id,
        externalRef: body.external_ref ?? null,
        amount: body.amount ?? null,
        paidAt: body.paid_at ?? null,
        paidVia: body.paid_via ?? null,
        adminNote: body.admin_note ?? null,
        partnerMessage: body.partner_message ?? null,
      }),
      200,
    );
  });
  app.openapi(returned, async (c) => {
    const { reason } = c.req.valid("json");
    const id = c.req.valid("param").payout_id;
    return c.json(await payoutAnswer(c, await returnPayout(ctxOf(c), id, reason, await commandOf(c))), 200);
  });
  app.openapi(resolve, async (c) => {
    const { outcome, evidence, external_ref: ref } = c.req.valid("json");
    return c.json(
      await answer(c, {
        kind: "resolve",
        payoutId: c.req.valid("param").payout_id,
        outcome,
        externalRef: ref ?? null,
        evidence,
      }),
      200,
    );
  });
};

export const registerPayoutReviews: Register = (app) => {
  registerPlain(app);
  registerMoney(app);
};
