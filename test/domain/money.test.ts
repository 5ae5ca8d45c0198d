// Money: which amounts can be sent, how a rate is rounded, and how an amount is written.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  AMOUNT_MAX,
  CURRENCY_CODES,
  exponentOf,
  isAmount,
  isCurrency,
  rateOf,
  stepOf,
  toDecimal,
} from "../../src/domain/money.ts";

describe("currencies", () => {
  test.each([
    ["HUF", 2, 100],
    ["TWD", 2, 100],
    ["ISK", 0, 1],
    ["UGX", 0, 1],
    ["JPY", 0, 1],
    ["JOD", 3, 10],
    ["KWD", 3, 10],
    ["BHD", 3, 10],
    ["OMR", 3, 10],
    ["TND", 3, 10],
    ["USD", 2, 1],
    ["EUR", 2, 1],
  ])("%s has %i decimals and goes in steps of %i minor units", (currency, exponent, step) => {
    expect(exponentOf(currency)).toBe(exponent);
    expect(stepOf(currency)).toBe(step);
  });

  test("codes are capitals, and what is no code, or a property of every object, is none", () => {
    expect(CURRENCY_CODES.every((code) => /^[A-Z]{3}$/.test(code) && isCurrency(code))).toBe(true);
    for (const code of ["usd", "XXX", "", "toString", "__proto__", "constructor"])
      expect(isCurrency(code)).toBe(false);
  });

  test("what is not on the list has no rules", () => {
    expect(() => stepOf("XXX")).toThrow("XXX");
  });
});

describe("isAmount", () => {
  test("from one step to 99,999,999,999 minor units, whole and positive", () => {
    expect(AMOUNT_MAX).toBe(99_999_999_999);
    for (const amount of [1, 2, AMOUNT_MAX]) expect(isAmount(amount, "USD")).toBe(true);
    for (const amount of [0, -1, 0.5, AMOUNT_MAX + 1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(isAmount(amount, "USD")).toBe(false);
    }
  });

  test("only multiples of the currency's step", () => {
    expect([100, 150, 200].map((amount) => isAmount(amount, "HUF"))).toEqual([true, false, true]);
    expect([10, 15, 20].map((amount) => isAmount(amount, "KWD"))).toEqual([true, false, true]);
    expect([1, 2, 3].map((amount) => isAmount(amount, "JPY"))).toEqual([true, true, true]);
  });
});

describe("rateOf", () => {
  test.each([
    [1000, 1000, "USD", 100],
    [5, 1000, "USD", 1],
    [4, 1000, "USD", 0],
    [15, 1000, "USD", 2],
    [25, 1000, "USD", 3],
    [14_999, 1, "USD", 1],
    [15_000, 1, "USD", 2],
    [12_345, 1000, "USD", 1235],
    [0, 1000, "USD", 0],
    [1000, 10_000, "USD", 1000],
    [499, 1000, "HUF", 0],
    [500, 1000, "HUF", 100],
    [1499, 1000, "HUF", 100],
    [1500, 1000, "HUF", 200],
    [49, 1000, "KWD", 0],
    [50, 1000, "KWD", 10],
    [5, 1000, "JPY", 1],
    [99_999_999_999, 9999, "USD", 99_989_999_999],
  ] as const)("%i at %i basis points in %s is %i", (base, bps, currency, amount) => {
    expect(rateOf(base, bps, currency)).toBe(amount);
  });

  const base = fc.integer({ min: 0, max: AMOUNT_MAX });
  const bps = fc.integer({ min: 0, max: 10_000 });
  const currency = fc.constantFrom(...CURRENCY_CODES);

  test("it is a multiple of the step, at most half a step from the exact rate, and half goes up", () => {
    fc.assert(
      fc.property(base, bps, currency, (of, rate, code) => {
        const step = BigInt(stepOf(code));
        const amount = BigInt(rateOf(of, rate, code));
        const twice = 2n * (amount * 10_000n - BigInt(of) * BigInt(rate));
        expect(amount % step).toBe(0n);
        expect(twice <= step * 10_000n && twice > -step * 10_000n).toBe(true);
      }),
    );
  });

  test("more of an order never earns less", () => {
    fc.assert(
      fc.property(base, base, bps, currency, (one, other, rate, code) => {
        const [less, more] = [Math.min(one, other), Math.max(one, other)];
        expect(rateOf(less, rate, code)).toBeLessThanOrEqual(rateOf(more, rate, code));
      }),
    );
  });
});

describe("toDecimal", () => {
  test.each([
    [1234, "USD", "12.34"],
    [5, "USD", "0.05"],
    [100, "USD", "1.00"],
    [0, "USD", "0.00"],
    [-7, "USD", "-0.07"],
    [-1234, "USD", "-12.34"],
    [1200, "JPY", "1200"],
    [0, "JPY", "0"],
    [12_340, "KWD", "12.340"],
    [10, "KWD", "0.010"],
    [99_999_999_999, "USD", "999999999.99"],
  ] as const)("%i %s is written %s", (amount, currency, text) => {
    expect(toDecimal(amount, currency)).toBe(text);
  });

  test("it can be read back without loss", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -AMOUNT_MAX, max: AMOUNT_MAX }),
        fc.constantFrom(...CURRENCY_CODES),
        (amount, code) => {
          const text = toDecimal(amount, code);
          expect(Number(text.replace(".", ""))).toBe(amount);
          expect(text.split(".")[1]?.length ?? 0).toBe(exponentOf(code));
        },
      ),
    );
  });
});
