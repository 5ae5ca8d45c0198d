// The routes of /v1 in the order of the reference.
import type { Register } from "../env.ts";
import { registerAffiliateMoney } from "./affiliate-money.ts";
import { registerAffiliates } from "./affiliates.ts";
import { registerApiKeys } from "./api-keys.ts";
import { registerCallbacks } from "./callbacks.ts";
import { registerCommissionBatches } from "./commission-batches.ts";
import { registerCommissions } from "./commissions.ts";
import { registerConfirmBook } from "./confirm-book.ts";
import { registerConnect } from "./connect.ts";
import { registerCredentials } from "./credentials.ts";
import { registerDeliveries } from "./deliveries.ts";
import { registerEventTypes } from "./event-types.ts";
import { registerEvents } from "./events.ts";
import { registerExports } from "./exports.ts";
import { registerLedger } from "./ledger.ts";
import { registerPayable } from "./payable.ts";
import { registerPayoutBatches } from "./payout-batches.ts";
import { registerPayoutFiles } from "./payout-files.ts";
import { registerPayoutNotes } from "./payout-notes.ts";
import { registerPayoutReads } from "./payout-reads.ts";
import { registerPayoutRequests } from "./payout-requests.ts";
import { registerPayoutReviews } from "./payout-reviews.ts";
import { registerPayoutSessionReads } from "./payout-session-reads.ts";
import { registerPayoutSessions } from "./payout-sessions.ts";
import { registerPayouts } from "./payouts.ts";
import { registerPortal } from "./portal.ts";
import { registerPrograms } from "./programs.ts";
import { registerRecovery } from "./recovery.ts";
import { registerReports } from "./reports.ts";
import { registerRuns } from "./runs.ts";
import { registerStatements } from "./statements.ts";
import { registerStoreCredit } from "./store-credit.ts";
import { registerStripeOnboarding } from "./stripe-onboarding.ts";
import { registerTaxForm } from "./tax-form.ts";
import { registerTestClock } from "./test-clock.ts";
import { registerWebhookEndpoints } from "./webhook-endpoints.ts";

export const ROUTES: readonly Register[] = [
  registerPrograms,
  registerApiKeys,
  registerCredentials,
  registerAffiliates,
  registerAffiliateMoney,
  registerStoreCredit,
  registerRecovery,
  registerTaxForm,
  registerPortal,
  registerPayoutRequests,
  registerStripeOnboarding,
  registerConnect,
  registerConfirmBook,
  registerExports,
  registerCommissions,
  registerCommissionBatches,
  registerPayouts,
  registerPayable,
  registerStatements,
  registerPayoutReads,
  registerPayoutReviews,
  registerPayoutNotes,
  registerPayoutBatches,
  registerPayoutFiles,
  registerRuns,
  registerPayoutSessions,
  registerPayoutSessionReads,
  registerEvents,
  registerEventTypes,
  registerWebhookEndpoints,
  registerDeliveries,
  registerLedger,
  registerCallbacks,
  registerReports,
  registerTestClock,
];
