// Wise's amounts are JSON decimals of major units: written from and read back into integers of minor units, never reckoned as floats.
import { AMOUNT_MAX, type Currency, exponentOf, isAmount, isCurrency, toDecimal } from "../domain/money.ts";
import { carries } from "../domain/rail-currencies.ts";

/** The text of the JSON number, or undefined for an amount that cannot be carried exactly. */
export const toWiseAmount = (amount: number, currency: Currency): string | undefined =>
  isCurrency(currency) && carries("wise", currency) && isAmount(amount, currency)
    ? toDecimal(amount, currency)
    : undefined;

const DECIMAL = /^(\d{1,12})(?:\.(\d{1,3}))?$/;

/**
 * Minor units of a number that JSON.parse made, or undefined for what is no exact amount of the currency.
 * Up to 15 significant digits a number's own shortest text is the decimal that stood in the JSON.
 */
export const fromWiseAmount = (value: unknown, currency: Currency): number | undefined => {
  if (typeof value !== "number" || !isCurrency(currency)) return undefined;
  const match = DECIMAL.exec(String(value));
  if (match === null) return undefined;
  const exponent = exponentOf(currency);
  const decimals = match[2] ?? "";
  if (decimals.length > exponent) return undefined;
  const amount = Number(`${match[1]}${decimals.padEnd(exponent, "0")}`);
  return amount <= AMOUNT_MAX ? amount : undefined;
};
