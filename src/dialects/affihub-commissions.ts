// Affihub's commissions: listed, and approved or rejected from pending and review.
import { z } from "zod";
import type { Ctx } from "../context.ts";
import { type Commission, type CommissionStatus, refundableOf } from "../domain/commission.ts";
import type { AffiliateId, CommissionId } from "../domain/ids.ts";
import { Refused } from "../domain/refusals.ts";
import { dialectRoute } from "../http/dialect.ts";
import { reviewBatch } from "../operations/batch-commissions.ts";
import { reviewCommission } from "../operations/review-commission.ts";
import { pageCommissions, readCommissions } from "../store/dialect-reads.ts";
import { resolveAffiliates, resolveCommissions } from "../store/refs.ts";
import { cents, instant, pageOf } from "./affihub-payout.ts";
import { pageNumber, pageSize } from "./paging.ts";
import { affiliateRefOf, commissionRefOf } from "./refs.ts";
import { dayOrInstant, endIn, startIn, toSecond } from "./times.ts";

const STATUSES = ["pending", "review", "approved", "processing", "paid", "rejected"] as const;
type Status = (typeof STATUSES)[number];

const STATUS_OUT: Readonly<Record<CommissionStatus, Status>> = {
  pending: "pending",
  held: "review",
  approved: "approved",
  processing: "processing",
  paid: "paid",
  rejected: "rejected",
  reversed: "rejected",
};

const statusesOf = (asked: Status): CommissionStatus[] =>
  (Object.keys(STATUS_OUT) as CommissionStatus[]).filter((status) => STATUS_OUT[status] === asked);

const commissionSchema = z.object({
  id: z.string(),
  program_id: z.string(),
  partner_id: z.string(),
  amount_cents: cents.meta({
    description: "What is left after refunds, minor units of the default currency.",
  }),
  txn_amount_cents: cents.nullable(),
  commission_pct: z.number().nullable(),
  status: z.enum(STATUSES),
  provider: z.string(),
  provider_event_id: z.string().nullable(),
  customer_email: z.string().nullable(),
  created_at: instant,
});

/** Whoever recorded it may have said where it came from and whose order it was. */
const saidIn = ({ metadata }: Commission, name: string): string | null => {
  const value = metadata === null ? undefined : (JSON.parse(metadata) as Record<string, unknown>)[name];
  return typeof value === "string" ? value : null;
};

const toWire = ({ program }: Ctx, commission: Commission): z.infer<typeof commissionSchema> => ({
  id: commission.id,
  program_id: program.id,
  partner_id: commission.affiliateId,
  amount_cents: refundableOf(commission),
  txn_amount_cents: commission.orderAmount,
  commission_pct: commission.rateBps === null ? null : commission.rateBps / 100,
  status: STATUS_OUT[commission.status],
  provider: saidIn(commission, "provider") ?? "api",
  provider_event_id: commission.externalId,
  customer_email: saidIn(commission, "customer_email"),
  created_at: toSecond(commission.createdAt),
});

const LIST = z.object({
  page: pageNumber,
  per_page: pageSize(20, 100),
  partner_id: z.string().min(1).max(260).optional(),
  status: z.enum(STATUSES).optional(),
  from: dayOrInstant.optional(),
  to: dayOrInstant.optional(),
});

const NOBODY = "aff_" as AffiliateId;

export const listCommissions = dialectRoute({
  method: "GET",
  path: "/api/v1/commissions",
  scope: "commissions:read",
  summary: "List commissions",
  source: "chosen",
  query: LIST,
  answers: { 200: { description: "A page of commissions", schema: pageOf(commissionSchema) } },
  async handle({ ctx, query }) {
    const { db, program } = ctx;
    const { page, per_page, partner_id, status, from, to } = query;
    const zone = program.policy.time_zone;
    const [partner] =
      partner_id === undefined ? [] : await resolveAffiliates(db, program.id, [affiliateRefOf(partner_id)]);
    const filters = {
      currency: program.defaultCurrency,
      status: status === undefined ? undefined : statusesOf(status),
      affiliateId: partner_id === undefined ? undefined : (partner ?? NOBODY),
      createdAfter: from === undefined ? undefined : startIn(from, zone),
      createdBefore: to === undefined ? undefined : endIn(to, zone),
    };
    const { items, total } = await pageCommissions(db, program.id, filters, { page, size: per_page });
    const data = items.map((commission) => toWire(ctx, commission));
    return { status: 200, body: { data, total, page, per_page } };
  },
});

const REVIEW = z.object({ ids: z.array(z.string().min(1).max(260)).min(1).max(200) });

const ANY = { commandId: undefined, requestSha: "" };

/** Those that Affihub would review: pending, or held for review. */
const reviewable = async ({ db, program }: Ctx, ids: readonly string[]): Promise<readonly Commission[]> => {
  const found = await resolveCommissions(db, program.id, ids.map(commissionRefOf));
  const known = [...new Set(found.filter((id): id is CommissionId => id !== undefined))];
  const commissions = await readCommissions(db, program.id, known);
  return commissions.filter(
    ({ status, currency }) =>
      currency === program.defaultCurrency && (status === "pending" || status === "held"),
  );
};

/** A held one goes back to where it stood first; whoever was approved before it was held is then approved. */
const released = async (ctx: Ctx, commission: Commission): Promise<Commission | undefined> => {
  if (commission.status !== "held") return commission;
  try {
    const done = await reviewCommission(ctx, { id: commission.id }, { kind: "release", reason: null }, ANY);
    return done.result.commission;
  } catch (thrown) {
    if (thrown instanceof Refused) return undefined;
    throw thrown;
  }
};

const approve = async (ctx: Ctx, commissions: readonly Commission[]): Promise<readonly CommissionId[]> => {
  const free: Commission[] = [];
  for (const commission of commissions) {
    const now = await released(ctx, commission);
    if (now !== undefined) free.push(now);
  }
  const pending = free.filter(({ status }) => status === "pending");
  const approved = free.filter(({ status }) => status === "approved").map(({ id }) => id);
  return [...approved, ...(await review(ctx, pending, "approve"))];
};

/** What was refused meanwhile is not in the answer; a fault is one of the whole call, which is sent again. */
const review = async (
  ctx: Ctx,
  commissions: readonly Commission[],
  kind: "approve" | "reject",
): Promise<readonly CommissionId[]> => {
  const refs = commissions.map(({ id }) => ({ id }));
  const outcomes = await reviewBatch(ctx, refs, { kind, reason: null });
  return outcomes.flatMap((outcome) => {
    if (outcome.ok) return [outcome.value.commission.id];
    if (outcome.thrown instanceof Refused) return [];
    throw outcome.thrown;
  });
};

export const approveCommissions = dialectRoute({
  method: "POST",
  path: "/api/v1/commissions/approve",
  scope: "commissions:approve",
  summary: "Approve up to 200 commissions",
  source: "documented",
  body: REVIEW,
  answers: {
    200: {
      description: "Those that were approved",
      schema: z.object({ approved: z.int(), ids: z.array(z.string()) }),
    },
  },
  async handle({ ctx, body }) {
    const ids = await approve(ctx, await reviewable(ctx, body.ids));
    return { status: 200, body: { approved: ids.length, ids } };
  },
});

export const rejectCommissions = dialectRoute({
  method: "POST",
  path: "/api/v1/commissions/reject",
  scope: "commissions:approve",
  summary: "Reject up to 200 commissions",
  source: "documented",
  body: REVIEW,
  answers: {
    200: {
      description: "Those that were rejected",
      schema: z.object({ rejected: z.int(), ids: z.array(z.string()) }),
    },
  },
  async handle({ ctx, body }) {
    const ids = await review(ctx, await reviewable(ctx, body.ids), "reject");
    return { status: 200, body: { rejected: ids.length, ids } };
  },
});
