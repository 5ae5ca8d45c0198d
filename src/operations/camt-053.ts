// Reads camt.053, a bank's statement of account: its debits and credits as lines, whatever version the bank writes.
import { XMLParser } from "fast-xml-parser";
import type { StatementLine } from "../domain/files/settlement.ts";

/** Deeper than any statement goes. */
const DEPTH_MAX = 40;

const LISTS = ["Stmt", "Ntry", "NtryDtls", "TxDtls"];

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: "@",
  textNodeName: "#text",
  parseTagValue: false,
  parseAttributeValue: false,
  removeNSPrefix: true,
  maxNestedTags: DEPTH_MAX,
  isArray: (name) => LISTS.includes(name),
});

type Node = Readonly<Record<string, unknown>>;

const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null;

const at = (value: unknown, ...path: readonly string[]): unknown =>
  path.reduce<unknown>(
    (node, name) => (isNode(node) && Object.hasOwn(node, name) ? node[name] : undefined),
    value,
  );

const listAt = (value: unknown, name: string): readonly unknown[] => {
  const found = at(value, name);
  return Array.isArray(found) ? found : [];
};

const textAt = (value: unknown, ...path: readonly string[]): string | null => {
  const found = at(value, ...path);
  const text = isNode(found) ? at(found, "#text") : found;
  return typeof text === "string" && text.trim() !== "" ? text.trim() : null;
};

const amountsAt = (value: unknown, ...path: readonly string[]): StatementLine["amounts"] => {
  const [text, currency] = [textAt(value, ...path), textAt(value, ...path, "@Ccy")];
  return text === null || currency === null ? [] : [{ text, currency }];
};

/** `<Sts>BOOK</Sts>` up to version 3, `<Sts><Cd>BOOK</Cd></Sts>` since. */
const isBooked = (entry: unknown): boolean =>
  (textAt(entry, "Sts", "Cd") ?? textAt(entry, "Sts"))?.toUpperCase() === "BOOK";

const isTrue = (text: string | null): boolean => text === "true" || text === "1";

/** Banks that know no end-to-end id write this. */
const givenId = (text: string | null): string | null => (text === "NOTPROVIDED" ? null : text);

/** What the payment itself says, and the entry where it is of this payment alone. */
const lineOf = (entry: unknown, details: unknown, isOnly: boolean, place: string): StatementLine => {
  const direction = textAt(details, "CdtDbtInd") ?? textAt(entry, "CdtDbtInd");
  const own = [
    ...amountsAt(details, "Amt"),
    ...amountsAt(details, "AmtDtls", "InstdAmt", "Amt"),
    ...amountsAt(details, "AmtDtls", "TxAmt", "Amt"),
  ];
  return {
    place,
    endToEndId: givenId(textAt(details, "Refs", "EndToEndId")),
    amounts: own.length === 0 && isOnly ? amountsAt(entry, "Amt") : own,
    // Whatever is not said to be a debit is not taken for a payment.
    direction: direction === "DBIT" ? "debit" : "credit",
    isBooked: isBooked(entry),
    isReversal: isTrue(textAt(entry, "RvslInd")),
    bookedOn: textAt(entry, "BookgDt", "Dt") ?? textAt(entry, "BookgDt", "DtTm"),
    ref:
      textAt(details, "Refs", "AcctSvcrRef") ??
      textAt(entry, "AcctSvcrRef") ??
      textAt(details, "Refs", "TxId"),
  };
};

const linesOfEntry = (entry: unknown, place: string): StatementLine[] => {
  const details = listAt(entry, "NtryDtls").flatMap((group) => listAt(group, "TxDtls"));
  if (details.length === 0) return [lineOf(entry, undefined, true, place)];
  return details.map((one, i) => lineOf(entry, one, details.length === 1, `${place}/TxDtls[${i + 1}]`));
};

/** undefined for what is no camt.053: broken, with a document type or entities of its own, or another message. */
export const readCamt053 = (text: string): readonly StatementLine[] | undefined => {
  // Of what begins with <! only comments and CDATA are taken: no document type, so no entities but XML's own five.
  if (/<!(?!--|\[CDATA\[)/.test(text)) return undefined;
  let root: unknown;
  try {
    root = parser.parse(text, true);
  } catch {
    return undefined;
  }
  const message = at(root, "Document", "BkToCstmrStmt");
  if (!isNode(message)) return undefined;
  return listAt(message, "Stmt").flatMap((statement, s) =>
    listAt(statement, "Ntry").flatMap((entry, n) => linesOfEntry(entry, `Stmt[${s + 1}]/Ntry[${n + 1}]`)),
  );
};
