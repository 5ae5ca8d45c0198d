// Domain values become the arrays that a set-based statement takes: one list per table serves its text and its data.
import type { Affiliate } from "../domain/affiliate.ts";
import type { Commission } from "../domain/commission.ts";
import type { Attempt, Payout } from "../domain/payout.ts";

type Cell = string | number | null;

/** Columns of a table and how a domain value fills them; one list serves the statement's text and its data. */
export interface Columns<T> {
  readonly table: string;
  readonly key: readonly string[];
  readonly cells: Readonly<Record<string, (value: T) => Cell>>;
  /** Columns that never change after the insert. */
  readonly frozen: readonly string[];
}

type InProgram<T> = T & { readonly programId: string };

export const COMMISSION_COLUMNS: Columns<InProgram<Commission>> = {
  table: "commissions",
  key: ["program_id", "id"],
  frozen: [
    "affiliate_id",
    "external_id",
    "kind",
    "origin",
    "currency",
    "amount",
    "order_amount",
    "rate_bps",
    "occurred_at",
    "payable_at",
    "metadata",
    "request_sha",
    "created_at",
  ],
  cells: {
    program_id: (c) => c.programId,
    id: (c) => c.id,
    affiliate_id: (c) => c.affiliateId,
    external_id: (c) => c.externalId,
    kind: (c) => c.kind,
    origin: (c) => c.origin,
    currency: (c) => c.currency,
    amount: (c) => c.amount,
    reduced: (c) => c.reduced,
    clawed_back: (c) => c.clawedBack,
    status: (c) => c.status,
    held_from: (c) => c.heldFrom,
    order_amount: (c) => c.orderAmount,
    rate_bps: (c) => c.rateBps,
    order_refunded: (c) => c.orderRefunded,
    order_reversed: (c) => c.orderReversed,
    occurred_at: (c) => c.occurredAt,
    payable_at: (c) => c.payableAt,
    payout_id: (c) => c.payoutId,
    note: (c) => c.note,
    metadata: (c) => c.metadata,
    request_sha: (c) => c.requestSha,
    created_at: (c) => c.createdAt,
    updated_at: (c) => c.updatedAt,
  },
};

export const PAYOUT_COLUMNS: Columns<InProgram<Payout>> = {
  table: "payouts",
  key: ["program_id", "id"],
  frozen: [
    "affiliate_id",
    "currency",
    "commission_count",
    "period_start",
    "period_end",
    "external_id",
    "created_by",
    "run_id",
    "session_id",
    "created_at",
  ],
  cells: {
    program_id: (p) => p.programId,
    id: (p) => p.id,
    affiliate_id: (p) => p.affiliateId,
    currency: (p) => p.currency,
    gross: (p) => p.gross,
    recovered: (p) => p.recovered,
    refunded: (p) => p.refunded,
    amount: (p) => p.amount,
    returned_amount: (p) => p.returnedAmount,
    late_paid: (p) => p.latePaid,
    commission_count: (p) => p.commissionCount,
    period_start: (p) => p.periodStart,
    period_end: (p) => p.periodEnd,
    status: (p) => p.status,
    sent: (p) => (p.sent ? 1 : 0),
    method: (p) => p.method,
    destination_sha: (p) => p.destinationSha,
    attempt_count: (p) => p.attemptCount,
    external_ref: (p) => p.externalRef,
    external_id: (p) => p.externalId,
    created_by: (p) => p.createdBy,
    approved_at: (p) => p.approvedAt,
    approved_by: (p) => p.approvedBy,
    paid_at: (p) => p.paidAt,
    paid_via: (p) => p.paidVia,
    expected_by: (p) => p.expectedBy,
    stalled_at: (p) => p.stalledAt,
    failure_code: (p) => p.failureCode,
    failure_detail: (p) => p.failureDetail,
    admin_note: (p) => p.adminNote,
    partner_message: (p) => p.partnerMessage,
    run_id: (p) => p.runId,
    session_id: (p) => p.sessionId,
    claims: (p) => p.claims,
    history: (p) => JSON.stringify(p.history),
    created_at: (p) => p.createdAt,
    updated_at: (p) => p.updatedAt,
  },
};

export const ATTEMPT_COLUMNS: Columns<InProgram<Attempt>> = {
  table: "attempts",
  key: ["program_id", "id"],
  frozen: [
    "payout_id",
    "affiliate_id",
    "n",
    "rail",
    "provider_account",
    "api_version",
    "destination",
    "idempotency_key",
    "request",
    "amount",
    "currency",
    "created_at",
  ],
  cells: {
    program_id: (a) => a.programId,
    id: (a) => a.id,
    payout_id: (a) => a.payoutId,
    affiliate_id: (a) => a.affiliateId,
    n: (a) => a.n,
    rail: (a) => a.rail,
    provider_account: (a) => a.providerAccount,
    api_version: (a) => a.apiVersion,
    destination: (a) => a.destination,
    idempotency_key: (a) => a.key,
    request: (a) => a.request,
    amount: (a) => a.amount,
    currency: (a) => a.currency,
    state: (a) => a.state,
    provider_ref: (a) => a.providerRef,
    detail: (a) => a.detail,
    tries: (a) => a.tries,
    next_attempt_at: (a) => a.nextAttemptAt,
    created_at: (a) => a.createdAt,
    updated_at: (a) => a.updatedAt,
  },
};

export const AFFILIATE_COLUMNS: Columns<InProgram<Affiliate>> = {
  table: "affiliates",
  key: ["program_id", "id"],
  frozen: ["external_id", "created_at"],
  cells: {
    program_id: (a) => a.programId,
    id: (a) => a.id,
    external_id: (a) => a.externalId,
    name: (a) => a.name,
    email: (a) => a.email,
    country: (a) => a.country,
    metadata: (a) => a.metadata,
    status: (a) => a.status,
    overrides: (a) => JSON.stringify(a.overrides),
    destination: (a) => (a.destination === null ? null : JSON.stringify(a.destination)),
    destination_changed_at: (a) => a.destinationChangedAt,
    ready: (a) => (a.ready ? 1 : 0),
    missing: (a) => JSON.stringify(a.missing),
    tax_form_at: (a) => a.taxFormAt,
    created_at: (a) => a.createdAt,
    updated_at: (a) => a.updatedAt,
  },
};
