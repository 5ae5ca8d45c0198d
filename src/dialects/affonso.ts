// Affonso (docs.affonso.io): payouts listed, read and updated; camelCase, as its published page has it, where its two references disagree.
//
// Chosen here, because no document shows it: `commission.amount` of a transaction is null where the order is not known; invoiceNumber is null until
// the payout is paid; METHOD_NOT_ALLOWED, NOT_IMPLEMENTED, INTERNAL_ERROR as error codes; a refused transition is 400 VALIDATION_ERROR with our
// own code among its details; the header X-Stipend-More-Transactions.
// Its webhooks (payout.created, paid, failed …) are documented with three signatures: ours are signed as Standard Webhooks, under our event types.
// Affonso names no currency: it sees payouts in the program's default currency only.
import type { Dialect, DialectMethod, Unserved } from "../http/dialect.ts";
import { listPayouts, readPayout } from "./affonso-reads.ts";
import { errorSchema, refuse } from "./affonso-refusals.ts";
import { updatePayout } from "./affonso-update.ts";

const OURS = "Use the canonical API under /v1.";
const NOT_OURS = "Stipend pays affiliates; it does not track them.";

/** Documented by Affonso and not served: `METHOD path`, below /v1. */
const UNSERVED: Readonly<Record<string, string>> = {
  "GET /affiliates": OURS,
  "POST /affiliates": OURS,
  "GET /affiliates/{id}": OURS,
  "PUT /affiliates/{id}": "Use PATCH /v1/affiliates/{id}.",
  "DELETE /affiliates/{id}": "Suspend it with PATCH /v1/affiliates/{id}.",
  "POST /affiliates/{id}/portal-token": "Use POST /v1/affiliates/{id}/portal-links.",
  "GET /affiliates/{id}/onboarding-responses": NOT_OURS,
  "POST /affiliates/{id}/onboarding-responses": NOT_OURS,
  "GET /commissions": OURS,
  "POST /commissions": OURS,
  "GET /commissions/{id}": OURS,
  "PUT /commissions/{id}": "Use POST /v1/commissions/{id}/approve, reject, hold, release or reverse.",
  "DELETE /commissions/{id}": "Use POST /v1/commissions/{id}/reject.",
  "POST /conversions": "Use POST /v1/commissions.",
  "POST /conversions/{id}/refund": "Use POST /v1/commissions/{id}/reverse.",
  "POST /events": NOT_OURS,
  "POST /sources/segment/events": NOT_OURS,
  "POST /sources/{source}/events": NOT_OURS,
  "GET /referrals": NOT_OURS,
  "POST /referrals": NOT_OURS,
  "GET /referrals/{id}": NOT_OURS,
  "PUT /referrals/{id}": NOT_OURS,
  "DELETE /referrals/{id}": NOT_OURS,
  "POST /track": NOT_OURS,
  "POST /clicks": NOT_OURS,
  "POST /signups": NOT_OURS,
  "GET /coupons": NOT_OURS,
  "POST /coupons": NOT_OURS,
  "GET /coupons/{id}": NOT_OURS,
  "DELETE /coupons/{id}": NOT_OURS,
  "POST /embed/token": "Use POST /v1/affiliates/{id}/portal-links.",
  "GET /marketplace": NOT_OURS,
  "GET /marketplace/{id}": NOT_OURS,
  "GET /program": OURS,
  "PATCH /program": OURS,
  "GET /program/payment-terms": "Use GET /v1/program.",
  "PATCH /program/payment-terms": "Use PATCH /v1/program.",
  "GET /program/tracking": NOT_OURS,
  "PATCH /program/tracking": NOT_OURS,
  "GET /program/restrictions": NOT_OURS,
  "PATCH /program/restrictions": NOT_OURS,
  "GET /program/groups": NOT_OURS,
  "POST /program/groups": NOT_OURS,
  "GET /program/groups/{id}": NOT_OURS,
  "PATCH /program/groups/{id}": NOT_OURS,
  "DELETE /program/groups/{id}": NOT_OURS,
  "GET /program/creatives": NOT_OURS,
  "POST /program/creatives": NOT_OURS,
  "GET /program/creatives/{id}": NOT_OURS,
  "PATCH /program/creatives/{id}": NOT_OURS,
  "DELETE /program/creatives/{id}": NOT_OURS,
  "GET /program/notifications": NOT_OURS,
  "PATCH /program/notifications/{emailTypeId}": NOT_OURS,
  "GET /program/portal": NOT_OURS,
  "PATCH /program/portal": NOT_OURS,
  "GET /program/fraud-rules": NOT_OURS,
  "PATCH /program/fraud-rules": NOT_OURS,
  "GET /onboarding-form": NOT_OURS,
  "POST /onboarding-form": NOT_OURS,
  "PATCH /onboarding-form": NOT_OURS,
  "DELETE /onboarding-form": NOT_OURS,
};

const unservedOf = ([name, instead]: readonly [string, string]): Unserved => {
  const [method = "", path = ""] = name.split(" ");
  return { method: method as DialectMethod, path: `/v1${path}`, instead };
};

export const affonso: Dialect = {
  name: "affonso",
  title: "Affonso",
  owns: [],
  routes: [listPayouts, readPayout, updatePayout],
  unserved: Object.entries(UNSERVED).map(unservedOf),
  refuse,
  errorSchema,
};
