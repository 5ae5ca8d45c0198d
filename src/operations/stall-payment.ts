// A payment that takes too long, or whose messages died, is announced once and stays visible; its money stays reserved.
import type { Ctx } from "../context.ts";
import type { AffiliateId, PayoutId } from "../domain/ids.ts";
import { askTurn, newBody } from "./apply-turn.ts";

export const stallPayment = async (
  ctx: Ctx,
  affiliateId: AffiliateId,
  payoutId: PayoutId,
  reason: "overdue" | "dead_letter",
): Promise<void> => {
  const mint = newBody(ctx);
  await askTurn(ctx, {
    programId: ctx.program.id,
    affiliateId,
    commandId: `s:stall:${mint}`,
    requestSha: "",
    actor: ctx.actor,
    mint,
    command: { kind: "stall", payoutId, reason },
  });
};
