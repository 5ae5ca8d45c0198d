// A payout's states, who may move it between them, and what one looks like.
import type { AffiliateId, AttemptId, PayoutId, RunId } from "./ids.ts";
import type { Currency } from "./money.ts";

export const PAYOUT_METHODS = [
  "stripe",
  "paypal",
  "wise",
  "bank_transfer",
  "store_credit",
  "manual",
] as const;
export type PayoutMethod = (typeof PAYOUT_METHODS)[number];

export const PAYOUT_STATUSES = [
  "requested",
  "pending",
  "approved",
  "processing",
  "paid",
  "failed",
  "cancelled",
  "returned",
] as const;
export type PayoutStatus = (typeof PAYOUT_STATUSES)[number];

const LIVE: readonly PayoutStatus[] = ["requested", "pending", "approved", "processing"];
export const isLive = (status: PayoutStatus): boolean => LIVE.includes(status);

export type PayoutAction =
  | "accept"
  | "deny"
  | "approve"
  | "withdraw"
  | "pay"
  | "mark_paid"
  | "mark_failed"
  | "cancel"
  | "retry"
  | "reopen"
  | "return"
  | "send_back"
  | "settle"
  | "fail";

/** DESIGN's status table: what an action makes of a status; an action that is not listed is refused. */
export const PAYOUT_TRANSITIONS: Readonly<Record<PayoutStatus, Partial<Record<PayoutAction, PayoutStatus>>>> =
  {
    requested: { accept: "pending", deny: "cancelled", cancel: "cancelled" },
    pending: { approve: "approved", pay: "processing", mark_paid: "paid", cancel: "cancelled" },
    approved: { withdraw: "pending", pay: "processing", mark_paid: "paid", cancel: "cancelled" },
    processing: {
      mark_paid: "paid",
      mark_failed: "failed",
      cancel: "cancelled",
      settle: "paid",
      fail: "failed",
      send_back: "pending",
    },
    paid: { return: "returned" },
    failed: { retry: "pending", cancel: "cancelled" },
    cancelled: { reopen: "pending" },
    returned: {},
  };

export interface PayoutStep {
  readonly at: number;
  readonly from: PayoutStatus | null;
  readonly to: PayoutStatus;
  readonly actor: string;
}

/** Amounts are minor units of `currency`; instants are epoch milliseconds; dates are YYYY-MM-DD in the program's zone. */
export interface Payout {
  readonly id: PayoutId;
  readonly affiliateId: AffiliateId;
  readonly currency: Currency;
  readonly gross: number;
  /** Taken from the claim because the affiliate owed it. */
  readonly recovered: number;
  /** Refunded while the payout was unsent. */
  readonly refunded: number;
  /** gross − recovered − refunded: what is, or was, to be sent. */
  readonly amount: number;
  readonly returnedAmount: number;
  readonly latePaid: number;
  readonly commissionCount: number;
  readonly periodStart: string;
  readonly periodEnd: string;
  readonly status: PayoutStatus;
  /** From the commit of begin_payment until a definite refusal. */
  readonly sent: boolean;
  readonly method: PayoutMethod;
  readonly destinationSha: string | null;
  readonly attemptCount: number;
  readonly externalRef: string | null;
  readonly externalId: string | null;
  readonly createdBy: string;
  readonly approvedAt: number | null;
  readonly approvedBy: string | null;
  readonly paidAt: number | null;
  readonly paidVia: PayoutMethod | null;
  readonly expectedBy: number | null;
  readonly stalledAt: number | null;
  readonly failureCode: string | null;
  readonly failureDetail: string | null;
  readonly adminNote: string | null;
  readonly partnerMessage: string | null;
  readonly runId: RunId | null;
  readonly sessionId: string | null;
  /** How often it claimed; verify compares it with how often a claim ended (I6). */
  readonly claims: number;
  readonly history: readonly PayoutStep[];
  readonly createdAt: number;
  readonly updatedAt: number;
}

export const ATTEMPT_STATES = [
  "begun",
  "unknown",
  "accepted",
  "deferred",
  "needs_hand",
  "settled",
  "refused",
  "paid_late",
] as const;
export type AttemptState = (typeof ATTEMPT_STATES)[number];

/** While an attempt is open no other may exist for its payout, on any rail. */
export const isOpenAttempt = (state: AttemptState): boolean => state !== "refused" && state !== "paid_late";

/** One instruction to a rail: key, account, version and bytes are frozen when it begins. */
export interface Attempt {
  readonly id: AttemptId;
  readonly payoutId: PayoutId;
  readonly affiliateId: AffiliateId;
  readonly n: number;
  readonly rail: PayoutMethod;
  readonly providerAccount: string;
  readonly apiVersion: string;
  readonly destination: string;
  readonly key: string;
  readonly request: string;
  readonly amount: number;
  readonly currency: Currency;
  readonly state: AttemptState;
  readonly providerRef: string | null;
  readonly detail: string | null;
  /** How often an answer, or the lack of one, was written down. */
  readonly tries: number;
  /** Since when complete look-ups find nothing, after the provider's key window; epoch milliseconds. */
  readonly emptySince: number | null;
  readonly nextAttemptAt: number | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** What a rail reports. Only `refused` releases money. */
export type RailOutcome =
  | {
      readonly kind: "settled";
      readonly ref: string;
      /** When the money moved, where a statement says so; epoch milliseconds, otherwise now. */
      readonly paidAt?: number;
    }
  | {
      readonly kind: "accepted";
      readonly ref: string;
      /** What the provider waits for, in its own words. */
      readonly detail?: string;
      /** How long that may take before it is announced as stalled, in milliseconds from now. */
      readonly expectedWithinMs?: number;
    }
  | { readonly kind: "refused"; readonly code: string; readonly detail: string }
  | { readonly kind: "deferred"; readonly detail: string; readonly retryAfterS?: number }
  | {
      readonly kind: "unknown";
      readonly detail: string;
      /** Too late to send again, and a complete look-up found nothing. */
      readonly isEmptyLook?: boolean;
    }
  | { readonly kind: "needs_hand"; readonly instructions: string; readonly ref?: string };

const RETRY_OFFSETS_S = [2, 5, 10, 20, 30];

/** The next moment to look again: 2, 5, 10, 20, 30 s after the attempt began, then every 30 s to 10 min, then every 10 min. */
export const nextLookAt = (beganAt: number, now: number): number => {
  const elapsedS = (now - beganAt) / 1000;
  const early = RETRY_OFFSETS_S.find((offset) => offset > elapsedS);
  const stepS = elapsedS < 600 ? 30 : 600;
  return beganAt + 1000 * (early ?? (Math.floor(elapsedS / stepS) + 1) * stepS);
};

const DAY_MS = 86_400_000;

/** The next moment to ask about what the provider is working on: as nextLookAt for a day, then every six hours. */
export const nextPollAt = (beganAt: number, now: number): number =>
  now - beganAt < DAY_MS ? nextLookAt(beganAt, now) : now + DAY_MS / 4;

/** Where a provider can be asked about what waits for a person there: how often, in milliseconds. */
const HAND_POLL_MS: Readonly<Partial<Record<PayoutMethod, number>>> = {
  wise: 3_600_000,
  paypal: 6 * 3_600_000,
};

export const handPollAt = (rail: PayoutMethod, now: number): number | null => {
  const everyMs = HAND_POLL_MS[rail];
  return everyMs === undefined ? null : now + everyMs;
};

/** A begun attempt that nobody touched for this long counts as unknown: the process that began it is gone. */
export const BEGUN_STALE_MS = 25_000;

/** Stripe may forget a key after 24 h, and then the same key is a new request: an hour of margin, from the attempt row's creation. */
export const KEY_WINDOW_MS = 23 * 3_600_000;

/** After the key window this must pass without a send before "not made" may be concluded. */
export const QUIET_AFTER_WINDOW_MS = 15 * 60_000;

/** A deferred attempt may be closed by a person when no call has been made for this long. */
export const DEFERRED_QUIET_MS = 2 * 60_000;

/** Two complete look-ups that find nothing must be this far apart before "not made" may be concluded. */
export const EMPTY_LOOKS_APART_MS = 10 * 60_000;

/** Beyond this only a person says what became of an attempt: providers' event histories end here. */
export const HISTORY_WINDOW_MS = 30 * DAY_MS;

/** PayPal pays one sender_batch_id once within 30 days: a day of margin. */
export const PAYPAL_WINDOW_MS = 29 * 86_400_000;

/** How long a rail's attempt may still be sent again with the same bytes: until then nobody can say that it did not happen. */
export const resendWindowOf = (rail: PayoutMethod): number =>
  rail === "paypal" ? PAYPAL_WINDOW_MS : KEY_WINDOW_MS;

/** How long a sent payout may stay processing before it is announced as stalled. */
export const EXPECTED_WITHIN_MS = 15 * 60_000;
