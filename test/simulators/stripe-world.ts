// Everything the simulated Stripe remembers, as plain data, with its clock and its source of ids.

import type { Params } from "./stripe-form.ts";

export const API_VERSION = "2026-10-28.endive";
export const DEFAULT_AVAILABLE = 10_000_000_000;

/** One request to the API, as plain data so that work under way survives a restart. */
export type Call = {
  method: string;
  path: string;
  /** The route's template, as `/v1/transfers/{id}`. */
  route: string;
  ids: string[];
  params: Params;
  platform: string;
  livemode: boolean;
  /** The connected account that the Stripe-Account header names. */
  onAccount: string | null;
  key: string | null;
  requestId: string;
  origin: string;
};

/** Checks a call's parameters and hands back its work; a failure in the check is remembered under no key. */
export type Handler = (call: Call, world: World) => () => object;

export type Platform = {
  ref: string;
  id: string;
  livemode: boolean;
  available: Record<string, number>;
  /** US when left out. */
  country?: string;
  /** Whether Stripe approved accounts that are only sent money; sandboxes ask for no approval, so it did when left out. */
  approved?: boolean;
};

export type Capability = {
  requested: boolean;
  requested_at: number | null;
  status: "active" | "inactive" | "pending";
};

export type AccountRecord = {
  id: string;
  /** The platform that made it; null when seeded for all. */
  platform: string | null;
  country: string;
  /** Currencies it can receive; null means every one. */
  currencies: string[] | null;
  default_currency: string;
  email: string | null;
  business_type: string | null;
  capabilities: Record<string, Capability>;
  controller: {
    fees: string;
    losses: string;
    requirement_collection: string;
    dashboard: string;
  } | null;
  type: string;
  created: number;
  details_submitted: boolean;
  payouts_enabled: boolean;
  currently_due: string[];
  past_due: string[];
  disabled_reason: string | null;
  service_agreement: string | null;
  tos_date: number | null;
  metadata: Record<string, string>;
  closed: boolean;
  /** The platform may not see it any more. */
  deauthorized?: boolean;
  available: Record<string, number>;
};

export type ReversalRecord = {
  id: string;
  amount: number;
  created: number;
  metadata: Record<string, string>;
  balance_transaction: string;
  destination_payment_refund: string;
};

export type TransferRecord = {
  id: string;
  platform: string;
  livemode: boolean;
  amount: number;
  currency: string;
  destination: string;
  description: string | null;
  metadata: Record<string, string>;
  transfer_group: string | null;
  source_type: string;
  created: number;
  balance_transaction: string;
  destination_payment: string;
  reversals: ReversalRecord[];
  /** Epoch milliseconds from which the list shows it. */
  listed_from: number;
};

export type TransactionRecord = {
  id: string;
  /** A platform's ref or a connected account's id. */
  holder: string;
  amount: number;
  currency: string;
  created: number;
  description: string | null;
  source: string;
  type: string;
};

export type PayoutRecord = {
  id: string;
  account: string;
  livemode: boolean;
  amount: number;
  currency: string;
  created: number;
  status: string;
  balance_transaction: string;
};

export type EventRecord = {
  id: string;
  /** Null when its account was seeded for all platforms. */
  platform: string | null;
  account: string | null;
  type: string;
  created: number;
  api_version: string;
  livemode: boolean;
  object: object;
  previous: object | null;
  request: { id: string | null; idempotency_key: string | null };
};

export type LinkRecord = {
  token: string;
  account: string;
  expires_at: number;
  return_url: string;
  refresh_url: string;
};

export type KeyRecord = {
  path: string;
  params: string;
  created: number;
  /** Null while its first request runs. */
  answer: { status: number; body: string; request: string } | null;
};

export type WorldData = {
  made: number;
  platforms: Record<string, Platform>;
  available: Record<string, number>;
  revoked: string[];
  accounts: Record<string, AccountRecord>;
  transfers: Record<string, TransferRecord>;
  transactions: Record<string, TransactionRecord>;
  payouts: Record<string, PayoutRecord>;
  events: Record<string, EventRecord>;
  links: Record<string, LinkRecord>;
  keys: Record<string, KeyRecord>;
  requests: Record<string, number>;
};

const emptyWorld = (): WorldData => ({
  made: 0,
  platforms: {},
  available: {},
  revoked: [],
  accounts: {},
  transfers: {},
  transactions: {},
  payouts: {},
  events: {},
  links: {},
  keys: {},
  requests: {},
});

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const letter = (n: number): string => ALPHABET[n % ALPHABET.length] ?? "0";

/** Always the same letters and digits for the same text. */
export function lettersFrom(text: string, length: number): string {
  let state = 2166136261;
  const stir = (n: number) => {
    state = Math.imul(state ^ n, 16777619) >>> 0;
    state = (state ^ (state >>> 15)) >>> 0;
  };
  for (const char of text) stir(char.codePointAt(0) ?? 0);
  let letters = "";
  while (letters.length < length) {
    stir(letters.length + 1);
    letters += letter(state);
  }
  return letters;
}

export class World {
  readonly now: () => number;
  readonly random: () => number;
  data: WorldData;

  constructor(now: () => number, random: () => number, data: WorldData = emptyWorld()) {
    this.now = now;
    this.random = random;
    this.data = data;
  }

  reset(): void {
    this.data = emptyWorld();
  }

  seconds(): number {
    return Math.floor(this.now() / 1000);
  }

  /** The counter keeps ids apart and in order even when the injected random repeats itself. */
  newId(prefix: string, length = 24): string {
    this.data.made += 1;
    let counter = "";
    for (let rest = this.data.made; counter.length < 5; rest = Math.floor(rest / ALPHABET.length)) {
      counter = letter(rest) + counter;
    }
    let id = `1S${counter}`;
    while (id.length < length) id += letter(Math.floor(this.random() * ALPHABET.length));
    return `${prefix}_${id}`;
  }

  /** The platform account of this name and mode, made when it is first met. */
  platform(name: string, livemode: boolean): Platform {
    const ref = `${livemode ? "live" : "test"}:${name}`;
    const known = this.data.platforms[ref];
    if (known !== undefined) return known;
    const made = { ref, id: `acct_${lettersFrom(name, 16)}`, livemode, available: {} };
    this.data.platforms[ref] = made;
    return made;
  }

  platformOf(call: Call): Platform {
    const found = this.data.platforms[call.platform];
    if (found === undefined) throw new Error("a call without a platform");
    return found;
  }

  /** A connected account that this platform may name. */
  account(id: string, platform: string): AccountRecord | null {
    const found = this.data.accounts[id];
    if (found === undefined || found.deauthorized === true) return null;
    return found.platform === null || found.platform === platform ? found : null;
  }
}
