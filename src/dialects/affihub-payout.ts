// Affihub's payout: its statuses and fields over ours.
import { z } from "zod";
import type { Ctx } from "../context.ts";
import type { Payout, PayoutStatus } from "../domain/payout.ts";
import { Refused, refuse } from "../domain/refusals.ts";
import { findNumbered } from "../store/dialect-reads.ts";
import { toSecond, toSecondOrNull } from "./times.ts";

export const AFFIHUB_STATUSES = ["pending", "requested", "paid", "cancelled"] as const;
export type AffihubStatus = (typeof AFFIHUB_STATUSES)[number];

/** Affihub knows no failure: a failed payout's money is free again, as a cancelled one's is. */
export const STATUS_OUT: Readonly<Record<PayoutStatus, AffihubStatus>> = {
  requested: "requested",
  pending: "pending",
  approved: "pending",
  processing: "pending",
  paid: "paid",
  failed: "cancelled",
  cancelled: "cancelled",
  returned: "cancelled",
};

export const instant = z.string().meta({ format: "date-time", example: "2026-04-01T00:00:00Z" });
const date = z.string().meta({ format: "date", example: "2026-03-01" });
export const cents = z.int().meta({ description: "Minor units of the program's default currency." });

export const payoutSchema = z.object({
  id: z.string(),
  program_id: z.string(),
  partner_id: z.string(),
  amount_cents: cents,
  status: z.enum(AFFIHUB_STATUSES),
  period_start: date,
  period_end: date,
  paid_at: instant.nullable(),
  payout_ref: z.string().nullable(),
  created_at: instant,
});

export const toWire = ({ program }: Ctx, payout: Payout): z.infer<typeof payoutSchema> => ({
  id: payout.id,
  program_id: program.id,
  partner_id: payout.affiliateId,
  amount_cents: payout.amount,
  status: STATUS_OUT[payout.status],
  period_start: payout.periodStart,
  period_end: payout.periodEnd,
  paid_at: toSecondOrNull(payout.paidAt),
  payout_ref: payout.externalRef,
  created_at: toSecond(payout.createdAt),
});

/** A payout of another currency does not exist here. */
export const requirePayout = async ({ db, program }: Ctx, id: string): Promise<Payout> => {
  const found = await findNumbered(db, program.id, id);
  if (found === undefined || found.payout.currency !== program.defaultCurrency)
    throw new Refused(refuse("payout_not_found", "No such payout in this program.").refusal);
  return found.payout;
};

export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ data: z.array(item), total: z.int(), page: z.int(), per_page: z.int() });
