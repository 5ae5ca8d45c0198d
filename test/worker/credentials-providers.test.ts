// A program's credentials with PayPal and Wise: judged by the provider, sealed, never given back, and not exchanged under open payments.
import { describe, expect, test } from "vitest";
import { GOOD, makeWiseKey, openEdge, WISE_PROFILE } from "./credentials-providers.ts";
import { seams } from "./seams.ts";
import { bindings, openWorld, ROOT_KEY, unique, type World } from "./world.ts";

const PAYPAL = { client_id: "client-1", client_secret: GOOD, webhook_id: "WH-1" };
const WISE = { api_token: GOOD, profile_id: WISE_PROFILE };

const PROVIDERS = [
  {
    provider: "paypal",
    body: PAYPAL,
    account: "client-1",
    secretField: "client_secret",
    asked: "POST api-m.sandbox.paypal.com/v1/oauth2/token",
  },
  {
    provider: "wise",
    body: WISE,
    account: WISE_PROFILE,
    secretField: "api_token",
    asked: "GET api.wise-sandbox.com/2026Q3/profiles",
  },
] as const;

const pathOf = (provider: string): string => `/v1/program/credentials/${provider}`;

const rowOf = (world: World, provider: string) =>
  bindings.DB.prepare("SELECT * FROM credentials WHERE program_id = ?1 AND provider = ?2")
    .bind(world.program.id, provider)
    .first<Record<string, unknown>>();

describe.each(PROVIDERS)("$provider", ({ provider, body, account, secretField, asked }) => {
  const path = pathOf(provider);

  test("what the provider takes is stored sealed, shown by its last four characters, and never given back", async () => {
    const world = await openWorld();
    const edge = openEdge();
    expect((await world.call("GET", path)).status).toBe(404);
    const put = await world.ok("PUT", path, body);
    expect(edge.asked).toEqual([asked]);
    const checked_at = new Date(world.now()).toISOString();
    expect(put).toEqual({ account, last4: "9876", livemode: false, checked_at });
    expect((await world.call("GET", path)).body).toEqual(put);
    const stored = JSON.stringify(await rowOf(world, provider));
    for (const secret of ["good-secret", "WH-1"]) expect(stored).not.toContain(secret);
  });

  test("a change is announced without what was changed", async () => {
    const world = await openWorld();
    openEdge();
    await world.ok("PUT", path, body);
    const { data } = await world.ok<{ data: Record<string, unknown>[] }>("GET", "/v1/events?limit=200");
    expect(data.filter((event) => event["type"] === "program.updated")).toMatchObject([
      { data: { object: "program", id: world.program.id, reason: `${provider}_credentials_changed` } },
    ]);
    expect(JSON.stringify(data)).not.toContain("good-secret");
  });

  test("what the provider refuses is refused with its place, and nothing is stored", async () => {
    const world = await openWorld();
    openEdge();
    const answer = await world.call<{ code: string; errors: { pointer: string }[] }>("PUT", path, {
      ...body,
      [secretField]: "bad-secret-1",
    });
    expect([answer.status, answer.body.code, answer.body.errors[0]?.pointer]).toEqual([
      ...[422, "credentials_refused", `/${secretField}`],
    ]);
    expect(JSON.stringify(answer.body)).not.toContain("bad-secret");
    expect(await rowOf(world, provider)).toBeNull();
  });

  test.each([
    ["breaks", () => new Response("oops", { status: 500 })],
    ["says nothing that can be read", () => new Response("<html>", { status: 200 })],
    [
      "cannot be reached",
      () => {
        throw new Error("Network connection lost.");
      },
    ],
  ])("a provider that %s is trouble that passes, and nothing is stored", async (_, trouble) => {
    const world = await openWorld();
    openEdge().answer = trouble;
    const answer = await world.call("PUT", path, body);
    expect([answer.status, answer.body.code, answer.headers.get("retry-after")]).toEqual([503, "busy", "10"]);
    expect(await rowOf(world, provider)).toBeNull();
  });

  test("a live program's secrets go nowhere while the Worker is set up for a simulator", async () => {
    const world = await openWorld();
    const edge = openEdge();
    const before = seams.ports;
    seams.ports = (ports) => {
      const made = before(ports);
      const away = { paypalApiBase: "http://paypal.test", wiseApiBase: "http://wise.test" };
      return { ...made, config: { ...made.config, ...away } };
    };
    const made = await world.call<{ api_key: { secret: string } }>(
      "POST",
      "/v1/programs",
      { name: unique("Live"), default_currency: "EUR", mode: "live" },
      { authorization: `Bearer ${ROOT_KEY}` },
    );
    const headers = { authorization: `Bearer ${made.body.api_key.secret}` };
    const answer = await world.call("PUT", path, body, headers);
    expect([answer.status, answer.body.code]).toEqual([422, "credentials_refused"]);
    expect(edge.asked).toEqual([]);
  });
});

/** An attempt that is under way through an account of the program. */
const openAttempt = async (world: World, rail: string, account: string, state: string): Promise<void> => {
  const row = {
    program_id: world.program.id,
    id: unique("att_open"),
    payout_id: unique("po_open"),
    affiliate_id: "aff_open",
    n: 1,
    rail,
    provider_account: account,
    api_version: "1",
    destination: "ada@example.com",
    idempotency_key: unique("key"),
    request: "{}",
    amount: 1,
    currency: "USD",
    state,
    tries: 0,
    created_at: 1,
    updated_at: 1,
  };
  const names = Object.keys(row);
  await bindings.DB.prepare(
    `INSERT INTO attempts (${names.join()}) VALUES (${names.map((_, i) => `?${i + 1}`).join()})`,
  )
    .bind(...Object.values(row))
    .run();
};

describe("under open payments", () => {
  test.each(["begun", "unknown", "accepted", "deferred", "needs_hand"])(
    "another account waits while a payment through the present one is %s; new secrets of the same account do not",
    async (state) => {
      const world = await openWorld();
      openEdge();
      await world.ok("PUT", pathOf("paypal"), PAYPAL);
      await openAttempt(world, "paypal", "client-1", state);
      const other = await world.call("PUT", pathOf("paypal"), { ...PAYPAL, client_id: "client-2" });
      expect([other.status, other.body.code]).toEqual([409, "credentials_in_use"]);
      expect(await world.ok("GET", pathOf("paypal"))).toMatchObject({ account: "client-1" });
      const rotated = { ...PAYPAL, client_secret: "good-rotated-5555" };
      expect(await world.ok("PUT", pathOf("paypal"), rotated)).toMatchObject({ last4: "5555" });
    },
  );

  test.each(["refused", "settled", "paid_late"])("one that is %s holds nobody up", async (state) => {
    const world = await openWorld();
    openEdge();
    await world.ok("PUT", pathOf("paypal"), PAYPAL);
    await openAttempt(world, "paypal", "client-1", state);
    const other = { ...PAYPAL, client_id: "client-2" };
    expect(await world.ok("PUT", pathOf("paypal"), other)).toMatchObject({ account: "client-2" });
  });

  test("payments through one provider do not hold up another's credentials", async () => {
    const world = await openWorld();
    openEdge();
    await openAttempt(world, "paypal", "client-1", "unknown");
    expect(await world.ok("PUT", pathOf("wise"), WISE)).toMatchObject({ account: WISE_PROFILE });
  });
});

test("what has no shape is refused with its place, and the provider is not asked", async () => {
  const world = await openWorld();
  const edge = openEdge();
  const bad: [string, Record<string, unknown>, string][] = [
    ["paypal", { client_id: "c" }, "/client_secret"],
    ["paypal", { ...PAYPAL, client_id: "a:b" }, "/client_id"],
    ["paypal", { ...PAYPAL, client_secret: "with space" }, "/client_secret"],
    ["paypal", { ...PAYPAL, webhook_id: "" }, "/webhook_id"],
    ["paypal", { ...PAYPAL, mode: "live" }, "/mode"],
    ["wise", { api_token: GOOD }, "/profile_id"],
    ["wise", { ...WISE, profile_id: "../users/1" }, "/profile_id"],
    ["wise", { ...WISE, api_token: "a\r\nb" }, "/api_token"],
    ["wise", { ...WISE, webhook_public_key: 5 }, "/webhook_public_key"],
  ];
  for (const [provider, body, pointer] of bad) {
    const answer = await world.call<{ code: string; errors: { pointer: string }[] }>(
      ...(["PUT", pathOf(provider), body] as const),
    );
    expect([answer.status, answer.body.code, answer.body.errors[0]?.pointer]).toEqual([
      ...[422, "validation_failed", pointer],
    ]);
    expect(JSON.stringify(answer.body)).not.toContain(GOOD);
  }
  expect(edge.asked).toEqual([]);
});

test("Wise's public key is taken as it is pasted, and what is no key is refused", async () => {
  const world = await openWorld();
  openEdge();
  const pem = await makeWiseKey();
  await world.ok("PUT", pathOf("wise"), { ...WISE, webhook_public_key: pem });
  await world.ok("PUT", pathOf("wise"), { ...WISE, webhook_public_key: pem.replaceAll("\n", "\r\n") });
  for (const wrong of ["no key", pem.replace("M", "N").slice(0, 200), pem.replaceAll("PUBLIC", "PRIVATE")]) {
    const answer = await world.call<{ code: string; errors: { pointer: string }[] }>("PUT", pathOf("wise"), {
      ...{ ...WISE, webhook_public_key: wrong },
    });
    expect([answer.status, answer.body.code, answer.body.errors[0]?.pointer]).toEqual([
      ...[422, "credentials_refused", "/webhook_public_key"],
    ]);
  }
});

test("a profile that is not the token's own is refused", async () => {
  const world = await openWorld();
  openEdge();
  const answer = await world.call("PUT", pathOf("wise"), { ...WISE, profile_id: "4712" });
  expect([answer.status, answer.body.code]).toEqual([422, "credentials_refused"]);
});

test("the same request with its idempotency key is stored once and answered the same", async () => {
  const world = await openWorld();
  const edge = openEdge();
  const headers = { "idempotency-key": "store-once" };
  const first = await world.call("PUT", pathOf("paypal"), PAYPAL, headers);
  world.advance(60_000);
  const again = await world.call("PUT", pathOf("paypal"), PAYPAL, headers);
  expect([again.status, again.body]).toEqual([200, first.body]);
  expect(again.headers.get("idempotent-replayed")).toBe("true");
  expect(edge.asked).toHaveLength(1);
});
