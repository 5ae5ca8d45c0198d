// Programs: what the root key may do, and how a policy changes.
import { expect, test } from "vitest";
import { type Loose, openWorld, ROOT_KEY, unique, type World } from "./world.ts";

const asRoot = { authorization: `Bearer ${ROOT_KEY}` };

interface Made {
  readonly program: Loose & Record<string, unknown>;
  readonly api_key: Record<string, unknown>;
}

const create = (world: World, body: Record<string, unknown> = {}) =>
  world.call<Made>(
    "POST",
    "/v1/programs",
    { name: unique("Shop"), default_currency: "EUR", ...body },
    asRoot,
  );

const eventsOf = async (world: World, type: string): Promise<Loose[]> => {
  const { data } = await world.ok<{ data: Loose[] }>("GET", "/v1/events?limit=200");
  return data.filter((event) => event["type"] === type);
};

test("a new program has the declared policy and a first key that opens everything of it", async () => {
  const world = await openWorld();
  const { status, body } = await create(world);
  expect(status).toBe(201);
  expect(body.program).toMatchObject({
    mode: "test",
    default_currency: "EUR",
    policy_version: 1,
    time_zone: "UTC",
    hold_days: 30,
    minimum_payout: {},
    payout_schedule: { kind: "manual" },
    automatic_payouts: false,
    require_approval: false,
    four_eyes: false,
    auto_approve_commissions: false,
    require_tax_form: false,
    commission_rate_bps: null,
    payout_methods: ["stripe", "paypal", "wise", "bank_transfer", "store_credit", "manual"],
    destination_cooldown_hours: 72,
    currencies: null,
    daily_payout_limit: {},
    legal: {},
    onboarding_return_url: null,
  });
  expect(body.api_key["scopes"]).toEqual(["program:admin"]);
  expect(String(body.api_key["secret"]).startsWith(`${body.api_key["prefix"]}_`)).toBe(true);
  const own = await world.call("GET", "/v1/program", undefined, {
    authorization: `Bearer ${body.api_key["secret"]}`,
  });
  expect(own.body).toEqual(body.program);
});

test("a live program's keys say so", async () => {
  const { body } = await create(await openWorld(), { mode: "live" });
  expect(body.program["mode"]).toBe("live");
  expect(body.api_key["prefix"]).toMatch(/^stp_live_/);
});

test("only the root key makes, lists and re-keys programs", async () => {
  const world = await openWorld();
  const asked: [string, string, unknown][] = [
    ["POST", "/v1/programs", { name: "x", default_currency: "EUR" }],
    ["GET", "/v1/programs", undefined],
    ["POST", `/v1/programs/${world.program.id}/api-keys`, {}],
  ];
  for (const [method, path, body] of asked) {
    expect((await world.call(method, path, body)).status).toBe(403);
    expect((await world.call(method, path, body, { authorization: "Bearer nothing" })).status).toBe(401);
  }
  expect((await world.call("GET", "/v1/program", undefined, asRoot)).status).toBe(403);
});

test("the root key mints an admin key for a program, and for no other id", async () => {
  const world = await openWorld();
  const path = `/v1/programs/${world.program.id}/api-keys`;
  const minted = await world.call<Record<string, unknown>>("POST", path, { name: "Lost and found" }, asRoot);
  expect(minted.status).toBe(201);
  expect(minted.body).toMatchObject({ name: "Lost and found", scopes: ["program:admin"] });
  const own = await world.call("GET", "/v1/program", undefined, {
    authorization: `Bearer ${minted.body["secret"]}`,
  });
  expect(own.body.id).toBe(world.program.id);
  expect((await world.call("POST", "/v1/programs/prg_nobody/api-keys", {}, asRoot)).status).toBe(404);
});

test("programs are listed newest first, page by page", async () => {
  const world = await openWorld();
  const made = [await create(world), await create(world)].map(({ body }) => body.program.id);
  const seen: string[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const at: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page: { body: { data: Loose[]; next_cursor: string | null } } = await world.call(
      "GET",
      `/v1/programs?limit=1${at}`,
      undefined,
      asRoot,
    );
    seen.push(...page.body.data.map(({ id }) => id));
    cursor = page.body.next_cursor;
  }
  expect(new Set(seen).size).toBe(seen.length);
  expect([...seen].sort().reverse()).toEqual(seen);
  for (const id of [world.program.id, ...made]) expect(seen).toContain(id);
});

test("a change of policy replaces the fields it names, counts the version and is announced", async () => {
  const world = await openWorld({ minimum_payout: { USD: 500, EUR: 700 } });
  const after = await world.ok("PATCH", "/v1/program", { minimum_payout: { USD: 900 }, hold_days: 14 });
  expect(after).toMatchObject({
    policy_version: 2,
    minimum_payout: { USD: 900 },
    hold_days: 14,
    time_zone: "UTC",
  });
  expect(await world.ok("GET", "/v1/program")).toEqual(after);
  const [event, ...more] = await eventsOf(world, "program.updated");
  expect(more).toEqual([]);
  expect(event).toMatchObject({ sequence: null, data: { object: "program", id: world.program.id } });
});

test("a change that changes nothing writes nothing", async () => {
  const world = await openWorld({ legal: { name: "Acme", vat_id: "DE1" } });
  const before = await world.ok("GET", "/v1/program");
  expect(await world.ok("PATCH", "/v1/program", {})).toEqual(before);
  expect(
    await world.ok("PATCH", "/v1/program", { hold_days: 0, legal: { vat_id: "DE1", name: "Acme" } }),
  ).toEqual(before);
  expect(await eventsOf(world, "program.updated")).toEqual([]);
});

test("changes at the same moment are all kept", async () => {
  const world = await openWorld();
  const patches = [
    { hold_days: 7 },
    { require_approval: true },
    { four_eyes: true },
    { commission_rate_bps: 1250 },
    { name: "Renamed" },
  ];
  const answers = await Promise.all(patches.map((patch) => world.call("PATCH", "/v1/program", patch)));
  const kept = patches.filter((_, i) => answers[i]?.status === 200);
  expect(answers.every(({ status }) => status === 200 || status === 503)).toBe(true);
  const after = await world.ok("GET", "/v1/program");
  expect(after).toMatchObject(Object.assign({ policy_version: 1 + kept.length }, ...kept));
  expect(await eventsOf(world, "program.updated")).toHaveLength(kept.length);
});

test("the mode never changes, and what is no policy is refused with its place", async () => {
  const world = await openWorld();
  const bad: [Record<string, unknown>, string][] = [
    [{ mode: "live" }, "/mode"],
    [{ time_zone: "Mars/Olympus" }, "/time_zone"],
    [{ time_zone: "+02:00" }, "/time_zone"],
    [{ hold_days: 366 }, "/hold_days"],
    [{ hold_days: 1.5 }, "/hold_days"],
    [{ minimum_payout: { ZZZ: 1 } }, "/minimum_payout/ZZZ"],
    [{ minimum_payout: { EUR: -1 } }, "/minimum_payout/EUR"],
    [{ payout_schedule: { kind: "weekly" } }, "/payout_schedule/weekday"],
    [{ payout_schedule: { kind: "weekly", weekday: 8 } }, "/payout_schedule/weekday"],
    [{ payout_schedule: { kind: "monthly", day_of_month: 0 } }, "/payout_schedule/day_of_month"],
    [{ payout_schedule: { kind: "biweekly", anchor_date: "2026-02-30" } }, "/payout_schedule/anchor_date"],
    [
      { payout_schedule: { kind: "biweekly", anchor_date: "2026-11-02", weekday: 2 } },
      "/payout_schedule/weekday",
    ],
    [{ payout_schedule: { kind: "hourly" } }, "/payout_schedule/kind"],
    [{ payout_methods: [] }, "/payout_methods"],
    [{ payout_methods: ["manual", "manual"] }, "/payout_methods"],
    [{ payout_methods: ["cheque"] }, "/payout_methods/0"],
    [{ destination_cooldown_hours: 721 }, "/destination_cooldown_hours"],
    [{ commission_rate_bps: 10_001 }, "/commission_rate_bps"],
    [{ currencies: [] }, "/currencies"],
    [{ currencies: ["EUR"] }, "/currencies"],
    [{ daily_payout_limit: { EUR: "5" } }, "/daily_payout_limit/EUR"],
    [{ legal: { tax: "x" } }, "/legal/tax"],
    [{ onboarding_return_url: "http://shop.example" }, "/onboarding_return_url"],
    [{ onboarding_return_url: "javascript:alert(1)" }, "/onboarding_return_url"],
    [{ four_eyes: "yes" }, "/four_eyes"],
  ];
  for (const [patch, pointer] of bad) {
    const { status, body } = await world.call<{ errors: { pointer: string }[] }>(
      "PATCH",
      "/v1/program",
      patch,
    );
    expect([status, body.errors[0]?.pointer], JSON.stringify(patch)).toEqual([422, pointer]);
  }
  expect(await world.ok("GET", "/v1/program")).toMatchObject({ mode: "test", policy_version: 1 });
});

test("plain http on localhost is for test programs", async () => {
  const world = await openWorld();
  const url = { onboarding_return_url: "http://localhost:3000/back" };
  expect((await world.call("PATCH", "/v1/program", url)).status).toBe(200);
  expect((await create(world, { mode: "live", ...url })).status).toBe(422);
});

test("a schedule with its fields is kept as it is written", async () => {
  const world = await openWorld();
  for (const payout_schedule of [
    { kind: "weekly", weekday: 5 },
    { kind: "biweekly", anchor_date: "2026-11-02" },
    { kind: "monthly", day_of_month: 31 },
    { kind: "manual" },
  ]) {
    expect(await world.ok("PATCH", "/v1/program", { payout_schedule })).toMatchObject({ payout_schedule });
  }
});

test("reading the policy needs no admin key, changing it does", async () => {
  const world = await openWorld();
  const key = await world.ok("POST", "/v1/api-keys", { name: "reader", scopes: ["affiliates:read"] });
  const headers = { authorization: `Bearer ${key["secret"]}` };
  expect((await world.call("GET", "/v1/program", undefined, headers)).status).toBe(200);
  const refused = await world.call("PATCH", "/v1/program", { hold_days: 1 }, headers);
  expect(refused.status).toBe(403);
  expect(refused.body).toMatchObject({ code: "scope_not_held", required_scope: "program:admin" });
});
