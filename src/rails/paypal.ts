// PayPal Payouts: one batch of one item per attempt, its frozen bytes under one sender_batch_id, adopted by that id and never replaced.
import type { Affiliate } from "../domain/affiliate.ts";
import type { PayPalSecrets } from "../domain/credentials.ts";
import type { Instruction } from "../domain/ledger/command.ts";
import {
  type Attempt,
  BEGUN_STALE_MS,
  PAYPAL_WINDOW_MS,
  type Payout,
  type RailOutcome,
} from "../domain/payout.ts";
import { carries } from "../domain/rail-currencies.ts";
import { type Refusal, refuse } from "../domain/refusals.ts";
import { toPayPalValue } from "./paypal-amounts.ts";
import {
  type Batch,
  batchIn,
  compare,
  headerIn,
  isBatchId,
  outcomeOf,
  type PayoutRequest,
  returnedOf,
} from "./paypal-batch.ts";
import { type PayPalClient, paypalClient, type Unsent } from "./paypal-client.ts";
import { type Answer, addressOf, type Silence } from "./paypal-http.ts";
import { nameIn } from "./paypal-json.ts";
import { duplicateOf, refusalIn } from "./paypal-refusals.ts";
import type { NextAttempt, PayoutRail, RailProgram } from "./rail.ts";
import type { Http } from "./stripe-client.ts";

export interface PayPalRailPorts {
  readonly http: Http;
  /** Empty: PayPal's own address for the program's mode. */
  readonly apiBase: string;
  now(): number;
  /** The program's present credentials, or undefined. */
  secretOf(program: RailProgram): Promise<(PayPalSecrets & { readonly account: string }) | undefined>;
}

/** PayPal knows a sender_batch_id for 30 days, and then the same one is a new payment: a day of margin. */
const RESEND_WINDOW_MS = PAYPAL_WINDOW_MS;

/** Of PayPal's description of an item. */
const RECEIVER_MAX = 127;

const unknown = (detail: string): RailOutcome => ({ kind: "unknown", detail });
const deferred = (detail: string, retryAfterS?: number): RailOutcome =>
  retryAfterS === undefined ? { kind: "deferred", detail } : { kind: "deferred", detail, retryAfterS };

const WRONG_ADDRESS =
  "PAYPAL_API_BASE is not for this program's mode: live secrets go to PayPal's own address only.";
const OTHER_ACCOUNT = "the program's PayPal credentials are for another account, or not for this address";

const requestOf = (receiver: string, value: string, payout: Payout, next: NextAttempt): string => {
  const request: PayoutRequest = {
    sender_batch_header: { sender_batch_id: next.key },
    items: [
      {
        recipient_type: "EMAIL",
        receiver,
        amount: { value, currency: payout.currency },
        sender_item_id: next.attemptId,
      },
    ],
  };
  return JSON.stringify(request);
};

const freeze =
  (ports: PayPalRailPorts): PayoutRail["freeze"] =>
  async (program, payout, affiliate: Affiliate, next): Promise<Instruction | { refusal: Refusal }> => {
    const secret = await ports.secretOf(program);
    if (secret === undefined) {
      return refuse(
        "credentials_missing",
        "The program has no PayPal credentials: PUT /v1/program/credentials/paypal.",
      );
    }
    if (addressOf(ports.apiBase, program.mode) === undefined)
      return refuse("credentials_refused", WRONG_ADDRESS);
    const receiver = affiliate.destination?.account;
    if (affiliate.destination?.method !== "paypal" || receiver == null)
      return refuse("payout_method_not_ready", "The affiliate has no PayPal address.");
    if (receiver.length > RECEIVER_MAX || !/^[\x21-\x7e]+$/.test(receiver)) {
      return refuse(
        "payout_method_not_ready",
        `PayPal takes addresses of at most ${RECEIVER_MAX} plain characters; the affiliate needs another one.`,
      );
    }
    if (!carries("paypal", payout.currency))
      return refuse("currency_not_supported_by_method", `paypal cannot carry ${payout.currency}.`);
    const value = toPayPalValue(payout.amount, payout.currency);
    if (value === undefined) {
      return refuse(
        "amount_not_sendable",
        `PayPal takes only whole amounts of ${payout.currency}: pay it in another way, or with what comes later.`,
      );
    }
    return {
      rail: "paypal",
      providerAccount: secret.account,
      apiVersion: "v1",
      destination: receiver,
      destinationSha: affiliate.destination.sha,
      request: requestOf(receiver, value, payout, next),
      amount: payout.amount,
      currency: payout.currency,
    };
  };

/** Deferred: nothing was done, and the same can be asked later. Unknown: anything may have been done. */
const trouble = (answer: Answer | Silence | Unsent): RailOutcome | undefined => {
  if (answer.kind === "unsent") return deferred(answer.detail, answer.retryAfterS);
  if (answer.kind === "silence") return unknown(answer.detail);
  if (answer.status === 429) return deferred("PayPal wants fewer requests", answer.retryAfterS);
  if (answer.status === 401) return deferred("PayPal refuses a token that it has just given");
  return undefined;
};

/** A batch by PayPal's id of it; undefined where PayPal has none of that id, or not for this account. */
const look = async (client: PayPalClient, batchId: string): Promise<Batch | RailOutcome | undefined> => {
  const answer = await client.ask({ method: "GET", path: `/v1/payments/payouts/${batchId}` });
  const cannot = trouble(answer);
  if (cannot !== undefined) return cannot;
  const { status, body } = answer as Answer;
  if (status === 404) return undefined;
  const batch = status === 200 ? batchIn(body) : undefined;
  return batch?.batchId === batchId ? batch : unknown(`PayPal shows no batch (${status})`);
};

/**
 * Where the first send of an attempt is refused, nothing can have been made of it before. Judged when the answer is here:
 * later than that, another consumer may have sent as well.
 */
const isFirstSend = (attempt: Attempt, now: number): boolean =>
  attempt.state === "begun" && now - attempt.updatedAt < BEGUN_STALE_MS;

/** What the answer to POST /v1/payments/payouts means. */
const outcomeOfPost = async (
  client: PayPalClient,
  attempt: Attempt,
  answer: Answer,
  now: number,
): Promise<RailOutcome> => {
  const { status, body } = answer;
  if (status >= 200 && status < 300) {
    const header = headerIn(body);
    return header?.senderBatchId === attempt.key
      ? { kind: "accepted", ref: header.batchId, detail: `${header.status}: PayPal has taken it` }
      : unknown("PayPal's answer is not this payment's");
  }
  const first = duplicateOf(answer);
  if (first !== undefined) return adopt(client, attempt, first, now);
  const refusal = refusalIn(answer);
  // Only the name: what PayPal advises with some of them, a new id, may pay twice.
  if (refusal === undefined)
    return unknown(["PayPal answered", status, nameIn(body)].filter((word) => word !== undefined).join(" "));
  // What was sent before may have been carried out, and a check that comes before PayPal's search for repeats may refuse now.
  return isFirstSend(attempt, now)
    ? refusal
    : unknown(`PayPal refuses now what it may have carried out before: ${refusal.detail}`);
};

/** PayPal knows this sender_batch_id: what stands behind it is taken over if it is this payment whole, whatever PayPal advises. */
const adopt = async (
  client: PayPalClient,
  attempt: Attempt,
  batchId: string,
  now: number,
): Promise<RailOutcome> => {
  const found = await look(client, batchId);
  if (found === undefined) return unknown(`PayPal names the batch ${batchId} and does not show it`);
  if ("kind" in found) return unknown(`PayPal names the batch ${batchId} and could not be asked for it`);
  return compare(found, attempt) === "same"
    ? outcomeOf(found, attempt, now)
    : unknown(`the batch ${batchId} is not, or not yet, what this payment sent: compare it in PayPal`);
};

/** What a message named counts where it is this payment; anything else that it names is passed over. */
const findNamed = async (
  client: PayPalClient,
  attempt: Attempt,
  ref: string,
  now: number,
): Promise<RailOutcome | undefined> => {
  const found = await look(client, ref);
  if (found === undefined) return undefined;
  // The message is all that names this batch: it must come again.
  if ("kind" in found) return unknown(`the batch ${ref} could not be asked for`);
  return compare(found, attempt) === "same" ? outcomeOf(found, attempt, now) : undefined;
};

const findOwn = async (
  client: PayPalClient,
  attempt: Attempt,
  ref: string,
  now: number,
): Promise<RailOutcome> => {
  if (!isBatchId(ref)) return unknown("the reference is no batch of PayPal");
  const found = await look(client, ref);
  if (found === undefined) return unknown(`PayPal does not know the batch ${ref}`);
  if ("kind" in found) return found;
  return compare(found, attempt) === "other"
    ? unknown(`the batch ${ref} is not what this payment sent: compare it in PayPal`)
    : outcomeOf(found, attempt, now);
};

/**
 * The reference of an attempt is PayPal's payout_batch_id, from the first answer to the last: a batch holds one item,
 * it is the only thing that PayPal looks up by, and every message about batch or item names it.
 */
export const paypalRail = (ports: PayPalRailPorts): PayoutRail => {
  /** The client of the attempt's own account, or undefined without one. */
  const clientFor = async (program: RailProgram, attempt: Attempt): Promise<PayPalClient | undefined> => {
    const secret = await ports.secretOf(program);
    const address = addressOf(ports.apiBase, program.mode);
    return secret?.account === attempt.providerAccount && address !== undefined
      ? paypalClient(ports, address, secret)
      : undefined;
  };

  return {
    method: "paypal",
    resendWindowMs: RESEND_WINDOW_MS,
    freeze: freeze(ports),
    async send(program, attempt) {
      const client = await clientFor(program, attempt);
      if (client === undefined) return deferred(OTHER_ACCOUNT);
      const answer = await client.ask({
        method: "POST",
        path: "/v1/payments/payouts",
        body: attempt.request,
        requestId: attempt.key,
      });
      const cannot = trouble(answer);
      return cannot ?? outcomeOfPost(client, attempt, answer as Answer, ports.now());
    },
    /** Without a batch id there is nothing to look up by: sending the same bytes again is the look-up. */
    async find(program, attempt, ref) {
      const own = attempt.providerRef;
      const named = ref !== undefined && ref !== own && isBatchId(ref) ? ref : undefined;
      if (named === undefined && own === null) return undefined;
      const client = await clientFor(program, attempt);
      if (client === undefined) return unknown(OTHER_ACCOUNT);
      const now = ports.now();
      const found = named === undefined ? undefined : await findNamed(client, attempt, named, now);
      return found ?? (own === null ? undefined : findOwn(client, attempt, own, now));
    },
    async returned(program, attempt) {
      const client = await clientFor(program, attempt);
      const own = attempt.providerRef;
      if (client === undefined || own === null || !isBatchId(own)) return undefined;
      const found = await look(client, own);
      if (found === undefined || "kind" in found || compare(found, attempt) !== "same") return undefined;
      return returnedOf(found, attempt);
    },
  };
};
