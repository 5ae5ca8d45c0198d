// Tax forms and the thresholds of reports: what is on file, until when, and from which sum on a year is reported.
import { endOfDate } from "./dates.ts";

export const TAX_FORMS = ["w9", "w8ben", "w8ben_e", "vat_id"] as const;
export type TaxFormKind = (typeof TAX_FORMS)[number];

/** What may be read of a form without opening it. */
export interface TaxFormStanding {
  readonly kind: TaxFormKind;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  /** The last four characters of the tax number, or of the VAT id where there is no other. */
  readonly last4: string;
  /** Epoch milliseconds. */
  readonly filedAt: number;
  /** The first instant at which it no longer counts; null where it does not expire. */
  readonly expiresAt: number | null;
}

/** Sealed as a whole; what a statement and a tax report need is taken out of it when they are made. */
export interface TaxFormDetails {
  readonly kind: TaxFormKind;
  readonly legalName: string;
  readonly address: string;
  readonly country: string;
  readonly taxId: string | null;
  readonly vatId: string | null;
  /** The date of the signature, YYYY-MM-DD. */
  readonly signedOn: string;
}

/**
 * A W-8 is good to the end of the third calendar year after its signature (instructions to Form W-8BEN); a W-9 and a VAT id
 * until they are replaced. Epoch milliseconds in the program's zone.
 */
export const expiryOf = (kind: TaxFormKind, signedOn: string, zone: string): number | null =>
  kind === "w8ben" || kind === "w8ben_e"
    ? endOfDate(`${Number(signedOn.slice(0, 4)) + 3}-12-31`, zone)
    : null;

export const isCurrent = (form: TaxFormStanding | null, now: number): boolean =>
  form !== null && (form.expiresAt === null || now < form.expiresAt);

/** By calendar year of payment, cents of a US dollar: IRC 6041(a) and 6041A, $600 through 2025 and $2,000 since (P.L. 119-21, sec. 70433). */
const NEC_THRESHOLDS: Readonly<Record<number, number>> = { 2025: 60_000, 2026: 200_000 };

export interface Threshold {
  /** Minor units of USD. */
  readonly amount: number;
  /** False where the year's own figure is not configured and the last known one stands in: from 2027 on it is indexed. */
  readonly isKnown: boolean;
}

/** What a year's payments to one payee must reach for a 1099-NEC; `configured` wins over what is known here. */
export const necThreshold = (year: number, configured: Readonly<Record<number, number>> = {}): Threshold => {
  const known = { ...NEC_THRESHOLDS, ...configured };
  const own = known[Math.max(year, 2025)];
  if (own !== undefined) return { amount: own, isKnown: true };
  const last = Math.max(
    ...Object.keys(known)
      .map(Number)
      .filter((other) => other < year),
  );
  return { amount: known[last] ?? 0, isKnown: false };
};

const EU = "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE".split(" ");

/** The country that a VAT id is of: Greece writes EL. */
export const vatCountry = (vatId: string): string => {
  const country = vatId.slice(0, 2).toUpperCase();
  return country === "EL" ? "GR" : country;
};

/** Services between businesses of two EU countries: the recipient accounts for the VAT (Directive 2006/112/EC, articles 44 and 196). */
export const isReverseCharge = (merchantVatId: string | null, affiliateVatId: string | null): boolean => {
  if (merchantVatId === null || affiliateVatId === null) return false;
  const [to, from] = [vatCountry(merchantVatId), vatCountry(affiliateVatId)];
  return to !== from && EU.includes(to) && EU.includes(from);
};
