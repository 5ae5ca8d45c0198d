// Scheduled runs: each due period once, in the program's own days, however the clock is looked at.
import { beforeEach, describe, expect, it } from "vitest";
import { runSchedules } from "../../src/operations/run-schedules.ts";
import { atOnce, expectSound, rowsOf } from "./books.ts";
import { readAll } from "./generated.ts";
import { countTrips } from "./round-trips.ts";
import { seedCrowd } from "./runs-crowd.ts";
import { seams } from "./seams.ts";
import { inTick, type Run, runDue, scheduledRuns, tick } from "./ticks.ts";
import { bindings, deliverBatch, type Loose, NOON, openWorld, type World } from "./world.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Monday, 2 November 2026; the worlds begin at noon of the Sunday before. */
const MONDAY = NOON + DAY / 2;
const weekly = (weekday: number) => ({ payout_schedule: { kind: "weekly", weekday } });
const iso = (ms: number): string => new Date(ms).toISOString();

const saleAt = (world: World, id: string, amount: number, at: number) =>
  world.sale(id, amount, { occurred_at: iso(at) });

const periodsOf = async (world: World): Promise<string[]> =>
  (await scheduledRuns(world)).map((run) => run.period_end);

const payoutsOf = (world: World, run: Run | undefined): Promise<Loose[]> =>
  readAll(world, `/v1/payouts?run_id=${run?.id}`);

/** A tick is for all programs: those of the tests before have nothing due. */
beforeEach(async () => {
  await bindings.DB.prepare("UPDATE programs SET next_run_at = NULL").run();
});

describe("a scheduled run", () => {
  it("starts with the day in the program's zone and takes what occurred up to the day before", async () => {
    const world = await openWorld({ ...weekly(1), time_zone: "America/New_York" });
    const id = await world.affiliate();
    const starts = MONDAY + 5 * HOUR;
    await saleAt(world, id, 1_000, NOON - DAY);
    await saleAt(world, id, 300, NOON - 40 * DAY);
    world.setNow(starts - 1);
    await saleAt(world, id, 20, starts - 1);
    expect(await tick(world)).toBe(0);
    world.setNow(starts + 10 * 60_000);
    await saleAt(world, id, 7, starts);
    await runDue(world);
    const [run, ...more] = await scheduledRuns(world);
    expect(more).toEqual([]);
    expect(run).toMatchObject({
      status: "done",
      as_of: iso(starts),
      period_start: null,
      period_end: "2026-11-01",
      time_zone: "America/New_York",
      planned: 1,
      payouts_created: 1,
      payouts_failed: 0,
      actor: { type: "schedule", id: "payout_schedule" },
    });
    expect(await payoutsOf(world, run)).toMatchObject([
      { amount: 1_320, period_start: "2026-09-22", period_end: "2026-11-01", status: "pending" },
    ]);
    await expectSound(world);
  });

  it("is made once, however many ticks fall at once and afterwards", async () => {
    const world = await openWorld(weekly(1));
    await saleAt(world, await world.affiliate(), 1_000, NOON);
    world.setNow(MONDAY);
    const made = await atOnce(5, () => tick(world));
    expect(made.reduce((sum, n) => sum + n, 0)).toBe(1);
    await runDue(world);
    world.advance(3 * DAY);
    await runDue(world);
    expect(await scheduledRuns(world)).toHaveLength(1);
    expect(await readAll(world, "/v1/payouts")).toHaveLength(1);
    await expectSound(world);
  });

  it("is taken up by the sweeper where its hint was lost, and by any number of doubled hints", async () => {
    const world = await openWorld(weekly(1));
    await saleAt(world, await world.affiliate(), 1_000, NOON);
    world.setNow(MONDAY);
    await tick(world);
    const [hint] = world.hints.splice(0);
    if (hint === undefined) throw new Error("no hint was sent");
    expect((await scheduledRuns(world))[0]).toMatchObject({
      status: "running",
      planned: 1,
      payouts_created: 0,
    });
    world.advance(60_000);
    await world.cron();
    expect(world.hints).toEqual([hint]);
    await deliverBatch([hint, hint, hint]);
    expect((await scheduledRuns(world))[0]).toMatchObject({ status: "done", payouts_created: 1 });
    expect(await readAll(world, "/v1/payouts")).toHaveLength(1);
    await expectSound(world);
  });

  it("leaves over to the next what is under the minimum or on hold", async () => {
    const world = await openWorld({ ...weekly(1), hold_days: 5, minimum_payout: { USD: 1_000 } });
    const [small, late] = [await world.affiliate(), await world.affiliate()];
    await saleAt(world, small, 700, NOON - 10 * DAY);
    await saleAt(world, late, 2_000, NOON - DAY);
    world.setNow(MONDAY);
    await runDue(world);
    await saleAt(world, small, 300, NOON - 9 * DAY);
    world.setNow(MONDAY + 7 * DAY);
    await runDue(world);
    const [first, second] = await scheduledRuns(world);
    expect(first).toMatchObject({
      planned: 2,
      payouts_created: 0,
      skipped_count: { below_minimum: 1, in_hold_period: 1 },
    });
    expect(second).toMatchObject({ planned: 2, payouts_created: 2, skipped_count: {} });
    const amounts = (await payoutsOf(world, second)).map((payout) => payout["amount"]);
    expect(amounts.sort()).toEqual([1_000, 2_000]);
    await expectSound(world);
  });

  it("with nothing due is a run all the same, and over at once", async () => {
    const world = await openWorld(weekly(1));
    world.setNow(MONDAY);
    await runDue(world);
    expect(await scheduledRuns(world)).toMatchObject([{ status: "done", planned: 0, payouts_created: 0 }]);
  });
});

describe("periods that were missed", () => {
  it("are made up for in order, each with what was its own", async () => {
    const world = await openWorld(weekly(1));
    const id = await world.affiliate();
    const weeks = [0, 1, 2, 3];
    for (const week of weeks) {
      world.setNow(NOON + week * 7 * DAY);
      await saleAt(world, id, 100 * 10 ** week, world.now());
    }
    world.setNow(MONDAY + 21 * DAY + HOUR);
    expect(await tick(world)).toBe(4);
    const runs = await scheduledRuns(world);
    expect(runs.map((run) => run.period_end)).toEqual([
      "2026-11-01",
      "2026-11-08",
      "2026-11-15",
      "2026-11-22",
    ]);
    expect(world.hints).toMatchObject([{ runId: runs[0]?.id }]);
    // A later one that is called for first waits for the earlier ones.
    await deliverBatch(
      [3, 1].map((n) => ({ ...(world.hints[0] as { kind: "run" }), runId: runs[n]?.id })) as never,
    );
    expect(await readAll(world, "/v1/payouts")).toEqual([]);
    await runDue(world);
    const after = await scheduledRuns(world);
    expect(after.map(({ status }) => status)).toEqual(["done", "done", "done", "done"]);
    for (const [week, run] of after.entries())
      expect(await payoutsOf(world, run)).toMatchObject([
        { amount: 100 * 10 ** week, period_end: run.period_end },
      ]);
    await expectSound(world);
  });

  it("wait for an earlier run that is not done, and go on by themselves when it is", async () => {
    const world = await openWorld(weekly(1));
    await saleAt(world, await world.affiliate(), 1_000, NOON);
    world.setNow(MONDAY + 8 * DAY);
    await tick(world);
    world.hints.splice(0);
    world.advance(60_000);
    await world.cron();
    const [first, second] = await scheduledRuns(world);
    expect(world.hints).toMatchObject([{ runId: first?.id }]);
    await world.deliver();
    expect(world.hints).toMatchObject([{ runId: second?.id }]);
    await world.deliver();
    expect((await scheduledRuns(world)).map(({ status }) => status)).toEqual(["done", "done"]);
  });
});

describe("a schedule", () => {
  it("that was just set counts only days that begin afterwards", async () => {
    const world = await openWorld();
    await saleAt(world, await world.affiliate(), 1_000, NOON);
    world.setNow(MONDAY + HOUR);
    await world.ok("PATCH", "/v1/program", weekly(1));
    expect(await tick(world)).toBe(0);
    world.setNow(MONDAY + 7 * DAY - 1);
    expect(await tick(world)).toBe(0);
    world.setNow(MONDAY + 7 * DAY);
    expect(await tick(world)).toBe(1);
    expect(await periodsOf(world)).toEqual(["2026-11-08"]);
  });

  it("that is set again as it was, or beside another change, goes on as it did", async () => {
    const world = await openWorld(weekly(1));
    world.setNow(MONDAY - 1);
    await world.ok("PATCH", "/v1/program", weekly(1));
    await world.ok("PATCH", "/v1/program", { ...weekly(1), hold_days: 3 });
    world.setNow(MONDAY);
    expect(await tick(world)).toBe(1);
  });

  it("that changed makes no period again, in another zone neither", async () => {
    const world = await openWorld(weekly(1));
    const id = await world.affiliate();
    await saleAt(world, id, 1_000, NOON);
    world.setNow(MONDAY + 60_000);
    await runDue(world);
    // There the same Monday begins eleven hours later.
    await world.ok("PATCH", "/v1/program", { time_zone: "Pacific/Pago_Pago" });
    await saleAt(world, id, 50, NOON);
    world.setNow(MONDAY + 12 * HOUR);
    await runDue(world);
    expect(await periodsOf(world)).toEqual(["2026-11-01"]);
    await world.ok("PATCH", "/v1/program", { payout_schedule: { kind: "monthly", day_of_month: 9 } });
    await world.ok("PATCH", "/v1/program", weekly(1));
    world.setNow(MONDAY + 8 * DAY);
    await runDue(world);
    expect(await periodsOf(world)).toEqual(["2026-11-01", "2026-11-08"]);
    await expectSound(world);
  });

  it("that changed keeps the run of a period that was due before", async () => {
    const world = await openWorld(weekly(1));
    await saleAt(world, await world.affiliate(), 1_000, NOON);
    world.setNow(MONDAY + HOUR);
    await world.ok("PATCH", "/v1/program", { payout_schedule: { kind: "monthly", day_of_month: 15 } });
    expect(await periodsOf(world)).toEqual(["2026-11-01"]);
    await world.deliver();
    expect(await readAll(world, "/v1/payouts")).toHaveLength(1);
    world.setNow(MONDAY + 13 * DAY);
    await runDue(world);
    expect(await periodsOf(world)).toEqual(["2026-11-01", "2026-11-14"]);
  });

  it("that was switched off makes nothing any more, and nothing for the time in which it was off", async () => {
    const world = await openWorld(weekly(1));
    await saleAt(world, await world.affiliate(), 1_000, NOON);
    world.setNow(MONDAY + HOUR);
    await world.ok("PATCH", "/v1/program", { payout_schedule: { kind: "manual" } });
    world.setNow(MONDAY + 20 * DAY);
    expect(await tick(world)).toBe(0);
    await world.ok("PATCH", "/v1/program", weekly(1));
    expect(await tick(world)).toBe(0);
    world.setNow(MONDAY + 21 * DAY);
    await runDue(world);
    expect(await periodsOf(world)).toEqual(["2026-11-22"]);
  });

  it("is found where the zone's rules changed since its next start was written down", async () => {
    for (const stale of [HOUR, -HOUR]) {
      const world = await openWorld(weekly(1));
      const remembered = bindings.DB.prepare("UPDATE programs SET next_run_at = ?2 WHERE id = ?1");
      await remembered.bind(world.program.id, MONDAY + stale).run();
      for (const at of [-HOUR, 0, HOUR, 2 * HOUR, 7 * DAY - 1]) {
        world.setNow(MONDAY + at);
        await tick(world);
      }
      expect(await scheduledRuns(world)).toMatchObject([{ period_end: "2026-11-01", as_of: iso(MONDAY) }]);
      world.setNow(MONDAY + 7 * DAY);
      expect(await tick(world)).toBe(1);
    }
  });

  it("of a test program goes by that program's clock", async () => {
    const world = await openWorld(weekly(1));
    await saleAt(world, await world.affiliate(), 1_000, NOON - DAY);
    await world.ok("POST", "/v1/test-clock", { advance_to: iso(MONDAY + 7 * DAY + HOUR) });
    await runDue(world);
    expect(await scheduledRuns(world)).toMatchObject([
      { period_end: "2026-11-01", as_of: iso(MONDAY), payouts_created: 1 },
      { period_end: "2026-11-08", as_of: iso(MONDAY + 7 * DAY) },
    ]);
    await expectSound(world);
  });
});

describe("a tick", () => {
  it("with nothing due asks D1 once", async () => {
    const world = await openWorld(weekly(1));
    const trips = countTrips();
    await inTick((ports) => runSchedules(ports, world.now()));
    expect(trips.count).toBe(1);
  });

  const clone = (world: World, count: number, set = "policy") =>
    bindings.DB.prepare(
      `INSERT INTO programs (id, name, mode, default_currency, policy, policy_version, clock_offset, next_run_at, created_at)
       SELECT 'prg_' || printf('%026d', j.value) || ?2, name, mode, default_currency, ${set}, 1, 0, ?3, created_at
       FROM programs, (WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < ?4) SELECT value FROM n) j WHERE id = ?1`,
    )
      .bind(world.program.id, world.program.id.slice(-6), MONDAY, count)
      .run();

  it("makes the runs of any number of programs, page by page", async () => {
    const world = await openWorld(weekly(1));
    await clone(world, 230);
    world.setNow(MONDAY);
    const trips = countTrips();
    expect(await inTick((ports) => runSchedules(ports, world.now()))).toBe(231);
    expect(trips.count).toBe(231 + 3);
    expect(await inTick((ports) => runSchedules(ports, world.now()))).toBe(0);
    expect(world.hints).toHaveLength(231);
  });

  it("that cannot read one program makes the runs of all others", async () => {
    const world = await openWorld(weekly(1));
    await clone(world, 1, `json_set(policy, '$.time_zone', 'Mars/Olympus')`);
    world.setNow(MONDAY);
    expect(await tick(world)).toBe(1);
    expect(await periodsOf(world)).toEqual(["2026-11-01"]);
  });
});

describe("a run of more affiliates than one page", () => {
  /** Every trip to D1 takes this long by the test's clock. */
  const slowly = (world: World, ms: number): void => {
    const { ports } = seams;
    seams.ports = (made) => {
      const own = ports(made);
      const batch = (statements: D1PreparedStatement[]) => {
        world.advance(ms);
        return own.db.batch(statements);
      };
      return {
        ...own,
        db: { prepare: (sql: string) => own.db.prepare(sql), batch } as unknown as D1Database,
      };
    };
  };

  it("takes page after page in one message, for as long as one message may", async () => {
    const world = await openWorld(weekly(1));
    await seedCrowd(world, 1, 2_100, (n) => 100 + n);
    world.setNow(MONDAY);
    await tick(world);
    const [hint] = world.hints.splice(0);
    if (hint === undefined) throw new Error("no hint was sent");
    slowly(world, 6_000);
    await deliverBatch([hint]);
    expect(world.hints).toEqual([hint]);
    const [half] = await scheduledRuns(world);
    expect(half).toMatchObject({
      status: "running",
      planned: 2_100,
      payouts_created: 1_000,
      finished_at: null,
    });
    seams.ports = ((was) => (made) => ({ ...was(made), db: bindings.DB }))(seams.ports);
    await world.deliver();
    expect(world.hints).toEqual([]);
    expect((await scheduledRuns(world))[0]).toMatchObject({
      status: "done",
      planned: 2_100,
      payouts_created: 2_100,
    });
    const items = await rowsOf("SELECT count(*) AS n FROM run_items WHERE run_id = ?1", half?.id ?? "");
    expect(items).toEqual([{ n: 2_100 }]);
    expect(await world.verify()).toMatchObject({ ok: true });
  });
});
