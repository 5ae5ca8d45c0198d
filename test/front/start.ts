// npm start: a whole Stipend on this machine until it is told to stop. Standard output carries the ready line last and nothing after it.
import { readFileSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { isAbsolute, join, resolve } from "node:path";
import { parseEnv } from "node:util";
import type { Stipend } from "./boot.ts";
import { onOrphaned } from "./orphan.ts";
import { compileCache, projectRoot } from "./project.ts";

const log = (line: string) => process.stderr.write(`${line}\n`);

function wholeNumber(name: string, usual: number, most: number): number {
  const text = process.env[name] ?? "";
  if (text === "") return usual;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > most) {
    throw new Error(`${name} must be a whole number from 0 to ${most}, not ${JSON.stringify(text)}`);
  }
  return value;
}

/** The same file that wrangler reads; DEV_VARS names another, or none. */
function devVars(): Record<string, string> {
  const name = process.env.DEV_VARS ?? ".dev.vars";
  if (name === "none") return {};
  try {
    const text = readFileSync(isAbsolute(name) ? name : join(projectRoot, name), "utf8");
    return parseEnv(text) as Record<string, string>;
  } catch (error) {
    if (process.env.DEV_VARS === undefined) return {};
    throw error;
  }
}

function readyLine(stipend: Stipend): string {
  return `ready ${JSON.stringify({
    url: stipend.url,
    root_key: stipend.rootKey,
    program_id: stipend.programId,
    api_key: stipend.apiKey,
    stripe_simulator: stipend.simulators.stripe ?? null,
    paypal_simulator: stipend.simulators.paypal ?? null,
    wise_simulator: stipend.simulators.wise ?? null,
  })}`;
}

// Loaded late, because loading wrangler takes seconds in which a signal must already be heard.
async function start(signal: AbortSignal): Promise<Stipend> {
  enableCompileCache(compileCache);
  const { startStipend } = await import("./boot.ts");
  signal.throwIfAborted();
  const stateDir = process.env.STATE_DIR || join(projectRoot, ".wrangler/state");
  return startStipend({
    port: wholeNumber("PORT", 8787, 65_535),
    stateDir: resolve(stateDir),
    apiBases: {
      stripe: process.env.STRIPE_API_BASE || undefined,
      paypal: process.env.PAYPAL_API_BASE || undefined,
      wise: process.env.WISE_API_BASE || undefined,
    },
    cronEveryS: wholeNumber("CRON_EVERY_S", 5, 3600),
    seed: process.env.SEED !== "none",
    vars: devVars(),
    log,
    signal,
  });
}

const stopping = new AbortController();
let starting: Promise<Stipend> | undefined;

async function stop(): Promise<void> {
  if (stopping.signal.aborted) return;
  stopping.abort();
  const stipend = await starting?.catch(() => undefined);
  await stipend?.stop();
  process.exit(0);
}

process.on("SIGINT", () => void stop());
process.on("SIGTERM", () => void stop());
onOrphaned(() => void stop());
try {
  starting = start(stopping.signal);
  const stipend = await starting;
  if (!stopping.signal.aborted) process.stdout.write(`${readyLine(stipend)}\n`);
} catch (error) {
  if (!stopping.signal.aborted) {
    log(`stipend does not start: ${error instanceof Error ? error.message : String(error)}`);
    process.exit(1);
  }
}
