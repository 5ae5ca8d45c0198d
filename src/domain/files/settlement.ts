// What a line of a bank's statement says of a payment that was written into a file.
import { isDate } from "../dates.ts";
import type { PayoutId } from "../ids.ts";
import { type Currency, exponentOf, isCurrency } from "../money.ts";
import type { AttemptState } from "../payout.ts";

/** One payment of a statement, as the bank or the merchant wrote it. */
export interface StatementLine {
  /** Where it stands, for a person to find it. */
  readonly place: string;
  readonly endToEndId: string | null;
  /** Every amount that the line gives for the payment, decimal text beside its currency. */
  readonly amounts: readonly { readonly text: string; readonly currency: string }[];
  readonly direction: "debit" | "credit";
  readonly isBooked: boolean;
  readonly isReversal: boolean;
  /** YYYY-MM-DD or an RFC 3339 instant. */
  readonly bookedOn: string | null;
  /** The bank's own reference. */
  readonly ref: string | null;
}

/** A payment of the file, with what became of its attempt. */
export interface FileItem {
  readonly payoutId: PayoutId;
  readonly endToEndId: string;
  readonly amount: number;
  readonly currency: Currency;
  readonly state: AttemptState;
  /** The references under which it was settled, the bank's or a person's; none where it was not, or was without one. */
  readonly settledRefs: readonly string[];
}

export type LineVerdict =
  | { readonly kind: "settle"; readonly ref: string }
  | { readonly kind: "already"; readonly ref: string | null }
  | { readonly kind: "failed"; readonly code: SettleFailure; readonly detail: string };

export const SETTLE_FAILURES = [
  "not_booked",
  "date_unreadable",
  "reversed",
  "came_back",
  "amount_missing",
  "amount_differs",
  "currency_differs",
  "external_ref_differs",
] as const;
export type SettleFailure = (typeof SETTLE_FAILURES)[number];

/** Minor units of decimal text, exact, without its sign; undefined for what is no amount of the currency. */
export const minorUnitsOf = (text: string, currency: Currency): number | undefined => {
  const match = /^[+-]?(\d{1,15})(?:\.(\d{1,17}))?$/.exec(text.trim());
  if (match?.[1] === undefined) return undefined;
  const exponent = exponentOf(currency);
  const fraction = (match[2] ?? "").padEnd(exponent, "0");
  if (/[1-9]/.test(fraction.slice(exponent))) return undefined;
  const minor = Number(match[1] + fraction.slice(0, exponent));
  return Number.isSafeInteger(minor) ? minor : undefined;
};

const failed = (code: SettleFailure, detail: string): LineVerdict => ({ kind: "failed", code, detail });

/** Every amount in the payment's currency must be the payment's: a bank that took its fee from it paid something else. */
const amountVerdict = (line: StatementLine, item: FileItem): LineVerdict | undefined => {
  if (line.amounts.length === 0)
    return failed("amount_missing", "The line gives no amount for this payment.");
  const own = line.amounts.filter(({ currency }) => currency === item.currency);
  if (own.length === 0) {
    const others = [
      ...new Set(line.amounts.map(({ currency }) => (isCurrency(currency) ? currency : "another"))),
    ];
    return failed("currency_differs", `The line is in ${others.join(", ")}, the payout in ${item.currency}.`);
  }
  if (own.every(({ text }) => minorUnitsOf(text, item.currency) === item.amount)) return undefined;
  return failed("amount_differs", "The line's amount is not the payout's: nothing was settled.");
};

const REFERENCE_MAX = 255;
const DATE_LENGTH = 10;

/** Without a bank reference the end-to-end id itself says which payment it was. */
const refOf = (line: StatementLine, item: FileItem): string =>
  (line.ref ?? "").replace(/\s+/g, " ").trim().slice(0, REFERENCE_MAX) || item.endToEndId;

export const judgeLine = (line: StatementLine, item: FileItem): LineVerdict => {
  if (line.isReversal)
    return failed(
      "reversed",
      "The line reverses an earlier booking: look at the statement, nothing was changed.",
    );
  if (line.direction === "credit") {
    return failed(
      "came_back",
      "The line is a credit, so the money came back: mark the payout failed where it is unpaid, return it where it is paid.",
    );
  }
  if (!line.isBooked) return failed("not_booked", "The line is not booked yet.");
  if (line.bookedOn !== null && !isDate(line.bookedOn.slice(0, DATE_LENGTH)))
    return failed("date_unreadable", "The line's booking date is no YYYY-MM-DD.");
  const differs = amountVerdict(line, item);
  if (differs !== undefined) return differs;
  const ref = refOf(line, item);
  if (item.state !== "settled" && item.state !== "paid_late") return { kind: "settle", ref };
  const [known] = item.settledRefs;
  if (known === undefined) return { kind: "already", ref: null };
  if (item.settledRefs.includes(ref)) return { kind: "already", ref };
  return failed(
    "external_ref_differs",
    "The payout is paid already, under another reference: see whether it was paid twice.",
  );
};
