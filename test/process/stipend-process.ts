// Starts Stipend as npm start does, in a process of its own that can be killed.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { projectRoot } from "../front/project.ts";

export interface Ready {
  readonly url: string;
  readonly root_key: string;
  readonly program_id: string | null;
  readonly api_key: string | null;
  readonly stripe_simulator: string | null;
  readonly paypal_simulator: string | null;
  readonly wise_simulator: string | null;
}

export interface StipendProcess {
  readonly ready: Ready;
  readonly pid: number;
  /** All that was printed on standard output so far. */
  stdout(): string;
  /** All that was logged so far. */
  stderr(): string;
  /** Sends the signal and resolves with the exit code once the process is gone; null when the signal ended it. */
  end(signal: "SIGTERM" | "SIGINT" | "SIGKILL"): Promise<number | null>;
}

export interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

const readyWithinMs = 90_000;
const running = new Set<ChildProcess>();
const directories: string[] = [];

export function newStateDir(): string {
  const directory = mkdtempSync(join(tmpdir(), "stipend-process-"));
  directories.push(directory);
  return directory;
}

/** For afterAll: ends whatever a failed test left running. */
export async function endAll(): Promise<void> {
  for (const child of running) child.kill("SIGKILL");
  for (const directory of directories.splice(0)) {
    rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

// The test runner's own variables would end up in the bundle.
function cleanEnv(env: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(VITEST|NODE_ENV$|TEST$|PROD$|DEV$)/.test(name),
  );
  return { ...Object.fromEntries(kept), DEV_VARS: "none", PORT: "0", ...env };
}

function collect(child: ChildProcess): { stdout(): string; stderr(): string } {
  const printed = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream]?.on("data", (chunk: Buffer) => {
      printed[stream] += chunk.toString();
    });
  }
  return { stdout: () => printed.stdout, stderr: () => printed.stderr };
}

/** Resolves once the process has ended, with its code and what it said; for starts that must fail. */
export async function runToEnd(
  env: Readonly<Record<string, string>>,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const { child, output, exited } = launch(env);
  const code = await exited;
  running.delete(child);
  return { code, stdout: output.stdout(), stderr: output.stderr() };
}

function launch(env: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, [join(projectRoot, "test/front/start.ts")], {
    cwd: projectRoot,
    env: cleanEnv(env),
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child);
  const exited = new Promise<number | null>((resolve) => {
    child.once("close", (code) => {
      running.delete(child);
      resolve(code);
    });
  });
  return { child, output: collect(child), exited };
}

/** Resolves once the ready line is there. */
export async function startProcess(env: Readonly<Record<string, string>>): Promise<StipendProcess> {
  const { child, output, exited } = launch(env);
  const until = Date.now() + readyWithinMs;
  const readyLine = () => /^ready (\{.*\})$/m.exec(output.stdout())?.[1];
  while (readyLine() === undefined) {
    if (child.exitCode !== null || child.signalCode !== null || Date.now() > until) {
      child.kill("SIGKILL");
      throw new Error(`no ready line; exit code ${child.exitCode}\n${output.stdout()}${output.stderr()}`);
    }
    await sleep(50);
  }
  return {
    ready: JSON.parse(readyLine() ?? "") as Ready,
    pid: child.pid ?? 0,
    ...output,
    end: (signal) => {
      child.kill(signal);
      return exited;
    },
  };
}

/** Every process that is alive; one that has ended and waits to be collected is not. */
export function processes(): ProcessRow[] {
  const listing = execFileSync("ps", ["-A", "-o", "pid=,ppid=,stat=,args="], { encoding: "utf8" });
  return listing.split("\n").flatMap((line) => {
    const [, pid, parent, stat, command] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    if (pid === undefined || stat?.startsWith("Z")) return [];
    return [{ pid: Number(pid), parent: Number(parent), command: command ?? "" }];
  });
}

/** The process, its children and theirs. */
export function familyOf(pid: number): ProcessRow[] {
  const all = processes();
  const family = all.filter((row) => row.pid === pid);
  for (const member of family) family.push(...all.filter((row) => row.parent === member.pid));
  return family;
}

/** Those of the given that are still alive after waiting up to waitMs for them to end. */
export async function survivors(family: readonly ProcessRow[], waitMs = 5000): Promise<ProcessRow[]> {
  const until = Date.now() + waitMs;
  for (;;) {
    const alive = processes().filter((row) =>
      family.some((member) => member.pid === row.pid && member.command === row.command),
    );
    if (alive.length === 0 || Date.now() > until) return alive;
    await sleep(100);
  }
}
