// Which handler serves which method and path of the simulated API, and the course that one request takes through it.

import type { FaultQueue, Struck } from "./fault-queue.ts";
import { atTheDoor, respond, spoiled } from "./wise-answers.ts";
import {
  type Answer,
  badToken,
  forbidden,
  invalid,
  json,
  notFound,
  serverError,
  WiseFailure,
} from "./wise-errors.ts";
import { type FaultName, type PendingFault, phaseOf } from "./wise-faults.ts";
import { createQuote, createRecipient, getQuote, listRecipients } from "./wise-quotes.ts";
import {
  cancelTransfer,
  createTransfer,
  fundTransfer,
  getTransfer,
  listPayments,
  listTransfers,
  rejectedForFunds,
} from "./wise-transfers.ts";
import { type Call, type Handler, instant, VERSION, type World } from "./wise-world.ts";

const listProfiles: Handler = (call) => ({
  value: call.profiles.map((profile) => ({
    id: profile.id,
    type: profile.type,
    publicId: `00000000-0000-4000-8000-0000${profile.id}`.slice(0, 36),
    userId: profile.user,
    email: "owner@shop.example",
    createdAt: instant(0),
    updatedAt: instant(0),
    currentState: "VISIBLE",
    fullName: profile.name,
    ...(profile.type === "BUSINESS" ? { businessName: profile.name } : {}),
  })),
});

const ROUTES: Record<string, Handler> = {
  "GET /profiles": listProfiles,
  "POST /profiles/{id}/quotes": createQuote,
  "GET /profiles/{id}/quotes/{id}": getQuote,
  "GET /accounts": listRecipients,
  "POST /accounts": createRecipient,
  "GET /transfers": listTransfers,
  "POST /transfers": createTransfer,
  "GET /transfers/{id}": getTransfer,
  "PUT /transfers/{id}/cancel": cancelTransfer,
  "GET /transfers/{id}/payments": listPayments,
  "POST /profiles/{id}/transfers/{id}/payments": fundTransfer,
};

const TABLE = Object.keys(ROUTES).map((route) => ({ route, segments: route.split(/[ /]/) }));

/** The route that serves a method and a path behind the version, and the ids in its path. */
function routeOf(method: string, path: string): { route: string; ids: string[] } | null {
  const given = `${method} ${path}`.split(/[ /]/);
  const fits = (segments: string[]) =>
    segments.length === given.length &&
    segments.every((segment, at) => (segment === "{id}" ? given[at] !== "" : segment === given[at]));
  const found = TABLE.find(({ segments }) => fits(segments));
  if (found === undefined) return null;
  return { route: found.route, ids: given.filter((_, at) => found.segments[at] === "{id}") };
}

type Arrival = { method: string; url: URL; headers: Headers; body: Record<string, unknown> | null };

async function arrive(request: Request, url: URL): Promise<Arrival> {
  const text = request.method === "GET" ? "" : new TextDecoder().decode(await request.arrayBuffer());
  const { method, headers } = request;
  try {
    const parsed: unknown = text === "" ? {} : JSON.parse(text);
    const isObject = typeof parsed === "object" && parsed !== null && !Array.isArray(parsed);
    return { method, url, headers, body: isObject ? (parsed as Record<string, unknown>) : null };
  } catch {
    return { method, url, headers, body: null };
  }
}

const textOr = (value: unknown): string | null =>
  typeof value === "string" || typeof value === "number" ? String(value) : null;

const struckBy = ({ method, url, body }: Arrival): Struck => ({
  method,
  path: url.pathname,
  destination: textOr(body?.targetAccount),
  key: textOr(body?.customerTransactionId),
});

const PREFIX = `/${VERSION}`;

function callOf(arrival: Arrival, world: World): Call {
  const { method, url, headers, body } = arrival;
  const [scheme, token = ""] = (headers.get("authorization") ?? "").split(" ");
  const profiles = scheme === "Bearer" ? world.profilesOf(token) : [];
  if (profiles.length === 0) throw badToken();
  const found = url.pathname.startsWith(`${PREFIX}/`)
    ? routeOf(method, url.pathname.slice(PREFIX.length))
    : null;
  if (found === null) throw notFound("not.found");
  const sends = method !== "GET" && method !== "PUT";
  if (sends && !(headers.get("content-type") ?? "").startsWith("application/json")) throw forbidden();
  if (body === null) throw invalid({ code: "BAD_REQUEST", message: "unreadable JSON" }, 400);
  return { ...found, query: url.searchParams, body, profiles };
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The fault that a request drew; unspent at the end it goes back into the queue. */
type Drawn = { fault: PendingFault; spent: boolean } | null;

function work(world: World, call: Call, drawn: Drawn): Answer {
  const name = drawn?.fault.fault;
  if (name === "account_closed")
    throw invalid({ code: "INVALID_RECIPIENT", message: "The recipient's account is closed." });
  if (name === "balance_insufficient") throw rejectedForFunds(world);
  const handler = ROUTES[call.route];
  if (handler === undefined) throw new Error(`no handler for ${call.route}`);
  const { status = 200, value } = handler(call, world);
  if (name === "error_500_after_work") throw serverError();
  return json(value, status);
}

export class Course {
  readonly #world: World;
  readonly #faults: FaultQueue<FaultName>;
  readonly #slowMs: number;

  constructor(world: World, faults: FaultQueue<FaultName>, slowMs: number) {
    this.#world = world;
    this.#faults = faults;
    this.#slowMs = slowMs;
  }

  async answer(request: Request, url: URL): Promise<Response> {
    const arrival = await arrive(request, url);
    const struck = struckBy(arrival);
    const { requests } = this.#world.data;
    const path = url.pathname.startsWith(PREFIX) ? url.pathname.slice(PREFIX.length) : "";
    const route = routeOf(arrival.method, path)?.route ?? `${arrival.method} (unknown)`;
    requests[route] = (requests[route] ?? 0) + 1;
    const fault = this.#faults.take(struck, (name) => phaseOf(name) !== "list");
    const drawn: Drawn = fault === null ? null : { fault, spent: false };
    if (fault !== null && phaseOf(fault.fault) === "door") {
      if (fault.delay_ms !== null) await sleep(fault.delay_ms);
      return atTheDoor(fault);
    }
    return this.#deliver(await this.#perform(arrival, drawn, struck), drawn);
  }

  async #perform(arrival: Arrival, drawn: Drawn, struck: Struck): Promise<Answer> {
    const name = drawn?.fault.fault;
    const delayMs = drawn?.fault.delay_ms ?? (name === "slow" ? this.#slowMs : 0);
    if (drawn !== null && phaseOf(drawn.fault.fault) === "work") drawn.spent = true;
    if (delayMs > 0 && name !== "slow_after_work") await sleep(delayMs);
    try {
      const before = new Set(Object.keys(this.#world.data.transfers));
      const answer = work(this.#world, callOf(arrival, this.#world), drawn);
      this.#lag(before, struck);
      return answer;
    } catch (error) {
      if (error instanceof WiseFailure) return error.answer;
      throw error;
    }
  }

  async #deliver(answer: Answer, drawn: Drawn): Promise<Response> {
    if (drawn !== null && phaseOf(drawn.fault.fault) === "answer") {
      if (drawn.fault.fault === "slow_after_work") await sleep(drawn.fault.delay_ms ?? this.#slowMs);
      const response = spoiled(answer, drawn.fault);
      if (response !== null) return response;
    }
    if (drawn !== null && !drawn.spent) this.#faults.giveBack(drawn.fault);
    return respond(answer);
  }

  /** Keeps a transfer that was just made out of the list for a while. */
  #lag(before: Set<string>, struck: Struck): void {
    for (const [id, transfer] of Object.entries(this.#world.data.transfers)) {
      if (before.has(id)) continue;
      const lag = this.#faults.take(struck, (name) => phaseOf(name) === "list");
      if (lag !== null) transfer.listed_from = this.#world.now() + (lag.delay_ms ?? this.#slowMs);
    }
  }
}
