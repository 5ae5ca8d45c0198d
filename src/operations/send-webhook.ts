// Sends one message once: signed as Standard Webhooks says, bounded in time and in what is read of the answer.
import type { Ports } from "../context.ts";
import {
  ANSWER_MAX_BYTES,
  EXCERPT_MAX_BYTES,
  excerptOf,
  type Outcome,
  outcomeOf,
  unanswered,
} from "../domain/webhooks/answer.ts";
import { bodyOf, type Message, signedText } from "../domain/webhooks/message.ts";
import { secretBytes } from "../domain/webhooks/secret.ts";
import { type StoredEndpoint, secretPlace } from "../store/webhook-endpoints.ts";

/** An endpoint answers within this, or failed. */
const TIMEOUT_MS = 15_000;

const encoder = new TextEncoder();
const HMAC = { name: "HMAC", hash: "SHA-256" };

const importSecret = (secret: string): Promise<CryptoKey> =>
  crypto.subtle.importKey("raw", secretBytes(secret), HMAC, false, ["sign"]);

/** The present secret, and while it lasts the one before. */
export const signingKeys = async (
  { vault }: Pick<Ports, "vault">,
  endpoint: StoredEndpoint,
  now: number,
): Promise<readonly CryptoKey[]> => {
  const { sealedSecret, sealedPrevious, previousUntil } = endpoint;
  const keys = [await vault.open(sealedSecret, secretPlace(endpoint, "sealed_secret"))];
  if (sealedPrevious !== null && previousUntil !== null && now < previousUntil)
    keys.push(await vault.open(sealedPrevious, secretPlace(endpoint, "sealed_previous")));
  return Promise.all(keys.map(importSecret));
};

const signatureOf = async (key: CryptoKey, text: string): Promise<string> => {
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(text)));
  return `v1,${btoa(String.fromCharCode(...mac))}`;
};

const requestOf = async (
  url: string,
  keys: readonly CryptoKey[],
  message: Message,
  now: number,
): Promise<Request> => {
  const body = bodyOf(message);
  const seconds = Math.floor(now / 1000);
  const text = signedText(message.id, seconds, body);
  const signatures = await Promise.all(keys.map((key) => signatureOf(key, text)));
  return new Request(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "user-agent": "Stipend-Webhooks/1",
      "webhook-id": message.id,
      "webhook-timestamp": String(seconds),
      "webhook-signature": signatures.join(" "),
    },
    body,
    // Another host was not checked; and in Workers "error" throws.
    redirect: "manual",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
};

const joined = (chunks: readonly Uint8Array[], most: number): Uint8Array => {
  const bytes = new Uint8Array(most);
  let size = 0;
  for (const chunk of chunks) {
    const part = chunk.subarray(0, most - size);
    bytes.set(part, size);
    size += part.length;
  }
  return bytes.subarray(0, size);
};

/** What was read until the limit, the end or the time came; the answer's status counts all the same. */
const readStart = async (response: Response): Promise<string | null> => {
  if (response.body === null) return null;
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const chunks: Uint8Array[] = [];
  try {
    let size = 0;
    while (size < ANSWER_MAX_BYTES) {
      const { done, value } = await reader.read();
      if (done) break;
      chunks.push(value);
      size += value.byteLength;
    }
  } catch {
    // An answer that breaks off was an answer.
  }
  reader.cancel().catch(() => undefined);
  return excerptOf(new TextDecoder().decode(joined(chunks, EXCERPT_MAX_BYTES)));
};

const isTimeout = (fault: unknown): boolean =>
  fault instanceof Error && (fault.name === "TimeoutError" || fault.name === "AbortError");

/** Never throws for what the endpoint does. */
export const sendWebhook = async (
  ports: Pick<Ports, "http" | "now">,
  url: string,
  keys: readonly CryptoKey[],
  message: Message,
): Promise<Outcome> => {
  const began = ports.now();
  const request = await requestOf(url, keys, message, began);
  try {
    const response = await ports.http(request);
    const latencyMs = ports.now() - began;
    const excerpt = await readStart(response);
    const retryAfter = response.headers.get("retry-after");
    return outcomeOf({ status: response.status, retryAfter, latencyMs, excerpt }, ports.now());
  } catch (fault) {
    return unanswered(isTimeout(fault) ? "timeout" : "connection_failed", ports.now() - began);
  }
};
