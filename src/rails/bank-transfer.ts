// By hand: the rail sends nothing and waits for a person to mark the payout paid or failed.
import type { PayoutRail } from "./rail.ts";

export const bankTransferRail: PayoutRail = {
  method: "bank_transfer",
  resendWindowMs: 0,
  async freeze(_program, payout, affiliate) {
    return {
      rail: "bank_transfer",
      providerAccount: "",
      apiVersion: "",
      destination: "",
      destinationSha: affiliate.destination?.sha ?? null,
      request: "",
      amount: payout.amount,
      currency: payout.currency,
    };
  },
  async send() {
    return { kind: "needs_hand", instructions: "Pay it by hand, then mark it paid or failed." };
  },
  async find() {
    return { kind: "needs_hand", instructions: "Pay it by hand, then mark it paid or failed." };
  },
};
