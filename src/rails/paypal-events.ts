// PayPal's messages: PayPal itself is asked whether one is its own, then it is read for the attempt and the batch that it is about.
import { liveWebhookIds } from "../domain/credentials.ts";
import { isId } from "../domain/ids.ts";
import type { PayPalRailPorts } from "./paypal.ts";
import { isBatchId } from "./paypal-batch.ts";
import { type PayPalClient, paypalClient } from "./paypal-client.ts";
import { addressOf } from "./paypal-http.ts";
import { fieldIn, textIn } from "./paypal-json.ts";
import type { InboundSource, ProviderEvent, ProviderSubject } from "./rail.ts";

/** A message may be days old, since PayPal sends it again for days; it may not be from the future. */
const AHEAD_MAX_MS = 5 * 60_000;

interface Transmission {
  readonly auth_algo: string;
  readonly cert_url: string;
  readonly transmission_id: string;
  readonly transmission_sig: string;
  readonly transmission_time: string;
}

/** PayPal's own certificates only: the address is passed on to PayPal, which would fetch it. */
const isPayPalsOwn = (url: string): boolean => {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === "https:" && /(^|\.)paypal\.com$/.test(hostname);
};

/** The headers of a transmission within the bounds of PayPal's description; undefined where one is missing or not as it should be. */
const transmissionIn = (headers: Headers, now: number): Transmission | undefined => {
  const text = (name: string, pattern: RegExp): string | undefined => {
    const value = headers.get(name);
    return value !== null && pattern.test(value) ? value : undefined;
  };
  const auth_algo = text("paypal-auth-algo", /^[A-Za-z0-9]{1,100}$/);
  const cert_url = text("paypal-cert-url", /^[\x21-\x7e]{1,500}$/);
  const transmission_id = text("paypal-transmission-id", /^[\x21-\x7e]{1,50}$/);
  const transmission_sig = text("paypal-transmission-sig", /^[\x21-\x7e]{1,500}$/);
  const transmission_time = text("paypal-transmission-time", /^[\x21-\x7e]{1,100}$/);
  if (
    auth_algo === undefined ||
    cert_url === undefined ||
    transmission_id === undefined ||
    transmission_sig === undefined ||
    transmission_time === undefined
  )
    return undefined;
  const at = Date.parse(transmission_time);
  const isFresh = at <= now + AHEAD_MAX_MS;
  return isFresh && isPayPalsOwn(cert_url)
    ? { auth_algo, cert_url, transmission_id, transmission_sig, transmission_time }
    : undefined;
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};

const attemptSubject = (id: string | undefined): ProviderSubject[] =>
  id !== undefined && isId("att", id) ? [{ kind: "attempt", attemptId: id }] : [];

/** `po:{payout}:{n}`, the key of an attempt, is what PayPal knows a batch by. */
const payoutSubject = (senderBatchId: string | undefined): ProviderSubject[] => {
  const payoutId = /^po:(po_[0-9A-Z]{26}):\d+$/.exec(senderBatchId ?? "")?.[1];
  return payoutId === undefined ? [] : [{ kind: "payout", payoutId }];
};

const batchSubject = (id: string | undefined): ProviderSubject[] =>
  id !== undefined && isBatchId(id) ? [{ kind: "provider_ref", ref: id }] : [];

/** Events of other kinds are genuine too, and about nothing here. */
const subjectsOf = (event: unknown): readonly ProviderSubject[] => {
  const type = textIn(event, "event_type") ?? "";
  const resource = fieldIn(event, "resource");
  if (type.startsWith("PAYMENT.PAYOUTS-ITEM.")) {
    return [
      ...attemptSubject(textIn(fieldIn(resource, "payout_item"), "sender_item_id")),
      ...batchSubject(textIn(resource, "payout_batch_id")),
    ];
  }
  if (type.startsWith("PAYMENT.PAYOUTSBATCH.")) {
    const header = fieldIn(resource, "batch_header");
    return [
      ...payoutSubject(textIn(fieldIn(header, "sender_batch_header"), "sender_batch_id")),
      ...batchSubject(textIn(header, "payout_batch_id")),
    ];
  }
  return [];
};

const cannotAsk = (why: string): Error =>
  Object.assign(new Error(`PayPal could not be asked about a message: ${why}`), { retryAfterS: 30 });

/** The event stands in the question as it came, byte by byte: written anew it would not verify. */
const questionOf = (transmission: Transmission, webhookId: string, rawBody: string): string => {
  const head = JSON.stringify({ ...transmission, webhook_id: webhookId });
  return `${head.slice(0, -1)},"webhook_event":${rawBody}}`;
};

const isGenuine = async (client: PayPalClient, question: string): Promise<boolean> => {
  const path = "/v1/notifications/verify-webhook-signature";
  const answer = await client.ask({ method: "POST", path, body: question });
  if (answer.kind !== "answer") throw cannotAsk(answer.detail);
  if (answer.status === 400 || answer.status === 422) return false;
  const verdict = answer.status === 200 ? textIn(answer.body, "verification_status") : undefined;
  if (verdict === undefined) throw cannotAsk(`it answered ${answer.status}`);
  return verdict === "SUCCESS";
};

export const paypalInbound = (ports: PayPalRailPorts): InboundSource => ({
  async read(program, { headers, rawBody }): Promise<ProviderEvent | undefined> {
    const transmission = transmissionIn(headers, ports.now());
    // What is one JSON object by itself can say nothing beside itself in the question.
    const event = parsed(rawBody);
    const id = textIn(event, "id", /^[\x21-\x7e]{1,100}$/);
    if (transmission === undefined || id === undefined) return undefined;
    const secrets = await ports.secretOf(program);
    const webhookIds = secrets === undefined ? [] : liveWebhookIds(secrets, ports.now());
    if (secrets === undefined || webhookIds.length === 0) return undefined;
    const address = addressOf(ports.apiBase, program.mode);
    if (address === undefined) throw cannotAsk("PAYPAL_API_BASE is not for this program's mode");
    const client = paypalClient(ports, address, secrets);
    for (const webhookId of webhookIds)
      if (await isGenuine(client, questionOf(transmission, webhookId, rawBody)))
        return { id, subjects: subjectsOf(event) };
    return undefined;
  },
});
