// Minor units become PayPal's decimal strings and come back the same, or PayPal cannot carry them.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AMOUNT_MAX, CURRENCY_CODES, stepOf } from "../../src/domain/money.ts";
import { carries } from "../../src/domain/rail-currencies.ts";
import { fromPayPalValue, toPayPalValue } from "../../src/rails/paypal-amounts.ts";
import { unitsOf } from "../simulators/paypal-world.ts";

const carried = CURRENCY_CODES.filter((code) => carries("paypal", code));

describe("amounts at PayPal", () => {
  it.each([
    [1_234, "USD", "12.34"],
    [5, "EUR", "0.05"],
    [100, "GBP", "1.00"],
    [1_200, "JPY", "1200"],
    [1_200, "HUF", "12"],
    [100, "TWD", "1"],
    [AMOUNT_MAX, "USD", "999999999.99"],
  ])("writes %i of %s as %s", (amount, currency, value) => {
    expect(toPayPalValue(amount, currency)).toBe(value);
    expect(fromPayPalValue(value, currency)).toBe(amount);
  });

  it("never rounds: what PayPal takes no decimals for is not sendable with decimals", () => {
    for (const [amount, currency] of [
      [1_050, "HUF"],
      [1_001, "TWD"],
      [99, "HUF"],
    ] as const)
      expect(toPayPalValue(amount, currency)).toBeUndefined();
  });

  it("writes no other currency, and nothing but a positive whole number of minor units", () => {
    for (const currency of ["KWD", "ISK", "AED", "XXX", "usd", ""])
      expect(toPayPalValue(1_000, currency)).toBeUndefined();
    for (const amount of [0, -5, 1.5, Number.NaN, 2 ** 53])
      expect(toPayPalValue(amount, "USD")).toBeUndefined();
  });

  it("reads what PayPal writes in its own way, and nothing that is no exact amount", () => {
    expect(fromPayPalValue("1.0", "USD")).toBe(100);
    expect(fromPayPalValue("1", "USD")).toBe(100);
    expect(fromPayPalValue("0.9", "USD")).toBe(90);
    expect(fromPayPalValue("1200.00", "JPY")).toBe(1_200);
    expect(fromPayPalValue("12.00", "HUF")).toBe(1_200);
    expect(fromPayPalValue("1.2300", "EUR")).toBe(123);
    for (const value of ["1.001", "-1.00", "1e3", "1,00", "", " 1", "1.", ".5", "0x10", "99999999999999"])
      expect(fromPayPalValue(value, "USD"), value).toBeUndefined();
    expect(fromPayPalValue("1200.50", "JPY")).toBeUndefined();
    expect(fromPayPalValue("1.00", "XXX")).toBeUndefined();
  });

  it("carries every sendable amount of every currency of its list there and back, in decimals that PayPal takes", () => {
    expect(carried).toHaveLength(23);
    fc.assert(
      fc.property(fc.constantFrom(...carried), fc.integer({ min: 1, max: 10_000_000 }), (currency, steps) => {
        const amount = steps * stepOf(currency);
        const value = toPayPalValue(amount, currency);
        expect(value).toBeDefined();
        expect(fromPayPalValue(value ?? "", currency)).toBe(amount);
        expect(unitsOf({ currency, value: value ?? "" })).not.toBeNull();
      }),
    );
  });
});
