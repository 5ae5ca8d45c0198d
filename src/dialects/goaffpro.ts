// GoAffPro (api.goaffpro.com): payments made and payments pending, as its admin API is seen in use; its payout sessions are /v1/payout-sessions.
//
// No document of GoAffPro shows an answer of its admin API: all shapes here are chosen, after what clients of it ask for. A payment's id is its invoice
// number, which grows in the order of paying, so that since_id never misses one; since_id and id take a payout's id too. created_at is when it was
// paid. Payments that came back are not listed. Amounts are numbers in units of `currency`. Pending has a row per affiliate and currency.
import type { Dialect, DialectMethod, Unserved } from "../http/dialect.ts";
import { listPayments, listPending } from "./goaffpro-payments.ts";
import { errorSchema, refuse } from "./goaffpro-refusals.ts";

const NOT_OURS = "Stipend pays affiliates; it does not track them.";
const PORTAL = "Use POST /v1/affiliates/{id}/portal-links, and the calls that its token opens.";

/** Seen in use and not served: `METHOD path`, below /v1. */
const UNSERVED: Readonly<Record<string, string>> = {
  "GET /admin/affiliates": "Use GET /v1/affiliates.",
  "GET /admin/orders": "Use GET /v1/commissions.",
  "GET /admin/rewards": "Use GET /v1/commissions.",
  "GET /admin/traffic": NOT_OURS,
  "GET /admin/mlm/tree": NOT_OURS,
  "POST /user/login": PORTAL,
  "GET /user/feed/payouts": PORTAL,
  "GET /user/feed/transactions": PORTAL,
  "GET /user/feed/orders": PORTAL,
  "GET /user/feed/rewards": PORTAL,
  "GET /user/feed/traffic": NOT_OURS,
  "GET /user/feed/products": NOT_OURS,
  "GET /user/payouts/pending": PORTAL,
  "GET /user/commissions": PORTAL,
  "GET /user/stats/aggregate": NOT_OURS,
  "GET /user/sites": NOT_OURS,
};

const unservedOf = ([name, instead]: readonly [string, string]): Unserved => {
  const [method = "", path = ""] = name.split(" ");
  return { method: method as DialectMethod, path: `/v1${path}`, instead };
};

export const goaffpro: Dialect = {
  name: "goaffpro",
  title: "GoAffPro",
  owns: ["/v1/admin/payments/**"],
  routes: [listPayments, listPending],
  unserved: Object.entries(UNSERVED).map(unservedOf),
  keyHeader: "x-goaffpro-access-token",
  refuse,
  errorSchema,
};
