// Reads a payout batch as PayPal shows it, compares it with what an attempt sent, and says what became of it.
import type { Attempt, RailOutcome } from "../domain/payout.ts";
import { fromPayPalValue } from "./paypal-amounts.ts";
import { fieldIn, listIn, nameIn, textIn, wordsOf } from "./paypal-json.ts";

/** What an attempt sends: one item in a batch of its own. Also what is compared, so the order of fields is frozen with it. */
export interface PayoutRequest {
  readonly sender_batch_header: { readonly sender_batch_id: string };
  readonly items: readonly [
    {
      readonly recipient_type: "EMAIL";
      readonly receiver: string;
      readonly amount: { readonly value: string; readonly currency: string };
      readonly sender_item_id: string;
    },
  ];
}

const BATCH_ID = /^[A-Za-z0-9_-]{1,30}$/;
export const isBatchId = (text: string): boolean => BATCH_ID.test(text);

export interface BatchHeader {
  readonly batchId: string;
  readonly status: string;
  readonly senderBatchId: string;
}

export interface Batch extends BatchHeader {
  readonly items: readonly unknown[];
}

/** undefined where a field is missing that PayPal's description requires. */
export const headerIn = (body: unknown): BatchHeader | undefined => {
  const header = fieldIn(body, "batch_header");
  const batchId = textIn(header, "payout_batch_id", BATCH_ID);
  const status = nameIn(header, "batch_status");
  const senderBatchId = textIn(fieldIn(header, "sender_batch_header"), "sender_batch_id");
  return batchId === undefined || status === undefined || senderBatchId === undefined
    ? undefined
    : { batchId, status, senderBatchId };
};

export const batchIn = (body: unknown): Batch | undefined => {
  const header = headerIn(body);
  return header === undefined ? undefined : { ...header, items: listIn(body, "items") };
};

const requestOf = (attempt: Attempt): PayoutRequest => JSON.parse(attempt.request) as PayoutRequest;

/** The whole item as it was sent; PayPal may write an amount or an address in another way. */
const isItemOf = (item: unknown, batch: Batch, attempt: Attempt): boolean => {
  const [sent] = requestOf(attempt).items;
  const shown = fieldIn(item, "payout_item");
  const amount = fieldIn(shown, "amount");
  const value = textIn(amount, "value");
  return (
    textIn(item, "payout_batch_id") === batch.batchId &&
    textIn(shown, "sender_item_id") === sent.sender_item_id &&
    textIn(shown, "receiver")?.toLowerCase() === sent.receiver.toLowerCase() &&
    textIn(amount, "currency") === sent.amount.currency &&
    value !== undefined &&
    fromPayPalValue(value, attempt.currency) === attempt.amount
  );
};

/** `bare`: the batch is the attempt's, and its item is not shown yet. */
export const compare = (batch: Batch, attempt: Attempt): "same" | "bare" | "other" => {
  if (batch.senderBatchId !== requestOf(attempt).sender_batch_header.sender_batch_id) return "other";
  if (batch.items.length === 0) return "bare";
  return batch.items.length === 1 && isItemOf(batch.items[0], batch, attempt) ? "same" : "other";
};

const DAY_MS = 86_400_000;

/** PayPal sends back after 30 days what nobody took, or what it still holds; a day for its own work. */
const GIVEN_BACK_AFTER_MS = 31 * DAY_MS;

/** What is left of PayPal's own term, counted from when it processed the item, not anew at every look. */
const termLeft = (item: unknown, attempt: Attempt, now: number): number | undefined => {
  const processed = Date.parse(textIn(item, "time_processed") ?? "");
  const since = processed >= attempt.createdAt && processed <= now ? processed : attempt.createdAt;
  const left = since + GIVEN_BACK_AFTER_MS - now;
  return left > 0 ? left : undefined;
};

const MEANINGS: Readonly<Record<string, string>> = {
  PENDING: "PayPal works on it",
  UNCLAIMED: "the receiver has not taken it yet; after 30 days PayPal sends it back",
  ONHOLD: "PayPal reviews it",
  BLOCKED:
    "PayPal has blocked it and does not say whether the money is back: look at it in PayPal's activity",
};

const detailOf = (status: string, item: unknown): string => {
  const why = wordsOf(fieldIn(item, "errors"));
  const meaning = MEANINGS[status];
  return [status, ...(meaning === undefined ? [] : [meaning]), ...(why === undefined ? [] : [why])].join(
    ": ",
  );
};

const refused = (status: string, item: unknown): RailOutcome => ({
  kind: "refused",
  code: nameIn(fieldIn(item, "errors")) ?? status,
  detail: detailOf(status, item),
});

/** By PayPal's own words for each: the money was not deducted, or it is back. */
const NOT_WITH_THE_RECEIVER: readonly string[] = ["FAILED", "RETURNED", "REFUNDED", "REVERSED"];

/** A denied batch was not processed; an item that says otherwise contradicts it. */
const isDenied = (batch: Batch, status: string | undefined): boolean =>
  batch.status === "DENIED" &&
  (status === undefined || [...NOT_WITH_THE_RECEIVER, "DENIED", "BLOCKED"].includes(status));

const ofItem = (batch: Batch, status: string, attempt: Attempt, now: number): RailOutcome => {
  const [item] = batch.items;
  const ref = batch.batchId;
  switch (status) {
    case "SUCCESS":
      return { kind: "settled", ref };
    case "FAILED":
    case "RETURNED":
      return refused(status, item);
    case "REFUNDED":
    case "REVERSED":
      // It was paid before it came back, and what came back is asked for apart; of a refused attempt nothing is out any more.
      return attempt.state === "refused" ? refused(status, item) : { kind: "settled", ref };
    case "PENDING":
    case "UNCLAIMED":
    case "ONHOLD": {
      const expectedWithinMs = termLeft(item, attempt, now);
      const isPlain = status === "PENDING" && nameIn(fieldIn(item, "errors")) === undefined;
      return {
        kind: "accepted",
        ref,
        detail: detailOf(status, item),
        ...(isPlain || expectedWithinMs === undefined ? {} : { expectedWithinMs }),
      };
    }
    case "BLOCKED":
      return { kind: "needs_hand", instructions: detailOf(status, item), ref };
    default:
      return { kind: "unknown", detail: `PayPal shows the item as ${status}` };
  }
};

/** What became of an attempt whose batch this is. */
export const outcomeOf = (batch: Batch, attempt: Attempt, now: number): RailOutcome => {
  const [item] = batch.items;
  const status = nameIn(item, "transaction_status");
  if (isDenied(batch, status)) return refused(status ?? batch.status, item);
  if (!["PENDING", "PROCESSING", "SUCCESS"].includes(batch.status))
    return { kind: "unknown", detail: `PayPal shows the batch as ${batch.status}` };
  if (status !== undefined) return ofItem(batch, status, attempt, now);
  return item === undefined || batch.status !== "SUCCESS"
    ? { kind: "accepted", ref: batch.batchId, detail: `${batch.status}: PayPal shows no item yet` }
    : { kind: "unknown", detail: "PayPal shows an item without a status" };
};

/** How much of what was paid is not with the receiver any more, in minor units; undefined where PayPal does not say. */
export const returnedOf = (batch: Batch, attempt: Attempt): number | undefined => {
  const status = nameIn(batch.items[0], "transaction_status");
  if (isDenied(batch, status)) return attempt.amount;
  if (status === undefined) return undefined;
  if (NOT_WITH_THE_RECEIVER.includes(status)) return attempt.amount;
  return ["SUCCESS", "PENDING", "UNCLAIMED", "ONHOLD", "BLOCKED"].includes(status) ? 0 : undefined;
};
