// Amounts as PayPal writes them: exact decimal strings, without decimals where PayPal takes none.
import { type Currency, exponentOf, isCurrency } from "../domain/money.ts";

export { toPayPalValue } from "../domain/paypal-value.ts";

/** PayPal's `value` in minor units, however many zeros it ends in; undefined where it is no exact amount. */
export const fromPayPalValue = (value: string, currency: Currency): number | undefined => {
  const [, whole, fraction = ""] = /^(\d{1,13})(?:\.(\d{1,6}))?$/.exec(value) ?? [];
  if (whole === undefined || !isCurrency(currency)) return undefined;
  const exponent = exponentOf(currency);
  if (/[1-9]/.test(fraction.slice(exponent))) return undefined;
  const amount = Number(whole + fraction.slice(0, exponent).padEnd(exponent, "0"));
  return Number.isSafeInteger(amount) ? amount : undefined;
};
