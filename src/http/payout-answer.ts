// Answers with payouts: the turn's own snapshot, its lines and numbers, and what stands in its way now.
import type { Context } from "hono";
import type { Payout } from "../domain/payout.ts";
import { payoutBlockers } from "../operations/payout-blockers.ts";
import { type PayoutView, readAffiliatesOf, viewsOf } from "../store/payouts.ts";
import { type AppEnv, ctxOf } from "./env.ts";
import { type PayoutWire, payoutToWire } from "./wire-payout.ts";

export const viewsToWire = async (
  c: Context<AppEnv>,
  views: readonly PayoutView[],
): Promise<PayoutWire[]> => {
  const ctx = ctxOf(c);
  const affiliates = await readAffiliatesOf(
    ctx.db,
    ctx.program.id,
    views.map(({ payout }) => payout.affiliateId),
  );
  return views.map((view) =>
    payoutToWire(view, {
      programId: ctx.program.id,
      livemode: ctx.program.mode === "live",
      blockers: payoutBlockers(ctx, view.payout, affiliates.get(view.payout.affiliateId)),
    }),
  );
};

export const payoutsToWire = async (
  c: Context<AppEnv>,
  payouts: readonly Payout[],
): Promise<PayoutWire[]> => {
  const { db, program } = ctxOf(c);
  return viewsToWire(c, await viewsOf(db, program.id, payouts));
};

export const payoutAnswer = async (
  c: Context<AppEnv>,
  done: { readonly result: { readonly payout: Payout }; readonly replayed: boolean },
): Promise<PayoutWire> => {
  if (done.replayed) c.header("Idempotent-Replayed", "true");
  const [wire] = await payoutsToWire(c, [done.result.payout]);
  if (wire === undefined) throw new Error("an answer without its payout");
  return wire;
};
