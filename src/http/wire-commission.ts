// A commission as the wire shows it, and the bodies that record, review and reverse one.
import { z } from "@hono/zod-openapi";
import { COMMISSION_KINDS, COMMISSION_STATUSES, type Commission } from "../domain/commission.ts";
import { toInstant } from "../domain/dates.ts";
import { type Blocker, byPrecedence } from "../domain/plan.ts";
import {
  affiliateRef,
  amount,
  currency,
  externalId,
  instant,
  instantText,
  metadata,
  noteText,
} from "./wire.ts";
import { blockerSchema, blockerToWire } from "./wire-payout.ts";

const minor = z.number().int().openapi({ description: "Minor units of `currency`." });

export const commissionSchema = z
  .object({
    id: z.string(),
    affiliate_id: z.string(),
    external_id: z.string().nullable(),
    kind: z.enum(COMMISSION_KINDS),
    amount: minor,
    reversed_amount: minor.openapi({
      description: "What refunds took, before and after payment; minor units.",
    }),
    currency: z.string(),
    status: z.enum(COMMISSION_STATUSES),
    order_amount: minor.nullable(),
    rate_bps: z.number().int().nullable().openapi({ description: "Basis points of order_amount." }),
    occurred_at: instantText,
    payable_at: instantText,
    payout_id: z.string().nullable(),
    note: z.string().nullable(),
    metadata: z.record(z.string(), z.unknown()).nullable(),
    blockers: z.array(blockerSchema).openapi({ description: "What keeps it from being paid out." }),
    created_at: instantText,
    updated_at: instantText,
  })
  .openapi("Commission");

export type CommissionWire = z.infer<typeof commissionSchema>;

const UNPAID: readonly Commission["status"][] = ["pending", "approved", "held"];

/** From the commission alone, so that the same commission at the same instant is answered alike. */
export const commissionBlockers = (commission: Commission, at: number): readonly Blocker[] => {
  const { status, payableAt } = commission;
  if (!UNPAID.includes(status)) return [];
  const blockers: Blocker[] = [];
  if (status === "held") {
    blockers.push({ reason: "held", detail: "The commission is on hold; release or reject it." });
  }
  if (status === "pending" || commission.heldFrom === "pending") {
    blockers.push({ reason: "commissions_pending_approval", detail: "The commission waits for approval." });
  }
  if (payableAt > at) {
    const detail = `The commission is inside the refund window until ${toInstant(payableAt)}.`;
    blockers.push({ reason: "in_hold_period", detail, until: payableAt });
  }
  return byPrecedence(blockers);
};

/** `at`: the instant that the answer is of, epoch milliseconds. */
export const commissionToWire = (commission: Commission, at: number): CommissionWire => ({
  id: commission.id,
  affiliate_id: commission.affiliateId,
  external_id: commission.externalId,
  kind: commission.kind,
  amount: commission.amount,
  reversed_amount: commission.reduced + commission.clawedBack,
  currency: commission.currency,
  status: commission.status,
  order_amount: commission.orderAmount,
  rate_bps: commission.rateBps,
  occurred_at: toInstant(commission.occurredAt),
  payable_at: toInstant(commission.payableAt),
  payout_id: commission.payoutId,
  note: commission.note,
  metadata:
    commission.metadata === null ? null : (JSON.parse(commission.metadata) as Record<string, unknown>),
  blockers: commissionBlockers(commission, at).map(blockerToWire),
  created_at: toInstant(commission.createdAt),
  updated_at: toInstant(commission.updatedAt),
});

const ONE_AMOUNT = "exactly one of amount and order_amount must be given";
const orderAmount = amount.openapi({
  description: "Minor units of the order; the commission is the affiliate's rate of it.",
  example: 19990,
});

export const recordBody = z
  .strictObject({
    affiliate_id: affiliateRef,
    external_id: externalId,
    amount: amount.optional(),
    order_amount: orderAmount.optional(),
    currency,
    occurred_at: instant,
    status: z.enum(["pending", "approved"]).optional(),
    metadata: metadata.optional(),
  })
  .refine((body) => (body.amount === undefined) !== (body.order_amount === undefined), {
    message: ONE_AMOUNT,
    path: ["amount"],
  });

export const creditBody = z.strictObject({
  kind: z.enum(["credit", "bonus"]).default("credit"),
  amount,
  currency,
  note: noteText,
  external_id: externalId.optional(),
});

export const reverseBody = z
  .strictObject({
    amount: amount.optional(),
    order_amount: orderAmount.optional(),
    reason: noteText,
    external_id: externalId.optional(),
  })
  .refine((body) => body.amount === undefined || body.order_amount === undefined, {
    message: "at most one of amount and order_amount may be given",
    path: ["amount"],
  });
