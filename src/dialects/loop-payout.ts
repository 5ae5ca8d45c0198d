// Loop's payout: its statuses and fields over ours, amounts as strings of cents.
import { z } from "zod";
import type { Ctx } from "../context.ts";
import { endOfDate, startOfDate, toInstant } from "../domain/dates.ts";
import type { PayoutId } from "../domain/ids.ts";
import type { Payout, PayoutStatus } from "../domain/payout.ts";
import { Refused, refuse } from "../domain/refusals.ts";
import { findPayout, type PayoutView } from "../store/payouts.ts";

/** Those that are over without money are not listed; read by a call that names one they keep our word. */
export const STATUS_OUT: Readonly<Record<PayoutStatus, string>> = {
  requested: "pending",
  pending: "pending",
  approved: "approved",
  processing: "approved",
  paid: "paid",
  failed: "failed",
  cancelled: "cancelled",
  returned: "returned",
};

/** What waits for a person: all that Loop shows as pending or approved. */
export const AWAITING: readonly PayoutStatus[] = ["requested", "pending", "approved", "processing"];

export const cents = z.string().meta({ pattern: "^-?\\d+$", example: "15000" });
export const instant = z.string().meta({ format: "date-time", example: "2026-04-01T00:00:00.000Z" });

/** A period's days in the program's zone, as their first and last instants: read again they are the same days. */
export const startOut = ({ program }: Ctx, day: string): string =>
  toInstant(startOfDate(day, program.policy.time_zone));
export const endOut = ({ program }: Ctx, day: string): string =>
  toInstant(endOfDate(day, program.policy.time_zone) - 1);

const orNull = (at: number | null): string | null => (at === null ? null : toInstant(at));

export const payoutSchema = z.object({
  id: z.string(),
  affiliate_id: z.string(),
  currency: z.string(),
  gross_amount_cents: cents,
  reversal_amount_cents: cents,
  amount_cents: cents,
  recovery_owed_cents: cents,
  commission_ids: z.array(z.string()).meta({ description: "The first 1,000." }),
  commission_count: z.int(),
  period_start: instant,
  period_end: instant,
  status: z.string(),
  approved_at: instant.nullable(),
  approved_by: z.string().nullable(),
  paid_at: instant.nullable(),
  external_ref: z.string().nullable(),
  created_at: instant,
});

export const toWire = (
  ctx: Ctx,
  { payout, commissionIds, recoveryOwed }: PayoutView,
): z.infer<typeof payoutSchema> => ({
  id: payout.id,
  affiliate_id: payout.affiliateId,
  currency: payout.currency,
  gross_amount_cents: String(payout.gross),
  reversal_amount_cents: String(payout.recovered + payout.refunded),
  amount_cents: String(payout.amount),
  recovery_owed_cents: String(recoveryOwed),
  commission_ids: [...commissionIds],
  commission_count: payout.commissionCount,
  period_start: startOut(ctx, payout.periodStart),
  period_end: endOut(ctx, payout.periodEnd),
  status: STATUS_OUT[payout.status],
  approved_at: orNull(payout.approvedAt),
  approved_by: payout.approvedBy,
  paid_at: orNull(payout.paidAt),
  external_ref: payout.externalRef,
  created_at: toInstant(payout.createdAt),
});

export const createdSchema = z.object({
  id: z.string(),
  affiliate_id: z.string(),
  amount_cents: cents,
  commission_count: z.int(),
  period_start: instant,
  period_end: instant,
  status: z.string(),
  created_at: instant,
});

export const toCreated = (ctx: Ctx, payout: Payout): z.infer<typeof createdSchema> => ({
  id: payout.id,
  affiliate_id: payout.affiliateId,
  amount_cents: String(payout.amount),
  commission_count: payout.commissionCount,
  period_start: startOut(ctx, payout.periodStart),
  period_end: endOut(ctx, payout.periodEnd),
  status: STATUS_OUT[payout.status],
  created_at: toInstant(payout.createdAt),
});

export const requirePayout = async ({ db, program }: Ctx, id: string): Promise<PayoutView> => {
  const found = await findPayout(db, program.id, id as PayoutId);
  if (found === undefined)
    throw new Refused(refuse("payout_not_found", "No such payout in this program.").refusal);
  return found;
};
