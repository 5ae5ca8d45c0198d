// The Worker as tests run it: the same composition over ports that a test may replace, one by one, at any moment.
import { type Env, ledgerPorts, makeWorker, platformPorts, withRails } from "../../src/compose.ts";
import type { Hint } from "../../src/context.ts";
import { affiliateLedger } from "../../src/ledger/affiliate-ledger.ts";
import { seams } from "./seams.ts";

export class AffiliateLedger extends affiliateLedger<Env>((env) => seams.ledger(ledgerPorts(env))) {}

export default makeWorker<Env>((env, execution) =>
  withRails(seams.ports(platformPorts(env, execution))),
) satisfies ExportedHandler<Env, Hint>;
