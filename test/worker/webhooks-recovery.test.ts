// What did not get through, and what never was sent, comes after all; an endpoint that only fails is switched off; what is old goes.
import { describe, expect, test } from "vitest";
import { platformPorts, withRails } from "../../src/compose.ts";
import { ctxFor } from "../../src/operations/ctx-for.ts";
import { expireDeliveries } from "../../src/operations/expire-deliveries.ts";
import { hurryDeliveries } from "../../src/operations/hurry-deliveries.ts";
import { countTrips } from "./round-trips.ts";
import { seams } from "./seams.ts";
import {
  type Endpoint,
  expectDelivered,
  idsOf,
  openWebhookWorld,
  type Sink,
  type WebhookWorld,
  writeEvents,
} from "./webhook-world.ts";
import { bindings, type Loose } from "./world.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

interface Feed {
  readonly data: (Loose & { readonly type: string; readonly position: number })[];
}

const feedOf = async (world: WebhookWorld, type: string): Promise<string[]> => {
  const { data } = await world.ok<Feed>("GET", "/v1/events?limit=200");
  return data.filter((event) => event.type === type).map(({ id }) => id);
};

const down = () => new Response("down", { status: 500 });
const up = () => new Response("up");

const opened = async (
  more: object = {},
): Promise<{ world: WebhookWorld; sink: Sink; endpoint: Endpoint; path: string }> => {
  const world = await openWebhookWorld();
  const sink = world.sink();
  const endpoint = await world.endpoint(sink.url, more);
  return { world, sink, endpoint, path: `/v1/webhook-endpoints/${endpoint.id}` };
};

const recover = (world: WebhookWorld, path: string, since: number) =>
  world.call("POST", `${path}/recover`, { since: new Date(since).toISOString() });

/** Five days in which the sweep comes every two hours: every round of retries ends. */
const exhaust = async (world: WebhookWorld): Promise<void> => {
  for (let round = 0; round < 5 * 12; round++) {
    world.advance(2 * HOUR);
    await world.sweepWebhooks();
  }
};

const statesOf = async (world: WebhookWorld, endpoint: Endpoint): Promise<string[]> =>
  (await world.deliveries(endpoint.id)).map(({ status }) => status);

describe("recover", () => {
  test("brings what was given up, and nothing that had come", async () => {
    const { world, sink, endpoint, path } = await opened();
    await world.affiliate();
    await world.pump();
    sink.answer = down;
    await world.affiliate();
    await world.affiliate();
    await world.pump();
    await exhaust(world);
    expect(await statesOf(world, endpoint)).toEqual(["delivered", "exhausted", "exhausted"]);
    sink.answer = up;
    sink.got.length = 0;
    const answer = await recover(world, path, world.now() - 6 * DAY);
    expect(answer).toMatchObject({
      status: 202,
      body: { endpoint_id: endpoint.id, after: expect.any(Number) },
    });
    await world.pump();
    expectDelivered(sink, (await feedOf(world, "affiliate.created")).slice(1));
    expect(sink.got).toHaveLength(2);
    expect(await statesOf(world, endpoint)).toEqual(["delivered", "delivered", "delivered"]);
  });

  test("brings at once what waits for a retry, and starts a new round where it fails again", async () => {
    const { world, sink, endpoint, path } = await opened();
    sink.answer = down;
    await world.affiliate();
    await world.pump(2);
    for (let round = 0; round < 12; round++) {
      world.advance(30 * MINUTE);
      await world.sweepWebhooks();
    }
    const [waiting] = await world.deliveries(endpoint.id);
    expect(waiting).toMatchObject({ status: "due", attempts: 5 });
    await recover(world, path, world.now() - DAY);
    await world.pump();
    const [again] = await world.deliveries(endpoint.id);
    expect(again).toMatchObject({ status: "due", attempts: 6 });
    expect(Date.parse(again?.next_attempt_at ?? "") - world.now()).toBeLessThanOrEqual(6_000);
  });

  test("brings what happened while the endpoint did not listen for it", async () => {
    const { world, sink, path } = await opened({ events: ["payout.paid"] });
    await world.affiliate();
    await world.pump();
    expect(sink.got).toEqual([]);
    await world.ok("PATCH", path, { events: ["affiliate.created"] });
    await recover(world, path, world.now() - DAY);
    await world.pump();
    expectDelivered(sink, await feedOf(world, "affiliate.created"));
  });

  test("goes back to the instant and not beyond it, and never to before the endpoint was there", async () => {
    const world = await openWebhookWorld();
    await world.affiliate();
    world.advance(HOUR);
    const sink = world.sink();
    const endpoint = await world.endpoint(sink.url, { events: ["run.completed"] });
    const path = `/v1/webhook-endpoints/${endpoint.id}`;
    for (let n = 0; n < 10; n++) {
      await world.affiliate();
      world.advance(HOUR);
    }
    await world.pump();
    await world.ok("PATCH", path, { events: ["affiliate.created"] });
    await recover(world, path, world.now() - 3.5 * HOUR);
    await world.pump();
    const created = await feedOf(world, "affiliate.created");
    expectDelivered(sink, created.slice(-3));
    await recover(world, path, world.now() - 10 * DAY);
    await world.pump();
    expectDelivered(sink, created.slice(1));
  });

  test("needs an endpoint that is switched on, and an instant of the last thirty days", async () => {
    const { world, path } = await opened();
    for (const since of [world.now() - 30 * DAY - 1, world.now() + 1, 0]) {
      const answer = await recover(world, path, since);
      expect([answer.status, answer.body.code]).toEqual([422, "period_invalid"]);
    }
    await world.ok("PATCH", path, { active: false });
    const off = await recover(world, path, world.now());
    expect([off.status, off.body.code]).toEqual([409, "invalid_state"]);
  });

  test("of a thousand events is a few round trips each hundred, whatever the endpoint lacks", async () => {
    const { world, sink, endpoint, path } = await opened({ rate_per_s: 100 });
    sink.answer = down;
    await writeEvents(world, 1_000);
    world.webhookHints.push({ kind: "fan_out", programId: world.program.id as never });
    await world.pump(30);
    await bindings.DB.prepare("DELETE FROM deliveries WHERE endpoint_id = ?1 AND position % 3 = 0")
      .bind(endpoint.id)
      .run();
    sink.answer = up;
    sink.got.length = 0;
    const trips = countTrips();
    await recover(world, path, world.now() - HOUR);
    world.webhookHints.splice(0, world.webhookHints.length - 1);
    await world.pump();
    expect(new Set(idsOf(sink)).size).toBe(1_000);
    expect(sink.got).toHaveLength(1_000);
    expect(trips.count).toBeLessThanOrEqual(4 + 3 + 2 * 11);
  });
});

describe("an event once more", () => {
  const redeliver = (world: WebhookWorld, eventId: string | undefined, body?: object) =>
    world.call<{ data: Loose[]; code?: string }>("POST", `/v1/events/${eventId}/redeliver`, body);

  test("goes to all that subscribe to it, under the same id, also where it was delivered", async () => {
    const world = await openWebhookWorld();
    const [one, two, other] = [world.sink(), world.sink(), world.sink()];
    await world.endpoint(one.url);
    await world.endpoint(two.url, { events: ["affiliate.created"] });
    await world.endpoint(other.url, { events: ["payout.paid"] });
    await world.affiliate();
    await world.pump();
    const [eventId] = await feedOf(world, "affiliate.created");
    const answer = await redeliver(world, eventId);
    expect(answer.status).toBe(202);
    expect(answer.body.data).toHaveLength(2);
    for (const delivery of answer.body.data)
      expect(delivery).toMatchObject({ event_id: eventId, status: "due" });
    await world.pump();
    expect([idsOf(one), idsOf(two), idsOf(other)]).toEqual([[eventId, eventId], [eventId, eventId], []]);
  });

  test("goes to the one that is named, whether it subscribes or was there at the time", async () => {
    const world = await openWebhookWorld();
    await world.affiliate();
    const [named, other] = [world.sink(), world.sink()];
    const { id } = await world.endpoint(named.url, { events: ["payout.paid"] });
    await world.endpoint(other.url);
    const [eventId] = await feedOf(world, "affiliate.created");
    const answer = await redeliver(world, eventId, { endpoint_id: id });
    expect(answer.body.data).toMatchObject([{ endpoint_id: id, event_id: eventId, attempts: 0 }]);
    await world.pump();
    expect([idsOf(named), idsOf(other)]).toEqual([[eventId], []]);
  });

  test("is refused where nobody would get it, or there is no such event or endpoint", async () => {
    const world = await openWebhookWorld();
    await world.affiliate();
    const { id } = await world.endpoint("https://hooks.example.com/in", { events: ["payout.paid"] });
    const [eventId] = await feedOf(world, "affiliate.created");
    const other = await openWebhookWorld();
    const theirs = await other.endpoint("https://hooks.example.com/in");
    const [foreign] = (await other.ok<Feed>("GET", "/v1/events")).data;
    const refusals: [string | undefined, object | undefined, number, string][] = [
      [eventId, undefined, 409, "invalid_state"],
      [eventId, { endpoint_id: theirs.id }, 404, "webhook_endpoint_not_found"],
      [eventId, { endpoint_id: "whe_nobody" }, 404, "webhook_endpoint_not_found"],
      [eventId, { endpoint_id: 5 }, 422, "validation_failed"],
      [eventId, { to: id }, 422, "validation_failed"],
      [foreign?.id, undefined, 404, "event_not_found"],
      ["evt_nothing", undefined, 404, "event_not_found"],
    ];
    for (const [event, body, status, code] of refusals) {
      const answer = await world.call("POST", `/v1/events/${event}/redeliver`, body);
      expect([answer.status, answer.body.code], `${event} ${JSON.stringify(body)}`).toEqual([status, code]);
    }
    await world.ok("PATCH", `/v1/webhook-endpoints/${id}`, { active: false });
    const off = await redeliver(world, eventId, { endpoint_id: id });
    expect([off.status, off.body.code]).toEqual([409, "invalid_state"]);
    expect(await world.deliveries(id)).toEqual([]);
  });
});

describe("an endpoint that does nothing but fail", () => {
  const failFor = async (world: WebhookWorld, days: number): Promise<void> => {
    for (let round = 0; round < days * 8; round++) {
      world.advance(3 * HOUR);
      if (round % 4 === 0) await world.affiliate();
      await world.pump();
      await world.sweepWebhooks();
    }
  };

  test("is switched off after five days, and the feed says so; switched on and recovered it gets everything", async () => {
    const { world, sink, endpoint, path } = await opened({ events: ["affiliate.created"] });
    const watcher = world.sink();
    await world.endpoint(watcher.url, { events: ["webhook_endpoint.disabled"] });
    sink.answer = down;
    await failFor(world, 4.75);
    expect(await world.ok("GET", path)).toMatchObject({ active: true, failing_since: expect.any(String) });
    await failFor(world, 0.5);
    expect(await world.ok("GET", path)).toMatchObject({ active: false, disabled_reason: "failing" });
    expect(watcher.got.map(({ body }) => JSON.parse(body))).toMatchObject([
      {
        type: "webhook_endpoint.disabled",
        data: { id: endpoint.id, reason: "failing", previous_status: "active" },
      },
    ]);
    const tried = sink.got.length;
    await failFor(world, 1);
    expect(sink.got).toHaveLength(tried);
    sink.answer = up;
    sink.got.length = 0;
    expect(await world.ok("PATCH", path, { active: true })).toMatchObject({
      active: true,
      failing_since: null,
    });
    await recover(world, path, world.now() - 10 * DAY);
    await world.pump();
    await world.sweepWebhooks();
    expectDelivered(sink, await feedOf(world, "affiliate.created"));
    expect(new Set(await statesOf(world, endpoint))).toEqual(new Set(["delivered"]));
  });

  test("is not switched off where anything got through in between", async () => {
    const { world, sink, path } = await opened();
    sink.answer = down;
    await failFor(world, 4);
    sink.answer = up;
    await failFor(world, 0.5);
    sink.answer = down;
    await failFor(world, 4);
    expect(await world.ok("GET", path)).toMatchObject({ active: true });
  });
});

describe("what is old", () => {
  const countOf = async (endpointId: string): Promise<number> => {
    const sql = "SELECT count(*) AS n FROM deliveries WHERE endpoint_id = ?1";
    return (await bindings.DB.prepare(sql).bind(endpointId).first<{ n: number }>())?.n ?? 0;
  };

  const expire = (): Promise<void> =>
    expireDeliveries(withRails(seams.ports(platformPorts(bindings, undefined))));

  test("goes after thirty days, page by page", async () => {
    const { world, sink, endpoint } = await opened({ rate_per_s: 100 });
    await writeEvents(world, 1_200);
    world.webhookHints.push({ kind: "fan_out", programId: world.program.id as never });
    await world.pump();
    expect(sink.got).toHaveLength(1_200);
    world.advance(30 * DAY - HOUR);
    await expire();
    expect(await countOf(endpoint.id)).toBe(1_200);
    await world.affiliate();
    await world.pump();
    world.advance(2 * HOUR);
    await expire();
    expect(await world.deliveries(endpoint.id)).toMatchObject([{ event_type: "affiliate.created" }]);
  });

  test("goes with its endpoint", async () => {
    const { world, path, endpoint } = await opened();
    const other = await world.endpoint("https://hooks.example.com/other");
    await world.affiliate();
    await world.pump();
    await world.call("DELETE", path);
    await expire();
    expect([await countOf(endpoint.id), await countOf(other.id)]).toEqual([0, 1]);
  });
});

test("a test program's clock that moves makes waiting retries due", async () => {
  const { world, sink, endpoint } = await opened();
  sink.answer = down;
  await world.affiliate();
  await world.pump(2);
  world.advance(6_000);
  await world.sweepWebhooks();
  sink.answer = up;
  await world.sweepWebhooks();
  expect(await statesOf(world, endpoint)).toEqual(["due"]);
  const ports = withRails(seams.ports(platformPorts(bindings, undefined)));
  await hurryDeliveries(await ctxFor(ports, world.program.id as never, { type: "schedule", id: "test" }));
  await world.pump();
  expect(await statesOf(world, endpoint)).toEqual(["delivered"]);
});

test("deliveries are listed by state, in the order of the feed, page by page", async () => {
  const { world, sink, endpoint } = await opened();
  for (let n = 0; n < 3; n++) await world.affiliate();
  await world.pump();
  sink.answer = down;
  for (let n = 0; n < 2; n++) await world.affiliate();
  await world.pump(3);
  const list = async (query: string) =>
    (await world.deliveries(endpoint.id, query)).map(({ event_id }) => event_id);
  const created = await feedOf(world, "affiliate.created");
  expect(await list("order=asc")).toEqual(created);
  expect(await list("")).toEqual([...created].reverse());
  expect(await list("order=asc&status=delivered")).toEqual(created.slice(0, 3));
  expect(await list("order=asc&status=due,exhausted")).toEqual(created.slice(3));
  const path = `/v1/webhook-endpoints/${endpoint.id}/deliveries`;
  const page = await world.ok<{ next_cursor: string }>("GET", `${path}?limit=2&order=asc`);
  expect(await list(`limit=2&order=asc&cursor=${page.next_cursor}`)).toEqual(created.slice(2, 4));
  expect((await world.call("GET", `${path}?status=lost`)).status).toBe(422);
});
