// Everything the simulated Wise remembers, as plain data, with its clock and its source of ids.

export const VERSION = "2026Q3";
export const DAY_MS = 86_400_000;
export const QUOTE_LIVES_MS = 30 * 60_000;
export const UNFUNDED_LIVES_MS = 14 * DAY_MS;

/** Amounts are kept in thousandths of the major unit, so that every currency's decimals are whole numbers. */
export const DEFAULT_AVAILABLE = 100_000_000_000;
export const milsOf = (amount: number): number => Math.round(amount * 1000);
export const unitsOf = (mils: number): number => mils / 1000;

export type ProfileRecord = {
  id: number;
  user: number;
  type: "BUSINESS" | "PERSONAL";
  name: string;
  /** Where it is registered: only some countries let a token pay for transfers. */
  country: string;
  tokens: string[];
  available: Record<string, number>;
};

export type QuoteRecord = {
  id: string;
  profile: number;
  source_currency: string;
  target_currency: string;
  /** All that leaves, the fee in it. */
  source: number;
  fee: number;
  rate: number;
  target: number;
  provided: "SOURCE" | "TARGET";
  target_account: number | null;
  created_at: number;
  transfer: number | null;
};

export type RecipientRecord = {
  id: number;
  profile: number;
  user: number;
  name: string;
  currency: string;
  type: string;
  details: Record<string, unknown>;
  active: boolean;
};

export const STATUSES = [
  "incoming_payment_waiting",
  "incoming_payment_initiated",
  "processing",
  "waiting_recipient_input_to_proceed",
  "funds_converted",
  "outgoing_payment_sent",
  "bounced_back",
  "cancelled",
  "funds_refunded",
  "charged_back",
  "unknown",
] as const;
export type Status = (typeof STATUSES)[number];

export type PaymentRecord = { id: number; method: string; amount: number; currency: string; at: number };

export type TransferRecord = {
  id: number;
  profile: number;
  user: number;
  recipient: number;
  quote: string;
  customer_transaction_id: string;
  reference: string;
  status: Status;
  created_at: number;
  changed_at: number;
  /** What left the balance for it; the fee is in it. */
  payments: PaymentRecord[];
  refunded: boolean;
  /** Every status that it has had, oldest first. */
  course: Status[];
  /** Epoch milliseconds from which the list shows it. */
  listed_from: number;
};

export type EventRecord = {
  id: string;
  type: string;
  profile: number;
  at: number;
  data: object;
};

export type Rejection = { status: number; error_code: string };

export type WorldData = {
  made: number;
  profiles: Record<string, ProfileRecord>;
  revoked: string[];
  quotes: Record<string, QuoteRecord>;
  recipients: Record<string, RecipientRecord>;
  transfers: Record<string, TransferRecord>;
  events: Record<string, EventRecord>;
  requests: Record<string, number>;
  /** How a funding that the balance does not cover is answered: Wise's pages show two ways. */
  rejection: Rejection;
  /** Whether a repeated creation is still answered with its transfer after the quote has expired: Wise does not say. */
  repeats_after_expiry: boolean;
  /** The largest page of the list of transfers. */
  page_max: number;
  signing: { private_key: JsonWebKey; public_pem: string } | null;
};

const emptyWorld = (): WorldData => ({
  made: 0,
  profiles: {},
  revoked: [],
  quotes: {},
  recipients: {},
  transfers: {},
  events: {},
  requests: {},
  rejection: { status: 201, error_code: "transfer.insufficient_funds" },
  repeats_after_expiry: true,
  page_max: 100,
  signing: null,
});

const FIRST = { profile: 30_000_000, recipient: 40_000_000, transfer: 50_000_000, payment: 60_000_000 };

export class World {
  readonly now: () => number;
  readonly random: () => number;
  data: WorldData;

  constructor(now: () => number, random: () => number) {
    this.now = now;
    this.random = random;
    this.data = emptyWorld();
  }

  reset(): void {
    this.data = emptyWorld();
  }

  newId(of: keyof typeof FIRST): number {
    this.data.made += 1;
    return FIRST[of] + this.data.made;
  }

  /** The counter keeps UUIDs apart even when the injected random repeats itself. */
  newUuid(): string {
    this.data.made += 1;
    const digits = (length: number) =>
      Array.from({ length }, () => Math.floor(this.random() * 16).toString(16)).join("");
    const counter = this.data.made.toString(16).padStart(8, "0");
    return `${counter}-${digits(4)}-4${digits(3)}-8${digits(3)}-${digits(12)}`;
  }

  profile(id: number): ProfileRecord {
    const found = this.data.profiles[id];
    if (found === undefined) throw new RangeError(`no profile ${id}`);
    return found;
  }

  profilesOf(token: string): ProfileRecord[] {
    if (this.data.revoked.includes(token)) return [];
    return Object.values(this.data.profiles).filter((profile) => profile.tokens.includes(token));
  }

  quote(id: string): QuoteRecord {
    const found = this.data.quotes[id];
    if (found === undefined) throw new Error(`no quote ${id}`);
    return found;
  }

  transfer(id: number): TransferRecord {
    const found = this.data.transfers[id];
    if (found === undefined) throw new RangeError(`no transfer ${id}`);
    return found;
  }

  available(profile: ProfileRecord, currency: string): number {
    return profile.available[currency] ?? DEFAULT_AVAILABLE;
  }

  move(profile: ProfileRecord, currency: string, mils: number): void {
    profile.available[currency] = this.available(profile, currency) + mils;
  }
}

/** One request to the API after its token, path and body have been read. */
export type Call = {
  route: string;
  ids: string[];
  query: URLSearchParams;
  body: Record<string, unknown>;
  /** The profiles of the token. */
  profiles: ProfileRecord[];
};

export type Made = { status?: number; value: unknown };

export type Handler = (call: Call, world: World) => Made;

export const instant = (ms: number): string => new Date(ms).toISOString();
