// A program's policy: the settings that decide holds, minimums, approval and which rails are offered.
import type { Currency } from "./money.ts";
import { PAYOUT_METHODS, type PayoutMethod } from "./payout.ts";

export interface PayoutSchedule {
  readonly kind: "manual" | "weekly" | "biweekly" | "monthly";
  /** 1 is Monday, 7 Sunday. */
  readonly weekday?: number;
  /** 1 to 31; 29 to 31 fall on the month's last day where it is shorter. */
  readonly day_of_month?: number;
  /** A date YYYY-MM-DD from which biweekly periods are counted. */
  readonly anchor_date?: string;
}

/** The names are the wire's: the policy is stored and shown as it is written. Amounts are minor units per currency. */
export interface Policy {
  readonly time_zone: string;
  readonly hold_days: number;
  readonly minimum_payout: Readonly<Record<Currency, number>>;
  readonly payout_schedule: PayoutSchedule;
  readonly automatic_payouts: boolean;
  readonly require_approval: boolean;
  readonly four_eyes: boolean;
  readonly auto_approve_commissions: boolean;
  readonly require_tax_form: boolean;
  readonly commission_rate_bps: number | null;
  readonly payout_methods: readonly PayoutMethod[];
  readonly destination_cooldown_hours: number;
  readonly currencies: readonly Currency[] | null;
  readonly daily_payout_limit: Readonly<Record<Currency, number>>;
  readonly legal: { readonly name?: string; readonly address?: string; readonly vat_id?: string };
  readonly onboarding_return_url: string | null;
}

export const POLICY_DEFAULTS: Policy = {
  time_zone: "UTC",
  hold_days: 30,
  minimum_payout: {},
  payout_schedule: { kind: "manual" },
  automatic_payouts: false,
  require_approval: false,
  four_eyes: false,
  auto_approve_commissions: false,
  require_tax_form: false,
  commission_rate_bps: null,
  payout_methods: PAYOUT_METHODS,
  destination_cooldown_hours: 72,
  currencies: null,
  daily_payout_limit: {},
  legal: {},
  onboarding_return_url: null,
};

/** What an affiliate may have otherwise; a currency missing from minimum_payout falls back to the program's. */
export interface Overrides {
  readonly hold_days?: number;
  readonly minimum_payout?: Readonly<Record<Currency, number>>;
  readonly commission_rate_bps?: number;
}

const HOUR_MS = 3_600_000;

/** hold_days × 24 h after the order, fixed when the commission is recorded. */
export const payableAtOf = (occurredAt: number, policy: Policy, overrides: Overrides): number =>
  occurredAt + (overrides.hold_days ?? policy.hold_days) * 24 * HOUR_MS;

export const minimumOf = (currency: Currency, policy: Policy, overrides: Overrides): number =>
  overrides.minimum_payout?.[currency] ?? policy.minimum_payout[currency] ?? 0;

export const rateBpsOf = (policy: Policy, overrides: Overrides): number | null =>
  overrides.commission_rate_bps ?? policy.commission_rate_bps;

export const allowsCurrency = (currency: Currency, policy: Policy): boolean =>
  policy.currencies === null || policy.currencies.includes(currency);

/** Until when a changed destination may not be paid, or null. The first destination has no changedAt. */
export const cooldownUntil = (changedAt: number | null, policy: Policy): number | null =>
  changedAt === null ? null : changedAt + policy.destination_cooldown_hours * HOUR_MS;
