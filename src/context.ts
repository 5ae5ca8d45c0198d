// Everything an operation may touch: each way out of the process is a port, so that a test can put a fault into any of them.
import type { PayPalSecrets, WiseSecrets } from "./domain/credentials.ts";
import type { Actor } from "./domain/events.ts";
import type { AffiliateId, PayoutId, ProgramId, RunId } from "./domain/ids.ts";
import type { TurnAnswer, TurnRequest } from "./domain/ledger/book.ts";
import type { PayoutMethod } from "./domain/payout.ts";
import type { Policy } from "./domain/policy.ts";
import type { Refusal } from "./domain/refusals.ts";
import type { EndpointId } from "./domain/webhooks/endpoint.ts";
import type { InboundSource, PayoutRail, RailProgram } from "./rails/rail.ts";

/** A message is a hint: what must happen stands in D1, and the sweeper sends the hint again. */
export type Hint =
  | {
      readonly kind: "pay";
      readonly programId: ProgramId;
      readonly affiliateId: AffiliateId;
      readonly payoutId: PayoutId;
      /** The program's clock was moved: its retries are due now. */
      readonly isDue?: boolean;
    }
  | { readonly kind: "run"; readonly programId: ProgramId; readonly runId: RunId };

/** The same for webhooks: that events wait for a program's endpoints, or deliveries for an endpoint. */
export type WebhookHint =
  | { readonly kind: "fan_out"; readonly programId: ProgramId }
  | {
      readonly kind: "deliver";
      readonly programId: ProgramId;
      readonly endpointId: EndpointId;
      /** One that hangs, fails or is new waits apart from those that answer without delay. */
      readonly isBrisk: boolean;
    };

export interface DeliveryQueue {
  /** delayS: seconds before delivery, at most 43,200. */
  send(hint: WebhookHint, delayS?: number): Promise<void>;
}

export interface HintQueue {
  /** delayS: seconds before delivery, at most 43,200. */
  send(hint: Hint, delayS?: number): Promise<void>;
}

/** The affiliate's Durable Object as operations see it. */
export interface Turnstile {
  apply(request: TurnRequest): Promise<TurnAnswer>;
  /** Says whether the book still holds the last payment that this object began, and marks the call as under way. */
  leaseCall(request: {
    affiliateId: AffiliateId;
    attemptId: string;
  }): Promise<"leased" | "leased_to_look" | "busy" | "rewound" | "over">;
  /** Ends the lease: the call's outcome is written down. */
  endCall(attemptId: string): Promise<void>;
}

/** Encrypts what must be kept but not read: AES-256-GCM with key id, bound to program, table and column. */
export interface Vault {
  /** The master keys by id: the first one seals, all of them open. */
  readonly keyIds: readonly string[];
  seal(text: string, place: string): Promise<string>;
  open(sealed: string, place: string): Promise<string>;
}

/** Whom a provider takes a program's secrets for; a call throws where the provider cannot be asked. */
export interface ProviderAccounts<Secrets> {
  /** The provider's own account that the secrets belong to. */
  accountOf(program: RailProgram, secrets: Secrets): Promise<string | { readonly refusal: Refusal }>;
}

/** Providers that send messages by themselves. */
export type InboundProvider = "stripe" | "paypal" | "wise";

/** What Stripe says of its accounts; a call throws where Stripe cannot be asked. */
export interface StripeAccounts {
  /** The platform account that a secret key belongs to. */
  accountOfKey(secretKey: string): Promise<string | { readonly refusal: Refusal }>;
  readinessOf(
    secretKey: string,
    accountId: string,
  ): Promise<
    | {
        readonly ready: boolean;
        readonly missing: readonly string[];
        /** ISO 3166-1 alpha-2; null where Stripe does not say. */
        readonly country: string | null;
      }
    | { readonly refusal: Refusal }
  >;
}

export interface ConnectedAccountWish {
  readonly programId: ProgramId;
  readonly affiliateId: AffiliateId;
  /** `acct:{affiliate}:{n}`, what Stripe is told as the idempotency key. */
  readonly key: string;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  readonly email: string;
}

/** What became of asking for a connected account: only `refused` says that none was made, `denied` that Stripe was not reached with this key. */
export type AccountAnswer =
  | { readonly kind: "made"; readonly account: string }
  | { readonly kind: "refused" | "denied"; readonly refusal: Refusal }
  | { readonly kind: "busy" | "unknown" };

/** Makes connected accounts at Stripe and the links that lead to them; a call throws where Stripe cannot be asked. */
export interface StripeConnect {
  /** The bytes that ask for an account, to be kept before they are sent. */
  freezeAccount(
    secretKey: string,
    wish: ConnectedAccountWish,
  ): Promise<string | { readonly refusal: Refusal }>;
  /** Sends exactly the frozen bytes under their key. Never throws for Stripe's trouble. */
  createAccount(secretKey: string, key: string, request: string): Promise<AccountAnswer>;
  /** The account that the frozen bytes made at Stripe between two instants, epoch milliseconds; null where there is none. */
  findAccount(
    secretKey: string,
    request: string,
    made: { readonly from: number; readonly until: number },
  ): Promise<{ readonly account: string | null } | { readonly refusal: Refusal }>;
  /** A link that leads to the account's onboarding once, within minutes: a secret, never kept and never logged. */
  linkTo(
    secretKey: string,
    to: { readonly account: string; readonly refreshUrl: string; readonly returnUrl: string },
  ): Promise<{ readonly url: string } | { readonly refusal: Refusal }>;
}

/** What a flood is counted by. */
export type FuseKind = "key" | "address";

export interface LogLine {
  readonly event: string;
  readonly [field: string]: string | number | boolean | null | undefined;
}

/** A request with an idempotency key: what it creates has these, also when another request takes it up after a crash. */
export interface KeyedRequest {
  /** The id body of what is created; more bodies follow from it. */
  readonly body: string;
  /** When the key was first used; epoch milliseconds. */
  readonly at: number;
  /** 32 bytes for a secret that is created. */
  readonly secret: Uint8Array;
}

export interface Ports {
  /** Epoch milliseconds; the only clock. */
  now(): number;
  /** Random bytes; the only chance. */
  random(length: number): Uint8Array;
  readonly db: D1Database;
  ledgerOf(programId: ProgramId, affiliateId: AffiliateId): Turnstile;
  readonly hints: HintQueue;
  readonly deliveries: DeliveryQueue;
  /** All HTTP that leaves the Worker. */
  http(request: Request): Promise<Response>;
  readonly vault: Vault;
  readonly stripeAccounts: StripeAccounts;
  readonly stripeConnect: StripeConnect;
  readonly paypalAccounts: ProviderAccounts<PayPalSecrets>;
  readonly wiseAccounts: ProviderAccounts<WiseSecrets>;
  readonly inbound: Readonly<Record<InboundProvider, InboundSource>>;
  readonly config: Config;
  /** Only where the request carries a key whose answer is stored. */
  readonly keyed?: KeyedRequest;
  /** False where one key or address asks too often: approximate, per place, no guard of money. */
  fuse(kind: FuseKind, id: string): Promise<boolean>;
  log(line: LogLine): void;
  sleep(ms: number): Promise<void>;
  /** Work that may outlive the answer. */
  defer(work: Promise<unknown>): void;
}

export interface Config {
  readonly rootKey: string;
  /** By version; the current one hashes new keys. */
  readonly keyPeppers: Readonly<Record<string, string>>;
  readonly currentPepper: string;
  readonly cursorKey: string;
  readonly publicUrl: string;
  readonly stripeApiBase: string;
  /** Empty: PayPal's own address for the program's mode. */
  readonly paypalApiBase: string;
  /** What a year's payments to one payee must reach for a 1099-NEC, by year, cents of a US dollar; over what is built in. */
  readonly necThresholds: Readonly<Record<number, number>>;
  /** Empty: Wise's own address for the program's mode. */
  readonly wiseApiBase: string;
  /** A resolver that speaks DNS over HTTPS in JSON; empty: the addresses of webhooks are judged as text alone. */
  readonly dohUrl: string;
  /** Whether test programs may have webhooks on this machine itself. */
  readonly development: boolean;
}

export interface Program {
  readonly id: ProgramId;
  readonly name: string;
  readonly mode: "test" | "live";
  readonly defaultCurrency: string;
  readonly policy: Policy;
  readonly policyVersion: number;
  /** How far a test program's clock was moved forward, milliseconds. */
  readonly clockOffset: number;
  /** Whether an active webhook endpoint waits for its events; as old as the look-up of the program. */
  readonly hasEndpoints?: boolean;
  readonly createdAt: number;
}

/** What an operation gets: the ports, and on whose behalf it acts. `now` is the program's: a test program's may be ahead. */
export interface Ctx extends Ports {
  readonly program: Program;
  /** Real time, by which providers, keys, tokens and payments' retries go; epoch milliseconds. */
  realNow(): number;
  readonly actor: Actor;
  readonly requestId: string;
  readonly rails: Readonly<Partial<Record<PayoutMethod, PayoutRail>>>;
}
