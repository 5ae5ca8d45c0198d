// Reads a CSV of payments that were carried out, for banks and providers whose statements are no camt.053.
import Papa from "papaparse";
import type { StatementLine } from "../domain/files/settlement.ts";

/** By these names, in any order and case; the last two may be left out. */
export const SETTLEMENT_COLUMNS = [
  "end_to_end_id",
  "amount",
  "currency",
  "booked_on",
  "reference",
  "status",
] as const;
type Column = (typeof SETTLEMENT_COLUMNS)[number];

const OPTIONAL: readonly Column[] = ["reference", "status"];

/** Words for a payment that was carried out, from banks' and providers' reports. */
const BOOKED = ["booked", "book", "paid", "completed", "success", "settled", "outgoing_payment_sent"];

const lineOf = (cells: ReadonlyMap<Column, string>, place: string): StatementLine => {
  const cell = (column: Column): string | null => {
    const text = cells.get(column)?.trim() ?? "";
    return text === "" ? null : text;
  };
  const [text, currency, status] = [cell("amount"), cell("currency"), cell("status")];
  return {
    place,
    endToEndId: cell("end_to_end_id"),
    amounts: text === null || currency === null ? [] : [{ text, currency: currency.toUpperCase() }],
    direction: "debit",
    isBooked: status === null || BOOKED.includes(status.toLowerCase().replaceAll(" ", "_")),
    isReversal: false,
    bookedOn: cell("booked_on"),
    ref: cell("reference"),
  };
};

/** undefined where the header lacks a column, or a row has more cells than it. */
export const readSettlementCsv = (text: string): readonly StatementLine[] | undefined => {
  const { data, errors } = Papa.parse<string[]>(text.replace(/^\uFEFF/, ""), {
    delimiter: "",
    delimitersToGuess: [",", ";", "\t"],
    skipEmptyLines: "greedy",
  });
  if (errors.some(({ type }) => type === "Quotes")) return undefined;
  const [header = [], ...rows] = data;
  const names = header.map((name) => name.trim().toLowerCase());
  const missing = SETTLEMENT_COLUMNS.filter((name) => !OPTIONAL.includes(name) && !names.includes(name));
  if (missing.length > 0 || new Set(names).size !== names.length) return undefined;
  if (rows.some((row) => row.length > names.length)) return undefined;
  return rows.map((row, i) => {
    const cells = SETTLEMENT_COLUMNS.flatMap((column): [Column, string][] => {
      const text = row[names.indexOf(column)];
      return text === undefined ? [] : [[column, text]];
    });
    return lineOf(new Map(cells), `row ${i + 2}`);
  });
};
