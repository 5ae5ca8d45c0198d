// Transfers to connected accounts: made, found, updated, and refused for the reasons Stripe refuses them.

import { addTransaction, availableTo, moveOnAccount } from "./stripe-balances.ts";
import { isSupported, stepOf } from "./stripe-currencies.ts";
import { accountClosed, balanceInsufficient, invalid, missing, notFound } from "./stripe-errors.ts";
import { integerAt, textAt } from "./stripe-form.ts";
import { checkList, inRange, page, RANGE } from "./stripe-lists.ts";
import { checkParams, mergeMetadata } from "./stripe-params.ts";
import { announce, renderTransfer, transferOf } from "./stripe-transfer-object.ts";
import type { AccountRecord, Call, Handler, TransferRecord, World } from "./stripe-world.ts";

const MAX_AMOUNT = 99_999_999;
export function checkAmount(amount: number, currency: string): void {
  if (amount > MAX_AMOUNT) {
    throw invalid("Amount must be no more than $999,999.99", "amount_too_large", "amount");
  }
  const step = stepOf(currency);
  if (amount % step !== 0) {
    throw invalid(
      `Invalid ${currency} amount: must be a multiple of ${step}.`,
      "parameter_invalid_integer",
      "amount",
    );
  }
}

export const createTransfer: Handler = (call, world) => {
  const { params } = call;
  checkParams(params, {
    amount: "positive integer",
    currency: "required string",
    destination: "required string",
    description: "string",
    metadata: "metadata",
    source_transaction: "string",
    source_type: ["bank_account", "card", "fpx"],
    transfer_group: "string",
    expand: "expand",
  });
  const currency = textAt(params, "currency")?.toLowerCase();
  const destination = textAt(params, "destination");
  const amount = integerAt(params, "amount");
  const source = textAt(params, "source_transaction");
  if (currency === undefined) throw missing("currency");
  if (destination === null) throw missing("destination");
  if (!isSupported(currency)) throw invalid(`Invalid currency: ${currency}.`, undefined, "currency");
  if (source !== null && textAt(params, "source_type") !== null) {
    throw invalid(
      "You may not pass both source_transaction and source_type.",
      "transfer_source_balance_parameters_mismatch",
    );
  }
  if (amount === null) throw missing("amount");
  checkAmount(amount, currency);
  return () => {
    if (call.onAccount !== null) {
      throw invalid("This simulator makes transfers from platform accounts only.", "transfers_not_allowed");
    }
    if (source !== null) throw notFound("charge", source, "source_transaction", 400);
    admit(world, call, destination, currency);
    const transfer = book(world, call, { amount, currency, destination });
    return renderTransfer(transfer);
  };
};

/** Throws unless this destination may be sent this currency. */
function admit(world: World, call: Call, id: string, currency: string): AccountRecord {
  const account = world.account(id, call.platform);
  if (account === null) throw notFound("destination", id, "destination", 400);
  if (account.closed) throw accountClosed(id);
  if (account.capabilities.transfers?.status !== "active") {
    throw invalid(
      "Your destination account needs to have at least one of the following capabilities enabled: transfers, crypto_transfers, legacy_payments",
      "insufficient_capabilities_for_transfer",
    );
  }
  if (account.currencies !== null && !account.currencies.includes(currency)) {
    throw invalid(
      `Funds in ${currency} can't be sent to accounts located in ${account.country}.`,
      "transfers_not_allowed",
    );
  }
  return account;
}

function book(
  world: World,
  call: Call,
  sum: { amount: number; currency: string; destination: string },
): TransferRecord {
  const { amount, currency, destination } = sum;
  const platform = world.platformOf(call);
  const available = availableTo(world, platform, currency);
  if (available < amount) throw balanceInsufficient();
  const id = world.newId("tr");
  const payment = world.newId("py");
  platform.available[currency] = available - amount;
  moveOnAccount(world, destination, currency, amount);
  const description = textAt(call.params, "description");
  const moved = { currency, description };
  const balance_transaction = addTransaction(world, {
    ...moved,
    holder: call.platform,
    amount: -amount,
    source: id,
    type: "transfer",
  });
  addTransaction(world, { ...moved, holder: destination, amount, source: payment, type: "payment" });
  const transfer: TransferRecord = {
    id,
    platform: call.platform,
    livemode: call.livemode,
    ...sum,
    description,
    metadata: mergeMetadata({}, call.params.metadata),
    transfer_group: textAt(call.params, "transfer_group"),
    source_type: textAt(call.params, "source_type") ?? "card",
    created: world.seconds(),
    balance_transaction,
    destination_payment: payment,
    reversals: [],
    listed_from: 0,
  };
  world.data.transfers[id] = transfer;
  announce(world, transfer, "transfer.created", { call });
  return transfer;
}

export const listTransfers: Handler = (call, world) => {
  const { params } = call;
  checkList(params, { created: RANGE, transfer_group: "text", destination: "text" });
  const filters = (["transfer_group", "destination"] as const).filter((name) => params[name] !== undefined);
  return () => {
    const found = Object.values(world.data.transfers).filter(
      (transfer) =>
        transfer.platform === call.platform &&
        transfer.listed_from <= world.now() &&
        filters.every((name) => transfer[name] === textAt(params, name)) &&
        inRange(params, "created", transfer.created),
    );
    return page(found.map(renderTransfer), params, "transfer", "/v1/transfers");
  };
};

export const getTransfer: Handler = (call, world) => {
  checkParams(call.params, { expand: "expand" });
  return () => renderTransfer(transferOf(call, world));
};

export const updateTransfer: Handler = (call, world) => {
  const { params } = call;
  checkParams(params, { description: "string", metadata: "metadata", expand: "expand" });
  return () => {
    const transfer = transferOf(call, world);
    const before = { description: transfer.description, metadata: transfer.metadata };
    if (params.description !== undefined) transfer.description = textAt(params, "description");
    transfer.metadata = mergeMetadata(transfer.metadata, params.metadata);
    announce(world, transfer, "transfer.updated", { call, previous: before });
    return renderTransfer(transfer);
  };
};
