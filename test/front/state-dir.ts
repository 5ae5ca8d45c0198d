// What a state directory remembers between starts besides the database: secrets, the demo program's key, the simulators' ports, and who holds it.
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface Secrets {
  readonly ROOT_KEY: string;
  readonly KEY_PEPPER: string;
  readonly CURSOR_KEY: string;
  readonly MASTER_KEY: string;
}

export interface Remembered extends Secrets {
  readonly demo?: { readonly program_id: string; readonly api_key: string };
  /** Stripe's. */
  readonly simulator_port?: number;
  readonly paypal_simulator_port?: number;
  readonly wise_simulator_port?: number;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

function read(stateDir: string): Partial<Remembered> {
  try {
    return JSON.parse(readFileSync(join(stateDir, "secrets.json"), "utf8"));
  } catch (error) {
    if (isMissing(error)) return {};
    throw new Error(`${join(stateDir, "secrets.json")} cannot be read: ${String(error)}`);
  }
}

/** A rename is atomic, so a kill in the middle leaves the old file whole. */
export function remember(stateDir: string, change: Partial<Remembered>): void {
  const draft = join(stateDir, `.secrets.${process.pid}.json`);
  writeFileSync(draft, `${JSON.stringify({ ...read(stateDir), ...change }, null, 2)}\n`, { mode: 0o600 });
  renameSync(draft, join(stateDir, "secrets.json"));
}

/** Makes on the first start what every later start must find again. */
export function recall(stateDir: string): Remembered {
  mkdirSync(stateDir, { recursive: true });
  const kept = read(stateDir);
  const remembered = {
    ...kept,
    ROOT_KEY: kept.ROOT_KEY ?? `stp_root_${randomBytes(32).toString("hex")}`,
    KEY_PEPPER: kept.KEY_PEPPER ?? randomBytes(32).toString("base64"),
    CURSOR_KEY: kept.CURSOR_KEY ?? randomBytes(32).toString("base64"),
    MASTER_KEY: kept.MASTER_KEY ?? randomBytes(32).toString("base64"),
  };
  remember(stateDir, remembered);
  return remembered;
}

function commandOf(pid: number): string {
  try {
    process.kill(pid, 0);
    return existsSync("/proc/self/cmdline")
      ? readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")
      : execFileSync("ps", ["-o", "args=", "-p", String(pid)], { encoding: "utf8" });
  } catch {
    return "";
  }
}

/** Two runtimes on the same files would be two books, so a directory has one holder; a killed holder's mark is stale and gives way. */
export function holdStateDir(stateDir: string): () => void {
  const mark = join(stateDir, "holder");
  let holder = 0;
  try {
    holder = Number(readFileSync(mark, "utf8"));
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  if (holder > 0 && holder !== process.pid && /front\/|vitest/.test(commandOf(holder))) {
    throw new Error(
      `${stateDir} is in use by process ${holder}: stop it, or give this one another STATE_DIR`,
    );
  }
  mkdirSync(stateDir, { recursive: true });
  writeFileSync(mark, String(process.pid));
  return () => rmSync(mark, { force: true });
}
