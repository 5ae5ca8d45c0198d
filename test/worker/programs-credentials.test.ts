// A program's Stripe credentials: judged by Stripe, sealed, never given back, and not exchanged under open payments.
import { expect, test } from "vitest";
import { bindings, openWorld, ROOT_KEY, unique, type World } from "./world.ts";

const PATH = "/v1/program/credentials/stripe";

const rowOf = (world: World) =>
  bindings.DB.prepare("SELECT * FROM credentials WHERE program_id = ?1")
    .bind(world.program.id)
    .first<Record<string, unknown>>();

test("what Stripe takes is stored, shown by its last four characters, and never given back", async () => {
  const world = await openWorld();
  expect((await world.call("GET", PATH)).status).toBe(404);
  const secret = "rk_test_platform_abcd";
  const put = await world.ok("PUT", PATH, { secret_key: secret, webhook_secret: "whsec_mine" });
  expect(put).toMatchObject({
    last4: "abcd",
    livemode: false,
    checked_at: new Date(world.now()).toISOString(),
  });
  expect(put["account"]).toMatch(/^acct_/);
  const read = await world.call("GET", PATH);
  expect(read.body).toEqual(put);
  expect(JSON.stringify(read.body)).not.toContain(secret);
  const row = await rowOf(world);
  expect(JSON.stringify(row)).not.toContain("platform_abcd");
  expect(JSON.stringify(row)).not.toContain("whsec_mine");
});

test("a change of credentials is announced without them", async () => {
  const world = await openWorld();
  await world.ok("PUT", PATH, { secret_key: "sk_test_announced_1" });
  const { data } = await world.ok<{ data: Record<string, unknown>[] }>("GET", "/v1/events?limit=200");
  expect(data.filter((event) => event["type"] === "program.updated")).toMatchObject([
    { data: { object: "program", id: world.program.id, reason: "stripe_credentials_changed" } },
  ]);
  expect(JSON.stringify(data)).not.toContain("announced");
});

test("keys of the other mode, of no shape, and such as Stripe refuses are refused with their place", async () => {
  const world = await openWorld();
  const bad: [Record<string, unknown>, string, string][] = [
    [{ secret_key: "sk_live_platform_1" }, "credentials_refused", "/secret_key"],
    [{ secret_key: "pk_test_platform_1" }, "validation_failed", "/secret_key"],
    [{ secret_key: "sk_test_platform_1", webhook_secret: "secret" }, "validation_failed", "/webhook_secret"],
    [{}, "validation_failed", "/secret_key"],
    [{ secret_key: "sk_test_platform_1", extra: 1 }, "validation_failed", "/extra"],
  ];
  for (const [body, code, pointer] of bad) {
    const answer = await world.call<{ code: string; errors: { pointer: string }[] }>("PUT", PATH, body);
    expect([answer.status, answer.body.code, answer.body.errors[0]?.pointer]).toEqual([422, code, pointer]);
    expect(JSON.stringify(answer.body)).not.toContain("platform_1");
  }
  expect(await rowOf(world)).toBeNull();
});

test("a live program refuses a test key", async () => {
  const world = await openWorld();
  const made = await world.call<{ api_key: { secret: string } }>(
    "POST",
    "/v1/programs",
    { name: unique("Live"), default_currency: "EUR", mode: "live" },
    { authorization: `Bearer ${ROOT_KEY}` },
  );
  const headers = { authorization: `Bearer ${made.body.api_key.secret}` };
  const answer = await world.call("PUT", PATH, { secret_key: "sk_test_platform_1" }, headers);
  expect([answer.status, answer.body.code]).toEqual([422, "credentials_refused"]);
});

test("a Stripe that cannot be asked is trouble that passes, and nothing is stored", async () => {
  const world = await openWorld();
  world.stripe.addFault({ fault: "error_500_not_cached", match: { method: "GET", path: "/v1/account" } });
  const answer = await world.call("PUT", PATH, { secret_key: "sk_test_platform_1" });
  expect([answer.status, answer.body.code]).toEqual([503, "busy"]);
  expect(answer.headers.get("retry-after")).toBe("10");
  expect(await rowOf(world)).toBeNull();
});

test("another account's key waits until the payments through the present one are over", async () => {
  const world = await openWorld();
  const { id } = await world.stripeAffiliate();
  await world.sale(id, 1_000);
  const { payouts } = await world.generate();
  world.stripe.addFault({ fault: "drop_after_work", match: { method: "POST", path: "/v1/transfers" } });
  await world.ok("POST", `/v1/payouts/${payouts[0]?.id}/pay`, {});
  await world.deliver();
  const other = { secret_key: "sk_test_another_platform" };
  const refused = await world.call("PUT", PATH, other);
  expect([refused.status, refused.body.code]).toEqual([409, "credentials_in_use"]);
  const same = { secret_key: `sk_test_${world.program.id.slice(4)}_k` };
  expect((await world.call("PUT", PATH, same)).status).toBe(200);
  await world.drain();
  expect(await world.ok("GET", `/v1/payouts/${payouts[0]?.id}`)).toMatchObject({ status: "paid" });
  expect((await world.call("PUT", PATH, other)).status).toBe(200);
});
