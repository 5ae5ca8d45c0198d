// Hints for payments that are asked for together: each program's are spread over the seconds to come, as its providers allow.
import type { Ctx } from "../context.ts";
import type { AffiliateId, PayoutId } from "../domain/ids.ts";

/** A payment may ask its provider twice, and no program asks more than 15 times a second. */
const PAYMENTS_PER_S = 7;

export interface PacedHints {
  send(affiliateId: AffiliateId, payoutId: PayoutId): void;
}

/** A lost hint is sent again by the sweeper, so a queue that fails must not fail the payments. */
export const pacedHints = (ctx: Ctx): PacedHints => {
  let sent = 0;
  return {
    send(affiliateId, payoutId) {
      const delayS = Math.floor(sent++ / PAYMENTS_PER_S);
      const hint = { kind: "pay", programId: ctx.program.id, affiliateId, payoutId } as const;
      const lost = (): void => ctx.log({ event: "hint_lost", payout_id: payoutId });
      ctx.defer(ctx.hints.send(hint, delayS).catch(lost));
    },
  };
};
