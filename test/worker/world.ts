// A fresh program for one test, spoken to over HTTP, with simulated providers behind it, a clock to set and hints to deliver by hand.

import {
  createExecutionContext,
  createMessageBatch,
  getQueueResult,
  waitOnExecutionContext,
} from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import type { Env } from "../../src/compose.ts";
import type { Hint, WebhookHint } from "../../src/context.ts";
import { PayPalSimulator } from "../simulators/paypal.ts";
import { StripeSimulator } from "../simulators/stripe.ts";
import { WiseSimulator } from "../simulators/wise.ts";
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
  readonly paypal: PayPalSimulator;
  /** Paid transfers go nowhere before a test moves them on. */
  readonly wise: WiseSimulator;
  /** Of this program alone: what other tests left under way is not paid for from its balance. */
  readonly wiseProfile: number;
  /** Hints that were sent and not delivered yet, in order. */
  readonly hints: Hint[];
  /** The same of webhooks; a test of theirs delivers them. */
  readonly webhookHints: WebhookHint[];
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
  /** Gives an affiliate a PayPal address; answers it. */
  usePayPal(affiliateId: string): Promise<string>;
  /** Gives an affiliate a Wise address in euros; answers it. */
  useWise(affiliateId: string): Promise<string>;
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
  const isJson = /json/.test(response.headers.get("content-type") ?? "json");
  return {
    status: response.status,
    headers: response.headers,
    // Files and pages are read as the text that they are.
    body: (text === "" ? undefined : isJson ? JSON.parse(text) : text) as T,
  };
};

/** A batch of messages through the Worker's own consumer; what it retried stays waiting. */
export const deliverBatch = async (
  hints: readonly (Hint | WebhookHint)[],
  queue = "stipend-payments",
): Promise<{ acked: number; retried: number }> => {
  const batch = createMessageBatch<Hint | WebhookHint>(
    queue,
    hints.map((hint, i) => ({ id: `m${++serial}-${i}`, timestamp: new Date(), attempts: 1, body: hint })),
  );
  const execution = createExecutionContext();
  await worker.queue(batch, bindings, execution);
  const result = await getQueueResult(batch, execution);
  return { acked: result.explicitAcks.length, retried: result.retryMessages.length };
};

export const ROOT_KEY = bindings.ROOT_KEY;

/** What PayPal calls the webhook that a program is subscribed with. */
export const PAYPAL_WEBHOOK_ID = "4JH86294D6297924G";

interface Providers {
  readonly stripe: StripeSimulator;
  readonly paypal: PayPalSimulator;
  readonly wise: WiseSimulator;
}

/** Each provider stands where a test program looks for it, and nothing else can be reached. */
const askProviders = (providers: Providers, request: Request): Promise<Response> => {
  const { hostname } = new URL(request.url);
  if (hostname === new URL(bindings.STRIPE_API_BASE).hostname) return providers.stripe.fetch(request);
  if (hostname === "api-m.sandbox.paypal.com") return providers.paypal.fetch(request);
  if (hostname === "api.wise-sandbox.com") return providers.wise.fetch(request);
  return Promise.reject(new TypeError(`nothing answers at ${hostname}`));
};

export const openWorld = async (policy: Json = {}): Promise<World> => {
  resetSeams();
  let now = NOON;
  const hints: Hint[] = [];
  const webhookHints: WebhookHint[] = [];
  const clock = { now: () => now };
  const stripe = new StripeSimulator(clock);
  const paypal = new PayPalSimulator(clock);
  const wise = new WiseSimulator(clock);
  const shop = ++serial;
  seams.ports = (ports) => ({
    ...ports,
    now: () => now,
    http: (request) => askProviders({ stripe, paypal, wise }, request),
    hints: { send: async (hint) => void hints.push(hint) },
    deliveries: { send: async (hint) => void webhookHints.push(hint) },
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
    paypal,
    wise,
    wiseProfile: 30_000_000 + shop,
    hints,
    webhookHints,
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
    async usePayPal(id) {
      await world.ok("PUT", "/v1/program/credentials/paypal", {
        client_id: `app-${program.id}`,
        client_secret: "s3cret",
        webhook_id: PAYPAL_WEBHOOK_ID,
      });
      const email = `${unique("payee")}@example.com`;
      const method = { payout_method: "paypal", paypal_email: email };
      await world.ok("PUT", `/v1/affiliates/${id}/payout-method`, method);
      return email;
    },
    async useWise(id) {
      const token = `wise-token-of-shop-${shop}`;
      wise.seedProfile({ token, id: world.wiseProfile });
      await world.ok("PUT", "/v1/program/credentials/wise", {
        api_token: token,
        profile_id: String(world.wiseProfile),
        webhook_public_key: await wise.publicKeyPem(),
      });
      const email = `${unique("payee")}@example.com`;
      const method = { payout_method: "wise", wise_email: email, currency: "EUR" };
      await world.ok("PUT", `/v1/affiliates/${id}/payout-method`, method);
      return email;
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
