// Payouts: listed by what they are, read with their commissions, and noted upon.
import { describe, expect, it } from "vitest";
import { expectSound } from "./books.ts";
import { create, generate, type Page, payoutOfDue, readAll } from "./generated.ts";
import { type Loose, openWorld } from "./world.ts";

const idsOf = (items: readonly { id: string }[]): string[] => items.map(({ id }) => id);

describe("the list of payouts", () => {
  it("goes newest first or oldest first, page by page, without a gap or a repeat", async () => {
    const world = await openWorld();
    const id = await world.affiliate();
    const made: string[] = [];
    for (let i = 0; i < 5; i++) {
      world.advance(1_000);
      made.push((await create(world, id, [(await world.sale(id, 100)).id])).body.id);
    }
    expect(idsOf(await readAll(world, "/v1/payouts?limit=2"))).toEqual([...made].reverse());
    expect(idsOf(await readAll(world, "/v1/payouts?limit=2&order=asc"))).toEqual(made);
    const whole = await world.ok<Page<Loose>>("GET", "/v1/payouts");
    expect([whole.data.length, whole.has_more, whole.next_cursor]).toEqual([5, false, null]);
    expect(whole.data[4]).toEqual(await world.ok("GET", `/v1/payouts/${made[0]}`));
  });

  it("binds a cursor to its filters, its route and its program", async () => {
    const [other, world] = [await openWorld(), await openWorld()];
    for (const of of [other, world]) {
      const id = await of.affiliate();
      for (const amount of [1, 2, 3]) await create(of, id, [(await of.sale(id, amount)).id]);
    }
    const { next_cursor: cursor } = await world.ok<Page<Loose>>("GET", "/v1/payouts?limit=1");
    expect((await world.call("GET", `/v1/payouts?limit=2&cursor=${cursor}`)).status).toBe(200);
    for (const path of [
      `payouts?limit=1&status=pending&cursor=${cursor}`,
      `payouts?order=asc&cursor=${cursor}`,
      `commissions?cursor=${cursor}`,
    ])
      expect((await world.call("GET", `/v1/${path}`)).status, path).toBe(400);
    expect((await other.call("GET", `/v1/payouts?limit=1&cursor=${cursor}`)).status).toBe(400);
  });

  it("can be narrowed by everything that the contract names", async () => {
    const world = await openWorld();
    const [ada, bea] = [await world.affiliate({ external_id: "ada" }), await world.affiliate()];
    await world.sale(ada, 100);
    const { body: run } = await generate(world);
    const paid = run.payouts[0]?.id ?? "";
    world.advance(60_000);
    await world.ok("POST", `/v1/payouts/${paid}/mark-paid`, { external_ref: "bank 7" });
    const paidAt = world.now();
    world.advance(60_000);
    const euros = (
      await create(world, bea, [(await world.sale(bea, 200, { currency: "EUR" })).id], { currency: "EUR" })
    ).body.id;
    const [before, after] = [new Date(paidAt).toISOString(), new Date(paidAt + 1).toISOString()];
    const both = [euros, paid];
    const filters: [string, string[]][] = [
      ["status=paid", [paid]],
      ["status=paid,pending", both],
      ["status=failed", []],
      ["affiliate_id=ext:ada", [paid]],
      [`affiliate_id=${bea}`, [euros]],
      ["affiliate_id=aff_nobody", []],
      ["currency=EUR", [euros]],
      [`created_after=${after}`, [euros]],
      [`created_before=${after}`, [paid]],
      [`paid_after=${before}`, [paid]],
      [`paid_after=${after}`, []],
      [`paid_before=${before}`, []],
      ["external_ref=bank%207", [paid]],
      ["external_id=none", []],
      [`run_id=${run.run_id}`, [paid]],
      ["session_id=ses_none", []],
      ["stalled=false", both],
      ["stalled=true", []],
      ["status=pending&currency=USD", []],
    ];
    for (const [query, found] of filters)
      expect(idsOf(await readAll(world, `/v1/payouts?${query}`)), query).toEqual(found);
  });

  it("names the affiliates where it is asked to, as reading one does", async () => {
    const world = await openWorld();
    const id = await world.affiliate({
      name: "Grace Hopper",
      email: "grace@example.com",
      external_id: "grace",
    });
    const { body } = await create(world, id, [(await world.sale(id, 100)).id]);
    const affiliate = { id, external_id: "grace", name: "Grace Hopper", email: "grace@example.com" };
    expect(await readAll(world, "/v1/payouts?expand=affiliate")).toEqual([{ ...body, affiliate }]);
    expect(await world.ok("GET", `/v1/payouts/${body.id}?expand=affiliate`)).toEqual({ ...body, affiliate });
    expect(await world.ok("GET", `/v1/payouts/${body.id}`)).toEqual(body);
  });

  it("refuses filters and values that it does not know", async () => {
    const world = await openWorld();
    const bad = [
      "status=done",
      "status=",
      "currency=usd",
      "created_after=yesterday",
      "limit=0",
      "limit=201",
      "order=up",
    ];
    bad.push("stalled=yes", "expand=commissions", "run_id=po_1", "colour=red", "limit=1&limit=2");
    for (const query of bad) {
      const { status, body } = await world.call("GET", `/v1/payouts?${query}`);
      expect([status, body.code], query).toEqual([422, "validation_failed"]);
    }
  });
});

describe("the commissions of a payout", () => {
  it("are listed page by page as they were claimed, also after they were given back", async () => {
    const world = await openWorld();
    const id = await world.affiliate();
    const sales: Loose[] = [];
    for (const amount of [100, 200, 300]) {
      world.advance(1_000);
      sales.push(await world.sale(id, amount));
    }
    await world.ok("POST", `/v1/commissions/${sales[2]?.id}/reverse`, { amount: 50, reason: "part" });
    const payout = await payoutOfDue(world);
    const path = `/v1/payouts/${payout.id}/commissions`;
    const lines = await readAll(world, `${path}?limit=2&order=asc`);
    expect(idsOf(lines)).toEqual(idsOf(sales));
    expect(lines.map((line) => line["claimed_amount"])).toEqual([100, 200, 250]);
    expect(idsOf(await readAll(world, path))).toEqual(idsOf(sales).reverse());
    await world.ok("POST", `/v1/payouts/${payout.id}/cancel`, {});
    expect(await readAll(world, `${path}?order=asc`)).toMatchObject(
      sales.map(({ id: of }) => ({ id: of, status: "approved", payout_id: null })),
    );
    expect(await world.call("GET", "/v1/payouts/po_nothing/commissions")).toMatchObject({
      status: 404,
      body: { code: "payout_not_found" },
    });
    await expectSound(world);
  });
});

describe("notes on a payout", () => {
  it("are written, replaced and taken away, in any state, and change nothing else", async () => {
    const world = await openWorld();
    await world.sale(await world.affiliate(), 100);
    const payout = await payoutOfDue(world);
    const path = `/v1/payouts/${payout.id}`;
    const noted = await world.ok("PATCH", path, {
      admin_note: "check",
      partner_message: "soon",
      external_ref: "x 1",
    });
    expect(noted).toEqual({ ...payout, admin_note: "check", partner_message: "soon", external_ref: "x 1" });
    await world.ok("POST", `${path}/cancel`, { reason: "wrong month" });
    const after = await world.ok("PATCH", path, { admin_note: null });
    expect(after).toMatchObject({ status: "cancelled", admin_note: null, partner_message: "soon" });
    expect(await world.ok("GET", path)).toEqual(after);
    for (const body of [{ status: "paid" }, { amount: 1 }, { admin_note: "" }, { admin_note: 1 }])
      expect((await world.call("PATCH", path, body)).status, JSON.stringify(body)).toBe(422);
    await expectSound(world);
  });

  it("that say nothing are refused", async () => {
    const world = await openWorld();
    await world.sale(await world.affiliate(), 100);
    const payout = await payoutOfDue(world);
    expect((await world.call("PATCH", `/v1/payouts/${payout.id}`, {})).status).toBe(422);
  });

  it("leave the rail's own reference alone", async () => {
    const world = await openWorld();
    const { id } = await world.stripeAffiliate();
    await world.sale(id, 100);
    const payout = await payoutOfDue(world);
    await world.ok("POST", `/v1/payouts/${payout.id}/pay`, {}, { prefer: "wait=10" });
    expect(await world.call("PATCH", `/v1/payouts/${payout.id}`, { external_ref: "mine" })).toMatchObject({
      status: 409,
      body: { code: "settled_by_rail" },
    });
  });
});
