// Giving a claim back: what every cancel, refusal and return is made of.
import type { Commission } from "../commission.ts";
import type { Payout } from "../payout.ts";
import type { Account } from "./book.ts";
import {
  announceCommission,
  announceRecovery,
  type Draft,
  move,
  nextBody,
  owedOf,
  putCommission,
} from "./draft.ts";

/** A commission whose refund had been collected elsewhere meanwhile gives the rest as a credit, without an entry: the money is already there. */
const collectedElsewhere = (draft: Draft, commission: Commission, amount: number): void => {
  const credit: Commission = {
    ...commission,
    id: `com_${nextBody(draft)}`,
    externalId: null,
    kind: "credit",
    origin: "release",
    amount,
    reduced: 0,
    clawedBack: 0,
    status: "approved",
    heldFrom: null,
    orderAmount: null,
    rateBps: null,
    orderRefunded: 0,
    orderReversed: 0,
    payoutId: null,
    note: `collected elsewhere: ${commission.id}`,
    metadata: null,
    occurredAt: draft.now,
    payableAt: draft.now,
    createdAt: draft.now,
    updatedAt: draft.now,
  };
  draft.insertedCommissions.push(credit);
  announceCommission(draft, "commission.created", credit, undefined, amount);
};

const absorb = (draft: Draft, payout: Payout, commission: Commission): void => {
  const fromOwed = Math.min(commission.clawedBack, owedOf(draft, payout.currency));
  move(draft, "absorb", payout.currency, "available", "recovery", fromOwed, {
    commissionId: commission.id,
    payoutId: payout.id,
  });
  const rest = commission.clawedBack - fromOwed;
  if (rest > 0) collectedElsewhere(draft, commission, rest);
  const reduced = commission.reduced + commission.clawedBack;
  putCommission(draft, {
    ...commission,
    reduced,
    clawedBack: 0,
    payoutId: null,
    status: reduced === commission.amount ? "reversed" : "approved",
  });
};

/**
 * What is left of the amount goes back to available, the recovery is owed again, and refunds that were booked on recovery while
 * the payout was out are taken from their own commissions, as far as still owed. The literal inverse of the claim would be wrong.
 */
export const giveBack = (
  draft: Draft,
  payout: Payout,
  from: Extract<Account, "reserved" | "paid" | "store_credit">,
): void => {
  const lines = draft.book.lines;
  if (lines === undefined) throw new Error(`release of ${payout.id} without its lines`);
  const { currency } = payout;
  const owedBefore = owedOf(draft, currency);
  move(draft, from === "reserved" ? "release" : "return", currency, from, "available", payout.amount, {
    payoutId: payout.id,
  });
  move(draft, "release_recovery", currency, "recovery", "available", payout.recovered, {
    payoutId: payout.id,
  });
  draft.lines.push({ kind: "release", payoutId: payout.id, count: lines.held });
  for (const commission of lines.clawed) absorb(draft, payout, commission);
  if (owedOf(draft, currency) !== owedBefore) announceRecovery(draft, currency);
};
