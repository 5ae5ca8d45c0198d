// Partnero's fields as they come in: currencies in either case, decimal amounts, notes, and bank details that prove themselves.
import { z } from "zod";
import { type Currency, isCurrency } from "../domain/money.ts";

export const currencyIn = z
  .string()
  .transform((text) => text.toUpperCase())
  .refine((code): code is Currency => isCurrency(code), "must be a currency of the allow-list")
  .meta({ example: "USD" });

/** Text keeps decimals that a number might lose; which of them a currency has, the handler asks. */
export const decimal = z.union([z.number(), z.string().max(30)]).meta({ example: 25 });

const INVISIBLE = /\p{Cc}|\p{Cf}|\p{Cs}|\p{Zl}|\p{Zp}/u;
const LINES = /[\n\r\t\u200C\u200D]/g;
const isVisible = (text: string): boolean => !INVISIBLE.test(text);

export const note = z
  .string()
  .max(2_000)
  .refine((text) => isVisible(text.replaceAll(LINES, "")), "must not hold control or zero-width characters")
  .refine((text) => text.trim() !== "", "must not be blank");

const line = (max: number) =>
  z
    .string()
    .max(max)
    .refine(isVisible, "must not hold control or zero-width characters")
    .refine((text) => text.trim() !== "", "must not be blank");

export const email = z.email("must be one e-mail address").max(254);

/** As PayPal takes a receiver. */
export const paypalEmail = z.email("must be one e-mail address").max(127);

/** How long each country's IBAN is (ISO 13616, the SWIFT registry). */
const LENGTHS =
  "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 FI18 FK18 " +
  "FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 " +
  "LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 " +
  "SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30";

const digitsOf = (text: string): string =>
  [...text].map((char) => (/\d/.test(char) ? char : String(char.charCodeAt(0) - 55))).join("");

/** In electronic format. */
const isIban = (text: string): boolean => {
  if (!/^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/.test(text)) return false;
  if (!LENGTHS.includes(`${text.slice(0, 2)}${text.length}`)) return false;
  return BigInt(digitsOf(`${text.slice(4)}${text.slice(0, 4)}`)) % 97n === 1n;
};

const iban = z
  .string()
  .max(64)
  .transform((text) => text.replaceAll(/[ -]/g, "").toUpperCase())
  .refine(isIban, "must be an IBAN with its own check digits")
  .meta({ example: "DE89370400440532013000" });

const swift = z
  .string()
  .max(32)
  .transform((text) => text.replaceAll(" ", "").toUpperCase())
  .refine((text) => /^[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?$/.test(text), "must be a BIC of 8 or 11 characters")
  .meta({ example: "COBADEFFXXX" });

export const bankDetails = z.object({ account_name: line(140), iban, swift });
