// Rows become domain values.
import type { Affiliate, Destination } from "../domain/affiliate.ts";
import type { Commission } from "../domain/commission.ts";
import type { AffiliateId, AttemptId, CommissionId, PayoutId, RunId } from "../domain/ids.ts";
import { ACCOUNTS, type Balance } from "../domain/ledger/book.ts";
import type { Attempt, Payout, PayoutStep } from "../domain/payout.ts";
import type { Overrides } from "../domain/policy.ts";
import type { TaxFormStanding } from "../domain/tax.ts";

/** A row as D1 gives it: TEXT and INTEGER columns by name. */
export type Row = Readonly<Record<string, string | number | null>>;

const text = (row: Row, column: string): string => {
  const value = row[column];
  if (typeof value !== "string") throw new Error(`column ${column} holds no text`);
  return value;
};

const textOrNull = (row: Row, column: string): string | null =>
  row[column] == null ? null : text(row, column);

export const numberIn = (row: Row, column: string): number => {
  const value = row[column];
  if (typeof value !== "number") throw new Error(`column ${column} holds no number`);
  return value;
};

const numberOrNull = (row: Row, column: string): number | null =>
  row[column] == null ? null : numberIn(row, column);

export const commissionOf = (row: Row): Commission => ({
  id: text(row, "id") as CommissionId,
  affiliateId: text(row, "affiliate_id") as AffiliateId,
  externalId: textOrNull(row, "external_id"),
  kind: text(row, "kind") as Commission["kind"],
  origin: textOrNull(row, "origin") as Commission["origin"],
  currency: text(row, "currency"),
  amount: numberIn(row, "amount"),
  reduced: numberIn(row, "reduced"),
  clawedBack: numberIn(row, "clawed_back"),
  status: text(row, "status") as Commission["status"],
  heldFrom: textOrNull(row, "held_from") as Commission["heldFrom"],
  orderAmount: numberOrNull(row, "order_amount"),
  rateBps: numberOrNull(row, "rate_bps"),
  orderRefunded: numberIn(row, "order_refunded"),
  orderReversed: numberIn(row, "order_reversed"),
  occurredAt: numberIn(row, "occurred_at"),
  payableAt: numberIn(row, "payable_at"),
  payoutId: textOrNull(row, "payout_id") as PayoutId | null,
  note: textOrNull(row, "note"),
  metadata: textOrNull(row, "metadata"),
  requestSha: text(row, "request_sha"),
  createdAt: numberIn(row, "created_at"),
  updatedAt: numberIn(row, "updated_at"),
});

export const payoutOf = (row: Row): Payout => ({
  id: text(row, "id") as PayoutId,
  affiliateId: text(row, "affiliate_id") as AffiliateId,
  currency: text(row, "currency"),
  gross: numberIn(row, "gross"),
  recovered: numberIn(row, "recovered"),
  refunded: numberIn(row, "refunded"),
  amount: numberIn(row, "amount"),
  returnedAmount: numberIn(row, "returned_amount"),
  latePaid: numberIn(row, "late_paid"),
  commissionCount: numberIn(row, "commission_count"),
  periodStart: text(row, "period_start"),
  periodEnd: text(row, "period_end"),
  status: text(row, "status") as Payout["status"],
  sent: row["sent"] === 1,
  method: text(row, "method") as Payout["method"],
  destinationSha: textOrNull(row, "destination_sha"),
  attemptCount: numberIn(row, "attempt_count"),
  externalRef: textOrNull(row, "external_ref"),
  externalId: textOrNull(row, "external_id"),
  createdBy: text(row, "created_by"),
  approvedAt: numberOrNull(row, "approved_at"),
  approvedBy: textOrNull(row, "approved_by"),
  paidAt: numberOrNull(row, "paid_at"),
  paidVia: textOrNull(row, "paid_via") as Payout["paidVia"],
  expectedBy: numberOrNull(row, "expected_by"),
  stalledAt: numberOrNull(row, "stalled_at"),
  failureCode: textOrNull(row, "failure_code"),
  failureDetail: textOrNull(row, "failure_detail"),
  adminNote: textOrNull(row, "admin_note"),
  partnerMessage: textOrNull(row, "partner_message"),
  runId: textOrNull(row, "run_id") as RunId | null,
  sessionId: textOrNull(row, "session_id"),
  claims: numberIn(row, "claims"),
  history: JSON.parse(text(row, "history")) as PayoutStep[],
  createdAt: numberIn(row, "created_at"),
  updatedAt: numberIn(row, "updated_at"),
});

export const attemptOf = (row: Row): Attempt => ({
  id: text(row, "id") as AttemptId,
  payoutId: text(row, "payout_id") as PayoutId,
  affiliateId: text(row, "affiliate_id") as AffiliateId,
  n: numberIn(row, "n"),
  rail: text(row, "rail") as Attempt["rail"],
  providerAccount: text(row, "provider_account"),
  apiVersion: text(row, "api_version"),
  destination: text(row, "destination"),
  key: text(row, "idempotency_key"),
  request: text(row, "request"),
  amount: numberIn(row, "amount"),
  currency: text(row, "currency"),
  state: text(row, "state") as Attempt["state"],
  providerRef: textOrNull(row, "provider_ref"),
  detail: textOrNull(row, "detail"),
  tries: numberIn(row, "tries"),
  emptySince: numberOrNull(row, "empty_since"),
  nextAttemptAt: numberOrNull(row, "next_attempt_at"),
  createdAt: numberIn(row, "created_at"),
  updatedAt: numberIn(row, "updated_at"),
});

export const affiliateOf = (row: Row): Affiliate => {
  const destination = textOrNull(row, "destination");
  const form = textOrNull(row, "tax_form");
  return {
    id: text(row, "id") as AffiliateId,
    externalId: textOrNull(row, "external_id"),
    name: text(row, "name"),
    email: text(row, "email"),
    country: textOrNull(row, "country"),
    metadata: textOrNull(row, "metadata"),
    status: text(row, "status") as Affiliate["status"],
    overrides: JSON.parse(text(row, "overrides")) as Overrides,
    destination: destination === null ? null : (JSON.parse(destination) as Destination),
    destinationChangedAt: numberOrNull(row, "destination_changed_at"),
    ready: row["ready"] === 1,
    missing: JSON.parse(text(row, "missing")) as string[],
    readyAsOf: numberOrNull(row, "ready_as_of"),
    onboardedAt: numberOrNull(row, "onboarded_at"),
    taxForm: form === null ? null : (JSON.parse(form) as TaxFormStanding),
    createdAt: numberIn(row, "created_at"),
    updatedAt: numberIn(row, "updated_at"),
  };
};

export const balanceOf = (row: Row): Balance =>
  Object.fromEntries(ACCOUNTS.map((account) => [account, numberIn(row, account)])) as Record<
    (typeof ACCOUNTS)[number],
    number
  >;
