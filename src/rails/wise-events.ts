// Messages that Wise sends by itself: believed with its RSA signature only, and then only as a hint to ask for the transfer again.
import { liveWebhookKeys } from "../domain/credentials.ts";
import { parseInstant, toInstant } from "../domain/dates.ts";
import type { InboundSource, ProviderEvent } from "./rail.ts";
import type { WiseRailPorts } from "./wise.ts";
import { type Fields, fieldsOf, isWiseId } from "./wise-client.ts";

/** Wise sends a message again for two weeks, so old ones are welcome; clocks do not differ by more than this. */
const AHEAD_MAX_MS = 5 * 60_000;

const RSA_SHA256 = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };

const fromBase64 = (text: string): Uint8Array<ArrayBuffer> | undefined => {
  try {
    return Uint8Array.from(atob(text.replaceAll(/\s+/g, "")), (char) => char.charCodeAt(0));
  } catch {
    return undefined;
  }
};

const PEM = /^\s*-----BEGIN PUBLIC KEY-----([A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----\s*$/;

/** The key of a PEM text (SPKI), or undefined where it is none. */
export const importWiseKey = async (pem: string): Promise<CryptoKey | undefined> => {
  const der = fromBase64(PEM.exec(pem)?.[1] ?? "");
  if (der === undefined || der.byteLength === 0) return undefined;
  try {
    return await crypto.subtle.importKey("spki", der, RSA_SHA256, false, ["verify"]);
  } catch {
    return undefined;
  }
};

/** While a key is changed over, either may have signed. */
const isGenuine = async (
  pems: readonly string[],
  signature: string | null,
  rawBody: string,
): Promise<boolean> => {
  const bytes = fromBase64(signature ?? "");
  if (bytes === undefined || bytes.byteLength === 0) return false;
  const text = new TextEncoder().encode(rawBody);
  for (const pem of pems) {
    const key = await importWiseKey(pem);
    if (key !== undefined && (await crypto.subtle.verify(RSA_SHA256.name, key, bytes, text))) return true;
  }
  return false;
};

const parsed = (rawBody: string): Fields => {
  try {
    return fieldsOf(JSON.parse(rawBody));
  } catch {
    return {};
  }
};

const WORD = /^[a-z_#-]{1,64}$/;
const wordIn = (value: unknown): string => (typeof value === "string" && WORD.test(value) ? value : "");

/** undefined where the time is missing, unreadable or ahead of ours. */
const stampIn = (value: unknown, now: number): string | undefined => {
  const at = typeof value === "string" ? parseInstant(value) : undefined;
  return at === undefined || at > now + AHEAD_MAX_MS ? undefined : toInstant(at);
};

interface Named {
  readonly transfer: unknown;
  readonly profile: unknown;
}

/** A failed payout names its transfer directly, everything else by the resource. */
const namedIn = (data: Fields): Named => {
  const { type, id, profile_id: profile } = fieldsOf(data["resource"]);
  return type === "transfer"
    ? { transfer: id, profile }
    : { transfer: data["transfer_id"], profile: data["profile_id"] };
};

/** The same change has the same id, however often and under whatever delivery it comes. */
const eventOf = (message: Fields, account: string, now: number): ProviderEvent | undefined => {
  const data = fieldsOf(message["data"]);
  const type = wordIn(message["event_type"]);
  const sentAt = stampIn(message["sent_at"], now);
  const occurredAt = stampIn(data["occurred_at"] ?? message["sent_at"], now);
  if (type === "" || sentAt === undefined || occurredAt === undefined) return undefined;
  const { transfer, profile } = namedIn(data);
  if (!type.startsWith("transfers#")) return { id: `${type}:${occurredAt}`, subjects: [] };
  if (!isWiseId(transfer) || String(profile) !== account) return undefined;
  const state = wordIn(data["current_state"]);
  return {
    id: `${transfer}:${type}:${state}:${occurredAt}`,
    subjects: [{ kind: "provider_ref", ref: String(transfer) }],
  };
};

export const wiseInbound = (ports: Pick<WiseRailPorts, "now" | "secretOf">): InboundSource => ({
  async read(program, { headers, rawBody }) {
    const secret = await ports.secretOf(program);
    if (secret === undefined) return undefined;
    const keys = liveWebhookKeys(secret, ports.now());
    if (!(await isGenuine(keys, headers.get("x-signature-sha256"), rawBody))) return undefined;
    // What Wise sends when an address is subscribed is about nothing that exists.
    if (headers.get("x-test-notification") === "true") return { id: "test", subjects: [] };
    return eventOf(parsed(rawBody), secret.account, ports.now());
  },
});
