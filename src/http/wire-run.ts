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

export const skipToWire = (skip: SkipRow): z.infer<typeof skipSchema> => {
  const until = skip.blockers.flatMap((blocker) => blocker.until ?? []);
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
    payouts_created: z.number().int(),
    skipped_count: countSchema,
    totals: totalSchema,
    actor: z.object({ type: z.string(), id: z.string() }),
    created_at: instantText,
    finished_at: instantText.nullable(),
  })
  .openapi("PayoutRun");

export const runToWire = (
  run: Run,
  outcome: Pick<RunOutcome, "skippedCount" | "totals">,
): z.infer<typeof runSchema> => ({
  id: run.id,
  kind: run.kind,
  status: run.status,
  as_of: toInstant(run.asOf),
  period_start: run.periodStart,
  period_end: run.periodEnd,
  currency: run.currency,
  payouts_created: outcome.totals.reduce((sum, total) => sum + total.count, 0),
  skipped_count: { ...outcome.skippedCount },
  totals: [...outcome.totals],
  actor: { type: run.actorType, id: run.actorId },
  created_at: toInstant(run.createdAt),
  finished_at: run.finishedAt === null ? null : toInstant(run.finishedAt),
});
