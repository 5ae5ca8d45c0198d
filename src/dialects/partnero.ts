// Partnero (docs.partnero.com): balances, credits, payout settings, payout requests and the payout history.
//
// Its guide on payouts names the balance and credit calls, the fields of the settings and the four statuses; its n8n node names the payout requests;
// developers.partnero.com shows a customer's balance and docs.partnero.com a partner, and those answers have their members here.
// Chosen here, because no document shows it: the answers of credits and payout requests, the paths /v1/payout_settings,
// /v1/partners/{id}/payout_settings, /v1/payouts/history and its export, the fields payout_schedule, weekday, day_of_month, start_date, and errors
// `{status: 0, message, code, errors?}`. Partners and customers are both our affiliates. What is not tracked here (referrals, tags, custom fields)
// is 0, empty or null. An archived partner is a suspended one. Ids of payout requests are ours (po_…), not numbers; nothing is ever resubmitted.
// With four eyes the first approval of a request accepts it (it stays requested) and another key's approves it. The export is a redirect to our CSV,
// whose statuses are ours. `amount` of a balance is what is payable now; a currency each, never summed. Business refusals are 400 where our own
// API says 409.
import type { Dialect, DialectMethod, Unserved } from "../http/dialect.ts";
import { createRequest } from "./partnero-create.ts";
import { exportHistory, listHistory } from "./partnero-history.ts";
import { readPartnerSettings, updatePartnerSettings } from "./partnero-methods.ts";
import { creditBalance, readBalance, readPartner } from "./partnero-partners.ts";
import { errorSchema, refuse } from "./partnero-refusals.ts";
import {
  approveRequest,
  listRequests,
  markRequestPaid,
  readRequest,
  searchRequests,
} from "./partnero-requests.ts";
import { readSettings, updateSettings } from "./partnero-settings.ts";

const AFFILIATES = "Use the canonical API under /v1/affiliates.";
const COMMISSIONS = "Use the canonical API under /v1/commissions.";
const ENDPOINTS = "Use /v1/webhook-endpoints.";
const NOT_OURS = "Stipend pays affiliates; it does not track them.";

/** Documented by Partnero and not served: `METHOD path`, below /v1. */
const UNSERVED: Readonly<Record<string, string>> = {
  "GET /partners": AFFILIATES,
  "GET /partners:search": AFFILIATES,
  "POST /partners": AFFILIATES,
  "PUT /partners": AFFILIATES,
  "DELETE /partners": "Suspend it with PATCH /v1/affiliates/{id}.",
  "GET /customers": NOT_OURS,
  "GET /customers:search": NOT_OURS,
  "GET /customers/{id}": NOT_OURS,
  "GET /customers/{id}/referral_link": NOT_OURS,
  "POST /customers": NOT_OURS,
  "PUT /customers": NOT_OURS,
  "DELETE /customers": NOT_OURS,
  "GET /transactions": COMMISSIONS,
  "POST /transactions": COMMISSIONS,
  "DELETE /transactions": "Use POST /v1/commissions/{id}/reverse.",
  "GET /webhooks": ENDPOINTS,
  "POST /webhooks": ENDPOINTS,
  "GET /webhooks/{key}": ENDPOINTS,
  "PUT /webhooks/{key}": ENDPOINTS,
  "DELETE /webhooks/{key}": ENDPOINTS,
};

const unservedOf = ([name, instead]: readonly [string, string]): Unserved => {
  const [method = "", path = ""] = name.split(" ");
  return { method: method as DialectMethod, path: `/v1${path}`, instead };
};

export const partnero: Dialect = {
  name: "partnero",
  title: "Partnero",
  owns: [
    "/v1/partners/**",
    "/v1/customers/**",
    "/v1/transactions/**",
    "/v1/webhooks/**",
    "/v1/payout_requests/**",
    "/v1/payout_settings/**",
    "/v1/payouts/history/**",
  ],
  routes: [
    readPartner,
    readBalance,
    creditBalance,
    readSettings,
    updateSettings,
    readPartnerSettings,
    updatePartnerSettings,
    listRequests,
    searchRequests,
    readRequest,
    createRequest,
    approveRequest,
    markRequestPaid,
    listHistory,
    exportHistory,
  ],
  unserved: Object.entries(UNSERVED).map(unservedOf),
  refuse,
  errorSchema,
};
