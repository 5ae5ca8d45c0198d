// Loop (docs.ross.platform.loop.health, service affiliates): the review queue, mark-paid, the batches, and the check of what was earned.
//
// Chosen here, because no document shows it: instants to the millisecond; a period's end as the last instant of its last day in the program's zone;
// `error` holds our code; 409 where a payout's state does not allow the call, 202 where a batch goes on in the background; errors of a batch are 0,
// because one that cannot run fails whole and is simply sent again; the headers X-Stipend-Other-Currencies and X-Stipend-Next-After.
// run-monthly passes over who has a payout of exactly that period; what was on hold then is gathered by draft and run-nightly, which differ by name
// alone: both take all that is payable now. POST /v1/payouts heeds the minimum. Paying is mark-paid, or the canonical API.
// A batch's totals, an affiliate's commissions and a verification name no currency: they are of the program's default currency only. The queue shows
// every currency, requested payouts as pending and those under way as approved; recovery_owed is a field there and never a status.
import type { Dialect, Unserved } from "../http/dialect.ts";
import { listCommissions, verifyCommissions } from "./loop-commissions.ts";
import { errorSchema, refuse } from "./loop-refusals.ts";
import { approve, listQueue, markPaid } from "./loop-reviews.ts";
import { createPayout, draft, runMonthly, runNightly } from "./loop-runs.ts";

const UNSERVED: readonly Unserved[] = [
  {
    method: "GET",
    path: "/v1/affiliates/{id}/verifications",
    instead: "Verifications are not kept: ask POST /v1/commissions/verify again, or GET /v1/ledger/verify.",
  },
  { method: "POST", path: "/v1/affiliates/apply", instead: "Use POST /v1/affiliates." },
  {
    method: "POST",
    path: "/v1/affiliates/{id}/evaluate-tier",
    instead: "Set commission_rate_bps with PATCH /v1/affiliates/{id}.",
  },
];

export const loop: Dialect = {
  name: "loop",
  title: "Loop",
  owns: ["/v1/admin/payouts/**"],
  routes: [
    listQueue,
    approve,
    markPaid,
    draft,
    runNightly,
    runMonthly,
    createPayout,
    verifyCommissions,
    listCommissions,
  ],
  unserved: UNSERVED,
  refuse,
  errorSchema,
};
