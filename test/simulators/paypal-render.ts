// Batches and items as PayPal writes them.

import type { BatchRecord, ItemRecord, World } from "./paypal-world.ts";
import { instant } from "./paypal-world.ts";

const HOST = "https://api.sandbox.paypal.com";

const MESSAGES: Record<string, string> = {
  RECEIVER_UNREGISTERED:
    "The recipient for this payout does not have an account. A link to sign up for an account was sent to the recipient. However, if the recipient does not claim this payout within 30 days, the funds will be returned to your account.",
  RECEIVER_ACCOUNT_LIMITATION:
    "The recipient's account is currently under limitation. Any payments made to this account will be on hold until the issue is resolved. Funds will be returned to your account if the limitation is not resolved within 30 days of the sent payout.",
  RECEIVER_ACCOUNT_LOCKED:
    "We were not able to send a payout because the recipient's account is inactive or restricted. Funds have been returned to your account.",
  REGULATORY_PENDING:
    "This transaction is pending, while it is reviewed for compliance with government regulations.",
  REGULATORY_BLOCKED: "This transaction is blocked due to regulatory compliance restrictions.",
  RISK_DECLINE: "This transaction was declined due to risk concerns.",
};

const errorsOf = (name: string) => ({
  name,
  message: MESSAGES[name] ?? "An error occurred while processing this payout request.",
  information_link: "https://developer.paypal.com/docs/api/payments.payouts-batch/#errors",
  details: [],
  links: [],
});

const link = (path: string, rel: string) => ({ href: `${HOST}${path}`, rel, method: "GET" });

const senderHeader = (batch: BatchRecord) => ({
  ...(batch.sender_batch_id === null ? {} : { sender_batch_id: batch.sender_batch_id }),
  ...(batch.email_subject === null ? {} : { email_subject: batch.email_subject }),
  ...(batch.email_message === null ? {} : { email_message: batch.email_message }),
});

export const batchLink = (batch: BatchRecord) =>
  link(`/v1/payments/payouts/${batch.payout_batch_id}`, "self");

/** PayPal writes its own id into every batch; here it says nothing of the fees, which nobody pays. */
export function renderHeader(world: World, batch: BatchRecord) {
  const items = world.itemsOf(batch);
  const currency = items[0]?.amount.currency ?? "USD";
  const total =
    items.length === 1 ? (items[0]?.amount.value ?? "0") : sumOf(items.map((i) => i.amount.value));
  return {
    payout_batch_id: batch.payout_batch_id,
    batch_status: batch.status,
    time_created: instant(batch.created_at),
    ...(batch.completed_at === null
      ? {}
      : { time_completed: instant(batch.completed_at), time_closed: instant(batch.completed_at) }),
    sender_batch_header: senderHeader(batch),
    funding_source: "BALANCE",
    amount: { currency, value: total },
    fees: { currency, value: "0" },
  };
}

const sumOf = (values: readonly string[]): string =>
  (values.reduce((sum, value) => sum + Math.round(Number(value) * 100), 0) / 100).toFixed(2);

export const renderItem = (item: ItemRecord) => ({
  payout_item_id: item.payout_item_id,
  ...(item.status === "FAILED" || item.processed_at === null ? {} : { transaction_id: item.transaction_id }),
  ...(item.processed_at === null ? {} : { activity_id: item.activity_id }),
  transaction_status: item.status,
  payout_item_fee: { currency: item.amount.currency, value: "0" },
  payout_batch_id: item.payout_batch_id,
  payout_item: {
    recipient_type: item.recipient_type,
    amount: item.amount,
    ...(item.note === null ? {} : { note: item.note }),
    receiver: item.receiver,
    ...(item.sender_item_id === null ? {} : { sender_item_id: item.sender_item_id }),
    recipient_wallet: "PAYPAL",
  },
  ...(item.processed_at === null ? {} : { time_processed: instant(item.processed_at) }),
  ...(item.error === null ? {} : { errors: errorsOf(item.error) }),
  links: [link(`/v1/payments/payouts-item/${item.payout_item_id}`, "item")],
});

/** An item asked for by itself, which also names its batch. */
export const renderOneItem = (batch: BatchRecord, item: ItemRecord) => ({
  ...renderItem(item),
  ...(batch.sender_batch_id === null ? {} : { sender_batch_id: batch.sender_batch_id }),
  links: [
    link(`/v1/payments/payouts-item/${item.payout_item_id}`, "self"),
    link(`/v1/payments/payouts/${item.payout_batch_id}`, "batch"),
  ],
});
