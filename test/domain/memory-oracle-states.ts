// The invariants of states: I1, I4, I6 and I7, and which status of a commission, payout and attempt goes with which.
import type { Commission } from "../../src/domain/commission.ts";
import { type Attempt, isOpenAttempt, type Payout } from "../../src/domain/payout.ts";
import type { Memory } from "./memory-ledger.ts";
import { affiliateViolation } from "./memory-oracle-affiliate.ts";
import type { Transfer, Truth } from "./memory-provider.ts";

const LIVE: readonly string[] = ["requested", "pending", "approved", "processing"];
const isLive = (payout: Payout): boolean => LIVE.includes(payout.status);

/** The status table, row by row; the first status is none. */
export const STATUS_STEPS: readonly string[] = [
  "none requested",
  "none pending",
  "requested pending",
  "requested cancelled",
  "pending approved",
  "pending processing",
  "pending paid",
  "pending cancelled",
  "approved processing",
  "approved paid",
  "approved pending",
  "approved cancelled",
  "processing paid",
  "processing failed",
  "processing cancelled",
  "processing pending",
  "failed pending",
  "failed cancelled",
  "cancelled pending",
  "paid returned",
];

const commissionViolation = (memory: Memory, commission: Commission): string | undefined => {
  const { id, status, amount, reduced, clawedBack, heldFrom, payoutId } = commission;
  const left = amount - reduced;
  const name = `commission ${id} ${status}`;
  if (amount <= 0 || reduced < 0 || clawedBack < 0 || left - clawedBack < 0) {
    return `I8 ${name}: ${amount} − ${reduced} − ${clawedBack}`;
  }
  if ((heldFrom !== null) !== (status === "held")) return `status: ${name} was ${heldFrom}`;
  if (status !== "rejected" && (left === 0) !== (status === "reversed"))
    return `status: ${name} with ${left} left`;
  const payout = payoutId === null ? undefined : memory.payouts.get(payoutId);
  if (payout === undefined) {
    if (payoutId !== null) return `I4 ${name} points to nothing`;
    if (status === "processing" || status === "paid") return `I4 ${name} has no payout`;
    return clawedBack === 0 ? undefined : `I5 ${name} is free with ${clawedBack} clawed back`;
  }
  if (memory.lines.get(payout.id)?.has(id) !== true) return `I4 ${name} is no line of ${payout.id}`;
  if (status !== "reversed" && status !== (isLive(payout) ? "processing" : "paid")) {
    return `status: ${name} in a payout that is ${payout.status}`;
  }
  return clawedBack > 0 && !payout.sent && payout.status !== "paid"
    ? `I5 ${name} clawed back while unsent`
    : undefined;
};

const linesViolation = (memory: Memory, truth: Truth, payout: Payout): string | undefined => {
  const lines = memory.lines.get(payout.id) ?? new Map<Commission["id"], number>();
  const keeps = isLive(payout) || payout.status === "paid" || truth.inParts.has(payout.id);
  let gross = 0;
  let left = 0;
  for (const [id, amount] of lines) {
    const commission = memory.commissions.get(id);
    if (commission === undefined) return `I4 a line of ${payout.id} has no commission`;
    if (commission.currency !== payout.currency) return `I8 a line of ${payout.id} is in another currency`;
    if ((commission.payoutId === payout.id) !== keeps) {
      return `I4 ${id} points to ${commission.payoutId} while ${payout.id} is ${payout.status}`;
    }
    gross += amount;
    left += commission.amount - commission.reduced;
  }
  if (lines.size !== payout.commissionCount) return `I4 ${payout.id} has ${lines.size} lines`;
  if (gross !== payout.gross) return `I4 gross of ${payout.id} is ${payout.gross}, its lines ${gross}`;
  return isLive(payout) && left !== payout.amount + payout.recovered
    ? `I4 what is left in ${payout.id} is ${left}`
    : undefined;
};

const historyViolation = (payout: Payout): string | undefined => {
  let from = "none";
  for (const step of payout.history) {
    if ((step.from ?? "none") !== from) return `status: ${payout.id} went on from ${from} as ${step.from}`;
    if (!STATUS_STEPS.includes(`${from} ${step.to}`))
      return `status: ${payout.id} went from ${from} to ${step.to}`;
    from = step.to;
  }
  return from === payout.status ? undefined : `status: the history of ${payout.id} ends at ${from}`;
};

const amountViolation = (payout: Payout): string | undefined => {
  const { id, gross, recovered, refunded, amount, returnedAmount, status, sent } = payout;
  if (amount <= 0 || recovered < 0 || refunded < 0) return `I8 ${id} is ${amount}`;
  if (amount !== gross - recovered - refunded) return `I4 ${id} is ${amount} of ${gross}`;
  if (returnedAmount < 0 || returnedAmount > amount)
    return `I8 ${id} returned ${returnedAmount} of ${amount}`;
  if (status === "returned" && returnedAmount !== amount) return `I8 ${id} is returned by ${returnedAmount}`;
  if (returnedAmount > 0 && status !== "paid" && status !== "returned")
    return `I8 ${id} returned while ${status}`;
  return sent && status !== "processing" && status !== "paid" && status !== "returned"
    ? `status: ${id} is ${status} and sent`
    : undefined;
};

const claimViolation = (memory: Memory, payout: Payout): string | undefined => {
  const log = memory.linesLog.filter(({ payoutId }) => payoutId === payout.id);
  const claims = log.filter(({ kind }) => kind === "claim").length;
  const ended = log.filter(({ kind, before }) => kind !== "claim" && LIVE.includes(before ?? "")).length;
  const others = log.length - claims - ended;
  if (claims !== payout.claims) return `I6 ${payout.id} claimed ${claims} times and says ${payout.claims}`;
  if (ended !== claims - (isLive(payout) ? 1 : 0))
    return `I6 ${payout.id} ${payout.status}: ended ${ended} of ${claims}`;
  return others > (payout.status === "returned" ? 1 : 0) ? `I6 ${payout.id} was given back twice` : undefined;
};

const attemptViolation = (attempts: readonly Attempt[], payout: Payout): string | undefined => {
  const open = attempts.filter(({ state }) => isOpenAttempt(state));
  if (open.length > 1) return `I1 ${payout.id} has ${open.length} open attempts`;
  if (new Set(attempts.map(({ key }) => key)).size !== attempts.length)
    return `I1 ${payout.id} used a key twice`;
  if (attempts.length !== payout.attemptCount)
    return `I1 ${payout.id} counts ${payout.attemptCount} attempts`;
  const waits = open.some(({ state }) => state !== "settled");
  if (waits !== (payout.sent && payout.status === "processing")) {
    return `status: ${payout.id} is ${payout.status}, sent ${payout.sent}, with ${waits ? "an" : "no"} attempt under way`;
  }
  return undefined;
};

const railViolation = (payout: Payout, transfers: readonly Transfer[]): string | undefined => {
  const out = transfers.filter(({ late, amount, returned }) => !late && amount > returned);
  const [transfer] = out;
  if (out.length > 1) return `I1 ${payout.id} was transferred ${out.length} times`;
  if (payout.status === "paid" && payout.paidVia === "stripe") {
    if (transfer === undefined) return `I7 ${payout.id} is paid and the provider has nothing`;
    const { amount, returned, currency, destination } = transfer;
    const same = currency === payout.currency && destination === payout.destinationSha;
    return same && amount - returned === payout.amount - payout.returnedAmount
      ? undefined
      : `I7 ${payout.id}: the provider has ${amount - returned} ${currency} at ${destination}`;
  }
  return transfer === undefined || (payout.status === "processing" && payout.sent)
    ? undefined
    : `I7 ${payout.id} is ${payout.status} and the provider has ${transfer.amount}`;
};

/** Who waits for a person is not late; whoever waits for a provider is late some day. */
const waitViolation = (
  attempts: readonly Attempt[],
  { id, status, expectedBy }: Payout,
): string | undefined => {
  if (status !== "processing")
    return expectedBy === null ? undefined : `status: ${id} is ${status}, expected by ${expectedBy}`;
  const isByHand = attempts.some(({ state }) => state === "needs_hand");
  return isByHand === (expectedBy === null) ? undefined : `status: ${id} is expected by ${expectedBy}`;
};

export const stateViolation = (memory: Memory, truth: Truth): string | undefined => {
  const attempts = [...memory.attempts.values()];
  const transfers = [...truth.transfers.values()];
  for (const commission of memory.commissions.values()) {
    const found = commissionViolation(memory, commission);
    if (found !== undefined) return found;
  }
  for (const payout of memory.payouts.values()) {
    const own = attempts.filter(({ payoutId }) => payoutId === payout.id);
    const found =
      amountViolation(payout) ??
      historyViolation(payout) ??
      linesViolation(memory, truth, payout) ??
      claimViolation(memory, payout) ??
      attemptViolation(own, payout) ??
      waitViolation(own, payout) ??
      railViolation(
        payout,
        transfers.filter(({ payoutId }) => payoutId === payout.id),
      );
    if (found !== undefined) return found;
  }
  for (const { id, state, nextAttemptAt } of attempts) {
    const isDone =
      state === "needs_hand" || state === "settled" || state === "refused" || state === "paid_late";
    if (isDone !== (nextAttemptAt === null)) return `status: ${id} is ${state}, looked at ${nextAttemptAt}`;
    if ((state === "deferred" || state === "begun") && truth.doubtful.has(id))
      return `I1 ${id} was in doubt and is ${state}`;
  }
  return affiliateViolation(memory, truth);
};
