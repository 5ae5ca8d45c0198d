// Stripe Connect: one transfer per attempt, frozen bytes under one key, and a look-up that walks the payout's transfer group.
import Stripe from "stripe";
import type { Affiliate } from "../domain/affiliate.ts";
import type { Instruction } from "../domain/ledger/command.ts";
import {
  type Attempt,
  HISTORY_WINDOW_MS,
  KEY_WINDOW_MS,
  type Payout,
  type RailOutcome,
} from "../domain/payout.ts";
import { refuse } from "../domain/refusals.ts";
import type { PayoutRail, RailProgram } from "./rail.ts";
import {
  fromStripeAmount,
  type Http,
  mayUse,
  STRIPE_API_VERSION,
  type StripeSecret,
  stripeClient,
  toStripeAmount,
} from "./stripe-client.ts";

export interface StripeRailPorts {
  readonly http: Http;
  readonly apiBase: string;
  /** Real time. */
  now(): number;
  /** The program's present credentials, or undefined. */
  secretOf(program: RailProgram): Promise<StripeSecret | undefined>;
}

const requestOf = (payout: Payout, destination: string, key: string): string =>
  new URLSearchParams([
    ["amount", String(toStripeAmount(payout.amount, payout.currency))],
    ["currency", payout.currency.toLowerCase()],
    ["destination", destination],
    ["transfer_group", payout.id],
    ["metadata[payout_id]", payout.id],
    ["metadata[attempt]", key],
  ]).toString();

const unknown = (detail: string): RailOutcome => ({ kind: "unknown", detail });
const deferred = (detail: string, retryAfterS?: number): RailOutcome =>
  retryAfterS === undefined ? { kind: "deferred", detail } : { kind: "deferred", detail, retryAfterS };

/** Nothing is called paid before the answer's own fields say so: a 503 with `{}` resolves in this SDK. */
const isTransferOf = (transfer: Partial<Stripe.Transfer>, attempt: Attempt): transfer is Stripe.Transfer => {
  const sent = new URLSearchParams(attempt.request);
  return (
    transfer.object === "transfer" &&
    typeof transfer.id === "string" &&
    transfer.id.startsWith("tr_") &&
    transfer.amount === Number(sent.get("amount")) &&
    transfer.currency === sent.get("currency") &&
    transfer.destination === sent.get("destination") &&
    transfer.metadata?.["attempt"] === attempt.key
  );
};

const retryAfterOf = (error: Stripe.errors.StripeError): number | undefined => {
  const seconds = Number(error.headers?.["retry-after"]);
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 3600) : undefined;
};

/** Stripe's own words for a person, without addresses: what was sent may be quoted in them. None of them holds a key. */
const describe = (error: Stripe.errors.StripeError): string =>
  `${error.code ?? error.rawType ?? error.type}: ${error.message}`
    .replaceAll(/\S+@\S+/g, "(address)")
    .slice(0, 500);

/** What a failed POST /v1/transfers means: only a definite no of a known shape is a refusal, everything else may have moved money. */
export const outcomeOfError = (error: unknown): RailOutcome => {
  if (!(error instanceof Stripe.errors.StripeError))
    return unknown(error instanceof Error ? error.message.slice(0, 200) : "no answer");
  const status = error.statusCode;
  if (status === 429) return deferred(describe(error), retryAfterOf(error));
  if (status === 401) return deferred("the provider refuses the program's key");
  // Answered, like 401, before Stripe looks for earlier sends of the key: it says nothing about them.
  if (status === 403) return deferred(`the program's key may not do this: ${describe(error)}`);
  if (status === 409) return deferred("the provider is still working on this key");
  if (error.rawType === "idempotency_error")
    return unknown("the provider knows this key with other parameters");
  if (error.rawType === "invalid_request_error" && status !== undefined && status >= 400 && status < 500) {
    return { kind: "refused", code: error.code ?? "invalid_request", detail: describe(error) };
  }
  return unknown(status === undefined ? "no answer from the provider" : `the provider answered ${status}`);
};

/** Money of this payout that stands at the provider under another attempt: a person must look. */
const doubtful = (transfer: Stripe.Transfer, attempt: Attempt): RailOutcome | undefined =>
  transfer.metadata?.["payout_id"] !== attempt.payoutId || transfer.reversed
    ? undefined
    : unknown(`${transfer.id} of another attempt of this payout stands at the provider`);

const findTransfer = async (stripe: Stripe, attempt: Attempt): Promise<RailOutcome | undefined> => {
  let after: string | undefined;
  let doubt: RailOutcome | undefined;
  for (;;) {
    const page = await stripe.transfers.list({
      transfer_group: attempt.payoutId,
      destination: attempt.destination,
      limit: 100,
      ...(after === undefined ? {} : { starting_after: after }),
    });
    if (!Array.isArray(page.data)) return unknown("the provider's list cannot be read");
    // Also one that was sent back meanwhile: it was paid, and what came back is asked for apart.
    const found = page.data.find((transfer) => isTransferOf(transfer, attempt));
    if (found !== undefined) return { kind: "settled", ref: found.id };
    for (const transfer of page.data) doubt ??= doubtful(transfer, attempt);
    after = page.data.at(-1)?.id;
    if (!page.has_more || after === undefined) return doubt;
  }
};

/** The transfer that a message named, if it is this attempt's. */
const namedTransfer = async (
  stripe: Stripe,
  attempt: Attempt,
  ref: string,
): Promise<RailOutcome | undefined> => {
  if (!/^tr_[A-Za-z0-9_]+$/.test(ref)) return undefined;
  const transfer = await stripe.transfers.retrieve(ref);
  return isTransferOf(transfer, attempt) ? { kind: "settled", ref: transfer.id } : undefined;
};

/** Whole minor units only: of a currency that Stripe splits further, a part that cannot be booked is not counted. */
const reversedOf = async (stripe: Stripe, attempt: Attempt, ref: string): Promise<number | undefined> => {
  if (!/^tr_[A-Za-z0-9_]+$/.test(ref)) return undefined;
  const transfer = await stripe.transfers.retrieve(ref);
  const { amount_reversed: reversed } = transfer;
  const isWhole = Number.isSafeInteger(reversed) && reversed >= 0 && reversed <= transfer.amount;
  if (transfer.id !== ref || !isTransferOf(transfer, attempt) || !isWhole) return undefined;
  return Math.floor(fromStripeAmount(reversed, attempt.currency));
};

/** The clocks here and at Stripe may differ by this much, and an event may be a little later than what it tells of. */
const HISTORY_MARGIN_MS = 15 * 60_000;

/** Whether an event tells of money of the attempt's payout, whichever attempt may have sent it. */
const tellsOf = ({ data }: Stripe.Event, attempt: Attempt): boolean => {
  const transfer = data.object as Partial<Stripe.Transfer>;
  const { metadata } = transfer;
  return (
    metadata?.["attempt"] === attempt.key ||
    metadata?.["payout_id"] === attempt.payoutId ||
    transfer.transfer_group === attempt.payoutId
  );
};

/** Every transfer that the platform made in the time in which this one can have been sent; throws where a page is missing. */
const isNotInHistory = async (stripe: Stripe, attempt: Attempt): Promise<boolean> => {
  const created = {
    gte: Math.floor((attempt.createdAt - HISTORY_MARGIN_MS) / 1000),
    lte: Math.ceil((attempt.createdAt + KEY_WINDOW_MS + HISTORY_MARGIN_MS) / 1000),
  };
  let after: string | undefined;
  for (;;) {
    const page = await stripe.events.list({
      type: "transfer.created",
      created,
      limit: 100,
      ...(after === undefined ? {} : { starting_after: after }),
    });
    if (!Array.isArray(page.data) || typeof page.has_more !== "boolean") return false;
    if (page.data.some((event) => tellsOf(event, attempt))) return false;
    if (!page.has_more) return true;
    after = page.data.at(-1)?.id;
    if (after === undefined) return false;
  }
};

type SecretOf = StripeRailPorts["secretOf"];

const freeze =
  (secretOf: SecretOf): PayoutRail["freeze"] =>
  async (program, payout, affiliate: Affiliate, next): Promise<Instruction | ReturnType<typeof refuse>> => {
    const secret = await secretOf(program);
    if (secret === undefined) {
      return refuse(
        "credentials_missing",
        "The program has no Stripe credentials: PUT /v1/program/credentials/stripe.",
      );
    }
    const account = affiliate.destination?.account;
    if (affiliate.destination?.method !== "stripe" || account == null)
      return refuse("payout_method_not_ready", "The affiliate has no Stripe account.");
    return {
      rail: "stripe",
      providerAccount: secret.account,
      apiVersion: STRIPE_API_VERSION,
      destination: account,
      destinationSha: affiliate.destination.sha,
      request: requestOf(payout, account, next.key),
      amount: payout.amount,
      currency: payout.currency,
    };
  };

const OTHER_ACCOUNT = "the program's Stripe credentials are for another account, or not for this address";

export const stripeRail = (ports: StripeRailPorts): PayoutRail => {
  /** The client of the attempt's own account, or undefined without one. */
  const clientFor = async (
    program: RailProgram,
    attempt: Attempt,
    body?: string,
  ): Promise<Stripe | undefined> => {
    const secret = await ports.secretOf(program);
    return secret?.account === attempt.providerAccount && mayUse(secret.secretKey, ports.apiBase)
      ? stripeClient(secret.secretKey, ports.apiBase, ports.http, body)
      : undefined;
  };
  return {
    method: "stripe",
    resendWindowMs: KEY_WINDOW_MS,
    freeze: freeze(ports.secretOf),
    async send(program, attempt) {
      const stripe = await clientFor(program, attempt, attempt.request);
      if (stripe === undefined) return deferred(OTHER_ACCOUNT);
      // What goes out is the attempt's own bytes; these only satisfy the SDK's types.
      const params = {
        amount: 1,
        currency: attempt.currency.toLowerCase(),
        destination: attempt.destination,
      };
      const options = { idempotencyKey: attempt.key, apiVersion: attempt.apiVersion };
      try {
        const transfer = await stripe.transfers.create(params, options);
        return isTransferOf(transfer, attempt)
          ? { kind: "settled", ref: transfer.id }
          : unknown("the provider's answer is not this transfer");
      } catch (error) {
        return outcomeOfError(error);
      }
    },
    async find(program, attempt, ref) {
      const stripe = await clientFor(program, attempt);
      if (stripe === undefined) return unknown(OTHER_ACCOUNT);
      try {
        const named = ref === undefined ? undefined : await namedTransfer(stripe, attempt, ref);
        return named ?? (await findTransfer(stripe, attempt));
      } catch {
        return unknown("the provider could not be asked");
      }
    },
    async returned(program, attempt) {
      const stripe = attempt.providerRef === null ? undefined : await clientFor(program, attempt);
      if (stripe === undefined || attempt.providerRef === null) return undefined;
      return reversedOf(stripe, attempt, attempt.providerRef).catch(() => undefined);
    },
    async isAbsent(program, attempt) {
      const stripe = await clientFor(program, attempt);
      const age = ports.now() - attempt.createdAt;
      // Before the key is forgotten it may still be sent, and Stripe keeps its history for 30 days.
      if (stripe === undefined || age < KEY_WINDOW_MS || age > HISTORY_WINDOW_MS - HISTORY_MARGIN_MS)
        return false;
      return isNotInHistory(stripe, attempt).catch(() => false);
    },
  };
};
