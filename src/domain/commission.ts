// A commission: what an affiliate earned for one order, or was given by hand.
import type { AffiliateId, CommissionId, PayoutId } from "./ids.ts";
import type { Currency } from "./money.ts";

export const COMMISSION_STATUSES = [
  "pending",
  "approved",
  "held",
  "processing",
  "paid",
  "rejected",
  "reversed",
] as const;
export type CommissionStatus = (typeof COMMISSION_STATUSES)[number];

export const COMMISSION_KINDS = ["sale", "bonus", "credit"] as const;
export type CommissionKind = (typeof COMMISSION_KINDS)[number];

/** Amounts are minor units of `currency`; instants are epoch milliseconds. */
export interface Commission {
  readonly id: CommissionId;
  readonly affiliateId: AffiliateId;
  readonly externalId: string | null;
  readonly kind: CommissionKind;
  /** A credit that a return in parts or a release made: its amount never came from the program (I5). */
  readonly origin: "return" | "release" | null;
  readonly currency: Currency;
  readonly amount: number;
  /** Refunded while it was ours to reduce. */
  readonly reduced: number;
  /** Taken through recovery, after it was sent or paid. */
  readonly clawedBack: number;
  readonly status: CommissionStatus;
  readonly heldFrom: "pending" | "approved" | null;
  readonly orderAmount: number | null;
  readonly rateBps: number | null;
  /** Order total refunded so far, and the reversal that it made, where refunds came as order amounts. */
  readonly orderRefunded: number;
  readonly orderReversed: number;
  readonly occurredAt: number;
  readonly payableAt: number;
  readonly payoutId: PayoutId | null;
  readonly note: string | null;
  readonly metadata: string | null;
  readonly requestSha: string;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export const leftOf = (commission: Commission): number => commission.amount - commission.reduced;

/** What a refund may still take. */
export const refundableOf = (commission: Commission): number =>
  commission.amount - commission.reduced - commission.clawedBack;
