import type { InboundSource } from "./rail.ts";
import type { WiseRailPorts } from "./wise.ts";

export const wiseInbound = (_ports: WiseRailPorts): InboundSource => ({
  async read() {
    throw new Error("to be written");
  },
});
