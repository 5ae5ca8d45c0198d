// What the runtime's process has computed so far: unlike the clock on the wall it does not run faster when others leave the machine alone.
import { readdirSync, readFileSync } from "node:fs";

/** Of /proc, in clock ticks of 10 ms on every Linux that Node runs on. */
const TICK_MS = 10;

/** The fields behind the name, which may hold spaces itself. */
const fieldsOf = (pid: string): { name: string; fields: string[] } | undefined => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const end = text.lastIndexOf(")");
    return { name: text.slice(text.indexOf("(") + 1, end), fields: text.slice(end + 2).split(" ") };
  } catch {
    return undefined;
  }
};

const isOurRuntime = (pid: string): boolean => {
  const stat = fieldsOf(pid);
  return stat?.name === "workerd" && stat.fields[1] === String(process.pid);
};

/** Of every runtime that this process started; undefined where /proc is not there. */
export const runtimePids = (): string[] | undefined => {
  try {
    const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && isOurRuntime(name));
    return pids.length === 0 ? undefined : pids;
  } catch {
    return undefined;
  }
};

/** Milliseconds in user and system mode, of all of them. */
export const runtimeCpuMs = (): number | undefined => {
  const pids = runtimePids();
  if (pids === undefined) return undefined;
  let ticks = 0;
  for (const pid of pids) {
    const fields = fieldsOf(pid)?.fields ?? [];
    ticks += Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
  }
  return ticks * TICK_MS;
};
