// What a statement's line is taken for: only a booked debit of the payment's own amount and currency settles it.
import { describe, expect, it } from "vitest";
import {
  type FileItem,
  judgeLine,
  minorUnitsOf,
  type StatementLine,
} from "../../src/domain/files/settlement.ts";

const ITEM: FileItem = {
  payoutId: "po_01JZ0000000000000000000001",
  endToEndId: "PO01JZ00000000000000000000011",
  amount: 12_345,
  currency: "EUR",
  state: "needs_hand",
  settledRefs: [],
};

const LINE: StatementLine = {
  place: "row 2",
  endToEndId: ITEM.endToEndId,
  amounts: [{ text: "123.45", currency: "EUR" }],
  direction: "debit",
  isBooked: true,
  isReversal: false,
  bookedOn: "2026-11-02",
  ref: "BANK-1",
};

const judge = (line: Partial<StatementLine>, item: Partial<FileItem> = {}) =>
  judgeLine({ ...LINE, ...line }, { ...ITEM, ...item });

describe("a line of a statement", () => {
  it("settles the payment under the bank's reference, or under the end-to-end id where the bank gave none", () => {
    expect(judge({})).toEqual({ kind: "settle", ref: "BANK-1" });
    expect(judge({ ref: null })).toEqual({ kind: "settle", ref: ITEM.endToEndId });
    expect(judge({ ref: " a\n b " })).toEqual({ kind: "settle", ref: "a b" });
    expect(judge({ ref: "r".repeat(300) })).toEqual({ kind: "settle", ref: "r".repeat(255) });
    expect(judge({ bookedOn: null })).toMatchObject({ kind: "settle" });
    expect(judge({}, { state: "refused" })).toMatchObject({ kind: "settle" });
  });

  it.each([
    ["not_booked", { isBooked: false }],
    ["reversed", { isReversal: true }],
    ["came_back", { direction: "credit" as const }],
    ["amount_missing", { amounts: [] }],
    ["amount_differs", { amounts: [{ text: "123.44", currency: "EUR" }] }],
    ["amount_differs", { amounts: [{ text: "12345", currency: "EUR" }] }],
    ["amount_differs", { amounts: [{ text: "123,45", currency: "EUR" }] }],
    ["amount_differs", { amounts: [{ text: "1e2", currency: "EUR" }] }],
    [
      "amount_differs",
      {
        amounts: [
          { text: "123.45", currency: "EUR" },
          { text: "120.00", currency: "EUR" },
        ],
      },
    ],
    ["currency_differs", { amounts: [{ text: "123.45", currency: "USD" }] }],
    ["date_unreadable", { bookedOn: "02.11.2026" }],
  ])("changes nothing and says %s", (code, line) => {
    expect(judge(line)).toMatchObject({ kind: "failed", code });
  });

  it("in the account's own currency beside the payment's is judged by the payment's", () => {
    const amounts = [
      { text: "140.00", currency: "USD" },
      { text: "123.45", currency: "EUR" },
    ];
    expect(judge({ amounts })).toMatchObject({ kind: "settle" });
  });

  it("again is already settled, and under another reference it may be a second payment", () => {
    for (const state of ["settled", "paid_late"] as const) {
      expect(judge({}, { state, settledRefs: ["mine", "BANK-1"] })).toEqual({
        kind: "already",
        ref: "BANK-1",
      });
      expect(judge({}, { state, settledRefs: [] })).toEqual({ kind: "already", ref: null });
      expect(judge({}, { state, settledRefs: ["BANK-0"] })).toMatchObject({
        kind: "failed",
        code: "external_ref_differs",
      });
    }
  });

  it("has amounts in decimal text, exact to the currency's last unit", () => {
    expect(minorUnitsOf("123.45", "EUR")).toBe(12_345);
    expect(minorUnitsOf("-123.45", "EUR")).toBe(12_345);
    expect(minorUnitsOf("+123.4", "EUR")).toBe(12_340);
    expect(minorUnitsOf("123.4500", "EUR")).toBe(12_345);
    expect(minorUnitsOf("123", "JPY")).toBe(123);
    expect(minorUnitsOf("1.234", "KWD")).toBe(1_234);
    for (const text of ["", "123.456", "1,234.50", "0x10", "NaN", "1.2.3", "9".repeat(16), "9".repeat(15)])
      expect(minorUnitsOf(text, "EUR"), text).toBeUndefined();
  });
});
