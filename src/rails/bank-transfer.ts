// Bank transfer: nothing is sent from here; the frozen bank details wait, sealed, for a payout file or for a person.
import type { RailOutcome } from "../domain/payout.ts";
import { refuse } from "../domain/refusals.ts";
import type { PayoutRail } from "./rail.ts";

/** What `request` of an attempt holds: the affiliate's sealed bank details, word for word as they stood when the payment began. */
const DETAILS_VERSION = "bank-details.v1";

const WAITS: RailOutcome = {
  kind: "needs_hand",
  instructions:
    "Put it into a payout file (POST /v1/payout-files) and upload that to the bank, or pay it by hand and mark it paid or failed.",
};

/**
 * No account number stands in an attempt in the clear: the destination is named by its digest, which the turn compares with the
 * approved one, and the request is the sealed value itself, which opens only at this affiliate's place.
 */
export const bankTransferRail: PayoutRail = {
  method: "bank_transfer",
  resendWindowMs: 0,
  async freeze(_program, payout, { destination }) {
    if (destination?.method !== "bank_transfer" || destination.sealed === null)
      return refuse("payout_method_not_ready", "The affiliate has no bank details.");
    return {
      rail: "bank_transfer",
      providerAccount: "",
      apiVersion: DETAILS_VERSION,
      destination: destination.sha,
      destinationSha: destination.sha,
      request: destination.sealed,
      amount: payout.amount,
      currency: payout.currency,
    };
  },
  async send() {
    return WAITS;
  },
  async find() {
    return WAITS;
  },
};
