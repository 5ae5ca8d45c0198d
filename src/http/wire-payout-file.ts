// Payout files as the wire shows them, and the bodies that make, settle and void them.
import { z } from "@hono/zod-openapi";
import { toInstant } from "../domain/dates.ts";
import { FILE_FORMATS, FILE_PAYOUTS_MAX } from "../domain/files/format.ts";
import type { BankAccount } from "../domain/files/payment-line.ts";
import { SETTLE_FAILURES } from "../domain/files/settlement.ts";
import { ATTEMPT_STATES, PAYOUT_STATUSES } from "../domain/payout.ts";
import type { FileFailure } from "../operations/payout-file-judgement.ts";
import {
  type FailedLine,
  type SettledLine,
  type Settlement,
  STATEMENT_FORMATS,
  type UnmatchedLine,
} from "../operations/settle-payout-file.ts";
import type { StoredItem } from "../store/payout-file-items.ts";
import type { PayoutFile } from "../store/payout-files.ts";
import { date, idOf, instantText, lineText, noteText, payoutId } from "./wire.ts";
import { addressOf, iban, postalAddress, swift } from "./wire-affiliate.ts";

const minor = z.number().int().openapi({ description: "Minor units of `currency`." });

const debtor = z
  .strictObject({
    name: lineText(140),
    iban,
    bic: swift.optional(),
    address: postalAddress.optional(),
  })
  .openapi("Debtor", { description: "The account that pays." });

export const newFileBody = z
  .strictObject({
    payout_ids: z
      .array(payoutId)
      .min(1)
      .max(FILE_PAYOUTS_MAX)
      .refine((ids) => new Set(ids).size === ids.length, "must name each payout once")
      .optional(),
    run_id: idOf("run").optional(),
    format: z.enum(FILE_FORMATS),
    debtor: debtor
      .optional()
      .openapi({ description: "Needed for pain.001.001.09, where it pays; not for the other formats." }),
    requested_execution_date: date.optional().openapi({
      description: "For pain.001.001.09 and bank_csv; today in the program's zone where it is not given.",
    }),
  })
  .superRefine((body, context) => {
    const refuse = (path: string, message: string) =>
      context.addIssue({ code: "custom", path: path === "" ? [] : [path], message });
    if ((body.payout_ids === undefined) === (body.run_id === undefined))
      refuse("", "must name either payout_ids or run_id");
    const pays = body.format === "pain.001.001.09";
    if (pays && body.debtor === undefined) refuse("debtor", "is needed for pain.001.001.09");
    if (!pays && body.debtor !== undefined) refuse("debtor", "is for pain.001.001.09 alone");
    if (!pays && body.format !== "bank_csv" && body.requested_execution_date !== undefined)
      refuse("requested_execution_date", "is for pain.001.001.09 and bank_csv alone");
  });

export const debtorOf = (body: z.output<typeof newFileBody>): BankAccount | undefined =>
  body.debtor === undefined
    ? undefined
    : {
        name: body.debtor.name,
        iban: body.debtor.iban,
        bic: body.debtor.bic ?? null,
        address: body.debtor.address === undefined ? null : addressOf(body.debtor.address),
      };

const totalSchema = z.object({ currency: z.string(), amount: minor, count: z.number().int() });

export const fileSchema = z
  .object({
    id: z.string(),
    format: z.enum(FILE_FORMATS),
    sha256: z.string().openapi({ description: "Of the content's bytes, in hexadecimal." }),
    message_id: z.string().openapi({ description: "The MsgId of a pain.001." }),
    payout_count: z.number().int(),
    totals: z.array(totalSchema),
    run_id: z.string().nullable(),
    voided_at: instantText.nullable(),
    void_reason: z.string().nullable(),
    created_by: z.string(),
    created_at: instantText,
  })
  .openapi("PayoutFile");

const failureSchema = z.object({
  payout_id: z.string(),
  code: z.string(),
  detail: z.string(),
  file_id: z.string().optional().openapi({ description: "The file that the payout waits in already." }),
});

export const createdFileSchema = fileSchema.extend({
  failed: z.array(failureSchema).openapi({ description: "Payouts that are not in the file, and why." }),
  remaining: z
    .number()
    .int()
    .openapi({ description: `Payouts of the run beyond the first ${FILE_PAYOUTS_MAX}: ask again for them.` }),
});

const itemSchema = z.object({
  payout_id: z.string(),
  end_to_end_id: z.string().openapi({ description: "What the bank's statement will name." }),
  amount: minor,
  currency: z.string(),
  state: z.enum(ATTEMPT_STATES).openapi({
    description:
      "Of this file's payment: needs_hand waits, settled is paid, refused was given back, paid_late paid after that.",
  }),
  status: z.enum(PAYOUT_STATUSES).openapi({ description: "Of the payout now." }),
});

export const fileDetailSchema = fileSchema.extend({ payouts: z.array(itemSchema) });

export const fileToWire = (file: PayoutFile): z.infer<typeof fileSchema> => ({
  id: file.id,
  format: file.format,
  sha256: file.sha256,
  message_id: file.messageId,
  payout_count: file.payoutCount,
  totals: file.totals.map((total) => ({ ...total })),
  run_id: file.runId,
  voided_at: file.voidedAt === null ? null : toInstant(file.voidedAt),
  void_reason: file.voidReason,
  created_by: file.createdBy,
  created_at: toInstant(file.createdAt),
});

export const fileDetailToWire = (
  file: PayoutFile,
  items: readonly StoredItem[],
): z.infer<typeof fileDetailSchema> => ({
  ...fileToWire(file),
  payouts: items.map((item) => ({
    payout_id: item.payoutId,
    end_to_end_id: item.endToEndId,
    amount: item.amount,
    currency: item.currency,
    state: item.state,
    status: item.payoutStatus,
  })),
});

export const failureToWire = ({ payoutId: id, code, detail, fileId }: FileFailure) => ({
  payout_id: id,
  code,
  detail,
  ...(fileId === undefined ? {} : { file_id: fileId }),
});

export const settleBody = z.strictObject({
  format: z.enum(STATEMENT_FORMATS).openapi({
    description:
      "camt.053 is the bank's statement as XML. csv is a table whose first row names end_to_end_id, amount (decimal), currency, booked_on (YYYY-MM-DD), and perhaps reference and status.",
  }),
  content: z.string().min(1).openapi({ description: "The whole file as text; the body holds 256 KiB." }),
});

export const voidBody = z.strictObject({ reason: noteText });

const place = z.string().openapi({ example: "Stmt[1]/Ntry[3]/TxDtls[1]" });

const settledSchema = z.object({
  place,
  payout_id: z.string(),
  end_to_end_id: z.string(),
  external_ref: z.string().nullable(),
});

const failedSchema = z.object({
  place,
  payout_id: z.string(),
  end_to_end_id: z.string(),
  code: z.string().openapi({ description: `One of ${SETTLE_FAILURES.join(", ")}, or a refusal's code.` }),
  detail: z.string(),
});

const unmatchedSchema = z.object({
  place,
  end_to_end_id: z.string().nullable(),
  amounts: z
    .array(z.object({ amount: z.string(), currency: z.string() }))
    .openapi({ description: "Decimal text, as the statement has it." }),
  file_id: z.string().nullable().openapi({ description: "Another file of the program that it is in." }),
});

export const settlementSchema = z
  .object({
    settled: z.array(settledSchema),
    already: z.array(settledSchema).openapi({ description: "Settled before, by the same payment." }),
    paid_late: z.array(settledSchema).openapi({
      description: "Marked failed before, and paid after all: the affiliate owes the amount back.",
    }),
    failed: z.array(failedSchema).openapi({ description: "Nothing was changed by these lines." }),
    unmatched: z
      .array(unmatchedSchema)
      .openapi({ description: "Booked debits that are none of this file's." }),
  })
  .openapi("Settlement");

const settledToWire = (line: SettledLine): z.infer<typeof settledSchema> => ({
  place: line.place,
  payout_id: line.payoutId,
  end_to_end_id: line.endToEndId,
  external_ref: line.externalRef,
});

const failedToWire = (line: FailedLine): z.infer<typeof failedSchema> => ({
  place: line.place,
  payout_id: line.payoutId,
  end_to_end_id: line.endToEndId,
  code: line.code,
  detail: line.detail,
});

const unmatchedToWire = (line: UnmatchedLine): z.infer<typeof unmatchedSchema> => ({
  place: line.place,
  end_to_end_id: line.endToEndId,
  amounts: line.amounts.map(({ text, currency }) => ({ amount: text, currency })),
  file_id: line.fileId ?? null,
});

export const settlementToWire = (settlement: Settlement): z.infer<typeof settlementSchema> => ({
  settled: settlement.settled.map(settledToWire),
  already: settlement.already.map(settledToWire),
  paid_late: settlement.paidLate.map(settledToWire),
  failed: settlement.failed.map(failedToWire),
  unmatched: settlement.unmatched.map(unmatchedToWire),
});
