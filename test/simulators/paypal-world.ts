// Everything the simulated PayPal remembers, as plain data, with its clock and its source of ids.

export const DEFAULT_AVAILABLE = 100_000_000;
export const DAY_MS = 86_400_000;

export const PAYOUTS_SCOPE = "https://uri.paypal.com/payments/payouts";
export const WEBHOOKS_SCOPE = "https://uri.paypal.com/services/applications/webhooks";

export type Money = { currency: string; value: string };

/** A REST app; each has a PayPal account of its own. */
export type AppRecord = {
  client_id: string;
  client_secret: string;
  scopes: string[];
  revoked: boolean;
  /** What can be sent, in hundredths, or in whole units where PayPal takes no decimals. */
  available: Record<string, number>;
};

export type TokenRecord = { client_id: string; scopes: string[]; expires_at: number };

export type BatchStatus = "DENIED" | "PENDING" | "PROCESSING" | "SUCCESS" | "CANCELED";

export type ItemStatus =
  | "SUCCESS"
  | "FAILED"
  | "PENDING"
  | "UNCLAIMED"
  | "RETURNED"
  | "ONHOLD"
  | "BLOCKED"
  | "REFUNDED"
  | "REVERSED";

export type ItemRecord = {
  payout_item_id: string;
  payout_batch_id: string;
  transaction_id: string;
  activity_id: string;
  recipient_type: string;
  receiver: string;
  amount: Money;
  note: string | null;
  sender_item_id: string | null;
  status: ItemStatus;
  error: string | null;
  /** Epoch milliseconds of its last change; null while nothing was done about it. */
  processed_at: number | null;
};

export type BatchRecord = {
  payout_batch_id: string;
  client_id: string;
  sender_batch_id: string | null;
  email_subject: string | null;
  email_message: string | null;
  request_id: string | null;
  status: BatchStatus;
  created_at: number;
  completed_at: number | null;
  items: string[];
};

export type EventRecord = {
  id: string;
  client_id: string;
  created_at: number;
  resource_type: "payouts" | "payouts_item";
  event_type: string;
  summary: string;
  resource: object;
};

export type CourseOrder = {
  course: string;
  /** Whose items take this course; everybody's when left out. */
  receiver?: string;
  sender_item_id?: string;
  /** PayPal's name of an error, in place of the course's own. */
  error?: string;
  /** How many items take it; all when left out. */
  times?: number;
};

export type WorldData = {
  made: number;
  apps: Record<string, AppRecord>;
  tokens: Record<string, TokenRecord>;
  batches: Record<string, BatchRecord>;
  items: Record<string, ItemRecord>;
  events: Record<string, EventRecord>;
  courses: CourseOrder[];
  /** What an app that is met for the first time can send, by currency. */
  available: Record<string, number>;
  requests: Record<string, number>;
};

const emptyWorld = (): WorldData => ({
  made: 0,
  apps: {},
  tokens: {},
  batches: {},
  items: {},
  events: {},
  courses: [],
  available: {},
  requests: {},
});

const ALPHABET = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ";
const letter = (n: number): string => ALPHABET[n % ALPHABET.length] ?? "0";

export class World {
  readonly now: () => number;
  readonly random: () => number;
  /** How long a batch stays PENDING, in milliseconds. */
  readonly processMs: number;
  data: WorldData;

  constructor(now: () => number, random: () => number, processMs: number) {
    this.now = now;
    this.random = random;
    this.processMs = processMs;
    this.data = emptyWorld();
  }

  reset(): void {
    this.data = emptyWorld();
  }

  /** The counter keeps ids apart even when the injected random repeats itself. */
  newId(length: number): string {
    this.data.made += 1;
    let id = "";
    for (let rest = this.data.made; id.length < 5; rest = Math.floor(rest / ALPHABET.length))
      id = letter(rest) + id;
    while (id.length < length) id = letter(Math.floor(this.random() * ALPHABET.length)) + id;
    return id;
  }

  app(clientId: string): AppRecord {
    const found = this.data.apps[clientId];
    if (found === undefined) throw new Error(`no app ${clientId}`);
    return found;
  }

  batchOf(item: ItemRecord): BatchRecord {
    const found = this.data.batches[item.payout_batch_id];
    if (found === undefined) throw new Error("an item without a batch");
    return found;
  }

  itemsOf(batch: BatchRecord): ItemRecord[] {
    return batch.items.flatMap((id) => this.data.items[id] ?? []);
  }

  available(app: AppRecord, currency: string): number {
    return app.available[currency] ?? this.data.available[currency] ?? DEFAULT_AVAILABLE;
  }

  move(app: AppRecord, currency: string, units: number): void {
    app.available[currency] = this.available(app, currency) + units;
  }
}

/** PayPal takes no decimals in these. */
const WHOLE = ["HUF", "JPY", "TWD"];

export const CURRENCIES =
  "AUD BRL CAD CHF CZK DKK EUR GBP HKD HUF ILS JPY MXN MYR NOK NZD PHP PLN SEK SGD THB TWD USD".split(" ");

/** An amount in the smallest units that PayPal takes; null where it takes no such amount. */
export function unitsOf({ currency, value }: Money): number | null {
  const pattern = WHOLE.includes(currency) ? /^\d{1,12}$/ : /^\d{1,12}(\.\d{1,2})?$/;
  if (!CURRENCIES.includes(currency) || !pattern.test(value)) return null;
  const [whole = "", fraction = ""] = value.split(".");
  return Number(WHOLE.includes(currency) ? whole : whole + fraction.padEnd(2, "0"));
}

export const instant = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
