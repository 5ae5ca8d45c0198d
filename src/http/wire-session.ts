// A payout session as the wire shows it: what can be selected, what is, and what came of paying it.
import { z } from "@hono/zod-openapi";
import { toInstant } from "../domain/dates.ts";
import { PAYOUT_METHODS } from "../domain/payout.ts";
import {
  ROW_STATES,
  type RowChange,
  rowStateOf,
  SESSION_STATUSES,
  type SessionRow,
} from "../domain/session.ts";
import type { Unpaid } from "../operations/list-unpaid.ts";
import type { RowFailure } from "../operations/work-session.ts";
import type { SessionView } from "../store/sessions.ts";
import { problemOf } from "./problem.ts";
import {
  affiliateRef,
  amountOrZero,
  commissionRef,
  currency,
  date,
  externalRef,
  instant,
  instantText,
  lineText,
  noteText,
} from "./wire.ts";
import { blockerSchema, payoutSchema } from "./wire-payout.ts";
import { skipSchema } from "./wire-run.ts";

const minor = z.number().int().openapi({ description: "Minor units of `currency`." });
const count = z.number().int();

const totalSchema = z.object({
  currency: z.string(),
  amount: minor,
  count,
  paid_amount: minor,
  paid_count: count,
});

export const sessionSchema = z
  .object({
    id: z.string(),
    title: z.string(),
    status: z.enum(SESSION_STATUSES),
    selection: z
      .object({
        up_to: z.string(),
        commission_ids: z.enum(["all", "chosen"]),
        currency: z.string().nullable(),
        min_amount: minor.nullable(),
        max_amount: minor.nullable(),
        bulk: z.boolean(),
      })
      .nullable(),
    row_count: count.openapi({ description: "Affiliates and currencies that are selected or claimed." }),
    claimed_count: count,
    paid_count: count,
    totals: z.array(totalSchema),
    created_by: z.string(),
    created_at: instantText,
    updated_at: instantText,
  })
  .openapi("PayoutSession");

export const sessionToWire = ({
  session,
  status,
  tally,
  totals,
}: SessionView): z.infer<typeof sessionSchema> => ({
  id: session.id,
  title: session.title,
  status,
  selection:
    session.selection === null
      ? null
      : {
          up_to: session.selection.upTo,
          commission_ids: session.selection.isAll ? "all" : "chosen",
          currency: session.selection.currency,
          min_amount: session.selection.minAmount,
          max_amount: session.selection.maxAmount,
          bulk: session.selection.bulk,
        },
  row_count: tally.rows,
  claimed_count: tally.claimed,
  paid_count: tally.paid,
  totals: totalsToWire(totals),
  created_by: session.createdBy,
  created_at: toInstant(session.createdAt),
  updated_at: toInstant(session.updatedAt),
});

export const totalsToWire = (totals: SessionView["totals"]): z.infer<typeof totalSchema>[] =>
  totals.map((total) => ({
    currency: total.currency,
    amount: total.amount,
    count: total.count,
    paid_amount: total.paidAmount,
    paid_count: total.paidCount,
  }));

export const startBody = z.strictObject({ title: lineText(200).openapi({ example: "October" }) });

export const selectionBody = z
  .strictObject({
    up_to: date,
    commission_ids: z
      .union([z.literal("all"), z.array(commissionRef).max(10_000)])
      .openapi({ description: "`all` that is payable, or chosen commissions." }),
    min_amount: amountOrZero.optional(),
    max_amount: amountOrZero.optional(),
    currency: currency.optional(),
    bulk: z.boolean().default(true).openapi({
      description: "Whether mark-paid may mark every row with one note.",
    }),
  })
  .refine(({ min_amount: min, max_amount: max }) => (min ?? 0) <= (max ?? Number.MAX_SAFE_INTEGER), {
    message: "must not be below min_amount",
    path: ["max_amount"],
  });

/** Notes of payments that were made outside. */
const noteFields = {
  external_ref: externalRef.optional(),
  admin_note: noteText.optional(),
  partner_message: noteText.optional().openapi({ description: "The affiliate sees it." }),
};

export const markPaidBody = z.strictObject({
  ...noteFields,
  paid_at: instant.optional(),
  payments: z
    .array(
      z.strictObject({
        affiliate_id: affiliateRef,
        currency,
        amount: z.number().int().min(1).optional().openapi({
          description: "What was paid; another amount than the row's is refused.",
        }),
        ...noteFields,
      }),
    )
    .min(1)
    .max(500)
    .optional()
    .openapi({ description: "Only these; without it every row, where the selection is in bulk mode." }),
});

/** Who is paid, with `expand=affiliate`. */
export const personSchema = z
  .object({ id: z.string(), external_id: z.string().nullable(), name: z.string(), email: z.string() })
  .optional()
  .openapi({ description: "With expand=affiliate." });

export const unpaidSchema = z.object({
  affiliate_id: z.string(),
  affiliate: personSchema,
  currency: z.string(),
  gross_amount: minor,
  reversal_amount: minor.openapi({ description: "What the affiliate owes back." }),
  amount: minor.openapi({ description: "What would be paid." }),
  commission_count: count,
  commissions: z
    .array(
      z.object({
        id: z.string(),
        external_id: z.string().nullable(),
        amount: minor,
        occurred_at: instantText,
      }),
    )
    .openapi({ description: "The first 1,000, the oldest first." }),
  payout_method: z.enum(PAYOUT_METHODS),
  blockers: z
    .array(blockerSchema)
    .openapi({ description: "Warnings: what does not keep it from selection." }),
});

type Commissions = z.infer<typeof unpaidSchema>["commissions"];

export const commissionsToWire = (commissions: Unpaid["groups"][number]["commissions"]): Commissions =>
  commissions.map((commission) => ({
    id: commission.id,
    external_id: commission.externalId,
    amount: commission.amount,
    occurred_at: toInstant(commission.occurredAt),
  }));

const changeSchema = z.object({
  what: z.enum(["claimed", "refunded", "held", "rejected", "recovery"]),
  commission_id: z.string().nullable().openapi({ description: "null where the sum owed back changed." }),
  was: minor,
  now: minor,
  payout_id: z.string().nullable(),
  session_id: z.string().nullable(),
});

export const changeToWire = (change: RowChange): z.infer<typeof changeSchema> => ({
  what: change.what,
  commission_id: change.commissionId,
  was: change.was,
  now: change.now,
  payout_id: change.payoutId,
  session_id: change.sessionId,
});

export const rowSchema = z
  .object({
    affiliate_id: z.string(),
    affiliate: personSchema,
    currency: z.string(),
    commission_count: count,
    gross_amount: minor,
    reversal_amount: minor,
    amount: minor.openapi({ description: "What is selected, or what its payout is." }),
    status: z.enum(ROW_STATES),
    payout_id: z.string().nullable(),
    payout_method: z.enum(PAYOUT_METHODS),
    blockers: z.array(blockerSchema),
    changes: z.array(changeSchema).openapi({
      description: "What is no longer as it was selected; such a row is not paid until it is selected again.",
    }),
    failure: z
      .object({ code: z.string(), detail: z.string() })
      .nullable()
      .openapi({ description: "Why the last try to pay it failed." }),
  })
  .openapi("SessionRow");

/** The sums of a row: its payout's as they stand, else as selected. */
export const sumsToWire = (row: SessionRow) => {
  const { gross, amount } = row.payout ?? row;
  return {
    commission_count: row.payout?.commissionCount ?? row.commissionCount,
    gross_amount: gross,
    reversal_amount: gross - amount,
    amount,
    status: rowStateOf(row.payout),
    payout_id: row.payout?.id ?? null,
    failure: row.failure,
  };
};

export const selectedSchema = z.object({
  status: z.enum(SESSION_STATUSES),
  summary: z.array(rowSchema).openapi({ description: "The first 1,000." }),
  totals: z.array(totalSchema),
  has_more: z.boolean(),
  skipped: z.array(skipSchema).openapi({ description: "The first 1,000." }),
  skipped_count: z.record(z.string(), count),
});

export const failedSchema = z.looseObject({
  affiliate_id: z.string().nullable(),
  currency: z.string(),
  code: z.string(),
  detail: z.string(),
  payout_id: z.string().optional().openapi({ description: "Whose the commissions are, or the row's own." }),
  session_id: z.string().optional(),
});

export const paidSchema = z.object({
  status: z.enum(SESSION_STATUSES),
  payouts: z.array(payoutSchema),
  failed: z.array(failedSchema),
  remaining: count.openapi({ description: "Rows that no call has come to; call again." }),
});

export const failureToWire = (failure: RowFailure): z.infer<typeof failedSchema> => {
  const { code, message, facts } = problemOf(failure.thrown);
  return {
    ...(failure.payoutId === null ? {} : { payout_id: failure.payoutId }),
    ...facts,
    affiliate_id: failure.affiliateId,
    currency: failure.currency,
    code,
    detail: message,
  };
};
