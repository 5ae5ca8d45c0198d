// The plan: who is due what, every reason that stands in the way, and which of them is named first.
import { describe, expect, test } from "vitest";
import type { Affiliate } from "../../src/domain/affiliate.ts";
import type { DueSummary } from "../../src/domain/ledger/book.ts";
import { byPrecedence, type ClaimFacts, planClaim, REASONS } from "../../src/domain/plan.ts";
import { POLICY_DEFAULTS, type Policy } from "../../src/domain/policy.ts";
import { carries } from "../../src/domain/rail-currencies.ts";

const NOW = Date.UTC(2026, 0, 10);
const HOUR_MS = 3_600_000;

const affiliate: Affiliate = {
  ...{
    id: "aff_01J00000000000000000000000",
    externalId: null,
    name: "A",
    email: "a@example.com",
    country: null,
  },
  ...{
    metadata: null,
    status: "active",
    overrides: {},
    destination: null,
    destinationChangedAt: null,
    ready: false,
  },
  ...{ missing: [], readyAsOf: null, onboardedAt: null, taxForm: null, createdAt: 0, updatedAt: 0 },
};

const onStripe: Affiliate = {
  ...affiliate,
  ready: true,
  destination: {
    method: "stripe",
    sha: "sha",
    account: "acct_1",
    display: "acct_1",
    sealed: null,
    currency: null,
  },
};

const due = (more: Partial<DueSummary> = {}): DueSummary => ({
  ...{
    count: 1,
    gross: 1000,
    oldestAt: 0,
    newestAt: 0,
    held: 0,
    pending: 0,
    inHold: 0,
    nextPayableAt: null,
    outside: 0,
  },
  ...more,
});

const none = (more: Partial<DueSummary>): DueSummary => due({ count: 0, gross: 0, ...more });

const planOf = (more: Partial<ClaimFacts> & { readonly rules?: Partial<Policy> } = {}) => {
  const { rules = {}, ...facts } = more;
  const policy = { ...POLICY_DEFAULTS, ...rules };
  return planClaim({ affiliate: onStripe, policy, currency: "USD", due: due(), owed: 0, now: NOW, ...facts });
};

const stopsOf = (more: Parameters<typeof planOf>[0]) => planOf(more).stops.map(({ reason }) => reason);

describe("sums", () => {
  test("net is gross less what is owed", () => {
    expect(planOf({ owed: 300 })).toEqual({ gross: 1000, recovered: 300, net: 700, stops: [], warnings: [] });
  });

  test("the same facts give the same plan", () => {
    expect(planOf({ owed: 300 })).toEqual(planOf({ owed: 300 }));
  });
});

describe("one reason at a time", () => {
  test("affiliate_suspended", () => {
    expect(stopsOf({ affiliate: { ...onStripe, status: "suspended" } })).toEqual(["affiliate_suspended"]);
  });

  test("recovery_exceeds_earnings while what is owed is not less than what is due, with what is missing", () => {
    expect(planOf({ owed: 999 }).stops).toEqual([]);
    for (const [owed, missingAmount] of [
      [1000, 1],
      [1500, 501],
    ] as const) {
      expect(planOf({ owed }).stops).toMatchObject([{ reason: "recovery_exceeds_earnings", missingAmount }]);
    }
  });

  test("below_minimum compares the net, with what is missing", () => {
    const rules = { minimum_payout: { USD: 1000 } };
    expect(planOf({ rules }).stops).toEqual([]);
    expect(planOf({ rules, owed: 1 }).stops).toMatchObject([{ reason: "below_minimum", missingAmount: 1 }]);
    expect(planOf({ rules: { minimum_payout: { EUR: 9999 } } }).stops).toEqual([]);
  });

  test("below_minimum only warns where a person chose", () => {
    const plan = planOf({ rules: { minimum_payout: { USD: 5000 } }, minimumWarnsOnly: true });
    expect(plan.stops).toEqual([]);
    expect(plan.warnings).toMatchObject([{ reason: "below_minimum", missingAmount: 4000 }]);
  });

  test("what is owed stops also where a person chose", () => {
    expect(stopsOf({ owed: 1000, minimumWarnsOnly: true })).toEqual(["recovery_exceeds_earnings"]);
  });

  test("no_payout_method only where the program does not pay by hand, or offers the chosen one no longer", () => {
    expect(stopsOf({ affiliate })).toEqual([]);
    expect(stopsOf({ affiliate, rules: { payout_methods: ["stripe"] } })).toEqual(["no_payout_method"]);
    expect(stopsOf({ rules: { payout_methods: ["manual"] } })).toEqual(["no_payout_method"]);
  });

  test("currency_not_supported_by_method", () => {
    expect(stopsOf({ currency: "KWD", due: due({ gross: 10 }) })).toEqual([
      "currency_not_supported_by_method",
    ]);
    expect(stopsOf({ currency: "KWD", affiliate })).toEqual([]);
  });

  test("tax_form_required until one is on file", () => {
    expect(stopsOf({ rules: { require_tax_form: true } })).toEqual(["tax_form_required"]);
    const taxForm = { kind: "w8ben", country: "DE", last4: "1234", filedAt: 1, expiresAt: NOW + 1 } as const;
    const filed = { ...onStripe, taxForm };
    expect(stopsOf({ rules: { require_tax_form: true }, affiliate: filed })).toEqual([]);
    const expired = { ...filed, taxForm: { ...taxForm, expiresAt: NOW } };
    expect(stopsOf({ rules: { require_tax_form: true }, affiliate: expired })).toEqual(["tax_form_required"]);
  });

  test("payout_method_not_ready and destination_cooldown do not keep a payout from being made, they warn", () => {
    const changed = { ...onStripe, ready: false, missing: ["id"], destinationChangedAt: NOW - HOUR_MS };
    const plan = planOf({ affiliate: changed });
    expect(plan.stops).toEqual([]);
    expect(plan.warnings.map(({ reason }) => reason)).toEqual([
      "payout_method_not_ready",
      "destination_cooldown",
    ]);
    expect(plan.warnings[1]?.until).toBe(NOW + 71 * HOUR_MS);
    expect(plan.warnings[0]?.detail).toContain("id");
  });

  test("a cooldown that is over warns no more, and no chosen method is always ready", () => {
    expect(planOf({ affiliate: { ...onStripe, destinationChangedAt: NOW - 72 * HOUR_MS } }).warnings).toEqual(
      [],
    );
    expect(planOf({ affiliate }).warnings).toEqual([]);
  });
});

describe("nothing due", () => {
  test.each([
    ["held", { held: 1 }],
    ["commissions_pending_approval", { pending: 2 }],
    ["in_hold_period", { inHold: 1, nextPayableAt: NOW + 1 }],
    ["outside_period", { outside: 1 }],
  ] as const)("%s says why", (reason, more) => {
    const plan = planOf({ due: none(more) });
    expect(plan).toMatchObject({ gross: 0, recovered: 0, net: 0 });
    expect(plan.stops.map((blocker) => blocker.reason)).toEqual([reason]);
  });

  test("in_hold_period says until when", () => {
    expect(planOf({ due: none({ inHold: 1, nextPayableAt: NOW + 5 }) }).stops[0]?.until).toBe(NOW + 5);
  });

  test("with nothing at all there is no reason either", () => {
    expect(planOf({ due: none({}) }).stops).toEqual([]);
  });

  test("what others wait for says nothing where something is due", () => {
    expect(stopsOf({ due: due({ held: 1, pending: 1, inHold: 1, outside: 1 }) })).toEqual([]);
  });
});

describe("precedence", () => {
  test("it is the documented order", () => {
    expect(REASONS).toEqual([
      ...["affiliate_suspended", "held", "commissions_pending_approval", "in_hold_period", "outside_period"],
      ...[
        "recovery_exceeds_earnings",
        "below_minimum",
        "currency_not_supported_by_method",
        "no_payout_method",
      ],
      ...["tax_form_required", "payout_method_not_ready", "destination_cooldown", "not_selected"],
      ...["awaiting_approval", "awaiting_payment", "payment_in_progress", "payment_failed"],
    ]);
  });

  test("all that apply are listed, the first by precedence first", () => {
    const rules = {
      payout_methods: ["manual"],
      require_tax_form: true,
      minimum_payout: { USD: 5000 },
    } as const;
    const suspended = { ...onStripe, status: "suspended" } as const;
    expect(stopsOf({ affiliate: suspended, rules })).toEqual([
      ...["affiliate_suspended", "below_minimum", "no_payout_method", "tax_form_required"],
    ]);
    expect(
      stopsOf({ affiliate: suspended, rules, due: none({ held: 1, pending: 1, inHold: 1, outside: 1 }) }),
    ).toEqual([
      ...["affiliate_suspended", "held", "commissions_pending_approval", "in_hold_period", "outside_period"],
      ...["no_payout_method", "tax_form_required"],
    ]);
  });

  test("sorting changes neither the list nor what is in it", () => {
    const blockers = REASONS.map((reason) => ({ reason, detail: "" })).reverse();
    expect(byPrecedence(blockers).map(({ reason }) => reason)).toEqual(REASONS);
    expect(blockers[0]?.reason).toBe(REASONS.at(-1));
  });
});

describe("carries", () => {
  test.each(["manual", "bank_transfer", "store_credit"] as const)("%s carries every currency", (method) => {
    expect(["USD", "KWD", "VND"].every((currency) => carries(method, currency))).toBe(true);
  });

  test.each(["stripe", "paypal", "wise"] as const)("%s carries dollars and no Kuwaiti dinars", (method) => {
    expect(carries(method, "USD")).toBe(true);
    expect(carries(method, "KWD")).toBe(false);
  });
});
