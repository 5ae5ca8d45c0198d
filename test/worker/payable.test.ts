// What is payable: everybody with something unclaimed, what a generate would make of it now, and what stands in the way.
import { describe, expect, it } from "vitest";
import { type Blocker, generate, type Page, readAll } from "./generated.ts";
import { countTrips } from "./round-trips.ts";
import { seedCrowd } from "./runs-crowd.ts";
import { changedTables, readTables } from "./tables.ts";
import { NOON, openWorld, type World } from "./world.ts";

const DAY = 86_400_000;

interface Payable {
  readonly affiliate_id: string;
  readonly currency: string;
  readonly due: boolean;
  readonly gross_amount: number;
  readonly reversal_amount: number;
  readonly amount: number;
  readonly commission_count: number;
  readonly blockers: readonly Blocker[];
}

const payable = async (world: World, query = ""): Promise<readonly Payable[]> =>
  (await world.ok<Page<Payable>>("GET", `/v1/payouts/payable${query}`)).data;

/** Affiliates in the order of their ids. */
const affiliates = async (world: World, ...more: readonly object[]): Promise<string[]> => {
  const ids: string[] = [];
  for (const overrides of more) {
    world.advance(1);
    ids.push(await world.affiliate({ ...overrides }));
  }
  return ids;
};

const reasonsOf = ({ blockers }: Payable): string[] => blockers.map(({ reason }) => reason);

/** Paid a thousand, of which so much came back. */
const owing = async (world: World, id: string, refunded: number): Promise<void> => {
  const sale = await world.sale(id, 1_000);
  const { payouts } = await world.generate({ affiliate_ids: [id] });
  await world.ok("POST", `/v1/payouts/${payouts[0]?.id}/mark-paid`, {});
  await world.ok("POST", `/v1/commissions/${sale.id}/reverse`, { amount: refunded, reason: "sent back" });
};

describe("what is payable", () => {
  it("is what a generate makes of it, and nothing is written by asking", async () => {
    const world = await openWorld({ minimum_payout: { EUR: 1_000 } });
    const [ada = "", bea = ""] = await affiliates(world, {}, {});
    await owing(world, ada, 400);
    for (const amount of [2_000, 300]) await world.sale(ada, amount);
    await world.sale(ada, 999, { currency: "EUR" });
    await world.sale(bea, 50);
    const before = await readTables();
    const listed = await payable(world);
    expect(changedTables(before, await readTables())).toEqual([]);
    expect(listed).toEqual([
      {
        affiliate_id: ada,
        currency: "EUR",
        due: false,
        gross_amount: 999,
        reversal_amount: 0,
        amount: 999,
        commission_count: 1,
        blockers: [{ reason: "below_minimum", detail: expect.any(String), missing_amount: 1 }],
      },
      {
        affiliate_id: ada,
        currency: "USD",
        due: true,
        gross_amount: 2_300,
        reversal_amount: 400,
        amount: 1_900,
        commission_count: 2,
        blockers: [],
      },
      expect.objectContaining({ affiliate_id: bea, due: true, amount: 50 }),
    ]);
    const { body } = await generate(world);
    expect(
      body.payouts.map(({ affiliate_id, currency, amount }) => [affiliate_id, currency, amount]),
    ).toEqual(
      listed
        .filter(({ due }) => due)
        .map(({ affiliate_id, currency, amount }) => [affiliate_id, currency, amount]),
    );
    expect(await payable(world)).toMatchObject([{ affiliate_id: ada, currency: "EUR" }]);
  });

  it("says why something is not, how much is missing and until when", async () => {
    const world = await openWorld({ hold_days: 30, destination_cooldown_hours: 48 });
    const [ada = "", bea = "", eve = ""] = await affiliates(world, {}, {}, {});
    await world.sale(ada, 1_000, { occurred_at: new Date(NOON - DAY).toISOString() });
    await world.sale(ada, 10, { status: "pending" });
    await world.ok("PATCH", `/v1/affiliates/${ada}`, { status: "suspended" });
    await world.ok("PATCH", "/v1/program", { hold_days: 0 });
    await owing(world, bea, 700);
    await world.sale(bea, 200);
    for (const email of ["one@example.com", "two@example.com"])
      await world.ok("PUT", `/v1/affiliates/${eve}/payout-method`, {
        payout_method: "paypal",
        paypal_email: email,
      });
    await world.sale(eve, 300);
    const [first, second, third] = await payable(world);
    if (first === undefined || second === undefined || third === undefined)
      throw new Error("too few are listed");
    expect(first).toMatchObject({ due: false, gross_amount: 0, amount: 0, commission_count: 0 });
    expect(reasonsOf(first)).toEqual([
      "affiliate_suspended",
      "commissions_pending_approval",
      "in_hold_period",
    ]);
    expect(first.blockers[2]?.until).toBe(new Date(NOON + 29 * DAY).toISOString());
    expect(second).toMatchObject({ due: false, gross_amount: 200, reversal_amount: 200, amount: 0 });
    expect(second.blockers).toMatchObject([{ reason: "recovery_exceeds_earnings", missing_amount: 501 }]);
    expect(third).toMatchObject({ due: true, amount: 300 });
    expect(third.blockers).toMatchObject([
      { reason: "destination_cooldown", until: new Date(world.now() + 2 * DAY).toISOString() },
    ]);
  });

  it("goes up to today, or to the day that is asked for, in the program's zone", async () => {
    const world = await openWorld({ time_zone: "America/New_York" });
    const id = await world.affiliate();
    await world.sale(id, 1, { occurred_at: "2026-11-01T03:59:59.999Z" });
    await world.sale(id, 10, { occurred_at: "2026-11-01T04:00:00Z" });
    expect(await payable(world)).toMatchObject([{ amount: 11, commission_count: 2 }]);
    expect(await payable(world, "?period_end=2026-10-31")).toMatchObject([{ amount: 1, due: true }]);
    expect(await payable(world, "?period_end=2026-10-30")).toMatchObject([
      { amount: 0, due: false, blockers: [{ reason: "outside_period" }] },
    ]);
  });

  it("is narrowed to a currency or an affiliate, by our id or the caller's own", async () => {
    const world = await openWorld();
    const [ada = "", bea = ""] = await affiliates(world, { external_id: "ada" }, {});
    for (const id of [ada, bea])
      for (const currency of ["EUR", "USD"]) await world.sale(id, 500, { currency });
    const places = async (query: string) =>
      (await payable(world, query)).map(({ affiliate_id, currency }) => `${affiliate_id} ${currency}`);
    expect(await places("?currency=EUR")).toEqual([`${ada} EUR`, `${bea} EUR`]);
    expect(await places("?affiliate_id=ext:ada")).toEqual([`${ada} EUR`, `${ada} USD`]);
    expect(await places(`?affiliate_id=${bea}&currency=USD`)).toEqual([`${bea} USD`]);
    for (const nobody of ["aff_nobody", "ext:nobody"])
      expect(await places(`?affiliate_id=${nobody}`)).toEqual([]);
  });

  it("is refused where the question is not understood", async () => {
    const world = await openWorld();
    const bad = ["period_end=2026-02-30", "currency=eur", "affiliate_id=po_1", "limit=201", "status=due"];
    for (const query of bad)
      expect((await world.call("GET", `/v1/payouts/payable?${query}`)).status, query).toBe(422);
    expect((await world.call("GET", "/v1/payouts/payable?cursor=abc")).status).toBe(400);
  });
});

describe("the list of what is payable", () => {
  it("is paged in both orders without losing a currency at a page's edge", async () => {
    const world = await openWorld();
    for (let i = 0; i < 4; i++) {
      const id = await world.affiliate();
      for (const currency of ["EUR", "GBP", "USD"]) await world.sale(id, 100, { currency });
    }
    const whole = await payable(world);
    expect(whole).toHaveLength(12);
    for (const limit of [1, 2, 5]) {
      expect(await readAll<Payable>(world, `/v1/payouts/payable?limit=${limit}`)).toEqual(whole);
      const backwards = await readAll<Payable>(world, `/v1/payouts/payable?limit=${limit}&order=desc`);
      expect(backwards).toEqual([...whole].reverse());
    }
    const euros = await readAll<Payable>(world, "/v1/payouts/payable?limit=1&currency=EUR");
    expect(euros).toEqual(whole.filter(({ currency }) => currency === "EUR"));
  });

  it("reads a page of a large program in one round trip", async () => {
    const world = await openWorld();
    await seedCrowd(world, 30_001, 600, (n) => n);
    await payable(world, "?limit=1");
    const trips = countTrips();
    const page = await world.ok<Page<Payable>>("GET", "/v1/payouts/payable?limit=200");
    expect([page.data.length, page.has_more, trips.count]).toEqual([200, true, 1]);
    const all = await readAll<Payable>(world, "/v1/payouts/payable?limit=200");
    expect(new Set(all.map(({ affiliate_id }) => affiliate_id)).size).toBe(600);
  });
});
