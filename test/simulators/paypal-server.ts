// Serves the simulated PayPal over HTTP from Node, and keeps its state in a file when asked.
/// <reference types="node" />

import { type ListenOptions, type SimulatorServer, serveSimulator } from "./http-server.ts";
import { PayPalSimulator, type Saved, type SimulatorOptions } from "./paypal.ts";

export type ServerOptions = SimulatorOptions & ListenOptions;

/** Port 0 or none takes a free one. With a statePath what was done survives a restart. */
export function startPayPalSimulator(options: ServerOptions = {}): Promise<SimulatorServer<PayPalSimulator>> {
  const { port, host, statePath, ...rest } = options;
  const listen = {
    ...(port === undefined ? {} : { port }),
    ...(host === undefined ? {} : { host }),
    ...(statePath === undefined ? {} : { statePath }),
  };
  return serveSimulator(listen, (saved) =>
    saved === undefined ? new PayPalSimulator(rest) : PayPalSimulator.fromJSON(saved as Saved, rest),
  );
}
