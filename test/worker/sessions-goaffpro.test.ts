// GoAffPro's page "Create Payout Session", step by step over HTTP, and what its page does not say: two rounds at once, and going on later.
import { afterEach, describe, expect, it } from "vitest";
import { expectSound } from "./books.ts";
import { markPaid, paySession, type Session, select, start, summary, unpaid } from "./session-calls.ts";
import { type Loose, openWorld, type World } from "./world.ts";

let world: World;

afterEach(async () => {
  await expectSound(world);
});

/** Three affiliates: one with two orders, one with one order, one with an order that is still inside the refund window. */
const openShop = async () => {
  world = await openWorld();
  const enrol = (more: object) => {
    // Ids of one instant are in no order.
    world.advance(1);
    return world.affiliate({ ...more });
  };
  const ada = await enrol({ name: "Ada" });
  const bea = await enrol({ name: "Bea" });
  const cid = await enrol({ name: "Cid", hold_days: 30 });
  const sales = {
    ada: [
      await world.sale(ada, 4_000, { occurred_at: "2026-11-01T08:00:00Z" }),
      await world.sale(ada, 1_000, { occurred_at: "2026-11-01T09:00:00Z" }),
    ],
    bea: [await world.sale(bea, 2_500)],
    cid: [await world.sale(cid, 9_000)],
  };
  return { ada, bea, cid, sales };
};

const TODAY = "2026-11-01";

describe("the page's steps", () => {
  it("Start new payout session, with a title, opens the payout session section", async () => {
    await openShop();
    const session = await start(world, "October payouts");
    expect(session).toMatchObject({
      title: "October payouts",
      status: "open",
      selection: null,
      row_count: 0,
    });
    expect(session.id).toMatch(/^ses_/);
    const { data } = await world.ok<{ data: Session[] }>("GET", "/v1/payout-sessions");
    expect(data).toEqual([session]);
    expect(await world.ok("GET", `/v1/payout-sessions/${session.id}`)).toEqual(session);
  });

  it("Get Unpaid Transactions, up to a date, shows them by affiliate and says who is left out", async () => {
    const { ada, bea, cid, sales } = await openShop();
    const session = await start(world);
    const found = await unpaid(world, session, `up_to=${TODAY}&expand=affiliate`);
    expect(found.data.map((group) => [group.affiliate_id, group.currency, group.amount])).toEqual([
      [ada, "USD", 5_000],
      [bea, "USD", 2_500],
    ]);
    expect(found.data[0]?.affiliate?.name).toBe("Ada");
    expect(found.data[0]?.commissions.map(({ id, amount }) => [id, amount])).toEqual([
      [sales.ada[0]?.id, 4_000],
      [sales.ada[1]?.id, 1_000],
    ]);
    expect(found.skipped).toMatchObject([{ affiliate_id: cid, currency: "USD", reason: "in_hold_period" }]);
    expect((await unpaid(world, session, "up_to=2026-10-31")).data).toEqual([]);
  });

  it("Select all opens the payout summary", async () => {
    const { ada, bea, cid } = await openShop();
    const session = await start(world);
    const selected = await select(world, session);
    expect(selected.summary.map((row) => [row.affiliate_id, row.amount, row.commission_count])).toEqual([
      [ada, 5_000, 2],
      [bea, 2_500, 1],
    ]);
    expect(selected.totals).toMatchObject([{ currency: "USD", amount: 7_500, count: 2 }]);
    expect(selected.skipped).toMatchObject([{ affiliate_id: cid, reason: "in_hold_period" }]);
    const read = await summary(world, session);
    expect(read.summary).toEqual(selected.summary);
    expect(read.totals).toEqual(selected.totals);
  });

  it("Choose transactions you want to pay for selects only those", async () => {
    const { ada, sales } = await openShop();
    const session = await start(world);
    const selected = await select(world, session, { commission_ids: [sales.ada[1]?.id] });
    expect(selected.summary).toMatchObject([{ affiliate_id: ada, amount: 1_000, commission_count: 1 }]);
    const named = await select(world, session, { commission_ids: [`ext:${sales.bea[0]?.["external_id"]}`] });
    expect(named.summary).toMatchObject([{ amount: 2_500 }]);
  });

  it.each([
    [{ min_amount: 2_501 }, [5_000]],
    [{ min_amount: 2_500 }, [5_000, 2_500]],
    [{ max_amount: 4_999 }, [2_500]],
    [{ min_amount: 2_500, max_amount: 2_500 }, [2_500]],
  ])("filter payments by minimum or maximum amount: %j", async (bounds, amounts) => {
    await openShop();
    const session = await start(world);
    const selected = await select(world, session, bounds);
    expect(selected.summary.map(({ amount }) => amount)).toEqual(amounts);
    const query = new URLSearchParams({ up_to: TODAY });
    for (const [name, value] of Object.entries(bounds)) query.set(name, String(value));
    expect((await unpaid(world, session, String(query))).data.map(({ amount }) => amount)).toEqual(amounts);
    const outside = selected.skipped.filter(({ reason }) => reason === "not_selected");
    expect(outside.length).toBe(2 - amounts.length);
  });

  it("Mark as paid with Create Payment Note, an admin note and a partner message, marks all of it paid", async () => {
    const { ada, bea, sales } = await openShop();
    const session = await start(world);
    await select(world, session);
    const note = {
      external_ref: "bank run 7",
      admin_note: "by bank, Friday",
      partner_message: "Thanks for October!",
    };
    const { status, body } = await markPaid(world, session, note);
    expect([status, body.status, body.failed, body.remaining]).toEqual([200, "done", [], 0]);
    expect(body.payouts.map((payout) => [payout.affiliate_id, payout.status, payout.amount])).toEqual([
      [ada, "paid", 5_000],
      [bea, "paid", 2_500],
    ]);
    for (const payout of body.payouts)
      expect(payout).toMatchObject({ ...note, session_id: session.id, paid_via: "manual" });
    for (const { id } of [...sales.ada, ...sales.bea])
      expect(await world.ok("GET", `/v1/commissions/${id}`)).toMatchObject({ status: "paid" });
    const after = await world.ok<Session>("GET", `/v1/payout-sessions/${session.id}`);
    expect(after).toMatchObject({ status: "done", row_count: 2, paid_count: 2 });
    const { data } = await world.ok<{ data: Loose[] }>("GET", `/v1/payouts?session_id=${session.id}`);
    expect(data.length).toBe(2);
  });

  it("without bulk mode each payment gets its own note, and only what is named is marked", async () => {
    const { ada, bea } = await openShop();
    const session = await start(world);
    await select(world, session, { bulk: false });
    const whole = await markPaid(world, session, { external_ref: "run" });
    expect([whole.status, whole.body.code]).toEqual([422, "payments_required"]);
    const payments = [{ affiliate_id: bea, currency: "USD", amount: 2_500, external_ref: "tx-bea" }];
    const first = await markPaid(world, session, { payments, admin_note: "one by one" });
    expect([first.status, first.body.status]).toEqual([200, "paying"]);
    expect(first.body.payouts).toMatchObject([
      { affiliate_id: bea, status: "paid", external_ref: "tx-bea", admin_note: "one by one" },
    ]);
    expect((await summary(world, session)).summary.map((row) => [row.affiliate_id, row.status])).toEqual([
      [ada, "selected"],
      [bea, "paid"],
    ]);
    const rest = [{ affiliate_id: ada, currency: "USD", external_ref: "tx-ada" }];
    expect((await markPaid(world, session, { payments: rest })).body).toMatchObject({ status: "done" });
  });

  it("or the affiliates are paid through their own methods", async () => {
    await openShop();
    const { id } = await world.stripeAffiliate({ name: "Dot" });
    await world.sale(id, 3_300);
    const session = await start(world);
    await select(world, session, { min_amount: 3_000, max_amount: 4_000 });
    const { status, body } = await paySession(world, session);
    expect([status, body.status, body.payouts.map((payout) => payout.status)]).toEqual([
      200,
      "paying",
      ["processing"],
    ]);
    await world.drain();
    expect(await summary(world, session)).toMatchObject({
      status: "done",
      summary: [{ affiliate_id: id, status: "paid", amount: 3_300 }],
    });
    expect(world.stripe.transfers().length).toBe(1);
  });
});

describe("two sessions over the same transactions", () => {
  it("both select them; the first to pay has them, and the other is told by whom", async () => {
    const { ada } = await openShop();
    const [first, second] = [await start(world, "First"), await start(world, "Second")];
    await select(world, first);
    await select(world, second);
    expect((await markPaid(world, first, {})).body.status).toBe("done");
    const late = await markPaid(world, second, {});
    expect([late.status, late.body.code, late.body["reason"]]).toEqual([
      409,
      "nothing_claimed",
      "commission_claimed",
    ]);
    expect(late.body["session_id"]).toBe(first.id);
    const { summary: rows } = await summary(world, second);
    expect(rows[0]).toMatchObject({
      affiliate_id: ada,
      status: "selected",
      failure: { code: "commission_claimed" },
    });
    expect(rows[0]?.changes).toMatchObject([
      { what: "claimed", session_id: first.id },
      { what: "claimed", session_id: first.id },
    ]);
  });

  it("at once: every transaction is paid once, and every row is paid or named as somebody else's", async () => {
    await openShop();
    const sessions = [await start(world, "Left"), await start(world, "Right")];
    for (const session of sessions) await select(world, session);
    const answers = await Promise.all(sessions.map((session) => markPaid(world, session, {})));
    const paid = answers.flatMap(({ body }) => body.payouts ?? []);
    expect(paid.reduce((sum, { amount }) => sum + amount, 0)).toBe(7_500);
    for (const [i, { status, body }] of answers.entries()) {
      const other = sessions[1 - i]?.id;
      const failed =
        status === 200 ? body.failed : [{ code: body["reason"], session_id: body["session_id"] }];
      for (const { code, session_id } of failed)
        expect([code, session_id]).toEqual(["commission_claimed", other]);
    }
  });
});

describe("going on later", () => {
  it("finds the session as it was left, and what changed meanwhile", async () => {
    const { ada, bea, sales } = await openShop();
    const session = await start(world, "Over the weekend");
    await select(world, session);
    world.advance(2 * 86_400_000);
    const back = { amount: 500, reason: "half came back" };
    await world.ok("POST", `/v1/commissions/${sales.ada[1]?.id}/reverse`, back);
    const read = await summary(world, session);
    expect(read.summary.map((row) => [row.affiliate_id, row.amount, row.changes.length])).toEqual([
      [ada, 5_000, 1],
      [bea, 2_500, 0],
    ]);
    expect(read.summary[0]?.changes).toMatchObject([
      { what: "refunded", commission_id: sales.ada[1]?.id, was: 1_000, now: 500 },
    ]);
    const { body } = await markPaid(world, session, {});
    expect(body).toMatchObject({
      status: "paying",
      failed: [{ affiliate_id: ada, code: "selection_changed" }],
    });
    const again = await select(world, session, { up_to: "2026-11-03" });
    expect(again.summary.map((row) => [row.affiliate_id, row.amount, row.status])).toEqual([
      [ada, 4_500, "selected"],
      [bea, 2_500, "paid"],
    ]);
    expect((await markPaid(world, session, {})).body).toMatchObject({ status: "done", failed: [] });
  });
});
