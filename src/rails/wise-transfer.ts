// What a transfer at Wise is to an attempt: whose it is, what its state means for the money, and what a person has to do about it.
import { toInstant } from "../domain/dates.ts";
import { toDecimal } from "../domain/money.ts";
import type { Attempt, RailOutcome } from "../domain/payout.ts";
import { type Fields, fieldsOf, isWiseId } from "./wise-client.ts";

const DAY_MS = 86_400_000;

/** Wise cancels a transfer that nobody pays for within this time. */
const UNFUNDED_LIVES_MS = 14 * DAY_MS;

/** Most arrive within a day or two; a weekend and a holiday may lie between. */
const ARRIVES_WITHIN_MS = 5 * DAY_MS;

/** An e-mail recipient must first tell Wise where to pay. */
const CLAIMED_WITHIN_MS = 10 * DAY_MS;

export const unknown = (detail: string): RailOutcome => ({ kind: "unknown", detail });

/** A name-based UUID of the attempt's key, the same for ever: what Wise knows the transfer by before it has an id. */
export const customerTransactionIdOf = async (key: string): Promise<string> => {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`wise|${key}`));
  const bytes = new Uint8Array(digest).slice(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
};

/** What the attempt's frozen bytes say. */
export const frozenIn = (attempt: Attempt): Fields => fieldsOf(JSON.parse(attempt.request));

export interface WiseTransfer {
  readonly id: number;
  readonly status: string;
}

const STATUS = /^[a-z_]{1,64}$/;

/**
 * The transfer of exactly this attempt, or undefined: its UUID, its one quote and its recipient are the frozen ones.
 * The quote fixed what leaves; `sourceValue` is what is left of it to convert after Wise's fee, so at most the amount.
 */
export const transferOf = (value: unknown, attempt: Attempt): WiseTransfer | undefined => {
  const { id, status, ...found } = fieldsOf(value);
  const frozen = frozenIn(attempt);
  const converted = found["sourceValue"];
  return isWiseId(id) &&
    typeof status === "string" &&
    STATUS.test(status) &&
    found["customerTransactionId"] === frozen["customerTransactionId"] &&
    found["quoteUuid"] === frozen["quoteUuid"] &&
    found["targetAccount"] === frozen["targetAccount"] &&
    found["sourceCurrency"] === attempt.currency &&
    typeof converted === "number" &&
    converted >= 0 &&
    converted <= Number(toDecimal(attempt.amount, attempt.currency))
    ? { id, status }
    : undefined;
};

/** `detail` in Wise's place; the time that it may take runs from the attempt's beginning, however often it is asked about. */
export const acceptedAs = (
  attempt: Attempt,
  id: number,
  now: number,
  detail?: string,
  withinMs = ARRIVES_WITHIN_MS,
): RailOutcome => {
  const expectedWithinMs = attempt.createdAt + withinMs - now;
  return {
    kind: "accepted",
    ref: String(id),
    ...(detail === undefined ? {} : { detail }),
    ...(expectedWithinMs > 0 ? { expectedWithinMs } : {}),
  };
};

/** The transfer exists, nobody has paid for it, and this program cannot. */
export const handOver = (attempt: Attempt, id: number, why: string): RailOutcome => ({
  kind: "needs_hand",
  ref: String(id),
  instructions: [
    `${why} Pay transfer ${id} from the balance in Wise's own site or app`,
    `before ${toInstant(attempt.createdAt + UNFUNDED_LIVES_MS)}, when Wise cancels it;`,
    "what became of it is asked of Wise every hour, and the payout follows.",
    "Not to be paid after all: cancel the transfer there first, and never pay it another way before it is cancelled.",
  ].join(" "),
});

/** `unfunded`: it exists and nothing has moved. */
export const standingOf = (
  attempt: Attempt,
  { id, status }: WiseTransfer,
  now: number,
): RailOutcome | "unfunded" => {
  switch (status) {
    case "incoming_payment_waiting":
      return "unfunded";
    case "incoming_payment_initiated":
    case "processing":
    case "funds_converted":
      return acceptedAs(attempt, id, now);
    case "waiting_recipient_input_to_proceed":
      return acceptedAs(
        attempt,
        id,
        now,
        `transfer ${id}: Wise has asked the affiliate by e-mail where to pay, and waits for the answer`,
        CLAIMED_WITHIN_MS,
      );
    case "bounced_back":
      return acceptedAs(
        attempt,
        id,
        now,
        `transfer ${id} bounced: it is sent again with other details or cancelled, both at Wise`,
      );
    case "outgoing_payment_sent":
      return { kind: "settled", ref: String(id) };
    case "cancelled":
    case "funds_refunded":
      return {
        kind: "refused",
        code: "transfer_cancelled",
        detail: `Wise's transfer ${id} is ${status}: nothing reached the affiliate.`,
      };
    default:
      return unknown(`transfer ${id} is ${status} at Wise: look there`);
  }
};

/**
 * Minor units of a settled attempt that are back in the balance. A bounced transfer may still be sent again with other
 * details, so only its cancellation gives the money back; undefined where the state does not say.
 */
export const returnedOf = (attempt: Attempt, { status }: WiseTransfer): number | undefined => {
  switch (status) {
    case "outgoing_payment_sent":
    case "bounced_back":
    case "processing":
    case "funds_converted":
      return 0;
    case "cancelled":
    case "funds_refunded":
      return attempt.amount;
    default:
      return undefined;
  }
};
