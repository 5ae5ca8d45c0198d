// Which payouts may go into a file of a format, each with its line, and why the others may not.
import type { Ctx } from "../context.ts";
import { methodOf } from "../domain/affiliate.ts";
import { type FileFormat, type FileId, FORMAT_RULES } from "../domain/files/format.ts";
import {
  type BankAccount,
  type PaymentLine,
  type WhyNot,
  whyNotWritable,
} from "../domain/files/payment-line.ts";
import type { PayoutId } from "../domain/ids.ts";
import type { PayoutMethod } from "../domain/payout.ts";
import { refuse } from "../domain/refusals.ts";
import type { FileCandidate } from "../store/payout-file-items.ts";
import { DESTINATION_CHANGED, paymentLineOf } from "./payout-file-line.ts";

export interface FileFailure extends WhyNot {
  readonly payoutId: PayoutId;
  /** The file that the payout waits in already. */
  readonly fileId?: FileId;
}

export interface Ready {
  readonly candidate: FileCandidate;
  readonly line: PaymentLine;
}

export type Judged = Ready | FileFailure;

export const fail = (payoutId: PayoutId, { code, detail }: WhyNot): FileFailure => ({
  payoutId,
  code,
  detail,
});

const no = (code: WhyNot["code"], detail: string): WhyNot => refuse(code, detail).refusal;

const OPEN = ["pending", "approved", "processing"];

/** What was paid for by hand has left the affiliate's method, and its destination says which one that was. */
const methodBehind = ({ payout, affiliate }: FileCandidate): PayoutMethod =>
  payout.status === "processing" && payout.method !== "manual" ? payout.method : methodOf(affiliate);

/** What keeps a payout out of any file of this format, whatever stands in its line. */
const whyNotCandidate = (format: FileFormat, candidate: FileCandidate): WhyNot | undefined => {
  const { payout, affiliate, attempt, fileId } = candidate;
  const { method, rail } = FORMAT_RULES[format];
  if (fileId !== undefined)
    return no("payout_in_file", `The payout waits in ${fileId} already: settle or void that file first.`);
  if (!OPEN.includes(payout.status))
    return no("invalid_state", `A payout that is ${payout.status} cannot go into a file.`);
  const own = methodBehind(candidate);
  if (own !== method)
    return no("format_not_for_method", `${format} pays by ${method}; this payout is paid by ${own}.`);
  if ((attempt?.rail ?? (payout.status === "processing" ? payout.method : rail)) !== rail)
    return no(
      "payment_under_way",
      "Its payment goes another way already: only the outcome, or a person who marks it, frees it.",
    );
  if (attempt === undefined) return undefined;
  if (affiliate.status === "suspended")
    return no("affiliate_suspended", "The affiliate is suspended; its payment has begun and waits.");
  return affiliate.destination?.sha === payout.destinationSha ? undefined : DESTINATION_CHANGED;
};

export const judge = async (
  ctx: Ctx,
  { format, debtor }: { readonly format: FileFormat; readonly debtor: BankAccount | undefined },
  payoutId: PayoutId,
  candidate: FileCandidate | undefined,
): Promise<Judged> => {
  if (candidate === undefined)
    return fail(payoutId, no("payout_not_found", "No such payout in this program."));
  const { fileId } = candidate;
  const why = whyNotCandidate(format, candidate);
  if (why !== undefined) return { ...fail(payoutId, why), ...(fileId === undefined ? {} : { fileId }) };
  const line = await paymentLineOf(ctx, format, candidate);
  if ("code" in line) return fail(payoutId, line);
  const unwritable = whyNotWritable(format, line, debtor);
  return unwritable === undefined ? { candidate, line } : fail(payoutId, unwritable);
};

/** PayPal takes one currency a file: the first payout's. */
export const ofOneCurrency = (format: FileFormat, judged: readonly Judged[]): Judged[] => {
  const first = judged.find((one) => "line" in one);
  if (format !== "paypal_csv" || first === undefined || !("line" in first)) return [...judged];
  const { currency } = first.line;
  const other = no(
    "currency_not_supported_by_method",
    `PayPal takes one currency a file, and this one is in ${currency}: make another file.`,
  );
  return judged.map((one) =>
    "line" in one && one.line.currency !== currency ? fail(one.line.payoutId, other) : one,
  );
};
