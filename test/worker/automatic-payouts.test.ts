// Automatic payouts: what a scheduled run made is paid by itself, once, when nothing stands in its way any more.
import { beforeEach, describe, expect, it } from "vitest";
import { advanceRun } from "../../src/operations/advance-run.ts";
import { ctxFor } from "../../src/operations/ctx-for.ts";
import { payAutomatically } from "../../src/operations/pay-automatically.ts";
import { listDueAutomatic, settleAutomatic } from "../../src/store/automatic-payments.ts";
import { expectSound, rowsOf } from "./books.ts";
import { generate, readAll } from "./generated.ts";
import { countTrips } from "./round-trips.ts";
import { inTick, runDue, scheduledRuns, tick } from "./ticks.ts";
import { bindings, deliverBatch, type Loose, NOON, openWorld, type World } from "./world.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const MONDAY = NOON + DAY / 2;
const AUTOMATIC = { payout_schedule: { kind: "weekly", weekday: 1 }, automatic_payouts: true };

beforeEach(async () => {
  await bindings.DB.batch([
    bindings.DB.prepare("UPDATE programs SET next_run_at = NULL"),
    bindings.DB.prepare("DELETE FROM automatic_payments"),
  ]);
});

const payouts = (world: World): Promise<Loose[]> => readAll(world, "/v1/payouts?order=asc");
const statuses = async (world: World): Promise<string[]> =>
  (await payouts(world)).map(({ status }) => status);
const waiting = (world: World) =>
  rowsOf<{ payout_id: string }>(
    "SELECT payout_id FROM automatic_payments WHERE program_id = ?1",
    world.program.id,
  );

/** Paid at the provider, once each. */
const expectPaidOnce = async (world: World): Promise<void> => {
  for (const payout of await payouts(world)) {
    const transfers = world.stripe.transfers(payout.id);
    expect(transfers).toHaveLength(payout.status === "paid" ? 1 : 0);
    if (payout.status === "paid") expect(transfers[0]?.amount).toBe(payout["amount"]);
  }
  await expectSound(world);
};

const due = async (policy: object = {}): Promise<{ world: World; id: string }> => {
  const world = await openWorld({ ...AUTOMATIC, ...policy });
  const { id } = await world.stripeAffiliate();
  await world.sale(id, 5_000);
  return { world, id };
};

describe("a program that pays automatically", () => {
  it("pays what its scheduled run made right after it", async () => {
    const { world } = await due();
    const { id } = await world.stripeAffiliate();
    await world.sale(id, 700);
    world.setNow(MONDAY);
    await runDue(world);
    expect(await statuses(world)).toEqual(["paid", "paid"]);
    const [payout] = await payouts(world);
    expect(payout?.["history"]).toMatchObject([
      { to: "pending", actor: "schedule:payout_schedule" },
      { to: "processing", actor: "schedule:automatic_payouts" },
      { to: "paid" },
    ]);
    expect(await waiting(world)).toEqual([]);
    await expectPaidOnce(world);
  });

  it("pays nothing that a person generated, and nothing that was made before it was switched on", async () => {
    const { world, id } = await due({ automatic_payouts: false });
    world.setNow(MONDAY);
    await runDue(world);
    await world.sale(id, 100, { occurred_at: new Date(NOON).toISOString() });
    await world.ok("PATCH", "/v1/program", { automatic_payouts: true });
    await generate(world);
    await runDue(world);
    expect(await statuses(world)).toEqual(["pending", "pending"]);
    await expectPaidOnce(world);
  });

  it("pays nobody while it is switched off, and goes on where it is switched on again", async () => {
    const { world } = await due({ require_approval: true });
    world.setNow(MONDAY);
    await runDue(world);
    await world.ok("PATCH", "/v1/program", { automatic_payouts: false });
    const [payout] = await payouts(world);
    await world.ok("POST", `/v1/payouts/${payout?.id}/approve`, {});
    await runDue(world);
    expect(await statuses(world)).toEqual(["approved"]);
    await world.ok("PATCH", "/v1/program", { automatic_payouts: true });
    await runDue(world);
    expect(await statuses(world)).toEqual(["paid"]);
    await expectPaidOnce(world);
  });

  it("pays once, whatever ticks, hints and repeats fall together, and when a run's pages are taken again", async () => {
    const { world } = await due();
    world.setNow(MONDAY);
    await tick(world);
    const hints = world.hints.splice(0);
    await Promise.all([deliverBatch([...hints, ...hints, ...hints]), tick(world), tick(world), world.cron()]);
    for (let round = 0; round < 10; round++) {
      world.advance(60_000);
      await tick(world);
      await world.cron();
      await world.deliver();
    }
    expect(await statuses(world)).toEqual(["paid"]);
    await deliverBatch(hints);
    await runDue(world);
    await expectPaidOnce(world);
  });

  it("leaves to a person what a person pays: by hand and by bank file", async () => {
    const world = await openWorld(AUTOMATIC);
    const id = await world.affiliate();
    await world.sale(id, 900);
    world.setNow(MONDAY);
    await runDue(world);
    expect(await statuses(world)).toEqual(["pending"]);
    await world.ok("PATCH", `/v1/affiliates/${id}`, { name: "Renamed" });
    await runDue(world);
    expect(await statuses(world)).toEqual(["pending"]);
    // With a rail that pays by itself nobody need ask.
    await world.useStripe(id);
    await runDue(world);
    expect(await statuses(world)).toEqual(["paid"]);
    await expectPaidOnce(world);
  });

  it("does not pay what was cancelled or paid by hand meanwhile", async () => {
    const { world } = await due({ require_approval: true });
    const { id } = await world.stripeAffiliate();
    await world.sale(id, 700);
    world.setNow(MONDAY);
    await runDue(world);
    const [first, second] = await payouts(world);
    await world.ok("POST", `/v1/payouts/${first?.id}/cancel`, {});
    await world.ok("POST", `/v1/payouts/${second?.id}/approve`, {});
    await world.ok("POST", `/v1/payouts/${second?.id}/mark-paid`, { external_ref: "by hand" });
    expect(await waiting(world)).toEqual([]);
    world.advance(3 * DAY);
    await runDue(world);
    expect(await statuses(world)).toEqual(["cancelled", "paid"]);
    expect(world.stripe.transfers(second?.id ?? "")).toEqual([]);
    await expectSound(world);
  });
});

describe("what keeps an automatic payment back", () => {
  it("approval: it is paid when it was given, and not before", async () => {
    const { world } = await due({ require_approval: true });
    world.setNow(MONDAY);
    await runDue(world);
    world.advance(2 * DAY);
    await runDue(world);
    expect(await statuses(world)).toEqual(["pending"]);
    const [payout] = await payouts(world);
    await world.ok("POST", `/v1/payouts/${payout?.id}/approve`, {});
    await runDue(world);
    expect(await statuses(world)).toEqual(["paid"]);
    await expectPaidOnce(world);
  });

  it("approval that is no longer asked for", async () => {
    const { world } = await due({ require_approval: true });
    world.setNow(MONDAY);
    await runDue(world);
    await world.ok("PATCH", "/v1/program", { require_approval: false });
    await runDue(world);
    expect(await statuses(world)).toEqual(["paid"]);
    await expectPaidOnce(world);
  });

  it("a cooldown: it stays pending and says until when, and is paid at that instant", async () => {
    const { world, id } = await due({ destination_cooldown_hours: 48 });
    world.setNow(MONDAY - HOUR);
    const account = String(world.stripe.seedAccount({}).id);
    const method = { payout_method: "stripe", stripe_account_id: account };
    await world.ok("PUT", `/v1/affiliates/${id}/payout-method`, method);
    const until = world.now() + 48 * HOUR;
    world.setNow(MONDAY);
    await runDue(world);
    const [payout] = await payouts(world);
    expect(payout).toMatchObject({ status: "pending" });
    expect(payout?.["blockers"]).toMatchObject([
      { reason: "destination_cooldown", until: new Date(until).toISOString() },
      {},
    ]);
    world.setNow(until - 1);
    await runDue(world, 0);
    expect(await statuses(world)).toEqual(["pending"]);
    world.setNow(until);
    await runDue(world);
    expect(await statuses(world)).toEqual(["paid"]);
    expect(world.stripe.transfers(payout?.id ?? "")).toMatchObject([{ destination: account }]);
    await expectPaidOnce(world);
  });

  it("an account that is not ready: it is paid once the account is", async () => {
    const world = await openWorld(AUTOMATIC);
    await world.ok("PUT", "/v1/program/credentials/stripe", {
      secret_key: `sk_test_${world.program.id.slice(4)}_k`,
    });
    const account = String(world.stripe.seedAccount({ capabilities: { transfers: "inactive" } }).id);
    const id = await world.affiliate();
    const method = { payout_method: "stripe", stripe_account_id: account };
    await world.ok("PUT", `/v1/affiliates/${id}/payout-method`, method);
    await world.sale(id, 900);
    world.setNow(MONDAY);
    await runDue(world);
    expect(await payouts(world)).toMatchObject([
      { status: "pending", blockers: [{ reason: "payout_method_not_ready" }, {}] },
    ]);
    world.advance(10 * 60_000);
    await runDue(world);
    expect(await statuses(world)).toEqual(["pending"]);
    const other = { payout_method: "stripe", stripe_account_id: String(world.stripe.seedAccount({}).id) };
    await world.ok("PATCH", "/v1/program", { destination_cooldown_hours: 0 });
    await world.ok("PUT", `/v1/affiliates/${id}/payout-method`, other);
    await runDue(world);
    expect(await statuses(world)).toEqual(["paid"]);
    await expectPaidOnce(world);
  });

  it("a suspension: it is paid when that is over", async () => {
    const { world, id } = await due({ require_approval: true });
    world.setNow(MONDAY);
    await runDue(world);
    await world.ok("PATCH", `/v1/affiliates/${id}`, { status: "suspended" });
    const [payout] = await payouts(world);
    await world.ok("POST", `/v1/payouts/${payout?.id}/approve`, {});
    await runDue(world);
    expect(await statuses(world)).toEqual(["approved"]);
    await world.ok("PATCH", `/v1/affiliates/${id}`, { status: "active" });
    await runDue(world);
    expect(await statuses(world)).toEqual(["paid"]);
    await expectPaidOnce(world);
  });

  it("the daily limit: the rest is paid on the days after", async () => {
    const { world } = await due({ daily_payout_limit: { USD: 6_000 }, time_zone: "Europe/Berlin" });
    for (let i = 0; i < 2; i++) await world.sale((await world.stripeAffiliate()).id, 5_000);
    world.setNow(MONDAY);
    for (const paid of [1, 2, 3]) {
      await runDue(world);
      expect((await statuses(world)).filter((status) => status === "paid")).toHaveLength(paid);
      world.advance(6 * HOUR);
      await runDue(world);
      expect((await statuses(world)).filter((status) => status === "paid")).toHaveLength(paid);
      // The day of Berlin begins at 23:00 UTC.
      world.setNow(MONDAY + paid * DAY - HOUR);
    }
    await expectPaidOnce(world);
  });

  it("wakes what slept between a look and its end", async () => {
    const { world } = await due({ require_approval: true });
    world.setNow(MONDAY);
    await runDue(world);
    const [payout] = await payouts(world);
    await bindings.DB.prepare("UPDATE automatic_payments SET try_at = 0").run();
    const [seen] = await listDueAutomatic(bindings.DB, world.now(), null, 10);
    if (seen === undefined) throw new Error("nothing is due");
    await world.ok("POST", `/v1/payouts/${payout?.id}/approve`, {});
    await settleAutomatic(bindings.DB, [{ payment: seen, againAt: world.now() + DAY }]);
    await runDue(world);
    expect(await statuses(world)).toEqual(["paid"]);
    await expectPaidOnce(world);
  });
});

describe("a crash", () => {
  it("between the claim and the payment loses nothing: the next tick pays", async () => {
    const { world } = await due();
    world.setNow(MONDAY);
    await tick(world);
    // The queue is gone: neither the run's hint nor the payment's is ever delivered.
    const [run] = await scheduledRuns(world);
    world.hints.splice(0);
    await inTick(async (ports) => {
      const programId = world.program.id as never;
      const ctx = await ctxFor(ports, programId, { type: "schedule", id: "runs" });
      const gone = () => Promise.reject(new Error("the object is gone"));
      const ledgerOf = () => ({ apply: gone, leaseCall: gone, endCall: gone });
      await advanceRun({ ...ctx, ledgerOf, sleep: async () => undefined } as never, run?.id as never);
    });
    expect(await statuses(world)).toEqual(["pending"]);
    world.advance(6 * 60_000);
    await runDue(world);
    expect(await statuses(world)).toEqual(["paid"]);
    await expectPaidOnce(world);
  });
});

describe("looking for automatic payments", () => {
  it("costs one round trip where there is nothing to pay, however many wait for approval", async () => {
    const { world } = await due({ require_approval: true });
    world.setNow(MONDAY);
    await runDue(world);
    expect(await waiting(world)).toHaveLength(1);
    const trips = countTrips();
    expect(await inTick((ports) => payAutomatically(ports))).toBe(0);
    expect(trips.count).toBe(1);
  });
});
