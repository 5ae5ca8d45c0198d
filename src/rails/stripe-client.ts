// The one place that makes a Stripe client: explicit host, one request per call, no telemetry, and live keys only for Stripe itself.
import Stripe from "stripe";

export const STRIPE_API_BASE = "https://api.stripe.com";

/** The version that this SDK speaks; an attempt keeps the one it began with. */
export const STRIPE_API_VERSION = "2026-10-28.endive";

const TIMEOUT_MS = 20_000;

export type Http = (request: Request) => Promise<Response>;

export interface StripeSecret {
  /** `sk_…` or `rk_…`. */
  readonly secretKey: string;
  /** The platform account that the key belongs to. */
  readonly account: string;
}

export const isLiveKey = (secretKey: string): boolean => /^(sk|rk)_live_/.test(secretKey);

/** A live key goes to Stripe's own address only: a simulator, or a typing error, must never see one. */
export const mayUse = (secretKey: string, base: string): boolean =>
  !isLiveKey(secretKey) || new URL(base).origin === STRIPE_API_BASE;

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};

/** Where an answer is a bare string or number the SDK throws in a callback, where nobody hears it, and its promise never ends. */
const withoutBareValue = async (response: Response): Promise<Response> => {
  const text = await response.text();
  if (["string", "number", "boolean"].includes(typeof parsed(text)))
    throw new Error("the provider's answer is no object");
  const headers = new Headers(response.headers);
  headers.delete("content-encoding");
  headers.delete("content-length");
  return new Response(text === "" ? null : text, { status: response.status, headers });
};

/** `body` replaces what the SDK would send: an attempt's bytes are frozen, whatever a newer SDK would make of them. */
export const stripeClient = (secretKey: string, base: string, http: Http, body?: string): Stripe => {
  const url = new URL(base);
  if (!mayUse(secretKey, base)) throw new Error("a live Stripe key must not be sent to another host");
  const send = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const headers = new Headers(init?.headers);
    // The SDK counts its own bytes; what goes out may be the attempt's.
    headers.delete("content-length");
    const request = new Request(input, {
      ...init,
      headers,
      // A key goes to the configured address and nowhere else.
      redirect: "manual",
      ...(body === undefined || init?.method !== "POST" ? {} : { body }),
    });
    return withoutBareValue(await http(request));
  };
  return new Stripe(secretKey, {
    host: url.hostname,
    port: url.port === "" ? (url.protocol === "http:" ? 80 : 443) : Number(url.port),
    protocol: url.protocol === "http:" ? "http" : "https",
    apiVersion: STRIPE_API_VERSION,
    maxNetworkRetries: 0,
    timeout: TIMEOUT_MS,
    telemetry: false,
    httpClient: Stripe.createFetchHttpClient(send as typeof fetch),
  });
};

/** Two decimals for ISK and UGX whatever ISO says; every other currency of the allow-list goes as it is. */
const TWO_DECIMALS_AT_STRIPE = ["ISK", "UGX"];

export const toStripeAmount = (amount: number, currency: string): number =>
  TWO_DECIMALS_AT_STRIPE.includes(currency) ? amount * 100 : amount;
export const fromStripeAmount = (amount: number, currency: string): number =>
  TWO_DECIMALS_AT_STRIPE.includes(currency) ? amount / 100 : amount;
