// Payouts by the hundred: approved, paid and marked, each by the rules of a call of its own.
import { afterEach, describe, expect, it } from "vitest";
import { atOnce, expectSound } from "./books.ts";
import { generate } from "./generated.ts";
import { seedCrowd } from "./runs-crowd.ts";
import { seams } from "./seams.ts";
import { changedTables, readTables } from "./tables.ts";
import { type Answer, type Loose, openWorld, type World } from "./world.ts";

interface Result extends Loose {
  readonly ok: boolean;
  readonly payout?: Loose;
  readonly errors?: readonly { readonly pointer: string }[];
}

interface Results {
  readonly results: readonly Result[];
  readonly succeeded: number;
  readonly failed: number;
  readonly has_more?: boolean;
  readonly next_cursor?: string | null;
}

let world: World;

afterEach(async () => {
  await expectSound(world);
});

const asked = (
  verb: "approve" | "pay" | "mark-paid",
  body: object,
  headers: Record<string, string> = {},
): Promise<Answer<Results>> => world.call("POST", `/v1/payouts/${verb}`, body, headers);

const briefly = ({ body }: Answer<Results>) => body.results.map(({ status, code }) => code ?? status);

const keyOf = async (...scopes: string[]): Promise<Record<string, string>> => {
  const { secret } = await world.ok("POST", "/v1/api-keys", { name: "Key", scopes });
  return { authorization: `Bearer ${secret}` };
};

/** Payouts of so many affiliates, one each, all in one run. */
const due = async (count: number, policy: Record<string, unknown> = {}) => {
  world = await openWorld(policy);
  const ids = await Promise.all(Array.from({ length: count }, () => world.affiliate()));
  await Promise.all(ids.map((id, i) => world.sale(id, 1_000 + i)));
  const { body } = await generate(world);
  return { run: body.run_id ?? "", payouts: body.payouts, ids: body.payouts.map(({ id }) => id) };
};

describe("approving by the hundred", () => {
  it("approves each, again without a change, and names what it cannot", async () => {
    const { ids } = await due(3, { require_approval: true });
    const [first = "", second = ""] = ids;
    await world.ok("POST", `/v1/payouts/${second}/cancel`, {});
    const answer = await asked("approve", { payout_ids: [...ids, first, "po_01JZ0000000000000000000000"] });
    expect(briefly(answer)).toEqual([200, "invalid_state", 200, 200, "payout_not_found"]);
    expect(answer.body.results[0]).toMatchObject({ ok: true, payout: { id: first, status: "approved" } });
    expect(answer.body.results[4]).toMatchObject({ status: 404, errors: [{ pointer: "/payout_ids/4" }] });
    expect(await world.ok("GET", `/v1/payouts/${first}`)).toMatchObject({ status: "approved" });
  });

  it("of a run approves what waits in it", async () => {
    const { run, ids } = await due(3, { require_approval: true });
    await world.ok("POST", `/v1/payouts/${ids[0]}/approve`);
    const { body } = await asked("approve", { run_id: run });
    expect([body.succeeded, body.has_more, body.next_cursor]).toEqual([2, false, null]);
    expect((await asked("pay", { run_id: run })).body.succeeded).toBe(3);
    const stranger = await asked("pay", { run_id: "run_01JZ0000000000000000000000" });
    expect([stranger.status, (stranger.body as unknown as Loose).code]).toEqual([404, "run_not_found"]);
  });

  it("where four eyes are asked for needs another key than the one that made them, for each", async () => {
    const { run, ids } = await due(2, { require_approval: true, four_eyes: true });
    const affiliate = await world.affiliate();
    const sale = await world.sale(affiliate, 500);
    const writer = await keyOf("payouts:write");
    const chosen = { affiliate_id: affiliate, currency: "USD", commission_ids: [sale.id] };
    const theirs = (await world.call("POST", "/v1/payouts", chosen, writer)).body.id;
    const own = await asked("approve", { payout_ids: [...ids, theirs] });
    expect(briefly(own)).toEqual(["four_eyes", "four_eyes", 200]);
    const other = await keyOf("payouts:approve");
    expect(briefly(await asked("approve", { run_id: run }, other))).toEqual([200, 200]);
    expect(briefly(await asked("approve", { payout_ids: ids }))).toEqual([200, 200]);
  });

  it("can be withdrawn, and paying then waits again", async () => {
    const { ids } = await due(2, { require_approval: true });
    expect(briefly(await asked("pay", { payout_ids: ids }))).toEqual([
      "awaiting_approval",
      "awaiting_approval",
    ]);
    await asked("approve", { payout_ids: ids });
    await world.ok("POST", `/v1/payouts/${ids[0]}/withdraw-approval`);
    expect(briefly(await asked("pay", { payout_ids: ids }))).toEqual(["awaiting_approval", 202]);
  });
});

describe("paying by the hundred", () => {
  it("sends each through its rail once, however often it is asked", async () => {
    world = await openWorld();
    for (let i = 0; i < 4; i++) await world.sale((await world.stripeAffiliate()).id, 1_000 + i);
    const ids = (await generate(world)).body.payouts.map(({ id }) => id);
    const answers = await atOnce(3, () => asked("pay", { payout_ids: ids }));
    for (const answer of answers) expect(briefly(answer)).toEqual([202, 202, 202, 202]);
    await world.drain();
    expect(world.stripe.transfers().length).toBe(4);
    expect(briefly(await asked("pay", { payout_ids: ids }))).toEqual(ids.map(() => "invalid_state"));
  });

  it("spreads the payments over the seconds to come: seven a second", async () => {
    const { run, ids } = await due(20);
    const { ports } = seams;
    const delays: number[] = [];
    seams.ports = (made) => ({
      ...ports(made),
      hints: { send: async (hint, delayS = 0) => void (hint.kind === "pay" && delays.push(delayS)) },
    });
    expect((await asked("pay", { run_id: run })).body.succeeded).toBe(20);
    expect(delays).toEqual(ids.map((_, i) => Math.floor(i / 7)));
  });

  it("does not fail where the queue does: the sweeper sends the hints again", async () => {
    const { ids } = await due(2);
    const { ports } = seams;
    seams.ports = (made) => ({
      ...ports(made),
      hints: { send: () => Promise.reject(new Error("the queue is away")) },
    });
    expect(briefly(await asked("pay", { payout_ids: ids }))).toEqual([202, 202]);
    seams.ports = ports;
    await world.drain();
    expect(briefly(await asked("mark-paid", { payments: ids.map((payout_id) => ({ payout_id })) }))).toEqual([
      200, 200,
    ]);
  });

  it("goes through a large run page by page, past those that cannot be paid", async () => {
    world = await openWorld();
    await seedCrowd(world, 1, 210, () => 1_000);
    const { body } = await generate(world);
    const run = body.run_id;
    const ids = body.payouts.map(({ id }) => id).sort();
    await world.ok("PATCH", `/v1/affiliates/${body.payouts[0]?.affiliate_id}`, { status: "suspended" });
    const first = await asked("pay", { run_id: run });
    expect([first.body.results.length, first.body.has_more]).toEqual([200, true]);
    const second = await asked("pay", { run_id: run, cursor: first.body.next_cursor });
    expect([second.body.results.length, second.body.has_more]).toEqual([10, false]);
    const answered = [...first.body.results, ...second.body.results];
    expect(answered.map(({ id }) => id)).toEqual(ids);
    expect(answered.filter(({ ok }) => !ok).map(({ code }) => code)).toEqual(["affiliate_suspended"]);
    const other = await asked("pay", {
      run_id: "run_01JZ0000000000000000000000",
      cursor: first.body.next_cursor,
    });
    expect(other.status).toBe(400);
  });

  it("needs the scope of a call of its own, and refuses what is no list", async () => {
    const { ids } = await due(1);
    const writer = await keyOf("payouts:write");
    for (const [verb, scope] of [
      ["approve", "payouts:approve"],
      ["pay", "payouts:pay"],
    ] as const)
      expect((await asked(verb, { payout_ids: ids }, writer)).body).toMatchObject({ required_scope: scope });
    const before = await readTables();
    const wrong = [{}, { payout_ids: [] }, { payout_ids: ["aff_x"] }, { payout_ids: ids, run_id: "run_x" }];
    for (const body of [...wrong, { payout_ids: Array.from({ length: 501 }, () => ids[0]) }])
      expect((await asked("pay", body)).status, JSON.stringify(body).slice(0, 60)).toBe(422);
    expect(changedTables(before, await readTables())).toEqual([]);
  });

  it("finds nothing of a neighbour", async () => {
    const theirs = await due(1);
    const other = world;
    world = await openWorld();
    const before = await readTables();
    for (const [verb, body] of [
      ["approve", { payout_ids: theirs.ids }],
      ["pay", { payout_ids: theirs.ids }],
      ["mark-paid", { payments: theirs.ids.map((payout_id) => ({ payout_id })) }],
    ] as const)
      expect(briefly(await asked(verb, body))).toEqual(["payout_not_found"]);
    expect((await asked("pay", { run_id: theirs.run })).status).toBe(404);
    expect(changedTables(before, await readTables())).toEqual([]);
    await expectSound(other);
  });
});

describe("marking as paid by the hundred", () => {
  it("keeps what is said of each, and what is said of all of them", async () => {
    const { ids } = await due(3);
    const [first = "", second = "", third = ""] = ids;
    const { body } = await asked("mark-paid", {
      payments: [
        { payout_id: first, external_ref: "tx-1", amount: 1_000_000 },
        { payout_id: second, external_ref: "tx-2", partner_message: "thanks" },
        { payout_id: third },
      ],
      external_ref: "bank run",
      paid_at: "2026-10-31T10:00:00Z",
    });
    expect(body.results.map(({ status }) => status)).toEqual([409, 200, 200]);
    expect(body.results[0]).toMatchObject({
      code: "amount_changed",
      errors: [{ pointer: "/payments/0/amount" }],
    });
    expect(await world.ok("GET", `/v1/payouts/${second}`)).toMatchObject({
      external_ref: "tx-2",
      partner_message: "thanks",
      paid_at: "2026-10-31T10:00:00.000Z",
    });
    expect(await world.ok("GET", `/v1/payouts/${third}`)).toMatchObject({ external_ref: "bank run" });
    expect(await world.ok("GET", `/v1/payouts/${first}`)).toMatchObject({ status: "pending" });
  });

  it("again says the same, and another reference is refused", async () => {
    const { ids } = await due(1);
    const payments = [{ payout_id: ids[0], external_ref: "tx-1" }];
    expect(briefly(await asked("mark-paid", { payments }))).toEqual([200]);
    expect(briefly(await asked("mark-paid", { payments }))).toEqual([200]);
    const other = [{ payout_id: ids[0], external_ref: "tx-2" }];
    expect(briefly(await asked("mark-paid", { payments: other }))).toEqual(["external_ref_differs"]);
    const ahead = { payments, paid_at: "2026-12-01T00:00:00Z" };
    expect(briefly(await asked("mark-paid", ahead))).toEqual(["period_invalid"]);
  });
});
