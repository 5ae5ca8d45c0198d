// Four kinds of projects: domain in plain Node, worker in workerd, one per planted bug, and process with real starts and kills.
import { readFileSync } from "node:fs";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import type { Plugin } from "vite";
import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";
import { layAssets } from "./test/front/assets.ts";
import { type PlantedBug, plantedBugs } from "./test/planted/bugs.ts";

const maxWorkers = 2;

layAssets();

const reached = new Set<string>();
process.once("exit", () => {
  if (reached.size === 0) return;
  console.error(`FAILED: tests tried to reach ${[...reached].join(", ")}`);
  process.exitCode = 1;
});

/** Whatever a test wants from the network goes through its own http port. A request that comes here fails the run at its end, even when the code under test swallows the answer. */
function denyOutbound(request: { readonly url: string }): Response {
  reached.add(request.url);
  return new Response(`a test tried to reach ${request.url}`, { status: 599 });
}

/** SEED and HISTORIES of the caller reach the simulation as bindings. */
const replayBindings = Object.fromEntries(
  ["SEED", "HISTORIES", "REPLAY"].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  }),
);

async function workerPlugin(bindings: Record<string, unknown> = {}) {
  const migrations = await readD1Migrations("./migrations");
  return cloudflareTest({
    main: "./test/worker/entry.ts",
    wrangler: { configPath: "./wrangler.toml" },
    miniflare: {
      bindings: {
        ROOT_KEY: "stp_root_of_the_tests",
        KEY_PEPPER: "cGVwcGVyIG9mIHRoZSB0ZXN0cywgMzIgYnl0ZXMuLi4=",
        CURSOR_KEY: "Y3Vyc29yIGtleSBvZiB0aGUgdGVzdHMsIDMyIGJ5dGU=",
        MASTER_KEY: "bWFzdGVyIGtleSBvZiB0aGUgdGVzdHMsIDMyIGJ5dGU=",
        PUBLIC_URL: "http://stipend.test",
        STRIPE_API_BASE: "http://stripe.test",
        DEVELOPMENT: "true",
        MIGRATIONS: migrations,
        ...replayBindings,
        ...bindings,
      },
      outboundService: denyOutbound,
    },
  });
}

/** Fails when the snippet is gone or stands there twice: a bug that is no longer planted would seem to be caught by nothing. */
function plant(name: string, bug: PlantedBug): Plugin {
  return {
    name: `planted:${name}`,
    enforce: "pre",
    transform(code, id) {
      const path = id.split("?")[0] ?? id;
      if (!path.endsWith(`/src/${bug.file}`)) return;
      const times = code.split(bug.find).length - 1;
      if (times !== 1)
        throw new Error(`planted bug ${name}: its snippet stands ${times} times in src/${bug.file}`);
      return code.replace(bug.find, () => bug.replace);
    },
  };
}

async function plantedProject(name: string, bug: PlantedBug): Promise<TestProjectInlineConfiguration> {
  const source = readFileSync(new URL(`./src/${bug.file}`, import.meta.url), "utf8");
  if (!source.includes(bug.find)) console.error(`planted bug ${name}: its snippet is not in src/${bug.file}`);
  return {
    plugins: [plant(name, bug), await workerPlugin({ PLANTED_BUG: name })],
    test: {
      name: `planted:${name}`,
      include: ["test/planted/**/*.test.ts"],
      setupFiles: ["./test/worker/setup.ts"],
      testTimeout: 60_000,
      maxWorkers,
      sequence: { groupOrder: 1 },
    },
  };
}

export default defineConfig(async () => ({
  test: {
    maxWorkers,
    projects: [
      {
        test: {
          name: "domain",
          environment: "node",
          include: ["test/domain/**/*.test.ts", "test/architecture.test.ts"],
          testTimeout: 60_000,
          maxWorkers,
          sequence: { groupOrder: 0 },
        },
      },
      {
        plugins: [await workerPlugin()],
        test: {
          name: "worker",
          include: ["test/worker/**/*.test.ts"],
          setupFiles: ["./test/worker/setup.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers,
          sequence: { groupOrder: 1 },
        },
      },
      ...(await Promise.all(plantedBugs.map((bug) => plantedProject(bug.name, bug)))),
      {
        test: {
          name: "process",
          environment: "node",
          include: ["test/process/**/*.test.ts"],
          testTimeout: 240_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
}));
