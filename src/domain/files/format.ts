// The formats of payout files: which payout method each is for, how its bytes are served, and the ids inside.
import type { PayoutId } from "../ids.ts";
import type { PayoutMethod } from "../payout.ts";

export const FILE_FORMATS = ["pain.001.001.09", "bank_csv", "paypal_csv", "wise_csv"] as const;
export type FileFormat = (typeof FILE_FORMATS)[number];

export type FileId = `fil_${string}`;

/** A run with more payouts than this takes several files. */
export const FILE_PAYOUTS_MAX = 500;

interface FormatRule {
  /** Only payouts that are paid by this method go into the file. */
  readonly method: Extract<PayoutMethod, "bank_transfer" | "paypal" | "wise">;
  /**
   * The rail of the attempt behind each line. What a person uploads at PayPal or Wise is an attempt of the manual rail: it is open
   * like any other, so no attempt by API can exist beside it, and nothing on it is ever sent by API.
   */
  readonly rail: Extract<PayoutMethod, "bank_transfer" | "manual">;
  readonly contentType: string;
  readonly extension: "xml" | "csv";
}

const CSV = { contentType: "text/csv; charset=utf-8", extension: "csv" } as const;
const XML = { contentType: "application/xml; charset=utf-8", extension: "xml" } as const;

export const FORMAT_RULES: Readonly<Record<FileFormat, FormatRule>> = {
  "pain.001.001.09": { method: "bank_transfer", rail: "bank_transfer", ...XML },
  bank_csv: { method: "bank_transfer", rail: "bank_transfer", ...CSV },
  paypal_csv: { method: "paypal", rail: "manual", ...CSV },
  wise_csv: { method: "wise", rail: "manual", ...CSV },
};

const ID_BODY_LENGTH = 26;
const END_TO_END = /^PO([0-9A-HJKMNP-TV-Z]{26})([1-9]\d{0,6})$/;

/** At most 35 letters and digits, one for each attempt of a payout: what a statement says of an earlier attempt is not taken for this one. */
export const endToEndIdOf = (payoutId: PayoutId, attemptNumber: number): string =>
  `PO${payoutId.slice("po_".length)}${attemptNumber}`;

/** The way back; undefined for what endToEndIdOf never wrote. */
export const payoutOfEndToEndId = (
  endToEndId: string,
): { readonly payoutId: PayoutId; readonly attemptNumber: number } | undefined => {
  const match = END_TO_END.exec(endToEndId);
  return match === null ? undefined : { payoutId: `po_${match[1]}`, attemptNumber: Number(match[2]) };
};

/** The message id of a file: its id without the prefix, letters and digits alone. */
export const messageIdOf = (fileId: FileId): string => fileId.slice(-ID_BODY_LENGTH);
