// Tells when npm, which started this process, is gone: a signal to npm can end npm and its shell alone.
import { readFileSync } from "node:fs";

/** The parent of a process, where /proc tells; 0 elsewhere. */
function parentOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return 0;
  }
}

function isShell(pid: number): boolean {
  try {
    return /^(ba|da|z|k)?sh\n$/.test(readFileSync(`/proc/${pid}/comm`, "utf8"));
  } catch {
    return false;
  }
}

/** npm runs a script through a shell that outlives a killed npm, so the shell's parent counts too. */
export function onOrphaned(act: () => void): void {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const shell = isShell(parent);
  const npm = shell ? parentOf(parent) : 0;
  const timer = setInterval(() => {
    if (process.ppid === parent && (!shell || parentOf(parent) === npm)) return;
    clearInterval(timer);
    act();
  }, 500);
  timer.unref();
}
