// From the feed to the endpoints: each event once to everybody who asked for it, none left out, and nothing to do where nobody asked.
import { expect, test } from "vitest";
import { countTrips } from "./round-trips.ts";
import { seams } from "./seams.ts";
import { expectDelivered, idsOf, openWebhookWorld, type WebhookWorld, writeEvents } from "./webhook-world.ts";
import { bindings, type Loose, openWorld } from "./world.ts";

const DAY = 86_400_000;

interface Feed {
  readonly data: (Loose & { readonly type: string; readonly position: number })[];
}

const feedOf = async (world: WebhookWorld, after = 0): Promise<Feed["data"]> =>
  (await world.ok<Feed>("GET", `/v1/events?limit=200&after=${after}`)).data;

const headOf = async (world: WebhookWorld): Promise<number> => (await feedOf(world)).at(-1)?.position ?? 0;

test("a program without endpoints sends no hint and costs nothing more, whatever it does", async () => {
  const world = await openWorld();
  const trips = countTrips();
  const { id } = await world.stripeAffiliate();
  await world.sale(id, 1_000);
  trips.count = 0;
  await world.sale(id, 1_000);
  expect(trips.count).toBe(1);
  const { payouts } = await world.generate();
  await world.ok("POST", `/v1/payouts/${payouts[0]?.id}/pay`, {});
  await world.drain();
  expect(world.webhookHints).toEqual([]);
});

test("recording costs one round trip and writes nothing for webhooks, also where endpoints wait", async () => {
  const world = await openWebhookWorld();
  const sink = world.sink();
  const endpoint = await world.endpoint(sink.url);
  const trips = countTrips();
  const id = await world.affiliate();
  await world.sale(id, 1_000);
  await world.pump();
  const before = await world.deliveries(endpoint.id);
  trips.count = 0;
  await world.sale(id, 1_000);
  expect(trips.count).toBe(1);
  expect(await world.deliveries(endpoint.id)).toEqual(before);
  expect(world.webhookHints).toHaveLength(1);
  await world.pump();
  expect(await world.deliveries(endpoint.id)).toHaveLength(before.length + 1);
});

test("an endpoint gets what it asked for, from its creation on", async () => {
  const world = await openWebhookWorld();
  const early = await world.affiliate();
  const [all, some] = [world.sink(), world.sink()];
  await world.endpoint(all.url);
  await world.endpoint(some.url, { events: ["commission.created", "commission.held"] });
  const head = await headOf(world);
  const sale = await world.sale(early, 1_000);
  await world.ok("POST", `/v1/commissions/${sale.id}/hold`, { reason: "odd" });
  await world.ok("POST", `/v1/commissions/${sale.id}/release`, {});
  await world.pump();
  const feed = await feedOf(world, head);
  expect(feed.map(({ type }) => type)).toEqual([
    "commission.created",
    "commission.held",
    "commission.released",
  ]);
  expectDelivered(
    all,
    feed.map(({ id }) => id),
  );
  expectDelivered(
    some,
    feed.slice(0, 2).map(({ id }) => id),
  );
});

test("what payments and runs bring about in the queue is announced as well", async () => {
  const world = await openWebhookWorld();
  const { id } = await world.stripeAffiliate();
  await world.sale(id, 1_000);
  const { payouts } = await world.generate();
  const sink = world.sink();
  await world.endpoint(sink.url, { events: ["payout.paid", "commission.paid"] });
  await world.ok("POST", `/v1/payouts/${payouts[0]?.id}/pay`, {});
  world.webhookHints.length = 0;
  await world.deliver();
  await world.pump();
  expect(sink.got.map(({ body }) => JSON.parse(body).type).sort()).toEqual([
    "commission.paid",
    "payout.paid",
  ]);
});

test("a program's events go to its own endpoints alone", async () => {
  const other = await openWebhookWorld();
  const world = await openWebhookWorld();
  const [theirs, ours] = [world.sink(), world.sink()];
  await other.endpoint(theirs.url);
  await world.endpoint(ours.url);
  await world.affiliate();
  await world.pump();
  await world.sweepWebhooks();
  expect([theirs.got.length, ours.got.length]).toEqual([0, 1]);
  await other.affiliate();
  await other.pump();
  await world.sweepWebhooks();
  expect([theirs.got.length, ours.got.length]).toEqual([1, 1]);
});

test("with every hint lost the sweep brings everything", async () => {
  const world = await openWebhookWorld();
  const sink = world.sink();
  await world.endpoint(sink.url);
  for (let n = 0; n < 3; n++) await world.affiliate();
  world.webhookHints.length = 0;
  await world.sweepWebhooks();
  expect(sink.got).toHaveLength(3);
  await world.affiliate();
  world.webhookHints.length = 0;
  await world.sweepWebhooks();
  expect(sink.got).toHaveLength(4);
  expect(await world.sweepWebhooks()).toBe(0);
});

test("a queue that does not take hints fails no request and loses no event", async () => {
  const world = await openWebhookWorld();
  const sink = world.sink();
  await world.endpoint(sink.url);
  const plain = seams.ports;
  let fails = true;
  seams.ports = (ports) => {
    const made = plain(ports);
    const send: typeof made.deliveries.send = async (hint, delayS) => {
      if (fails) throw new Error("Queue send failed");
      await made.deliveries.send(hint, delayS);
    };
    return { ...made, deliveries: { send } };
  };
  await world.affiliate();
  await world.sweepWebhooks();
  expect(sink.got).toEqual([]);
  fails = false;
  await world.sweepWebhooks();
  expect(sink.got).toHaveLength(1);
});

test("while events are written and fanned out at once by many, each comes once to everybody", async () => {
  const world = await openWebhookWorld();
  const sinks = [world.sink(), world.sink()];
  const ids: string[] = [];
  for (const sink of sinks) ids.push((await world.endpoint(sink.url, { rate_per_s: 100 })).id);
  const writers = Array.from({ length: 4 }, async () => {
    for (let n = 0; n < 10; n++) await world.affiliate();
  });
  const takers = Array.from({ length: 3 }, async () => {
    for (let n = 0; n < 12; n++) {
      world.webhookHints.push({ kind: "fan_out", programId: world.program.id as never });
      await world.pump(4);
    }
  });
  await Promise.all([...writers, ...takers]);
  await world.sweepWebhooks();
  const feed = (await feedOf(world)).filter(({ type }) => type === "affiliate.created");
  expect(feed).toHaveLength(40);
  for (const sink of sinks)
    expectDelivered(
      sink,
      feed.map(({ id }) => id),
    );
  for (const id of ids) expect(await world.deliveries(id)).toHaveLength(40);
});

test("a crash between two steps of the way leaves nothing out", async () => {
  const world = await openWebhookWorld();
  const sink = world.sink();
  const endpoint = await world.endpoint(sink.url);
  const plain = seams.ports;
  let left = Number.POSITIVE_INFINITY;
  seams.ports = (ports) => {
    const made = plain(ports);
    const { db } = made;
    const batch: D1Database["batch"] = async (statements) => {
      const results = await db.batch(statements);
      left -= 1;
      if (left < 0) throw new Error("Network connection lost");
      return results as never;
    };
    return { ...made, db: { prepare: (sql: string) => db.prepare(sql), batch } as unknown as D1Database };
  };
  for (let steps = 0; steps < 5; steps++) {
    await world.affiliate();
    left = steps;
    await world.pump(2);
    left = Number.POSITIVE_INFINITY;
    world.webhookHints.length = 0;
    world.advance(61_000);
    await world.sweepWebhooks();
    expect(new Set(idsOf(sink)).size, `after ${steps} steps`).toBe(steps + 1);
  }
  const deliveries = await world.deliveries(endpoint.id);
  expect(deliveries.map(({ status }) => status)).toEqual(Array(5).fill("delivered"));
});

test("a thousand events to one endpoint take a handful of round trips each hundred", async () => {
  const world = await openWebhookWorld();
  const sink = world.sink();
  const endpoint = await world.endpoint(sink.url, { rate_per_s: 100 });
  await writeEvents(world, 1_000);
  world.webhookHints.push({ kind: "fan_out", programId: world.program.id as never });
  const trips = countTrips();
  await world.pump(1);
  expect(trips.count).toBe(2);
  await world.pump();
  expect(new Set(idsOf(sink)).size).toBe(1_000);
  expect(sink.got).toHaveLength(1_000);
  expect(trips.count).toBeLessThanOrEqual(2 + 2 * 11);
  const states = await bindings.DB.prepare(
    "SELECT state, count(*) AS n FROM deliveries WHERE endpoint_id = ?1 GROUP BY state",
  )
    .bind(endpoint.id)
    .all();
  expect(states.results).toEqual([{ state: "delivered", n: 1_000 }]);
});

test("switched on again an endpoint goes on where it stopped, but no further back than 30 days", async () => {
  const world = await openWebhookWorld();
  const sink = world.sink();
  const endpoint = await world.endpoint(sink.url);
  const path = `/v1/webhook-endpoints/${endpoint.id}`;
  await world.ok("PATCH", path, { active: false });
  const ancient = await headOf(world);
  await world.affiliate();
  world.advance(25 * DAY);
  const old = await headOf(world);
  await world.affiliate();
  world.advance(6 * DAY);
  await world.affiliate();
  await world.pump();
  await world.sweepWebhooks();
  expect(sink.got).toEqual([]);
  await world.ok("PATCH", path, { active: true });
  await world.pump();
  const feed = await feedOf(world, ancient);
  const kept = feed.filter(({ position }) => position > old);
  expect([feed.length, kept.length]).toEqual([3, 2]);
  expectDelivered(
    sink,
    kept.map(({ id }) => id),
  );
});

test("an endpoint that hangs holds nobody else up, and one that is down costs the others nothing", async () => {
  const world = await openWebhookWorld();
  const [healthy, slow, down] = [world.sink(), world.sink(), world.sink()];
  const answers: (() => void)[] = [];
  let isOpen = false;
  slow.answer = () => {
    if (isOpen) return new Response("at last");
    return new Promise((resolve) => void answers.push(() => resolve(new Response("at last"))));
  };
  down.answer = () => {
    throw new TypeError("fetch failed");
  };
  const made: string[] = [];
  for (const { url } of [slow, down, healthy]) made.push((await world.endpoint(url, { rate_per_s: 100 })).id);
  await writeEvents(world, 1_000);
  world.webhookHints.push({ kind: "fan_out", programId: world.program.id as never });
  await world.pump(1);
  const consumers: Promise<unknown>[] = [];
  // As the platform does: each message to a consumer of its own.
  for (let round = 0; round < 400 && new Set(idsOf(healthy)).size < 1_000; round++) {
    while (world.webhookHints.length > 0) consumers.push(world.pump(1));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(new Set(idsOf(healthy)).size).toBe(1_000);
  expect(slow.got).toHaveLength(5);
  isOpen = true;
  for (const answer of answers) answer();
  await Promise.all(consumers);
  for (let round = 0; round < 5; round++) {
    world.advance(61_000);
    await world.sweepWebhooks();
  }
  expect(new Set(idsOf(slow)).size).toBe(1_000);
  down.answer = () => new Response("back");
  down.got.length = 0;
  await world.ok("POST", `/v1/webhook-endpoints/${made[1]}/recover`, {
    since: new Date(world.now() - DAY).toISOString(),
  });
  const trips = countTrips();
  await world.pump();
  expect(new Set(idsOf(down)).size).toBe(1_000);
  expect(trips.count).toBeLessThanOrEqual(40);
  expect(new Set(idsOf(healthy)).size).toBe(1_000);
  expect(healthy.got).toHaveLength(1_000);
});
