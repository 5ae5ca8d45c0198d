// Wise's decimals: every amount that can be sent goes there and back exactly, and what cannot is refused.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AMOUNT_MAX, CURRENCY_CODES, exponentOf, stepOf } from "../../src/domain/money.ts";
import { carries } from "../../src/domain/rail-currencies.ts";
import { fromWiseAmount, toWiseAmount } from "../../src/rails/wise-amount.ts";

const CARRIED = CURRENCY_CODES.filter((currency) => carries("wise", currency));

const thereAndBack = (amount: number, currency: string): number | undefined => {
  const text = toWiseAmount(amount, currency);
  if (text === undefined) throw new Error(`${amount} ${currency} is not carried`);
  const { sourceAmount } = JSON.parse(`{"sourceAmount":${text}}`) as { sourceAmount: unknown };
  return fromWiseAmount(sourceAmount, currency);
};

describe("amounts at Wise", () => {
  it("carries 32 currencies, those without decimals among them", () => {
    expect(CARRIED).toHaveLength(32);
    expect(CARRIED).toEqual(expect.arrayContaining(["EUR", "JPY", "HUF", "UGX"]));
  });

  it.each(CARRIED)("come back as they went in %s", (currency) => {
    const step = stepOf(currency);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: Math.floor(AMOUNT_MAX / step) }), (steps) => {
        expect(thereAndBack(steps * step, currency)).toBe(steps * step);
      }),
      { numRuns: 300 },
    );
    const largest = Math.floor(AMOUNT_MAX / step) * step;
    for (const amount of [step, 7 * step, largest, largest - step])
      expect(thereAndBack(amount, currency)).toBe(amount);
  });

  it("are written in the currency's own decimals, where floats would write others", () => {
    expect(toWiseAmount(10_050, "USD")).toBe("100.50");
    expect(toWiseAmount(1, "EUR")).toBe("0.01");
    expect(toWiseAmount(1_000, "JPY")).toBe("1000");
    expect(toWiseAmount(120_000, "HUF")).toBe("1200.00");
    expect(toWiseAmount(AMOUNT_MAX, "USD")).toBe("999999999.99");
    for (const currency of CARRIED) {
      const decimals = toWiseAmount(12 * stepOf(currency), currency)?.split(".")[1]?.length ?? 0;
      expect(decimals, currency).toBe(exponentOf(currency));
    }
  });

  it.each([
    ["a fraction of a forint", 150, "HUF"],
    ["nothing", 0, "USD"],
    ["less than nothing", -100, "USD"],
    ["a fraction of a cent", 10.5, "USD"],
    ["more than is ever paid", AMOUNT_MAX + 1, "USD"],
    ["what is no number", Number.NaN, "USD"],
    ["a currency that Wise does not carry", 1_000, "ISK"],
    ["a currency that does not exist", 1_000, "XXX"],
  ])("are refused where they are %s", (_what, amount, currency) => {
    expect(toWiseAmount(amount, currency)).toBeUndefined();
  });

  it.each([
    ["a text", "100.50", "USD"],
    ["an exponent", 1e21, "USD"],
    ["a tiny exponent", 1e-7, "USD"],
    ["less than nothing", -1, "USD"],
    ["more decimals than the currency has", 0.001, "EUR"],
    ["decimals of a yen", 10.5, "JPY"],
    ["nothing at all", undefined, "USD"],
    ["what float arithmetic makes of 0.1 + 0.2", 0.1 + 0.2, "USD"],
    ["more than is ever paid", 1_000_000_000, "USD"],
  ])("are not read from %s", (_what, value, currency) => {
    expect(fromWiseAmount(value, currency)).toBeUndefined();
  });
});
