// Which currency each rail carries: an allow-list, reviewed by hand, so that money that cannot be sent is never reserved.
import type { Currency } from "./money.ts";
import type { PayoutMethod } from "./payout.ts";

const codes = (text: string): readonly Currency[] => text.split(" ");

const METHOD_CURRENCIES: Readonly<Record<PayoutMethod, readonly Currency[] | "any">> = {
  stripe: codes(
    "AED AUD BGN BRL CAD CHF CZK DKK EUR GBP HKD HUF ILS INR ISK JPY MXN MYR NOK NZD PHP PLN RON SAR SEK SGD THB TRY TWD UGX USD ZAR",
  ),
  paypal: codes(
    "AUD BRL CAD CHF CZK DKK EUR GBP HKD HUF ILS JPY MXN MYR NOK NZD PHP PLN SEK SGD THB TWD USD",
  ),
  wise: codes(
    "AED AUD BGN BRL CAD CHF CLP CZK DKK EUR GBP HKD HUF ILS INR JPY KRW MXN MYR NOK NZD PHP PLN RON SEK SGD THB TRY UGX USD VND ZAR",
  ),
  bank_transfer: "any",
  store_credit: "any",
  manual: "any",
};

export const carries = (method: PayoutMethod, currency: Currency): boolean => {
  const list = METHOD_CURRENCIES[method];
  return list === "any" || list.includes(currency);
};
