// Loop's commissions: an affiliate's list, and the check of what was earned in a period against what a caller expects.
import { z } from "zod";
import { type Commission, type CommissionStatus, refundableOf } from "../domain/commission.ts";
import { endOfDate, startOfDate, toInstant } from "../domain/dates.ts";
import { Refused, refuse } from "../domain/refusals.ts";
import { dialectRoute } from "../http/dialect.ts";
import { newBody } from "../operations/apply-turn.ts";
import { listCommissions as readCommissions } from "../store/commissions.ts";
import { sumEarned } from "../store/dialect-reads-loop.ts";
import { cents, endOut, instant, startOut } from "./loop-payout.ts";
import { NEXT_AFTER } from "./loop-reviews.ts";
import { PERIOD_OF_ONE, requireAffiliate } from "./loop-runs.ts";
import { centsText } from "./loop-texts.ts";
import { dayIn } from "./times.ts";

/** Loop shows no list of its commissions' statuses: the words of its payouts, and ours where it has none. */
const STATUS_OUT: Readonly<Record<CommissionStatus, string>> = {
  pending: "pending",
  held: "pending",
  approved: "approved",
  processing: "approved",
  paid: "paid",
  rejected: "rejected",
  reversed: "reversed",
};

const commissionSchema = z.object({
  id: z.string(),
  affiliate_id: z.string(),
  order_id: z.string().meta({ description: "Its own id where it is of no order." }),
  order_amount_cents: cents.meta({ description: "0 where only the commission is known." }),
  commission_rate_bps: z.int().meta({ description: "0 where only the commission is known." }),
  amount_cents: cents.meta({ description: "What is left after refunds." }),
  status: z.string(),
  created_at: instant,
});

const toWire = (commission: Commission): z.infer<typeof commissionSchema> => ({
  id: commission.id,
  affiliate_id: commission.affiliateId,
  order_id: commission.externalId ?? commission.id,
  order_amount_cents: String(commission.orderAmount ?? 0),
  commission_rate_bps: commission.rateBps ?? 0,
  amount_cents: String(refundableOf(commission)),
  status: STATUS_OUT[commission.status],
  created_at: toInstant(commission.createdAt),
});

/** Loop's list has no pages: the newest so many, and a header where more stand behind them. */
const LIST_MAX = 1_000;

export const listCommissions = dialectRoute({
  method: "GET",
  path: "/v1/affiliates/{id}/commissions",
  scope: "commissions:read",
  summary: "List an affiliate's commissions",
  source: "documented",
  atRoot: false,
  query: z.object({ after: z.string().max(64).optional() }),
  answers: {
    200: {
      description: `Commissions in the default currency, the newest first; ${NEXT_AFTER} says where more begin`,
      schema: z.object({ data: z.array(commissionSchema) }),
    },
  },
  async handle({ ctx, params, query: { after } }) {
    const { db, program } = ctx;
    const affiliateId = await requireAffiliate(ctx, params["id"] ?? "");
    const filters = { affiliateId, currency: program.defaultCurrency };
    const page = { limit: LIST_MAX, order: "desc", after } as const;
    const { commissions, hasMore } = await readCommissions(db, program.id, filters, page);
    const last = commissions.at(-1)?.id;
    return {
      status: 200,
      body: { data: commissions.map(toWire) },
      headers: hasMore && last !== undefined ? { [NEXT_AFTER]: last } : {},
    };
  },
});

const verificationSchema = z.object({
  id: z.string().meta({ description: "Of this answer; it is not kept." }),
  affiliate_id: z.string(),
  period_start: instant,
  period_end: instant,
  expected_cents: cents,
  actual_cents: cents.meta({ description: "Earned in the period and left after refunds, paid or not." }),
  commission_count: z.int(),
  discrepancy_cents: cents.meta({ description: "actual minus expected" }),
  status: z.enum(["pass", "fail"]),
  verified_at: instant,
});

export const verifyCommissions = dialectRoute({
  method: "POST",
  path: "/v1/commissions/verify",
  scope: "commissions:read",
  summary: "Verify commission accruals against expected totals",
  source: "documented",
  body: z.object({ ...PERIOD_OF_ONE, expected_cents: centsText }),
  answers: { 200: { description: "Verification result", schema: verificationSchema } },
  async handle({ ctx, body }) {
    const { db, program } = ctx;
    const { time_zone: zone } = program.policy;
    const [start, end] = [dayIn(body.period_start, zone), dayIn(body.period_end, zone)];
    if (start > end)
      throw new Refused(
        refuse("period_invalid", "period_start is after period_end.", { pointer: "/period_start" }).refusal,
      );
    const affiliateId = await requireAffiliate(ctx, body.affiliate_id, "/affiliate_id");
    const { earned, count } = await sumEarned(db, program.id, affiliateId, {
      currency: program.defaultCurrency,
      from: startOfDate(start, zone),
      until: endOfDate(end, zone),
    });
    const expected = Number(body.expected_cents);
    return {
      status: 200,
      body: {
        id: `ver_${newBody(ctx)}`,
        affiliate_id: affiliateId,
        period_start: startOut(ctx, start),
        period_end: endOut(ctx, end),
        expected_cents: String(expected),
        actual_cents: String(earned),
        commission_count: count,
        discrepancy_cents: String(earned - expected),
        status: earned === expected ? "pass" : "fail",
        verified_at: toInstant(ctx.now()),
      },
    };
  },
});
