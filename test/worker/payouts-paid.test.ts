// Payouts paid by hand: marked once however often it is said, numbered without a gap, and taken back by whoever may.
import { describe, expect, it } from "vitest";
import { atOnce, expectSound } from "./books.ts";
import { generate, type Payout, payoutOfDue } from "./generated.ts";
import { changedTables, readTables } from "./tables.ts";
import { type Answer, type Loose, openWorld, type World } from "./world.ts";

const DAY_MS = 86_400_000;

const due = async (world: World, amount = 1_000): Promise<Payout> => {
  await world.sale(await world.affiliate(), amount);
  return payoutOfDue(world);
};

const mark = (world: World, payout: Loose, body: object = {}): Promise<Answer<Payout>> =>
  world.call("POST", `/v1/payouts/${payout.id}/mark-paid`, body);

const back = (world: World, payout: Loose): Promise<Answer<Payout>> =>
  world.call("POST", `/v1/payouts/${payout.id}/return`, { reason: "the bank sent it back" });

const paidByStripe = async (world: World): Promise<Payout> => {
  const { id } = await world.stripeAffiliate();
  await world.sale(id, 1_000);
  const payout = await payoutOfDue(world);
  return world.ok("POST", `/v1/payouts/${payout.id}/pay`, {}, { prefer: "wait=10" });
};

describe("a payout that is marked paid", () => {
  it("keeps what was said of the payment, whatever its method is", async () => {
    const world = await openWorld();
    const { id } = await world.stripeAffiliate();
    await world.sale(id, 1_000);
    const payout = await payoutOfDue(world);
    const paidAt = new Date(world.now() - DAY_MS).toISOString();
    const said = {
      external_ref: "SEPA 1",
      paid_at: paidAt,
      admin_note: "by hand",
      partner_message: "Thank you",
    };
    const marked = await mark(world, payout, { ...said, amount: 1_000 });
    expect(marked).toMatchObject({
      status: 200,
      body: { ...said, status: "paid", paid_via: "manual", invoice_number: 1 },
    });
    expect(marked.body).toMatchObject({ payout_method: "stripe", blockers: [] });
    expect(world.stripe.transfers()).toEqual([]);
    await expectSound(world);
  });

  it("answers the same reference again, and refuses another one, changing nothing", async () => {
    const world = await openWorld();
    const payout = await due(world);
    const first = await mark(world, payout, { external_ref: "SEPA 1" });
    const before = await readTables();
    expect(await mark(world, payout, { external_ref: "SEPA 1" })).toMatchObject({
      status: 200,
      body: first.body,
    });
    expect(await mark(world, payout, { external_ref: "SEPA 1", amount: 1_000 })).toMatchObject({
      status: 200,
    });
    for (const body of [{ external_ref: "SEPA 2" }, {}])
      expect(await mark(world, payout, body)).toMatchObject({
        status: 409,
        body: { code: "external_ref_differs" },
      });
    expect(changedTables(before, await readTables())).toEqual([]);
  });

  it("through a bank answers the same reference again too", async () => {
    const world = await openWorld();
    const payout = await due(world);
    await mark(world, payout, { external_ref: "SEPA 1", paid_via: "bank_transfer" });
    expect(await mark(world, payout, { external_ref: "SEPA 1" })).toMatchObject({
      status: 200,
      body: { paid_via: "bank_transfer" },
    });
  });

  it("must be of the payout's amount, before and after it is paid", async () => {
    const world = await openWorld();
    const payout = await due(world);
    const wrong = { external_ref: "SEPA 1", amount: 999 };
    expect(await mark(world, payout, wrong)).toMatchObject({
      status: 409,
      body: { code: "amount_changed", amount: 1_000 },
    });
    expect(await world.ok("GET", `/v1/payouts/${payout.id}`)).toMatchObject({ status: "pending" });
    await mark(world, payout, { external_ref: "SEPA 1" });
    expect(await mark(world, payout, wrong)).toMatchObject({ status: 409, body: { code: "amount_changed" } });
  });

  it("may share its reference with others, for one bank transfer may cover several", async () => {
    const world = await openWorld();
    const payouts = [await due(world), await due(world)];
    for (const payout of payouts)
      expect((await mark(world, payout, { external_ref: "SEPA 1" })).status).toBe(200);
    const { data } = await world.ok<{ data: Loose[] }>("GET", "/v1/payouts?external_ref=SEPA%201");
    expect(data).toHaveLength(2);
  });

  it("was not paid tomorrow, nor through a rail that the merchant does not work by hand", async () => {
    const world = await openWorld();
    const payout = await due(world);
    for (const body of [
      { paid_at: new Date(world.now() + 1).toISOString() },
      { paid_via: "stripe" },
      { amount: 0 },
      { external_ref: "" },
      { invoice_number: 7 },
    ])
      expect((await mark(world, payout, body)).status, JSON.stringify(body)).toBe(422);
    expect(await world.ok("GET", `/v1/payouts/${payout.id}`)).toMatchObject({ status: "pending" });
  });

  it("is not marked while its rail is paying it", async () => {
    const world = await openWorld();
    const { id } = await world.stripeAffiliate();
    await world.sale(id, 1_000);
    const payout = await payoutOfDue(world);
    world.stripe.addFault({ fault: "drop_before_work", times: 9 });
    await world.ok("POST", `/v1/payouts/${payout.id}/pay`);
    await world.deliver();
    expect(await mark(world, payout)).toMatchObject({ status: 409, body: { code: "payment_under_way" } });
    const verbs = { cancel: {}, "mark-failed": { reason: "x" } };
    for (const [verb, body] of Object.entries(verbs))
      expect(await world.call("POST", `/v1/payouts/${payout.id}/${verb}`, body)).toMatchObject({
        status: 409,
        body: { code: "payment_under_way" },
      });
    await expectSound(world);
  });
});

describe("invoice numbers", () => {
  it("go on by one from 1 in each program, however many payments settle at once", async () => {
    const [other, world] = [await openWorld(), await openWorld()];
    await mark(other, await due(other));
    await atOnce(20, async () => world.sale(await world.affiliate(), 1_000));
    const { body } = await generate(world);
    expect(body.payouts.map((payout) => payout["invoice_number"])).toEqual(Array(20).fill(null));
    const answers = await Promise.all(body.payouts.map((payout) => mark(world, payout)));
    const numbers = answers.map((answer) => Number(answer.body["invoice_number"])).sort((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    await expectSound(world);
  });

  it("are not used up by what is refused, cancelled or returned, and a credit note has the next", async () => {
    const world = await openWorld();
    const [first, second, third] = [await due(world), await due(world), await due(world)];
    await mark(world, first, { amount: 5 });
    await world.ok("POST", `/v1/payouts/${second.id}/cancel`, {});
    expect((await mark(world, first)).body).toMatchObject({ invoice_number: 1, credit_note_number: null });
    expect((await mark(world, third)).body).toMatchObject({ invoice_number: 2 });
    const returned = await back(world, first);
    expect(returned.body).toMatchObject({ status: "returned", invoice_number: 1, credit_note_number: 3 });
    await world.ok("POST", `/v1/payouts/${second.id}/reopen`);
    expect((await mark(world, second)).body).toMatchObject({ invoice_number: 4 });
    expect(await world.ok("GET", `/v1/payouts/${first.id}`)).toEqual(returned.body);
    await expectSound(world);
  });
});

describe("money that came back", () => {
  it("is due again, and the payout says how much, once", async () => {
    const world = await openWorld();
    const payout = await due(world);
    expect((await back(world, payout)).body).toMatchObject({ code: "invalid_state" });
    await mark(world, payout, { external_ref: "SEPA 1" });
    expect(await back(world, payout)).toMatchObject({
      status: 200,
      body: { status: "returned", returned_amount: 1_000, failure_detail: "the bank sent it back" },
    });
    expect(await back(world, payout)).toMatchObject({ status: 409, body: { code: "invalid_state" } });
    expect(await payoutOfDue(world)).toMatchObject({ amount: 1_000, commission_ids: payout.commission_ids });
    await expectSound(world);
  });

  it("from a rail is the rail's to say", async () => {
    const world = await openWorld();
    const payout = await paidByStripe(world);
    expect(payout).toMatchObject({ status: "paid", paid_via: "stripe" });
    const before = await readTables();
    expect(await back(world, payout)).toMatchObject({ status: 409, body: { code: "settled_by_rail" } });
    expect(changedTables(before, await readTables())).toEqual([]);
  });

  it("is a person's to say where a person paid, whatever the method is", async () => {
    const world = await openWorld();
    const { id } = await world.stripeAffiliate();
    await world.sale(id, 1_000);
    const payout = await payoutOfDue(world);
    await mark(world, payout);
    expect(await back(world, payout)).toMatchObject({ status: 200, body: { status: "returned" } });
    await expectSound(world);
  });
});

describe("store credit", () => {
  it("is given by paying and taken back while nobody spent it", async () => {
    const world = await openWorld();
    const id = await world.affiliate();
    await world.ok("PUT", `/v1/affiliates/${id}/payout-method`, { payout_method: "store_credit" });
    await world.sale(id, 1_000);
    const payout = await payoutOfDue(world);
    const paid = await world.ok("POST", `/v1/payouts/${payout.id}/pay`, {}, { prefer: "wait=10" });
    expect(paid).toMatchObject({ status: "paid", paid_via: "store_credit", invoice_number: 1 });
    const balanceOf = () => world.ok("GET", `/v1/affiliates/${id}/balance`);
    expect(await balanceOf()).toMatchObject({ balances: [{ store_credit: 1_000, paid: 0, payable: 0 }] });
    expect(await back(world, payout)).toMatchObject({ status: 200, body: { status: "returned" } });
    expect(await balanceOf()).toMatchObject({ balances: [{ store_credit: 0, payable: 1_000 }] });
    await expectSound(world);
  });
});

describe("the history of a payout", () => {
  it("tells each step, when it was and whose it was", async () => {
    const world = await openWorld();
    const payout = await due(world);
    const steps = ["approve", "withdraw-approval", "cancel", "reopen", "mark-paid"];
    for (const verb of steps) {
      world.advance(1_000);
      await world.ok("POST", `/v1/payouts/${payout.id}/${verb}`, {});
    }
    const { history, ...read } = await world.ok<Payout & { history: Loose[] }>(
      "GET",
      `/v1/payouts/${payout.id}`,
    );
    const states = [null, "pending", "approved", "pending", "cancelled", "pending", "paid"];
    expect(history.map((step) => [step["from"], step["to"]])).toEqual(
      states.slice(1).map((to, i) => [states[i], to]),
    );
    const from = Date.parse(String(payout["created_at"]));
    expect(history.map((step) => step["at"])).toEqual(
      states.slice(1).map((_, i) => new Date(from + i * 1_000).toISOString()),
    );
    for (const step of history) expect(step["actor"]).toMatch(/^key:key_/);
    expect(read["updated_at"]).toBe(new Date(world.now()).toISOString());
  });
});
