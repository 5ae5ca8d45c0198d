// Generate: what is due becomes payouts, by period, currency and affiliate; a dry run says the same and writes nothing.
import { describe, expect, it } from "vitest";
import { expectSound } from "./books.ts";
import { type Generated, generate, type Payout } from "./generated.ts";
import { changedTables, readTables } from "./tables.ts";
import { type Loose, openWorld, unique, type World } from "./world.ts";

/** What a payout that would be and one that is have in common. */
const planOf = ({ id: _id, history: _h, created_at: _c, updated_at: _u, run_id: _r, ...rest }: Payout) => ({
  ...rest,
  blockers: rest.blockers.map(({ payout_id: _p, ...blocker }) => blocker),
});

const byAffiliate = (left: { affiliate_id: string; currency: string }, right: typeof left): number =>
  `${left.affiliate_id}${left.currency}` < `${right.affiliate_id}${right.currency}` ? -1 : 1;

const plansOf = (generated: Generated) => [...generated.payouts].sort(byAffiliate).map(planOf);

const affiliatesOf = (generated: Generated): string[] =>
  generated.payouts.map((payout) => payout.affiliate_id);

/** Due in two currencies, owing, on hold, suspended, with a changed destination: one of each. */
const mixed = async (world: World): Promise<void> => {
  const [ada, bea, eve] = [await world.affiliate(), await world.affiliate(), await world.affiliate()];
  await world.sale(ada, 1_000);
  await world.generate();
  const { data } = await world.ok<{ data: Loose[] }>("GET", `/v1/payouts?affiliate_id=${ada}`);
  await world.ok("POST", `/v1/payouts/${data[0]?.id}/mark-paid`, {});
  const paid = await world.ok<{ data: Loose[] }>("GET", `/v1/affiliates/${ada}/commissions`);
  await world.ok("POST", `/v1/commissions/${paid.data[0]?.id}/reverse`, { amount: 400, reason: "part" });
  await world.sale(ada, 2_000);
  await world.sale(ada, 3_000, { currency: "EUR" });
  await world.sale(bea, 700, { status: "pending" });
  await world.sale(eve, 900);
  await world.ok("PATCH", `/v1/affiliates/${eve}`, { status: "suspended" });
  const { id } = await world.stripeAffiliate();
  await world.ok("PUT", `/v1/affiliates/${id}/payout-method`, {
    payout_method: "paypal",
    paypal_email: "a@b.co",
  });
  await world.sale(id, 1_500);
};

describe("a dry run", () => {
  it("writes nothing but its plan, and the run after it makes exactly what it said", async () => {
    const world = await openWorld({ minimum_payout: { USD: 500 } });
    await mixed(world);
    const before = await readTables();
    const dry = await generate(world, { dry_run: true });
    expect(changedTables(before, await readTables())).toEqual(["payout_plan_parts", "payout_plans"]);
    expect(dry).toMatchObject({ status: 200, body: { run_id: null, plan_id: expect.any(String) } });
    expect(dry.body.payouts).toHaveLength(3);
    for (const payout of dry.body.payouts) {
      expect(payout).toMatchObject({
        id: null,
        status: "pending",
        invoice_number: null,
        history: [],
        run_id: null,
      });
    }
    const made = await generate(world);
    expect(made.status).toBe(201);
    expect(plansOf(made.body)).toEqual(plansOf(dry.body));
    expect([...made.body.skipped].sort(byAffiliate)).toEqual([...dry.body.skipped].sort(byAffiliate));
    expect(made.body).toMatchObject({ skipped_count: dry.body.skipped_count, totals: dry.body.totals });
    await expectSound(world);
  });

  it("names no payout that does not exist", async () => {
    const world = await openWorld();
    await world.sale(await world.affiliate(), 1_000);
    const { body } = await generate(world, { dry_run: true });
    expect(JSON.stringify(body)).not.toMatch(/"po_/);
  });

  it("with nothing due is an empty answer, like the run that follows", async () => {
    const world = await openWorld();
    const nothing = { payouts: [], skipped: [], skipped_count: {}, totals: [] };
    expect(await generate(world, { dry_run: true })).toMatchObject({ status: 200, body: nothing });
    expect(await generate(world)).toMatchObject({
      status: 200,
      body: { ...nothing, run_id: expect.stringMatching(/^run_/) },
    });
  });
});

describe("a generated payout", () => {
  it("nets what is owed, per currency, and says what it is made of", async () => {
    const world = await openWorld();
    await mixed(world);
    const { body } = await generate(world);
    const eur = body.payouts.find((payout) => payout.currency === "EUR");
    const usd = body.payouts.find((payout) => payout.gross_amount === 2_000);
    expect(eur).toMatchObject({ currency: "EUR", gross_amount: 3_000, reversal_amount: 0, amount: 3_000 });
    expect(usd).toMatchObject({
      gross_amount: 2_000,
      reversal_amount: 400,
      recovered_amount: 400,
      amount: 1_600,
    });
    expect(usd).toMatchObject({
      status: "pending",
      run_id: body.run_id,
      commission_count: 1,
      livemode: false,
    });
    expect(usd?.history).toEqual([
      { at: usd?.created_at, from: null, to: "pending", actor: expect.any(String) },
    ]);
    expect(body.totals).toEqual([
      { currency: "EUR", amount: 3_000, count: 1 },
      { currency: "USD", amount: 3_100, count: 2 },
    ]);
    expect(body.skipped_count).toEqual({ affiliate_suspended: 1, commissions_pending_approval: 1 });
    await expectSound(world);
  });

  it("of one affiliate in one currency holds all that is due, oldest day first", async () => {
    const world = await openWorld();
    const id = await world.affiliate();
    const days = ["2026-09-03", "2026-08-01", "2026-10-31"];
    const sales = await Promise.all(
      days.map((day) => world.sale(id, 100, { occurred_at: `${day}T12:00:00Z` })),
    );
    const { body } = await generate(world);
    expect(body.payouts).toMatchObject([
      { amount: 300, commission_count: 3, period_start: "2026-08-01", period_end: "2026-11-01" },
    ]);
    expect([...(body.payouts[0]?.commission_ids ?? [])].sort()).toEqual(sales.map((sale) => sale.id).sort());
    await expectSound(world);
  });
});

describe("a period", () => {
  it("without a start takes everything unpaid up to its end, with one only what occurred in it", async () => {
    const world = await openWorld();
    const id = await world.affiliate();
    for (const [day, amount] of [
      ["2026-09-30", 1],
      ["2026-10-01", 10],
      ["2026-10-31", 100],
      ["2026-11-01", 1_000],
    ] as const)
      await world.sale(id, amount, { occurred_at: `${day}T11:00:00Z` });
    const amountOf = async (period: object) =>
      (await generate(world, { dry_run: true, ...period })).body.payouts[0]?.amount;
    expect(await amountOf({ period_end: "2026-10-31" })).toBe(111);
    expect(await amountOf({ period_start: "2026-10-01", period_end: "2026-10-31" })).toBe(110);
    expect(await amountOf({ period_start: "2026-10-31", period_end: "2026-10-31" })).toBe(100);
    expect(await amountOf({ period_start: "2026-11-01", period_end: "2026-11-30" })).toBe(1_000);
    const made = await generate(world, { period_start: "2026-10-01", period_end: "2026-10-31" });
    expect(made.body.payouts).toMatchObject([{ period_start: "2026-10-01", period_end: "2026-10-31" }]);
    expect(await amountOf({ period_end: "2026-11-01" })).toBe(1_001);
  });

  it("is of days in the program's zone, both ends inclusive", async () => {
    const world = await openWorld({ time_zone: "America/New_York" });
    const id = await world.affiliate();
    await world.sale(id, 1, { occurred_at: "2026-10-31T03:59:59.999Z" });
    await world.sale(id, 10, { occurred_at: "2026-10-31T04:00:00Z" });
    await world.sale(id, 100, { occurred_at: "2026-11-01T03:59:59.999Z" });
    await world.sale(id, 1_000, { occurred_at: "2026-11-01T04:00:00Z" });
    const { body } = await generate(world, { period_start: "2026-10-31", period_end: "2026-10-31" });
    expect(body.payouts).toMatchObject([{ amount: 110 }]);
  });

  it("may not begin after today or after its end, and must be of the calendar", async () => {
    const world = await openWorld({ time_zone: "Pacific/Auckland" });
    await world.sale(await world.affiliate(), 100);
    const before = await readTables();
    const bad: [object, string, string][] = [
      [{ period_start: "2026-11-03", period_end: "2026-11-30" }, "period_invalid", "/period_start"],
      [{ period_start: "2026-10-02", period_end: "2026-10-01" }, "period_invalid", "/period_start"],
      [{ period_end: "2026-02-30" }, "validation_failed", "/period_end"],
      [{ period_start: "2026-13-01", period_end: "2026-10-01" }, "validation_failed", "/period_start"],
      [{ period_start: "2026-10-01", period_end: undefined }, "validation_failed", "/period_end"],
    ];
    for (const dry_run of [true, false])
      for (const [period, code, pointer] of bad) {
        const { status, body } = await generate(world, { dry_run, ...period });
        expect([status, body.code, body.errors?.[0]?.pointer], JSON.stringify(period)).toEqual([
          422,
          code,
          pointer,
        ]);
      }
    expect(changedTables(before, await readTables())).toEqual([]);
    expect(
      (await generate(world, { dry_run: true, period_start: "2026-11-02", period_end: "2026-11-02" })).status,
    ).toBe(200);
  });
});

describe("a choice", () => {
  it("of a currency or of affiliates leaves all others alone, by our ids or the caller's own", async () => {
    const world = await openWorld();
    const named = unique("partner");
    const [ada, bea, eve] = [
      await world.affiliate(),
      await world.affiliate({ external_id: named }),
      await world.affiliate(),
    ];
    for (const id of [ada, bea, eve]) await world.sale(id, 1_000);
    await world.sale(ada, 500, { currency: "EUR" });
    const eur = await generate(world, { currency: "EUR" });
    expect(eur.body).toMatchObject({ payouts: [{ affiliate_id: ada, currency: "EUR" }], skipped: [] });
    const two = await generate(world, { affiliate_ids: [eve, `ext:${named}`] });
    expect(affiliatesOf(two.body).sort()).toEqual([bea, eve].sort());
    expect(affiliatesOf((await generate(world)).body)).toEqual([ada]);
    await expectSound(world);
  });

  it("of somebody who is not in the program is refused with the place in the list", async () => {
    const stranger = await (await openWorld()).affiliate();
    const world = await openWorld();
    const ada = await world.affiliate();
    await world.sale(ada, 1_000);
    const before = await readTables();
    for (const id of [stranger, "aff_nobody", "ext:nobody"]) {
      const { status, body } = await generate(world, { affiliate_ids: [ada, id] });
      expect([status, body.code, body.errors?.[0]?.pointer]).toEqual([
        404,
        "affiliate_not_found",
        "/affiliate_ids/1",
      ]);
    }
    expect((await generate(world, { affiliate_ids: [] })).status).toBe(422);
    expect(changedTables(before, await readTables())).toEqual([]);
  });
});

describe("an idempotency key of a generate", () => {
  it("answers the same run again, however much was recorded since, and refuses another body", async () => {
    const world = await openWorld();
    const id = await world.affiliate();
    await world.sale(id, 1_000);
    for (const amount of [10, 20, 30, 40]) await world.sale(await world.affiliate(), amount);
    await world.sale(await world.affiliate(), 300, { status: "pending" });
    const headers = { "idempotency-key": "october" };
    const first = await generate(world, {}, headers);
    await world.sale(id, 2_000);
    const again = await generate(world, {}, headers);
    expect([first.headers.get("idempotent-replayed"), again.headers.get("idempotent-replayed")]).toEqual([
      null,
      "true",
    ]);
    expect([again.status, again.body]).toEqual([first.status, first.body]);
    expect(await generate(world, { currency: "USD" }, headers)).toMatchObject({
      status: 422,
      body: { code: "idempotency_mismatch" },
    });
    expect((await generate(world)).body.payouts).toMatchObject([{ amount: 2_000 }]);
    await expectSound(world);
  });

  it("answers the payouts of that run, whatever became of them", async () => {
    const world = await openWorld();
    await world.sale(await world.affiliate(), 1_000);
    const headers = { "idempotency-key": "october" };
    const { body: first } = await generate(world, {}, headers);
    await world.ok("POST", `/v1/payouts/${first.payouts[0]?.id}/cancel`, { reason: "not yet" });
    const { body: again } = await generate(world, {}, headers);
    expect(again).toMatchObject({ run_id: first.run_id, totals: first.totals, skipped_count: {} });
    expect(again.payouts.map(({ id }) => id)).toEqual(first.payouts.map(({ id }) => id));
    await expectSound(world);
  });
});
