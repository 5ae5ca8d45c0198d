// An affiliate's balance as the wire shows it: the buckets of each currency, what comes next, and what stands in the way.
import { z } from "@hono/zod-openapi";
import { toInstant } from "../domain/dates.ts";
import type { Payout } from "../domain/payout.ts";
import { payoutBlockers } from "../domain/payout-blockers.ts";
import { affiliateBlockers, type Blocker, byPrecedence, planClaim } from "../domain/plan.ts";
import { minimumOf, type Policy } from "../domain/policy.ts";
import { nextRun } from "../domain/schedule.ts";
import type { CurrencyStanding, Standing } from "../store/affiliates.ts";
import { instantText } from "./wire.ts";
import { blockerSchema, blockerToWire } from "./wire-payout.ts";

const minor = (description: string) =>
  z
    .number()
    .int()
    .openapi({ description: `${description} Minor units.` });

const bucketSchema = z.object({
  currency: z.string(),
  pending: minor("Waits for approval or is on hold."),
  available: minor("Approved and in no payout: in_hold_period and payable."),
  in_hold_period: minor("Approved, inside the refund window."),
  payable: minor("Approved and out of the refund window."),
  reserved: minor("In payouts that are not paid yet."),
  paid: minor("Paid out and not come back."),
  recovery_owed: minor("Owed back because paid commissions were refunded; netted from the next payout."),
  store_credit: minor("Store credit that is not spent."),
  next_payable_at: instantText
    .nullable()
    .openapi({ description: "When the first of in_hold_period becomes payable." }),
  next_payout: z
    .object({
      date: z.string(),
      estimated_amount: minor("What will be due then, as far as it is known now."),
    })
    .nullable()
    .openapi({ description: "null where nothing is scheduled, or too little will be due." }),
  blockers: z.array(blockerSchema),
});

export const balanceSchema = z
  .object({ affiliate_id: z.string(), balances: z.array(bucketSchema) })
  .openapi("Balance");

/** The next run's day and its first instant, up to which commissions count. */
export const nextRunOf = (
  policy: Policy,
  now: number,
): { readonly date: string | null; readonly startsAt: number } => {
  const next = nextRun(policy.payout_schedule, policy.time_zone, now);
  return { date: next?.date ?? null, startsAt: next?.startsAt ?? 0 };
};

const owedOf = ({ balance }: CurrencyStanding): number => 0 - balance.recovery;

/** All that keeps money from the affiliate: of what waits, of what is due, and of payouts under way. */
const blockersOf = (standing: Standing, own: CurrencyStanding, now: number): readonly Blocker[] => {
  const { affiliate, program } = standing;
  const facts = {
    affiliate,
    policy: program.policy,
    currency: own.currency,
    due: own.due,
    owed: owedOf(own),
    now,
  };
  const waiting = planClaim({ ...facts, due: { ...own.due, count: 0 } });
  // What is owed stands in the way of whatever comes next, also while nothing is due.
  const counted = { ...own.due, count: facts.owed > 0 ? Math.max(own.due.count, 1) : own.due.count };
  const claim = planClaim({ ...facts, due: counted });
  const ofAffiliate = new Map<string, Blocker>();
  for (const blocker of [...waiting.stops, ...claim.stops, ...claim.warnings])
    ofAffiliate.set(blocker.reason, blocker);
  const ofPayouts = standing.openPayouts
    .filter((payout: Payout) => payout.currency === own.currency)
    .flatMap((payout: Payout) => payoutBlockers(payout, undefined, program.policy, now));
  return byPrecedence([...ofAffiliate.values(), ...ofPayouts]);
};

const nextPayoutOf = (standing: Standing, own: CurrencyStanding, date: string | null, now: number) => {
  const { affiliate, program } = standing;
  const net = own.laterGross - owedOf(own);
  const minimum = minimumOf(own.currency, program.policy, affiliate.overrides);
  if (date === null || net <= 0 || net < minimum) return null;
  const isStopped = affiliateBlockers(affiliate, program.policy, own.currency, now).length > 0;
  return isStopped ? null : { date, estimated_amount: net };
};

export const balanceToWire = (standing: Standing, now: number): z.infer<typeof balanceSchema> => {
  const { date } = nextRunOf(standing.program.policy, now);
  const balances = standing.currencies.map((own) => ({
    currency: own.currency,
    pending: own.balance.pending,
    available: own.balance.available,
    in_hold_period: own.inHoldAmount,
    payable: own.due.gross,
    reserved: own.balance.reserved,
    paid: own.balance.paid,
    recovery_owed: owedOf(own),
    store_credit: own.balance.store_credit,
    next_payable_at: own.due.nextPayableAt === null ? null : toInstant(own.due.nextPayableAt),
    next_payout: nextPayoutOf(standing, own, date, now),
    blockers: blockersOf(standing, own, now).map(blockerToWire),
  }));
  return { affiliate_id: standing.affiliate.id, balances };
};
