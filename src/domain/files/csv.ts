// Comma-separated values as RFC 4180 has them, with free text kept from being read as a formula.

/** What stands in a cell: `text` was written by people and is guarded, `exact` must arrive as it is and cannot be a formula. */
export type Cell = { readonly text: string } | { readonly exact: string };

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out.
const CONTROL = /[\u0000-\u001F\u007F-\u009F\u2028\u2029]+/;

/** Spreadsheets take these at the start of a cell for the start of a formula, in their wide forms too. */
const FORMULA = /^[=+\-@＝＋－＠]/;

export const isFormula = (text: string): boolean => FORMULA.test(text);

const textOf = (text: string): string => {
  const line = text.toWellFormed().split(CONTROL).join(" ").trim();
  return isFormula(line) ? `'${line}` : line;
};

const exactOf = (text: string): string => {
  if (CONTROL.test(text) || isFormula(text))
    throw new Error("an exact cell that a spreadsheet would read otherwise");
  return text;
};

const quoted = (text: string): string =>
  /[",]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;

const lineOf = (cells: readonly Cell[]): string =>
  cells.map((cell) => quoted("exact" in cell ? exactOf(cell.exact) : textOf(cell.text))).join(",");

/** Every line ends with CRLF, the last one too. */
export const writeCsv = (rows: readonly (readonly Cell[])[]): string =>
  rows.map((row) => `${lineOf(row)}\r\n`).join("");
