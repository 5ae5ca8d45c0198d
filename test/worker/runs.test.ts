// Runs: what each generation made and whom it skipped, and how the queue goes on with one that is too long for its call.
import { describe, expect, it } from "vitest";
import { expectSound, rowsOf } from "./books.ts";
import { type Generated, generate, type Page, readAll, type Skip } from "./generated.ts";
import { countTrips } from "./round-trips.ts";
import { seedCrowd } from "./runs-crowd.ts";
import { deliverBatch, type Loose, openWorld, type World } from "./world.ts";

interface Run extends Loose {
  readonly payouts_created: number;
  readonly skipped_count: Readonly<Record<string, number>>;
  readonly totals: Generated["totals"];
}

const readRun = (world: World, id: string | null): Promise<Run> => world.ok("GET", `/v1/payout-runs/${id}`);

const completed = async (world: World): Promise<Loose[]> =>
  (await readAll(world, "/v1/events?limit=200")).filter((event) => event["type"] === "run.completed");

describe("a run", () => {
  it("says what it was asked for, what it made and whom it skipped", async () => {
    const world = await openWorld();
    const [ada, bea] = [await world.affiliate(), await world.affiliate()];
    await world.sale(ada, 1_000);
    await world.sale(ada, 500, { currency: "EUR" });
    await world.sale(bea, 10, { status: "pending" });
    const { body } = await generate(world, { period_start: "2026-10-01" });
    const run = await readRun(world, body.run_id);
    expect(run).toMatchObject({
      id: body.run_id,
      kind: "asked",
      status: "done",
      period_start: "2026-10-01",
      period_end: "2026-11-01",
      currency: null,
      payouts_created: 2,
      skipped_count: { commissions_pending_approval: 1 },
      totals: [
        { currency: "EUR", amount: 500, count: 1 },
        { currency: "USD", amount: 1_000, count: 1 },
      ],
      actor: { type: "key" },
      finished_at: new Date(world.now()).toISOString(),
    });
    expect(run.totals).toEqual(body.totals);
    expect(await completed(world)).toMatchObject([
      { data: { object: "run", id: body.run_id }, sequence: null },
    ]);
    await expectSound(world);
  });

  it("says what it made then, whatever became of its payouts", async () => {
    const world = await openWorld();
    const sale = await world.sale(await world.affiliate(), 1_000);
    await world.sale(await world.affiliate(), 50);
    const { body } = await generate(world);
    const before = await readRun(world, body.run_id);
    const path = `/v1/payouts/${body.payouts.find(({ amount }) => amount === 1_000)?.id}`;
    await world.ok("POST", `/v1/commissions/${sale.id}/reverse`, { amount: 300, reason: "part" });
    for (const verb of ["cancel", "reopen"]) await world.ok("POST", `${path}/${verb}`, {});
    expect(await world.ok("GET", path)).toMatchObject({ amount: 700 });
    expect(await readRun(world, body.run_id)).toEqual(before);
    await expectSound(world);
  });

  it("is listed with all others, newest or oldest first, page by page", async () => {
    const world = await openWorld();
    const made: (string | null)[] = [];
    for (let i = 0; i < 3; i++) {
      world.advance(1_000);
      made.push((await generate(world)).body.run_id);
    }
    const idsOf = (items: readonly { id: string }[]) => items.map(({ id }) => id);
    expect(idsOf(await readAll(world, "/v1/payout-runs?limit=1&order=asc"))).toEqual(made);
    const listed = await world.ok<Page<Run>>("GET", "/v1/payout-runs");
    expect(idsOf(listed.data)).toEqual([...made].reverse());
    expect(listed.data[0]).toEqual(await readRun(world, made[2] ?? null));
    for (const query of ["limit=0", "status=done", "order=up"])
      expect((await world.call("GET", `/v1/payout-runs?${query}`)).status, query).toBe(422);
  });

  it("of a dry run or of a refused call is none", async () => {
    const world = await openWorld();
    await world.sale(await world.affiliate(), 1_000);
    await generate(world, { dry_run: true });
    await generate(world, { period_end: "2026-02-30" });
    expect(await readAll(world, "/v1/payout-runs")).toEqual([]);
  });

  it("of another program is not there", async () => {
    const other = await openWorld();
    const { body } = await generate(other);
    const world = await openWorld();
    for (const id of [body.run_id, "run_nothing", "po_1"])
      for (const path of [`/v1/payout-runs/${id}`, `/v1/payout-runs/${id}/skipped`])
        expect(await world.call("GET", path), path).toMatchObject({
          status: 404,
          body: { code: "run_not_found" },
        });
    expect(await readAll(world, "/v1/payout-runs")).toEqual([]);
  });
});

describe("the skipped of a run", () => {
  it("are listed page by page, forwards and backwards, as the run named them", async () => {
    const world = await openWorld();
    for (let i = 0; i < 5; i++) {
      const id = await world.affiliate();
      await world.sale(id, 100, { status: "pending" });
      await world.sale(id, 100, { status: "pending", currency: "EUR" });
    }
    const { body } = await generate(world);
    expect(body.skipped).toHaveLength(10);
    const path = `/v1/payout-runs/${body.run_id}/skipped`;
    const forwards = await readAll<Skip>(world, `${path}?limit=3&order=asc`);
    expect(forwards).toEqual(body.skipped);
    expect(await readAll<Skip>(world, `${path}?limit=3`)).toEqual(forwards);
    expect(await readAll<Skip>(world, `${path}?limit=3&order=desc`)).toEqual([...forwards].reverse());
  });
});

const CROWD = 1_050;

/** Under the minimum are one in fifty. */
const amountOf = (n: number): number => (n % 50 === 0 ? 99 : 1_000 + n);

const crowdTotal = Array.from({ length: CROWD }, (_, i) => amountOf(i + 1))
  .filter((amount) => amount > 99)
  .reduce((sum, amount) => sum + amount, 0);

/** What the whole crowd comes to, previewed or made. */
const WHOLE = {
  skipped_count: { below_minimum: 21 },
  totals: [{ currency: "USD", amount: crowdTotal, count: 1_029 }],
};

const itemsOf = (runId: string) =>
  rowsOf(
    "SELECT count(*) AS n, count(DISTINCT affiliate_id) AS affiliates FROM run_items WHERE run_id = ?1",
    runId,
  );

describe("a generate for more than a thousand affiliates", () => {
  it("answers 202 with the first, and the queue goes on to the last, whatever is lost or doubled", async () => {
    const world = await openWorld({ minimum_payout: { USD: 100 } });
    await seedCrowd(world, 1, CROWD, amountOf);
    const preview = await generate(world, { dry_run: true });
    expect(preview).toMatchObject({ status: 200, body: { status: "done", ...WHOLE } });
    expect(preview.body.payouts).toHaveLength(1_000);
    const headers = { "idempotency-key": "november" };
    const first = await generate(world, {}, headers);
    const runId = first.body.run_id ?? "";
    expect(first).toMatchObject({
      status: 202,
      body: { status: "running", skipped_count: { below_minimum: 20 } },
    });
    expect(first.body.payouts).toHaveLength(980);
    expect(await readRun(world, runId)).toMatchObject({ status: "running", finished_at: null });
    const again = await generate(world, {}, headers);
    expect([again.status, again.headers.get("idempotent-replayed")]).toEqual([202, "true"]);
    expect(again.body.run_id).toBe(runId);
    expect(world.hints.splice(0)).toMatchObject([{ kind: "run", runId }]);
    await world.cron();
    expect(world.hints).toEqual([]);
    world.advance(60_000);
    await world.cron();
    const [hint] = world.hints.splice(0);
    if (hint === undefined) throw new Error("the sweeper sent no hint");
    await deliverBatch([hint, hint]);
    while (await world.deliver());
    await deliverBatch([hint]);
    expect(await readRun(world, runId)).toMatchObject({ status: "done", payouts_created: 1_029, ...WHOLE });
    expect(await completed(world)).toHaveLength(1);
    expect(await itemsOf(runId)).toEqual([{ n: CROWD, affiliates: CROWD }]);
    const done = await generate(world, {}, headers);
    expect(done.body).toMatchObject({ status: "done", run_id: runId, ...WHOLE });
    expect(done.body.payouts).toHaveLength(1_000);
    await expectSound(world);
  });

  it("answers 201 where exactly a thousand are due: nothing is left for the queue", async () => {
    const world = await openWorld();
    await seedCrowd(world, 5_001, 1_000, () => 10);
    await world.ok("GET", "/v1/payout-runs");
    const trips = countTrips();
    const { status, body } = await generate(world);
    expect(trips.count).toBeLessThanOrEqual(6);
    expect([status, body.status, body.payouts.length, world.hints]).toEqual([201, "done", 1_000, []]);
  });
});
