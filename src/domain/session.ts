// A payout session: what a person selected to pay, and how far each row of it has come.
import type { AffiliateId, CommissionId, PayoutId } from "./ids.ts";
import type { Currency } from "./money.ts";
import type { PayoutStatus } from "./payout.ts";

export type SessionId = `ses_${string}`;

export const SESSION_STATUSES = ["open", "paying", "done", "cancelled"] as const;
export type SessionStatus = (typeof SESSION_STATUSES)[number];

export const ROW_STATES = ["selected", "claimed", "processing", "paid", "failed"] as const;
export type RowState = (typeof ROW_STATES)[number];

/** What was asked to be selected. Bounds are minor units of each currency, inclusive, on what would be paid to one affiliate. */
export interface SelectionWish {
  /** A date in the program's zone; what occurred up to its end. */
  readonly upTo: string;
  readonly currency: Currency | null;
  readonly minAmount: number | null;
  readonly maxAmount: number | null;
  /** Every row may be marked paid at once, with one note. */
  readonly bulk: boolean;
  readonly isAll: boolean;
}

/** The status as it was last written. Only done and cancelled are final; the rest follows from the rows. */
export interface PayoutSession {
  readonly id: SessionId;
  readonly title: string;
  readonly status: SessionStatus;
  /** How often something was selected; rows carry the number of their selection. */
  readonly n: number;
  readonly selection: SelectionWish | null;
  readonly createdBy: string;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** The payout that a row has claimed, as it stands. Amounts are minor units. */
export interface RowPayout {
  readonly id: PayoutId;
  readonly status: PayoutStatus;
  readonly amount: number;
  readonly gross: number;
  readonly recovered: number;
  readonly commissionCount: number;
  readonly claims: number;
}

/** One affiliate and currency of a selection, with its sums as they were selected. */
export interface SessionRow {
  readonly n: number;
  readonly affiliateId: AffiliateId;
  readonly currency: Currency;
  readonly commissionCount: number;
  readonly gross: number;
  readonly recovered: number;
  readonly amount: number;
  /** How often somebody tried to pay it. */
  readonly tried: number;
  /** Why the last try failed. */
  readonly failure: { readonly code: string; readonly detail: string } | null;
  readonly payout: RowPayout | null;
}

/** What is no longer as it was selected: a commission, or what the affiliate owes where there is none. */
export interface RowChange {
  readonly affiliateId: AffiliateId;
  readonly currency: Currency;
  readonly commissionId: CommissionId | null;
  readonly what: "claimed" | "refunded" | "held" | "rejected" | "recovery";
  /** Minor units when selected, and now. */
  readonly was: number;
  readonly now: number;
  readonly payoutId: PayoutId | null;
  readonly sessionId: string | null;
}

const isOver = (status: PayoutStatus): boolean => status === "failed" || status === "cancelled";

export const rowStateOf = (payout: Pick<RowPayout, "status"> | null): RowState => {
  if (payout === null) return "selected";
  if (isOver(payout.status)) return "failed";
  if (payout.status === "paid" || payout.status === "returned") return "paid";
  return payout.status === "processing" ? "processing" : "claimed";
};

/** Rows that count: those of the last selection, and earlier ones that hold a payout. */
export interface SessionTally {
  readonly rows: number;
  readonly claimed: number;
  readonly paid: number;
}

export const sessionStatusOf = (written: SessionStatus, tally: SessionTally): SessionStatus => {
  if (written === "done" || written === "cancelled") return written;
  if (tally.claimed === 0) return "open";
  return tally.paid === tally.rows ? "done" : "paying";
};

/** A row's claim has one name, so that it happens once whoever asks for it; store/session-rows finds the payout by it. */
export const rowCommandId = (
  sessionId: SessionId,
  row: Pick<SessionRow, "n" | "affiliateId" | "currency">,
): string => `s:ses:${sessionId}:${row.n}:${row.affiliateId}:${row.currency}`;
