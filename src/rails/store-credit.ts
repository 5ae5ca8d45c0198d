// Store credit: the book itself is the rail, so the payment settles in the turn that begins it and nothing is ever sent.
import type { PayoutRail } from "./rail.ts";

export const storeCreditRail: PayoutRail = {
  method: "store_credit",
  resendWindowMs: 0,
  async freeze(_program, payout, affiliate) {
    return {
      rail: "store_credit",
      providerAccount: "",
      apiVersion: "",
      destination: affiliate.id,
      destinationSha: affiliate.destination?.sha ?? null,
      request: "",
      amount: payout.amount,
      currency: payout.currency,
    };
  },
  async send() {
    throw new Error("store credit settles when it begins");
  },
  async find() {
    throw new Error("store credit settles when it begins");
  },
};
