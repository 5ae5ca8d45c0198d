// What stands between a payout and its money, computed from the payout, its affiliate and the policy as they are now.
import type { Affiliate } from "./affiliate.ts";
import { isLive, type Payout } from "./payout.ts";
import { affiliateBlockers, type Blocker, byPrecedence, destinationBlockers } from "./plan.ts";
import type { Policy } from "./policy.ts";

const stepOf = (payout: Payout, requireApproval: boolean): Blocker[] => {
  const of = { payoutId: payout.id };
  switch (payout.status) {
    case "requested":
      return [
        { reason: "awaiting_approval", detail: "The affiliate asked for it; accept or deny it.", ...of },
      ];
    case "pending":
      return requireApproval
        ? [{ reason: "awaiting_approval", detail: "The program requires approval: approve it.", ...of }]
        : [{ reason: "awaiting_payment", detail: "It waits to be paid.", ...of }];
    case "approved":
      return [{ reason: "awaiting_payment", detail: "It is approved and waits to be paid.", ...of }];
    case "processing":
      return [{ reason: "payment_in_progress", detail: "The payment is under way.", ...of }];
    case "failed":
      return [
        {
          reason: "payment_failed",
          detail: payout.failureDetail ?? "The rail refused it; retry or cancel it.",
          ...of,
        },
      ];
    default:
      return [];
  }
};

/** What stands between this payout and its money at an instant, in order of precedence. */
export const payoutBlockers = (
  payout: Payout,
  affiliate: Affiliate | undefined,
  policy: Policy,
  now: number,
): readonly Blocker[] => {
  const open =
    affiliate !== undefined && isLive(payout.status) && payout.status !== "processing"
      ? [
          ...affiliateBlockers(affiliate, policy, payout.currency, now),
          ...destinationBlockers(affiliate, policy, now),
        ]
      : [];
  return byPrecedence([...open, ...stepOf(payout, policy.require_approval)]);
};
