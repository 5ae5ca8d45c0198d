// The CSV files: quoted as RFC 4180 has it, guarded against formulas, with addresses and amounts as they are.
import fc from "fast-check";
import Papa from "papaparse";
import { describe, expect, it } from "vitest";
import { writeCsv } from "../../src/domain/files/csv.ts";
import { endToEndIdOf, messageIdOf, payoutOfEndToEndId } from "../../src/domain/files/format.ts";
import {
  type BankAccount,
  type EmailAccount,
  type PaymentLine,
  whyNotWritable,
} from "../../src/domain/files/payment-line.ts";
import { writeFile } from "../../src/domain/files/write-file.ts";
import type { PayoutId } from "../../src/domain/ids.ts";
import { seed } from "./memory-random.ts";

const PAYOUT: PayoutId = "po_01JZ0000000000000000000001";

const HEAD = {
  messageId: "01JZ0000000000000000000000",
  createdAt: 0,
  executionDate: "2026-11-02",
  debtor: undefined,
};

const bank = (more: Partial<BankAccount> = {}): PaymentLine<BankAccount> => ({
  payoutId: PAYOUT,
  endToEndId: endToEndIdOf(PAYOUT, 1),
  amount: 12_345,
  currency: "EUR",
  to: { name: "Ada Lovelace", iban: "DE89370400440532013000", bic: "COBADEFFXXX", address: null, ...more },
  text: "Payout 1 Shop",
});

const email = (more: Partial<EmailAccount> = {}, line: object = {}): PaymentLine<EmailAccount> => ({
  ...bank(),
  to: { name: "Ada Lovelace", email: "ada@example.com", currency: null, ...more },
  ...line,
});

const rowsOf = (text: string): string[][] => {
  expect(text.endsWith("\r\n")).toBe(true);
  const { data, errors } = Papa.parse<string[]>(text.slice(0, -2), { newline: "\r\n", delimiter: "," });
  expect(errors).toEqual([]);
  return data;
};

describe("comma-separated values", () => {
  it("quote what has commas, quotes or spaces at an end, and end every line with CRLF", () => {
    expect(writeCsv([[{ text: 'a "b", c' }, { exact: "x" }, { text: "" }], [{ text: "d" }]])).toBe(
      '"a ""b"", c",x,\r\nd\r\n',
    );
  });

  it("keep free text from being a formula", () => {
    for (const start of ["=", "+", "-", "@", "\t=", "\r+", " =", "\n-", "＝", "＋", "－", "＠"]) {
      const [[cell = ""] = []] = rowsOf(writeCsv([[{ text: `${start}cmd|' /C calc'!A0` }]]));
      expect(cell, JSON.stringify(start)).toMatch(/^'[^\t\r\n]/);
    }
    expect(rowsOf(writeCsv([[{ text: "a=b" }]]))).toEqual([["a=b"]]);
  });

  it("give exact cells as they are, or fail", () => {
    expect(writeCsv([[{ exact: "ada+shop@example.com" }, { exact: "0.01" }]])).toBe(
      "ada+shop@example.com,0.01\r\n",
    );
    for (const exact of ["=1+1", "-5.00", "+1", "@x", "a\nb"])
      expect(() => writeCsv([[{ exact }]]), exact).toThrow();
  });

  it("give back every text but for what is guarded, whatever stands in it", () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.string({ unit: "binary", maxLength: 30 }), { minLength: 2, maxLength: 4 }), {
          minLength: 1,
          maxLength: 5,
        }),
        (rows) => {
          const read = rowsOf(writeCsv(rows.map((row) => row.map((text) => ({ text })))));
          expect(read.map((row) => row.length)).toEqual(rows.map((row) => row.length));
          for (const cell of read.flat()) {
            expect(cell).not.toMatch(/^[=+\-@]/);
            expect(cell).not.toMatch(/[\t\r\n]/);
          }
          const plain = /^[A-Za-z0-9 ,"']*$/;
          for (const [r, row] of rows.entries())
            for (const [i, text] of row.entries())
              if (plain.test(text)) expect(read[r]?.[i]).toBe(text.trim());
        },
      ),
      { numRuns: 300, seed: seed() },
    );
  });
});

describe("a bank_csv", () => {
  it("has our own columns, names as they were given, and amounts with their decimals", () => {
    const address = { street: "=Street, 1", postalCode: "10115", town: "Berlin", country: "DE" };
    const lines = [bank({ name: 'Łukasz "Lu" Żółć', address }), { ...bank(), amount: 5, currency: "JPY" }];
    expect(rowsOf(writeFile({ ...HEAD, format: "bank_csv" }, lines))).toEqual([
      [
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
      ],
      [
        "PO01JZ00000000000000000000011",
        'Łukasz "Lu" Żółć',
        "DE89370400440532013000",
        "COBADEFFXXX",
        "123.45",
        "EUR",
        "Payout 1 Shop",
        "2026-11-02",
        "'=Street, 1",
        "10115",
        "Berlin",
        "DE",
      ],
      [
        "PO01JZ00000000000000000000011",
        "Ada Lovelace",
        "DE89370400440532013000",
        "COBADEFFXXX",
        "5",
        "JPY",
        "Payout 1 Shop",
        "2026-11-02",
        "",
        "",
        "",
        "",
      ],
    ]);
  });
});

describe("a file of 500", () => {
  it("stays below what a row of the database holds, sealed, in the widest letters", () => {
    const address = {
      street: "王".repeat(70),
      postalCode: "王".repeat(16),
      town: "王".repeat(35),
      country: "CN",
    };
    const lines = Array.from({ length: 500 }, () => ({
      ...bank({ name: "王".repeat(140), address }),
      text: `Payout ${"王".repeat(230)}`,
    }));
    const bytes = new TextEncoder().encode(writeFile({ ...HEAD, format: "bank_csv" }, lines)).length;
    expect((bytes * 4) / 3 + 100).toBeLessThan(1_900_000);
  });
});

describe("a paypal_csv", () => {
  it("has PayPal's columns without a header", () => {
    const lines = [email({ email: "ada+shop@example.com" })];
    expect(rowsOf(writeFile({ ...HEAD, format: "paypal_csv" }, lines))).toEqual([
      ["ada+shop@example.com", "123.45", "EUR", "PO01JZ00000000000000000000011", "Payout 1 Shop", "PAYPAL"],
    ]);
  });

  it("refuses an address that would be read as a formula instead of changing it, and a reference that is too long", () => {
    for (const address of ["=cmd@example.com", "+ada@example.com", "-ada@example.com"])
      expect(whyNotWritable("paypal_csv", email({ email: address }), undefined), address).toMatchObject({
        code: "not_writable",
      });
    const late = email({}, { endToEndId: endToEndIdOf(PAYOUT, 100) });
    expect(whyNotWritable("paypal_csv", late, undefined)).toMatchObject({ code: "not_writable" });
    expect(whyNotWritable("paypal_csv", email(), undefined)).toBeUndefined();
  });
});

describe("a wise_csv", () => {
  it("fixes the amount as the target in one currency, and as the source where the receiver gets another", () => {
    const lines = [email(), email({ name: "=Eve", currency: "GBP" })];
    expect(rowsOf(writeFile({ ...HEAD, format: "wise_csv" }, lines))).toEqual([
      [
        "name",
        "recipientEmail",
        "paymentReference",
        "receiverType",
        "amountCurrency",
        "amount",
        "sourceCurrency",
        "targetCurrency",
      ],
      [
        "Ada Lovelace",
        "ada@example.com",
        "PO01JZ00000000000000000000011",
        "PERSON",
        "target",
        "123.45",
        "EUR",
        "EUR",
      ],
      [
        "'=Eve",
        "ada@example.com",
        "PO01JZ00000000000000000000011",
        "PERSON",
        "source",
        "123.45",
        "EUR",
        "GBP",
      ],
    ]);
  });
});

describe("the ids inside", () => {
  it("lead back to the payout and the attempt, and to nothing where they are not ours", () => {
    for (const n of [1, 9, 10, 123, 9_999_999])
      expect(payoutOfEndToEndId(endToEndIdOf(PAYOUT, n))).toEqual({ payoutId: PAYOUT, attemptNumber: n });
    for (const strange of [
      "",
      "NOTPROVIDED",
      "PO01JZ",
      "PO01JZ00000000000000000000010",
      "po01JZ00000000000000000000011",
    ])
      expect(payoutOfEndToEndId(strange), strange).toBeUndefined();
    expect(messageIdOf("fil_01JZ0000000000000000000001")).toBe("01JZ0000000000000000000001");
  });
});
