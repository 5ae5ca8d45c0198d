// Decimal amounts of vendors and minor units: exact both ways by the currency's exponent, or refused.
import { AMOUNT_MAX, type Currency, exponentOf, toDecimal } from "../domain/money.ts";

/** A JSON number for minor units. Beyond 15 digits a number would be written rounded, and nothing here is that large. */
export const toNumber = (amount: number, currency: Currency): number => {
  const text = toDecimal(amount, currency);
  const value = Number(text);
  const shortest = text.includes(".") ? text.replace(/\.?0+$/, "") : text;
  if (String(value) !== shortest) throw new Error("an amount does not fit into a number");
  return value;
};

const DECIMAL = /^(\d{1,12})(?:\.(\d{1,12}))?$/;

/** Minor units of a decimal amount above zero; undefined where it has more decimals than the currency, or is none. */
export const fromDecimal = (value: number | string, currency: Currency): number | undefined => {
  const match = DECIMAL.exec(String(value));
  if (match === null) return undefined;
  const [, whole = "", fraction = ""] = match;
  const exponent = exponentOf(currency);
  if (/[^0]/.test(fraction.slice(exponent))) return undefined;
  const amount = Number(`${whole}${fraction.slice(0, exponent).padEnd(exponent, "0")}`);
  return amount > 0 && amount <= AMOUNT_MAX ? amount : undefined;
};
