// A generation's answer and a run as the wire shows them.
import { z } from "@hono/zod-openapi";
import { toInstant } from "../domain/dates.ts";
import { REASONS } from "../domain/plan.ts";
import type { Generated } from "../operations/generate-payouts.ts";
import type { RunOutcome, SkipRow } from "../store/run-outcome.ts";
import type { Run } from "../store/runs.ts";
import { instantText } from "./wire.ts";
import { blockerSchema, blockerToWire, type PayoutWire, payoutSchema } from "./wire-payout.ts";

export const skipSchema = z
  .object({
    affiliate_id: z.string(),
    currency: z.string(),
    reason: z.enum(REASONS),
    blockers: z.array(blockerSchema),
    next_eligible_at: instantText.optional(),
  })
  .openapi("Skipped");

/** These end by what somebody does: no date is known while one of them stands. */
const OPEN_ENDED: readonly string[] = [
  "affiliate_suspended",
  "recovery_exceeds_earnings",
  "below_minimum",
  "currency_not_supported_by_method",
  "no_payout_method",
  "tax_form_required",
];

export const skipToWire = (skip: SkipRow): z.infer<typeof skipSchema> => {
  const isOpen = skip.blockers.some(
    ({ reason, until }) => until === undefined && OPEN_ENDED.includes(reason),
  );
  const until = isOpen ? [] : skip.blockers.flatMap((blocker) => blocker.until ?? []);
  return {
    affiliate_id: skip.affiliateId,
    currency: skip.currency,
    reason: skip.reason,
    blockers: skip.blockers.map(blockerToWire),
    ...(until.length === 0 ? {} : { next_eligible_at: toInstant(Math.max(...until)) }),
  };
};

const countSchema = z.record(z.string(), z.number().int());
const totalSchema = z.array(
  z.object({ currency: z.string(), amount: z.number().int(), count: z.number().int() }),
);

export const generatedSchema = z
  .object({
    run_id: z.string().nullable(),
    plan_id: z.string().nullable().openapi({
      description:
        "Of a dry run: what `plan_id` takes within 24 hours, once; null where the preview was cut short. Of a run: the plan that it made.",
    }),
    status: z.enum(["running", "done"]),
    payouts: z.array(payoutSchema),
    skipped: z.array(skipSchema),
    skipped_count: countSchema,
    totals: totalSchema,
  })
  .openapi("Generated");

export const generatedToWire = (
  generated: Generated,
  payouts: PayoutWire[],
  dryRun: boolean,
): z.infer<typeof generatedSchema> => ({
  run_id: dryRun ? null : generated.run.id,
  plan_id: generated.run.planId,
  status: generated.isWhole ? "done" : "running",
  payouts,
  skipped: generated.skipped.map(skipToWire),
  skipped_count: { ...generated.skippedCount },
  totals: [...generated.totals],
});

export const runSchema = z
  .object({
    id: z.string(),
    kind: z.enum(["asked", "scheduled"]),
    status: z.enum(["running", "done"]),
    as_of: instantText,
    period_start: z.string().nullable(),
    period_end: z.string(),
    currency: z.string().nullable(),
    time_zone: z.string(),
    plan_id: z.string().nullable(),
    planned: z.number().int().openapi({
      description:
        "Affiliates and currencies: those who are through, and while the run goes on those who wait.",
    }),
    payouts_created: z.number().int(),
    payouts_failed: z.number().int().openapi({ description: "Of its payouts, those that are failed now." }),
    skipped_count: countSchema,
    totals: totalSchema,
    actor: z.object({ type: z.string(), id: z.string() }),
    created_at: instantText,
    finished_at: instantText.nullable(),
  })
  .openapi("PayoutRun");

export const runToWire = (
  run: Run,
  outcome: Pick<RunOutcome, "skippedCount" | "totals" | "planned" | "failed">,
): z.infer<typeof runSchema> => ({
  id: run.id,
  kind: run.kind,
  status: run.status,
  as_of: toInstant(run.asOf),
  period_start: run.periodStart,
  period_end: run.periodEnd,
  currency: run.currency,
  time_zone: run.timeZone,
  plan_id: run.planId,
  planned: outcome.planned,
  payouts_created: outcome.totals.reduce((sum, total) => sum + total.count, 0),
  payouts_failed: outcome.failed,
  skipped_count: { ...outcome.skippedCount },
  totals: [...outcome.totals],
  actor: { type: run.actorType, id: run.actorId },
  created_at: toInstant(run.createdAt),
  finished_at: run.finishedAt === null ? null : toInstant(run.finishedAt),
});
