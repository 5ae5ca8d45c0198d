// Payout sessions beyond GoAffPro's page: what is unpaid, what is netted, what changed since, approval, refusals by rails.
import { afterEach, describe, expect, it } from "vitest";
import { expectSound, rowsOf } from "./books.ts";
import { payoutOfDue } from "./generated.ts";
import { markPaid, paySession, type Session, select, start, summary, unpaid } from "./session-calls.ts";
import { changedTables, readTables } from "./tables.ts";
import { type Loose, openWorld, type World } from "./world.ts";

let world: World;

afterEach(async () => {
  await expectSound(world);
});

/** Affiliates in the order of their ids. */
const enrol = async (...overrides: readonly object[]): Promise<string[]> => {
  const ids: string[] = [];
  for (const more of overrides) {
    world.advance(1);
    ids.push(await world.affiliate({ ...more }));
  }
  return ids;
};

const one = async (policy: Record<string, unknown> = {}) => {
  world = await openWorld(policy);
  const [id = ""] = await enrol({ external_id: "ada" });
  const sale = await world.sale(id, 1_000);
  return { id, sale, session: await start(world) };
};

const reverse = (sale: Loose, amount: number) =>
  world.ok("POST", `/v1/commissions/${sale.id}/reverse`, { amount, reason: "sent back" });

/** An affiliate that owes: its paid commission was refunded. */
const indebted = async (owed: number): Promise<string> => {
  const [id = ""] = await enrol({});
  const sale = await world.sale(id, owed);
  const payout = await payoutOfDue(world, { affiliate_ids: [id] });
  await world.ok("POST", `/v1/payouts/${payout.id}/mark-paid`, {});
  await reverse(sale, owed);
  return id;
};

describe("what is unpaid", () => {
  it("goes to the end of the day in the program's zone", async () => {
    world = await openWorld({ time_zone: "America/New_York" });
    const [id = ""] = await enrol({});
    await world.sale(id, 100, { occurred_at: "2026-11-01T03:59:59Z" });
    await world.sale(id, 20, { occurred_at: "2026-11-01T04:00:00Z" });
    const session = await start(world);
    const upTo = async (date: string) => (await unpaid(world, session, `up_to=${date}`)).data[0]?.amount;
    expect(await upTo("2026-10-31")).toBe(100);
    expect(await upTo("2026-11-01")).toBe(120);
    expect((await select(world, session, { up_to: "2026-10-31" })).summary).toMatchObject([{ amount: 100 }]);
  });

  it("is by affiliate and currency, never summed across, and narrowed by one", async () => {
    const { id, session } = await one();
    await world.sale(id, 700, { currency: "EUR" });
    const { data } = await unpaid(world, session);
    expect(data.map(({ currency, amount }) => [currency, amount])).toEqual([
      ["EUR", 700],
      ["USD", 1_000],
    ]);
    expect((await unpaid(world, session, "currency=EUR")).data.length).toBe(1);
    const selected = await select(world, session);
    expect(selected.totals.map(({ currency, amount }) => [currency, amount])).toEqual([
      ["EUR", 700],
      ["USD", 1_000],
    ]);
    expect((await select(world, session, { currency: "EUR" })).summary).toMatchObject([{ currency: "EUR" }]);
  });

  it("comes page by page, with those who are left out on theirs", async () => {
    world = await openWorld();
    const ids = await enrol({}, {}, { hold_days: 30 }, {}, {});
    for (const id of ids) await world.sale(id, 100);
    const session = await start(world);
    const seen: string[] = [];
    let cursor = "";
    for (let page = 0; page < 9; page++) {
      const found = await unpaid(world, session, `limit=2${cursor}`);
      seen.push(...found.data.map((group) => group.affiliate_id));
      seen.push(...found.skipped.map((skip) => `skipped ${skip.affiliate_id}`));
      if (found.next_cursor === null) break;
      cursor = `&cursor=${encodeURIComponent(found.next_cursor)}`;
    }
    expect(seen).toEqual([ids[0], ids[1], ids[3], `skipped ${ids[2]}`, ids[4]]);
    const backwards = await unpaid(world, session, "limit=2&order=desc");
    expect(backwards.data.map((group) => group.affiliate_id)).toEqual([ids[4], ids[3]]);
  });

  it("names as warnings what does not keep it from being selected, and as reasons what does", async () => {
    world = await openWorld({ minimum_payout: { USD: 5_000 }, payout_methods: ["manual", "stripe"] });
    const [small = "", gone = "", late = ""] = await enrol({}, {}, {});
    for (const id of [small, gone, late]) await world.sale(id, 1_000);
    await world.ok("PATCH", `/v1/affiliates/${gone}`, { status: "suspended" });
    const account = await world.useStripe(late);
    await world.ok("PUT", `/v1/affiliates/${late}/payout-method`, { payout_method: "manual" });
    expect(account).toMatch(/^acct_/);
    const session = await start(world);
    const { data, skipped } = await unpaid(world, session);
    expect(
      data.map(({ affiliate_id, blockers }) => [affiliate_id, blockers.map(({ reason }) => reason)]),
    ).toEqual([
      [small, ["below_minimum"]],
      [late, ["below_minimum", "destination_cooldown"]],
    ]);
    expect(skipped).toMatchObject([{ affiliate_id: gone, reason: "affiliate_suspended" }]);
    const selected = await select(world, session);
    expect(selected.summary.map(({ blockers }) => blockers.length)).toEqual([1, 2]);
    expect((await markPaid(world, session, {})).body).toMatchObject({ status: "done", failed: [] });
  });
});

describe("what an affiliate owes back", () => {
  it("is netted from what is selected, and whoever owes more is left out", async () => {
    world = await openWorld();
    const [some, all] = [await indebted(400), await indebted(2_000)];
    for (const id of [some, all]) await world.sale(id, 1_000);
    const session = await start(world);
    const selected = await select(world, session);
    expect(selected.summary).toMatchObject([
      { affiliate_id: some, gross_amount: 1_000, reversal_amount: 400, amount: 600 },
    ]);
    expect(selected.skipped).toMatchObject([{ affiliate_id: all, reason: "recovery_exceeds_earnings" }]);
    const { body } = await markPaid(world, session, {});
    expect(body.payouts).toMatchObject([{ amount: 600, recovered_amount: 400 }]);
  });

  it("and grows after the selection keeps the row from being paid at the old sum", async () => {
    world = await openWorld();
    const [id = ""] = await enrol({});
    const old = await world.sale(id, 500);
    const payout = await payoutOfDue(world);
    await world.ok("POST", `/v1/payouts/${payout.id}/mark-paid`, {});
    await world.sale(id, 1_000);
    const session = await start(world);
    await select(world, session);
    await reverse(old, 300);
    expect((await summary(world, session)).summary[0]?.changes).toMatchObject([
      { what: "recovery", commission_id: null, was: 0, now: 300 },
    ]);
    const late = await markPaid(world, session, {});
    expect([late.status, late.body["reason"]]).toEqual([409, "selection_changed"]);
    await select(world, session);
    expect((await markPaid(world, session, {})).body.payouts).toMatchObject([{ amount: 700 }]);
  });
});

describe("what changed since the selection", () => {
  it.each([
    ["held", "hold", "held"],
    ["rejected", "reject", "rejected"],
  ])("is named, and such a row is not paid: %s", async (_name, verb, what) => {
    const { sale, session } = await one();
    await select(world, session);
    await world.ok("POST", `/v1/commissions/${sale.id}/${verb}`, { reason: "checked" });
    expect((await summary(world, session)).summary[0]?.changes).toMatchObject([
      { what, commission_id: sale.id },
    ]);
    const before = await readTables();
    const late = await paySession(world, session);
    expect([late.status, late.body.code, late.body["reason"]]).toEqual([
      409,
      "nothing_claimed",
      "selection_changed",
    ]);
    expect(changedTables(before, await readTables())).toEqual(["session_rows"]);
    expect((await summary(world, session)).summary[0]?.failure).toMatchObject({ code: "selection_changed" });
  });

  it("by a payout of nobody's session is named by that payout", async () => {
    const { session } = await one();
    await select(world, session);
    const payout = await payoutOfDue(world);
    const late = await markPaid(world, session, {});
    expect(late.body).toMatchObject({ code: "nothing_claimed", payout_id: payout.id });
    expect(late.body["session_id"]).toBeUndefined();
    expect(late.body.errors?.[0]?.detail).toContain("commission_claimed");
  });

  it("of the affiliate is said with the refusal of its own turn", async () => {
    const { id, session } = await one();
    const [bea = ""] = await enrol({});
    await world.sale(bea, 300);
    await select(world, session);
    await world.ok("PATCH", `/v1/affiliates/${id}`, { status: "suspended" });
    const { status, body } = await paySession(world, session);
    expect([status, body.status]).toEqual([200, "paying"]);
    expect(body.failed).toMatchObject([{ affiliate_id: id, code: "affiliate_suspended" }]);
    expect(body.payouts).toMatchObject([{ affiliate_id: bea }]);
  });
});

describe("approval", () => {
  it("stands between a session's payouts and their payment; paying again goes on from there", async () => {
    const { session } = await one({ require_approval: true, four_eyes: true });
    await select(world, session);
    const first = await paySession(world, session);
    expect([first.status, first.body.status, first.body.payouts]).toEqual([200, "paying", []]);
    expect(first.body.failed).toMatchObject([
      { code: "awaiting_approval", payout_id: expect.stringMatching(/^po_/) },
    ]);
    const payoutId = first.body.failed[0]?.payout_id ?? "";
    expect((await summary(world, session)).summary[0]).toMatchObject({
      status: "claimed",
      payout_id: payoutId,
    });
    const own = await world.call("POST", "/v1/payouts/approve", { payout_ids: [payoutId] });
    expect(own.body["results"]).toMatchObject([{ code: "four_eyes" }]);
    const { secret } = await world.ok("POST", "/v1/api-keys", { name: "Boss", scopes: ["payouts:approve"] });
    const boss = { authorization: `Bearer ${secret}` };
    await world.ok("POST", "/v1/payouts/approve", { payout_ids: [payoutId] }, boss);
    const again = await paySession(world, session);
    expect(again.body).toMatchObject({ failed: [], payouts: [{ id: payoutId, status: "processing" }] });
    expect((await markPaid(world, session, {})).body).toMatchObject({
      status: "done",
      payouts: [{ id: payoutId }],
    });
  });
});

describe("a rail's refusal", () => {
  const refused = async () => {
    world = await openWorld();
    const { id } = await world.stripeAffiliate();
    await world.sale(id, 1_000);
    const session = await start(world);
    await select(world, session);
    world.stripe.setBalance({ currency: "usd", amount: 0 });
    const payoutId = (await paySession(world, session)).body.payouts[0]?.id ?? "";
    await world.drain();
    world.stripe.setBalance({ currency: "usd", amount: 1_000_000 });
    return { session, payoutId };
  };

  it("leaves the row failed; the payout tried again is paid, and the session done", async () => {
    const { session, payoutId } = await refused();
    expect(await summary(world, session)).toMatchObject({
      status: "open",
      summary: [{ status: "failed", payout_id: payoutId }],
    });
    const again = await paySession(world, session);
    expect(again.body.failed).toMatchObject([{ code: "invalid_state", payout_id: payoutId }]);
    await world.ok("POST", `/v1/payouts/${payoutId}/retry`);
    expect((await paySession(world, session)).body.payouts).toMatchObject([
      { id: payoutId, status: "processing" },
    ]);
    await world.drain();
    expect(await summary(world, session)).toMatchObject({ status: "done" });
    expect(world.stripe.transfers().length).toBe(1);
  });

  it("or is selected again in the same session, with a payout of its own", async () => {
    const { session, payoutId } = await refused();
    expect((await select(world, session)).summary).toMatchObject([{ status: "selected", amount: 1_000 }]);
    const [payout] = (await paySession(world, session)).body.payouts;
    expect(payout?.id).not.toBe(payoutId);
    await world.drain();
    expect(await summary(world, session)).toMatchObject({
      status: "done",
      summary: [{ payout_id: payout?.id }],
    });
    expect(world.stripe.transfers().length).toBe(1);
  });
});

describe("the list of sessions", () => {
  it("comes newest first, page by page, each with how far it is", async () => {
    world = await openWorld();
    const [id = ""] = await enrol({});
    const made: Session[] = [];
    for (const title of ["One", "Two", "Three"]) {
      await world.sale(id, 100);
      const session = await start(world, title);
      await select(world, session);
      if (title !== "Three") await markPaid(world, session, {});
      made.push(session);
      world.advance(1_000);
    }
    type Page = { data: Session[]; next_cursor: string | null };
    const first = await world.ok<Page>("GET", "/v1/payout-sessions?limit=2");
    expect(first.data.map(({ title, status }) => [title, status])).toEqual([
      ["Three", "open"],
      ["Two", "done"],
    ]);
    const next = await world.ok<Page>("GET", `/v1/payout-sessions?limit=2&cursor=${first.next_cursor}`);
    expect([next.data.map(({ id: of }) => of), next.next_cursor]).toEqual([[made[0]?.id], null]);
    const rows = await rowsOf<{ n: number }>(
      "SELECT count(*) AS n FROM payout_sessions WHERE program_id = ?1",
      world.program.id,
    );
    expect(rows).toEqual([{ n: 3 }]);
  });
});
