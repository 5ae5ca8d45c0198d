// Loop's review: the queue of payouts that wait for a person, approve, and mark-paid.
import { z } from "zod";
import type { Ctx } from "../context.ts";
import type { PayoutId } from "../domain/ids.ts";
import type { Payout, PayoutStatus } from "../domain/payout.ts";
import { type DialectAnswer, dialectRoute } from "../http/dialect.ts";
import type { Done, TurnInput } from "../operations/apply-turn.ts";
import { type ReviewCommand, reviewPayout } from "../operations/review-payout.ts";
import { listPayouts, type PayoutView, viewsOf } from "../store/payouts.ts";
import { AWAITING, payoutSchema, requirePayout, toWire } from "./loop-payout.ts";
import { requiredLine } from "./loop-texts.ts";

/** Loop's queue has no pages: the oldest so many, or so many commissions of theirs, and a header where more wait. */
const QUEUE_MAX = 1_000;
const COMMISSIONS_MAX = 50_000;
const PAGE = 200;

export const NEXT_AFTER = "X-Stipend-Next-After";

const readQueue = async (
  { db, program }: Ctx,
  from: string | undefined,
): Promise<{ views: readonly PayoutView[]; hasMore: boolean }> => {
  const views: PayoutView[] = [];
  let listed = 0;
  for (;;) {
    const after = views.at(-1)?.payout.id ?? from;
    const page = { limit: PAGE, order: "asc", after } as const;
    const read = await listPayouts(db, program.id, { status: AWAITING }, page);
    views.push(...read.views);
    listed += read.views.reduce((sum, { commissionIds }) => sum + commissionIds.length, 0);
    if (!read.hasMore || views.length >= QUEUE_MAX || listed >= COMMISSIONS_MAX)
      return { views, hasMore: read.hasMore };
  }
};

export const listQueue = dialectRoute({
  method: "GET",
  path: "/v1/admin/payouts",
  scope: "payouts:read",
  summary: "List payouts awaiting review",
  source: "documented",
  query: z.object({
    after: z
      .string()
      .max(64)
      .optional()
      .meta({ description: `Ours, not Loop's: what ${NEXT_AFTER} said.` }),
  }),
  answers: {
    200: {
      description: `Payouts awaiting review, the oldest first; ${NEXT_AFTER} says where more begin`,
      schema: z.object({ data: z.array(payoutSchema) }),
    },
  },
  async handle({ ctx, query: { after } }) {
    const { views, hasMore } = await readQueue(ctx, after);
    const last = views.at(-1)?.payout.id;
    return {
      status: 200,
      body: { data: views.map((view) => toWire(ctx, view)) },
      headers: hasMore && last !== undefined ? { [NEXT_AFTER]: last } : {},
    };
  },
});

const ACCEPT_FIRST = ["accept", "approve_payout"] as const;

/** What approving takes by where a payout stands; approved already is heard again, the rest is refused by the turn. */
const APPROVALS: Readonly<Partial<Record<PayoutStatus, readonly ("accept" | "approve_payout")[]>>> = {
  requested: ACCEPT_FIRST,
  approved: [],
};

const approvalsOf = ({ status }: Payout) => APPROVALS[status] ?? (["approve_payout"] as const);

/** Each step leaves the payout where the same request goes on from. */
const UNNAMED: TurnInput = { commandId: undefined, requestSha: "" };

export const approve = dialectRoute({
  method: "POST",
  path: "/v1/admin/payouts/{id}/approve",
  scope: "payouts:approve",
  summary: "Approve a payout",
  source: "documented",
  answers: { 200: { description: "Payout approved", schema: payoutSchema } },
  async handle({ ctx, params, require }) {
    const { payout } = await requirePayout(ctx, params["id"] ?? "");
    const steps = approvalsOf(payout);
    if (steps === ACCEPT_FIRST) require("payouts:write");
    for (const kind of steps) await reviewPayout(ctx, { kind, payoutId: payout.id }, UNNAMED);
    return { status: 200, body: toWire(ctx, await requirePayout(ctx, payout.id)) };
  },
});

const markPaidCommand = (payoutId: PayoutId, externalRef: string): ReviewCommand => ({
  kind: "mark_paid",
  payoutId,
  externalRef,
  amount: null,
  paidAt: null,
  paidVia: null,
  adminNote: null,
  partnerMessage: null,
});

/** As the turn left it, also where the turn is told again. */
const paidAnswer = async (ctx: Ctx, { result, replayed }: Done<"payout">): Promise<DialectAnswer> => {
  const [view] = await viewsOf(ctx.db, ctx.program.id, [result.payout]);
  if (view === undefined) throw new Error("a payout without its view");
  return {
    status: 200,
    body: toWire(ctx, view),
    headers: replayed ? { "Idempotent-Replayed": "true" } : {},
  };
};

export const markPaid = dialectRoute({
  method: "POST",
  path: "/v1/admin/payouts/{id}/mark-paid",
  scope: "payouts:pay",
  summary: "Mark a payout as paid by recording the external reference",
  source: "documented",
  keeps: "turn",
  body: z.object({ external_ref: requiredLine(255) }),
  answers: { 200: { description: "Payout marked paid", schema: payoutSchema } },
  async handle({ ctx, params, body, turn }) {
    const id = (params["id"] ?? "") as PayoutId;
    return paidAnswer(ctx, await reviewPayout(ctx, markPaidCommand(id, body.external_ref), turn));
  },
});
