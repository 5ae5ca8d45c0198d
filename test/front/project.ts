// Where the project lies, and the one way to run its own wrangler: offline, without questions, with this very Node.
import { spawn } from "node:child_process";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const projectRoot = fileURLToPath(new URL("../../", import.meta.url));
/** wrangler is 15 MB of script, and a third of what it takes is reading it. */
export const compileCache = join(projectRoot, ".wrangler/compile-cache");
export const wranglerConfig = join(projectRoot, "wrangler.toml");

// The banner asks the npm registry for a newer version, so hiding it is what keeps wrangler off the network.
function wranglerEnv(): NodeJS.ProcessEnv {
  return {
    ...process.env,
    PATH: [dirname(process.execPath), join(projectRoot, "node_modules/.bin"), process.env.PATH].join(
      delimiter,
    ),
    CI: "1",
    NODE_COMPILE_CACHE: compileCache,
    NO_COLOR: "1",
    FORCE_COLOR: "0",
    WRANGLER_HIDE_BANNER: "true",
    WRANGLER_SEND_METRICS: "false",
    WRANGLER_WRITE_LOGS: "false",
  };
}

/** Resolves with what wrangler printed; rejects with the same text when it fails or is stopped. It gets a process group of its own, so that what it starts can be stopped with it. */
export function runWrangler(args: readonly string[], signal?: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const command = join(projectRoot, "node_modules/wrangler/wrangler-dist/cli.js");
    const child = spawn(process.execPath, ["--no-warnings", command, ...args, "--config", wranglerConfig], {
      cwd: projectRoot,
      env: wranglerEnv(),
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    const abort = () => child.pid !== undefined && process.kill(-child.pid, "SIGKILL");
    signal?.addEventListener("abort", abort);
    let printed = "";
    const keep = (chunk: Buffer) => {
      printed += chunk.toString();
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.on("error", reject);
    child.on("close", (code) => {
      signal?.removeEventListener("abort", abort);
      if (code === 0) resolve(printed);
      else reject(new Error(`wrangler ${args.join(" ")} ended with ${code}:\n${printed}`));
    });
  });
}
