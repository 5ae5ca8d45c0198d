// Apps and their tokens at the simulated PayPal: an app is known from its first token on, and keeps its secret.

import { invalidClient, invalidToken, json, missingScope, TokenFailure } from "./paypal-errors.ts";
import type { Call, Handler } from "./paypal-routes.ts";
import { type AppRecord, PAYOUTS_SCOPE, WEBHOOKS_SCOPE, type World } from "./paypal-world.ts";

export type AppSeed = {
  client_id: string;
  client_secret?: string;
  scopes?: string[];
  revoked?: boolean;
};

export const TOKEN_LIVES_S = 32_400;

const SCOPES = ["https://uri.paypal.com/services/invoicing", "openid", PAYOUTS_SCOPE, WEBHOOKS_SCOPE];

/** Makes an app, or changes what is named of one that is there. */
export function seedApp(world: World, seed: AppSeed): AppRecord {
  const known = world.data.apps[seed.client_id];
  const app: AppRecord = {
    client_id: seed.client_id,
    client_secret: seed.client_secret ?? known?.client_secret ?? `secret of ${seed.client_id}`,
    scopes: seed.scopes ?? known?.scopes ?? SCOPES,
    revoked: seed.revoked ?? known?.revoked ?? false,
    available: known?.available ?? {},
  };
  world.data.apps[seed.client_id] = app;
  return app;
}

const basicIn = (header: string | null): [string, string] => {
  const [scheme, value = ""] = (header ?? "").split(" ");
  if (scheme?.toLowerCase() !== "basic") throw invalidClient();
  try {
    const [id = "", ...secret] = atob(value).split(":");
    return [id, secret.join(":")];
  } catch {
    throw invalidClient();
  }
};

export const giveToken: Handler = (call, world) => {
  const [clientId, secret] = basicIn(call.authorization);
  if (clientId === "" || secret === "") throw invalidClient();
  const app = world.data.apps[clientId] ?? seedApp(world, { client_id: clientId, client_secret: secret });
  if (app.revoked || app.client_secret !== secret) throw invalidClient();
  if (new URLSearchParams(call.text).get("grant_type") !== "client_credentials")
    throw new TokenFailure(400, "unsupported_grant_type", "Grant Type is NULL");
  const token = `A21AA${world.newId(60)}`;
  const expires_at = world.now() + TOKEN_LIVES_S * 1000;
  world.data.tokens[token] = { client_id: clientId, scopes: [...app.scopes], expires_at };
  return json({
    scope: app.scopes.join(" "),
    access_token: token,
    token_type: "Bearer",
    app_id: "APP-80W284485P519543T",
    expires_in: TOKEN_LIVES_S,
    nonce: `${new Date(world.now()).toISOString()}${world.newId(20)}`,
  });
};

/** The app whose token the call carries. */
export function callerOf(call: Call, world: World, scope: string): AppRecord {
  const [scheme, value = ""] = (call.authorization ?? "").split(" ");
  const token = scheme?.toLowerCase() === "bearer" ? world.data.tokens[value] : undefined;
  if (token === undefined || token.expires_at <= world.now()) throw invalidToken();
  if (!token.scopes.includes(scope)) throw missingScope();
  return world.app(token.client_id);
}
