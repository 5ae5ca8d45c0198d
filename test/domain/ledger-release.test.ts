// How a claim ends: given back by cancel, deny, refusal or return, or settled.
import { describe, expect, test } from "vitest";
import { Scene } from "./memory-scene.ts";

const NO = { kind: "refused", code: "declined", detail: "no" } as const;

/** A paid payout of 1000 whose commission was refunded by 200, collected by a second paid payout (600, net 400). */
const collected = () => {
  const scene = new Scene();
  const first = scene.paid(1000);
  scene.refund(first.commission, 200);
  const second = scene.paid(600);
  return { scene, first, second };
};

describe("release", () => {
  test("a cancel gives back what is left of the amount, and the netted recovery is owed again", () => {
    const scene = new Scene();
    scene.refund(scene.paid(5000).commission, 300);
    const id = scene.record(1000);
    const payoutId = scene.claim();
    scene.refund(id, 100);
    scene.apply({ kind: "cancel", payoutId, reason: "no" });
    expect(scene.moves).toEqual(["reserved→available 600", "recovery→available 300"]);
    expect(scene.balance()).toEqual({ program: -5600, paid: 5000, available: 900, recovery: -300 });
    expect(scene.commission(id)).toMatchObject({ status: "approved", reduced: 100, payoutId: null });
    expect(scene.payout(payoutId)).toMatchObject({
      status: "cancelled",
      gross: 1000,
      recovered: 300,
      refunded: 100,
      amount: 600,
    });
    expect(scene.announced.toSorted()).toEqual(["payout.cancelled", "recovery.changed"]);
  });

  test("a deny gives back as a cancel does", () => {
    const scene = new Scene();
    scene.record(1000);
    const payoutId = scene.claim("request");
    scene.apply({ kind: "deny", payoutId, reason: "no" });
    expect(scene.moves).toEqual(["reserved→available 1000"]);
  });

  test("the cancel of a failed payout writes no entry: it gave everything back already", () => {
    const scene = new Scene();
    scene.record(1000);
    const payoutId = scene.claim();
    scene.fail(payoutId);
    expect(scene.moves).toEqual(["reserved→available 1000"]);
    scene.apply({ kind: "cancel", payoutId, reason: "no" });
    expect(scene.moves).toEqual([]);
    expect(scene.balance()).toEqual({ program: -1000, available: 1000 });
  });

  test("the list of lines is kept as history", () => {
    const scene = new Scene();
    const id = scene.record(1000);
    const payoutId = scene.claim();
    scene.apply({ kind: "cancel", payoutId, reason: "no" });
    expect(scene.memory.lines.get(payoutId)?.get(id)).toBe(1000);
  });
});

describe("refunds collected elsewhere", () => {
  test("wholly collected: the commission is reduced by it, and it comes back as a credit without an entry", () => {
    const { scene, first } = collected();
    expect(scene.balance()).toEqual({ program: -1400, paid: 1400 });
    scene.providerReturn(first.payout, 1000);
    expect(scene.moves).toEqual(["paid→available 1000"]);
    expect(scene.commission(first.commission)).toMatchObject({
      status: "approved",
      reduced: 200,
      clawedBack: 0,
    });
    expect(scene.credits()).toMatchObject([
      { origin: "release", kind: "credit", amount: 200, status: "approved", currency: "USD" },
    ]);
    expect(scene.balance()).toEqual({ program: -1400, paid: 400, available: 1000 });
    expect(scene.payout(scene.claim()).gross).toBe(1000);
  });

  test("partly written off: what is still owed is taken, the rest is a credit", () => {
    const scene = new Scene();
    const { commission, payout } = scene.paid(1000);
    scene.refund(commission, 200);
    scene.apply({ kind: "settle_recovery", amount: 120, currency: "USD", how: "repaid", note: "cash" });
    scene.providerReturn(payout, 1000);
    expect(scene.moves).toEqual(["paid→available 1000", "available→recovery 80"]);
    expect(scene.credits()).toMatchObject([{ origin: "release", amount: 120 }]);
    expect(scene.balance()).toEqual({ program: -920, available: 920 });
  });

  test("what another refund owes meanwhile is collected first, the rest is a credit", () => {
    const { scene, first, second } = collected();
    scene.refund(second.commission, 50);
    scene.providerReturn(first.payout, 1000);
    expect(scene.moves).toEqual(["paid→available 1000", "available→recovery 50"]);
    expect(scene.commission(first.commission)).toMatchObject({ reduced: 200, clawedBack: 0 });
    expect(scene.commission(second.commission)).toMatchObject({ status: "paid", clawedBack: 50 });
    expect(scene.credits()).toMatchObject([{ amount: 150 }]);
    expect(scene.balance()).toEqual({ program: -1350, paid: 400, available: 950 });
  });

  test("several lines with refunds share what is owed, in turn", () => {
    const scene = new Scene();
    const [a, b] = [scene.record(600), scene.record(400)];
    const payoutId = scene.claim();
    scene.settle(payoutId);
    scene.refund(a, 100);
    scene.refund(b, 100);
    scene.apply({ kind: "settle_recovery", amount: 50, currency: "USD", how: "written_off", note: "ok" });
    scene.providerReturn(payoutId, 1000);
    expect(scene.balance()).toEqual({ program: -850, available: 850 });
    expect(scene.commission(a).reduced + scene.commission(b).reduced).toBe(200);
    expect(scene.credits().map(({ amount }) => amount)).toEqual([50]);
  });

  test("a wholly refunded commission comes back as its credit alone", () => {
    const scene = new Scene();
    const { commission, payout } = scene.paid(1000);
    scene.refund(commission);
    scene.paid(1500);
    scene.providerReturn(payout, 1000);
    expect(scene.commission(commission)).toMatchObject({ status: "reversed", reduced: 1000, clawedBack: 0 });
    expect(scene.credits()).toMatchObject([{ amount: 1000, status: "approved" }]);
    expect(scene.balance()).toEqual({ program: -1500, paid: 500, available: 1000 });
  });

  test("the credit is announced like any commission", () => {
    const { scene, first } = collected();
    scene.providerReturn(first.payout, 1000);
    expect(scene.announced.toSorted()).toEqual(["commission.created", "payout.returned"]);
  });

  test("the credit can be refunded, rejected and claimed like any commission", () => {
    const { scene, first } = collected();
    scene.providerReturn(first.payout, 1000);
    const [credit] = scene.credits();
    if (credit === undefined) throw new Error("no credit");
    scene.refund(credit.id, 50);
    expect(scene.moves).toEqual(["available→program 50"]);
    scene.apply({ kind: "reject", commission: { id: credit.id }, reason: null });
    expect(scene.moves).toEqual(["available→program 150"]);
    expect(scene.balance()).toEqual({ program: -1200, paid: 400, available: 800 });
  });
});

describe("settle", () => {
  test("reserved to paid: the commissions are paid and announced one by one", () => {
    const scene = new Scene();
    const ids = [scene.record(1000), scene.record(500)];
    const payoutId = scene.claim();
    const attemptId = scene.send(payoutId);
    const before = scene.memory.eventSeq;
    scene.conclude(attemptId, { kind: "settled", ref: "tr_9" });
    expect(scene.moves).toEqual(["reserved→paid 1500"]);
    for (const id of ids) expect(scene.commission(id)).toMatchObject({ status: "paid", payoutId });
    expect(scene.payout(payoutId)).toMatchObject({
      status: "paid",
      paidAt: scene.now,
      paidVia: "stripe",
      externalRef: "tr_9",
    });
    expect(scene.announced).toEqual(["payout.paid"]);
    expect(scene.memory.eventSeq - before).toBe(3);
  });

  test("store credit: reserved to store credit at once, and spending takes it to the program", () => {
    const scene = new Scene({ method: "store_credit" });
    scene.record(1000);
    const payoutId = scene.claim();
    scene.send(payoutId);
    expect(scene.moves).toEqual(["reserved→store_credit 1000"]);
    expect(scene.payout(payoutId)).toMatchObject({ status: "paid", paidVia: "store_credit" });
    scene.apply(scene.spending(300, "order-1"));
    expect(scene.moves).toEqual(["store_credit→program 300"]);
    expect(scene.balance()).toEqual({ program: -700, store_credit: 700 });
    expect(scene.refusal(scene.spending(701, "order-2"))).toBe("store_credit_short");
    scene.apply(scene.givingBack(100, "order-1"));
    expect(scene.balance()).toEqual({ program: -800, store_credit: 800 });
  });

  test("a second refused payment gives back a second claim", () => {
    const scene = new Scene();
    scene.record(1000);
    const payoutId = scene.claim();
    scene.fail(payoutId);
    scene.apply({ kind: "retry", payoutId });
    scene.conclude(scene.send(payoutId), NO);
    expect(scene.payout(payoutId)).toMatchObject({ status: "failed", claims: 2, attemptCount: 2 });
    expect(scene.balance()).toEqual({ program: -1000, available: 1000 });
  });
});
