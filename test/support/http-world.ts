// A small edge for tests of the edge itself: ports that touch nothing, keys in a map, a clock that is set by hand.
import type { LogLine } from "../../src/context.ts";
import { formatKey, type Mode, type Scope } from "../../src/domain/api-key.ts";
import type { KeyId, ProgramId } from "../../src/domain/ids.ts";
import { POLICY_DEFAULTS } from "../../src/domain/policy.ts";
import { createApp } from "../../src/http/app.ts";
import type { KeyRecord, KeyStore } from "../../src/http/auth.ts";
import type { AppPorts, Register, StipendApp } from "../../src/http/env.ts";
import { hashKey } from "../../src/store/key-hash.ts";

export const ROOT_KEY = "root-key-of-the-tests-0123456789abcdef";
const PEPPER = "pepper of the tests";

export interface World {
  readonly app: StipendApp;
  readonly lines: LogLine[];
  readonly keys: Map<KeyId, KeyRecord>;
  readonly clock: { now: number };
  readonly counts: { found: number; touched: number };
  readonly deferred: Promise<unknown>[];
  /** What D1 answers to the health check. */
  readonly database: { fails: Error | undefined };
  addKey(scopes: readonly Scope[], more?: Partial<KeyRecord>): Promise<string>;
}

const bodyOf = (n: number): string => `01JZ${String(n).padStart(22, "0")}`;

const databaseOf = (database: World["database"]): D1Database => {
  const first = async () => {
    if (database.fails !== undefined) throw database.fails;
    return { 1: 1 };
  };
  return { prepare: () => ({ first }) } as unknown as D1Database;
};

const unused = (): never => {
  throw new Error("not part of these tests");
};

const portsOf = (world: Pick<World, "lines" | "clock" | "deferred" | "database">): AppPorts => ({
  now: () => world.clock.now,
  random: (length) => crypto.getRandomValues(new Uint8Array(length)),
  db: databaseOf(world.database),
  ledgerOf: unused,
  hints: { send: unused },
  deliveries: { send: unused },
  http: unused,
  vault: { keyIds: [], seal: unused, open: unused },
  stripeAccounts: { accountOfKey: unused, readinessOf: unused },
  stripeConnect: { freezeAccount: unused, createAccount: unused, findAccount: unused, linkTo: unused },
  paypalAccounts: { accountOf: unused },
  wiseAccounts: { accountOf: unused },
  inbound: { stripe: { read: unused }, paypal: { read: unused }, wise: { read: unused } },
  config: {
    rootKey: ROOT_KEY,
    keyPeppers: { "1": PEPPER },
    currentPepper: "1",
    cursorKey: "cursor key of the tests",
    publicUrl: "",
    stripeApiBase: "https://api.stripe.com",
    paypalApiBase: "",
    wiseApiBase: "",
    necThresholds: {},
    dohUrl: "",
    development: false,
  },
  fuse: async () => true,
  log: (line) => world.lines.push(line),
  sleep: async () => undefined,
  defer: (work) => world.deferred.push(work),
  rails: {},
});

export const makeWorld = (register: Register = () => undefined): World => {
  const keys = new Map<KeyId, KeyRecord>();
  const counts = { found: 0, touched: 0 };
  const state = {
    lines: [],
    clock: { now: 1_790_000_000_000 },
    deferred: [],
    database: { fails: undefined },
  };
  const store: KeyStore = {
    findKey: async (_db, id) => {
      counts.found += 1;
      return keys.get(id);
    },
    touchKey: async () => {
      counts.touched += 1;
    },
  };
  const addKey = async (scopes: readonly Scope[], more: Partial<KeyRecord> = {}): Promise<string> => {
    const id: KeyId = `key_${bodyOf(keys.size + 1)}`;
    const mode: Mode = more.mode ?? "test";
    const programId: ProgramId = `prg_${bodyOf(keys.size + 500)}`;
    const text = formatKey(mode, id, crypto.getRandomValues(new Uint8Array(32)));
    const program = {
      id: programId,
      name: "Acme",
      mode,
      defaultCurrency: "EUR",
      policy: POLICY_DEFAULTS,
      policyVersion: 1,
      clockOffset: 0,
      createdAt: 0,
    };
    const hash = await hashKey(PEPPER, text);
    const standing = { expiresAt: null, revokedAt: null, dialect: null, pepperVersion: "1" };
    keys.set(id, { id, programId, name: "a key", mode, scopes, hash, program, ...standing, ...more });
    return text;
  };
  const app = createApp({ portsOf: () => portsOf(state), keys: store }, [register]);
  return { app, keys, counts, addKey, ...state };
};

export const bearer = (key: string): { authorization: string } => ({ authorization: `Bearer ${key}` });

export interface ProblemBody {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly code: string;
  readonly request_id: string;
  readonly errors: readonly { pointer: string; detail: string }[];
  readonly [fact: string]: unknown;
}

export const problemIn = async (answer: Response): Promise<ProblemBody> => {
  if (answer.headers.get("content-type") !== "application/problem+json")
    throw new Error(`not a problem: ${answer.status}`);
  return (await answer.json()) as ProblemBody;
};
