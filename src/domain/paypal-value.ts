// A sum as PayPal writes it, by API and in its upload file: an exact decimal string, without decimals where PayPal takes none.
import { type Currency, exponentOf, isCurrency, toDecimal } from "./money.ts";
import { carries } from "./rail-currencies.ts";

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
