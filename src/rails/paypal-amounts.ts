// Amounts as PayPal writes them: exact decimal strings, without decimals where PayPal takes none.
import { type Currency, exponentOf, isCurrency, toDecimal } from "../domain/money.ts";
import { carries } from "../domain/rail-currencies.ts";

/** PayPal takes no decimals in these, though ISO 4217 gives HUF and TWD two. */
const WHOLE_AT_PAYPAL: readonly Currency[] = ["HUF", "JPY", "TWD"];

/** Minor units as PayPal's `value`; undefined where PayPal cannot carry exactly that amount. */
export const toPayPalValue = (amount: number, currency: Currency): string | undefined => {
  if (!Number.isSafeInteger(amount) || amount <= 0 || !isCurrency(currency) || !carries("paypal", currency))
    return undefined;
  if (!WHOLE_AT_PAYPAL.includes(currency)) return toDecimal(amount, currency);
  const unit = 10 ** exponentOf(currency);
  return amount % unit === 0 ? String(amount / unit) : undefined;
};

/** PayPal's `value` in minor units, however many zeros it ends in; undefined where it is no exact amount. */
export const fromPayPalValue = (value: string, currency: Currency): number | undefined => {
  const [, whole, fraction = ""] = /^(\d{1,13})(?:\.(\d{1,6}))?$/.exec(value) ?? [];
  if (whole === undefined || !isCurrency(currency)) return undefined;
  const exponent = exponentOf(currency);
  if (/[1-9]/.test(fraction.slice(exponent))) return undefined;
  const amount = Number(whole + fraction.slice(0, exponent).padEnd(exponent, "0"));
  return Number.isSafeInteger(amount) ? amount : undefined;
};
