// A dry run's plan is kept for a day, so that exactly that can be made.
import type { Ctx } from "../context.ts";
import type { Payout } from "../domain/payout.ts";
import type { DueGroup } from "../store/due-page.ts";
import { insertPlan, type PlanId, type PlanItem } from "../store/plans.ts";
import type { Run } from "../store/runs.ts";
import { newBody } from "./apply-turn.ts";

const PLAN_MS = 86_400_000;

/** About 350 kB of a row. */
const PART_ITEMS_MAX = 4_000;

/** What a plan keeps of a page: what each payout would be, and a fingerprint of its commissions. */
export const planItemsOf = (groups: readonly DueGroup[], payouts: readonly Payout[]): readonly PlanItem[] => {
  const placeOf = (affiliateId: string, currency: string): string => `${affiliateId} ${currency}`;
  const digests = new Map(groups.map((group) => [placeOf(group.affiliate.id, group.currency), group.digest]));
  return payouts.map((payout) => ({
    affiliateId: payout.affiliateId,
    currency: payout.currency,
    count: payout.commissionCount,
    gross: payout.gross,
    recovered: payout.recovered,
    digest: digests.get(placeOf(payout.affiliateId, payout.currency)) ?? null,
  }));
};

/** A page's items are claimed together; a plan without any has one empty part. */
const partsOf = (pages: readonly (readonly PlanItem[])[]): (readonly PlanItem[])[] => {
  const parts = pages.flatMap((items) =>
    Array.from({ length: Math.ceil(items.length / PART_ITEMS_MAX) }, (_, n) =>
      items.slice(n * PART_ITEMS_MAX, (n + 1) * PART_ITEMS_MAX),
    ),
  );
  return parts.length === 0 ? [[]] : parts;
};

export const keepPlan = async (
  ctx: Ctx,
  run: Run,
  pages: readonly (readonly PlanItem[])[],
): Promise<PlanId> => {
  const parts = partsOf(pages);
  const { asOf, periodStart, periodEnd, currency, affiliateIds, timeZone } = run;
  const plan = {
    programId: ctx.program.id,
    id: `plan_${newBody(ctx)}` as const,
    terms: { asOf, periodStart, periodEnd, currency, affiliateIds, timeZone },
    parts: parts.length,
    runId: null,
    expiresAt: ctx.now() + PLAN_MS,
    createdAt: ctx.now(),
  };
  await insertPlan(ctx.db, plan, parts);
  return plan.id;
};
