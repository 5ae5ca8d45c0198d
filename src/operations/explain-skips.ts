// Why claims were refused after their page was read: looked up again, so that a skip says as much as one that was planned.
import type { Ctx } from "../context.ts";
import type { AffiliateId } from "../domain/ids.ts";
import { type Blocker, planClaim, type Reason } from "../domain/plan.ts";
import type { Refusal as Refused } from "../domain/refusals.ts";
import { type DueQuery, readDuePage } from "../store/due-page.ts";

export interface Refusal {
  readonly affiliateId: AffiliateId;
  readonly currency: string;
  readonly refusal: Refused;
}

interface Skip {
  readonly affiliateId: AffiliateId;
  readonly currency: string;
  readonly reason: Reason;
  readonly blockers: readonly Blocker[];
}

const placeOf = (affiliateId: string, currency: string): string => `${affiliateId} ${currency}`;

/** One more round trip, and only where anything was refused. */
export const explainSkips = async (
  ctx: Ctx,
  query: DueQuery,
  refused: readonly Refusal[],
): Promise<readonly Skip[]> => {
  if (refused.length === 0) return [];
  const affiliateIds = [...new Set(refused.map(({ affiliateId }) => affiliateId))];
  const again = { ...query, affiliateIds, cursor: "", pageSize: affiliateIds.length };
  const page = await readDuePage(ctx.db, again);
  const groups = new Map(page.groups.map((group) => [placeOf(group.affiliate.id, group.currency), group]));
  return refused.map(({ affiliateId, currency, refusal }) => {
    const group = groups.get(placeOf(affiliateId, currency));
    const stops =
      group === undefined
        ? []
        : planClaim({
            affiliate: group.affiliate,
            policy: page.policy,
            currency,
            due: group.due,
            owed: -(group.balances[currency]?.recovery ?? 0),
            now: ctx.now(),
          }).stops;
    const [first] = stops;
    if (first !== undefined) return { affiliateId, currency, reason: first.reason, blockers: stops };
    // Nothing stands in the way, or nothing is left: others claimed it, or what was refused is over.
    const detail = refusal.code === "nothing_due" ? "Claimed by another payout meanwhile." : refusal.detail;
    const reason = "not_selected";
    return { affiliateId, currency, reason, blockers: [{ reason, detail }] };
  });
};
