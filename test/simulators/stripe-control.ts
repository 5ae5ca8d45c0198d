// The simulator's own control routes under /_sim/: faults, accounts, balances, keys, and what has happened.

import type { StripeSimulator } from "./stripe.ts";
import type { AccountSeed } from "./stripe-account-object.ts";
import { StripeFailure } from "./stripe-errors.ts";
import type { FaultOrder } from "./stripe-faults.ts";

type Body = Record<string, unknown>;
type Control = (simulator: StripeSimulator, body: Body, url: URL, ids: string[]) => unknown;

const text = (body: Body, name: string): string => {
  const value = body[name];
  if (typeof value !== "string") throw new RangeError(`${name} must be a string`);
  return value;
};

const integer = (body: Body, name: string): number => {
  const value = body[name];
  if (typeof value !== "number" || !Number.isSafeInteger(value)) {
    throw new RangeError(`${name} must be an integer`);
  }
  return value;
};

const maybeInteger = (body: Body, name: string): number | null =>
  body[name] === undefined || body[name] === null ? null : integer(body, name);

const keysIn = (value: unknown): string[] =>
  (Array.isArray(value) ? value : [value]).filter((key) => typeof key === "string");

const done = { ok: true };

const CONTROLS: Record<string, Control> = {
  "GET state": (simulator) => simulator.state(),
  "GET transfers": (simulator, _body, url) => ({
    data: simulator.transfers(url.searchParams.get("payout_id") ?? undefined),
  }),
  "GET events": (simulator, _body, url) => ({
    data: simulator.events(url.searchParams.get("type") ?? undefined),
  }),
  "POST faults": (simulator, body) => {
    simulator.addFault(body as FaultOrder);
    return done;
  },
  "DELETE faults": (simulator) => {
    simulator.clearFaults();
    return done;
  },
  "POST accounts": (simulator, body) => simulator.seedAccount(body as AccountSeed),
  "POST accounts/{id}/deauthorize": (simulator, _body, _url, [id]) => {
    simulator.deauthorize(id ?? "");
    return done;
  },
  "POST platforms": (simulator, body) => {
    simulator.setPlatform(text(body, "key"), {
      ...(body.country === undefined ? {} : { country: text(body, "country") }),
      ...(body.approved === undefined ? {} : { approved: body.approved === true }),
    });
    return done;
  },
  "POST balances": (simulator, body) => {
    simulator.setBalance({
      currency: text(body, "currency"),
      amount: integer(body, "amount"),
      ...(body.key === undefined ? {} : { key: text(body, "key") }),
      ...(body.account === undefined ? {} : { account: text(body, "account") }),
    });
    return done;
  },
  "POST payouts": (simulator, body) =>
    simulator.payOut(text(body, "account"), text(body, "currency"), maybeInteger(body, "amount")),
  "POST keys": (simulator, body) => {
    for (const key of keysIn(body.revoke)) simulator.revokeKey(key);
    for (const key of keysIn(body.restore)) simulator.restoreKey(key);
    return done;
  },
  "POST expire-keys": (simulator) => ({ expired: simulator.expireKeys() }),
  "POST reset": (simulator) => {
    simulator.reset();
    return done;
  },
  "POST transfers/{id}/reverse": (simulator, body, _url, [id]) =>
    simulator.reverseTransfer(id ?? "", maybeInteger(body, "amount")),
  "POST events/{id}/sign": (simulator, body, _url, [id]) => {
    const timestampS = maybeInteger(body, "timestamp");
    return simulator.signedEvent(id ?? "", keysIn(body.secret), timestampS === null ? {} : { timestampS });
  },
};

const json = (status: number, value: unknown): Response =>
  new Response(JSON.stringify(value, null, 2), { status, headers: { "content-type": "application/json" } });

const problem = (status: number, message: string): Response => json(status, { error: { message } });

async function bodyOf(request: Request): Promise<Body> {
  const given = request.method === "POST" ? new TextDecoder().decode(await request.arrayBuffer()) : "";
  const parsed: unknown = given === "" ? {} : JSON.parse(given);
  if (typeof parsed !== "object" || parsed === null) throw new RangeError("the body must be a JSON object");
  return parsed as Body;
}

/** Serves one control route; nothing here asks for a key. */
export async function control(simulator: StripeSimulator, request: Request, url: URL): Promise<Response> {
  const path = url.pathname.slice("/_sim/".length);
  if (path.startsWith("onboarding/") && request.method === "GET") {
    const finish = url.searchParams.get("finish") !== "false";
    const target = simulator.followLink(path.slice("onboarding/".length), finish);
    return target === null
      ? problem(404, "no such link")
      : new Response(null, { status: 302, headers: { location: target } });
  }
  const [noun, id, verb] = path.split("/");
  const name = verb === undefined ? path : `${noun}/{id}/${verb}`;
  const serve = CONTROLS[`${request.method} ${name}`];
  if (serve === undefined) return problem(404, `no control route ${request.method} ${url.pathname}`);
  try {
    const answer = await serve(simulator, await bodyOf(request), url, id === undefined ? [] : [id]);
    return json(200, answer);
  } catch (error) {
    if (error instanceof StripeFailure) return problem(error.status, error.message);
    if (error instanceof RangeError || error instanceof SyntaxError) return problem(400, error.message);
    throw error;
  }
}
