// Makes sure that nothing this process started outlives it, however it ends.
import { type ChildProcess, spawn } from "node:child_process";
import { subscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";

// The pipe's end of file is the only news of a kill -9 that does not have to be polled for.
const watch =
  "trap '' INT TERM HUP; pids=; while read -r line; do pids=$line; done; [ -z \"$pids\" ] || kill -s KILL -- $pids";

let leashed = false;

/** What to kill for a child: workerd itself, or wrangler with all that it started in its own group; 0 for any other. */
function targetOf(child: ChildProcess): number {
  if (child.pid === undefined) return 0;
  if (child.spawnfile.includes("workerd")) return child.pid;
  return child.spawnargs.some((argument) => argument.includes("wrangler-dist")) ? -child.pid : 0;
}

/** workerd does not notice that its parent died and would go on serving and consuming queues. Miniflare starts it again after a crash, so children are followed as they come. */
export function leashChildren(): void {
  if (leashed) return;
  leashed = true;
  const leash = spawn("/bin/sh", ["-c", watch], { stdio: ["pipe", "ignore", "ignore"], detached: true });
  leash.unref();
  (leash.stdin as Socket).unref();
  leash.stdin.on("error", () => undefined);
  const alive = new Set<number>();
  const tell = () => leash.stdin.write(`${[...alive].join(" ")}\n`);
  subscribe("child_process", (message) => {
    const child = (message as { process: ChildProcess }).process;
    child.once("spawn", () => {
      const target = targetOf(child);
      if (target === 0) return;
      alive.add(target);
      tell();
      child.once("exit", () => {
        alive.delete(target);
        tell();
      });
    });
  });
}
