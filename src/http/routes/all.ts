// The routes of /v1 in the order of the reference.
import type { Register } from "../env.ts";
import { registerAffiliateMoney } from "./affiliate-money.ts";
import { registerAffiliates } from "./affiliates.ts";
import { registerApiKeys } from "./api-keys.ts";
import { registerCallbacks } from "./callbacks.ts";
import { registerCommissions } from "./commissions.ts";
import { registerConfirmBook } from "./confirm-book.ts";
import { registerCredentials } from "./credentials.ts";
import { registerEvents } from "./events.ts";
import { registerLedger } from "./ledger.ts";
import { registerPayoutNotes } from "./payout-notes.ts";
import { registerPayoutReads } from "./payout-reads.ts";
import { registerPayoutReviews } from "./payout-reviews.ts";
import { registerPayouts } from "./payouts.ts";
import { registerPrograms } from "./programs.ts";
import { registerRuns } from "./runs.ts";
import { registerTestClock } from "./test-clock.ts";

export const ROUTES: readonly Register[] = [
  registerPrograms,
  registerApiKeys,
  registerCredentials,
  registerAffiliates,
  registerAffiliateMoney,
  registerConfirmBook,
  registerCommissions,
  registerPayouts,
  registerPayoutReads,
  registerPayoutReviews,
  registerPayoutNotes,
  registerRuns,
  registerEvents,
  registerLedger,
  registerCallbacks,
  registerTestClock,
];
