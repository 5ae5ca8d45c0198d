// Canaries: words that stand nowhere else, planted in whatever may hold something private, and everything that is listened to for them.
import { exports } from "cloudflare:workers";
import { vi } from "vitest";
import { seams } from "./seams.ts";
import { readTables } from "./tables.ts";
import { type Sink, withWebhooks } from "./webhook-world.ts";
import { bindings, openWorld } from "./world.ts";

const self = (exports as unknown as { default: Fetcher }).default;

export const KINDS = [
  "person",
  "email",
  "bank",
  "tax",
  "note",
  "metadata",
  "secret",
  "header",
  "provider",
] as const;
export type Kind = (typeof KINDS)[number];

interface Canary {
  readonly kind: Kind;
  readonly label: string;
  /** In lower case. */
  readonly word: string;
}

export interface Heard {
  readonly request: string;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export interface Trap {
  /** A new word in its shape; every word is planted once. */
  plant(kind: Kind, label: string, shape?: (word: string) => string): string;
  /** Listens for a text that the program made itself. */
  watch(kind: Kind, label: string, text: string): void;
  /** The canaries of these kinds in a text, by what they were planted as. */
  found(text: string, kinds?: readonly Kind[]): string[];
  readonly planted: readonly Canary[];
}

let words = 0;

export const makeTrap = (): Trap => {
  const planted: Canary[] = [];
  return {
    planted,
    plant(kind, label, shape = (word) => word) {
      const word = `cnry${++words}q`;
      planted.push({ kind, label, word });
      return shape(word);
    },
    watch(kind, label, text) {
      planted.push({ kind, label, word: text.toLowerCase() });
    },
    found(text, kinds = KINDS) {
      const lower = text.toLowerCase();
      return planted
        .filter(({ kind, word }) => kinds.includes(kind) && lower.includes(word))
        .map(({ kind, label }) => `${kind}: ${label}`);
    },
  };
};

/** A German account number of its own; what is looked for are its 18 digits. */
export const plantIban = (trap: Trap, label: string): string => {
  const bban = `37040044${String(9_000_000_000 + ++words)}`;
  trap.watch("bank", label, bban);
  const check = 98n - (BigInt(`${bban}131400`) % 97n);
  return `DE${String(check).padStart(2, "0")}${bban}`;
};

/** What the caller's client says of itself and of the request. */
export const plantHeaders = (trap: Trap): Record<string, string> => ({
  "idempotency-key": trap.plant("header", "idempotency-key"),
  "user-agent": trap.plant("header", "user-agent", (word) => `agent/${word}`),
  cookie: trap.plant("header", "cookie", (word) => `session=${word}`),
  referer: trap.plant("header", "referer", (word) => `https://example.com/${word}`),
  "x-forwarded-for": trap.plant("header", "x-forwarded-for"),
  // Not of the shape of a request id, so another one is made.
  "x-request-id": trap.plant("header", "x-request-id", (word) => `no id: ${word}`),
});

export interface Trapped extends ReturnType<typeof withWebhooks> {
  readonly trap: Trap;
  /** Lines of the log port and of the console. */
  readonly lines: string[];
  readonly heard: Heard[];
  /** What the program's subscribers were sent, headers and body. */
  sent(): string[];
  /** From now on the objects' database fails, or does not. */
  breakLedgers(isBroken: boolean): void;
  /** Asks with planted headers; what it is answered is kept. */
  ask(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Heard>;
  /** The same, and fails unless it is answered with success. */
  did<T>(method: string, path: string, body?: unknown): Promise<T>;
}

const CONSOLE = ["log", "info", "warn", "error", "debug"] as const;

const textOf = (value: unknown): string =>
  value instanceof Error
    ? `${value.message} ${value.stack}`
    : typeof value === "string"
      ? value
      : JSON.stringify(value);

/** An answer that breaks off is heard as what the platform says of it; its status is 0. */
const hear = async (request: Request): Promise<Omit<Heard, "request">> => {
  try {
    const response = await self.fetch(request);
    return { status: response.status, headers: response.headers, text: await response.text() };
  } catch (fault) {
    return { status: 0, headers: new Headers(), text: textOf(fault) };
  }
};

/** As D1 says it: a value stands between quotes. */
export const brokenBy = (trap: Trap): Error =>
  new Error(
    `D1_TYPE_ERROR: Type 'object' not supported for value '${trap.plant("note", "a value in D1's error")}'`,
  );

/** A database that answers everything with an error that quotes what it was given. */
export const broken = (trap: Trap): D1Database => {
  const reject = () => Promise.reject(brokenBy(trap));
  const statement = { bind: () => statement, run: reject, all: reject, first: reject, raw: reject };
  return { prepare: () => statement, batch: reject } as unknown as D1Database;
};

const choosing = (whole: D1Database, other: D1Database, isOther: () => boolean): D1Database =>
  new Proxy(whole, {
    get: (_target, name) => {
      const db = isOther() ? other : whole;
      return Reflect.get(db, name).bind(db);
    },
  });

export const openTrapped = async (): Promise<Trapped> => {
  const world = withWebhooks(await openWorld({ destination_cooldown_hours: 0 }));
  const trap = makeTrap();
  const lines: string[] = [];
  const heard: Heard[] = [];
  for (const name of CONSOLE)
    vi.spyOn(console, name).mockImplementation((...values: unknown[]) => {
      lines.push(`console: ${values.map(textOf).join(" ")}`);
    });
  let isBroken = false;
  const [plain, ledger] = [seams.ports, seams.ledger];
  seams.ledger = (ports) => {
    const made = ledger(ports);
    return { ...made, db: choosing(made.db, broken(trap), () => isBroken) };
  };
  seams.ports = (ports) => ({ ...plain(ports), log: (line) => void lines.push(JSON.stringify(line)) });
  trap.watch("secret", "the program's key", world.program.key);
  trap.watch("secret", "the root key", bindings.ROOT_KEY);
  const ask: Trapped["ask"] = async (method, path, body, headers = {}) => {
    const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
    const request = new Request(`http://stipend.test${path}`, {
      method,
      redirect: "manual",
      headers: {
        authorization: `Bearer ${world.program.key}`,
        ...(text === undefined ? {} : { "content-type": "application/json" }),
        ...plantHeaders(trap),
        ...headers,
      },
      ...(text === undefined ? {} : { body: text }),
    });
    const one = { request: `${method} ${path}`, ...(await hear(request)) };
    heard.push(one);
    return one;
  };
  const sinks: Sink[] = [];
  return {
    ...world,
    ...{ trap, lines, heard, ask },
    breakLedgers(now) {
      isBroken = now;
    },
    sink(host) {
      const sink = world.sink(host);
      sinks.push(sink);
      return sink;
    },
    sent: () => sinks.flatMap(({ got }) => got.map(({ headers, body }) => JSON.stringify([headers, body]))),
    async did<T>(method: string, path: string, body?: unknown): Promise<T> {
      const { status, text } = await ask(method, path, body);
      if (status >= 300) throw new Error(`${method} ${path} → ${status} ${text}`);
      return (text === "" ? undefined : JSON.parse(text)) as T;
    },
  };
};

/** Which canaries stand in the clear in which tables. */
export const inTables = async (
  { trap }: Trapped,
  kinds: readonly Kind[],
): Promise<Record<string, readonly string[]>> =>
  Object.fromEntries(
    Object.entries(await readTables())
      .map(([table, rows]) => [table, [...new Set(trap.found(rows, kinds))]] as const)
      .filter(([, found]) => found.length > 0),
  );
