// Money is an integer of ISO 4217 minor units beside its currency; here are the currencies, their exponents and steps, and the one rounding rule.

export type Currency = string;

/** Largest amount of one commission, credit or refund, in minor units. */
export const AMOUNT_MAX = 99_999_999_999;

interface CurrencyRule {
  /** ISO 4217 decimals. */
  readonly exponent: 0 | 2 | 3;
  /** Smallest sendable unit, in minor units: HUF and TWD pay out in whole units only, three-decimal currencies end in 0. */
  readonly step: number;
}

const whole: CurrencyRule = { exponent: 0, step: 1 };
const cents: CurrencyRule = { exponent: 2, step: 1 };
const wholeOfCents: CurrencyRule = { exponent: 2, step: 100 };
const tensOfMils: CurrencyRule = { exponent: 3, step: 10 };

/** The allow-list: a currency that is not here is refused before anything is written. */
export const CURRENCIES: Readonly<Record<Currency, CurrencyRule>> = {
  AED: cents,
  AUD: cents,
  BGN: cents,
  BRL: cents,
  CAD: cents,
  CHF: cents,
  CZK: cents,
  DKK: cents,
  EUR: cents,
  GBP: cents,
  HKD: cents,
  ILS: cents,
  INR: cents,
  MXN: cents,
  MYR: cents,
  NOK: cents,
  NZD: cents,
  PHP: cents,
  PLN: cents,
  RON: cents,
  SAR: cents,
  SEK: cents,
  SGD: cents,
  THB: cents,
  TRY: cents,
  USD: cents,
  ZAR: cents,
  HUF: wholeOfCents,
  TWD: wholeOfCents,
  CLP: whole,
  ISK: whole,
  JPY: whole,
  KRW: whole,
  UGX: whole,
  VND: whole,
  BHD: tensOfMils,
  JOD: tensOfMils,
  KWD: tensOfMils,
  OMR: tensOfMils,
  TND: tensOfMils,
};

export const CURRENCY_CODES: readonly Currency[] = Object.keys(CURRENCIES).sort();

export const isCurrency = (code: string): code is Currency => Object.hasOwn(CURRENCIES, code);

const ruleOf = (currency: Currency): CurrencyRule => {
  const rule = CURRENCIES[currency];
  if (rule === undefined) throw new Error(`not on the currency allow-list: ${currency}`);
  return rule;
};

export const exponentOf = (currency: Currency): number => ruleOf(currency).exponent;
export const stepOf = (currency: Currency): number => ruleOf(currency).step;

/** True for a positive safe integer of minor units within the bound that whole payments can carry. */
export const isAmount = (amount: number, currency: Currency): boolean =>
  Number.isSafeInteger(amount) && amount > 0 && amount <= AMOUNT_MAX && amount % stepOf(currency) === 0;

/**
 * A rate in basis points of a base in minor units, rounded once, half away from zero, to the currency's step.
 * BigInt keeps base × rate exact where it would pass 2^53.
 */
export const rateOf = (base: number, rateBps: number, currency: Currency): number => {
  const divisor = 10_000n * BigInt(stepOf(currency));
  const product = BigInt(base) * BigInt(rateBps);
  const steps = (product * 2n + divisor) / (divisor * 2n);
  return Number(steps) * stepOf(currency);
};

/** Minor units as a decimal string with the currency's own number of decimals ("12.34", "1200"). */
export const toDecimal = (amount: number, currency: Currency): string => {
  const exponent = exponentOf(currency);
  const sign = amount < 0 ? "-" : "";
  const digits = String(Math.abs(amount)).padStart(exponent + 1, "0");
  return exponent === 0
    ? `${sign}${digits}`
    : `${sign}${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`;
};
