// Sets up what is measured: the minified bundles, a migrated database in a folder of its own, the runtime and a provider.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Miniflare, V4ModuleDefinition } from "miniflare";
import { layAssets } from "../front/assets.ts";
import { buildBundle } from "../front/bundle.ts";
import { leashChildren } from "../front/leash.ts";
import { claimPort } from "../front/ports.ts";
import { runWrangler } from "../front/project.ts";
import { type Runtime, startRuntime } from "../front/runtime.ts";
import { recall } from "../front/state-dir.ts";
import { type StripeServer, startStripeSimulator } from "../simulators/stripe-server.ts";
import type { BareGenerate, BareOutcome, Counts, Seed, Span } from "./control.ts";
import { HttpClient } from "./http-client.ts";

const ENTRY = "test/bench/worker/entry.ts";
const MIGRATE = ["d1", "migrations", "apply", "DB", "--local", "--persist-to"];

export class Stage {
  readonly folder: string;
  /** The bundle as it is deployed, to be weighed. */
  readonly deployed: V4ModuleDefinition[];
  readonly provider: StripeServer;
  readonly port: number;
  /** Requests that the provider got, its control routes apart. */
  providerCalls = 0;
  readonly #modules: V4ModuleDefinition[];
  #runtime: Runtime | undefined;
  #control: HttpClient;

  constructor(
    folder: string,
    bundles: { readonly bench: V4ModuleDefinition[]; readonly deployed: V4ModuleDefinition[] },
    provider: StripeServer,
    port: number,
  ) {
    this.folder = folder;
    this.#modules = bundles.bench;
    this.deployed = bundles.deployed;
    this.provider = provider;
    this.port = port;
    this.#control = new HttpClient(port);
    this.#countProviderCalls();
  }

  /** A state directory of its own for the bundle as it is deployed. */
  get deployedDir(): string {
    return join(this.folder, "deployed");
  }

  get bindings(): Readonly<Record<string, string>> {
    const { ROOT_KEY, KEY_PEPPER, CURSOR_KEY, MASTER_KEY } = recall(this.folder);
    const urls = { PUBLIC_URL: `http://127.0.0.1:${this.port}`, STRIPE_API_BASE: this.provider.url };
    return { ROOT_KEY, KEY_PEPPER, CURSOR_KEY, MASTER_KEY, DEVELOPMENT: "true", ...urls };
  }

  get miniflare(): Miniflare {
    if (this.#runtime === undefined) throw new Error("the runtime is not started");
    return this.#runtime.miniflare;
  }

  async start(): Promise<void> {
    const { folder, port, bindings } = this;
    const log = (line: string) => {
      if (/fault|failed|rror/.test(line)) process.stderr.write(`  worker: ${line.slice(0, 400)}\n`);
    };
    this.#runtime = await startRuntime({ modules: this.#modules, port, stateDir: folder, bindings, log });
  }

  /** What is warm afterwards is nothing: neither key nor book. */
  async restart(): Promise<void> {
    await this.#runtime?.stop();
    this.#control.close();
    this.#control = new HttpClient(this.port);
    await this.start();
  }

  async stop(): Promise<void> {
    this.#control.close();
    await this.#runtime?.stop();
    await this.provider.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Straight into the database, past the Worker and its counts. */
  async select<T>(sql: string, ...values: readonly (string | number)[]): Promise<T[]> {
    const db = await this.miniflare.getD1Database("DB");
    return (
      await db
        .prepare(sql)
        .bind(...values)
        .all<T>()
    ).results;
  }

  clientOf(key: string): HttpClient {
    return new HttpClient(this.port, key);
  }

  async reset(): Promise<void> {
    await this.#control.want({ method: "POST", path: "/__bench/reset", body: {} }, 200);
    this.providerCalls = 0;
  }

  counts(): Promise<Counts> {
    return this.#control.want<Counts>({ method: "GET", path: "/__bench/counts" }, 200);
  }

  spans(): Promise<Span[]> {
    return this.#control.want<Span[]>({ method: "GET", path: "/__bench/spans" }, 200);
  }

  /** Resolves once nothing went to D1 for so long: work that outlives an answer, and what the queue holds, is then over. */
  async settle(quietMs = 25): Promise<void> {
    for (let last = -1; ; ) {
      const { trips } = await this.counts();
      if (trips === last) return;
      last = trips;
      await sleep(quietMs);
    }
  }

  /** What one piece of work costs; the counts are those of the whole Worker, so nothing else may run. */
  async counting(work: () => Promise<unknown>): Promise<Counts> {
    await this.settle();
    await this.reset();
    await work();
    return this.counts();
  }

  async seed(seed: Seed): Promise<void> {
    await this.#control.want({ method: "POST", path: "/__bench/seed", body: seed }, 200);
  }

  bareGenerate(body: BareGenerate): Promise<BareOutcome> {
    return this.#control.want<BareOutcome>({ method: "POST", path: "/__bench/bare-generate", body }, 200);
  }

  #countProviderCalls(): void {
    const { simulator } = this.provider;
    const answer = simulator.fetch.bind(simulator);
    simulator.fetch = (request) => {
      if (!new URL(request.url).pathname.startsWith("/_sim/")) this.providerCalls++;
      return answer(request);
    };
  }
}

/** Builds what a deployment would upload, twice: as it is, and with the bench's entry. */
export const setStage = async (): Promise<Stage> => {
  leashChildren();
  layAssets();
  const folder = mkdtempSync(join(tmpdir(), "stipend-bench-"));
  try {
    const deployed = await buildBundle(join(folder, "deployed/build"), { minify: true });
    const [bench] = await Promise.all([
      buildBundle(join(folder, "build"), { minify: true, entry: ENTRY }),
      runWrangler([...MIGRATE, folder]),
    ]);
    const provider = await startStripeSimulator();
    return new Stage(folder, { bench, deployed }, provider, await claimPort(0, 0, () => undefined));
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
};
