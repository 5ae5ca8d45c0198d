// Reversals of transfers: in parts, up to what is left, as far as the destination's balance covers them.

import { addTransaction, availableOn, availableTo, moveOnAccount } from "./stripe-balances.ts";
import { invalid, notFound } from "./stripe-errors.ts";
import { integerAt, type Params } from "./stripe-form.ts";
import { checkList, page } from "./stripe-lists.ts";
import { checkParams, mergeMetadata } from "./stripe-params.ts";
import { announce, renderReversal, reversedOf, transferOf } from "./stripe-transfer-object.ts";
import type { Call, Handler, ReversalRecord, TransferRecord, World } from "./stripe-world.ts";

export type Reversing = { amount: number | null; metadata?: string | Params | undefined; call?: Call };

/** Takes an amount, or all that is left, back from a transfer's destination. */
export function reverse(world: World, transfer: TransferRecord, how: Reversing): ReversalRecord {
  const left = transfer.amount - reversedOf(transfer);
  const amount = how.amount ?? left;
  if (left === 0) throw invalid(`Transfer ${transfer.id} is already reversed.`);
  if (amount > left) {
    throw invalid(
      `Reversal amount (${amount}) is greater than unreversed amount (${left}) on transfer ${transfer.id}.`,
      undefined,
      "amount",
    );
  }
  const { currency, destination } = transfer;
  if (availableOn(world, destination, currency) < amount) {
    throw invalid(
      `The account ${destination} does not have sufficient funds to cover this reversal.`,
      "balance_insufficient",
    );
  }
  const platform = world.data.platforms[transfer.platform];
  if (platform === undefined) throw new Error("a transfer without a platform");
  const refund = world.newId("pyr");
  moveOnAccount(world, destination, currency, -amount);
  platform.available[currency] = availableTo(world, platform, currency) + amount;
  const id = world.newId("trr");
  const moved = { currency, description: null };
  addTransaction(world, {
    ...moved,
    holder: destination,
    amount: -amount,
    source: refund,
    type: "payment_refund",
  });
  const reversal: ReversalRecord = {
    id,
    amount,
    created: world.seconds(),
    metadata: mergeMetadata({}, how.metadata),
    balance_transaction: addTransaction(world, {
      ...moved,
      holder: transfer.platform,
      amount,
      source: id,
      type: "transfer_refund",
    }),
    destination_payment_refund: refund,
  };
  const before = { amount_reversed: transfer.amount - left, reversed: false };
  transfer.reversals.push(reversal);
  announce(world, transfer, "transfer.reversed", {
    previous: before,
    ...(how.call === undefined ? {} : { call: how.call }),
  });
  return reversal;
}

export const createReversal: Handler = (call, world) => {
  const { params } = call;
  checkParams(params, {
    amount: "positive integer",
    description: "string",
    metadata: "metadata",
    refund_application_fee: "boolean",
    expand: "expand",
  });
  return () => {
    const transfer = transferOf(call, world);
    const how = { amount: integerAt(params, "amount"), metadata: params.metadata, call };
    return renderReversal(transfer, reverse(world, transfer, how));
  };
};

export const listReversals: Handler = (call, world) => {
  checkList(call.params, {});
  return () => {
    const transfer = transferOf(call, world);
    const all = transfer.reversals.map((reversal) => renderReversal(transfer, reversal));
    return page(all, call.params, "transfer reversal", `/v1/transfers/${transfer.id}/reversals`);
  };
};

function reversalOf(call: Call, transfer: TransferRecord): ReversalRecord {
  const found = transfer.reversals.find((reversal) => reversal.id === call.ids[1]);
  if (found === undefined) throw notFound("transfer reversal", call.ids[1] ?? "");
  return found;
}

export const getReversal: Handler = (call, world) => {
  checkParams(call.params, { expand: "expand" });
  return () => {
    const transfer = transferOf(call, world);
    return renderReversal(transfer, reversalOf(call, transfer));
  };
};

export const updateReversal: Handler = (call, world) => {
  checkParams(call.params, { metadata: "metadata", expand: "expand" });
  return () => {
    const transfer = transferOf(call, world);
    const reversal = reversalOf(call, transfer);
    reversal.metadata = mergeMetadata(reversal.metadata, call.params.metadata);
    return renderReversal(transfer, reversal);
  };
};
