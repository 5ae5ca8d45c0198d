// What is said of the payments of a session, and sessions of many rows and many transactions.
import { afterEach, describe, expect, it } from "vitest";
import { expectSound } from "./books.ts";
import { seedCrowd } from "./runs-crowd.ts";
import { markPaid, paySession, select, start, summary, unpaid } from "./session-calls.ts";
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

describe("marking payments as paid", () => {
  it("refuses another amount than the row's, before anything is claimed", async () => {
    const { id, session } = await one();
    await select(world, session);
    const payments = [{ affiliate_id: id, currency: "USD", amount: 999 }];
    const { status, body } = await markPaid(world, session, { payments });
    expect([status, body.code, body["reason"]]).toEqual([409, "nothing_claimed", "amount_changed"]);
    expect(body.errors).toMatchObject([{ pointer: "/payments/0" }]);
    expect((await summary(world, session)).summary[0]).toMatchObject({ status: "selected" });
  });

  it("and of a payout that a refund has shrunk since, until the new amount is said", async () => {
    const { id, sale, session } = await one({ require_approval: true });
    await select(world, session);
    await paySession(world, session);
    await reverse(sale, 250);
    const [row] = (await summary(world, session)).summary;
    expect(row).toMatchObject({ status: "claimed", amount: 750 });
    await world.ok("POST", `/v1/payouts/${row?.payout_id}/approve`);
    const payment = { affiliate_id: id, currency: "USD" };
    const old = await markPaid(world, session, { payments: [{ ...payment, amount: 1_000 }] });
    expect(old.body.failed).toMatchObject([{ code: "amount_changed", amount: 750 }]);
    const now = await markPaid(world, session, { payments: [{ ...payment, amount: 750 }] });
    expect(now.body).toMatchObject({ status: "done", payouts: [{ amount: 750 }] });
  });

  it("names those that are not in the selection, not there, or there twice", async () => {
    const { id, session } = await one();
    const [bea = ""] = await enrol({ external_id: "bea" });
    await select(world, session);
    const { body } = await markPaid(world, session, {
      payments: [
        { affiliate_id: bea, currency: "USD" },
        { affiliate_id: id, currency: "EUR" },
        { affiliate_id: "aff_01JZ0000000000000000000000", currency: "USD" },
        { affiliate_id: id, currency: "USD", external_ref: "tx" },
        { affiliate_id: "ext:ada", currency: "USD", external_ref: "ty" },
      ],
    });
    expect(body.payouts).toMatchObject([{ external_ref: "tx" }]);
    expect(body.failed.map(({ code, affiliate_id }) => [code, affiliate_id])).toEqual([
      ["not_selected", bea],
      ["not_selected", id],
      ["not_selected", null],
      ["not_selected", id],
    ]);
  });

  it("again says the same; under another reference it is refused", async () => {
    const { session } = await one();
    await select(world, session);
    const first = await markPaid(world, session, { external_ref: "run 1" });
    const again = await markPaid(world, session, { external_ref: "run 1" });
    expect([again.status, again.body.payouts, again.body.failed]).toEqual([200, first.body.payouts, []]);
    const other = await markPaid(world, session, { external_ref: "run 2" });
    expect(other.body.failed).toMatchObject([{ code: "external_ref_differs" }]);
  });

  it("with an idempotency key answers the same, once", async () => {
    const { session } = await one();
    await select(world, session);
    const key = { "idempotency-key": "october" };
    const first = await markPaid(world, session, { external_ref: "run" }, key);
    const again = await markPaid(world, session, { external_ref: "run" }, key);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get("idempotent-replayed")).toBe("true");
  });
});

describe("a session of many rows", () => {
  it("is paid 200 rows a call, past those that fail, until nobody is left", async () => {
    world = await openWorld();
    await seedCrowd(world, 1, 210, (n) => 1_000 + n);
    const session = await start(world);
    const selected = await select(world, session);
    expect([selected.summary.length, selected.has_more]).toEqual([210, false]);
    const [gone] = selected.summary;
    await world.ok("PATCH", `/v1/affiliates/${gone?.affiliate_id}`, { status: "suspended" });
    const first = await markPaid(world, session, { admin_note: "all of them" });
    expect([first.status, first.body.payouts.length, first.body.failed.length, first.body.remaining]).toEqual(
      [202, 199, 1, 10],
    );
    const second = await markPaid(world, session, { admin_note: "all of them" });
    expect([second.status, second.body.payouts.length, second.body.remaining]).toEqual([200, 10, 0]);
    expect(second.body.failed).toMatchObject([
      { affiliate_id: gone?.affiliate_id, code: "affiliate_suspended" },
    ]);
    await select(world, session);
    expect(await world.ok("GET", `/v1/payout-sessions/${session.id}`)).toMatchObject({
      status: "done",
      row_count: 209,
      paid_count: 209,
    });
    const page = await summary(world, session, "?limit=150");
    const rest = await summary(
      world,
      session,
      `?limit=150&cursor=${encodeURIComponent(page.next_cursor ?? "")}`,
    );
    expect([page.summary.length, rest.summary.length, rest.next_cursor]).toEqual([150, 59, null]);
  });
});

describe("a session of many transactions", () => {
  it("lists a thousand of each affiliate, ends a page early, and pays all of them", async () => {
    world = await openWorld();
    const ids = await enrol({}, {}, {}, {}, {}, {});
    const order = { amount: 10, currency: "USD", occurred_at: "2026-10-30T00:00:00Z", status: "approved" };
    for (const affiliate_id of ids)
      for (let half = 0; half < 2; half++) {
        const external = (i: number) => `${affiliate_id}-${half}-${i}`;
        const commissions = Array.from({ length: 500 }, (_, i) => ({
          ...order,
          affiliate_id,
          external_id: external(i),
        }));
        await world.ok("POST", "/v1/commissions/batch", { commissions });
      }
    await world.sale(ids[0] ?? "", 5);
    const session = await start(world);
    const page = await unpaid(world, session);
    expect(
      page.data.map((group) => [group.commission_count, group.commissions.length, group.amount]),
    ).toEqual([[1_001, 1_000, 10_005], ...Array.from({ length: 4 }, () => [1_000, 1_000, 10_000])]);
    const rest = await unpaid(world, session, `cursor=${encodeURIComponent(page.next_cursor ?? "")}`);
    expect([rest.data.map(({ affiliate_id }) => affiliate_id), rest.has_more]).toEqual([[ids[5]], false]);
    expect((await select(world, session)).totals).toMatchObject([{ amount: 60_005, count: 6 }]);
    expect((await markPaid(world, session, {})).body).toMatchObject({ status: "done", failed: [] });
  });
});
