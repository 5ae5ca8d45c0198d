// PayPal's API with a program's secrets: a token per isolate, and one request per call.
import type { PayPalSecrets } from "../domain/credentials.ts";
import { type Answer, exchange, type Silence } from "./paypal-http.ts";
import { fieldIn, textIn } from "./paypal-json.ts";
import type { Http } from "./stripe-client.ts";

/** A token is given up this long before PayPal says that it ends. */
const TOKEN_MARGIN_MS = 60_000;
const TOKENS_MAX = 1_000;

export interface Grant {
  readonly kind: "grant";
  readonly token: string;
  /** What the token is good for, separated by spaces. */
  readonly scope: string;
  readonly expiresInS: number;
}

/** Nothing of the request itself was sent: there was no token for it. */
export interface Unsent {
  readonly kind: "unsent";
  /** Whether PayPal said that client id and secret are not good. */
  readonly isRefused: boolean;
  readonly detail: string;
  readonly retryAfterS: number | undefined;
}

const unsent = (detail: string, more: Partial<Unsent> = {}): Unsent => ({
  kind: "unsent",
  isRefused: false,
  retryAfterS: undefined,
  ...more,
  detail,
});

const basicOf = ({ clientId, clientSecret }: PayPalSecrets): string =>
  `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(`${clientId}:${clientSecret}`)))}`;

const grantIn = (body: unknown): Grant | undefined => {
  const token = textIn(body, "access_token", /^[\x21-\x7e]{1,4096}$/);
  const expiresInS = fieldIn(body, "expires_in");
  if (token === undefined || typeof expiresInS !== "number" || !(expiresInS > 0)) return undefined;
  if (textIn(body, "token_type", /^bearer$/i) === undefined) return undefined;
  return { kind: "grant", token, scope: textIn(body, "scope") ?? "", expiresInS };
};

/** Asks PayPal for a token; this is also how it says whether the secrets are good. */
export const askToken = async (
  http: Http,
  address: string,
  secrets: PayPalSecrets,
): Promise<Grant | Unsent> => {
  const answer = await exchange(http, `${address}/v1/oauth2/token`, {
    method: "POST",
    headers: {
      authorization: basicOf(secrets),
      accept: "application/json",
      "content-type": "application/x-www-form-urlencoded",
    },
    body: "grant_type=client_credentials",
  });
  if (answer.kind === "silence") return unsent("PayPal gave no token");
  const { status, body, retryAfterS } = answer;
  const isRefused = status === 401 || (status === 400 && textIn(body, "error") === "invalid_client");
  if (isRefused) return unsent("PayPal refuses the program's client id and secret", { isRefused });
  const grant = status === 200 ? grantIn(body) : undefined;
  return grant ?? unsent(`PayPal gave no token (${status})`, { retryAfterS });
};

interface KeptToken {
  readonly token: string;
  /** Epoch milliseconds between which it is good. */
  readonly from: number;
  readonly until: number;
}

/** By address and secrets; only values are shared between requests of an isolate, never work under way. */
const kept = new Map<string, KeptToken>();

const keyOf = async (address: string, { clientId, clientSecret }: PayPalSecrets): Promise<string> => {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(clientSecret));
  const hex = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return JSON.stringify([address, clientId, hex]);
};

const keep = (key: string, grant: Grant, now: number): void => {
  const until = now + grant.expiresInS * 1000 - TOKEN_MARGIN_MS;
  kept.delete(key);
  if (until > now) kept.set(key, { token: grant.token, from: now, until });
  const oldest = kept.keys().next();
  if (kept.size > TOKENS_MAX && oldest.done !== true) kept.delete(oldest.value);
};

export interface Ask {
  readonly method: "GET" | "POST";
  /** Below the address, with its leading slash. */
  readonly path: string;
  /** JSON, sent as it stands. */
  readonly body?: string;
  /** Told to PayPal as PayPal-Request-Id. */
  readonly requestId?: string;
}

export interface PayPalClient {
  /** A token that PayPal no longer takes is replaced once: its 401 means that nothing was done. */
  ask(ask: Ask): Promise<Answer | Silence | Unsent>;
}

export interface ClientPorts {
  readonly http: Http;
  now(): number;
}

const send = (
  http: Http,
  address: string,
  { method, path, body, requestId }: Ask,
  token: string,
): Promise<Answer | Silence> =>
  exchange(http, `${address}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      accept: "application/json",
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(requestId === undefined ? {} : { "paypal-request-id": requestId }),
    },
    ...(body === undefined ? {} : { body }),
  });

export const paypalClient = (ports: ClientPorts, address: string, secrets: PayPalSecrets): PayPalClient => ({
  async ask(ask) {
    const key = await keyOf(address, secrets);
    const now = ports.now();
    const known = kept.get(key);
    if (known !== undefined && known.from <= now && now < known.until) {
      const answer = await send(ports.http, address, ask, known.token);
      if (answer.kind === "silence" || answer.status !== 401) return answer;
      kept.delete(key);
    }
    const grant = await askToken(ports.http, address, secrets);
    if (grant.kind === "unsent") return grant;
    keep(key, grant, ports.now());
    const answer = await send(ports.http, address, ask, grant.token);
    if (answer.kind === "answer" && answer.status === 401) kept.delete(key);
    return answer;
  },
});
