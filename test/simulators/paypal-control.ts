// The simulator's own control routes under /_sim/: faults, apps, courses, balances, items, events, and what has happened.

import type { PayPalSimulator } from "./paypal.ts";
import { PayPalFailure } from "./paypal-errors.ts";
import type { FaultOrder } from "./paypal-faults.ts";
import type { AppSeed } from "./paypal-tokens.ts";
import type { CourseOrder, ItemStatus } from "./paypal-world.ts";

type Body = Record<string, unknown>;
type Control = (simulator: PayPalSimulator, body: Body, url: URL, ids: string[]) => unknown;

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

const done = { ok: true };

const CONTROLS: Record<string, Control> = {
  "GET state": (simulator) => simulator.state(),
  "GET payouts": (simulator, _body, url) => ({
    data: simulator.payouts(url.searchParams.get("sender_batch_id") ?? undefined),
  }),
  "GET items": (simulator, _body, url) => ({
    data: simulator.items(url.searchParams.get("sender_item_id") ?? undefined),
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
  "POST apps": (simulator, body) => {
    simulator.seedApp({ ...(body as AppSeed), client_id: text(body, "client_id") });
    return done;
  },
  "POST courses": (simulator, body) => {
    simulator.setCourse({ ...(body as CourseOrder), course: text(body, "course") });
    return done;
  },
  "DELETE courses": (simulator) => {
    simulator.clearCourses();
    return done;
  },
  "POST balances": (simulator, body) => {
    simulator.setBalance({
      currency: text(body, "currency"),
      amount: integer(body, "amount"),
      ...(body["client_id"] === undefined ? {} : { client_id: text(body, "client_id") }),
    });
    return done;
  },
  "POST expire-tokens": (simulator) => ({ expired: simulator.expireTokens() }),
  "POST reset": (simulator) => {
    simulator.reset();
    return done;
  },
  "POST items/{id}/move": (simulator, body, _url, [id]) =>
    simulator.moveItem(
      id ?? "",
      text(body, "status") as ItemStatus,
      body["error"] === undefined ? null : text(body, "error"),
    ),
  "POST events/{id}/sign": (simulator, body, _url, [id]) =>
    simulator.signedEvent(
      id ?? "",
      text(body, "webhook_id"),
      body["sent_at"] === undefined ? {} : { sentAt: integer(body, "sent_at") },
    ),
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
export async function control(simulator: PayPalSimulator, request: Request, url: URL): Promise<Response> {
  const path = url.pathname.slice("/_sim/".length);
  const [noun, id, verb] = path.split("/");
  const name = verb === undefined ? path : `${noun}/{id}/${verb}`;
  const serve = CONTROLS[`${request.method} ${name}`];
  if (serve === undefined) return problem(404, `no control route ${request.method} ${url.pathname}`);
  try {
    const answer = await serve(simulator, await bodyOf(request), url, id === undefined ? [] : [id]);
    return json(200, answer);
  } catch (error) {
    if (error instanceof PayPalFailure) return problem(error.status, error.message);
    if (error instanceof RangeError || error instanceof SyntaxError) return problem(400, error.message);
    throw error;
  }
}
