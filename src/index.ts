// The Worker's entry: fetch, queue and scheduled over the platform's own ports, and the affiliate's Durable Object.

import { type Env, ledgerPorts, makeWorker, platformPorts, withRails } from "./compose.ts";
import type { Hint } from "./context.ts";
import { affiliateLedger } from "./ledger/affiliate-ledger.ts";

export class AffiliateLedger extends affiliateLedger<Env>(ledgerPorts) {}

export default makeWorker<Env>((env, execution) =>
  withRails(platformPorts(env, execution)),
) satisfies ExportedHandler<Env, Hint>;
