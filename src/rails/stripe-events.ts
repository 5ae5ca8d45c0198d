import type { StripeSecrets } from "../domain/credentials.ts";
import type { InboundSource, RailProgram } from "./rail.ts";

export interface StripeInboundPorts {
  now(): number;
  secretOf(program: RailProgram): Promise<StripeSecrets | undefined>;
}

export const stripeInbound = (_ports: StripeInboundPorts): InboundSource => ({
  async read() {
    throw new Error("to be written");
  },
});
