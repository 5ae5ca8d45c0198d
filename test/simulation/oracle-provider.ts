// The book against the provider's own truth: how often a payout was sent, and that money given back was never sent.
import { amountIn, groupBy, type Row, type Snapshot, type Transfer, textIn } from "./snapshot.ts";
import { must } from "./violation.ts";

const GIVEN_BACK = ["requested", "pending", "approved", "failed", "cancelled"];

const isLate = (attempts: readonly Row[], transfer: Transfer): boolean =>
  attempts.some(
    (attempt) =>
      attempt["state"] === "paid_late" && attempt["idempotency_key"] === transfer.metadata["attempt"],
  );

/** The transfers of a payout, by what their metadata says, those that paid late apart. */
const transfersOf = (payout: Row, attempts: readonly Row[], now: Snapshot): Transfer[] =>
  now.transfers.filter(
    (transfer) => transfer.metadata["payout_id"] === payout["id"] && !isLate(attempts, transfer),
  );

/** Exactly what the attempt froze, less what came back. */
const checkTransfer = (payout: Row, attempt: Row, transfer: Transfer): void => {
  const id = textIn(payout, "id");
  const same =
    transfer.amount === attempt["amount"] &&
    transfer.amount === payout["amount"] &&
    transfer.currency.toUpperCase() === payout["currency"] &&
    transfer.destination === attempt["destination"] &&
    transfer.platform === attempt["provider_account"] &&
    transfer.id === attempt["provider_ref"];
  must(same, "I7", () => `${id} is paid, but the provider has ${JSON.stringify(transfer)}`);
  const out = transfer.amount - transfer.amount_reversed;
  const kept = amountIn(payout, "amount") - amountIn(payout, "returned_amount");
  must(out === kept, "I7", () => `${id} has ${kept} out, the provider ${out}`);
};

/** I1, and the safe half of I7: true at every moment, whatever is still under way. */
export const checkProvider = (now: Snapshot): void => {
  const attemptsOf = groupBy(now.attempts, "payout_id");
  for (const payout of now.payouts) {
    const [id, status] = [textIn(payout, "id"), textIn(payout, "status")];
    const attempts = attemptsOf.get(id) ?? [];
    const transfers = transfersOf(payout, attempts, now);
    must(transfers.length <= 1, "I1", () => `${id} was sent ${transfers.length} times`);
    const [transfer] = transfers;
    if (GIVEN_BACK.includes(status))
      must(transfer === undefined, "I7", () => `${id} is ${status}, the provider has sent ${transfer?.id}`);
    if (payout["paid_via"] !== "stripe") {
      if (payout["paid_via"] !== null)
        must(transfer === undefined, "I7", () => `${id} was paid by hand and sent as ${transfer?.id}`);
      continue;
    }
    const attempt = attempts.find(({ state }) => state === "settled");
    must(transfer !== undefined && attempt !== undefined, "I7", () => `${id} is ${status}, nothing was sent`);
    if (transfer !== undefined && attempt !== undefined) checkTransfer(payout, attempt, transfer);
  }
};

/** The other half of I7, once everything is quiet: no money is at the provider that the book does not count as paid. */
export const checkNothingElseSent = (now: Snapshot): void => {
  const payouts = new Map(now.payouts.map((payout) => [payout["id"], payout]));
  for (const transfer of now.transfers) {
    const payout = payouts.get(String(transfer.metadata["payout_id"]));
    must(payout !== undefined, "I7", () => `${transfer.id} is of no payout`);
    if (payout === undefined) continue;
    const attempts = now.attempts.filter((attempt) => attempt["payout_id"] === payout["id"]);
    const counts =
      isLate(attempts, transfer) || (payout["paid_via"] === "stripe" && payout["paid_at"] !== null);
    must(counts, "I7", () => `${transfer.id} was sent, ${payout["id"]} is ${payout["status"]}`);
  }
};
