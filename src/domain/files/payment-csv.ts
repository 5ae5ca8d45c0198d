// The CSV files that people upload: a plain one for banks, PayPal's Payouts Web, Wise's batch by e-mail.

import { toDecimal } from "../money.ts";
import { toPayPalValue } from "../paypal-value.ts";
import { type Cell, writeCsv } from "./csv.ts";
import type { BankAccount, EmailAccount, PaymentLine } from "./payment-line.ts";

const text = (value: string | null): Cell => ({ text: value ?? "" });
const exact = (value: string): Cell => ({ exact: value });

const amountOf = ({ amount, currency }: PaymentLine): Cell => exact(toDecimal(amount, currency));

const BANK_COLUMNS = [
  "end_to_end_id",
  "creditor_name",
  "iban",
  "bic",
  "amount",
  "currency",
  "remittance_information",
  "requested_execution_date",
  "street",
  "postal_code",
  "town",
  "country",
];

/** Our own columns: banks agree on none. UTF-8, names as they were given. */
export const writeBankCsv = (lines: readonly PaymentLine<BankAccount>[], executionDate: string): string =>
  writeCsv([
    BANK_COLUMNS.map(exact),
    ...lines.map((line) => [
      exact(line.endToEndId),
      text(line.to.name),
      exact(line.to.iban),
      exact(line.to.bic ?? ""),
      amountOf(line),
      exact(line.currency),
      text(line.text),
      exact(executionDate),
      text(line.to.address?.street ?? null),
      text(line.to.address?.postalCode ?? null),
      text(line.to.address?.town ?? null),
      exact(line.to.address?.country ?? ""),
    ]),
  ]);

/**
 * PayPal Payouts Web (developer.paypal.com/payouts/use-payouts/send-money/use-web-ui): no header; recipient, amount, currency,
 * customer id of at most 30 characters, note of at most 400, wallet. One currency a file.
 */
export const writePayPalCsv = (lines: readonly PaymentLine<EmailAccount>[]): string =>
  writeCsv(
    lines.map((line) => [
      exact(line.to.email),
      exact(toPayPalValue(line.amount, line.currency) ?? toDecimal(line.amount, line.currency)),
      exact(line.currency),
      exact(line.endToEndId),
      text(line.text.slice(0, NOTE_MAX)),
      exact("PAYPAL"),
    ]),
  );

const NOTE_MAX = 400;

const WISE_COLUMNS = [
  "name",
  "recipientEmail",
  "paymentReference",
  "receiverType",
  "amountCurrency",
  "amount",
  "sourceCurrency",
  "targetCurrency",
];

/**
 * Wise's template for paying by e-mail (wise.com/help/articles/2663302). Where the receiver gets another currency the payout's
 * own amount is fixed as the source; in one currency it is fixed as the target, so that fees are not taken from it.
 */
export const writeWiseCsv = (lines: readonly PaymentLine<EmailAccount>[]): string =>
  writeCsv([
    WISE_COLUMNS.map(exact),
    ...lines.map((line) => {
      const target = line.to.currency ?? line.currency;
      return [
        text(line.to.name),
        exact(line.to.email),
        exact(line.endToEndId),
        exact("PERSON"),
        exact(target === line.currency ? "target" : "source"),
        amountOf(line),
        exact(line.currency),
        exact(target),
      ];
    }),
  ]);
