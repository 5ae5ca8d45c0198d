// Webhook endpoints: what they may be, who sees their secret, and where they may never lead.
import { describe, expect, test } from "vitest";
import { seams } from "./seams.ts";
import { type Endpoint, openWebhookWorld, verified, type WebhookWorld } from "./webhook-world.ts";
import { type Answer, type Loose, ROOT_KEY, unique } from "./world.ts";

const PATH = "/v1/webhook-endpoints";
const HOOK = { url: "https://hooks.example.com/in", events: ["payout.paid"] };

interface Refusal extends Loose {
  readonly errors: { pointer: string; detail: string }[];
}

const refusal = ({ status, body }: Answer<Refusal>) => [status, body.code, body.errors[0]?.pointer];

/** Every request that leaves, by its address. */
const watchOutbound = (): string[] => {
  const seen: string[] = [];
  const plain = seams.ports;
  seams.ports = (ports) => {
    const made = plain(ports);
    return {
      ...made,
      http: (request) => {
        seen.push(request.url);
        return made.http(request);
      },
    };
  };
  return seen;
};

const withConfig = (more: object): void => {
  const plain = seams.ports;
  seams.ports = (ports) => {
    const made = plain(ports);
    return { ...made, config: { ...made.config, ...more } };
  };
};

test("an endpoint is answered with its secret once, and never again", async () => {
  const world = await openWebhookWorld();
  const made = await world.call<Endpoint>("POST", PATH, { ...HOOK, description: "Shop" });
  expect(made.status).toBe(201);
  const { secret, ...rest } = made.body;
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  expect(rest).toEqual({
    id: expect.stringMatching(/^whe_[0-9A-Z]{26}$/),
    url: HOOK.url,
    events: ["payout.paid"],
    description: "Shop",
    active: true,
    rate_per_s: 10,
    previous_secret_until: null,
    failing_since: null,
    disabled_at: null,
    disabled_reason: null,
    created_at: new Date(world.now()).toISOString(),
    updated_at: new Date(world.now()).toISOString(),
  });
  const one = `${PATH}/${made.body.id}`;
  expect(await world.ok("GET", one)).toEqual(rest);
  expect((await world.ok<{ data: unknown[] }>("GET", PATH)).data).toEqual([rest]);
  const changed = await world.ok("PATCH", one, { description: null });
  for (const text of [changed, await world.ok("GET", one), await world.deliveries(made.body.id)])
    expect(JSON.stringify(text)).not.toContain("whsec_");
});

test("a request that is repeated under its key makes one endpoint and answers the same secret", async () => {
  const world = await openWebhookWorld();
  const headers = { "idempotency-key": "make it" };
  const [one, two] = [
    await world.call<Endpoint>("POST", PATH, HOOK, headers),
    await world.call<Endpoint>("POST", PATH, HOOK, headers),
  ];
  expect([one.status, two.status]).toEqual([201, 201]);
  expect(two.body).toEqual(one.body);
  expect((await world.ok<{ data: unknown[] }>("GET", PATH)).data).toHaveLength(1);
});

test("an address belongs to one endpoint of a program, however it is written", async () => {
  const world = await openWebhookWorld();
  const first = await world.endpoint(HOOK.url);
  for (const url of [HOOK.url, "https://HOOKS.example.com:443/in"]) {
    const again = await world.call<Refusal>("POST", PATH, { ...HOOK, url });
    expect(refusal(again)).toEqual([409, "webhook_url_taken", "/url"]);
    expect(again.body["endpoint_id"]).toBe(first.id);
  }
  const other = await world.endpoint("https://hooks.example.com/other");
  const moved = await world.call<Refusal>("PATCH", `${PATH}/${other.id}`, { url: HOOK.url });
  expect(refusal(moved)).toEqual([409, "webhook_url_taken", "/url"]);
  expect(await world.ok("GET", `${PATH}/${other.id}`)).toMatchObject({ url: other.url });
  const neighbour = await openWebhookWorld();
  await neighbour.endpoint(HOOK.url);
});

test("a program has twenty endpoints at most, also where many are made at once", async () => {
  const world = await openWebhookWorld();
  const make = (n: number) => world.call<Refusal>("POST", PATH, { ...HOOK, url: `${HOOK.url}/${n}` });
  const answers = await Promise.all(Array.from({ length: 24 }, (_, n) => make(n)));
  expect(answers.map(({ status }) => status).sort()).toEqual([...Array(20).fill(201), ...Array(4).fill(409)]);
  expect(answers.find(({ status }) => status === 409)?.body.code).toBe("too_many_webhook_endpoints");
  const { data } = await world.ok<{ data: Endpoint[] }>("GET", `${PATH}?limit=200`);
  expect(data).toHaveLength(20);
  expect((await world.call("DELETE", `${PATH}/${data[0]?.id}`)).status).toBe(204);
  expect((await make(99)).status).toBe(201);
});

test("a list of endpoints is paged like every other", async () => {
  const world = await openWebhookWorld();
  const made: string[] = [];
  for (const n of [1, 2, 3]) {
    world.advance(5);
    made.push((await world.endpoint(`${HOOK.url}/${n}`)).id);
  }
  interface Page {
    readonly data: Endpoint[];
    readonly next_cursor: string | null;
  }
  const one = await world.ok<Page>("GET", `${PATH}?limit=2&order=asc`);
  const two = await world.ok<Page>("GET", `${PATH}?limit=2&order=asc&cursor=${one.next_cursor}`);
  expect([...one.data, ...two.data].map(({ id }) => id)).toEqual(made);
  expect(two.next_cursor).toBeNull();
});

test("a change takes what it names and nothing else", async () => {
  const world = await openWebhookWorld();
  const made = await world.endpoint(HOOK.url, { description: "Shop" });
  const one = `${PATH}/${made.id}`;
  world.advance(1_000);
  const changed = await world.ok("PATCH", one, { events: ["payout.failed", "payout.failed"], rate_per_s: 3 });
  const { secret: _secret, ...before } = made;
  expect(changed).toEqual({
    ...before,
    events: ["payout.failed"],
    rate_per_s: 3,
    updated_at: new Date(world.now()).toISOString(),
  });
  expect(await world.ok("PATCH", one, { url: "https://hooks.example.com/new" })).toMatchObject({
    url: "https://hooks.example.com/new",
    description: "Shop",
  });
  expect(await world.ok("PATCH", one, {})).toEqual(await world.ok("GET", one));
});

test("switched off by hand it says so, once, in the feed", async () => {
  const world = await openWebhookWorld();
  const made = await world.endpoint(HOOK.url);
  const one = `${PATH}/${made.id}`;
  for (let n = 0; n < 2; n++)
    expect(await world.ok("PATCH", one, { active: false })).toMatchObject({
      active: false,
      disabled_reason: "by_hand",
      disabled_at: new Date(world.now()).toISOString(),
    });
  const { data } = await world.ok<{ data: Loose[] }>("GET", "/v1/events?limit=200");
  expect(data.filter((event) => event["type"] === "webhook_endpoint.disabled")).toMatchObject([
    { actor: { type: "key" }, data: { id: made.id, previous_status: "active", reason: "by_hand" } },
  ]);
  expect(await world.ok("PATCH", one, { active: true })).toMatchObject({
    active: true,
    disabled_reason: null,
    disabled_at: null,
  });
});

test("one that is deleted is gone for every call", async () => {
  const world = await openWebhookWorld();
  const { id } = await world.endpoint(HOOK.url);
  const one = `${PATH}/${id}`;
  expect((await world.call("DELETE", one)).status).toBe(204);
  const calls: [string, string, unknown?][] = [
    ["GET", one],
    ["PATCH", one, { active: true }],
    ["DELETE", one],
    ["POST", `${one}/test`],
    ["POST", `${one}/rotate-secret`, {}],
    ["POST", `${one}/recover`, { since: "2026-11-01T00:00:00Z" }],
    ["GET", `${one}/deliveries`],
  ];
  for (const [method, path, body] of calls) {
    const answer = await world.call(method, path, body);
    expect([method, path, answer.status, answer.body.code]).toEqual([
      method,
      path,
      404,
      "webhook_endpoint_not_found",
    ]);
  }
});

test("bodies that say nothing, too much or something else are refused with their place", async () => {
  const world = await openWebhookWorld();
  const bad: [object, string][] = [
    [{ events: ["*"] }, "/url"],
    [{ url: HOOK.url }, "/events"],
    [{ ...HOOK, events: [] }, "/events"],
    [{ ...HOOK, events: "*" }, "/events"],
    [{ ...HOOK, events: ["payout.payed"] }, "/events/0"],
    [{ ...HOOK, events: ["webhook_endpoint.test"] }, "/events/0"],
    [{ ...HOOK, rate_per_s: 0 }, "/rate_per_s"],
    [{ ...HOOK, rate_per_s: 101 }, "/rate_per_s"],
    [{ ...HOOK, rate_per_s: 1.5 }, "/rate_per_s"],
    [{ ...HOOK, description: "" }, "/description"],
    [{ ...HOOK, description: "x".repeat(201) }, "/description"],
    [{ ...HOOK, url: 5 }, "/url"],
    [{ ...HOOK, headers: { Host: "evil.example" } }, "/headers"],
    [{ ...HOOK, secret: "whsec_mine" }, "/secret"],
  ];
  for (const [body, pointer] of bad)
    expect(refusal(await world.call<Refusal>("POST", PATH, body)), pointer).toEqual([
      422,
      "validation_failed",
      pointer,
    ]);
  const { id } = await world.endpoint(HOOK.url);
  for (const overlap_hours of [-1, 169, 1.5, "24"])
    expect((await world.call("POST", `${PATH}/${id}/rotate-secret`, { overlap_hours })).status).toBe(422);
  for (const body of [{ active: "yes" }, { url: null }, { events: null }, { secret: "x" }])
    expect((await world.call("PATCH", `${PATH}/${id}`, body)).status).toBe(422);
});

describe("an address that leads nowhere public", () => {
  const REFUSED = [
    "http://hooks.example.com/in",
    "https://127.0.0.1/",
    "https://2130706433/",
    "https://[::ffff:169.254.169.254]/",
    "https://localhost/",
    "https://metadata.google.internal/",
    "https://169.254.169.254.nip.io/",
    "https://hooks.example.com:8443/",
    "https://user:hunter2@hooks.example.com/",
    "https:hooks.example.com",
    "https://stipend.test/v1/payouts",
    "http://stipend.test/",
    "javascript:alert(1)",
  ];

  test.each(REFUSED)("is refused when it is given, and nobody is called: %s", async (url) => {
    const world = await openWebhookWorld();
    const { id } = await world.endpoint(HOOK.url);
    const outbound = watchOutbound();
    const made = await world.call<Refusal>("POST", PATH, { ...HOOK, url });
    const moved = await world.call<Refusal>("PATCH", `${PATH}/${id}`, { url });
    for (const answer of [made, moved]) {
      expect(refusal(answer)).toEqual([422, "webhook_url_refused", "/url"]);
      expect(answer.body["detail"]).toMatch(/^url must /);
      expect(JSON.stringify(answer.body)).not.toContain("hunter2");
    }
    expect(outbound).toEqual([]);
    expect(await world.ok("GET", `${PATH}/${id}`)).toMatchObject({ url: HOOK.url });
  });

  test("is asked about again before each attempt: what became this service's own is not called", async () => {
    const world = await openWebhookWorld();
    const sink = world.sink("pay.example.com");
    const { id } = await world.endpoint(sink.url);
    await world.affiliate();
    withConfig({ publicUrl: "https://pay.example.com" });
    await world.pump(2);
    expect(sink.got).toEqual([]);
    expect(await world.deliveries(id)).toMatchObject([
      { status: "due", attempts: 1, http_status: null, error: "url_refused" },
    ]);
    const tested = await world.ok("POST", `${PATH}/${id}/test`);
    expect(tested).toMatchObject({ status: "failed", error: "url_refused", http_status: null });
    expect(sink.got).toEqual([]);
  });
});

describe("this machine", () => {
  const AT_HOME = "http://127.0.0.1:4000/in";

  test("may be called by a test program in development", async () => {
    const world = await openWebhookWorld();
    const sink = world.sink("127.0.0.1:4000");
    await world.endpoint(AT_HOME);
    await world.affiliate();
    await world.pump(2);
    expect(sink.got).toHaveLength(1);
  });

  test("may not be called where this is no development", async () => {
    const world = await openWebhookWorld();
    withConfig({ development: false });
    const answer = await world.call<Refusal>("POST", PATH, { ...HOOK, url: AT_HOME });
    expect(refusal(answer)).toEqual([422, "webhook_url_refused", "/url"]);
  });

  test("may never be called by a live program", async () => {
    const world = await openWebhookWorld();
    const body = { name: unique("Live"), default_currency: "EUR", mode: "live" };
    const root = { authorization: `Bearer ${ROOT_KEY}` };
    const made = await world.call<{ api_key: { secret: string } }>("POST", "/v1/programs", body, root);
    const headers = { authorization: `Bearer ${made.body.api_key.secret}` };
    const answer = await world.call<Refusal>("POST", PATH, { ...HOOK, url: AT_HOME }, headers);
    expect(refusal(answer)).toEqual([422, "webhook_url_refused", "/url"]);
    expect((await world.call("POST", PATH, HOOK, headers)).status).toBe(201);
  });
});

describe("where a resolver is configured", () => {
  type Records = Readonly<Record<"A" | "AAAA", readonly string[]>>;

  const resolving = async (): Promise<{
    world: WebhookWorld;
    state: { records: Records; status: number; answer?: Response };
  }> => {
    const world = await openWebhookWorld();
    withConfig({ dohUrl: "https://resolver.example.com/dns-query?ct=1" });
    const state: { records: Records; status: number; answer?: Response } = {
      records: { A: ["93.184.215.14"], AAAA: ["2606:2800:21f::1"] },
      status: 0,
    };
    world.sink("resolver.example.com").answer = (request) => {
      if (state.answer !== undefined) return state.answer.clone();
      const { searchParams } = new URL(request.url);
      const record = searchParams.get("type") as "A" | "AAAA";
      const type = record === "A" ? 1 : 28;
      const found = state.records[record].map((data) => ({
        name: searchParams.get("name"),
        type,
        TTL: 1,
        data,
      }));
      const alias = { name: "x", type: 5, TTL: 1, data: "alias.example.com." };
      return Response.json({ Status: state.status, Answer: [alias, ...found] });
    };
    return { world, state };
  };

  test("a host with public addresses only is taken", async () => {
    const { world } = await resolving();
    await world.endpoint(HOOK.url);
  });

  test.each([
    ["one private address", { A: ["93.184.215.14", "10.0.0.7"], AAAA: [] }],
    ["the address of a cloud's own data", { A: ["169.254.169.254"], AAAA: [] }],
    ["a private address of IPv6", { A: ["93.184.215.14"], AAAA: ["fd00::1"] }],
    ["this machine written as IPv6", { A: [], AAAA: ["::ffff:127.0.0.1"] }],
    ["what is no address", { A: ["whatever"], AAAA: [] }],
    ["no address at all", { A: [], AAAA: [] }],
  ])("a host with %s is refused", async (_, records) => {
    const { world, state } = await resolving();
    state.records = records;
    const answer = await world.call<Refusal>("POST", PATH, HOOK);
    expect(refusal(answer)).toEqual([422, "webhook_url_refused", "/url"]);
  });

  test.each([
    ["fails", new Response("", { status: 502 })],
    ["says nothing that can be read", new Response("<html>")],
    ["could not ask", Response.json({ Status: 2 })],
    ["leads elsewhere", new Response(null, { status: 302, headers: { location: "https://x.example.com" } })],
  ])("a resolver that %s is trouble that passes, and no yes", async (_, answer) => {
    const { world, state } = await resolving();
    state.answer = answer;
    const refused = await world.call("POST", PATH, HOOK);
    expect([refused.status, refused.body.code, refused.headers.get("retry-after")]).toEqual([
      503,
      "busy",
      "10",
    ]);
    expect((await world.ok<{ data: unknown[] }>("GET", PATH)).data).toEqual([]);
  });

  test("a name that leads inside later is not called, and a resolver that fails costs no attempt", async () => {
    const { world, state } = await resolving();
    const sink = world.sink();
    const { id } = await world.endpoint(sink.url);
    await world.affiliate();
    state.answer = new Response("", { status: 502 });
    await world.pump(2);
    expect(await world.deliveries(id)).toMatchObject([{ status: "due", attempts: 0, error: null }]);
    delete state.answer;
    state.records = { A: ["127.0.0.1"], AAAA: [] };
    world.advance(61_000);
    await world.sweepWebhooks();
    expect(await world.deliveries(id)).toMatchObject([{ status: "due", attempts: 1, error: "url_refused" }]);
    expect(sink.got).toEqual([]);
    state.records = { A: ["93.184.215.14"], AAAA: [] };
    world.advance(6_000);
    await world.sweepWebhooks();
    expect(await world.deliveries(id)).toMatchObject([{ status: "delivered", attempts: 2 }]);
  });
});

describe("a test", () => {
  test("sends one signed message in the call, whatever the endpoint subscribes to, and leaves no trace", async () => {
    const world = await openWebhookWorld();
    const sink = world.sink();
    const endpoint = await world.endpoint(sink.url, { events: ["payout.paid"] });
    const feed = await world.ok("GET", "/v1/events?limit=200");
    const tested = await world.ok("POST", `${PATH}/${endpoint.id}/test`);
    expect(tested).toEqual({
      event_id: expect.stringMatching(/^evt_[0-9A-Z]{26}$/),
      status: "delivered",
      http_status: 200,
      latency_ms: 0,
      error: null,
      response_excerpt: "taken",
    });
    expect(verified(endpoint.secret, sink.got[0] as never)).toMatchObject({
      id: tested["event_id"],
      type: "webhook_endpoint.test",
      position: 0,
      livemode: false,
      data: { object: "webhook_endpoint", id: endpoint.id, status: "active" },
    });
    expect(await world.ok("GET", "/v1/events?limit=200")).toEqual(feed);
    expect(await world.deliveries(endpoint.id)).toEqual([]);
  });

  test("says what became of it where it fails, and switches nothing off", async () => {
    const world = await openWebhookWorld();
    const elsewhere = world.sink("elsewhere.example.com");
    const sink = world.sink();
    const { id } = await world.endpoint(sink.url);
    const answers: [() => Response, object][] = [
      [
        () => new Response("moved", { status: 302, headers: { location: elsewhere.url } }),
        { http_status: 302, error: "redirect", response_excerpt: "moved" },
      ],
      [
        () => new Response(null, { status: 410 }),
        { http_status: 410, error: "gone", response_excerpt: null },
      ],
      [() => new Response("oops", { status: 500 }), { http_status: 500, error: "bad_status" }],
      [
        () => {
          throw new TypeError("fetch failed");
        },
        { http_status: null, error: "connection_failed" },
      ],
    ];
    for (const [answer, expected] of answers) {
      sink.answer = answer;
      expect(await world.ok("POST", `${PATH}/${id}/test`)).toMatchObject({ status: "failed", ...expected });
    }
    expect(elsewhere.got).toEqual([]);
    expect(await world.ok("GET", `${PATH}/${id}`)).toMatchObject({ active: true, failing_since: null });
  });

  test("reaches an endpoint that is switched off, too", async () => {
    const world = await openWebhookWorld();
    const sink = world.sink();
    const { id } = await world.endpoint(sink.url);
    await world.ok("PATCH", `${PATH}/${id}`, { active: false });
    expect(await world.ok("POST", `${PATH}/${id}/test`)).toMatchObject({ status: "delivered" });
    expect(JSON.parse(sink.got[0]?.body ?? "{}")).toMatchObject({ data: { status: "disabled" } });
  });
});

test("the catalogue lists every type with its schema, page by page", async () => {
  const world = await openWebhookWorld();
  interface Page {
    readonly data: { type: string; schema: object }[];
    readonly next_cursor: string | null;
  }
  const whole = await world.ok<Page>("GET", "/v1/event-types");
  expect(whole.next_cursor).toBeNull();
  const types: string[] = [];
  for (let cursor = ""; ; ) {
    const page = await world.ok<Page>("GET", `/v1/event-types?limit=10${cursor}`);
    types.push(...page.data.map(({ type }) => type));
    if (page.next_cursor === null) break;
    cursor = `&cursor=${page.next_cursor}`;
  }
  expect(types).toEqual(whole.data.map(({ type }) => type));
  expect(types).toContain("payout.paid");
  expect(types.at(-1)).toBe("webhook_endpoint.test");
});
