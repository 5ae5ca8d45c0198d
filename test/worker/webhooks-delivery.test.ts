// Delivery: signed as Standard Webhooks says, tried again by its schedule, bounded in time and size, and never led elsewhere.
import { afterEach, expect, test, vi } from "vitest";
import { seams } from "./seams.ts";
import {
  type Endpoint,
  idsOf,
  openWebhookWorld,
  type Received,
  type Sink,
  verified,
  type WebhookWorld,
} from "./webhook-world.ts";
import { bindings, deliverBatch } from "./world.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

afterEach(() => void vi.restoreAllMocks());

const first = <T>(items: readonly T[]): T => {
  const [item] = items;
  if (item === undefined) throw new Error("there is none");
  return item;
};

/** A program with one endpoint and one event on its way to it. */
const underWay = async (
  answer?: Sink["answer"],
): Promise<{ world: WebhookWorld; sink: Sink; endpoint: Endpoint }> => {
  const world = await openWebhookWorld();
  const sink = world.sink();
  if (answer !== undefined) sink.answer = answer;
  const endpoint = await world.endpoint(sink.url);
  await world.affiliate();
  await world.pump(2);
  return { world, sink, endpoint };
};

const failing =
  (status: number, headers: Record<string, string> = {}) =>
  () =>
    new Response("no", { status, headers });

test("a message is verified by the reference library, and is the event as the feed shows it", async () => {
  const { world, sink, endpoint } = await underWay();
  const got = first(sink.got);
  const event = verified(endpoint.secret, got);
  expect(event).toEqual(await world.ok("GET", `/v1/events/${event.id}`));
  expect(got.headers).toEqual({
    "content-type": "application/json",
    "user-agent": "Stipend-Webhooks/1",
    "webhook-id": event.id,
    "webhook-timestamp": String(Math.floor(got.at / 1000)),
    "webhook-signature": expect.stringMatching(/^v1,[A-Za-z0-9+/]{43}=$/),
  });
  expect(await world.deliveries(endpoint.id)).toMatchObject([
    {
      event_id: event.id,
      event_type: "affiliate.created",
      status: "delivered",
      attempts: 1,
      http_status: 200,
      error: null,
      response_excerpt: "taken",
      next_attempt_at: null,
    },
  ]);
});

test("what somebody changed on the way is not verified", async () => {
  const { sink, endpoint } = await underWay();
  const got = first(sink.got);
  const changed: Received[] = [
    { ...got, body: got.body.replace("affiliate.created", "affiliate.updated") },
    { ...got, body: `${got.body} ` },
    { ...got, headers: { ...got.headers, "webhook-id": "evt_other" } },
    {
      ...got,
      headers: { ...got.headers, "webhook-timestamp": String(Number(got.headers["webhook-timestamp"]) + 1) },
    },
    { ...got, at: got.at + 6 * MINUTE },
  ];
  for (const one of changed) expect(() => verified(endpoint.secret, one)).toThrow();
  expect(() => verified(`whsec_${btoa("x".repeat(32))}`, got)).toThrow();
  expect(verified(endpoint.secret, got)).toBeDefined();
});

test("while a secret is replaced either of the two verifies; after the overlap only the new one", async () => {
  const { world, sink, endpoint } = await underWay();
  const path = `/v1/webhook-endpoints/${endpoint.id}/rotate-secret`;
  const rotated = await world.ok<Endpoint>("POST", path, { overlap_hours: 2 });
  expect(rotated.secret).not.toBe(endpoint.secret);
  expect(rotated["previous_secret_until"]).toBe(new Date(world.now() + 2 * HOUR).toISOString());
  await world.affiliate();
  await world.pump();
  const during = sink.got[1] as Received;
  for (const secret of [endpoint.secret, rotated.secret]) expect(verified(secret, during)).toBeDefined();
  expect(during.headers["webhook-signature"]?.split(" ")).toHaveLength(2);
  world.advance(2 * HOUR);
  await world.affiliate();
  await world.pump();
  const later = sink.got[2] as Received;
  expect(verified(rotated.secret, later)).toBeDefined();
  expect(() => verified(endpoint.secret, later)).toThrow();
});

test("of three secrets the oldest stops when the third comes; without an overlap nothing signs but the new one", async () => {
  const { world, sink, endpoint } = await underWay();
  const rotate = (body: object) =>
    world.ok<Endpoint>("POST", `/v1/webhook-endpoints/${endpoint.id}/rotate-secret`, body);
  const [second, third] = [await rotate({ overlap_hours: 168 }), await rotate({})];
  await world.affiliate();
  await world.pump();
  const got = sink.got[1] as Received;
  expect(() => verified(endpoint.secret, got)).toThrow();
  for (const { secret } of [second, third]) expect(verified(secret, got)).toBeDefined();
  const fourth = await rotate({ overlap_hours: 0 });
  await world.affiliate();
  await world.pump();
  expect(() => verified(third.secret, sink.got[2] as Received)).toThrow();
  expect(verified(fourth.secret, sink.got[2] as Received)).toBeDefined();
});

test("an endpoint that fails is tried ten times over three days, each time under the same id and with a fresh signature", async () => {
  const { world, sink, endpoint } = await underWay(failing(500));
  for (let round = 0; round < 60; round++) {
    world.advance(2 * HOUR);
    await world.sweepWebhooks();
  }
  expect(sink.got).toHaveLength(10);
  expect(new Set(idsOf(sink)).size).toBe(1);
  expect(new Set(sink.got.map(({ body }) => body)).size).toBe(1);
  expect(new Set(sink.got.map(({ headers }) => headers["webhook-timestamp"])).size).toBe(10);
  for (const got of sink.got) expect(verified(endpoint.secret, got)).toBeDefined();
  expect(await world.deliveries(endpoint.id)).toMatchObject([
    { status: "exhausted", attempts: 10, http_status: 500, error: "bad_status", next_attempt_at: null },
  ]);
});

test("the first retry comes after five seconds by a message of its own, a later one by the sweep", async () => {
  const { world, sink, endpoint } = await underWay(failing(500));
  const waits: number[] = [];
  const plain = seams.ports;
  seams.ports = (ports) => {
    const made = plain(ports);
    const send = async (hint: never, delayS = 0): Promise<void> => {
      waits.push(delayS);
      await made.deliveries.send(hint);
    };
    return { ...made, deliveries: { send } };
  };
  const [delivery] = await world.deliveries(endpoint.id);
  const wait = Date.parse(delivery?.next_attempt_at ?? "") - first(sink.got).at;
  expect(wait).toBeGreaterThanOrEqual(4.5 * SECOND);
  expect(wait).toBeLessThanOrEqual(5.5 * SECOND + 100);
  world.webhookHints.length = 0;
  world.advance(wait);
  await world.sweepWebhooks();
  expect(sink.got).toHaveLength(2);
  expect(waits).toEqual([0]);
  const [again] = await world.deliveries(endpoint.id);
  const next = Date.parse(again?.next_attempt_at ?? "") - world.now();
  expect(next).toBeGreaterThanOrEqual(4.4 * MINUTE);
  expect(next).toBeLessThanOrEqual(5.5 * MINUTE);
});

test("an endpoint that hangs is left after 15 seconds", async () => {
  const asked: number[] = [];
  const clock = new AbortController();
  vi.spyOn(AbortSignal, "timeout").mockImplementation((ms) => {
    asked.push(ms);
    return clock.signal;
  });
  const hang = (request: Request): Promise<Response> =>
    new Promise((_, reject) => {
      request.signal.addEventListener("abort", () => reject(request.signal.reason));
      clock.abort(new DOMException("The operation timed out.", "TimeoutError"));
    });
  const { world, endpoint } = await underWay(hang);
  expect(asked).toEqual([15_000]);
  expect(await world.deliveries(endpoint.id)).toMatchObject([
    { status: "due", attempts: 1, http_status: null, error: "timeout", response_excerpt: null },
  ]);
});

test("an endpoint that cannot be reached failed, whatever the network said", async () => {
  const { world, endpoint } = await underWay(() => {
    throw new TypeError("Network connection lost to 10.0.0.1");
  });
  const [delivery] = await world.deliveries(endpoint.id);
  expect(delivery).toMatchObject({
    status: "due",
    attempts: 1,
    http_status: null,
    error: "connection_failed",
  });
  expect(JSON.stringify(delivery)).not.toContain("10.0.0.1");
});

test("a redirect is a failure and nobody follows it", async () => {
  const world = await openWebhookWorld();
  const elsewhere = world.sink("elsewhere.example.com");
  const sink = world.sink();
  const redirects: string[] = [];
  sink.answer = (request) => {
    redirects.push(request.redirect);
    return new Response(null, { status: 302, headers: { location: elsewhere.url } });
  };
  const endpoint = await world.endpoint(sink.url);
  await world.affiliate();
  await world.pump(2);
  expect(redirects).toEqual(["manual"]);
  expect(elsewhere.got).toEqual([]);
  expect(await world.deliveries(endpoint.id)).toMatchObject([
    { status: "due", http_status: 302, error: "redirect" },
  ]);
});

test("an answer of ten megabytes is read for its first 64 KiB and kept for 4 KiB", async () => {
  let sent = 0;
  let isCancelled = false;
  const chunk = new TextEncoder().encode("x".repeat(16_384));
  const flood = () =>
    new Response(
      new ReadableStream<Uint8Array>(
        {
          pull(controller) {
            sent += chunk.byteLength;
            if (sent > 10_485_760) controller.close();
            else controller.enqueue(chunk.slice());
          },
          cancel() {
            isCancelled = true;
          },
        },
        { highWaterMark: 0 },
      ),
    );
  const { world, endpoint } = await underWay(flood);
  const [delivery] = await world.deliveries(endpoint.id);
  expect(delivery).toMatchObject({ status: "delivered", response_excerpt: "x".repeat(4_096) });
  expect(sent).toBe(65_536);
  expect(isCancelled).toBe(true);
});

test("an answer that breaks off counts by its status", async () => {
  const broken = () =>
    new Response(
      new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode("half"));
          controller.error(new Error("reset"));
        },
      }),
    );
  const { world, endpoint } = await underWay(broken);
  const [delivery] = await world.deliveries(endpoint.id);
  expect(delivery).toMatchObject({ status: "delivered", http_status: 200 });
});

test("410 switches the endpoint off, says so in the feed, and stops what else is due to it", async () => {
  const world = await openWebhookWorld();
  const [sink, other] = [world.sink(), world.sink()];
  sink.answer = failing(410);
  const endpoint = await world.endpoint(sink.url, { rate_per_s: 1 });
  await world.endpoint(other.url, { events: ["webhook_endpoint.disabled"] });
  for (let n = 0; n < 12; n++) await world.affiliate();
  await world.pump();
  expect(sink.got.length).toBeLessThanOrEqual(5);
  expect(await world.ok("GET", `/v1/webhook-endpoints/${endpoint.id}`)).toMatchObject({
    active: false,
    disabled_reason: "gone",
    disabled_at: expect.any(String),
  });
  const news = other.got.map(({ body }) => JSON.parse(body));
  expect(news).toMatchObject([
    {
      type: "webhook_endpoint.disabled",
      actor: { type: "schedule" },
      data: { object: "webhook_endpoint", id: endpoint.id, status: "disabled", reason: "gone" },
    },
  ]);
  const before = sink.got.length;
  world.advance(2 * DAY);
  await world.sweepWebhooks();
  expect(sink.got).toHaveLength(before);
});

test("429 with Retry-After leaves the endpoint alone for so long, and costs the others that wait no attempt", async () => {
  const world = await openWebhookWorld();
  const sink = world.sink();
  sink.answer = (_, nth) =>
    nth === 1
      ? new Response("slow down", { status: 429, headers: { "retry-after": "600" } })
      : new Response("ok");
  const endpoint = await world.endpoint(sink.url);
  for (let n = 0; n < 30; n++) await world.affiliate();
  await world.pump();
  const asked = sink.got.length;
  expect(asked).toBeLessThanOrEqual(5);
  world.advance(500 * SECOND);
  await world.affiliate();
  await world.pump();
  await world.sweepWebhooks();
  expect(sink.got).toHaveLength(asked);
  world.advance(200 * SECOND);
  await world.sweepWebhooks();
  const deliveries = await world.deliveries(endpoint.id);
  expect(deliveries.map(({ status }) => status)).toEqual(Array(31).fill("delivered"));
  expect(deliveries.filter(({ attempts }) => attempts > 1)).toHaveLength(1);
});

test("503 may name a date, and nothing holds an endpoint back for longer than a day", async () => {
  const world = await openWebhookWorld();
  const sink = world.sink();
  sink.answer = () =>
    new Response(null, { status: 503, headers: { "retry-after": "Fri, 01 Jan 2027 00:00:00 GMT" } });
  const endpoint = await world.endpoint(sink.url);
  await world.affiliate();
  await world.pump();
  const [delivery] = await world.deliveries(endpoint.id);
  expect(delivery).toMatchObject({ error: "too_busy", http_status: 503 });
  expect(Date.parse(delivery?.next_attempt_at ?? "") - first(sink.got).at).toBe(DAY);
  sink.answer = () => new Response("ok");
  world.advance(DAY);
  await world.sweepWebhooks();
  expect(sink.got).toHaveLength(2);
});

/** Whoever sleeps wakes in order of time, after all that is under way had a moment; answers how to stop. */
const wakeInOrder = (world: WebhookWorld): (() => void) => {
  const sleepers: { at: number; wake: () => void }[] = [];
  const plain = seams.ports;
  seams.ports = (ports) => ({
    ...plain(ports),
    sleep: (ms) => new Promise((wake) => void sleepers.push({ at: world.now() + ms, wake })),
  });
  const timer = setInterval(() => {
    const [next] = sleepers.sort((left, right) => left.at - right.at);
    if (next === undefined) return;
    sleepers.shift();
    world.setNow(Math.max(world.now(), next.at));
    next.wake();
  }, 20);
  return () => clearInterval(timer);
};

test("an endpoint gets no more a second than it asked for", async () => {
  const world = await openWebhookWorld();
  const sink = world.sink();
  await world.endpoint(sink.url, { rate_per_s: 2 });
  for (let n = 0; n < 8; n++) await world.affiliate();
  const stop = wakeInOrder(world);
  await world.pump();
  stop();
  const began = first(sink.got).at;
  expect(sink.got.map(({ at }) => at - began)).toEqual([0, 500, 1_000, 1_500, 2_000, 2_500, 3_000, 3_500]);
});

test("a consumer that dies in the middle holds the endpoint for a minute; then the same is sent again under the same ids", async () => {
  const world = await openWebhookWorld();
  const sink = world.sink();
  const endpoint = await world.endpoint(sink.url);
  await world.affiliate();
  const plain = seams.ports;
  let dies = true;
  seams.ports = (ports) => {
    const made = plain(ports);
    const { db } = made;
    const batch: D1Database["batch"] = (statements) => {
      if (dies && sink.got.length > 0) throw new Error("the isolate is gone");
      return db.batch(statements);
    };
    return { ...made, db: { prepare: (sql: string) => db.prepare(sql), batch } as unknown as D1Database };
  };
  await world.pump();
  expect(sink.got).toHaveLength(1);
  dies = false;
  await world.sweepWebhooks();
  expect(sink.got).toHaveLength(1);
  world.advance(61 * SECOND);
  await world.sweepWebhooks();
  expect(sink.got).toHaveLength(2);
  expect(new Set(idsOf(sink)).size).toBe(1);
  expect(await world.deliveries(endpoint.id)).toMatchObject([{ status: "delivered", attempts: 1 }]);
});

test("only who answered everything without delay waits with the brisk; who fails, dawdles or is new waits apart", async () => {
  const world = await openWebhookWorld();
  const sink = world.sink();
  const { id } = await world.endpoint(sink.url);
  const laneOfNext = async (): Promise<unknown> => {
    await world.affiliate();
    await world.pump(1);
    const [hint] = world.webhookHints;
    world.advance(10 * SECOND);
    await world.pump();
    return hint?.kind === "deliver" && hint.isBrisk;
  };
  const lanes = [await laneOfNext(), await laneOfNext()];
  sink.answer = () => {
    world.advance(3 * SECOND);
    return new Response("at last");
  };
  lanes.push(await laneOfNext(), await laneOfNext());
  sink.answer = () => new Response("ok");
  lanes.push(await laneOfNext(), await laneOfNext());
  sink.answer = failing(500);
  lanes.push(await laneOfNext(), await laneOfNext());
  sink.answer = () => new Response("ok");
  lanes.push(await laneOfNext(), await laneOfNext());
  expect(lanes).toEqual([false, true, true, false, false, true, true, false, false, true]);
  await world.ok("PATCH", `/v1/webhook-endpoints/${id}`, { url: world.sink().url });
  expect(await laneOfNext()).toBe(false);
});

test("endpoints of one batch share its connections: five in all wait for answers", async () => {
  const world = await openWebhookWorld();
  const waiting: (() => void)[] = [];
  let [open, most] = [0, 0];
  const slow = async (): Promise<Response> => {
    open += 1;
    most = Math.max(most, open);
    await new Promise<void>((resolve) => void waiting.push(resolve));
    open -= 1;
    return new Response("ok");
  };
  const endpoints: Endpoint[] = [];
  for (let n = 0; n < 5; n++) {
    const sink = world.sink();
    sink.answer = slow;
    endpoints.push(await world.endpoint(sink.url, { rate_per_s: 100 }));
  }
  for (let n = 0; n < 3; n++) await world.affiliate();
  await world.pump(1);
  const hints = world.webhookHints.splice(0).filter(({ kind }) => kind === "deliver");
  expect(hints).toHaveLength(5);
  const release = setInterval(() => {
    for (const answer of waiting.splice(0)) answer();
  }, 30);
  await deliverBatch(hints, "stipend-webhooks-slow");
  clearInterval(release);
  expect(most).toBe(5);
  for (const { id } of endpoints)
    expect((await world.deliveries(id)).map(({ status }) => status)).toEqual(Array(3).fill("delivered"));
});

test("two consumers at once send nothing twice", async () => {
  const world = await openWebhookWorld();
  const sink = world.sink();
  const endpoint = await world.endpoint(sink.url);
  for (let n = 0; n < 20; n++) await world.affiliate();
  const hint = { kind: "fan_out", programId: world.program.id } as const;
  world.webhookHints.push(...(Array(6).fill(hint) as never[]));
  await Promise.all(Array.from({ length: 6 }, () => world.pump(30)));
  await world.pump();
  expect(sink.got).toHaveLength(20);
  expect(new Set(idsOf(sink)).size).toBe(20);
  expect(await world.deliveries(endpoint.id)).toHaveLength(20);
});

test("what was sent to an address is not put down to another that came in its place meanwhile", async () => {
  const world = await openWebhookWorld();
  const [old, fresh] = [world.sink(), world.sink()];
  const endpoint = await world.endpoint(old.url);
  const path = `/v1/webhook-endpoints/${endpoint.id}`;
  old.answer = async () => {
    await world.ok("PATCH", path, { url: fresh.url });
    return new Response(null, { status: 410 });
  };
  await world.affiliate();
  await world.pump(2);
  expect(await world.ok("GET", path)).toMatchObject({ active: true, url: fresh.url, failing_since: null });
  world.advance(6 * SECOND);
  await world.sweepWebhooks();
  expect(fresh.got).toHaveLength(1);
});

test("secrets stand in the database sealed", async () => {
  const { endpoint, world } = await underWay();
  await world.ok("POST", `/v1/webhook-endpoints/${endpoint.id}/rotate-secret`, {});
  const row = await bindings.DB.prepare("SELECT * FROM webhook_endpoints WHERE id = ?1")
    .bind(endpoint.id)
    .first();
  expect(row?.["sealed_secret"]).toMatch(/^v1\./);
  expect(row?.["sealed_previous"]).toMatch(/^v1\./);
  expect(JSON.stringify(row)).not.toContain("whsec_");
  expect(JSON.stringify(row)).not.toContain(endpoint.secret.slice(6));
});
