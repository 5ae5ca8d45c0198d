// One payment of a file: whom it pays, how much, and what keeps it from being written correctly.

import type { PayoutId } from "../ids.ts";
import { type Currency, toDecimal } from "../money.ts";
import { type Refusal, refuse } from "../refusals.ts";
import { isFormula } from "./csv.ts";
import type { FileFormat } from "./format.ts";
import { nameInLatin } from "./latin.ts";
import { countryOfIban, isEea, isSepa } from "./region.ts";

/** Never unstructured: banks reject address lines. */
export interface PostalAddress {
  readonly street: string | null;
  readonly postalCode: string | null;
  readonly town: string;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
}

export interface BankAccount {
  readonly name: string;
  /** Electronic format. */
  readonly iban: string;
  readonly bic: string | null;
  readonly address: PostalAddress | null;
}

export interface EmailAccount {
  readonly name: string;
  readonly email: string;
  /** What the receiver gets; null: the payment's own. */
  readonly currency: Currency | null;
}

export interface PaymentLine<Account = BankAccount | EmailAccount> {
  readonly payoutId: PayoutId;
  readonly endToEndId: string;
  /** Minor units of `currency`. */
  readonly amount: number;
  readonly currency: Currency;
  readonly to: Account;
  /** What the receiver reads. */
  readonly text: string;
}

export const isBankAccount = (account: BankAccount | EmailAccount): account is BankAccount =>
  "iban" in account;

/** Nm, StrtNm, TwnNm, PstCd and Ustrd of the implementation guidelines, in characters. */
export const NAME_MAX = 70;
export const STREET_MAX = 70;
export const TOWN_MAX = 35;
export const POSTAL_CODE_MAX = 16;
export const TEXT_MAX = 140;

/** 999,999,999.99, the most that a SEPA credit transfer carries. */
const SEPA_AMOUNT_MAX = 99_999_999_999;
const PAYPAL_REFERENCE_MAX = 30;
const PAYPAL_EMAIL_MAX = 127;

/** A euro payment between two accounts within SEPA. */
export const isSepaPayment = (line: PaymentLine<BankAccount>, debtor: BankAccount): boolean =>
  line.currency === "EUR" && isSepa(countryOfIban(line.to.iban)) && isSepa(countryOfIban(debtor.iban));

const isWithinEea = ({ iban, address }: BankAccount): boolean =>
  isEea(countryOfIban(iban)) && (address === null || isEea(address.country));

/** Both ends' addresses go with it: one end is outside the EEA, or it is no SEPA payment. */
export const needsAddresses = (line: PaymentLine<BankAccount>, debtor: BankAccount): boolean =>
  !(isSepaPayment(line, debtor) && isWithinEea(line.to) && isWithinEea(debtor));

export type WhyNot = Pick<Refusal, "code" | "detail">;

const no = (code: Refusal["code"], detail: string): WhyNot => refuse(code, detail).refusal;

const isWritable = ({ street, town, postalCode }: PostalAddress): boolean =>
  nameInLatin(town, TOWN_MAX) !== undefined &&
  (street === null || nameInLatin(street, STREET_MAX) !== undefined) &&
  (postalCode === null || nameInLatin(postalCode, POSTAL_CODE_MAX) !== undefined);

const whyNotPain = (line: PaymentLine<BankAccount>, debtor: BankAccount): WhyNot | undefined => {
  const { to, amount, currency } = line;
  if (nameInLatin(to.name, NAME_MAX) === undefined) {
    return no(
      "not_writable",
      "The account holder's name has letters that banks' Latin characters do not write: set the payout method again with the name as the bank spells it.",
    );
  }
  if (amount > SEPA_AMOUNT_MAX)
    return no("not_writable", `One credit transfer carries at most ${toDecimal(SEPA_AMOUNT_MAX, currency)}.`);
  if (!needsAddresses(line, debtor)) return undefined;
  if (to.address === null) {
    return no(
      "address_required",
      "A payment that leaves the European Economic Area, or SEPA, needs the account holder's structured address (town and country at least): set the payout method again with it.",
    );
  }
  if (debtor.address === null) {
    return no(
      "address_required",
      "A payment that leaves the European Economic Area, or SEPA, needs the debtor's structured address: send debtor.address with town and country.",
    );
  }
  return isWritable(to.address)
    ? undefined
    : no("not_writable", "The address has letters that banks' Latin characters do not write.");
};

const whyNotEmail = (line: PaymentLine<EmailAccount>, format: FileFormat): WhyNot | undefined => {
  // With a mark in front it would be another address.
  if (isFormula(line.to.email)) {
    return no(
      "not_writable",
      "The address starts like a spreadsheet formula and cannot stand in this file: pay it by API or by hand.",
    );
  }
  if (format !== "paypal_csv") return undefined;
  if (line.endToEndId.length > PAYPAL_REFERENCE_MAX || line.to.email.length > PAYPAL_EMAIL_MAX)
    return no("not_writable", "PayPal's file has no room for this payment's reference or address.");
  return undefined;
};

/** Why this payment cannot be written correctly; undefined where it can. `debtor` stands behind pain.001 only. */
export const whyNotWritable = (
  format: FileFormat,
  line: PaymentLine,
  debtor: BankAccount | undefined,
): WhyNot | undefined => {
  const { to } = line;
  if (!isBankAccount(to)) return whyNotEmail({ ...line, to }, format);
  if (format !== "pain.001.001.09") return undefined;
  if (debtor === undefined) throw new Error("a pain.001 without a debtor");
  return whyNotPain({ ...line, to }, debtor);
};

/** Why this account cannot pay by pain.001; undefined where it can. */
export const whyNotDebtor = (debtor: BankAccount): WhyNot | undefined => {
  if (nameInLatin(debtor.name, NAME_MAX) === undefined)
    return no("not_writable", "The debtor's name has letters that banks' Latin characters do not write.");
  if (debtor.address !== null && !isWritable(debtor.address))
    return no("not_writable", "The debtor's address has letters that banks' Latin characters do not write.");
  return undefined;
};
