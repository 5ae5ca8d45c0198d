// Starts a whole Stipend on this machine: database, Worker, clockwork and, for each provider that is not named, its simulator.
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Miniflare } from "miniflare";
import { layAssets } from "./assets.ts";
import { buildBundle } from "./bundle.ts";
import { startCron } from "./cron.ts";
import { leashChildren } from "./leash.ts";
import { claimPort } from "./ports.ts";
import { runWrangler } from "./project.ts";
import { startRuntime } from "./runtime.ts";
import { seedDemoProgram } from "./seed.ts";
import { PROVIDERS, type ProviderBases, type ProviderName, startSimulator } from "./simulators.ts";
import { holdStateDir, type Remembered, recall } from "./state-dir.ts";

export interface StipendOptions {
  /** 0 takes any free port. */
  readonly port: number;
  readonly stateDir: string;
  /** Other providers than the simulators, which then do not start. */
  readonly apiBases?: ProviderBases;
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
  /** The addresses of those that were started. */
  readonly simulators: Readonly<Partial<Record<ProviderName, string>>>;
  readonly miniflare: Miniflare;
  stop(): Promise<void>;
}

type Stop = () => void | Promise<void>;

const BASE_VARS = {
  stripe: "STRIPE_API_BASE",
  paypal: "PAYPAL_API_BASE",
  wise: "WISE_API_BASE",
} as const satisfies Record<ProviderName, string>;

interface Providers {
  /** The Worker's bindings. */
  readonly bases: Readonly<Record<string, string>>;
  readonly simulators: Partial<Record<ProviderName, string>>;
}

/** Which address each provider has: the one that is named, or its simulator's. */
async function startProviders(
  { apiBases = {}, vars = {}, stateDir }: StipendOptions,
  remembered: Remembered,
  stops: Stop[],
): Promise<Providers> {
  const bases: Record<string, string> = {};
  const simulators: Partial<Record<ProviderName, string>> = {};
  for (const provider of PROVIDERS) {
    const named = apiBases[provider] ?? vars[BASE_VARS[provider]];
    if (named !== undefined) {
      bases[BASE_VARS[provider]] = named;
      continue;
    }
    const simulator = await startSimulator(provider, stateDir, remembered);
    stops.push(() => simulator.close());
    bases[BASE_VARS[provider]] = simulator.url;
    simulators[provider] = simulator.url;
  }
  return { bases, simulators };
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
  const { bases, simulators } = await startProviders(options, secrets, stops);
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
    ...bases,
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
        simulators,
        stripeKey: vars.STRIPE_SECRET_KEY,
      })
    : undefined;
  return {
    url,
    rootKey: bindings.ROOT_KEY,
    programId: demo?.program_id ?? null,
    apiKey: demo?.api_key ?? null,
    simulators,
    miniflare: runtime.miniflare,
  };
}
