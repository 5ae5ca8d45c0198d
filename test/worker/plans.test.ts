// Plans: a dry run is made exactly as it was shown, once and within a day, or refused with what changed.
import { describe, expect, it } from "vitest";
import { atOnce, expectSound, rowsOf } from "./books.ts";
import { type Generated, generate, type Payout, readAll } from "./generated.ts";
import { countTrips } from "./round-trips.ts";
import { seedCrowd } from "./runs-crowd.ts";
import { seams } from "./seams.ts";
import { changedTables, readTables } from "./tables.ts";
import { type Answer, type Loose, NOON, openWorld, type World } from "./world.ts";

const DAY = 86_400_000;

interface Change {
  readonly pointer: string;
  readonly detail: string;
  readonly affiliate_id: string;
  readonly currency: string;
  readonly planned_amount: number;
  readonly amount: number;
  readonly commission_count: number;
  readonly blockers: readonly { readonly reason: string; readonly missing_amount?: number }[];
}

interface Refused {
  readonly code: string;
  readonly changed_count?: number;
  readonly run_id?: string;
  readonly errors: readonly Change[];
}

type Planned = Generated & { readonly plan_id: string | null };

const dryRun = async (world: World, more: object = {}): Promise<Planned> =>
  (await generate(world, { dry_run: true, ...more })).body as Planned;

const commit = <T = Planned>(world: World, plan: Planned, headers = {}): Promise<Answer<T>> =>
  world.call<T>("POST", "/v1/payouts/generate", { plan_id: plan.plan_id }, headers);

const refusal = async (world: World, plan: Planned): Promise<Refused> => {
  const before = await readTables();
  const { status, body } = await commit<Refused>(world, plan);
  expect(status).toBe(409);
  expect(changedTables(before, await readTables())).toEqual([]);
  return body;
};

/** What a payout that would be and one that is have in common. */
const shown = ({ payouts }: Generated): unknown[] =>
  payouts.map(({ affiliate_id, currency, gross_amount, amount, commission_ids }: Payout) => [
    affiliate_id,
    currency,
    gross_amount,
    amount,
    commission_ids,
  ]);

/** Three who are due, one of them in two currencies and owing, and one who is not. */
const people = async (world: World): Promise<{ ada: string; bea: string; paid: string }> => {
  const [ada, bea, eve] = [await world.affiliate(), await world.affiliate(), await world.affiliate()];
  const paid = await world.sale(ada, 1_000);
  const { payouts } = await world.generate();
  await world.ok("POST", `/v1/payouts/${payouts[0]?.id}/mark-paid`, {});
  await world.ok("POST", `/v1/commissions/${paid.id}/reverse`, { amount: 400, reason: "part" });
  for (const amount of [2_000, 500]) await world.sale(ada, amount);
  await world.sale(ada, 3_000, { currency: "EUR" });
  await world.sale(bea, 700);
  await world.sale(eve, 900, { status: "pending" });
  return { ada, bea, paid: paid.id };
};

describe("a plan", () => {
  it("is made exactly as it was shown, and the run says whose plan it was", async () => {
    const world = await openWorld();
    await people(world);
    const plan = await dryRun(world);
    expect(plan).toMatchObject({ run_id: null, plan_id: expect.stringMatching(/^plan_/), status: "done" });
    const made = await commit(world, plan);
    expect([made.status, made.body]).toMatchObject([
      201,
      { plan_id: plan.plan_id, status: "done", skipped: [] },
    ]);
    expect(shown(made.body)).toEqual(shown(plan));
    expect(made.body.totals).toEqual(plan.totals);
    expect(await world.ok("GET", `/v1/payout-runs/${made.body.run_id}`)).toMatchObject({
      plan_id: plan.plan_id,
      planned: 3,
      payouts_created: 3,
      status: "done",
    });
    await expectSound(world);
  });

  it("is not disturbed by what it does not hold", async () => {
    const world = await openWorld();
    const { bea } = await people(world);
    await world.ok("PATCH", "/v1/program", { hold_days: 1 });
    // Payable between the preview and the commit.
    await world.sale(bea, 4_000, { occurred_at: "2026-11-01T00:00:00Z" });
    const plan = await dryRun(world);
    await world.sale(bea, 50);
    await world.sale(bea, 60, { status: "pending", occurred_at: "2026-10-01T00:00:00Z" });
    await world.sale(await world.affiliate(), 5_000, { occurred_at: "2026-10-01T00:00:00Z" });
    await world.ok("PATCH", `/v1/affiliates/${bea}`, { name: "Beatrice" });
    world.advance(20 * 3_600_000);
    const made = await commit(world, plan);
    expect(made.status).toBe(201);
    expect(shown(made.body)).toEqual(shown(plan));
    await expectSound(world);
  });

  it("holds again after a payout with the same commissions was made and cancelled", async () => {
    const world = await openWorld();
    const { bea } = await people(world);
    const plan = await dryRun(world);
    const other = await generate(world, { affiliate_ids: [bea] });
    await world.ok("POST", `/v1/payouts/${other.body.payouts[0]?.id}/cancel`, {});
    expect(shown((await commit(world, plan)).body)).toEqual(shown(plan));
    await expectSound(world);
  });

  it("of nothing makes nothing", async () => {
    const world = await openWorld();
    const plan = await dryRun(world);
    const made = await commit(world, plan);
    expect([made.status, made.body]).toMatchObject([
      200,
      { payouts: [], plan_id: plan.plan_id, status: "done" },
    ]);
  });

  it("keeps the zone and the choice that it was asked with", async () => {
    const world = await openWorld({ time_zone: "Asia/Tokyo" });
    const { ada } = await people(world);
    const plan = await dryRun(world, { currency: "EUR", affiliate_ids: [ada], period_start: "2026-10-01" });
    await world.ok("PATCH", "/v1/program", { time_zone: "America/New_York" });
    const made = await commit(world, plan);
    expect(shown(made.body)).toEqual(shown(plan));
    expect(made.body.payouts).toMatchObject([{ currency: "EUR", period_start: "2026-10-01" }]);
    expect(await world.ok("GET", `/v1/payout-runs/${made.body.run_id}`)).toMatchObject({
      time_zone: "Asia/Tokyo",
    });
  });
});

describe("a plan that can no longer be made", () => {
  const cases: readonly [
    string,
    (world: World, who: { ada: string; bea: string }) => Promise<unknown>,
    object,
  ][] = [
    [
      "because of a refund",
      async (world, { bea }) => {
        const [sale] = await readAll(world, `/v1/affiliates/${bea}/commissions`);
        await world.ok("POST", `/v1/commissions/${sale?.id}/reverse`, { amount: 100, reason: "part" });
      },
      { currency: "USD", planned_amount: 700, amount: 600, commission_count: 1 },
    ],
    [
      "because of a hold",
      async (world, { bea }) => {
        const [sale] = await readAll(world, `/v1/affiliates/${bea}/commissions`);
        await world.ok("POST", `/v1/commissions/${sale?.id}/hold`, { reason: "odd" });
      },
      { planned_amount: 700, amount: 0, commission_count: 0, blockers: [{ reason: "held" }] },
    ],
    [
      "because one more is due",
      (world, { bea }) => world.sale(bea, 11, { occurred_at: "2026-10-02T00:00:00Z" }),
      { planned_amount: 700, amount: 711, commission_count: 2 },
    ],
    [
      "because the affiliate is suspended",
      (world, { bea }) => world.ok("PATCH", `/v1/affiliates/${bea}`, { status: "suspended" }),
      { amount: 0, blockers: [{ reason: "affiliate_suspended" }] },
    ],
    [
      "because the minimum was raised",
      (world) => world.ok("PATCH", "/v1/program", { minimum_payout: { USD: 750 } }),
      { amount: 0, blockers: [{ reason: "below_minimum", missing_amount: 50 }] },
    ],
    [
      "because another payout has it",
      (world, { bea }) => generate(world, { affiliate_ids: [bea] }),
      { amount: 0, commission_count: 0, blockers: [] },
    ],
    [
      "because the sum is the same of other commissions",
      async (world, { bea }) => {
        const [sale] = await readAll(world, `/v1/affiliates/${bea}/commissions`);
        await world.ok("POST", `/v1/commissions/${sale?.id}/hold`, { reason: "odd" });
        await world.sale(bea, 700, { occurred_at: "2026-10-02T00:00:00Z" });
      },
      { planned_amount: 700, amount: 700, commission_count: 1 },
    ],
  ];

  it.each(cases)(
    "%s says so of that affiliate and claims nothing of anybody",
    async (_name, change, expected) => {
      const world = await openWorld();
      const who = await people(world);
      const plan = await dryRun(world);
      await change(world, who);
      const body = await refusal(world, plan);
      expect(body).toMatchObject({ code: "plan_changed", changed_count: 1 });
      expect(body.errors).toMatchObject([{ affiliate_id: who.bea, pointer: "/plan_id", ...expected }]);
      await expectSound(world);
    },
  );

  it("because more is owed from a refund after payment says what is left to pay", async () => {
    const world = await openWorld();
    const { ada, paid } = await people(world);
    const plan = await dryRun(world);
    await world.ok("POST", `/v1/commissions/${paid}/reverse`, { amount: 100, reason: "more" });
    expect((await refusal(world, plan)).errors).toMatchObject([
      { affiliate_id: ada, currency: "USD", planned_amount: 2_100, amount: 2_000 },
    ]);
  });

  it("is not used up: what changed back can be made", async () => {
    const world = await openWorld();
    const { bea } = await people(world);
    const plan = await dryRun(world);
    await world.ok("PATCH", `/v1/affiliates/${bea}`, { status: "suspended" });
    await refusal(world, plan);
    await world.ok("PATCH", `/v1/affiliates/${bea}`, { status: "active" });
    expect(shown((await commit(world, plan)).body)).toEqual(shown(plan));
  });

  it("after a day, or after it was made, is refused and names the run", async () => {
    const world = await openWorld();
    await people(world);
    const [late, used] = [await dryRun(world), await dryRun(world)];
    const made = await commit(world, used);
    expect(await refusal(world, used)).toMatchObject({ code: "plan_used", run_id: made.body.run_id });
    world.setNow(NOON + DAY);
    expect((await refusal(world, late)).code).toBe("plan_expired");
    expect((await refusal(world, used)).code).toBe("plan_used");
  });

  it("is not there for another program, nor one that never was", async () => {
    const other = await openWorld();
    await people(other);
    const theirs = await dryRun(other);
    const world = await openWorld();
    for (const plan_id of [theirs.plan_id, "plan_nothing"])
      expect(await commit(world, { ...theirs, plan_id })).toMatchObject({
        status: 404,
        body: { code: "plan_not_found" },
      });
    const bad: [object, string][] = [
      [{ plan_id: "po_1" }, "/plan_id"],
      [{ plan_id: "plan_1", period_end: "2026-11-01" }, "/period_end"],
      [{ plan_id: "plan_1", dry_run: false }, "/dry_run"],
      [{ plan_id: "plan_1", affiliate_ids: ["aff_1"] }, "/affiliate_ids"],
      [{}, "/period_end"],
    ];
    for (const [body, pointer] of bad) {
      const answer = await world.call<Refused>("POST", "/v1/payouts/generate", body);
      expect([answer.status, answer.body.errors[0]?.pointer], JSON.stringify(body)).toEqual([422, pointer]);
    }
  });

  it("because the preview was cut short does not exist", async () => {
    const world = await openWorld();
    await seedCrowd(world, 9_001, 1_001, () => 10);
    const { ports } = seams;
    seams.ports = (made) => {
      const own = ports(made);
      const batch = (statements: D1PreparedStatement[]) => {
        world.advance(11_000);
        return own.db.batch(statements);
      };
      return {
        ...own,
        db: { prepare: (sql: string) => own.db.prepare(sql), batch } as unknown as D1Database,
      };
    };
    expect(await dryRun(world)).toMatchObject({ status: "running", plan_id: null });
  });
});

describe("one plan committed many times at once", () => {
  it("is made once; the others learn which run has made it", async () => {
    const world = await openWorld();
    await people(world);
    const plan = await dryRun(world);
    const answers = await atOnce(8, () => commit<Planned & Refused>(world, plan));
    const made = answers.filter(({ status }) => status === 201);
    expect(made).toHaveLength(1);
    for (const { status, body } of answers)
      if (status !== 201) expect(["plan_used", "plan_changed"]).toContain(body.code);
    expect(await readAll(world, "/v1/payouts?status=pending")).toHaveLength(3);
    await expectSound(world);
  });

  it("under one key is one run, answered again", async () => {
    const world = await openWorld();
    await people(world);
    const plan = await dryRun(world);
    const headers = { "idempotency-key": "the-plan" };
    const first = await commit(world, plan, headers);
    const again = await commit(world, plan, headers);
    expect([again.status, again.headers.get("idempotent-replayed")]).toEqual([201, "true"]);
    expect(again.body).toEqual(first.body);
    const other = await world.call("POST", "/v1/payouts/generate", { plan_id: "plan_other" }, headers);
    expect([other.status, other.body.code]).toEqual([422, "idempotency_mismatch"]);
  });
});

describe("what changes between the check and the claim", () => {
  /** Does something once, right before the batch that claims. */
  const beforeClaim = (work: () => Promise<unknown>): void => {
    const { ports } = seams;
    let done = false;
    seams.ports = (made) => {
      const own = ports(made);
      const prepare = (sql: string) => {
        claims ||= sql.startsWith("INSERT INTO turns");
        return own.db.prepare(sql);
      };
      let claims = false;
      const batch = async (statements: D1PreparedStatement[]) => {
        if (claims && !done) {
          done = true;
          await work();
        }
        return own.db.batch(statements);
      };
      return { ...own, db: { prepare, batch } as unknown as D1Database };
    };
  };

  it("is left alone and told among the skipped; the others are made as they were shown", async () => {
    const world = await openWorld();
    const { ada, bea } = await people(world);
    const plan = await dryRun(world);
    const [sale] = await readAll(world, `/v1/affiliates/${bea}/commissions`);
    const refund = { amount: 100, reason: "meanwhile" };
    beforeClaim(() => world.ok("POST", `/v1/commissions/${sale?.id}/reverse`, refund));
    const { status, body } = await commit(world, plan);
    expect(status).toBe(201);
    expect(body.payouts.map((payout) => payout.affiliate_id)).toEqual([ada, ada]);
    expect(body.skipped).toMatchObject([
      {
        affiliate_id: bea,
        currency: "USD",
        reason: "not_selected",
        blockers: [{ detail: expect.stringContaining("6.00 USD") }],
      },
    ]);
    expect(await world.ok("GET", `/v1/payout-runs/${body.run_id}`)).toMatchObject({
      planned: 3,
      payouts_created: 2,
      skipped_count: { not_selected: 1 },
    });
    await expectSound(world);
  });

  it("and does not touch what is planned stops nobody", async () => {
    const world = await openWorld();
    const { ada } = await people(world);
    const plan = await dryRun(world);
    beforeClaim(() => world.sale(ada, 999, { status: "pending" }));
    const { body } = await commit(world, plan);
    expect(shown(body)).toEqual(shown(plan));
    await expectSound(world);
  });

  it("a lost answer of the claim is found out, not claimed again", async () => {
    const world = await openWorld();
    await people(world);
    const plan = await dryRun(world);
    const { ports } = seams;
    let lost = 0;
    seams.ports = (made) => {
      const own = ports(made);
      let claims = false;
      const prepare = (sql: string) => {
        claims ||= sql.startsWith("INSERT INTO turns");
        return own.db.prepare(sql);
      };
      const batch = async (statements: D1PreparedStatement[]) => {
        const results = await own.db.batch(statements);
        if (claims && lost++ === 0) throw new Error("D1_ERROR: Network connection lost.");
        return results;
      };
      return { ...own, db: { prepare, batch } as unknown as D1Database };
    };
    const { status, body } = await commit(world, plan);
    expect([status, lost > 1]).toEqual([201, true]);
    expect(shown(body)).toEqual(shown(plan));
    await expectSound(world);
  });
});

describe("a plan of more affiliates than one page", () => {
  const CROWD = 2_050;

  it("is checked whole before anything is claimed, and made part by part", async () => {
    const world = await openWorld();
    await seedCrowd(world, 1, CROWD, (n) => 100 + n);
    const trips = countTrips();
    const plan = await dryRun(world);
    expect(trips.count).toBeLessThanOrEqual(6 * 3);
    expect(plan).toMatchObject({ totals: [{ count: CROWD }] });
    const last = await world.ok<{ data: Loose[] }>("GET", "/v1/affiliates?limit=1&order=desc");
    const [sale] = await readAll(world, `/v1/affiliates/${last.data[0]?.id}/commissions`);
    await world.ok("POST", `/v1/commissions/${sale?.id}/hold`, { reason: "odd" });
    expect(await refusal(world, plan)).toMatchObject({ code: "plan_changed", changed_count: 1 });
    await world.ok("POST", `/v1/commissions/${sale?.id}/release`, {});
    trips.count = 0;
    const made = await commit(world, plan);
    expect(made.status).toBe(202);
    expect(made.body.payouts).toHaveLength(1_000);
    const inCall = trips.count;
    expect(await world.ok("GET", `/v1/payout-runs/${made.body.run_id}`)).toMatchObject({
      status: "running",
      planned: CROWD,
      payouts_created: 1_000,
    });
    trips.count = 0;
    while (await world.deliver());
    expect(inCall + trips.count).toBeLessThanOrEqual(6 * 3 + 6);
    expect(await world.ok("GET", `/v1/payout-runs/${made.body.run_id}`)).toMatchObject({
      status: "done",
      planned: CROWD,
      payouts_created: CROWD,
      skipped_count: {},
      totals: plan.totals,
    });
    expect(await world.verify()).toMatchObject({ ok: true });
  });

  it("is kept in few rows, and its parts are taken out again when they are old", async () => {
    const world = await openWorld();
    await seedCrowd(world, 20_001, 1_200, () => 10);
    await dryRun(world);
    const parts = "SELECT count(*) AS n FROM payout_plan_parts WHERE program_id = ?1";
    expect(await rowsOf(parts, world.program.id)).toEqual([{ n: 2 }]);
    world.advance(4 * DAY);
    await dryRun(world);
    expect(await rowsOf(parts, world.program.id)).toEqual([{ n: 2 }]);
    const plans = "SELECT count(*) AS n FROM payout_plans WHERE program_id = ?1";
    expect(await rowsOf(plans, world.program.id)).toEqual([{ n: 2 }]);
    world.advance(31 * DAY);
    await dryRun(world);
    expect(await rowsOf(plans, world.program.id)).toEqual([{ n: 1 }]);
  });
});
