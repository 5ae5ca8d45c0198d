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

/** Bytes; NaN where /proc does not tell. */
const memoryOf = (pids: readonly string[]): number => pids.reduce((sum, pid) => sum + heldBy(pid), 0);

export interface Held<T> {
  readonly result: T;
  readonly before: number;
  readonly most: number;
}

/** The most that was held while the work was done; undefined where /proc is not there. */
export const mostHeld = async <T>(work: () => Promise<T>): Promise<Held<T>> => {
  const pids = runtimePids() ?? [];
  const before = pids.length === 0 ? Number.NaN : memoryOf(pids);
  let most = before;
  const timer = setInterval(() => {
    most = Math.max(most, memoryOf(pids));
  }, SAMPLE_MS);
  try {
    const result = await work();
    return { result, before, most: Math.max(most, memoryOf(pids)) };
  } finally {
    clearInterval(timer);
  }
};
