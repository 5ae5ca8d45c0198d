// Reads a request into a call: its key's platform account, its parameters, its route.

import { badKey, invalid, noAccess, noKey, StripeFailure } from "./stripe-errors.ts";
import type { Struck } from "./stripe-faults.ts";
import { type Params, parseForm, textAt } from "./stripe-form.ts";
import { routeOf } from "./stripe-routes.ts";
import type { Call, World } from "./stripe-world.ts";

/** What is known of a request before its key is looked at. */
export type Arrival = {
  method: string;
  url: URL;
  headers: Headers;
  text: string;
  params: Params;
  requestId: string;
};

export async function arrive(request: Request, url: URL, requestId: string): Promise<Arrival> {
  const text = request.method === "GET" ? "" : new TextDecoder().decode(await request.arrayBuffer());
  const params = parseForm(request.method === "GET" ? url.search.slice(1) : text);
  return { method: request.method, url, headers: request.headers, text, params, requestId };
}

export const idempotencyKeyOf = (arrival: Arrival): string | null =>
  arrival.method === "POST" ? arrival.headers.get("idempotency-key") || null : null;

export const struckBy = (arrival: Arrival): Struck => ({
  method: arrival.method,
  path: arrival.url.pathname,
  destination: textAt(arrival.params, "destination"),
  key: idempotencyKeyOf(arrival),
});

const SECRET = /^(?:sk|rk)_(test|live)_([A-Za-z0-9_.]+)$/;

/**
 * The platform account of a secret key. `sk_test_shop_1` and `rk_test_shop_x` are keys of the account `shop`: its name
 * is what stands between the mode and the last `_` or `.`, or all the rest when there is none.
 */
export function ownerOf(secret: string): { name: string; livemode: boolean } | null {
  const [, mode, rest] = SECRET.exec(secret) ?? [];
  if (mode === undefined || rest === undefined) return null;
  const end = Math.max(rest.lastIndexOf("_"), rest.lastIndexOf("."));
  return { name: end > 0 ? rest.slice(0, end) : rest, livemode: mode === "live" };
}

function secretOf(headers: Headers): string {
  const given = headers.get("authorization") ?? "";
  const [scheme, value] = given.split(" ");
  if (value === undefined || value === "") throw noKey();
  if (scheme?.toLowerCase() === "bearer") return value;
  if (scheme?.toLowerCase() !== "basic") throw noKey();
  try {
    return atob(value).split(":")[0] ?? "";
  } catch {
    throw noKey();
  }
}

const masked = (secret: string): string =>
  secret.length > 12 ? `${secret.slice(0, 8)}${"*".repeat(secret.length - 12)}${secret.slice(-4)}` : "****";

/** The call that an arrival makes, or the refusal of its key, its path or its form. */
export function callOf(arrival: Arrival, world: World): Call {
  const { method, url, headers, params } = arrival;
  const secret = secretOf(headers);
  const owner = ownerOf(secret);
  if (owner === null) throw badKey(masked(secret));
  if (world.data.revoked.includes(secret)) {
    throw new StripeFailure(401, {
      type: "invalid_request_error",
      code: "api_key_expired",
      message: `Expired API Key provided: ${masked(secret)}`,
    });
  }
  const platform = world.platform(owner.name, owner.livemode);
  const found = routeOf(method, url.pathname);
  if (found === null) {
    throw new StripeFailure(404, {
      type: "invalid_request_error",
      message: `Unrecognized request URL (${method}: ${url.pathname}). Please see https://stripe.com/docs or we can help at https://support.stripe.com/.`,
    });
  }
  const sent = headers.get("content-type") ?? "";
  if (method === "POST" && arrival.text !== "" && !sent.includes("application/x-www-form-urlencoded")) {
    throw invalid(
      "Invalid request (check that your POST content type is application/x-www-form-urlencoded).",
    );
  }
  const onAccount = headers.get("stripe-account") || null;
  if (onAccount !== null && world.account(onAccount, platform.ref) === null) throw noAccess(onAccount);
  return {
    method,
    path: url.pathname,
    route: found.route,
    ids: found.ids,
    params,
    platform: platform.ref,
    livemode: platform.livemode,
    onAccount,
    key: idempotencyKeyOf(arrival),
    requestId: arrival.requestId,
    origin: url.origin,
  };
}
