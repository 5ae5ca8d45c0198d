// Refunds of every kind, at every moment of a commission's life, against sums that the test makes by itself.
import { describe, expect, it } from "vitest";
import { type Loose, openWorld, type World } from "./world.ts";

interface Buckets {
  readonly pending: number;
  readonly payable: number;
  readonly reserved: number;
  readonly paid: number;
  readonly recovery_owed: number;
}

const buckets = async (world: World, affiliateId: string, currency = "USD"): Promise<Buckets> => {
  const { balances } = await world.ok<{ balances: (Buckets & { currency: string })[] }>(
    "GET",
    `/v1/affiliates/${affiliateId}/balance`,
  );
  const found = balances.find((balance) => balance.currency === currency);
  if (found === undefined) throw new Error(`no balance in ${currency}`);
  const { pending, payable, reserved, paid, recovery_owed } = found;
  return { pending, payable, reserved, paid, recovery_owed };
};

const reverse = (world: World, commission: Loose, amount?: number): Promise<Loose> =>
  world.ok("POST", `/v1/commissions/${commission.id}/reverse`, {
    ...(amount === undefined ? {} : { amount }),
    reason: "returned goods",
  });

const generateOne = async (world: World): Promise<Loose> => {
  const { payouts } = await world.generate();
  const [payout] = payouts;
  if (payout === undefined || payouts.length !== 1)
    throw new Error(`expected one payout, got ${payouts.length}`);
  return payout;
};

const pay = (world: World, payout: Loose): Promise<Loose> =>
  world.ok("POST", `/v1/payouts/${payout.id}/pay`, {}, { prefer: "wait=20" });

const healthy = async (world: World): Promise<void> => {
  expect(await world.verify()).toMatchObject({ ok: true, findings: [] });
};

describe("a refund", () => {
  it("before the claim comes off what is payable", async () => {
    const world = await openWorld();
    const id = await world.affiliate();
    const sale = await world.sale(id, 1_000);
    await reverse(world, sale, 300);
    expect(await buckets(world, id)).toEqual({
      pending: 0,
      payable: 700,
      reserved: 0,
      paid: 0,
      recovery_owed: 0,
    });
    expect(await reverse(world, sale)).toMatchObject({ status: "reversed", reversed_amount: 1_000 });
    expect(await buckets(world, id)).toEqual({
      pending: 0,
      payable: 0,
      reserved: 0,
      paid: 0,
      recovery_owed: 0,
    });
    expect(
      (await world.call("POST", `/v1/commissions/${sale.id}/reverse`, { amount: 1, reason: "again" })).body,
    ).toMatchObject({ code: "refund_exceeds_commission" });
    await healthy(world);
  });

  it("on an unsent payout makes it smaller, and takes all of it where nothing would be left", async () => {
    const world = await openWorld();
    const id = await world.affiliate();
    const [a, b] = [await world.sale(id, 1_000), await world.sale(id, 500)];
    const payout = await generateOne(world);
    await reverse(world, a, 400);
    expect(await world.ok("GET", `/v1/payouts/${payout.id}`)).toMatchObject({
      status: "pending",
      gross_amount: 1_500,
      reversal_amount: 400,
      amount: 1_100,
    });
    await reverse(world, b);
    expect(await buckets(world, id)).toEqual({
      pending: 0,
      payable: 0,
      reserved: 600,
      paid: 0,
      recovery_owed: 0,
    });
    await reverse(world, a);
    expect(await world.ok("GET", `/v1/payouts/${payout.id}`)).toMatchObject({ status: "cancelled" });
    expect(await buckets(world, id)).toEqual({
      pending: 0,
      payable: 0,
      reserved: 0,
      paid: 0,
      recovery_owed: 0,
    });
    await healthy(world);
  });

  it("on a payout whose netted recovery exceeds what remains gives the recovery back too", async () => {
    const world = await openWorld();
    const { id } = await world.stripeAffiliate();
    const first = await world.sale(id, 800);
    expect(await pay(world, await generateOne(world))).toMatchObject({ status: "paid" });
    await reverse(world, first);
    expect(await buckets(world, id)).toMatchObject({ paid: 800, recovery_owed: 800 });
    const second = await world.sale(id, 1_000);
    const netted = await generateOne(world);
    expect(netted).toMatchObject({ gross_amount: 1_000, reversal_amount: 800, amount: 200 });
    await reverse(world, second, 500);
    expect(await world.ok("GET", `/v1/payouts/${netted.id}`)).toMatchObject({ status: "cancelled" });
    expect(await buckets(world, id)).toEqual({
      pending: 0,
      payable: 500,
      reserved: 0,
      paid: 800,
      recovery_owed: 800,
    });
    expect((await world.generate()).skipped).toMatchObject([{ reason: "recovery_exceeds_earnings" }]);
    await healthy(world);
  });

  it("while the payment is under way is owed, and a refusal takes it from its own commission", async () => {
    const world = await openWorld();
    const { id } = await world.stripeAffiliate();
    const [a] = [await world.sale(id, 1_000), await world.sale(id, 500)];
    const payout = await generateOne(world);
    world.stripe.addFault({ fault: "empty_503" });
    await world.ok("POST", `/v1/payouts/${payout.id}/pay`);
    await world.deliver();
    expect(await world.ok("GET", `/v1/payouts/${payout.id}`)).toMatchObject({ status: "processing" });
    await reverse(world, a, 300);
    expect(await buckets(world, id)).toEqual({
      pending: 0,
      payable: 0,
      reserved: 1_500,
      paid: 0,
      recovery_owed: 300,
    });
    world.stripe.addFault({ fault: "account_closed" });
    await world.drain();
    expect(await world.ok("GET", `/v1/payouts/${payout.id}`)).toMatchObject({ status: "failed" });
    expect(await buckets(world, id)).toEqual({
      pending: 0,
      payable: 1_200,
      reserved: 0,
      paid: 0,
      recovery_owed: 0,
    });
    await healthy(world);
  });

  it("after a failed payment comes off what is payable, and a retry pays what is left", async () => {
    const world = await openWorld();
    const { id } = await world.stripeAffiliate();
    const sale = await world.sale(id, 1_000);
    const payout = await generateOne(world);
    world.stripe.addFault({ fault: "balance_insufficient" });
    expect(await pay(world, payout)).toMatchObject({
      status: "failed",
      failure_code: "balance_insufficient",
    });
    await reverse(world, sale, 250);
    expect(await world.ok("POST", `/v1/payouts/${payout.id}/retry`)).toMatchObject({
      status: "pending",
      amount: 750,
      gross_amount: 750,
    });
    expect(await pay(world, payout)).toMatchObject({ status: "paid", amount: 750 });
    expect(world.stripe.transfers(payout.id)).toHaveLength(1);
    expect(await buckets(world, id)).toEqual({
      pending: 0,
      payable: 0,
      reserved: 0,
      paid: 750,
      recovery_owed: 0,
    });
    await healthy(world);
  });

  it("after payment is owed, and the next payout nets it", async () => {
    const world = await openWorld();
    const { id } = await world.stripeAffiliate();
    const sale = await world.sale(id, 1_000);
    expect(await pay(world, await generateOne(world))).toMatchObject({ status: "paid" });
    expect(await reverse(world, sale, 600)).toMatchObject({ status: "paid", reversed_amount: 600 });
    await world.sale(id, 900);
    const next = await generateOne(world);
    expect(next).toMatchObject({ gross_amount: 900, reversal_amount: 600, amount: 300 });
    expect(await pay(world, next)).toMatchObject({ status: "paid" });
    expect(await buckets(world, id)).toEqual({
      pending: 0,
      payable: 0,
      reserved: 0,
      paid: 1_300,
      recovery_owed: 0,
    });
    await healthy(world);
  });

  it("after the money came back comes off the commission that was given back", async () => {
    const world = await openWorld();
    const id = await world.affiliate();
    const sale = await world.sale(id, 1_000);
    const payout = await generateOne(world);
    await world.ok("POST", `/v1/payouts/${payout.id}/mark-paid`, { external_ref: "bank-1" });
    await reverse(world, sale, 100);
    expect(await buckets(world, id)).toMatchObject({ paid: 1_000, recovery_owed: 100 });
    expect(
      await world.ok("POST", `/v1/payouts/${payout.id}/return`, { reason: "account closed" }),
    ).toMatchObject({ status: "returned" });
    expect(await buckets(world, id)).toEqual({
      pending: 0,
      payable: 900,
      reserved: 0,
      paid: 0,
      recovery_owed: 0,
    });
    await reverse(world, sale, 200);
    expect(await buckets(world, id)).toEqual({
      pending: 0,
      payable: 700,
      reserved: 0,
      paid: 0,
      recovery_owed: 0,
    });
    await healthy(world);
  });

  it("in one currency leaves the other alone", async () => {
    const world = await openWorld();
    const id = await world.affiliate();
    const dollars = await world.sale(id, 1_000);
    await world.sale(id, 2_000, { currency: "EUR" });
    const { payouts } = await world.generate();
    expect(payouts.map(({ currency, amount }) => [currency, amount])).toEqual([
      ["EUR", 2_000],
      ["USD", 1_000],
    ]);
    for (const payout of payouts) await world.ok("POST", `/v1/payouts/${payout.id}/mark-paid`, {});
    await reverse(world, dollars);
    expect(await buckets(world, id)).toMatchObject({ paid: 1_000, recovery_owed: 1_000 });
    expect(await buckets(world, id, "EUR")).toMatchObject({ paid: 2_000, recovery_owed: 0 });
    await world.sale(id, 700, { currency: "EUR" });
    expect(await generateOne(world)).toMatchObject({ currency: "EUR", amount: 700, reversal_amount: 0 });
    await healthy(world);
  });

  it("of parts of an order adds up to the commission exactly", async () => {
    const world = await openWorld({ commission_rate_bps: 333 });
    const id = await world.affiliate();
    const sale = await world.ok("POST", "/v1/commissions", {
      affiliate_id: id,
      external_id: "o-1",
      order_amount: 9_999,
      currency: "USD",
      occurred_at: "2026-10-01T00:00:00Z",
    });
    expect(sale).toMatchObject({ amount: 333, status: "pending" });
    let taken = 0;
    for (let i = 0; i < 11; i++) {
      const after = await world.ok("POST", "/v1/commissions/ext:o-1/reverse", {
        order_amount: 909,
        reason: "part",
        external_id: `r-${i}`,
      });
      expect(Number(after["reversed_amount"])).toBeGreaterThanOrEqual(taken);
      taken = Number(after["reversed_amount"]);
    }
    expect(taken).toBe(333);
    expect(
      (await world.call("POST", "/v1/commissions/ext:o-1/reverse", { order_amount: 1, reason: "more" })).body,
    ).toMatchObject({ code: "refund_exceeds_commission" });
    await healthy(world);
  });

  it("under an external_id counts once, whoever sends it how often", async () => {
    const world = await openWorld();
    const id = await world.affiliate();
    const sale = await world.sale(id, 1_000);
    const refund = { amount: 100, reason: "part", external_id: "r-1" };
    for (const key of [undefined, "key-1", "key-2"]) {
      const answer = await world.call(
        "POST",
        `/v1/commissions/${sale.id}/reverse`,
        refund,
        key === undefined ? {} : { "idempotency-key": key },
      );
      expect(answer).toMatchObject({ status: 200, body: { reversed_amount: 100 } });
    }
    expect(
      await world.call("POST", `/v1/commissions/${sale.id}/reverse`, { ...refund, amount: 200 }),
    ).toMatchObject({ status: 409, body: { code: "duplicate_external_id" } });
    expect(await buckets(world, id)).toMatchObject({ payable: 900 });
    await healthy(world);
  });
});
