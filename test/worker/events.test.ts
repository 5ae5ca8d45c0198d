// The feed: every change once, in commit order, read behind a position without ever missing one.
import { expect, test } from "vitest";
import { type Loose, openWorld, type World } from "./world.ts";

interface Feed {
  readonly data: (Loose & { readonly position: number; readonly data: Record<string, unknown> })[];
  readonly has_more: boolean;
  readonly next_cursor: string | null;
  readonly last_position: number;
}

const feed = (world: World, query = "") => world.ok<Feed>("GET", `/v1/events?${query}`);

test("an event says what happened, to what, when, and by whom", async () => {
  const world = await openWorld();
  const id = await world.affiliate({ name: "Nameless Secret", email: "secret@example.com" });
  const sale = await world.sale(id, 1_234, { metadata: { note: "private" } });
  const { data } = await feed(world, "limit=200");
  const event = data.at(-1);
  expect(event).toMatchObject({
    type: "commission.created",
    timestamp: new Date(world.now()).toISOString(),
    sequence: 2,
    position: data.length,
    livemode: false,
    actor: { type: "key", id: expect.stringMatching(/^key_/) },
    data: {
      object: "commission",
      id: sale.id,
      affiliate_id: id,
      status: "approved",
      amount: 1_234,
      currency: "USD",
    },
  });
  expect(await world.ok("GET", `/v1/events/${event?.id}`)).toEqual(event);
  expect(JSON.stringify(data)).not.toMatch(/secret|private/i);
});

test("reading behind the last position misses nothing and repeats nothing", async () => {
  const world = await openWorld();
  const id = await world.affiliate();
  const seen: number[] = [];
  let after = 0;
  for (let round = 0; round < 4; round++) {
    await Promise.all([1, 2, 3].map((amount) => world.sale(id, amount)));
    for (;;) {
      const page = await feed(world, `limit=2&after=${after}`);
      seen.push(...page.data.map(({ position }) => position));
      after = page.last_position;
      if (!page.has_more) break;
    }
  }
  expect(seen).toEqual(Array.from({ length: 2 + 12 }, (_, i) => i + 1));
  expect(await feed(world, `after=${after}`)).toEqual({
    data: [],
    has_more: false,
    next_cursor: null,
    last_position: after,
  });
});

test("the feed pages by cursor like every list", async () => {
  const world = await openWorld();
  await world.affiliate();
  const first = await feed(world, "limit=1");
  const second = await feed(world, `limit=1&cursor=${first.next_cursor}`);
  expect([first.data[0]?.position, second.data[0]?.position]).toEqual([1, 2]);
  expect([first.has_more, second.has_more]).toEqual([true, false]);
});

test("sequences count per affiliate, and what is about none has none", async () => {
  const world = await openWorld();
  const [one, two] = [await world.affiliate(), await world.affiliate()];
  await world.sale(one, 1);
  await world.sale(two, 2);
  await world.ok("PATCH", "/v1/program", { hold_days: 9 });
  const { data } = await feed(world);
  const sequences = data.map((event) => [
    event["type"],
    event.data["affiliate_id"] ?? null,
    event["sequence"],
  ]);
  expect(sequences).toEqual([
    ["api_key.created", null, null],
    ["affiliate.created", one, 1],
    ["affiliate.created", two, 1],
    ["commission.created", one, 2],
    ["commission.created", two, 2],
    ["program.updated", null, null],
  ]);
});

test("a refused call writes no event", async () => {
  const world = await openWorld();
  const id = await world.affiliate();
  const before = (await feed(world)).last_position;
  const calls: [string, string, unknown][] = [
    ["POST", "/v1/commissions", { affiliate_id: id }],
    ["POST", "/v1/commissions/com_x/approve", {}],
    ["PATCH", "/v1/program", { currencies: ["EUR"] }],
    ["POST", "/v1/api-keys", { name: "x", scopes: ["none"] }],
    ["PUT", `/v1/affiliates/${id}/payout-method`, { payout_method: "stripe", stripe_account_id: "acct_1" }],
  ];
  for (const [method, path, body] of calls)
    expect((await world.call(method, path, body)).status).toBeGreaterThanOrEqual(400);
  expect((await feed(world)).last_position).toBe(before);
});

test("another program's events are not there", async () => {
  const [other, world] = [await openWorld(), await openWorld()];
  await other.affiliate();
  const [theirs] = (await feed(other)).data;
  const own = (await feed(world)).data;
  expect(own.map(({ id }) => id)).not.toContain(theirs?.id);
  for (const id of [theirs?.id, "evt_nothing", "nonsense", `evt_${world.program.id.slice(4)}00000000ZZ`]) {
    const answer = await world.call("GET", `/v1/events/${id}`);
    expect([answer.status, answer.body.code]).toEqual([404, "event_not_found"]);
  }
});

test("what is no position is refused", async () => {
  const world = await openWorld();
  for (const query of ["after=-1", "after=x", "after=1.5", "order=desc", "type=payout.paid"]) {
    expect((await world.call("GET", `/v1/events?${query}`)).status, query).toBe(422);
  }
});
