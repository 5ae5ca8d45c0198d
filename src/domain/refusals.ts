// The business saying no: one closed list in order of precedence, so that the same request is refused for the same reason every time.

/** Earlier codes win where several apply. */
export const REFUSAL_CODES = [
  "book_rewound",
  "affiliate_not_found",
  "commission_not_found",
  "payout_not_found",
  "run_not_found",
  "attempt_not_found",
  "key_not_found",
  "event_not_found",
  "idempotency_mismatch",
  "duplicate_external_id",
  "affiliate_suspended",
  "settled_by_rail",
  "commission_claimed",
  "invalid_state",
  "payment_under_way",
  "awaiting_approval",
  "four_eyes",
  "destination_changed",
  "commissions_not_free",
  "currency_not_allowed",
  "rate_missing",
  "amount_not_sendable",
  "refund_exceeds_commission",
  "amount_changed",
  "external_ref_differs",
  "nothing_due",
  "recovery_exceeds_earnings",
  "below_minimum",
  "store_credit_spent",
  "store_credit_short",
  "recovery_not_owed",
  "currency_not_supported_by_method",
  "no_payout_method",
  "tax_form_required",
  "payout_method_not_ready",
  "destination_cooldown",
  "rail_not_available",
  "daily_limit_reached",
  "period_invalid",
  "credentials_missing",
  "credentials_refused",
  "credentials_in_use",
  "account_not_found",
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
