// A payout and a run as the wire shows them.
import { z } from "@hono/zod-openapi";
import { toInstant } from "../domain/dates.ts";
import { PAYOUT_METHODS, PAYOUT_STATUSES, type Payout } from "../domain/payout.ts";
import { type Blocker, REASONS } from "../domain/plan.ts";
import type { PayoutView } from "../store/payouts.ts";
import { instantText } from "./wire.ts";

const minor = z.number().int().openapi({ description: "Minor units of `currency`." });
const instantOrNull = instantText.nullable();

export const blockerSchema = z
  .object({
    reason: z.enum(REASONS).openapi({ description: "More may be added." }),
    detail: z.string(),
    until: instantText.optional(),
    missing_amount: minor.optional(),
    payout_id: z.string().optional(),
  })
  .openapi("Blocker");

export const blockerToWire = (blocker: Blocker): z.infer<typeof blockerSchema> => ({
  reason: blocker.reason,
  detail: blocker.detail,
  ...(blocker.until === undefined ? {} : { until: toInstant(blocker.until) }),
  ...(blocker.missingAmount === undefined ? {} : { missing_amount: blocker.missingAmount }),
  ...(blocker.payoutId === undefined ? {} : { payout_id: blocker.payoutId }),
});

export const payoutSchema = z
  .object({
    id: z.string().nullable().openapi({ description: "null in a dry run" }),
    affiliate: z
      .object({
        id: z.string(),
        external_id: z.string().nullable(),
        name: z.string(),
        email: z.string(),
      })
      .optional()
      .openapi({ description: "With expand=affiliate." }),
    program_id: z.string(),
    affiliate_id: z.string(),
    livemode: z.boolean(),
    currency: z.string(),
    gross_amount: minor,
    reversal_amount: minor.openapi({ description: "recovered_amount + refunded_amount" }),
    recovered_amount: minor,
    refunded_amount: minor,
    amount: minor,
    recovery_owed: minor,
    returned_amount: minor,
    late_paid_amount: minor,
    commission_count: z.number().int(),
    commission_ids: z.array(z.string()).openapi({ description: "The first 1,000." }),
    period_start: z.string(),
    period_end: z.string(),
    status: z.enum(PAYOUT_STATUSES),
    payout_method: z.enum(PAYOUT_METHODS),
    external_ref: z.string().nullable(),
    external_id: z.string().nullable(),
    invoice_number: z.number().int().nullable(),
    credit_note_number: z.number().int().nullable(),
    approved_at: instantOrNull,
    approved_by: z.string().nullable(),
    paid_at: instantOrNull,
    paid_via: z.enum(PAYOUT_METHODS).nullable(),
    expected_by: instantOrNull,
    stalled_at: instantOrNull,
    failure_code: z.string().nullable(),
    failure_detail: z.string().nullable(),
    admin_note: z.string().nullable(),
    partner_message: z.string().nullable(),
    blockers: z.array(blockerSchema),
    run_id: z.string().nullable(),
    session_id: z.string().nullable(),
    history: z.array(
      z.object({
        at: instantText,
        from: z.enum(PAYOUT_STATUSES).nullable(),
        to: z.enum(PAYOUT_STATUSES),
        actor: z.string(),
      }),
    ),
    created_at: instantOrNull,
    updated_at: instantOrNull,
  })
  .openapi("Payout");

export type PayoutWire = z.infer<typeof payoutSchema>;

export interface PayoutFrame {
  readonly programId: string;
  readonly livemode: boolean;
  readonly blockers: readonly Blocker[];
}

const at = (ms: number | null): string | null => (ms === null ? null : toInstant(ms));

const momentsOf = (payout: Payout) => ({
  approved_at: at(payout.approvedAt),
  paid_at: at(payout.paidAt),
  expected_by: at(payout.expectedBy),
  stalled_at: at(payout.stalledAt),
  created_at: at(payout.createdAt),
  updated_at: at(payout.updatedAt),
  history: payout.history.map((step) => ({
    at: toInstant(step.at),
    from: step.from,
    to: step.to,
    actor: step.actor,
  })),
});

const amountsOf = (payout: Payout) => ({
  gross_amount: payout.gross,
  reversal_amount: payout.recovered + payout.refunded,
  recovered_amount: payout.recovered,
  refunded_amount: payout.refunded,
  amount: payout.amount,
  returned_amount: payout.returnedAmount,
  late_paid_amount: payout.latePaid,
});

export const payoutToWire = (view: PayoutView, frame: PayoutFrame): PayoutWire => {
  const { payout } = view;
  return {
    id: payout.id,
    program_id: frame.programId,
    affiliate_id: payout.affiliateId,
    livemode: frame.livemode,
    currency: payout.currency,
    ...amountsOf(payout),
    recovery_owed: view.recoveryOwed,
    commission_count: payout.commissionCount,
    commission_ids: [...view.commissionIds],
    period_start: payout.periodStart,
    period_end: payout.periodEnd,
    status: payout.status,
    payout_method: payout.method,
    external_ref: payout.externalRef,
    external_id: payout.externalId,
    invoice_number: view.invoiceNumber,
    credit_note_number: view.creditNoteNumber,
    approved_by: payout.approvedBy,
    paid_via: payout.paidVia,
    failure_code: payout.failureCode,
    failure_detail: payout.failureDetail,
    admin_note: payout.adminNote,
    partner_message: payout.partnerMessage,
    blockers: frame.blockers.map(blockerToWire),
    run_id: payout.runId,
    session_id: payout.sessionId,
    ...momentsOf(payout),
  };
};

/** A payout that would be: no id, no numbers, and nothing of it stands in the book. */
export const previewToWire = (
  payout: Payout,
  commissionIds: readonly string[],
  frame: PayoutFrame,
): PayoutWire => ({
  ...payoutToWire(
    { payout, invoiceNumber: null, creditNoteNumber: null, commissionIds: [], recoveryOwed: 0 },
    { ...frame, blockers: frame.blockers.map(({ payoutId: _none, ...blocker }) => blocker) },
  ),
  id: null,
  commission_ids: [...commissionIds],
  run_id: null,
  created_at: null,
  updated_at: null,
  history: [],
});
