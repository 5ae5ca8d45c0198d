// Which handler serves which method and path of the simulated PayPal, and what a handler is given.

import { type Answer, json, noRoute, validation } from "./paypal-errors.ts";
import { isGenuine } from "./paypal-events.ts";
import { cancelItem, createPayout, getBatch, getItem } from "./paypal-payouts.ts";
import { callerOf, giveToken } from "./paypal-tokens.ts";
import { WEBHOOKS_SCOPE, type World } from "./paypal-world.ts";

/** One request to the API, as plain data so that work under way survives a restart. */
export type Call = {
  method: string;
  path: string;
  /** The route's template, as `GET /v1/payments/payouts/{id}`. */
  route: string;
  ids: string[];
  query: Record<string, string>;
  text: string;
  authorization: string | null;
  contentType: string | null;
  paypalRequestId: string | null;
  debugId: string;
  /** Whether money is looked for before repeats are. */
  fundsFirst: boolean;
};

export type Handler = (call: Call, world: World) => Answer | Promise<Answer>;

const QUESTION = [
  "auth_algo",
  "cert_url",
  "transmission_id",
  "transmission_sig",
  "transmission_time",
  "webhook_id",
  "webhook_event",
];

const verifySignature: Handler = async (call, world) => {
  const app = callerOf(call, world, WEBHOOKS_SCOPE);
  let asked: Record<string, unknown>;
  try {
    asked = JSON.parse(call.text) as Record<string, unknown>;
  } catch {
    throw validation([{ issue: "JSON request is malformed. Check your request format and try again." }]);
  }
  const missing = QUESTION.filter((name) => asked[name] === undefined);
  if (missing.length > 0)
    throw validation(
      missing.map((field) => ({ field, location: "body", issue: "Required field is missing" })),
    );
  const isOwn = await isGenuine(call.text, app.client_id);
  return json({ verification_status: isOwn ? "SUCCESS" : "FAILURE" });
};

const ROUTES: Record<string, Handler> = {
  "POST /v1/oauth2/token": giveToken,
  "POST /v1/payments/payouts": createPayout,
  "GET /v1/payments/payouts/{id}": getBatch,
  "GET /v1/payments/payouts-item/{id}": getItem,
  "POST /v1/payments/payouts-item/{id}/cancel": cancelItem,
  "POST /v1/notifications/verify-webhook-signature": verifySignature,
};

const TABLE = Object.keys(ROUTES).map((route) => ({ route, segments: route.split(/[ /]/) }));

/** The route that serves this request and the ids in its path. */
export function routeOf(method: string, path: string): { route: string; ids: string[] } | null {
  const given = `${method} ${path}`.split(/[ /]/);
  for (const { route, segments } of TABLE) {
    const fits =
      segments.length === given.length &&
      segments.every((segment, at) => (segment === "{id}" ? given[at] !== "" : segment === given[at]));
    if (fits) return { route, ids: given.filter((_, at) => segments[at] === "{id}") };
  }
  return null;
}

export function handlerOf(route: string): Handler {
  const handler = ROUTES[route];
  if (handler === undefined) throw noRoute();
  return handler;
}
