// Payout sessions: a titled round of payouts that people work through, as in GoAffPro: look at what is unpaid, select, pay or mark as paid.
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { Refused, refuse } from "../../domain/refusals.ts";
import { cancelSession } from "../../operations/cancel-session.ts";
import { markPaymentsPaid, markSessionPaid } from "../../operations/mark-session-paid.ts";
import { paySession } from "../../operations/pay-session.ts";
import { type NotFree, selectForSession } from "../../operations/select-for-session.ts";
import { startSession } from "../../operations/start-session.ts";
import { ROWS_PER_CALL } from "../../operations/work-session.ts";
import { type AppEnv, ctxOf, type Register } from "../env.ts";
import { Problem } from "../problem.ts";
import { defineRoute } from "../route.ts";
import { outcomeAnswer, rowsToWire } from "../session-answer.ts";
import { idOf, jsonAnswer, jsonBody } from "../wire.ts";
import { skipToWire } from "../wire-run.ts";
import {
  markPaidBody,
  paidSchema,
  selectedSchema,
  selectionBody,
  sessionSchema,
  sessionToWire,
  startBody,
  totalsToWire,
} from "../wire-session.ts";

const PARAMS = z.object({ session_id: idOf("ses") });
const TAGS = ["sessions"];

const start = defineRoute(
  { to: "payouts:write" },
  {
    method: "post",
    path: "/v1/payout-sessions",
    tags: TAGS,
    summary: "Start a payout session",
    request: { body: jsonBody(startBody) },
    responses: { 201: jsonAnswer(sessionSchema, "The session") },
  },
);

const select = defineRoute(
  { to: "payouts:write" },
  {
    method: "put",
    path: "/v1/payout-sessions/{session_id}/selection",
    tags: TAGS,
    summary: "Select what the session shall pay",
    description:
      "Claims nothing and blocks nobody. Replaces what was selected before, but for what the session has claimed already.",
    request: { params: PARAMS, body: jsonBody(selectionBody) },
    responses: { 200: jsonAnswer(selectedSchema, "What is selected, and who is left out") },
  },
);

const PAID = {
  200: jsonAnswer(paidSchema, "What was paid, and what could not be"),
  202: jsonAnswer(paidSchema, "The first rows; call again for the rest"),
};

const pay = defineRoute(
  { to: "payouts:pay" },
  {
    method: "post",
    path: "/v1/payout-sessions/{session_id}/pay",
    tags: TAGS,
    summary: "Pay what is selected through the affiliates' payout methods",
    description: `Claims and pays up to ${ROWS_PER_CALL} rows, each in turns of its affiliate. 409 where nothing could be claimed. Repeated, it goes on where it stopped and pays nothing twice.`,
    request: { params: PARAMS },
    responses: PAID,
  },
);

const markPaid = defineRoute(
  { to: "payouts:pay" },
  {
    method: "post",
    path: "/v1/payout-sessions/{session_id}/mark-paid",
    tags: TAGS,
    summary: "Say that what is selected was paid outside",
    description: `With \`payments\` only those; without it up to ${ROWS_PER_CALL} rows with one note. What is said beside \`payments\` stands for those that do not say it.`,
    request: { params: PARAMS, body: jsonBody(markPaidBody, false) },
    responses: PAID,
  },
);

const cancel = defineRoute(
  { to: "payouts:write" },
  {
    method: "post",
    path: "/v1/payout-sessions/{session_id}/cancel",
    tags: TAGS,
    summary: "Cancel a payout session",
    description: "Payouts that it has made stay as they are.",
    request: { params: PARAMS },
    responses: { 200: jsonAnswer(sessionSchema, "The session") },
  },
);

const PROBLEMS_NAMED = 50;

/** The whole selection is refused: it would not be what was chosen. */
const refuseChoice = (notFree: readonly NotFree[]): Problem => {
  const errors = notFree
    .slice(0, PROBLEMS_NAMED)
    .map(({ index, detail }) => ({ pointer: `/commission_ids/${index}`, detail }));
  const claimed = notFree.find(({ commission }) => commission.payoutId !== null);
  const first = claimed ?? notFree[0];
  const { id, payoutId = null, sessionId = null } = first?.commission ?? {};
  const facts = {
    ...(id === undefined ? {} : { commission_id: id }),
    ...(payoutId === null ? {} : { payout_id: payoutId }),
    ...(sessionId === null ? {} : { session_id: sessionId }),
  };
  const code = claimed === undefined ? "commissions_not_free" : "commission_claimed";
  const detail = `${notFree.length} chosen commission(s) cannot be paid now. ${first?.detail ?? ""}`;
  return new Problem(code, detail, { errors, facts });
};

const markOf = async (c: Context<AppEnv>, body: z.output<typeof markPaidBody>, id: `ses_${string}`) => {
  const ctx = ctxOf(c);
  const { payments, paid_at: paidAt = null } = body;
  if (paidAt !== null && paidAt > ctx.now())
    throw new Refused(refuse("period_invalid", "paid_at is in the future.", { pointer: "/paid_at" }).refusal);
  const note = {
    externalRef: body.external_ref ?? null,
    adminNote: body.admin_note ?? null,
    partnerMessage: body.partner_message ?? null,
  };
  if (payments === undefined) return markSessionPaid(ctx, id, { ...note, paidAt });
  const named = payments.map((payment) => ({
    affiliate: payment.affiliate_id,
    currency: payment.currency,
    amount: payment.amount ?? null,
    externalRef: payment.external_ref ?? note.externalRef,
    adminNote: payment.admin_note ?? note.adminNote,
    partnerMessage: payment.partner_message ?? note.partnerMessage,
  }));
  return markPaymentsPaid(ctx, id, named, paidAt);
};

export const registerPayoutSessions: Register = (app) => {
  app.openapi(start, async (c) =>
    c.json(sessionToWire(await startSession(ctxOf(c), c.req.valid("json").title)), 201),
  );
  app.openapi(select, async (c) => {
    const { session_id: id } = c.req.valid("param");
    const body = c.req.valid("json");
    const selected = await selectForSession(ctxOf(c), id, {
      upTo: body.up_to,
      commissions: body.commission_ids,
      currency: body.currency ?? null,
      minAmount: body.min_amount ?? null,
      maxAmount: body.max_amount ?? null,
      bulk: body.bulk,
    });
    if (selected.kind === "not_free") throw refuseChoice(selected.notFree);
    const answer = {
      status: selected.view.status,
      summary: await rowsToWire(c, id, selected.rows),
      totals: totalsToWire(selected.view.totals),
      has_more: selected.hasMore,
      skipped: selected.skipped.map(skipToWire),
      skipped_count: { ...selected.skippedCount },
    };
    return c.json(answer, 200);
  });
  app.openapi(pay, async (c) =>
    c.json(...(await outcomeAnswer(c, await paySession(ctxOf(c), c.req.valid("param").session_id)))),
  );
  app.openapi(markPaid, async (c) => {
    const outcome = await markOf(c, c.req.valid("json"), c.req.valid("param").session_id);
    return c.json(...(await outcomeAnswer(c, outcome)));
  });
  app.openapi(cancel, async (c) =>
    c.json(sessionToWire(await cancelSession(ctxOf(c), c.req.valid("param").session_id)), 200),
  );
};
