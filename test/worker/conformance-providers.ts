// Stripe, PayPal and Wise as the table sees them: what moves money, what the provider does by itself, and how it says so.
import { exports } from "cloudflare:workers";
import { KEY_WINDOW_MS, PAYPAL_WINDOW_MS } from "../../src/domain/payout.ts";
import type { Moved, RailDriver } from "./conformance-cell.ts";
import type { Sent } from "./conformance-edge.ts";
import { PAYPAL_WEBHOOK_ID, unique, type World } from "./world.ts";

const self = (exports as unknown as { default: Fetcher }).default;

interface Message {
  readonly headers: Record<string, string>;
  readonly body: string;
}

export interface ProviderDriver extends RailDriver {
  readonly method: "stripe" | "paypal" | "wise";
  /** How long an attempt may be sent again, milliseconds. */
  readonly windowMs: number;
  /** The first request of an instruction that makes something at the provider. */
  makes(sent: Sent): boolean;
  /** The request whose work moves the money. */
  moves(sent: Sent): boolean;
  /** Whether a payment is found again without the provider's own id, once its bytes may not be sent any more. */
  readonly findsAlone: boolean;
  /** What the provider works on arrives. */
  finish(world: World): void;
  setShort(world: World, isShort: boolean): void;
  readonly shortCode: string;
  /** The next instruction is answered 429, to come back after 7 seconds. */
  tooMany(world: World): void;
  /** All, or where the provider has parts, a part of what was paid goes back. */
  giveBack(world: World, ref: string, amount?: number): void;
  /** Something that happens to what was paid and gives nothing back; undefined where nothing like it exists. */
  disturb?(world: World, ref: string): void;
  readonly hasParts: boolean;
  /** Whether a message names what we called the payment, so that it is known also where no answer came. */
  readonly namesInstruction: boolean;
  /** Every message that the provider has about payments, oldest first, as it would deliver them now. */
  messages(world: World): Promise<Message[]>;
}

/** Answers the status of each delivery. */
export const announce = async (
  world: World,
  { method }: ProviderDriver,
  messages: readonly Message[],
): Promise<number[]> => {
  const statuses: number[] = [];
  for (const { headers, body } of messages) {
    const url = `http://stipend.test/v1/callbacks/${method}/${world.program.id}`;
    const answer = await self.fetch(url, { method: "POST", headers, body });
    await answer.text();
    statuses.push(answer.status);
  }
  return statuses;
};

const methodPath = (affiliateId: string): string => `/v1/affiliates/${affiliateId}/payout-method`;

const isPost = (sent: Sent, path: RegExp): boolean =>
  sent.method === "POST" && path.test(new URL(sent.url).pathname);

/** The addresses of an affiliate, so that the first is found again. */
const emails = new Map<string, string>();
const emailOf = (affiliateId: string, n: 1 | 2): string => {
  const key = `${affiliateId}:${n}`;
  const email = emails.get(key) ?? `${unique("payee")}@example.com`;
  emails.set(key, email);
  return email;
};

const STRIPE_SECRET = "whsec_of_the_platform";
const accounts = new Map<string, string>();

const isStripeSend = (sent: Sent): boolean => isPost(sent, /^\/v1\/transfers$/);

export const stripe: ProviderDriver = {
  method: "stripe",
  windowMs: KEY_WINDOW_MS,
  findsAlone: true,
  hasParts: true,
  namesInstruction: true,
  shortCode: "balance_insufficient",
  makes: isStripeSend,
  moves: isStripeSend,
  async prepare(world) {
    await world.ok("PUT", "/v1/program/credentials/stripe", {
      secret_key: `sk_test_${world.program.id.slice(4)}_k`,
      webhook_secret: STRIPE_SECRET,
    });
  },
  async choose(world, affiliateId, n) {
    const key = `${affiliateId}:${n}`;
    const account = accounts.get(key) ?? String(world.stripe.seedAccount({}).id);
    accounts.set(key, account);
    const method = { payout_method: "stripe", stripe_account_id: account };
    await world.ok("PUT", methodPath(affiliateId), method);
    return account;
  },
  moved: (world, payoutId) =>
    world.stripe.transfers(payoutId).map(({ id, amount, currency, destination, amount_reversed: back }) => ({
      ...{ ref: id, amount, destination, back },
      currency: currency.toUpperCase(),
    })),
  finish: () => undefined,
  setShort: (world, isShort) =>
    world.stripe.setBalance({ currency: "eur", amount: isShort ? 10 : 1_000_000 }),
  tooMany: (world) => world.stripe.addFault({ fault: "rate_limit_429", retry_after_s: 7 }),
  giveBack: (world, ref, amount) => void world.stripe.reverseTransfer(ref, amount ?? null),
  messages: (world) =>
    world.stripe.signedEvents(
      world.stripe
        .events()
        .filter(({ type }) => type.startsWith("transfer."))
        .map(({ id }) => id),
      STRIPE_SECRET,
    ),
};

const isPayPalSend = (sent: Sent): boolean => isPost(sent, /^\/v1\/payments\/payouts$/);

const paypalItems = (world: World, payoutId: string) =>
  world.paypal
    .items()
    .filter((item) => (item.sender_batch_id ?? "").startsWith(`po:${payoutId}:`))
    .filter(({ transaction_status }) => !["FAILED", "RETURNED"].includes(transaction_status));

const itemOfBatch = (world: World, batchId: string): string =>
  world.paypal.items().find(({ payout_batch_id }) => payout_batch_id === batchId)?.payout_item_id ?? "";

export const paypal: ProviderDriver = {
  method: "paypal",
  windowMs: PAYPAL_WINDOW_MS,
  findsAlone: false,
  hasParts: false,
  namesInstruction: true,
  shortCode: "INSUFFICIENT_FUNDS",
  makes: isPayPalSend,
  moves: isPayPalSend,
  async prepare(world) {
    await world.ok("PUT", "/v1/program/credentials/paypal", {
      client_id: `app-${world.program.id}`,
      client_secret: "s3cret",
      webhook_id: PAYPAL_WEBHOOK_ID,
    });
  },
  async choose(world, affiliateId, n) {
    const email = emailOf(affiliateId, n);
    await world.ok("PUT", methodPath(affiliateId), { payout_method: "paypal", paypal_email: email });
    return email;
  },
  moved: (world, payoutId) =>
    paypalItems(world, payoutId).map(({ payout_batch_id, payout_item, transaction_status }) => {
      const amount = Math.round(Number(payout_item.amount.value) * 100);
      return {
        ...{ ref: payout_batch_id, amount, destination: payout_item.receiver },
        currency: payout_item.amount.currency,
        back: ["REFUNDED", "REVERSED"].includes(transaction_status) ? amount : 0,
      };
    }),
  finish: () => undefined,
  setShort: (world, isShort) =>
    world.paypal.setBalance({ currency: "EUR", amount: isShort ? 10 : 1_000_000 }),
  tooMany: (world) => world.paypal.addFault({ fault: "rate_limit_429", retry_after_s: 7 }),
  giveBack: (world, ref) => void world.paypal.moveItem(itemOfBatch(world, ref), "REFUNDED"),
  disturb: (world, ref) => void world.paypal.moveItem(itemOfBatch(world, ref), "ONHOLD"),
  messages: (world) =>
    world.paypal.signedEvents(
      world.paypal.events().map(({ id }) => id),
      PAYPAL_WEBHOOK_ID,
    ),
};

const wiseTransfers = (world: World, payoutId: string) =>
  world.wise.funded({ reference: payoutId.slice(-10) });

const recipientEmail = (world: World, id: number): string =>
  String(world.wise.recipients().find((recipient) => recipient.id === id)?.details["email"]);

const wiseMoved = (world: World, payoutId: string): Moved[] =>
  wiseTransfers(world, payoutId).map((transfer) => ({
    ref: String(transfer.id),
    amount: Math.round(transfer.paid * 100),
    currency: transfer.sourceCurrency,
    destination: recipientEmail(world, transfer.targetAccount),
    back: transfer.refunded ? Math.round(transfer.paid * 100) : 0,
  }));

export const wise: ProviderDriver = {
  method: "wise",
  windowMs: KEY_WINDOW_MS,
  findsAlone: true,
  hasParts: false,
  namesInstruction: false,
  shortCode: "insufficient_funds",
  makes: (sent) => isPost(sent, /^\/2026Q3\/transfers$/),
  moves: (sent) => isPost(sent, /^\/2026Q3\/profiles\/\d+\/transfers\/\d+\/payments$/),
  async prepare(world) {
    const token = `wise-token-of-${world.wiseProfile}`;
    world.wise.seedProfile({ token, id: world.wiseProfile });
    await world.ok("PUT", "/v1/program/credentials/wise", {
      api_token: token,
      profile_id: String(world.wiseProfile),
      webhook_public_key: await world.wise.publicKeyPem(),
    });
  },
  async choose(world, affiliateId, n) {
    const email = emailOf(affiliateId, n);
    const method = { payout_method: "wise", wise_email: email, currency: "EUR" };
    await world.ok("PUT", methodPath(affiliateId), method);
    return email;
  },
  moved: wiseMoved,
  finish(world) {
    for (const { id, status } of world.wise.transfers())
      if (status === "processing") world.wise.setStatus(id, "funds_converted", "outgoing_payment_sent");
  },
  setShort: (world, isShort) =>
    world.wise.setBalance({ profile: world.wiseProfile, currency: "EUR", amount: isShort ? 1 : 1_000_000 }),
  tooMany: (world) => world.wise.addFault({ fault: "rate_limit_429", retry_after_s: 7 }),
  giveBack: (world, ref) => world.wise.setStatus(Number(ref), "cancelled", "funds_refunded"),
  disturb: (world, ref) => world.wise.setStatus(Number(ref), "bounced_back"),
  messages: (world) => world.wise.signedEvents(world.wise.events().map(({ id }) => id)),
};
