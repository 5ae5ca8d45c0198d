// Payouts of chosen commissions: exactly those, whole, free and the affiliate's own.
import { describe, expect, it } from "vitest";
import { expectSound } from "./books.ts";
import { create, payoutOfDue } from "./generated.ts";
import { changedTables, readTables } from "./tables.ts";
import { openWorld } from "./world.ts";

interface Refused {
  readonly code: string;
  readonly payout_id?: string;
  readonly commission_id?: string;
  readonly errors: readonly { pointer: string }[];
}

describe("a payout of chosen commissions", () => {
  it("holds exactly those, by our ids or the caller's own, and leaves the rest due", async () => {
    const world = await openWorld();
    const id = await world.affiliate({ external_id: "ada" });
    const [first, second] = [
      await world.sale(id, 100),
      await world.sale(id, 20, { external_id: "chosen-2" }),
    ];
    await world.sale(id, 3);
    const made = await create(world, "ext:ada", [first.id, "ext:chosen-2"], { admin_note: "as agreed" });
    expect(made).toMatchObject({
      status: 201,
      body: { affiliate_id: id, amount: 120, status: "pending", run_id: null, admin_note: "as agreed" },
    });
    expect([...made.body.commission_ids].sort()).toEqual([first.id, second.id].sort());
    expect(await world.ok("GET", `/v1/commissions/${second.id}`)).toMatchObject({
      status: "processing",
      payout_id: made.body.id,
    });
    expect(await payoutOfDue(world)).toMatchObject({ amount: 3 });
    await expectSound(world);
  });

  it("may be below the minimum, for a person chose", async () => {
    const world = await openWorld({ minimum_payout: { USD: 5_000 } });
    const id = await world.affiliate();
    const sale = await world.sale(id, 100);
    expect(await create(world, id, [sale.id])).toMatchObject({ status: 201, body: { amount: 100 } });
  });

  it("that names a commission twice holds it once", async () => {
    const world = await openWorld();
    const id = await world.affiliate();
    const sale = await world.sale(id, 100, { external_id: "twice" });
    const made = await create(world, id, [sale.id, "ext:twice", sale.id]);
    expect(made).toMatchObject({ status: 201, body: { amount: 100, commission_count: 1 } });
    await expectSound(world);
  });

  it("is refused where one is not free, and the refusal names which and whose it is", async () => {
    const world = await openWorld();
    const id = await world.affiliate();
    const [taken, free] = [await world.sale(id, 100), await world.sale(id, 100)];
    const holder = await create(world, id, [taken.id]);
    const waiting = await world.sale(id, 100, { status: "pending" });
    const before = await readTables();
    const refused = await create<Refused>(world, id, [free.id, taken.id]);
    expect(refused).toMatchObject({
      status: 409,
      body: { code: "commissions_not_free", commission_id: taken.id, payout_id: holder.body.id },
    });
    const unready = await create<Refused>(world, id, [waiting.id]);
    expect(unready).toMatchObject({
      status: 409,
      body: { code: "commissions_not_free", commission_id: waiting.id },
    });
    expect(unready.body.payout_id).toBeUndefined();
    expect(changedTables(before, await readTables())).toEqual([]);
  });

  it("is refused where more is owed back than was chosen, and says how much is missing", async () => {
    const world = await openWorld();
    const id = await world.affiliate();
    const paid = await world.sale(id, 500);
    await world.ok("POST", `/v1/payouts/${(await payoutOfDue(world)).id}/mark-paid`, {});
    await world.ok("POST", `/v1/commissions/${paid.id}/reverse`, { reason: "sent back" });
    const [small, large] = [await world.sale(id, 400), await world.sale(id, 600)];
    expect(await create(world, id, [small.id])).toMatchObject({
      status: 422,
      body: { code: "recovery_exceeds_earnings", missing_amount: 101 },
    });
    expect(await create(world, id, [large.id])).toMatchObject({ status: 201, body: { amount: 100 } });
    await expectSound(world);
  });

  it("is refused for what is not there, not the affiliate's, or of another currency", async () => {
    const stranger = await openWorld();
    const foreign = await stranger.sale(await stranger.affiliate(), 100);
    const world = await openWorld();
    const [id, other] = [await world.affiliate(), await world.affiliate()];
    const own = await world.sale(id, 100);
    const [others, euros] = [await world.sale(other, 100), await world.sale(id, 100, { currency: "EUR" })];
    const before = await readTables();
    for (const [commission, pointer] of [
      [foreign.id, "/commission_ids/1"],
      ["com_nothing", "/commission_ids/1"],
      ["ext:nothing", "/commission_ids/1"],
      [others.id, "/commission_ids"],
      [euros.id, "/commission_ids"],
    ] as const) {
      const { status, body } = await create<Refused>(world, id, [own.id, commission]);
      expect([status, body.code, body.errors[0]?.pointer]).toEqual([404, "commission_not_found", pointer]);
    }
    expect(await create(world, "aff_nobody", [own.id])).toMatchObject({ status: 404 });
    expect(await create(world, id, [])).toMatchObject({ status: 422 });
    expect(await create(world, id, ["po_1"])).toMatchObject({ status: 422 });
    expect(changedTables(before, await readTables())).toEqual([]);
  });
});
