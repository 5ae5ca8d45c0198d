// Partnero's payout requests: listed, searched, read, approved and marked as paid.
import { z } from "zod";
import type { Ctx } from "../context.ts";
import type { Payout, PayoutStatus } from "../domain/payout.ts";
import { type DialectAnswer, dialectRoute } from "../http/dialect.ts";
import type { TurnInput } from "../operations/apply-turn.ts";
import { type ReviewCommand, reviewPayout } from "../operations/review-payout.ts";
import {
  API_OUT,
  API_STATUSES,
  envelope,
  enveloped,
  no,
  requestSchema,
  statusesOf,
  toRequest,
} from "./partnero-answers.ts";
import { currencyIn } from "./partnero-fields.ts";
import { listPage, PARTNER, pageOf, partnersNamed, requirePayout, WINDOW } from "./partnero-pages.ts";

const PAGE = { 200: { description: "A page of payout requests", schema: pageOf(requestSchema) } };
const ONE = { 200: { description: "The payout request", schema: enveloped(requestSchema) } };

export const listRequests = dialectRoute({
  method: "GET",
  path: "/v1/payout_requests",
  scope: "payouts:read",
  summary: "List payout requests",
  source: "chosen",
  query: z.object(WINDOW),
  answers: PAGE,
  async handle({ ctx, query }) {
    const filters = { partners: undefined };
    return { status: 200, body: await listPage(ctx, "/v1/payout_requests", query, filters, toRequest) };
  },
});

export const searchRequests = dialectRoute({
  method: "GET",
  path: "/v1/payout_requests:search",
  scope: "payouts:read",
  summary: "Search payout requests",
  source: "chosen",
  query: z.object({
    ...WINDOW,
    ...PARTNER,
    status: z.enum(API_STATUSES).optional(),
    amount_units: currencyIn.optional(),
  }),
  answers: PAGE,
  async handle({ ctx, query }) {
    const { status, amount_units: currency } = query;
    const filters = {
      partners: await partnersNamed(ctx, query),
      status: status === undefined ? undefined : statusesOf(API_OUT, status),
      currency,
    };
    const body = await listPage(ctx, "/v1/payout_requests:search", query, filters, toRequest);
    return { status: 200, body };
  },
});

const answerOf = async (ctx: Ctx, id: string): Promise<DialectAnswer> => {
  const { payout, affiliate } = await requirePayout(ctx, id);
  return { status: 200, body: envelope(toRequest(payout, affiliate)) };
};

export const readRequest = dialectRoute({
  method: "GET",
  path: "/v1/payout_requests/{id}",
  scope: "payouts:read",
  summary: "Read a payout request",
  source: "chosen",
  answers: ONE,
  handle: ({ ctx, params }) => answerOf(ctx, params["id"] ?? ""),
});

type Deed = "accept" | "approve_payout" | "mark_paid";

/** What approving is by where a payout stands; what is not here awaits no decision. */
const APPROVING: Readonly<Partial<Record<PayoutStatus, readonly Deed[]>>> = {
  requested: ["accept", "approve_payout"],
  pending: ["approve_payout"],
  approved: [],
};

/** Only once it is approved; said again of what is paid it is heard, and nothing changes. */
const PAYING: Readonly<Partial<Record<PayoutStatus, readonly Deed[]>>> = {
  approved: ["mark_paid"],
  processing: ["mark_paid"],
  paid: [],
};

const commandOf = (deed: Deed, { id: payoutId, externalRef }: Payout): ReviewCommand => {
  if (deed !== "mark_paid") return { kind: deed, payoutId };
  const unsaid = { amount: null, paidAt: null, adminNote: null, partnerMessage: null };
  return { kind: deed, payoutId, externalRef, paidVia: null, ...unsaid };
};

/** Each step leaves the payout where the same request goes on from. */
const act = async (
  ctx: Ctx,
  payout: Payout,
  deeds: readonly Deed[] | undefined,
  turn: TurnInput,
): Promise<DialectAnswer> => {
  if (deeds === undefined)
    throw no("invalid_state", `Not possible: the payout request is ${API_OUT[payout.status]}.`);
  for (const deed of deeds) await reviewPayout(ctx, commandOf(deed, payout), turn);
  return answerOf(ctx, payout.id);
};

export const approveRequest = dialectRoute({
  method: "POST",
  path: "/v1/payout_requests/{id}/approve",
  scope: "payouts:approve",
  summary: "Approve a payout request; with four eyes it is requested until a second key approves",
  source: "chosen",
  answers: ONE,
  async handle({ ctx, params, turn, require }) {
    const { payout } = await requirePayout(ctx, params["id"] ?? "");
    const deeds = APPROVING[payout.status];
    if (deeds?.includes("accept") !== true) return act(ctx, payout, deeds, turn);
    require("payouts:write");
    // With four eyes who accepts cannot approve: the first key's word is the acceptance, the second's the approval.
    return act(ctx, payout, ctx.program.policy.four_eyes ? ["accept"] : deeds, turn);
  },
});

export const markRequestPaid = dialectRoute({
  method: "POST",
  path: "/v1/payout_requests/{id}/mark_as_paid",
  scope: "payouts:pay",
  summary: "Mark an approved payout request as paid by hand",
  source: "chosen",
  answers: ONE,
  async handle({ ctx, params, turn }) {
    const { payout } = await requirePayout(ctx, params["id"] ?? "");
    return act(ctx, payout, PAYING[payout.status], turn);
  },
});
