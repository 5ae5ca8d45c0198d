// Runs the built Worker in Miniflare with its files where wrangler looks for them.
import { join } from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare, type V4ModuleDefinition } from "miniflare";
import { unstable_getMiniflareWorkerOptions, unstable_readConfig } from "wrangler";
import { leashChildren } from "./leash.ts";
import { wranglerConfig } from "./project.ts";

export interface RuntimeOptions {
  readonly modules: V4ModuleDefinition[];
  readonly port: number;
  readonly stateDir: string;
  readonly bindings: Readonly<Record<string, string>>;
  readonly log: (line: string) => void;
}

export interface Runtime {
  readonly miniflare: Miniflare;
  stop(): Promise<void>;
}

class LineLog extends Log {
  readonly #write: (line: string) => void;
  constructor(write: (line: string) => void) {
    super(LogLevel.WARN);
    this.#write = write;
  }
  protected override log(message: string): void {
    this.#write(message);
  }
}

// Miniflare ends the process by itself on a signal, before anything else could stop in order; whoever starts a runtime stops it.
function withoutSignalHandlers<T>(start: () => T): T {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const before = signals.map((signal) => process.listeners(signal));
  const started = start();
  signals.forEach((signal, at) => {
    for (const listener of process.listeners(signal)) {
      if (!before[at]?.includes(listener)) process.removeListener(signal, listener);
    }
  });
  return started;
}

/** Variables of wrangler.toml count, those of .dev.vars do not: the caller decides whether they apply. */
export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  const config = unstable_readConfig({ config: wranglerConfig });
  const {
    modulesRules: _,
    bindings: __,
    ...worker
  } = unstable_getMiniflareWorkerOptions(config).workerOptions;
  leashChildren();
  const miniflare = withoutSignalHandlers(
    () =>
      new Miniflare(
        convertV4MiniflareOptions({
          ...worker,
          name: config.name ?? "stipend",
          modules: options.modules,
          modulesRoot: join(options.stateDir, "build"),
          bindings: { ...(config.vars as Record<string, string>), ...options.bindings },
          host: "127.0.0.1",
          port: options.port,
          cf: false,
          telemetry: { enabled: false },
          logRequests: false,
          log: new LineLog(options.log),
          handleStructuredLogs: (line) => options.log(line.message),
          resourcePersistencePath: join(options.stateDir, "v3"),
        }),
      ),
  );
  const stop = () => miniflare.dispose();
  try {
    await miniflare.ready;
  } catch (error) {
    await stop().catch(() => undefined);
    throw error;
  }
  return { miniflare, stop };
}
