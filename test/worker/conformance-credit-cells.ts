// The cells of store credit: the turn that begins the payment is the payment, so that nothing can happen in between.
import { evictDurableObject } from "cloudflare:test";
import { expect } from "vitest";
import { AMOUNT, type Cell, type Cells, CURRENCY, type RailDriver } from "./conformance-cell.ts";
import { bindings, deliverBatch } from "./world.ts";

const MINUTE_MS = 60_000;
const SIXTY_DAYS_MS = 60 * 86_400_000;

export const storeCredit: RailDriver = {
  method: "store_credit",
  prepare: async () => undefined,
  /** The credit is the affiliate's own: the other destination is another method. */
  async choose(world, affiliateId, n) {
    const payout_method = n === 1 ? "store_credit" : "manual";
    await world.ok("PUT", `/v1/affiliates/${affiliateId}/payout-method`, { payout_method });
    return payout_method;
  },
  moved: () => [],
};

const states = async (cell: Cell): Promise<string[]> => (await cell.attempts()).map(({ state }) => state);

/** Credited once, in one attempt of one turn, and nothing has left. */
const expectCredited = async (cell: Cell): Promise<void> => {
  expect(await cell.read()).toMatchObject({
    ...{ status: "paid", paid_via: "store_credit", external_ref: null, amount: AMOUNT, invoice_number: 1 },
  });
  expect(await cell.balance()).toMatchObject({ available: 0, reserved: 0, paid: 0, store_credit: AMOUNT });
  expect(await states(cell)).toEqual(["settled"]);
  expect(cell.edge.requests).toEqual([]);
  expect(cell.edge.turns).not.toContain("conclude_payment");
};

const uneventful = async (cell: Cell): Promise<void> => {
  await cell.pay();
  expect(cell.edge.hasEnded).toBe(false);
  await expectCredited(cell);
  await cell.laterTimes(2, 11 * MINUTE_MS);
  await expectCredited(cell);
};

const crashes = {
  async "a process that ends before the payment begins loses nothing"(cell: Cell) {
    cell.edge.endAt("before", "begin_payment");
    await cell.pay();
    expect([cell.edge.hasEnded, (await cell.read()).status]).toEqual([true, "processing"]);
    cell.edge.restart();
    await cell.later(10_000);
    await expectCredited(cell);
  },

  /** It has begun, so it is paid. */
  async "a process that ends once the payment has begun loses nothing"(cell: Cell) {
    cell.edge.endAt("after", "begin_payment");
    await cell.pay();
    expect(cell.edge.hasEnded).toBe(true);
    await expectCredited(cell);
    cell.edge.restart();
    await cell.laterTimes(3, MINUTE_MS);
    await expectCredited(cell);
  },

  /** Nothing is sent, so nothing ends there. */
  async "a process that ends before the send loses nothing"(cell: Cell) {
    cell.edge.meddler = async () => cell.edge.end();
    await uneventful(cell);
  },

  async "a process that ends after the send pays nothing twice"(cell: Cell) {
    await cell.pay();
    const name = `${cell.world.program.id}:${cell.affiliateId}`;
    await evictDurableObject(bindings.AFFILIATE_LEDGER.getByName(name));
    await cell.laterTimes(2, MINUTE_MS);
    await expectCredited(cell);
  },

  /** There is no second turn to end before, or after. */
  async "a process that ends before its conclusion is written pays nothing twice"(cell: Cell) {
    cell.edge.endAt("before", "conclude_payment");
    await uneventful(cell);
  },

  async "a process that ends after its conclusion was written pays nothing twice"(cell: Cell) {
    cell.edge.endAt("after", "conclude_payment");
    await uneventful(cell);
  },

  async "a process that ends between two steps goes on from there"(cell: Cell) {
    const before = cell.edge.turns.length;
    await uneventful(cell);
    expect(cell.edge.turns.slice(before)).toEqual(["pay", "begin_payment"]);
  },
};

const silences = {
  async "no answer in time, and nothing was done: it is done once"(cell: Cell) {
    cell.edge.meddler = () => Promise.reject(new Error("no route to host"));
    await uneventful(cell);
  },

  async "no answer in time, and it was done: it is not done again"(cell: Cell) {
    await cell.ok("pay");
    cell.edge.loseNextCommit();
    await cell.later(10_000);
    expect(cell.edge.commitsLost).toBe(1);
    await cell.laterTimes(2, MINUTE_MS);
    await expectCredited(cell);
  },

  async "too many requests: it waits as long as it is told to"(cell: Cell) {
    cell.edge.makeBusy("begin_payment", 3);
    await cell.pay();
    expect(await states(cell)).toEqual([]);
    await cell.later(10_000);
    await expectCredited(cell);
  },

  async "garbage in place of an answer is believed in nothing"(cell: Cell) {
    cell.edge.meddler = async () => new Response("<html>", { status: 502 });
    await uneventful(cell);
  },

  async "garbage in place of a look-up is never taken for nothing being there"(cell: Cell) {
    cell.edge.endAt("after", "begin_payment");
    cell.edge.meddler = async () => Response.json({ data: [], has_more: false });
    await cell.pay();
    cell.edge.restart();
    cell.edge.meddler = async () => Response.json({ data: [], has_more: false });
    await cell.laterTimes(4, 11 * MINUTE_MS);
    await expectCredited(cell);
  },
};

const windows = {
  async "past the key's window what was made is found, and nothing is sent"(cell: Cell) {
    cell.edge.endAt("after", "begin_payment");
    await cell.pay();
    cell.edge.restart();
    await cell.later(SIXTY_DAYS_MS);
    await cell.later(MINUTE_MS);
    await expectCredited(cell);
  },

  /** Nobody knows it under a key, so no window ends: what has not begun begins when somebody looks. */
  async "past the key's window what was not made is not sent, and is given back"(cell: Cell) {
    cell.edge.endAt("before", "begin_payment");
    await cell.pay();
    expect(await cell.balance()).toMatchObject({ reserved: AMOUNT, store_credit: 0 });
    cell.edge.restart();
    await cell.later(SIXTY_DAYS_MS);
    await cell.later(MINUTE_MS);
    await expectCredited(cell);
  },

  async "nobody can call it refused while it may still be paid"(cell: Cell) {
    await cell.pay();
    const evidence = "it seemed so to two of us";
    expect((await cell.call("resolve", { outcome: "refused", evidence })).status).toBe(409);
    for (const verb of ["mark-failed", "cancel"])
      expect((await cell.call(verb, { reason: "no longer wanted" })).status).toBe(409);
    await expectCredited(cell);
  },

  /** Said to be paid by hand before it began: then it gives no credit, ever. */
  async "a person closes what nobody else can tell, and what comes back later still counts"(cell: Cell) {
    await cell.ok("pay");
    await cell.ok("mark-paid", { external_ref: "cash" });
    await cell.laterTimes(2, 11 * MINUTE_MS);
    expect(await cell.read()).toMatchObject({ status: "paid", paid_via: "manual", external_ref: "cash" });
    expect(await cell.balance()).toMatchObject({ paid: AMOUNT, store_credit: 0 });
    expect(await cell.attempts()).toEqual([]);
    await cell.ok("return", { reason: "it was given back" });
    expect(await cell.balance()).toMatchObject({ available: AMOUNT, paid: 0, store_credit: 0 });
  },
};

const spend = (cell: Cell, amount: number) =>
  cell.world.ok("POST", `/v1/affiliates/${cell.affiliateId}/store-credit/spend`, {
    ...{ currency: CURRENCY, amount, external_id: `order-${amount}` },
  });

const money = {
  "pays once, exactly what is due, to the destination that is due": uneventful,

  async "asked for again and again, and at once, pays once"(cell: Cell) {
    await Promise.all([cell.ok("pay"), cell.ok("pay"), cell.ok("pay")]);
    const hints = cell.world.hints.splice(0);
    await Promise.all([deliverBatch(hints), deliverBatch([...hints, ...hints])]);
    await deliverBatch(hints);
    await expectCredited(cell);
    expect((await cell.call("pay")).status).toBe(409);
  },

  /** What the book itself refuses is refused before there is an attempt; given back by hand, it can be paid again. */
  async "a refusal gives the money back, and the retry is attempt 2 and pays"(cell: Cell) {
    const path = `/v1/affiliates/${cell.affiliateId}`;
    await cell.ok("pay");
    await cell.world.ok("PATCH", path, { status: "suspended" });
    await cell.later(10_000);
    expect(await cell.read()).toMatchObject({ status: "pending", failure_code: "affiliate_suspended" });
    expect(await cell.attempts()).toEqual([]);
    await cell.ok("cancel", { reason: "suspended" });
    expect(await cell.balance()).toMatchObject({ available: AMOUNT, reserved: 0, store_credit: 0 });
    await cell.world.ok("PATCH", path, { status: "active" });
    await cell.ok("reopen");
    await cell.pay();
    await expectCredited(cell);
  },

  async "all of it comes back, once"(cell: Cell) {
    await cell.pay();
    await cell.ok("return", { reason: "given by mistake" });
    expect((await cell.call("return", { reason: "given by mistake" })).status).toBe(409);
    expect(await cell.read()).toMatchObject({ status: "returned", returned_amount: AMOUNT });
    expect(await cell.balance()).toMatchObject({ available: AMOUNT, paid: 0, store_credit: 0 });
  },

  /** What is spent in part can no longer be returned, neither whole nor in part. */
  async "a part of it comes back, if there are parts"(cell: Cell) {
    await cell.pay();
    await spend(cell, 300);
    const refused = await cell.call("return", { reason: "the rest of it" });
    expect([refused.status, refused.body.code]).toEqual([422, "store_credit_spent"]);
    expect(await cell.read()).toMatchObject({ status: "paid", returned_amount: 0 });
    expect(await cell.balance()).toMatchObject({ available: 0, store_credit: AMOUNT - 300 });
  },

  async "a currency that it cannot carry is skipped before anything is reserved"({ world, ...cell }: Cell) {
    await world.sale(cell.affiliateId, 1_000, { currency: "KWD" });
    const made = await world.generate({ affiliate_ids: [cell.affiliateId], currency: "KWD" });
    // A book carries every currency.
    expect(made).toMatchObject({ payouts: [{ currency: "KWD", amount: 1_000 }], skipped: [] });
    await world.ok("POST", `/v1/payouts/${made.payouts[0]?.id}/pay`);
    await cell.later(1_000);
    expect(await world.ok("GET", `/v1/payouts/${made.payouts[0]?.id}`)).toMatchObject({
      ...{ status: "paid", paid_via: "store_credit" },
    });
  },
};

const changes = {
  async "a destination that changes before the payment begins gets nothing unasked"(cell: Cell) {
    await cell.ok("pay");
    await cell.choose(2);
    await cell.later(10_000);
    expect(await cell.read()).toMatchObject({ status: "pending", failure_code: "destination_changed" });
    expect(await cell.balance()).toMatchObject({ reserved: AMOUNT, store_credit: 0 });
    await cell.pay();
    expect(await states(cell)).toEqual(["needs_hand"]);
    await cell.ok("mark-paid", {});
    expect(await cell.balance()).toMatchObject({ paid: AMOUNT, store_credit: 0 });
  },

  /** There is nothing between the beginning and the credit: what is changed afterwards changes nothing of it. */
  async "a destination that changes before the send redirects nothing"(cell: Cell) {
    cell.edge.endAt("after", "begin_payment");
    await cell.pay();
    cell.edge.restart();
    await cell.choose(2);
    await cell.laterTimes(2, MINUTE_MS);
    await expectCredited(cell);
  },

  async "a message that comes again changes nothing more"(cell: Cell) {
    await cell.ok("pay");
    const hints = cell.world.hints.splice(0);
    await deliverBatch([...hints, ...hints]);
    const before = await cell.read();
    for (let again = 0; again < 3; again++) await deliverBatch(hints);
    expect(await cell.read()).toEqual(before);
    await expectCredited(cell);
  },

  async "messages in the wrong order end where the right order ends"(cell: Cell) {
    await cell.ok("pay");
    const [first] = [cell.world.hints.splice(0)];
    await cell.later(10_000);
    await spend(cell, 300);
    await deliverBatch(first);
    expect(await cell.balance()).toMatchObject({ reserved: 0, store_credit: AMOUNT - 300 });
    expect(await states(cell)).toEqual(["settled"]);
  },

  async "a message of somebody else changes nothing"(cell: Cell) {
    await cell.pay();
    const path = `/v1/callbacks/store_credit/${cell.world.program.id}`;
    expect((await cell.world.call("POST", path, { payout_id: cell.payoutId })).status).toBe(404);
    await expectCredited(cell);
  },
};

export const creditCells: Cells = { ...crashes, ...silences, ...windows, ...money, ...changes };
