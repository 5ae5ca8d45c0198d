// What the runtime's process holds in memory of its own; the files that it maps are not in it.
import { readFileSync } from "node:fs";
import { runtimePids } from "./cpu-time.ts";

const SAMPLE_MS = 10;
const KIB = 1024;

const heldBy = (pid: string): number => {
  try {
    const found = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return Number(found?.[1] ?? Number.NaN) * KIB;
  } catch {
    return Number.NaN;
  }
};

const memoryOf = (pids: readonly string[]): number => pids.reduce((sum, pid) => sum + heldBy(pid), 0);

/** The most bytes that were held while the work was done; NaN where /proc does not tell. */
export const mostHeld = async (work: () => Promise<void>): Promise<number> => {
  const pids = runtimePids() ?? [];
  const now = (): number => (pids.length === 0 ? Number.NaN : memoryOf(pids));
  let most = now();
  const look = (): void => {
    most = Math.max(most, now());
  };
  const timer = setInterval(look, SAMPLE_MS);
  try {
    await work();
    look();
    return most;
  } finally {
    clearInterval(timer);
  }
};
