// What becomes of transfers: each change of state moves the money that it moves, and is announced.

import { announceFailure, announceState } from "./wise-events.ts";
import { type Status, type TransferRecord, UNFUNDED_LIVES_MS, type World } from "./wise-world.ts";

export const paidFor = (transfer: TransferRecord): number =>
  transfer.payments.reduce((sum, payment) => sum + payment.amount, 0);

/** Changes a transfer as Wise, its recipient's bank or a person at Wise would. */
export function changeStatus(world: World, transfer: TransferRecord, status: Status): void {
  if (transfer.status === status) return;
  const previous = transfer.status;
  transfer.status = status;
  transfer.changed_at = world.now();
  transfer.course.push(status);
  if (status === "funds_refunded" && !transfer.refunded) {
    const currency = transfer.payments[0]?.currency;
    if (currency !== undefined) world.move(world.profile(transfer.profile), currency, paidFor(transfer));
    transfer.refunded = true;
  }
  announceState(world, transfer, previous);
  if (status === "bounced_back") announceFailure(world, transfer);
}

/** Takes what a transfer costs from the balance; false where the balance is short, and then nothing moved. */
export function payFor(world: World, transfer: TransferRecord, method: string): boolean {
  const quote = world.quote(transfer.quote);
  const profile = world.profile(transfer.profile);
  if (world.available(profile, quote.source_currency) < quote.source) return false;
  world.move(profile, quote.source_currency, -quote.source);
  transfer.payments.push({
    id: world.newId("payment"),
    method,
    amount: quote.source,
    currency: quote.source_currency,
    at: world.now(),
  });
  changeStatus(world, transfer, "processing");
  return true;
}

const NEXT: Partial<Record<Status, Status>> = {
  incoming_payment_initiated: "processing",
  processing: "funds_converted",
  waiting_recipient_input_to_proceed: "funds_converted",
  funds_converted: "outgoing_payment_sent",
};

/** The next state of the good course. */
export function advance(world: World, transfer: TransferRecord): void {
  const next = NEXT[transfer.status];
  if (next === undefined)
    throw new RangeError(`a transfer that is ${transfer.status} goes nowhere by itself`);
  changeStatus(world, transfer, next);
}

/** Does what has fallen due since anybody looked; `courseMs` is how long a paid transfer takes to be sent, null where it waits to be told. */
export function progress(world: World, courseMs: number | null): void {
  const now = world.now();
  for (const transfer of Object.values(world.data.transfers)) {
    if (transfer.status === "incoming_payment_waiting" && now >= transfer.created_at + UNFUNDED_LIVES_MS)
      changeStatus(world, transfer, "cancelled");
    const isPaid = transfer.status === "processing" || transfer.status === "funds_converted";
    if (courseMs === null || !isPaid || now < (transfer.payments[0]?.at ?? now) + courseMs) continue;
    while (NEXT[transfer.status] !== undefined) advance(world, transfer);
  }
}
