// Who could be paid by a session and who could not, and why: the same plan as a claim's, where a person may go below the minimum.
import type { Ctx } from "../context.ts";
import { dateOf, endOfDate } from "../domain/dates.ts";
import { toDecimal } from "../domain/money.ts";
import { type Blocker, type ClaimPlan, planClaim } from "../domain/plan.ts";
import type { Policy } from "../domain/policy.ts";
import { Refused, refuse } from "../domain/refusals.ts";
import type { SelectionWish } from "../domain/session.ts";
import type { DueGroup } from "../store/due-page.ts";
import type { SkipRow } from "../store/run-outcome.ts";

export type Bounds = Pick<SelectionWish, "minAmount" | "maxAmount">;

export interface Candidate {
  readonly group: DueGroup;
  readonly plan: ClaimPlan;
}

export interface Judged {
  readonly candidates: readonly Candidate[];
  readonly skipped: readonly SkipRow[];
}

/** The first instant after the day up to which something is selected, in the program's zone. */
export const untilOf = (ctx: Ctx, upTo: string, pointer: string): number => {
  const { time_zone: zone } = ctx.program.policy;
  const today = dateOf(ctx.now(), zone);
  if (upTo > today)
    throw new Refused(
      refuse("period_invalid", `up_to is after today, ${today} in the program's time zone.`, { pointer })
        .refusal,
    );
  return endOfDate(upTo, zone);
};

const outOfBounds = (currency: string, net: number, { minAmount, maxAmount }: Bounds): Blocker[] => {
  if (net >= (minAmount ?? 0) && net <= (maxAmount ?? Number.MAX_SAFE_INTEGER)) return [];
  const detail = `${toDecimal(net, currency)} ${currency} is outside the bounds that were asked for.`;
  return [{ reason: "not_selected", detail }];
};

export const judgeGroups = (
  groups: readonly DueGroup[],
  policy: Policy,
  bounds: Bounds,
  now: number,
): Judged => {
  const candidates: Candidate[] = [];
  const skipped: SkipRow[] = [];
  for (const group of groups) {
    const { affiliate, currency, due } = group;
    const owed = 0 - (group.balances[currency]?.recovery ?? 0);
    const plan = planClaim({ affiliate, policy, currency, due, owed, now, minimumWarnsOnly: true });
    const stops = plan.stops.length > 0 ? plan.stops : outOfBounds(currency, plan.net, bounds);
    const [first] = stops;
    if (first === undefined) candidates.push({ group, plan });
    else skipped.push({ affiliateId: affiliate.id, currency, reason: first.reason, blockers: stops });
  }
  return { candidates, skipped };
};
