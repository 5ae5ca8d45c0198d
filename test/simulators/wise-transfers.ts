// Transfers: made once per customerTransactionId and quote, listed, paid for from the balance, and cancelled while that is possible.

import { forbidden, invalid, json, notFound, WiseFailure } from "./wise-errors.ts";
import { announceState } from "./wise-events.ts";
import { changeStatus, paidFor, payFor } from "./wise-progress.ts";
import { ownProfile, recipientOf, statusOf } from "./wise-quotes.ts";
import { dateIn, integerAt, numberIn, objectAt, textAt, uuidAt } from "./wise-read.ts";
import {
  type Call,
  type Handler,
  instant,
  type ProfileRecord,
  type QuoteRecord,
  type TransferRecord,
  unitsOf,
  type World,
} from "./wise-world.ts";

/** What is converted is what leaves without the fee: `sourceValue` × `rate` is `targetValue`. */
export const renderTransfer = (transfer: TransferRecord, world: World) => {
  const quote = world.quote(transfer.quote);
  const profile = world.profile(transfer.profile);
  return {
    id: transfer.id,
    user: transfer.user,
    targetAccount: transfer.recipient,
    sourceAccount: null,
    quote: null,
    quoteUuid: transfer.quote,
    status: transfer.status,
    rate: quote.rate,
    created: instant(transfer.created_at),
    business: profile.type === "BUSINESS" ? profile.id : null,
    transferRequest: null,
    details: { reference: transfer.reference },
    hasActiveIssues: transfer.status === "bounced_back",
    sourceCurrency: quote.source_currency,
    sourceValue: unitsOf(quote.source - quote.fee),
    targetCurrency: quote.target_currency,
    targetValue: unitsOf(quote.target),
    customerTransactionId: transfer.customer_transaction_id,
    payinSessionId: null,
  };
};

/** What really happened, for whoever counts: beside what Wise answers, whose it is and what left for it. */
export const countTransfer = (transfer: TransferRecord, world: World) => ({
  ...renderTransfer(transfer, world),
  profile: transfer.profile,
  isFunded: transfer.payments.length > 0,
  payments: transfer.payments.length,
  paid: unitsOf(paidFor(transfer)),
  refunded: transfer.refunded,
  course: transfer.course,
});

const REFERENCE = /^[\p{L}\p{N} .,/-]{0,100}$/u;

export const createTransfer: Handler = (call, world) => {
  const { body } = call;
  const targetAccount = integerAt(body, "targetAccount");
  const quoteUuid = uuidAt(body, "quoteUuid");
  const customer_transaction_id = uuidAt(body, "customerTransactionId");
  const reference = textAt(objectAt(body, "details"), "reference");
  if (!REFERENCE.test(reference))
    throw invalid({ code: "NOT_VALID", message: "not a reference", path: "details.reference" });
  const known = Object.values(world.data.transfers).find(
    (transfer) =>
      transfer.customer_transaction_id === customer_transaction_id &&
      call.profiles.some((own) => own.id === transfer.profile),
  );
  const quote = world.data.quotes[quoteUuid];
  if (known !== undefined) {
    if (!world.data.repeats_after_expiry && isLate(known, world)) throw expired();
    return { value: renderTransfer(known, world) };
  }
  const profile = call.profiles.find((own) => own.id === quote?.profile);
  if (quote === undefined || profile === undefined) throw notFound("quote.not-found");
  const made = book(world, admitted(call, world, { quote, profile, targetAccount }), {
    customer_transaction_id,
    reference,
  });
  return { value: renderTransfer(made, world) };
};

const expired = () =>
  invalid({ code: "error.quote.expired", message: "The quote has expired.", path: "quoteUuid" });

const isLate = (transfer: TransferRecord, world: World): boolean =>
  world.now() >= world.quote(transfer.quote).created_at + 30 * 60_000;

type Order = { quote: QuoteRecord; profile: ProfileRecord; targetAccount: number };

/** Throws unless this quote may become this transfer. */
function admitted(call: Call, world: World, order: Order): Order {
  const { quote, profile, targetAccount } = order;
  if (statusOf(quote, world) === "EXPIRED") throw expired();
  if (quote.transfer !== null)
    throw invalid({ code: "error.quote.used", message: "The quote has been used.", path: "quoteUuid" });
  const recipient = recipientOf(call, world, profile, targetAccount);
  if (recipient.currency !== quote.target_currency)
    throw invalid({ code: "INVALID_RECIPIENT", message: "The recipient takes another currency." });
  return order;
}

function book(
  world: World,
  { quote, profile, targetAccount }: Order,
  named: { customer_transaction_id: string; reference: string },
): TransferRecord {
  const transfer: TransferRecord = {
    id: world.newId("transfer"),
    profile: profile.id,
    user: profile.user,
    recipient: targetAccount,
    quote: quote.id,
    ...named,
    status: "incoming_payment_waiting",
    created_at: world.now(),
    changed_at: world.now(),
    payments: [],
    refunded: false,
    course: ["incoming_payment_waiting"],
    listed_from: world.now(),
  };
  world.data.transfers[transfer.id] = transfer;
  quote.transfer = transfer.id;
  announceState(world, transfer, null);
  return transfer;
}

/** The transfer in the path, if it is of one of the token's profiles. */
function ownTransfer(call: Call, world: World, id = call.ids[0] ?? ""): TransferRecord {
  const transfer = world.data.transfers[id];
  if (transfer === undefined || !call.profiles.some((own) => own.id === transfer.profile))
    throw notFound("transfer.not-found");
  return transfer;
}

export const getTransfer: Handler = (call, world) => ({
  value: renderTransfer(ownTransfer(call, world), world),
});

/** Newest first. */
export const listTransfers: Handler = (call, world) => {
  const { query } = call;
  const profile = ownProfile(call, query.get("profile") ?? String(call.profiles[0]?.id));
  const from = dateIn(query, "createdDateStart", 0);
  const until = dateIn(query, "createdDateEnd", Number.MAX_SAFE_INTEGER);
  const limit = Math.min(numberIn(query, "limit", 10), world.data.page_max);
  const offset = numberIn(query, "offset", 0);
  const statuses = query.get("status")?.split(",");
  const found = Object.values(world.data.transfers)
    .filter((transfer) => {
      const quote = world.quote(transfer.quote);
      return (
        transfer.profile === profile.id &&
        transfer.listed_from <= world.now() &&
        transfer.created_at >= from &&
        transfer.created_at <= until &&
        (statuses === undefined || statuses.includes(transfer.status)) &&
        (query.get("sourceCurrency") ?? quote.source_currency) === quote.source_currency &&
        (query.get("targetCurrency") ?? quote.target_currency) === quote.target_currency
      );
    })
    .sort((one, other) => other.id - one.id);
  return { value: found.slice(offset, offset + limit).map((transfer) => renderTransfer(transfer, world)) };
};

/** Only here may a token pay for transfers by API. */
const FUNDABLE = ["AU", "CA", "MY", "NZ", "SG", "US"];

const challenge = (world: World) =>
  forbidden({ "x-2fa-approval": world.newUuid(), "x-2fa-approval-result": "REJECTED" });

const rejected = (status: number, errorCode: string): WiseFailure =>
  new WiseFailure(json({ type: "BALANCE", status: "REJECTED", errorCode, errorMessage: null }, status));

export const rejectedForFunds = (world: World): WiseFailure =>
  rejected(world.data.rejection.status, world.data.rejection.error_code);

export const fundTransfer: Handler = (call, world) => {
  const profile = ownProfile(call);
  const transfer = ownTransfer(call, world, call.ids[1]);
  if (transfer.profile !== profile.id) throw notFound("transfer.not-found");
  if (textAt(call.body, "type") !== "BALANCE") throw rejected(422, "balance.payment-option-unavailable");
  if (!FUNDABLE.includes(profile.country)) throw challenge(world);
  if (transfer.status !== "incoming_payment_waiting")
    throw invalid({ code: "transfer.invalid-state", message: "The transfer cannot be paid for." });
  if (!payFor(world, transfer, "BALANCE")) throw rejectedForFunds(world);
  return { status: 201, value: { type: "BALANCE", status: "COMPLETED", errorCode: null } };
};

export const listPayments: Handler = (call, world) => ({
  value: ownTransfer(call, world).payments.map((payment) => ({
    id: payment.id,
    method: payment.method,
    pricingVariant: null,
    amount: unitsOf(payment.amount),
    currency: payment.currency,
    timeCreated: instant(payment.at),
    timeUpdated: instant(payment.at),
  })),
});

export const cancelTransfer: Handler = (call, world) => {
  const transfer = ownTransfer(call, world);
  if (transfer.status !== "incoming_payment_waiting" && transfer.status !== "processing") {
    throw invalid(
      { code: "transfer.cancellation.not.allowed", message: "Transfer cannot be cancelled" },
      409,
    );
  }
  changeStatus(world, transfer, "cancelled");
  return { value: renderTransfer(transfer, world) };
};
