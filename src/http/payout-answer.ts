// Answers with payouts: as they stand now for reads, as their turn left them for commands.
import type { Context } from "hono";
import type { Affiliate } from "../domain/affiliate.ts";
import type { PayoutStanding } from "../domain/ledger/book.ts";
import type { Payout } from "../domain/payout.ts";
import { payoutBlockers } from "../domain/payout-blockers.ts";
import { type PayoutView, readAffiliatesOf, viewsOf } from "../store/payouts.ts";
import { type AppEnv, ctxOf } from "./env.ts";
import { type PayoutWire, payoutToWire } from "./wire-payout.ts";

const affiliateToWire = (affiliate: Affiliate) => ({
  id: affiliate.id,
  external_id: affiliate.externalId,
  name: affiliate.name,
  email: affiliate.email,
});

/** `expand=affiliate` adds who is paid. */
export const viewsToWire = async (
  c: Context<AppEnv>,
  views: readonly PayoutView[],
  expand?: "affiliate",
): Promise<PayoutWire[]> => {
  const { db, program, now } = ctxOf(c);
  const ids = views.map(({ payout }) => payout.affiliateId);
  const affiliates = await readAffiliatesOf(db, program.id, ids);
  return views.map((view) => {
    const affiliate = affiliates.get(view.payout.affiliateId);
    const blockers = payoutBlockers(view.payout, affiliate, program.policy, now());
    const wire = payoutToWire(view, { programId: program.id, livemode: program.mode === "live", blockers });
    return expand === undefined || affiliate === undefined
      ? wire
      : { ...wire, affiliate: affiliateToWire(affiliate) };
  });
};

export const payoutsToWire = async (
  c: Context<AppEnv>,
  payouts: readonly Payout[],
): Promise<PayoutWire[]> => {
  const { db, program } = ctxOf(c);
  return viewsToWire(c, await viewsOf(db, program.id, payouts));
};

interface DonePayout {
  readonly result: { readonly payout: Payout; readonly standing?: PayoutStanding };
  readonly replayed: boolean;
}

/** The same turn always answers the same: what may change meanwhile was stored with it. */
export const payoutAnswer = async (
  c: Context<AppEnv>,
  { result, replayed }: DonePayout,
): Promise<PayoutWire> => {
  const { db, program } = ctxOf(c);
  if (replayed) c.header("Idempotent-Replayed", "true");
  const [view] = await viewsOf(db, program.id, [result.payout]);
  if (view === undefined) throw new Error("an answer without its payout");
  const { blockers, recoveryOwed } = result.standing ?? { blockers: [], recoveryOwed: 0 };
  const frame = { programId: program.id, livemode: program.mode === "live", blockers };
  return payoutToWire({ ...view, recoveryOwed, ...numbersAt(result.payout, view) }, frame);
};

/** Numbers are given with the settlement or the return; a turn before it answered without. */
const numbersAt = (
  payout: Payout,
  view: PayoutView,
): Pick<PayoutView, "invoiceNumber" | "creditNoteNumber"> => ({
  invoiceNumber: payout.paidAt === null ? null : view.invoiceNumber,
  creditNoteNumber: payout.returnedAmount === 0 ? null : view.creditNoteNumber,
});
