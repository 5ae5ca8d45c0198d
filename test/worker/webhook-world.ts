// A world with receivers of webhooks in it: what each got, what it answers, and the messages of the webhook queue delivered by hand.
import { Webhook } from "standardwebhooks";
import { expect } from "vitest";
import { platformPorts, withRails } from "../../src/compose.ts";
import type { WebhookHint } from "../../src/context.ts";
import { expireDeliveries } from "../../src/operations/expire-deliveries.ts";
import { resendDeliveries } from "../../src/operations/resend-deliveries.ts";
import { programEventStatement } from "../../src/store/events.ts";
import { seams } from "./seams.ts";
import { bindings, deliverBatch, type Loose, openWorld, type World } from "./world.ts";

export interface Received {
  readonly headers: Record<string, string>;
  readonly body: string;
  /** The world's clock at that moment. */
  readonly at: number;
}

export interface Sink {
  readonly url: string;
  readonly got: Received[];
  /** What it answers; may be replaced at any time. */
  answer(request: Request, nth: number): Response | Promise<Response>;
}

export interface Endpoint extends Loose {
  readonly secret: string;
  readonly url: string;
  readonly active: boolean;
  readonly disabled_reason: string | null;
}

export interface Delivery extends Loose {
  readonly event_id: string;
  readonly event_type: string;
  readonly attempts: number;
  readonly http_status: number | null;
  readonly latency_ms: number | null;
  readonly error: string | null;
  readonly response_excerpt: string | null;
  readonly next_attempt_at: string | null;
}

export interface WebhookWorld extends World {
  /** A receiver at a host of its own that answers 200. */
  sink(host?: string): Sink;
  endpoint(url: string, more?: object): Promise<Endpoint>;
  deliveries(endpointId: string, query?: string): Promise<Delivery[]>;
  /** Delivers the waiting messages one by one until none is left, or the rounds are over; answers how many there were. */
  pump(rounds?: number): Promise<number>;
  /** The sweep's part for webhooks, then the messages it sent. */
  sweepWebhooks(): Promise<number>;
}

const HOST = "hooks.example.com";

const receivedOf = async (request: Request, at: number): Promise<Received> => ({
  headers: Object.fromEntries(request.headers),
  body: await request.clone().text(),
  at,
});

const ok = (): Response => new Response("taken");

const actingPorts = () => withRails(seams.ports(platformPorts(bindings, undefined)));

let hosts = 0;

export const withWebhooks = (world: World): WebhookWorld => {
  const sinks = new Map<string, Sink>();
  const plain = seams.ports;
  seams.ports = (ports) => {
    const made = plain(ports);
    const http = async (request: Request): Promise<Response> => {
      const sink = sinks.get(new URL(request.url).host);
      if (sink === undefined) return made.http(request);
      sink.got.push(await receivedOf(request, world.now()));
      return sink.answer(request, sink.got.length);
    };
    return { ...made, http };
  };
  const pump = async (rounds = 200): Promise<number> => {
    let taken = 0;
    for (; taken < rounds && world.webhookHints.length > 0; taken++) {
      const hint = world.webhookHints.shift() as WebhookHint;
      const isSlow = hint.kind === "deliver" && !hint.isBrisk;
      await deliverBatch([hint], isSlow ? "stipend-webhooks-slow" : "stipend-webhooks");
    }
    return taken;
  };
  return {
    ...world,
    sink(host = `s${++hosts}.${HOST}`) {
      const sink: Sink = { url: `https://${host}/in`, got: [], answer: ok };
      sinks.set(host, sink);
      return sink;
    },
    endpoint: (url, more = {}) =>
      world.ok<Endpoint>("POST", "/v1/webhook-endpoints", { url, events: ["*"], ...more }),
    deliveries: async (id, query = "limit=200&order=asc") =>
      (await world.ok<{ data: Delivery[] }>("GET", `/v1/webhook-endpoints/${id}/deliveries?${query}`)).data,
    pump,
    async sweepWebhooks() {
      const ports = actingPorts();
      await resendDeliveries(ports);
      await expireDeliveries(ports);
      return pump();
    },
  };
};

export const openWebhookWorld = async (policy: Record<string, unknown> = {}): Promise<WebhookWorld> =>
  withWebhooks(await openWorld(policy));

const DATE_NOW = Date.now;

/** Verified by the reference library, whose clock is the computer's: it is told the time at which the message came. Throws where it does not verify. */
export const verified = (secret: string, { headers, body, at }: Received): Loose => {
  Date.now = () => at;
  try {
    return new Webhook(secret).verify(body, headers) as Loose;
  } finally {
    Date.now = DATE_NOW;
  }
};

export const idsOf = (sink: Sink): string[] => sink.got.map(({ headers }) => headers["webhook-id"] ?? "");

export const expectDelivered = (sink: Sink, eventIds: readonly string[]): void =>
  expect([...new Set(idsOf(sink))].sort()).toEqual([...eventIds].sort());

/** As the program's own operations write them. */
export const writeEvents = async (world: WebhookWorld, count: number): Promise<void> => {
  const actor = { type: "key", id: "key_1" } as const;
  const data = { object: "program", id: world.program.id } as const;
  const at = world.now();
  for (let left = count; left > 0; left -= 100) {
    const statements = Array.from({ length: Math.min(left, 100) }, () =>
      programEventStatement(
        bindings.DB,
        world.program.id as never,
        false,
        "program.updated",
        actor,
        at,
        data,
      ),
    );
    await bindings.DB.batch(statements);
  }
};
