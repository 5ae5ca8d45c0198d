// Policy: the affiliate's own settings before the program's, and the holds and cooldowns that follow from them.
import { describe, expect, test } from "vitest";
import { PAYOUT_METHODS } from "../../src/domain/payout.ts";
import {
  allowsCurrency,
  cooldownUntil,
  minimumOf,
  POLICY_DEFAULTS,
  payableAtOf,
  rateBpsOf,
} from "../../src/domain/policy.ts";

const DAY_MS = 24 * 3_600_000;

describe("defaults", () => {
  test("they are the documented ones", () => {
    expect(POLICY_DEFAULTS).toEqual({
      ...{ time_zone: "UTC", hold_days: 30, minimum_payout: {}, payout_schedule: { kind: "manual" } },
      ...{
        automatic_payouts: false,
        require_approval: false,
        four_eyes: false,
        auto_approve_commissions: false,
      },
      ...{ require_tax_form: false, commission_rate_bps: null, payout_methods: PAYOUT_METHODS },
      ...{
        destination_cooldown_hours: 72,
        currencies: null,
        daily_payout_limit: {},
        legal: {},
        onboarding_return_url: null,
      },
    });
    expect(PAYOUT_METHODS).toHaveLength(6);
  });
});

describe("hold", () => {
  test("hold_days times 24 hours after the order, also over daylight saving", () => {
    const at = Date.UTC(2026, 2, 28, 12);
    expect(payableAtOf(at, { ...POLICY_DEFAULTS, time_zone: "Europe/Berlin" }, {})).toBe(at + 30 * DAY_MS);
  });

  test("the affiliate's own hold goes before the program's, also when it is zero", () => {
    expect(payableAtOf(1000, POLICY_DEFAULTS, { hold_days: 0 })).toBe(1000);
    expect(payableAtOf(1000, POLICY_DEFAULTS, { hold_days: 7 })).toBe(1000 + 7 * DAY_MS);
  });
});

describe("minimum and rate", () => {
  const policy = { ...POLICY_DEFAULTS, minimum_payout: { USD: 1000, EUR: 900 }, commission_rate_bps: 1000 };

  test("a currency that the affiliate's own minimum leaves out falls back to the program's, then to none", () => {
    const own = { minimum_payout: { USD: 0 } };
    expect(minimumOf("USD", policy, own)).toBe(0);
    expect(minimumOf("EUR", policy, own)).toBe(900);
    expect(minimumOf("GBP", policy, own)).toBe(0);
    expect(minimumOf("USD", policy, {})).toBe(1000);
  });

  test("the affiliate's own rate goes before the program's", () => {
    expect(rateBpsOf(policy, {})).toBe(1000);
    expect(rateBpsOf(policy, { commission_rate_bps: 0 })).toBe(0);
    expect(rateBpsOf(POLICY_DEFAULTS, {})).toBe(null);
  });
});

describe("currencies", () => {
  test("null takes all, a list only its own", () => {
    expect(allowsCurrency("USD", POLICY_DEFAULTS)).toBe(true);
    expect(allowsCurrency("USD", { ...POLICY_DEFAULTS, currencies: ["EUR"] })).toBe(false);
    expect(allowsCurrency("EUR", { ...POLICY_DEFAULTS, currencies: ["EUR"] })).toBe(true);
  });
});

describe("cooldown", () => {
  test("none for the first destination, then the program's hours from the change", () => {
    expect(cooldownUntil(null, POLICY_DEFAULTS)).toBe(null);
    expect(cooldownUntil(1000, POLICY_DEFAULTS)).toBe(1000 + 3 * DAY_MS);
    expect(cooldownUntil(1000, { ...POLICY_DEFAULTS, destination_cooldown_hours: 0 })).toBe(1000);
  });
});
