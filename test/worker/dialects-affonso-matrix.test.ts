// Affonso's table of transitions, whole: from wherever a payout of ours may stand to each of its statuses; and a month of merchants' life through it.
import { afterEach, describe, expect, it } from "vitest";
import { expectSound } from "./books.ts";
import { keyOf, payoutAt, STAGES, type Stage } from "./dialects-scene.ts";
import { changedTables, readTables } from "./tables.ts";
import { type Loose, openWorld, type World } from "./world.ts";

const STATUSES = ["pending", "processing", "completed", "failed", "cancelled"] as const;
type Status = (typeof STATUSES)[number];

/** What Affonso shows, then for each status asked what stands in our books afterwards; what is not here is refused. */
const TABLE: Readonly<Record<Stage, readonly [shown: Status, ways: Partial<Record<Status, string>>]>> = {
  requested: ["pending", { pending: "requested", processing: "processing", cancelled: "cancelled" }],
  pending: ["pending", { pending: "pending", processing: "processing", cancelled: "cancelled" }],
  approved: ["pending", { pending: "approved", processing: "processing", cancelled: "cancelled" }],
  "asked to be paid by Stripe": ["processing", {}],
  "under way at Stripe": ["processing", {}],
  "waiting for a person": [
    "processing",
    { processing: "processing", completed: "paid", failed: "failed", cancelled: "cancelled" },
  ],
  "paid by hand": ["completed", { completed: "paid" }],
  "paid by Stripe": ["completed", { completed: "paid" }],
  failed: ["failed", { failed: "failed", pending: "pending", cancelled: "cancelled" }],
  cancelled: ["cancelled", { cancelled: "cancelled", pending: "pending" }],
  returned: ["failed", { failed: "returned" }],
};

interface Envelope {
  readonly success: boolean;
  readonly data: Loose;
  readonly error: { readonly code: string; readonly message: string };
}

let world: World;

afterEach(async () => {
  world.stripe.clearFaults();
  await world.drain();
  await expectSound(world);
});

const put = (id: string, body: object) => world.call<Envelope>("PUT", `/v1/payouts/${id}`, body);
const standing = async (id: string) => (await world.ok("GET", `/v1/payouts/${id}`)).status as string;

const ask = async (stage: Stage, status: Status): Promise<void> => {
  const id = await payoutAt(world, stage);
  const [shown, ways] = TABLE[stage];
  const expected = ways[status];
  const [before, stood] = [await readTables(), await standing(id)];
  const answer = await put(id, { status });
  const cell = `${stage} to ${status}`;
  if (expected === undefined) {
    expect([answer.status, answer.body], cell).toMatchObject([
      400,
      { success: false, error: { code: "VALIDATION_ERROR" } },
    ]);
    expect(changedTables(before, await readTables()), cell).toEqual([]);
    expect(await standing(id), cell).toBe(stood);
    return;
  }
  const said = status === shown ? shown : status;
  expect([answer.status, answer.body.success, answer.body.data.status], cell).toEqual([200, true, said]);
  expect(await standing(id), cell).toBe(expected);
  expect((await put(id, { status })).body.data, cell).toEqual(answer.body.data);
};

describe("a payout", () => {
  it.each(STAGES)("that is %s goes where Affonso's table lets it, and nowhere else", async (stage) => {
    world = await openWorld();
    for (const status of STATUSES) await ask(stage, status);
  });
});

describe("the same status again", () => {
  it.each(["pending", "failed", "cancelled", "waiting for a person"] as const)(
    "takes the method and reference of one that is %s",
    async (stage) => {
      world = await openWorld();
      const id = await payoutAt(world, stage);
      const [status] = TABLE[stage];
      const named = { paymentMethod: "wire", paymentReference: "W-1" };
      expect((await put(id, { status, ...named })).body.data).toMatchObject(named);
      const moved = { paymentMethod: "cheque", paymentReference: "C-2" };
      expect((await put(id, { status, ...moved })).body.data).toMatchObject(moved);
      expect(await world.ok("GET", `/v1/payouts/${id}`)).toMatchObject({ external_ref: "C-2" });
    },
  );

  it("is heard of a completed one only where nothing differs", async () => {
    world = await openWorld();
    const id = await payoutAt(world, "waiting for a person");
    const said = { status: "completed", paymentMethod: "paypal", paymentReference: "PP-1" };
    const first = await put(id, said);
    const before = await readTables();
    expect((await put(id, said)).body).toEqual(first.body);
    for (const other of [{ paymentReference: "PP-2" }, { paymentMethod: "wire" }])
      expect(await put(id, { ...said, ...other })).toMatchObject({
        status: 400,
        body: { error: { code: "VALIDATION_ERROR" } },
      });
    expect(changedTables(before, await readTables())).toEqual([]);
  });
});

describe("a month through Affonso", () => {
  it("of payments by hand, failures, refunds and refusals leaves the books sound", async () => {
    world = await openWorld({ minimum_payout: { USD: 1_000 } });
    const key = await keyOf(world, { dialect: "affonso" });
    const affiliates = await Promise.all(
      ["ada", "bob", "cyd", "dan"].map((name) => world.affiliate({ external_id: name, name })),
    );
    const WAYS: readonly (readonly Status[])[] = [
      ["processing", "completed"],
      ["processing", "failed", "pending", "processing", "completed"],
      ["cancelled", "pending", "processing", "cancelled"],
      ["processing", "failed", "cancelled", "pending"],
    ];
    const orders: string[] = [];
    for (let day = 0; day < 30; day++) {
      const affiliateId = affiliates[day % affiliates.length] ?? "";
      orders.push((await world.sale(affiliateId, 700 + 13 * day)).id);
      if (day % 7 === 6) {
        await world.generate();
        const list = await world.ok<{ data: Loose[] }>("GET", "/v1/payouts?status=pending", undefined, key);
        for (const [i, { id }] of list.data.entries())
          for (const status of WAYS[(i + day) % WAYS.length] ?? [])
            await world.ok("PUT", `/v1/payouts/${id}`, { status, paymentReference: `${status}-${day}` }, key);
        await world.call("POST", `/v1/commissions/${orders[day - 3]}/reverse`, { reason: "refund" });
      }
      world.advance(86_400_000);
    }
    await world.drain();
    expect(await world.verify()).toMatchObject({ ok: true, findings: [] });
    const { data } = await world.ok<{ data: Loose[] }>("GET", "/v1/payouts?limit=200", undefined, key);
    expect(new Set(data.map(({ status }) => status as string))).toEqual(
      new Set(["completed", "cancelled", "pending"]),
    );
  });
});
