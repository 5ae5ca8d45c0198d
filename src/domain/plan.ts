// Who is due what, who is not, and why: one computation for previews, claims, balances and runs.
import { type Affiliate, methodOf } from "./affiliate.ts";
import { toInstant } from "./dates.ts";
import type { DueSummary } from "./ledger/book.ts";
import { type Currency, toDecimal } from "./money.ts";
import { cooldownUntil, minimumOf, type Policy } from "./policy.ts";
import { carries } from "./rail-currencies.ts";
import { isCurrent } from "./tax.ts";

/** In order of precedence: `reason` on the wire is the first that applies. */
export const REASONS = [
  "affiliate_suspended",
  "held",
  "commissions_pending_approval",
  "in_hold_period",
  "outside_period",
  "recovery_exceeds_earnings",
  "below_minimum",
  "currency_not_supported_by_method",
  "no_payout_method",
  "tax_form_required",
  "payout_method_not_ready",
  "destination_cooldown",
  "not_selected",
  "awaiting_approval",
  "awaiting_payment",
  "payment_in_progress",
  "payment_failed",
] as const;
export type Reason = (typeof REASONS)[number];

export interface Blocker {
  readonly reason: Reason;
  readonly detail: string;
  /** Epoch milliseconds at which it ends by itself. */
  readonly until?: number;
  /** Minor units that are missing. */
  readonly missingAmount?: number;
  readonly payoutId?: string;
}

export const byPrecedence = (blockers: readonly Blocker[]): readonly Blocker[] =>
  [...blockers].sort((a, b) => REASONS.indexOf(a.reason) - REASONS.indexOf(b.reason));

const suspended = (affiliate: Affiliate): Blocker[] =>
  affiliate.status === "suspended"
    ? [
        {
          reason: "affiliate_suspended",
          detail: "The affiliate is suspended; set its status to active to pay it.",
        },
      ]
    : [];

const methodBlockers = (affiliate: Affiliate, policy: Policy, currency: Currency): Blocker[] => {
  const method = methodOf(affiliate);
  if (!policy.payout_methods.includes(method)) {
    const detail =
      affiliate.destination === null
        ? "The affiliate has chosen no payout method and the program does not pay by hand."
        : `The program no longer offers ${method}; the affiliate must choose another payout method.`;
    return [{ reason: "no_payout_method", detail }];
  }
  return carries(method, currency)
    ? []
    : [{ reason: "currency_not_supported_by_method", detail: `${method} cannot carry ${currency}.` }];
};

const taxBlockers = (affiliate: Affiliate, policy: Policy, now: number): Blocker[] => {
  const { taxForm } = affiliate;
  if (!policy.require_tax_form || isCurrent(taxForm, now)) return [];
  const detail =
    taxForm === null
      ? "The program requires a tax form and none is on file."
      : `The tax form on file expired on ${toInstant(taxForm.expiresAt ?? now)}; a new one is needed.`;
  return [{ reason: "tax_form_required", detail }];
};

/** What stops money going to the affiliate's destination now; a payout may exist meanwhile. */
export const destinationBlockers = (affiliate: Affiliate, policy: Policy, now: number): Blocker[] => {
  const blockers: Blocker[] = [];
  if (affiliate.destination !== null && !affiliate.ready) {
    const missing = affiliate.missing.length === 0 ? "" : ` Missing: ${affiliate.missing.join(", ")}.`;
    blockers.push({
      reason: "payout_method_not_ready",
      detail: `The ${methodOf(affiliate)} account cannot receive money yet.${missing}`,
    });
  }
  const until = cooldownUntil(affiliate.destinationChangedAt, policy);
  if (until !== null && until > now) {
    const detail = `The destination changed; it may be paid from ${toInstant(until)}.`;
    blockers.push({ reason: "destination_cooldown", detail, until });
  }
  return blockers;
};

/** What keeps a payout of this affiliate and currency from being made or paid at all, whatever is due. */
export const affiliateBlockers = (
  affiliate: Affiliate,
  policy: Policy,
  currency: Currency,
  now: number,
): Blocker[] => [
  ...suspended(affiliate),
  ...methodBlockers(affiliate, policy, currency),
  ...taxBlockers(affiliate, policy, now),
];

const waiting = (due: DueSummary): Blocker[] => {
  const blockers: Blocker[] = [];
  if (due.held > 0)
    blockers.push({
      reason: "held",
      detail: `${due.held} commission(s) are on hold; release or reject them.`,
    });
  if (due.pending > 0) {
    blockers.push({
      reason: "commissions_pending_approval",
      detail: `${due.pending} commission(s) wait for approval.`,
    });
  }
  if (due.inHold > 0) {
    const until = due.nextPayableAt;
    blockers.push({
      reason: "in_hold_period",
      detail: `${due.inHold} commission(s) are inside the refund window.`,
      ...(until === null ? {} : { until }),
    });
  }
  if (due.outside > 0)
    blockers.push({
      reason: "outside_period",
      detail: `${due.outside} commission(s) are outside the period.`,
    });
  return blockers;
};

export interface ClaimPlan {
  readonly gross: number;
  readonly recovered: number;
  /** gross − recovered; may be zero or less, and then it cannot be claimed. */
  readonly net: number;
  /** Empty where a payout can be made. */
  readonly stops: readonly Blocker[];
  /** What will keep the payout from being paid for now, or what a person chose to overlook. */
  readonly warnings: readonly Blocker[];
}

export interface ClaimFacts {
  readonly affiliate: Affiliate;
  readonly policy: Policy;
  readonly currency: Currency;
  readonly due: DueSummary;
  /** Minor units owed by the affiliate, zero or more. */
  readonly owed: number;
  readonly now: number;
  /** A person who chose commissions may go below the minimum. */
  readonly minimumWarnsOnly?: boolean;
}

const netBlockers = (facts: ClaimFacts, net: number): Blocker[] => {
  const { currency, owed } = facts;
  if (net <= 0) {
    const detail = `${toDecimal(owed, currency)} ${currency} is owed from refunds after payment, not less than what is due.`;
    return [{ reason: "recovery_exceeds_earnings", detail, missingAmount: 1 - net }];
  }
  const minimum = minimumOf(currency, facts.policy, facts.affiliate.overrides);
  if (net >= minimum) return [];
  const detail = `${toDecimal(net, currency)} ${currency} is below the minimum of ${toDecimal(minimum, currency)}.`;
  return [{ reason: "below_minimum", detail, missingAmount: minimum - net }];
};

/** The plan for one affiliate and currency; the same facts always give the same plan. */
export const planClaim = (facts: ClaimFacts): ClaimPlan => {
  const { affiliate, policy, currency, due, owed, now } = facts;
  const net = due.gross - owed;
  const always = affiliateBlockers(affiliate, policy, currency, now);
  const later = destinationBlockers(affiliate, policy, now);
  if (due.count === 0) {
    return {
      gross: 0,
      recovered: 0,
      net: 0,
      stops: byPrecedence([...always, ...waiting(due)]),
      warnings: later,
    };
  }
  const short = netBlockers(facts, net);
  const overlooked =
    facts.minimumWarnsOnly === true ? short.filter((blocker) => blocker.reason === "below_minimum") : [];
  const stops = [...always, ...short.filter((blocker) => !overlooked.includes(blocker))];
  return {
    gross: due.gross,
    recovered: owed,
    net,
    stops: byPrecedence(stops),
    warnings: byPrecedence([...overlooked, ...later]),
  };
};
