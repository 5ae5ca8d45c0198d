// Serves the simulated Wise over HTTP from Node, and keeps its state in a file when asked.
/// <reference types="node" />

import { type ListenOptions, type SimulatorServer, serveSimulator } from "./http-server.ts";
import { type Saved, type SimulatorOptions, WiseSimulator } from "./wise.ts";

export type WiseServer = SimulatorServer<WiseSimulator>;

/** Port 0 or none takes a free one. With a statePath what was done survives a restart. */
export const startWiseSimulator = (options: SimulatorOptions & ListenOptions = {}): Promise<WiseServer> =>
  serveSimulator(options, (saved) =>
    saved === undefined ? new WiseSimulator(options) : WiseSimulator.fromJSON(saved as Saved, options),
  );
