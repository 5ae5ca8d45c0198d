// Reads the fields of a request's JSON body and of its query, and refuses what Wise refuses.

import { invalid, missing } from "./wise-errors.ts";
import { milsOf } from "./wise-world.ts";

type Body = Record<string, unknown>;

export function textAt(body: Body, name: string): string {
  const value = body[name];
  if (value === undefined || value === null) throw missing(name);
  if (typeof value !== "string") throw invalid({ code: "ERROR", message: "must be a text", path: name }, 400);
  return value;
}

export function integerAt(body: Body, name: string): number {
  const value = body[name];
  if (value === undefined || value === null) throw missing(name);
  if (typeof value !== "number" || !Number.isSafeInteger(value)) {
    throw invalid({ code: "ERROR", message: `Unable to parse number [${String(value)}]`, path: name }, 400);
  }
  return value;
}

export const objectAt = (body: Body, name: string): Body => {
  const value = body[name];
  return typeof value === "object" && value !== null ? (value as Body) : {};
};

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function uuidAt(body: Body, name: string): string {
  const text = textAt(body, name);
  if (!UUID.test(text)) throw invalid({ code: "ERROR", message: "must be a UUID", path: name }, 400);
  return text;
}

const CURRENCIES = new Set(
  (
    "AED AUD BGN BRL CAD CHF CLP CZK DKK EUR GBP HKD HUF ILS INR ISK JPY KRW MXN MYR NOK NZD PHP PLN RON SEK SGD " +
    "THB TRY TWD UGX USD VND ZAR"
  ).split(" "),
);

const WHOLE = ["CLP", "ISK", "JPY", "KRW", "UGX", "VND"];

/** Thousandths of the smallest amount that the currency has. */
export const stepOf = (currency: string): number => (WHOLE.includes(currency) ? 1000 : 10);

export function currencyAt(body: Body, name: string): string {
  const code = textAt(body, name);
  if (!CURRENCIES.has(code)) {
    throw invalid(
      {
        code: "CurrencyCode",
        message: "That wasn't a valid ISO-4217 currency code (like GBP, USD or EUR).",
        path: name,
      },
      400,
    );
  }
  return code;
}

/** In thousandths. */
export function amountAt(body: Body, name: string, currency: string): number {
  const value = body[name];
  if (typeof value !== "number") throw missing(name);
  if (value <= 0) {
    throw invalid(
      {
        code: "error.greaterThanZero",
        message: "Please type in a number that's larger than 0.",
        path: name,
      },
      400,
    );
  }
  const mils = milsOf(value);
  if (mils / 1000 !== value || mils % stepOf(currency) !== 0) {
    throw invalid({ code: "error.decimals", message: `${currency} has fewer decimals.`, path: name }, 400);
  }
  return mils;
}

/** A whole number of the query, or its default. */
export function numberIn(query: URLSearchParams, name: string, otherwise: number): number {
  const text = query.get(name);
  if (text === null) return otherwise;
  if (!/^\d{1,15}$/.test(text)) {
    throw invalid({ code: "bad.request", message: `'${name}' should be a valid 'Long'`, path: name }, 400);
  }
  return Number(text);
}

/** Epoch milliseconds of the query, or its default. */
export function dateIn(query: URLSearchParams, name: string, otherwise: number): number {
  const text = query.get(name);
  if (text === null) return otherwise;
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw invalid({ code: "bad.request", message: "unparseable date", path: name }, 400);
  return at;
}
