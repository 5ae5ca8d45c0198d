// The business saying no: one closed list in order of precedence, so that the same request is refused for the same reason every time.

/** Earlier codes win where several apply. */
export const REFUSAL_CODES = [
  "book_rewound",
  "affiliate_not_found",
  "commission_not_found",
  "payout_not_found",
  "run_not_found",
  "session_not_found",
  "plan_not_found",
  "attempt_not_found",
  "key_not_found",
  "event_not_found",
  "spend_not_found",
  "webhook_endpoint_not_found",
  "file_not_found",
  "idempotency_mismatch",
  "duplicate_external_id",
  "affiliate_suspended",
  "settled_by_rail",
  "commission_claimed",
  "request_open",
  "invalid_state",
  "payment_under_way",
  "awaiting_approval",
  "four_eyes",
  "destination_changed",
  "commissions_not_free",
  "selection_changed",
  "not_selected",
  "nothing_claimed",
  "plan_used",
  "plan_expired",
  "plan_changed",
  "payout_in_file",
  "currency_not_allowed",
  "rate_missing",
  "tax_form_invalid",
  "amount_not_sendable",
  "refund_exceeds_commission",
  "amount_changed",
  "external_ref_differs",
  "nothing_due",
  "selection_too_large",
  "payments_required",
  "recovery_exceeds_earnings",
  "below_minimum",
  "store_credit_spent",
  "store_credit_short",
  "refund_exceeds_spend",
  "recovery_not_owed",
  "currency_not_supported_by_method",
  "no_payout_method",
  "tax_form_required",
  "payout_method_not_ready",
  "destination_cooldown",
  "rail_not_available",
  "format_not_for_method",
  "address_required",
  "not_writable",
  "nothing_to_write",
  "statement_unreadable",
  "daily_limit_reached",
  "period_invalid",
  "credentials_missing",
  "credentials_refused",
  "credentials_in_use",
  "account_not_found",
  "country_missing",
  "onboarding_refused",
  "webhook_url_refused",
  "webhook_url_taken",
  "too_many_webhook_endpoints",
  "scope_not_held",
] as const;
export type RefusalCode = (typeof REFUSAL_CODES)[number];

export interface Refusal {
  readonly code: RefusalCode;
  /** What was wrong and what to do, for a person; holds no secret and no name. */
  readonly detail: string;
  /** JSON pointer to the field in question. */
  readonly pointer?: string;
  /** Facts a client may act on: payout_id, until, missing_amount. */
  readonly facts?: Readonly<Record<string, string | number>>;
}

export const refuse = (
  code: RefusalCode,
  detail: string,
  more: { pointer?: string; facts?: Readonly<Record<string, string | number>> } = {},
): { readonly refusal: Refusal } => ({ refusal: { code, detail, ...more } });

/** Thrown by operations when the whole request is refused; never crosses a Durable Object, where refusals are values. */
export class Refused extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.code);
    this.name = "Refused";
    this.refusal = refusal;
  }
}
