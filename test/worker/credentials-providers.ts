// What PayPal and Wise say of a program's secrets: just enough of their edge to judge them.
import { seams } from "./seams.ts";

export interface ProviderEdge {
  /** Everything that was asked, as "METHOD host/path". */
  readonly asked: string[];
  /** What every request is answered with instead. */
  answer: (() => Response) | undefined;
}

const SCOPE = "https://uri.paypal.com/payments/payouts";

export const WISE_PROFILE = "4711";
export const GOOD = "good-secret-9876";

const json = (body: unknown, status = 200): Response => Response.json(body, { status });

const token = (request: Request): Response => {
  const [, secret] = atob((request.headers.get("authorization") ?? "").replace("Basic ", "")).split(":");
  if (secret === undefined || !secret.startsWith("good-")) return json({ error: "invalid_client" }, 401);
  return json({
    scope: SCOPE,
    access_token: "A21AA",
    token_type: "Bearer",
    app_id: "APP-1",
    expires_in: 32_400,
  });
};

const profiles = (request: Request): Response =>
  request.headers.get("authorization")?.startsWith("Bearer good-")
    ? json([{ id: Number(WISE_PROFILE), type: "BUSINESS" }])
    : json({ error: "invalid_token" }, 401);

/** Put over a world that is open: Stripe's own requests go on to Stripe's simulator. */
export const openEdge = (): ProviderEdge => {
  const edge: ProviderEdge = { asked: [], answer: undefined };
  const before = seams.ports;
  seams.ports = (ports) => {
    const made = before(ports);
    return {
      ...made,
      async http(request) {
        const { hostname, pathname } = new URL(request.url);
        if (!/paypal|wise/.test(hostname)) return made.http(request);
        edge.asked.push(`${request.method} ${hostname}${pathname}`);
        if (edge.answer !== undefined) return edge.answer();
        return hostname.includes("paypal") ? token(request) : profiles(request);
      },
    };
  };
  return edge;
};

/** A key pair like the one that Wise signs with; the public half in PEM. */
export const makeWiseKey = async (): Promise<string> => {
  const algorithm = {
    name: "RSASSA-PKCS1-v1_5",
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
    hash: "SHA-256",
  };
  const pair = (await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as CryptoKeyPair;
  const der = new Uint8Array((await crypto.subtle.exportKey("spki", pair.publicKey)) as ArrayBuffer);
  const base64 = btoa(String.fromCharCode(...der)).replaceAll(/(.{64})/g, "$1\n");
  return `-----BEGIN PUBLIC KEY-----\n${base64}\n-----END PUBLIC KEY-----\n`;
};
