// Affihub's payouts: listed, generated or previewed, and moved along its four transitions.
import { z } from "zod";
import type { Ctx } from "../context.ts";
import type { Scope } from "../domain/api-key.ts";
import { endOfDate, startOfDate } from "../domain/dates.ts";
import type { Payout, PayoutStatus } from "../domain/payout.ts";
import { type RefusalCode, Refused, refuse } from "../domain/refusals.ts";
import { dialectRoute } from "../http/dialect.ts";
import {
  type Generated,
  type GenerateInput,
  generatePayouts,
  previewPayouts,
} from "../operations/generate-payouts.ts";
import { type ReviewCommand, reviewPayout } from "../operations/review-payout.ts";
import { listWaitingCurrencies, pagePayouts } from "../store/dialect-reads.ts";
import {
  AFFIHUB_STATUSES,
  type AffihubStatus,
  cents,
  pageOf,
  payoutSchema,
  requirePayout,
  STATUS_OUT,
  toWire,
} from "./affihub-payout.ts";
import { pageNumber, pageSize } from "./paging.ts";
import { optionalLine } from "./texts.ts";
import { dayIn, dayOrInstant } from "./times.ts";

export const listPayouts = dialectRoute({
  method: "GET",
  path: "/api/v1/payouts",
  scope: "payouts:read",
  summary: "List payouts",
  source: "documented",
  query: z.object({ page: pageNumber, per_page: pageSize(20, 100) }),
  answers: { 200: { description: "A page of payouts", schema: pageOf(payoutSchema) } },
  async handle({ ctx, query: { page, per_page } }) {
    const { items, total } = await pagePayouts(
      ctx.db,
      ctx.program.id,
      { currency: ctx.program.defaultCurrency },
      { sort: "created_at", order: "desc" },
      { page, size: per_page },
    );
    const data = items.map(({ payout }) => toWire(ctx, payout));
    return { status: 200, body: { data, total, page, per_page } };
  },
});

const GENERATE = z.object({
  period_start: dayOrInstant,
  period_end: dayOrInstant,
  dry_run: z.boolean().nullish(),
});

const generatedSchema = z.object({
  payouts: z.array(
    z.object({
      id: z.string().meta({ description: "In a dry run it begins with preview_ and names no payout." }),
      partner_id: z.string(),
      amount_cents: cents,
      commission_count: z.int(),
      status: z.enum(AFFIHUB_STATUSES),
    }),
  ),
  total_amount_cents: cents,
  partner_count: z.int(),
});

const OTHER_CURRENCIES = "X-Stipend-Other-Currencies";

/** Affihub pays one currency: which others have something due in the period is said beside it. */
const headersOf = async (
  ctx: Ctx,
  { periodStart, periodEnd }: GenerateInput,
  generated: Generated,
): Promise<Record<string, string>> => {
  const zone = ctx.program.policy.time_zone;
  const others = await listWaitingCurrencies(ctx.db, ctx.program.id, ctx.program.defaultCurrency, {
    asOf: ctx.now(),
    from: periodStart === null ? 0 : startOfDate(periodStart, zone),
    until: endOfDate(periodEnd, zone),
  });
  return {
    ...(others.length === 0 ? {} : { [OTHER_CURRENCIES]: others.join(",") }),
    ...(generated.replayed ? { "Idempotent-Replayed": "true" } : {}),
  };
};

const generatedToWire = (
  { payouts, totals }: Generated,
  isPreview: boolean,
): z.infer<typeof generatedSchema> => ({
  payouts: payouts.map((payout) => ({
    id: isPreview ? `preview_${payout.affiliateId}` : payout.id,
    partner_id: payout.affiliateId,
    amount_cents: payout.amount,
    commission_count: payout.commissionCount,
    status: STATUS_OUT[payout.status],
  })),
  total_amount_cents: totals.reduce((sum, { amount }) => sum + amount, 0),
  partner_count: totals.reduce((sum, { count }) => sum + count, 0),
});

export const generate = dialectRoute({
  method: "POST",
  path: "/api/v1/payouts/generate",
  scope: "payouts:write",
  summary: "Generate payouts, or preview them",
  source: "documented",
  keeps: ({ dry_run }: z.output<typeof GENERATE>) => (dry_run === true ? "answer" : "turn"),
  body: GENERATE,
  answers: {
    200: {
      description: `The payouts; ${OTHER_CURRENCIES} names currencies that wait`,
      schema: generatedSchema,
    },
    202: { description: "The first thousand; the rest is made in the background", schema: generatedSchema },
  },
  async handle({ ctx, body, turn }) {
    const zone = ctx.program.policy.time_zone;
    const input: GenerateInput = {
      ...turn,
      periodStart: dayIn(body.period_start, zone),
      periodEnd: dayIn(body.period_end, zone),
      currency: ctx.program.defaultCurrency,
      affiliateIds: null,
    };
    const isPreview = body.dry_run === true;
    const generated = await (isPreview ? previewPayouts(ctx, input) : generatePayouts(ctx, input));
    return {
      status: generated.isWhole ? 200 : 202,
      body: generatedToWire(generated, isPreview),
      headers: await headersOf(ctx, input, generated),
    };
  },
});

const PATCH = z.object({ status: z.enum(AFFIHUB_STATUSES).optional(), payout_ref: optionalLine(255) });
type Patch = z.output<typeof PATCH>;

type Deed = "accept" | "deny" | "cancel" | "mark_paid";

const UNPAID = { paid: "mark_paid", cancelled: "cancel" } as const;

/** Affihub's four transitions by where a payout of ours stands; a paid one hears the same words again. */
const MOVES: Readonly<Record<PayoutStatus, Partial<Record<AffihubStatus, Deed>>>> = {
  requested: { pending: "accept", cancelled: "deny" },
  pending: UNPAID,
  approved: UNPAID,
  processing: UNPAID,
  paid: { paid: "mark_paid" },
  failed: {},
  cancelled: {},
  returned: {},
};

const SCOPES: Readonly<Record<Deed, Scope>> = {
  accept: "payouts:write",
  deny: "payouts:write",
  cancel: "payouts:write",
  mark_paid: "payouts:pay",
};

const WHY = "through Affihub's API";

const commandOf = (deed: Deed, payout: Payout, ref: string | undefined): ReviewCommand => {
  const payoutId = payout.id;
  switch (deed) {
    case "accept":
      return { kind: deed, payoutId };
    case "deny":
      return { kind: deed, payoutId, reason: `Denied ${WHY}.` };
    case "cancel":
      return { kind: deed, payoutId, reason: `Cancelled ${WHY}.` };
    case "mark_paid":
      return {
        kind: deed,
        payoutId,
        externalRef: ref ?? (payout.status === "paid" ? null : payout.externalRef),
        amount: null,
        paidAt: null,
        paidVia: null,
        adminNote: null,
        partnerMessage: null,
      };
  }
};

const no = (code: RefusalCode, detail: string, pointer: string): Refused =>
  new Refused(refuse(code, detail, { pointer }).refusal);

const deedOf = ({ status }: Payout, to: AffihubStatus): Deed => {
  const deed = MOVES[status][to];
  if (deed !== undefined) return deed;
  throw no("invalid_state", `A payout that is ${STATUS_OUT[status]} cannot become ${to}.`, "/status");
};

/** A reference without the word `paid` is a note on the payout. */
const noteOf = (payout: Payout, deed: Deed | undefined, { payout_ref }: Patch): ReviewCommand | undefined =>
  deed === "mark_paid" || payout_ref === undefined || payout_ref === payout.externalRef
    ? undefined
    : { kind: "annotate", payoutId: payout.id, externalRef: payout_ref };

export const updatePayout = dialectRoute({
  method: "PATCH",
  path: "/api/v1/payouts/{id}",
  scope: ["payouts:write", "payouts:pay"],
  summary: "Update a payout's status and reference",
  source: "chosen",
  body: PATCH,
  answers: { 200: { description: "The payout", schema: payoutSchema } },
  async handle({ ctx, params, body, turn, require }) {
    const payout = await requirePayout(ctx, params["id"] ?? "");
    if (body.status === undefined && body.payout_ref === undefined)
      throw no("invalid_state", "Send status, payout_ref, or both.", "/status");
    const deed = body.status === undefined ? undefined : deedOf(payout, body.status);
    require(deed === undefined ? "payouts:write" : SCOPES[deed]);
    const note = noteOf(payout, deed, body);
    if (deed !== undefined) await reviewPayout(ctx, commandOf(deed, payout, body.payout_ref), turn);
    if (note !== undefined) await reviewPayout(ctx, note, turn);
    return { status: 200, body: toWire(ctx, await requirePayout(ctx, payout.id)) };
  },
});
