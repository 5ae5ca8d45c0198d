// The balance: every bucket, every currency apart, what comes next, and what stands in the way with its date and its amount.
import { expect, test } from "vitest";
import { countTrips } from "./round-trips.ts";
import { type Loose, openWorld, type World } from "./world.ts";

const DAY_MS = 86_400_000;

interface Bucket extends Record<string, unknown> {
  readonly currency: string;
  readonly blockers: { reason: string; until?: string; missing_amount?: number; payout_id?: string }[];
}

const balancesOf = async (world: World, id: string): Promise<Bucket[]> =>
  (await world.ok<{ balances: Bucket[] }>("GET", `/v1/affiliates/${id}/balance`)).balances;

const balanceOf = async (world: World, id: string, currency = "USD"): Promise<Bucket> => {
  const found = (await balancesOf(world, id)).find((bucket) => bucket.currency === currency);
  if (found === undefined) throw new Error(`no ${currency}`);
  return found;
};

const reasonsOf = async (world: World, id: string): Promise<string[]> =>
  (await balanceOf(world, id)).blockers.map(({ reason }) => reason);

test("an affiliate without money has zeros in its program's default currency", async () => {
  const world = await openWorld();
  const id = await world.affiliate();
  expect(await balancesOf(world, id)).toEqual([
    {
      currency: "USD",
      pending: 0,
      available: 0,
      in_hold_period: 0,
      payable: 0,
      reserved: 0,
      paid: 0,
      recovery_owed: 0,
      store_credit: 0,
      next_payable_at: null,
      next_payout: null,
      blockers: [],
    },
  ]);
});

test("each bucket holds what is in that state, each currency by itself", async () => {
  const world = await openWorld({ hold_days: 10 });
  const id = await world.affiliate();
  const old = { occurred_at: new Date(world.now() - 20 * DAY_MS).toISOString() };
  await world.sale(id, 100, { status: "pending" });
  const held = await world.sale(id, 250, old);
  await world.ok("POST", `/v1/commissions/${held.id}/hold`, { reason: "check it" });
  await world.sale(id, 1_000);
  await world.sale(id, 4_000, old);
  await world.sale(id, 77, { currency: "EUR", ...old });
  expect(await balanceOf(world, id)).toMatchObject({
    pending: 350,
    available: 5_000,
    in_hold_period: 1_000,
    payable: 4_000,
    reserved: 0,
    paid: 0,
    next_payable_at: new Date(world.now() - 3_600_000 + 10 * DAY_MS).toISOString(),
  });
  expect((await balancesOf(world, id)).map(({ currency }) => currency)).toEqual(["EUR", "USD"]);
  expect(await balanceOf(world, id, "EUR")).toMatchObject({ pending: 0, payable: 77 });
  const { blockers } = await balanceOf(world, id);
  expect(blockers.map(({ reason }) => reason)).toEqual([
    "held",
    "commissions_pending_approval",
    "in_hold_period",
  ]);
  expect(blockers[2]?.until).toBe(new Date(world.now() - 3_600_000 + 10 * DAY_MS).toISOString());
});

test("money on its way names the payout, and paid money is paid", async () => {
  const world = await openWorld();
  const id = await world.affiliate();
  await world.sale(id, 3_000);
  const { payouts } = await world.generate();
  const payout = String(payouts[0]?.id);
  expect(await balanceOf(world, id)).toMatchObject({ available: 0, payable: 0, reserved: 3_000, paid: 0 });
  expect((await balanceOf(world, id)).blockers).toMatchObject([
    { reason: "awaiting_payment", payout_id: payout },
  ]);
  await world.ok("POST", `/v1/payouts/${payout}/pay`, {});
  expect((await balanceOf(world, id)).blockers).toMatchObject([
    { reason: "payment_in_progress", payout_id: payout },
  ]);
  await world.drain();
  await world.ok("POST", `/v1/payouts/${payout}/mark-paid`, { external_ref: "bank-1" });
  expect(await balanceOf(world, id)).toMatchObject({ reserved: 0, paid: 3_000, blockers: [] });
});

test("where the program requires approval a payout waits for it", async () => {
  const world = await openWorld({ require_approval: true });
  const id = await world.affiliate();
  await world.sale(id, 3_000);
  await world.generate();
  expect(await reasonsOf(world, id)).toEqual(["awaiting_approval"]);
});

test("a failed payment is named until its commissions are in another payout", async () => {
  const world = await openWorld();
  const { id } = await world.stripeAffiliate();
  await world.sale(id, 2_000);
  const { payouts } = await world.generate();
  world.stripe.addFault({ fault: "account_closed" });
  await world.ok("POST", `/v1/payouts/${payouts[0]?.id}/pay`, {});
  await world.drain();
  const payout = await world.ok("GET", `/v1/payouts/${payouts[0]?.id}`);
  expect(payout.status).toBe("failed");
  expect((await balanceOf(world, id)).blockers).toMatchObject([
    { reason: "payment_failed", payout_id: payout.id },
  ]);
  await world.generate();
  expect(await reasonsOf(world, id)).toEqual(["awaiting_payment"]);
});

test("what is owed stands in the way of the next payment, with the amount that is missing", async () => {
  const world = await openWorld();
  const id = await world.affiliate();
  const sale = await world.sale(id, 3_000);
  const { payouts } = await world.generate();
  await world.ok("POST", `/v1/payouts/${payouts[0]?.id}/mark-paid`, {});
  await world.ok("POST", `/v1/commissions/${sale.id}/reverse`, { amount: 1_200, reason: "sent back" });
  const owing = await balanceOf(world, id);
  expect(owing).toMatchObject({ paid: 3_000, recovery_owed: 1_200, payable: 0 });
  expect(owing.blockers).toMatchObject([{ reason: "recovery_exceeds_earnings", missing_amount: 1_201 }]);
  await world.sale(id, 2_000);
  expect(await balanceOf(world, id)).toMatchObject({ recovery_owed: 1_200, payable: 2_000, blockers: [] });
});

test("a minimum says how much is missing, as soon as it is set", async () => {
  const world = await openWorld();
  const id = await world.affiliate();
  await world.sale(id, 400);
  expect(await reasonsOf(world, id)).toEqual([]);
  await world.ok("PATCH", "/v1/program", { minimum_payout: { USD: 1_000 } });
  expect((await balanceOf(world, id)).blockers).toMatchObject([
    { reason: "below_minimum", missing_amount: 600 },
  ]);
  await world.ok("PATCH", `/v1/affiliates/${id}`, { minimum_payout: { USD: 100 } });
  expect(await reasonsOf(world, id)).toEqual([]);
});

test("suspension, a missing method and a changed destination are said", async () => {
  const world = await openWorld({ payout_methods: ["paypal", "store_credit"] });
  const id = await world.affiliate();
  await world.sale(id, 400);
  expect(await reasonsOf(world, id)).toEqual(["no_payout_method"]);
  const put = (email: string) =>
    world.ok("PUT", `/v1/affiliates/${id}/payout-method`, { payout_method: "paypal", paypal_email: email });
  await put("one@example.com");
  await put("two@example.com");
  await world.ok("PATCH", `/v1/affiliates/${id}`, { status: "suspended" });
  const { blockers } = await balanceOf(world, id);
  expect(blockers.map(({ reason }) => reason)).toEqual(["affiliate_suspended", "destination_cooldown"]);
  expect(blockers[1]?.until).toBe(new Date(world.now() + 72 * 3_600_000).toISOString());
});

test("a schedule says when the next payout is and what is expected of it", async () => {
  const world = await openWorld({ hold_days: 7, payout_schedule: { kind: "weekly", weekday: 1 } });
  const id = await world.affiliate();
  await world.sale(id, 1_000, { occurred_at: new Date(world.now() - 6.8 * DAY_MS).toISOString() });
  await world.sale(id, 300, { occurred_at: new Date(world.now() - 8 * DAY_MS).toISOString() });
  // The clock stands at noon of Sunday, 1 November 2026.
  expect(await balanceOf(world, id)).toMatchObject({
    payable: 300,
    in_hold_period: 1_000,
    next_payout: { date: "2026-11-02", estimated_amount: 1_300 },
  });
  await world.ok("PATCH", "/v1/program", { payout_schedule: { kind: "monthly", day_of_month: 31 } });
  expect(await balanceOf(world, id)).toMatchObject({
    next_payout: { date: "2026-11-30", estimated_amount: 1_300 },
  });
  await world.ok("PATCH", "/v1/program", {
    payout_schedule: { kind: "biweekly", anchor_date: "2026-10-19" },
  });
  expect(await balanceOf(world, id)).toMatchObject({
    next_payout: { date: "2026-11-02", estimated_amount: 1_300 },
  });
  await world.ok("PATCH", "/v1/program", { minimum_payout: { USD: 1_301 } });
  expect(await balanceOf(world, id)).toMatchObject({ next_payout: null });
  await world.ok("PATCH", "/v1/program", { payout_schedule: { kind: "manual" }, minimum_payout: {} });
  expect(await balanceOf(world, id)).toMatchObject({ next_payout: null });
});

test("a credit is payable at once and is a commission", async () => {
  const world = await openWorld({ hold_days: 30 });
  const id = await world.affiliate();
  const path = `/v1/affiliates/${id}/credits`;
  const made = await world.call("POST", path, {
    kind: "bonus",
    amount: 500,
    currency: "USD",
    note: "well done",
    external_id: "b-1",
  });
  expect([made.status, made.body]).toMatchObject([
    201,
    { kind: "bonus", status: "approved", amount: 500, note: "well done", external_id: "b-1", blockers: [] },
  ]);
  const plain = await world.ok("POST", path, { amount: 20, currency: "USD", note: "sorry" });
  expect(plain["kind"]).toBe("credit");
  expect(await balanceOf(world, id)).toMatchObject({ payable: 520, in_hold_period: 0 });
  const again = await world.call("POST", path, {
    kind: "bonus",
    amount: 500,
    currency: "USD",
    note: "well done",
    external_id: "b-1",
  });
  expect([again.status, again.body.id]).toEqual([200, made.body.id]);
  const other = await world.call("POST", path, {
    amount: 501,
    currency: "USD",
    note: "well done",
    external_id: "b-1",
  });
  expect([other.status, other.body.code]).toEqual([409, "duplicate_external_id"]);
  for (const body of [
    { amount: 0, currency: "USD", note: "n" },
    { amount: 1, currency: "USD" },
    { kind: "sale", amount: 1, currency: "USD", note: "n" },
  ]) {
    expect((await world.call("POST", path, body)).status).toBe(422);
  }
  expect(await balanceOf(world, id)).toMatchObject({ payable: 520 });
});

test("the affiliate's commissions and the entries of its book are its own", async () => {
  const world = await openWorld();
  const [id, other] = [await world.affiliate({ external_id: "mine" }), await world.affiliate()];
  for (const amount of [1, 2, 3]) {
    world.advance(1_000);
    await world.sale(id, amount, { status: "pending" });
  }
  await world.sale(other, 99);
  const commissions = await world.ok<{ data: Loose[] }>("GET", "/v1/affiliates/ext:mine/commissions");
  expect(commissions.data.map((commission) => commission["amount"])).toEqual([3, 2, 1]);
  await world.ok("POST", `/v1/commissions/${commissions.data[0]?.id}/approve`, {});
  const first = await world.ok<{ data: Loose[]; next_cursor: string }>(
    "GET",
    "/v1/affiliates/ext:mine/ledger?limit=2",
  );
  const rest = await world.ok<{ data: Loose[]; has_more: boolean }>(
    "GET",
    `/v1/affiliates/ext:mine/ledger?limit=2&cursor=${first.next_cursor}`,
  );
  const rows = [...first.data, ...rest.data].map((row) => [
    row["seq"],
    row["line"],
    row["kind"],
    row["from"],
    row["to"],
    row["amount"],
  ]);
  expect(rows).toEqual([
    [2, 0, "record", "program", "pending", 1],
    [3, 0, "record", "program", "pending", 2],
    [4, 0, "record", "program", "pending", 3],
    [5, 0, "approve", "pending", "available", 3],
  ]);
  expect(rest.has_more).toBe(false);
});

test("a balance costs one round trip", async () => {
  const world = await openWorld({ payout_schedule: { kind: "weekly", weekday: 1 } });
  const id = await world.affiliate({ external_id: "quick" });
  await world.sale(id, 100);
  await balanceOf(world, id);
  const trips = countTrips();
  await balanceOf(world, "ext:quick");
  expect(trips.count).toBe(1);
});
