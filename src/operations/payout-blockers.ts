// What stands between a payout and its money, computed from the payout, its affiliate and the policy as they are now.
import type { Ctx } from "../context.ts";
import type { Affiliate } from "../domain/affiliate.ts";
import { isLive, type Payout } from "../domain/payout.ts";
import { affiliateBlockers, type Blocker, byPrecedence, destinationBlockers } from "../domain/plan.ts";

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

export const payoutBlockers = (
  ctx: Pick<Ctx, "program" | "now">,
  payout: Payout,
  affiliate: Affiliate | undefined,
): readonly Blocker[] => {
  const { policy } = ctx.program;
  const open =
    affiliate !== undefined && isLive(payout.status) && payout.status !== "processing"
      ? [
          ...affiliateBlockers(affiliate, policy, payout.currency),
          ...destinationBlockers(affiliate, policy, ctx.now()),
        ]
      : [];
  return byPrecedence([...open, ...stepOf(payout, policy.require_approval)]);
};
