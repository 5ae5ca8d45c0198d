// Affihub (docs.affihub.com), below /api/v1: payouts, partners, commissions, events, webhooks and the program's minimum.
//
// Chosen here, because no document shows it: every error, `{error: {code, message, details?}}` with our codes and statuses; the answers of
// PATCH /payouts/{id} and PATCH /programs/me, a partner's, a commission's and an event's fields beyond those its pages name; ids of a dry run's
// payouts (`preview_…`); 202 where a transfer is not settled within 25 s, or a run goes on in the background; 422 with Stripe's reason where it is
// refused; the header X-Stipend-Other-Currencies. A partner's `slug` is our external_id; first and last name, and a method that nothing here
// pays by (crypto, bank details that Affihub's API cannot carry), stand in metadata under `affihub.`, and such a partner is paid by hand.
// A repeated PATCH to `paid` with the same payout_ref answers 200. `review` is our held; a reversed commission is shown as rejected.
// Affihub names no currency: it sees and makes payouts in the program's default currency only, and the same of commissions and events.
// Its types click, partner.deleted, webhook.stripe and webhook.paddle exist and nothing is of them. Deliveries of its webhooks are Standard Webhooks
// under our own event types: payout.generated and payout.paid are the same word, commission.updated is commission.approved and its kin.
import type { Dialect } from "../http/dialect.ts";
import { approveCommissions, listCommissions, rejectCommissions } from "./affihub-commissions.ts";
import { createWebhook, listEvents } from "./affihub-events.ts";
import { createPartner, listPartners } from "./affihub-partners.ts";
import { pay } from "./affihub-pay.ts";
import { generate, listPayouts, updatePayout } from "./affihub-payouts.ts";
import { updateOwnProgram } from "./affihub-program.ts";
import { errorSchema, refuse } from "./affihub-refusals.ts";

export const affihub: Dialect = {
  name: "affihub",
  title: "Affihub",
  owns: ["/api/v1/**"],
  routes: [
    listPayouts,
    generate,
    updatePayout,
    pay,
    createPartner,
    listPartners,
    listCommissions,
    approveCommissions,
    rejectCommissions,
    listEvents,
    createWebhook,
    updateOwnProgram,
  ],
  unserved: [],
  refuse,
  errorSchema,
};
