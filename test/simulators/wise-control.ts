// The simulator's own control routes under /_sim/: profiles, balances, states, faults, messages, and what has happened.

import type { ProfileSeed, Status, TransferFilter, WiseSimulator } from "./wise.ts";
import type { FaultOrder } from "./wise-faults.ts";
import type { Rejection } from "./wise-world.ts";

type Body = Record<string, unknown>;
type Control = (simulator: WiseSimulator, body: Body, url: URL, id: string) => unknown;

const text = (body: Body, name: string): string => {
  const value = body[name];
  if (typeof value !== "string") throw new RangeError(`${name} must be a string`);
  return value;
};

const numeric = (body: Body, name: string): number => {
  const value = body[name];
  if (typeof value !== "number" || !Number.isFinite(value)) throw new RangeError(`${name} must be a number`);
  return value;
};

const done = { ok: true };

const filterOf = ({ searchParams }: URL): TransferFilter => {
  const reference = searchParams.get("reference");
  const customerTransactionId = searchParams.get("customer_transaction_id");
  return {
    ...(reference === null ? {} : { reference }),
    ...(customerTransactionId === null ? {} : { customerTransactionId }),
  };
};

const CONTROLS: Record<string, Control> = {
  "GET state": (simulator) => simulator.state(),
  "GET transfers": (simulator, _body, url) => ({ data: simulator.transfers(filterOf(url)) }),
  "GET events": (simulator, _body, url) => ({
    data: simulator.events(url.searchParams.get("type") ?? undefined),
  }),
  "GET public-key": async (simulator) => ({ pem: await simulator.publicKeyPem() }),
  "POST profiles": (simulator, body) =>
    simulator.seedProfile({ ...(body as ProfileSeed), token: text(body, "token") }),
  "POST balances": (simulator, body) => {
    simulator.setBalance({
      profile: numeric(body, "profile"),
      currency: text(body, "currency"),
      amount: numeric(body, "amount"),
    });
    return done;
  },
  "POST tokens": (simulator, body) => {
    if (typeof body.revoke === "string") simulator.revokeToken(body.revoke);
    if (typeof body.restore === "string") simulator.restoreToken(body.restore);
    return done;
  },
  "POST behaviour": (simulator, body) => {
    simulator.configure({
      ...(body.rejection === undefined ? {} : { rejection: body.rejection as Rejection }),
      ...(typeof body.repeats_after_expiry === "boolean"
        ? { repeatsAfterExpiry: body.repeats_after_expiry }
        : {}),
      ...(body.page_max === undefined ? {} : { pageMax: numeric(body, "page_max") }),
    });
    return done;
  },
  "POST faults": (simulator, body) => {
    simulator.addFault(body as FaultOrder);
    return done;
  },
  "DELETE faults": (simulator) => {
    simulator.clearFaults();
    return done;
  },
  "POST reset": (simulator) => {
    simulator.reset();
    return done;
  },
  "POST transfers/{id}/status": (simulator, body, _url, id) => {
    const statuses = Array.isArray(body.status) ? body.status : [text(body, "status")];
    simulator.setStatus(Number(id), ...(statuses as Status[]));
    return done;
  },
  "POST transfers/{id}/pay": (simulator, _body, _url, id) => {
    simulator.payByHand(Number(id));
    return done;
  },
  "POST events/{id}/sign": (simulator, _body, _url, id) => simulator.signedEvent(id),
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

/** Serves one control route; nothing here asks for a token. */
export async function control(simulator: WiseSimulator, request: Request, url: URL): Promise<Response> {
  const path = url.pathname.slice("/_sim/".length);
  const [noun, id = "", verb] = path.split("/");
  const name = verb === undefined ? path : `${noun}/{id}/${verb}`;
  const serve = CONTROLS[`${request.method} ${name}`];
  if (serve === undefined) return problem(404, `no control route ${request.method} ${url.pathname}`);
  try {
    return json(200, await serve(simulator, await bodyOf(request), url, id));
  } catch (error) {
    if (error instanceof RangeError || error instanceof SyntaxError) return problem(400, error.message);
    throw error;
  }
}
