// Starts a whole Stipend on this machine: database, Worker, clockwork and, unless another provider is named, the Stripe simulator.
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Miniflare } from "miniflare";
import { startStripeSimulator } from "../simulators/stripe-server.ts";
import { layAssets } from "./assets.ts";
import { buildBundle } from "./bundle.ts";
import { startCron } from "./cron.ts";
import { leashChildren } from "./leash.ts";
import { claimPort, preferPort } from "./ports.ts";
import { runWrangler } from "./project.ts";
import { startRuntime } from "./runtime.ts";
import { seedDemoProgram } from "./seed.ts";
import { holdStateDir, recall, remember } from "./state-dir.ts";

export interface StipendOptions {
  /** 0 takes any free port. */
  readonly port: number;
  readonly stateDir: string;
  /** Another provider than the simulator, which then does not start. */
  readonly stripeApiBase?: string | undefined;
  /** Seconds between two runs of the scheduled handler; 0 leaves it out. */
  readonly cronEveryS: number;
  /** Whether a demo program is made, once per state directory. */
  readonly seed: boolean;
  /** Bindings that win over all others, as .dev.vars does. */
  readonly vars?: Readonly<Record<string, string>>;
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal;
}

export interface Stipend {
  readonly url: string;
  readonly rootKey: string;
  readonly programId: string | null;
  readonly apiKey: string | null;
  readonly stripeSimulator: string | null;
  readonly miniflare: Miniflare;
  stop(): Promise<void>;
}

type Stop = () => void | Promise<void>;

async function startSimulator(
  stateDir: string,
  knownPort: number | undefined,
): Promise<{ url: string; close: Stop }> {
  const port = await preferPort(knownPort);
  const server = await startStripeSimulator({ port, statePath: join(stateDir, "stripe-simulator.json") });
  remember(stateDir, { simulator_port: port });
  return { url: server.url, close: () => server.close() };
}

async function prepare(stateDir: string, signal: AbortSignal | undefined) {
  layAssets();
  const migrate = ["d1", "migrations", "apply", "DB", "--local", "--persist-to", stateDir];
  const [modules] = await Promise.all([
    buildBundle(join(stateDir, "build"), signal === undefined ? {} : { signal }),
    runWrangler(migrate, signal),
  ]);
  return modules;
}

async function untilHealthy(url: string): Promise<void> {
  let last = "no answer";
  for (let round = 0; round < 40; round++) {
    try {
      const answer = await fetch(`${url}/health`);
      if (answer.ok) return;
      last = `${answer.status} ${await answer.text()}`;
    } catch (error) {
      last = String(error);
    }
    await sleep(250);
  }
  throw new Error(`the Worker does not become healthy: ${last}`);
}

/** Whatever fails on the way, all that was started before it is stopped again. */
export async function startStipend(options: StipendOptions): Promise<Stipend> {
  leashChildren();
  const stops: Stop[] = [];
  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= (async () => {
      for (const undo of stops.reverse()) await undo();
    })();
    return stopping;
  };
  try {
    return { ...(await start(options, stops)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(options: StipendOptions, stops: Stop[]): Promise<Omit<Stipend, "stop">> {
  const { stateDir, log, vars = {} } = options;
  stops.push(holdStateDir(stateDir));
  const port = await claimPort(options.port, 10, log);
  const secrets = recall(stateDir);
  const modules = await prepare(stateDir, options.signal);
  const stripeApiBase = options.stripeApiBase ?? vars.STRIPE_API_BASE;
  const simulator =
    stripeApiBase === undefined ? await startSimulator(stateDir, secrets.simulator_port) : undefined;
  if (simulator !== undefined) stops.push(simulator.close);
  const url = `http://127.0.0.1:${port}`;
  const { ROOT_KEY, KEY_PEPPER, CURSOR_KEY, MASTER_KEY } = secrets;
  const bindings = {
    ROOT_KEY,
    KEY_PEPPER,
    CURSOR_KEY,
    MASTER_KEY,
    PUBLIC_URL: url,
    DEVELOPMENT: "true",
    ...vars,
    STRIPE_API_BASE: simulator?.url ?? stripeApiBase ?? "",
  };
  const runtime = await startRuntime({ modules, port, stateDir, bindings, log });
  stops.push(runtime.stop);
  await untilHealthy(url);
  if (options.cronEveryS > 0) stops.push(startCron(runtime.miniflare, options.cronEveryS, log).stop);
  const demo = options.seed
    ? await seedDemoProgram({
        url,
        rootKey: bindings.ROOT_KEY,
        stateDir,
        simulatorUrl: simulator?.url,
        stripeKey: vars.STRIPE_SECRET_KEY,
      })
    : undefined;
  return {
    url,
    rootKey: bindings.ROOT_KEY,
    programId: demo?.program_id ?? null,
    apiKey: demo?.api_key ?? null,
    stripeSimulator: simulator?.url ?? null,
    miniflare: runtime.miniflare,
  };
}
