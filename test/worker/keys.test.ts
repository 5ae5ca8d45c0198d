// API keys: made no wider than their maker, shown once, rotated with an overlap, revoked within half a minute.
import { expect, test } from "vitest";
import type { Ctx } from "../../src/context.ts";
import { Refused } from "../../src/domain/refusals.ts";
import { createApiKey } from "../../src/operations/create-api-key.ts";
import { bindings, type Loose, openWorld, type World } from "./world.ts";

const HOUR_MS = 3_600_000;

const make = (world: World, body: Record<string, unknown> = {}) =>
  world.ok("POST", "/v1/api-keys", { name: "A key", scopes: ["affiliates:read"], ...body });

const tryOut = async (world: World, secret: unknown, path = "/v1/affiliates") =>
  (await world.call("GET", path, undefined, { authorization: `Bearer ${secret}` })).status;

const eventsOf = async (world: World): Promise<Loose[]> => {
  const { data } = await world.ok<{ data: Loose[] }>("GET", "/v1/events?limit=200");
  return data.filter((event) => String(event["type"]).startsWith("api_key."));
};

test("a key opens its scopes, a write includes its read, and the refusal names what is missing", async () => {
  const world = await openWorld();
  const key = await make(world, { scopes: ["commissions:write"], dialect: "affonso" });
  expect(key).toMatchObject({
    scopes: ["commissions:write"],
    dialect: "affonso",
    expires_at: null,
    revoked_at: null,
  });
  expect(await tryOut(world, key["secret"], "/v1/commissions")).toBe(200);
  const refused = await world.call("GET", "/v1/affiliates", undefined, {
    authorization: `Bearer ${key["secret"]}`,
  });
  expect([refused.status, refused.body]).toMatchObject([
    403,
    { code: "scope_not_held", required_scope: "affiliates:read" },
  ]);
});

test("lists show neither a secret nor its hash", async () => {
  const world = await openWorld();
  const key = await make(world);
  const list = await world.call<{ data: Loose[] }>("GET", "/v1/api-keys");
  const row = await bindings.DB.prepare("SELECT hash FROM api_keys WHERE id = ?1")
    .bind(key.id)
    .first<{ hash: string }>();
  expect(list.body.data.map(({ id }) => id)).toContain(key.id);
  const text = JSON.stringify(list.body);
  expect(text).not.toContain(String(key["secret"]));
  expect(text).not.toContain(row?.hash);
  expect(text).toContain(String(key["prefix"]));
  expect(row?.hash).toMatch(/^[0-9a-f]{64}$/);
});

test("bad wishes are refused with their place", async () => {
  const world = await openWorld();
  const bad: [Record<string, unknown>, string][] = [
    [{ scopes: [] }, "/scopes"],
    [{ scopes: ["everything"] }, "/scopes/0"],
    [{ scopes: ["files:read", "files:read"] }, "/scopes"],
    [{ expires_at: new Date(world.now()).toISOString() }, "/expires_at"],
    [{ expires_at: 1 }, "/expires_at"],
    [{ dialect: "esperanto" }, "/dialect"],
    [{ name: "" }, "/name"],
  ];
  for (const [body, pointer] of bad) {
    const wish = { name: "A key", scopes: ["affiliates:read"], ...body };
    const answer = await world.call<{ errors: { pointer: string }[] }>("POST", "/v1/api-keys", wish);
    expect([answer.status, answer.body.errors[0]?.pointer], JSON.stringify(body)).toEqual([422, pointer]);
  }
});

test("a key grants nothing that it does not hold", async () => {
  const wish = { name: "x", dialect: null, expiresAt: null, held: ["commissions:write"] as const };
  const grant = (scope: "payouts:pay" | "program:admin") =>
    createApiKey({} as Ctx, { ...wish, scopes: [scope] });
  for (const scope of ["payouts:pay", "program:admin"] as const) {
    await expect(grant(scope)).rejects.toSatisfy(
      (thrown) => thrown instanceof Refused && thrown.refusal.code === "scope_not_held",
    );
  }
});

test("a key ends at its expiry", async () => {
  const world = await openWorld();
  const key = await make(world, { expires_at: new Date(world.now() + HOUR_MS).toISOString() });
  expect(await tryOut(world, key["secret"])).toBe(200);
  world.advance(HOUR_MS - 1);
  expect(await tryOut(world, key["secret"])).toBe(200);
  world.advance(1);
  expect(await tryOut(world, key["secret"])).toBe(401);
});

test("a revoked key is over within thirty seconds, is announced once, and stays in the list", async () => {
  const world = await openWorld();
  const key = await make(world);
  expect(await tryOut(world, key["secret"])).toBe(200);
  expect((await world.call("DELETE", `/v1/api-keys/${key.id}`)).status).toBe(204);
  world.advance(30_000);
  expect(await tryOut(world, key["secret"])).toBe(401);
  expect((await world.call("DELETE", `/v1/api-keys/${key.id}`)).status).toBe(204);
  const { data } = await world.ok<{ data: Loose[] }>("GET", "/v1/api-keys");
  expect(data.find(({ id }) => id === key.id)?.["revoked_at"]).not.toBeNull();
  expect((await eventsOf(world)).map((event) => [event["type"], (event["data"] as Loose).id])).toEqual([
    ["api_key.created", expect.stringMatching(/^key_/)],
    ["api_key.created", key.id],
    ["api_key.revoked", key.id],
  ]);
});

test("rotation gives a new key of the same scopes and the old one its overlap", async () => {
  const world = await openWorld();
  const old = await make(world, { scopes: ["affiliates:read", "reports:read"], dialect: "loop" });
  const fresh = await world.ok("POST", `/v1/api-keys/${old.id}/rotate`, { overlap_hours: 2 });
  expect(fresh).toMatchObject({
    name: "A key",
    scopes: ["affiliates:read", "reports:read"],
    dialect: "loop",
  });
  expect(fresh.id).not.toBe(old.id);
  world.advance(2 * HOUR_MS - 1);
  expect(await tryOut(world, old["secret"])).toBe(200);
  expect(await tryOut(world, fresh["secret"])).toBe(200);
  world.advance(1);
  expect(await tryOut(world, old["secret"])).toBe(401);
  expect(await tryOut(world, fresh["secret"])).toBe(200);
});

test("the overlap is a day unless asked otherwise, and never longer than the old key had", async () => {
  const world = await openWorld();
  const [open, short] = [
    await make(world),
    await make(world, { expires_at: new Date(world.now() + HOUR_MS).toISOString() }),
  ];
  await world.ok("POST", `/v1/api-keys/${open.id}/rotate`);
  const fresh = await world.ok("POST", `/v1/api-keys/${short.id}/rotate`, {});
  expect(fresh["expires_at"]).toBe(short["expires_at"]);
  const { data } = await world.ok<{ data: Loose[] }>("GET", "/v1/api-keys");
  const endOf = (id: string) => data.find((key) => key.id === id)?.["expires_at"];
  expect(endOf(open.id)).toBe(new Date(world.now() + 24 * HOUR_MS).toISOString());
  expect(endOf(short.id)).toBe(short["expires_at"]);
});

test("what is over cannot be rotated", async () => {
  const world = await openWorld();
  const key = await make(world);
  await world.call("DELETE", `/v1/api-keys/${key.id}`);
  const answer = await world.call("POST", `/v1/api-keys/${key.id}/rotate`, {});
  expect([answer.status, answer.body.code]).toEqual([409, "invalid_state"]);
  expect((await world.call("POST", `/v1/api-keys/${key.id}/rotate`, { overlap_hours: 169 })).status).toBe(
    422,
  );
});

test("another program's key is not there", async () => {
  const [other, world] = [await openWorld(), await openWorld()];
  const key = await make(other);
  for (const [method, path] of [
    ["DELETE", `/v1/api-keys/${key.id}`],
    ["POST", `/v1/api-keys/${key.id}/rotate`],
    ["DELETE", "/v1/api-keys/key_nothing"],
  ] as const) {
    const answer = await world.call(method, path);
    expect([answer.status, answer.body.code]).toEqual([404, "key_not_found"]);
  }
  expect(await tryOut(other, key["secret"])).toBe(200);
  const { data } = await world.ok<{ data: Loose[] }>("GET", "/v1/api-keys");
  expect(data.map(({ id }) => id)).not.toContain(key.id);
});

test("the last use is written down", async () => {
  const world = await openWorld();
  const key = await make(world);
  await tryOut(world, key["secret"]);
  await expect
    .poll(async () => {
      const { data } = await world.ok<{ data: Loose[] }>("GET", "/v1/api-keys");
      return data.find(({ id }) => id === key.id)?.["last_used_at"];
    })
    .toBe(new Date(world.now()).toISOString());
});

test("keys are listed page by page", async () => {
  const world = await openWorld();
  for (const name of ["a", "b", "c"]) {
    world.advance(1);
    await make(world, { name });
  }
  const first = await world.ok<{ data: Loose[]; has_more: boolean; next_cursor: string }>(
    "GET",
    "/v1/api-keys?limit=2",
  );
  expect(first.data.map((key) => key["name"])).toEqual(["c", "b"]);
  const next = await world.ok<{ data: Loose[] }>("GET", `/v1/api-keys?limit=2&cursor=${first.next_cursor}`);
  expect(next.data.map((key) => key["name"])).toEqual(["a", "First key"]);
});
