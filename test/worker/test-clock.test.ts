// A test program's clock: holds and periods go by it, providers' keys and our own do not, and a live program has none.
import { expect, test } from "vitest";
import { bindings, type Loose, openWorld, ROOT_KEY, unique } from "./world.ts";

const DAY = 86_400_000;
const iso = (ms: number): string => new Date(ms).toISOString();

test("moving the clock ends a hold, and what is made then bears the clock's time", async () => {
  const world = await openWorld({ hold_days: 30 });
  const { id } = await world.stripeAffiliate();
  await world.sale(id, 5_000);
  const early = await world.generate({ period_end: "2026-10-31" });
  expect(early.payouts).toEqual([]);
  const moved = await world.ok("POST", "/v1/test-clock", { advance_to: iso(world.now() + 31 * DAY) });
  expect(moved).toEqual({ now: iso(world.now() + 31 * DAY), before: iso(world.now()) });
  const balance = await world.ok<{ balances: Loose[] }>("GET", `/v1/affiliates/${id}/balance`);
  expect(balance.balances[0]).toMatchObject({ payable: 5_000, in_hold_period: 0 });
  const { payouts } = await world.generate({ period_end: "2026-12-01" });
  expect(payouts).toHaveLength(1);
  expect(payouts[0]?.["created_at"]).toBe(iso(world.now() + 31 * DAY));
  const paid = await world.call("POST", `/v1/payouts/${payouts[0]?.id}/pay`, undefined, {
    prefer: "wait=10",
  });
  expect(paid.body).toMatchObject({ status: "paid" });
  expect(String(paid.body["paid_at"]).slice(0, 10)).toBe("2026-12-02");
  expect((await world.verify()).ok).toBe(true);
});

test("attempts go by real time, so that a provider's memory of a key is not thought to be over", async () => {
  const world = await openWorld();
  const { id, account } = await world.stripeAffiliate();
  await world.sale(id, 5_000);
  await world.ok("POST", "/v1/test-clock", { advance_to: iso(world.now() + 90 * DAY) });
  const { payouts } = await world.generate({ period_end: "2027-01-01" });
  world.stripe.addFault({
    fault: "error_500_not_cached",
    match: { method: "POST", path: "/v1/transfers$", destination: account },
  });
  await world.ok("POST", `/v1/payouts/${payouts[0]?.id}/pay`);
  await world.deliver();
  const attempt = await bindings.DB.prepare(
    "SELECT state, created_at, next_attempt_at FROM attempts WHERE payout_id = ?1",
  )
    .bind(payouts[0]?.id)
    .first<{ state: string; created_at: number; next_attempt_at: number }>();
  expect(attempt?.state).toBe("unknown");
  expect(Math.abs((attempt?.created_at ?? 0) - world.now())).toBeLessThan(DAY);
  await world.ok("POST", "/v1/test-clock", { advance_to: iso(world.now() + 91 * DAY) });
  expect(await world.deliver()).toBe(true);
  expect(await world.ok("GET", `/v1/payouts/${payouts[0]?.id}`)).toMatchObject({ status: "paid" });
  expect(world.stripe.transfers(String(payouts[0]?.id))).toHaveLength(1);
  expect((await world.verify()).ok).toBe(true);
});

test("a payment that takes too long is announced by the clock of its program", async () => {
  const world = await openWorld();
  const { id, account } = await world.stripeAffiliate();
  await world.sale(id, 5_000);
  const { payouts } = await world.generate();
  const match = { method: "POST", path: "/v1/transfers$", destination: account };
  world.stripe.addFault({ fault: "error_500_not_cached", match, times: 50 } as never);
  await world.ok("POST", `/v1/payouts/${payouts[0]?.id}/pay`);
  await world.deliver();
  await world.ok("POST", "/v1/test-clock", { advance_to: iso(world.now() + DAY) });
  await world.cron();
  const { data } = await world.ok<{ data: Loose[] }>("GET", "/v1/events?limit=200");
  expect(data.filter(({ type }) => type === "payout.stalled")).toHaveLength(1);
});

test("the clock goes forward only, and not beyond ten years", async () => {
  const world = await openWorld();
  for (const advance_to of [iso(world.now()), iso(world.now() - 1), iso(world.now() + 4_000 * DAY), "soon"]) {
    const { status, body } = await world.call("POST", "/v1/test-clock", { advance_to });
    expect([status, (body["errors"] as Loose[])[0]?.["pointer"]], advance_to).toEqual([422, "/advance_to"]);
  }
});

test("a live program answers 403", async () => {
  const world = await openWorld();
  const root = { authorization: `Bearer ${ROOT_KEY}` };
  const wish = { name: unique("Live"), default_currency: "USD", mode: "live" };
  const { api_key } = await world.ok<{ api_key: { secret: string } }>("POST", "/v1/programs", wish, root);
  const headers = { authorization: `Bearer ${api_key.secret}` };
  const answer = await world.call("POST", "/v1/test-clock", { advance_to: iso(world.now() + DAY) }, headers);
  expect([answer.status, answer.body.code]).toEqual([403, "forbidden"]);
});

test("a key expires on real time", async () => {
  const world = await openWorld();
  const expires_at = iso(world.now() + DAY);
  const key = await world.ok("POST", "/v1/api-keys", { name: "Day", scopes: ["payouts:read"], expires_at });
  await world.ok("POST", "/v1/test-clock", { advance_to: iso(world.now() + 10 * DAY) });
  const headers = { authorization: `Bearer ${key["secret"]}` };
  expect((await world.call("GET", "/v1/payouts", undefined, headers)).status).toBe(200);
  world.advance(DAY + 1);
  expect((await world.call("GET", "/v1/payouts", undefined, headers)).status).toBe(401);
});
