// A fresh program for one test, spoken to over HTTP, with a Stripe simulator behind it, a clock to set and hints to deliver by hand.

import {
  createExecutionContext,
  createMessageBatch,
  getQueueResult,
  waitOnExecutionContext,
} from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import type { Env } from "../../src/compose.ts";
import type { Hint } from "../../src/context.ts";
import { StripeSimulator } from "../simulators/stripe.ts";
import worker from "./entry.ts";
import { resetSeams, seams } from "./seams.ts";

export const bindings = env as unknown as Env;

const self = (exports as unknown as { default: Fetcher }).default;

/** 1 November 2026, noon UTC. */
export const NOON = Date.UTC(2026, 10, 1, 12);

export interface Answer<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

type Json = Record<string, unknown>;

/** What tests read of a problem or an object without a type of its own. */
export type Loose = Json & { readonly id: string; readonly code?: string; readonly status: string & number };

export interface Program {
  readonly id: string;
  readonly key: string;
}

let serial = 0;
export const unique = (prefix: string): string => `${prefix}-${++serial}`;

export interface World {
  readonly program: Program;
  readonly stripe: StripeSimulator;
  /** Hints that were sent and not delivered yet, in order. */
  readonly hints: Hint[];
  now(): number;
  setNow(ms: number): void;
  advance(ms: number): void;
  call<T = Loose>(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer<T>>;
  /** Calls, and fails the test unless the status is one of the expected. */
  ok<T = Loose>(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<T>;
  /** Delivers one message of each waiting hint; true where any was waiting. */
  deliver(): Promise<boolean>;
  cron(): Promise<void>;
  /** Delivers and ticks, moving the clock on by a second a round, until nothing waits or the rounds are over. */
  drain(rounds?: number): Promise<void>;
  affiliate(overrides?: Json): Promise<string>;
  /** An affiliate whose payout method is a ready Stripe account. */
  stripeAffiliate(overrides?: Json): Promise<{ id: string; account: string }>;
  /** Gives an affiliate a ready Stripe account; answers its id. */
  useStripe(affiliateId: string): Promise<string>;
  sale(affiliateId: string, amount: number, more?: Json): Promise<Loose>;
  generate(more?: Json): Promise<{ run_id: string; payouts: Loose[]; skipped: Loose[] }>;
  verify(): Promise<{ ok: boolean; findings: unknown[] }>;
}

const call = async <T>(
  key: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer<T>> => {
  const response = await self.fetch(`http://stipend.test${path}`, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: (text === "" ? undefined : JSON.parse(text)) as T,
  };
};

/** A batch of messages through the Worker's own consumer; what it retried stays waiting. */
export const deliverBatch = async (
  hints: readonly Hint[],
  queue = "stipend-payments",
): Promise<{ acked: number; retried: number }> => {
  const batch = createMessageBatch<Hint>(
    queue,
    hints.map((hint, i) => ({ id: `m${++serial}-${i}`, timestamp: new Date(), attempts: 1, body: hint })),
  );
  const execution = createExecutionContext();
  await worker.queue(batch, bindings, execution);
  const result = await getQueueResult(batch, execution);
  return { acked: result.explicitAcks.length, retried: result.retryMessages.length };
};

export const ROOT_KEY = bindings.ROOT_KEY;

export const openWorld = async (policy: Json = {}): Promise<World> => {
  resetSeams();
  let now = NOON;
  const hints: Hint[] = [];
  const stripe = new StripeSimulator({ now: () => now });
  seams.ports = (ports) => ({
    ...ports,
    now: () => now,
    http: (request) => stripe.fetch(request),
    hints: { send: async (hint) => void hints.push(hint) },
    // Waiting is what moves this clock; otherwise whoever waits for a moment would wait for ever.
    sleep: async (ms) => {
      now += ms;
    },
    log: () => undefined,
  });
  seams.ledger = (ports) => ({ ...ports, now: () => now, sleep: async () => undefined });
  const made = await call<{ program: Loose; api_key: { secret: string } }>(ROOT_KEY, "POST", "/v1/programs", {
    name: unique("Shop"),
    default_currency: "USD",
    hold_days: 0,
    ...policy,
  });
  if (made.status !== 201) throw new Error(`no program: ${JSON.stringify(made.body)}`);
  const program = { id: made.body.program.id, key: made.body.api_key.secret };
  const world: World = {
    program,
    stripe,
    hints,
    now: () => now,
    setNow: (ms) => {
      now = ms;
    },
    advance: (ms) => {
      now += ms;
    },
    call: (method, path, body, headers) => call(program.key, method, path, body, headers),
    async ok(method, path, body, headers) {
      const answer = await call(program.key, method, path, body, headers);
      if (answer.status >= 300)
        throw new Error(`${method} ${path} → ${answer.status} ${JSON.stringify(answer.body)}`);
      return answer.body as never;
    },
    async deliver() {
      const waiting = hints.splice(0);
      if (waiting.length === 0) return false;
      await deliverBatch(waiting);
      return true;
    },
    async cron() {
      const execution = createExecutionContext();
      await worker.scheduled(
        { cron: "* * * * *", scheduledTime: now, noRetry: () => undefined } as ScheduledController,
        bindings,
        execution,
      );
      await waitOnExecutionContext(execution);
    },
    async drain(rounds = 40) {
      for (let round = 0; round < rounds; round++) {
        now += 1_000;
        await world.cron();
        if (!(await world.deliver())) return;
      }
    },
    async affiliate(overrides = {}) {
      return (
        await world.ok("POST", "/v1/affiliates", {
          name: "Ada Lovelace",
          email: "ada@example.com",
          ...overrides,
        })
      ).id;
    },
    async useStripe(id) {
      await world.ok("PUT", "/v1/program/credentials/stripe", {
        secret_key: `sk_test_${program.id.slice(4)}_k`,
      });
      const account = String(stripe.seedAccount({}).id);
      const method = { payout_method: "stripe", stripe_account_id: account };
      await world.ok("PUT", `/v1/affiliates/${id}/payout-method`, method);
      return account;
    },
    async stripeAffiliate(overrides = {}) {
      const id = await world.affiliate(overrides);
      return { id, account: await world.useStripe(id) };
    },
    sale: (affiliateId, amount, more = {}) =>
      world.ok("POST", "/v1/commissions", {
        affiliate_id: affiliateId,
        external_id: unique("order"),
        amount,
        currency: "USD",
        occurred_at: new Date(now - 3_600_000).toISOString(),
        status: "approved",
        ...more,
      }),
    generate: (more = {}) =>
      world.ok("POST", "/v1/payouts/generate", {
        period_end: new Date(now).toISOString().slice(0, 10),
        ...more,
      }),
    verify: () => world.ok("GET", "/v1/ledger/verify"),
  };
  return world;
};
