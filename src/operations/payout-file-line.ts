// A payout as a line of a file: to the destination that its payment is frozen for, never to another.
import type { Ctx } from "../context.ts";
import { endToEndIdOf, type FileFormat, FORMAT_RULES } from "../domain/files/format.ts";
import type { BankAccount, EmailAccount, PaymentLine, WhyNot } from "../domain/files/payment-line.ts";
import { refuse } from "../domain/refusals.ts";
import { destinationPlace } from "../store/affiliates.ts";
import type { FileCandidate } from "../store/payout-file-items.ts";
import { type BankDetails, destinationShaOf } from "./set-payout-method.ts";

const NOT_OPEN: WhyNot = refuse(
  "not_writable",
  "The sealed bank details do not open with the present master keys.",
).refusal;

const NOT_READY: WhyNot = refuse(
  "payout_method_not_ready",
  "The affiliate's destination is not complete: set the payout method again.",
).refusal;

export const DESTINATION_CHANGED: WhyNot = refuse(
  "destination_changed",
  "The destination changed after the payment began: mark the payout failed and retry it, or pay it by hand.",
).refusal;

/** Before the payment begins the affiliate's present destination, from then on what its attempt froze. */
const bankAccountOf = async (
  ctx: Ctx,
  { payout, affiliate, attempt }: FileCandidate,
): Promise<BankAccount | WhyNot> => {
  const sealed = attempt?.request ?? affiliate.destination?.sealed;
  const sha = attempt === undefined ? affiliate.destination?.sha : payout.destinationSha;
  if (sealed == null) return NOT_READY;
  let bank: BankDetails;
  try {
    bank = JSON.parse(
      await ctx.vault.open(sealed, destinationPlace(ctx.program.id, affiliate.id)),
    ) as BankDetails;
  } catch {
    ctx.log({ event: "destination_not_open", affiliate_id: affiliate.id });
    return NOT_OPEN;
  }
  if ((await destinationShaOf({ method: "bank_transfer", bank })) !== sha) return DESTINATION_CHANGED;
  const { accountName: name, iban, swift: bic, address } = bank;
  return { name, iban, bic, address: typeof address === "string" ? null : address };
};

/** Of an open attempt too: whoever asks for the line has compared the destination with the one that was paid for. */
const emailAccountOf = ({ affiliate: { name, destination } }: FileCandidate): EmailAccount | WhyNot =>
  destination?.account == null
    ? NOT_READY
    : { name, email: destination.account, currency: destination.currency };

/** The line of the open attempt, or of the one that would begin next. */
export const paymentLineOf = async (
  ctx: Ctx,
  format: FileFormat,
  candidate: FileCandidate,
): Promise<PaymentLine | WhyNot> => {
  const { payout, attempt } = candidate;
  const to =
    FORMAT_RULES[format].method === "bank_transfer"
      ? await bankAccountOf(ctx, candidate)
      : emailAccountOf(candidate);
  if ("code" in to) return to;
  const endToEndId = endToEndIdOf(payout.id, attempt?.n ?? payout.attemptCount + 1);
  return {
    payoutId: payout.id,
    endToEndId,
    amount: attempt?.amount ?? payout.amount,
    currency: payout.currency,
    to,
    text: `Payout ${endToEndId} ${ctx.program.name}`,
  };
};
