// Puts the ports together from the bindings, and the Worker from its ports: the only place that knows every room.

import type { FuseKind, Hint, LogLine, Ports, WebhookHint } from "./context.ts";
import { ALL_DIALECTS } from "./dialects/all.ts";
import { createApp, type Execution } from "./http/app.ts";
import { mountDialects } from "./http/dialects.ts";
import type { AppPorts } from "./http/env.ts";
import { ROUTES } from "./http/routes/all.ts";
import { takeDeadLetters, takeHints } from "./jobs/queue.ts";
import { tick } from "./jobs/schedule.ts";
import { dropWebhookHints, type Look, pacedQueue, takeWebhookHints } from "./jobs/webhook-queue.ts";
import type { LedgerPorts } from "./ledger/turn.ts";
import { bankTransferRail } from "./rails/bank-transfer.ts";
import { manualRail } from "./rails/manual.ts";
import { paypalRail } from "./rails/paypal.ts";
import { accountOfPayPal } from "./rails/paypal-accounts.ts";
import { paypalInbound } from "./rails/paypal-events.ts";
import type { RailProgram } from "./rails/rail.ts";
import { storeCreditRail } from "./rails/store-credit.ts";
import { stripeRail } from "./rails/stripe.ts";
import { accountOfKey, readinessOf } from "./rails/stripe-accounts.ts";
import { stripeConnect } from "./rails/stripe-connect.ts";
import { stripeInbound } from "./rails/stripe-events.ts";
import { wiseRail } from "./rails/wise.ts";
import { accountOfWise } from "./rails/wise-accounts.ts";
import { wiseInbound } from "./rails/wise-events.ts";
import { findKey, touchKey } from "./store/access.ts";
import { type Provider, secretsOf } from "./store/credentials.ts";
import { makeVault } from "./store/vault.ts";

/** What wrangler's configuration binds, and the secrets. */
export interface Env {
  readonly DB: D1Database;
  readonly AFFILIATE_LEDGER: DurableObjectNamespace;
  readonly PAYMENTS: Queue<Hint>;
  readonly WEBHOOKS: Queue<WebhookHint>;
  readonly WEBHOOKS_SLOW: Queue<WebhookHint>;
  /** Absent where the platform has none. */
  readonly KEY_FUSE?: RateLimit;
  readonly ADDRESS_FUSE?: RateLimit;
  readonly ASSETS: Fetcher;
  readonly ROOT_KEY: string;
  /** One pepper, or `version:pepper,…` with the current one first. */
  readonly KEY_PEPPER: string;
  readonly CURSOR_KEY: string;
  /** One key of 32 bytes in base64, or `id:key,…` with the current one first. */
  readonly MASTER_KEY: string;
  readonly PUBLIC_URL: string;
  readonly STRIPE_API_BASE: string;
  /** Empty: PayPal's own address for the program's mode; anything else is used for test programs only. */
  readonly PAYPAL_API_BASE: string;
  /** `year:cents,…`: the 1099-NEC thresholds that are not built in. */
  readonly NEC_THRESHOLDS: string;
  /** Empty: Wise's own address for the program's mode; anything else is used for test programs only. */
  readonly WISE_API_BASE: string;
  /** A resolver of DNS over HTTPS (JSON); absent or empty: webhook addresses are judged as text alone. */
  readonly DOH_URL?: string;
  /** "true" where test programs may have webhooks on this machine itself. */
  readonly DEVELOPMENT?: string;
}

/** `id:value,id:value`, or one value whose id is the default. */
const namedValues = (text: string, defaultId: string): { id: string; value: string }[] =>
  text.split(",").map((part) => {
    const [id, value] = part.includes(":")
      ? [part.slice(0, part.indexOf(":")), part.slice(part.indexOf(":") + 1)]
      : [defaultId, part];
    if (value === "") throw new Error("a secret is empty: see the configuration table in the README");
    return { id, value };
  });

const randomBytes = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length));
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const log = (line: LogLine): void => console.log(JSON.stringify(line));

const hintQueue = (queue: Queue<Hint>): Ports["hints"] => ({
  async send(hint, delayS = 0) {
    await queue.send(hint, delayS > 0 ? { delaySeconds: delayS } : {});
  },
});

type ProviderPort =
  | "rails"
  | "stripeAccounts"
  | "stripeConnect"
  | "paypalAccounts"
  | "wiseAccounts"
  | "inbound";
export type PlatformPorts = Omit<AppPorts, ProviderPort>;

const FUSE_OF: Readonly<Record<FuseKind, (env: Env) => RateLimit | undefined>> = {
  key: (env) => env.KEY_FUSE,
  address: (env) => env.ADDRESS_FUSE,
};

/** `2027:210000,2028:220000`: cents by year. */
const necThresholdsIn = (text: string): Record<number, number> =>
  Object.fromEntries(
    text === ""
      ? []
      : text.split(",").map((part) => {
          const match = /^(\d{4}):(\d{1,12})$/.exec(part.trim());
          if (match === null) throw new Error("NEC_THRESHOLDS is not year:cents,…: see the README");
          return [Number(match[1]), Number(match[2])];
        }),
  );

/** The ports that touch nothing but the platform; tests put theirs over them. */
export const platformPorts = (env: Env, execution: Execution | undefined): PlatformPorts => ({
  now: () => Date.now(),
  random: randomBytes,
  db: env.DB,
  ledgerOf: (programId, affiliateId) =>
    env.AFFILIATE_LEDGER.getByName(`${programId}:${affiliateId}`) as unknown as ReturnType<Ports["ledgerOf"]>,
  hints: hintQueue(env.PAYMENTS),
  deliveries: pacedQueue({ brisk: env.WEBHOOKS, slow: env.WEBHOOKS_SLOW }, () => Date.now(), looks),
  http: (request) => fetch(request),
  vault: vaultOf(env.MASTER_KEY),
  config: {
    rootKey: env.ROOT_KEY,
    keyPeppers: Object.fromEntries(namedValues(env.KEY_PEPPER, "1").map(({ id, value }) => [id, value])),
    currentPepper: namedValues(env.KEY_PEPPER, "1")[0]?.id ?? "1",
    cursorKey: env.CURSOR_KEY,
    publicUrl: env.PUBLIC_URL,
    stripeApiBase: env.STRIPE_API_BASE,
    paypalApiBase: env.PAYPAL_API_BASE,
    wiseApiBase: env.WISE_API_BASE,
    necThresholds: necThresholdsIn(env.NEC_THRESHOLDS),
    dohUrl: env.DOH_URL ?? "",
    development: env.DEVELOPMENT === "true",
  },
  fuse: async (kind, id) => (await FUSE_OF[kind](env)?.limit({ key: id }))?.success ?? true,
  log,
  sleep,
  defer: (work) => execution?.waitUntil(work),
});

const looks = new Map<string, Look>();

const vaults = new Map<string, Ports["vault"]>();

/** Importing a master key is work; one vault per isolate and key is enough. */
const vaultOf = (masterKey: string): Ports["vault"] => {
  const known = vaults.get(masterKey);
  if (known !== undefined) return known;
  const made = makeVault(
    namedValues(masterKey, "1").map(({ id, value }) => ({ id, base64: value })),
    randomBytes,
  );
  vaults.set(masterKey, made);
  return made;
};

/** Rails are made over the other ports, so that a fault put into one of those reaches them too. */
export const withRails = (ports: PlatformPorts): AppPorts => {
  const secretOf =
    <P extends Provider>(provider: P) =>
    (program: RailProgram) =>
      secretsOf(ports.db, ports.vault, program.id, provider);
  const { http, now, config } = ports;
  const stripe = { http, now, apiBase: config.stripeApiBase, secretOf: secretOf("stripe") };
  const paypal = { http, now, apiBase: config.paypalApiBase, secretOf: secretOf("paypal") };
  const wise = { http, now, apiBase: config.wiseApiBase, secretOf: secretOf("wise") };
  return {
    ...ports,
    stripeAccounts: {
      accountOfKey: (secretKey) => accountOfKey(stripe, secretKey),
      readinessOf: (secretKey, accountId) => readinessOf(stripe, secretKey, accountId),
    },
    stripeConnect: stripeConnect(stripe),
    paypalAccounts: { accountOf: (program, secrets) => accountOfPayPal(paypal, program, secrets) },
    wiseAccounts: { accountOf: (program, secrets) => accountOfWise(wise, program, secrets) },
    inbound: {
      stripe: stripeInbound({ now, secretOf: stripe.secretOf }),
      paypal: paypalInbound(paypal),
      wise: wiseInbound(wise),
    },
    rails: {
      stripe: stripeRail(stripe),
      paypal: paypalRail(paypal),
      wise: wiseRail(wise),
      bank_transfer: bankTransferRail,
      store_credit: storeCreditRail,
      manual: manualRail,
    },
  };
};

export const ledgerPorts = (env: Env): LedgerPorts => ({ db: env.DB, now: () => Date.now(), sleep });

/** The queue of dead letters is named like its queue, with this behind it. */
const DEAD = "-dead";
const WEBHOOKS_QUEUE = "stipend-webhooks";

const takeBatch = (ports: AppPorts, batch: MessageBatch<Hint | WebhookHint>): Promise<void> => {
  const isDead = batch.queue.endsWith(DEAD);
  if (batch.queue.startsWith(WEBHOOKS_QUEUE))
    return (isDead ? dropWebhookHints : takeWebhookHints)(ports, batch as MessageBatch<WebhookHint>);
  return (isDead ? takeDeadLetters : takeHints)(ports, batch as MessageBatch<Hint>);
};

export const makeWorker = <Bindings extends Env>(
  portsOf: (env: Bindings, execution: Execution | undefined) => AppPorts,
) => {
  const app = createApp<Bindings>({ portsOf, keys: { findKey, touchKey } }, [
    mountDialects(ALL_DIALECTS),
    ...ROUTES,
  ]);
  return {
    fetch: (request: Request, env: Bindings, execution: ExecutionContext): Response | Promise<Response> =>
      app.fetch(request, env, execution),
    queue: (
      batch: MessageBatch<Hint | WebhookHint>,
      env: Bindings,
      execution: ExecutionContext,
    ): Promise<void> => takeBatch(portsOf(env, execution), batch),
    scheduled: (
      _controller: ScheduledController,
      env: Bindings,
      execution: ExecutionContext,
    ): Promise<void> => tick(portsOf(env, execution)),
  };
};
