// Where tests reach into the Worker: each port as it is made, the object's own ports, and the clock.
import type { platformPorts } from "../../src/compose.ts";
import type { LedgerPorts } from "../../src/ledger/turn.ts";

export type EdgePorts = ReturnType<typeof platformPorts>;

interface Seams {
  ports(ports: EdgePorts): EdgePorts;
  ledger(ports: LedgerPorts): LedgerPorts;
}

const plain: Seams = { ports: (ports) => ports, ledger: (ports) => ports };

export const seams: Seams = { ...plain };

export const resetSeams = (): void => {
  Object.assign(seams, plain);
};
