import type { PayPalRailPorts } from "./paypal.ts";
import type { InboundSource } from "./rail.ts";

export const paypalInbound = (_ports: PayPalRailPorts): InboundSource => ({
  async read() {
    throw new Error("to be written");
  },
});
