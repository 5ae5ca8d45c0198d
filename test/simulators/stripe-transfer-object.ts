// How transfers and their reversals look on the wire and in events, and how a path finds its transfer.

import { notFound } from "./stripe-errors.ts";
import { record } from "./stripe-events.ts";
import type { Call, ReversalRecord, TransferRecord, World } from "./stripe-world.ts";

const EMBEDDED_REVERSALS = 10;

export const reversedOf = (transfer: TransferRecord): number =>
  transfer.reversals.reduce((sum, reversal) => sum + reversal.amount, 0);

export const renderReversal = (transfer: TransferRecord, reversal: ReversalRecord) => ({
  id: reversal.id,
  object: "transfer_reversal",
  amount: reversal.amount,
  balance_transaction: reversal.balance_transaction,
  created: reversal.created,
  currency: transfer.currency,
  destination_payment_refund: reversal.destination_payment_refund,
  metadata: reversal.metadata,
  source_refund: null,
  transfer: transfer.id,
});

export function renderTransfer(transfer: TransferRecord) {
  const reversed = reversedOf(transfer);
  const newest = transfer.reversals.toReversed();
  return {
    id: transfer.id,
    object: "transfer",
    amount: transfer.amount,
    amount_reversed: reversed,
    balance_transaction: transfer.balance_transaction,
    created: transfer.created,
    currency: transfer.currency,
    description: transfer.description,
    destination: transfer.destination,
    destination_payment: transfer.destination_payment,
    livemode: transfer.livemode,
    metadata: transfer.metadata,
    reversals: {
      object: "list",
      data: newest.slice(0, EMBEDDED_REVERSALS).map((reversal) => renderReversal(transfer, reversal)),
      has_more: newest.length > EMBEDDED_REVERSALS,
      url: `/v1/transfers/${transfer.id}/reversals`,
    },
    reversed: reversed === transfer.amount,
    source_transaction: null,
    source_type: transfer.source_type,
    transfer_group: transfer.transfer_group,
  };
}

export function announce(
  world: World,
  transfer: TransferRecord,
  type: "transfer.created" | "transfer.updated" | "transfer.reversed",
  how: { call?: Call; previous?: object },
): void {
  record(world, {
    type,
    object: renderTransfer(transfer),
    platform: transfer.platform,
    livemode: transfer.livemode,
    ...how,
  });
}

/** The transfer that the path's first id names, if this platform made it. */
export function transferOf(call: Call, world: World): TransferRecord {
  const id = call.ids[0] ?? "";
  const transfer = world.data.transfers[id];
  if (transfer?.platform !== call.platform) throw notFound("transfer", id);
  return transfer;
}
