// Money that comes back after it was paid, whole, in parts, and paid twice by a late answer.
import { describe, expect, test } from "vitest";
import { Scene } from "./memory-scene.ts";

const returning = (payoutId: `po_${string}`) =>
  ({ kind: "return", payoutId, reason: "it came back" }) as const;

/** All that the provider has had back so far. */
const totalling = (payoutId: `po_${string}`, total: number) =>
  ({ kind: "provider_return", payoutId, total, reason: "reversed" }) as const;

describe("returned whole", () => {
  test("paid to available, and the commissions are free again", () => {
    const scene = new Scene();
    const { commission, payout } = scene.paid(1000);
    scene.providerReturn(payout, 1000);
    expect(scene.moves).toEqual(["paid→available 1000"]);
    expect(scene.payout(payout)).toMatchObject({ status: "returned", returnedAmount: 1000 });
    expect(scene.commission(commission)).toMatchObject({ status: "approved", payoutId: null });
    expect(scene.announced).toEqual(["payout.returned"]);
  });

  test("the recovery that it netted is owed again", () => {
    const scene = new Scene();
    scene.refund(scene.paid(5000).commission, 300);
    const { payout } = scene.paid(1000);
    scene.providerReturn(payout, 700);
    expect(scene.moves).toEqual(["paid→available 700", "recovery→available 300"]);
    expect(scene.balance()).toEqual({ program: -5700, paid: 5000, available: 1000, recovery: -300 });
    expect(scene.announced.toSorted()).toEqual(["payout.returned", "recovery.changed"]);
  });

  test("a refund that is still owed is taken from its own commission", () => {
    const scene = new Scene();
    const { commission, payout } = scene.paid(1000);
    scene.refund(commission, 400);
    scene.providerReturn(payout, 1000);
    expect(scene.moves).toEqual(["paid→available 1000", "available→recovery 400"]);
    expect(scene.commission(commission)).toMatchObject({ status: "approved", reduced: 400, clawedBack: 0 });
    expect(scene.balance()).toEqual({ program: -600, available: 600 });
  });

  test("a returned payout can be neither retried nor reopened, but its commissions claimed anew", () => {
    const scene = new Scene();
    const { payout } = scene.paid(1000);
    scene.providerReturn(payout, 1000);
    for (const kind of ["retry", "reopen"] as const)
      expect(scene.refusal({ kind, payoutId: payout })).toBe("invalid_state");
    expect(scene.payout(scene.claim()).amount).toBe(1000);
  });
});

describe("returned in parts", () => {
  test("a part moves paid to available and becomes a credit; the payout stays paid", () => {
    const scene = new Scene();
    const { commission, payout } = scene.paid(1000);
    scene.providerReturn(payout, 300);
    expect(scene.moves).toEqual(["paid→available 300"]);
    expect(scene.payout(payout)).toMatchObject({ status: "paid", amount: 1000, returnedAmount: 300 });
    expect(scene.commission(commission).status).toBe("paid");
    expect(scene.credits()).toMatchObject([
      { origin: "return", kind: "credit", amount: 300, status: "approved" },
    ]);
    expect(scene.balance()).toEqual({ program: -1000, paid: 700, available: 300 });
    expect(scene.payout(scene.claim()).amount).toBe(300);
  });

  test("at the full amount the payout is returned and its commissions stay paid", () => {
    const scene = new Scene();
    const { commission, payout } = scene.paid(1000);
    scene.providerReturn(payout, 300);
    scene.providerReturn(payout, 700);
    expect(scene.payout(payout)).toMatchObject({ status: "returned", returnedAmount: 1000 });
    expect(scene.commission(commission)).toMatchObject({ status: "paid", payoutId: payout });
    expect(scene.credits().map(({ amount }) => amount)).toEqual([300, 700]);
    expect(scene.balance()).toEqual({ program: -1000, available: 1000 });
  });

  test("the recovery that it netted stays collected", () => {
    const scene = new Scene();
    scene.refund(scene.paid(5000).commission, 300);
    const { payout } = scene.paid(1000);
    scene.providerReturn(payout, 200);
    scene.providerReturn(payout, 500);
    expect(scene.balance()).toEqual({ program: -5700, paid: 5000, available: 700 });
  });

  test("a refund afterwards is owed, as of any paid commission", () => {
    const scene = new Scene();
    const { commission, payout } = scene.paid(1000);
    scene.providerReturn(payout, 300);
    scene.providerReturn(payout, 700);
    scene.refund(commission, 400);
    expect(scene.moves).toEqual(["recovery→program 400"]);
    expect(scene.balance()).toEqual({ program: -600, available: 1000, recovery: -400 });
  });

  test("more than is still out cannot come back", () => {
    const scene = new Scene();
    const { payout } = scene.paid(1000);
    scene.providerReturn(payout, 300);
    const more = { kind: "provider_return", payoutId: payout, total: 1001, reason: "?" } as const;
    expect(scene.refusal(more)).toBe("amount_changed");
    scene.providerReturn(payout, 700);
    expect(scene.refusal(more)).toBe("invalid_state");
  });

  test("a payout that was not paid cannot come back", () => {
    const scene = new Scene();
    scene.record(1000);
    const payoutId = scene.claim();
    expect(scene.refusal({ kind: "provider_return", payoutId, total: 1000, reason: "?" })).toBe(
      "invalid_state",
    );
  });

  test("a total grows: 200 and then 500 are two credits, of 200 and of 300", () => {
    const scene = new Scene();
    const { payout } = scene.paid(1000);
    scene.apply(totalling(payout, 200));
    scene.apply(totalling(payout, 500));
    expect(scene.moves).toEqual(["paid→available 300"]);
    expect(scene.payout(payout)).toMatchObject({ status: "paid", returnedAmount: 500 });
    expect(scene.credits().map(({ amount }) => amount)).toEqual([200, 300]);
    expect(scene.balance()).toEqual({ program: -1000, paid: 500, available: 500 });
  });

  test.each([500, 200, 1, 0])("after 500, a total of %s says nothing new", (total) => {
    const scene = new Scene();
    const { payout } = scene.paid(1000);
    scene.apply(totalling(payout, 500));
    const before = scene.payout(payout);
    expect(scene.turn(totalling(payout, total)).kind).toBe("unchanged");
    expect(scene.payout(payout)).toBe(before);
    expect(scene.credits()).toHaveLength(1);
  });

  test.each([1000, 999])("once all of it has come back, a total of %s says nothing new", (total) => {
    const scene = new Scene();
    const { payout } = scene.paid(1000);
    scene.apply(totalling(payout, 1000));
    expect(scene.turn(totalling(payout, total)).kind).toBe("unchanged");
    expect(scene.balance()).toEqual({ program: -1000, available: 1000 });
  });

  test("that nothing has come back changes nothing", () => {
    const scene = new Scene();
    const { payout } = scene.paid(1000);
    expect(scene.turn(totalling(payout, 0)).kind).toBe("unchanged");
    expect(scene.payout(payout)).toMatchObject({ status: "paid", returnedAmount: 0 });
  });

  test.each([-5, 1.5, Number.NaN, 2 ** 53])("a total of %s is a fault, and no row is written", (total) => {
    const scene = new Scene();
    const { payout } = scene.paid(1000);
    const { seq } = scene.memory;
    expect(() => scene.turn(totalling(payout, total))).toThrow("a provider that returned");
    expect(scene.memory.seq).toBe(seq);
  });

  test.each(["manual", "store_credit"] as const)(
    "no rail can say that a payout paid by %s came back",
    (method) => {
      const scene = new Scene({ method });
      scene.record(1000);
      const payoutId = scene.claim();
      if (method === "manual") scene.apply(scene.markingPaid(payoutId));
      else scene.send(payoutId);
      const verdict = (() => {
        try {
          return scene.turn({ kind: "provider_return", payoutId, total: 400, reason: "?" }).kind;
        } catch {
          return "fault";
        }
      })();
      expect(verdict).toBe("refused");
    },
  );
});

describe("returned by a person", () => {
  test.each(["manual", "bank_transfer"] as const)("what was paid by %s is returned with a reason", (via) => {
    const scene = new Scene({ method: "manual" });
    scene.record(1000);
    const payoutId = scene.claim();
    scene.apply(scene.markingPaid(payoutId, { paidVia: via }));
    expect(scene.payout(payoutId)).toMatchObject({ status: "paid", paidVia: via });
    scene.apply(returning(payoutId));
    expect(scene.moves).toEqual(["paid→available 1000"]);
    expect(scene.payout(payoutId).status).toBe("returned");
  });

  test("what a rail settled is the rail's to return", () => {
    const scene = new Scene();
    expect(scene.refusal(returning(scene.paid(1000).payout))).toBe("settled_by_rail");
  });

  test("who may return it goes by how it was paid, not by its method", () => {
    const scene = new Scene({ method: "stripe" });
    scene.record(1000);
    const payoutId = scene.claim();
    scene.apply(scene.markingPaid(payoutId));
    expect(scene.payout(payoutId)).toMatchObject({ method: "stripe", paidVia: "manual" });
    scene.apply(returning(payoutId));
    expect(scene.payout(payoutId).status).toBe("returned");
  });

  test("store credit comes back from store credit, only while unspent", () => {
    const scene = new Scene({ method: "store_credit" });
    scene.record(1000);
    const payoutId = scene.claim();
    scene.send(payoutId);
    scene.apply(scene.spending(1, "order-1"));
    expect(scene.refusal(returning(payoutId))).toBe("store_credit_spent");
    scene.apply(scene.givingBack(1, "order-1"));
    scene.apply(returning(payoutId));
    expect(scene.moves).toEqual(["store_credit→available 1000"]);
    expect(scene.balance()).toEqual({ program: -1000, available: 1000 });
  });
});

describe("paid late", () => {
  test("a refused attempt that turns out to have paid is owed back; state and lines stay", () => {
    const scene = new Scene();
    const id = scene.record(1000);
    const payoutId = scene.claim();
    const attemptId = scene.fail(payoutId);
    scene.conclude(attemptId, { kind: "settled", ref: "tr_late" });
    expect(scene.moves).toEqual(["recovery→paid 1000"]);
    expect(scene.payout(payoutId)).toMatchObject({ status: "failed", latePaid: 1000, amount: 1000 });
    expect(scene.attempt(attemptId)).toMatchObject({ state: "paid_late", providerRef: "tr_late" });
    expect(scene.commission(id)).toMatchObject({ status: "approved", payoutId: null });
    expect(scene.balance()).toEqual({ program: -1000, available: 1000, paid: 1000, recovery: -1000 });
    expect(scene.announced.toSorted()).toEqual(["payout.paid_late", "recovery.changed"]);
  });

  test("the next payouts are netted until it is collected", () => {
    const scene = new Scene();
    scene.record(1000);
    const attemptId = scene.fail(scene.claim());
    scene.conclude(attemptId, { kind: "settled", ref: "tr_late" });
    expect(scene.refusal(scene.claiming("generate"))).toBe("recovery_exceeds_earnings");
    scene.record(200);
    expect(scene.payout(scene.claim())).toMatchObject({ gross: 1200, recovered: 1000, amount: 200 });
  });

  test("it is told apart from the retry that is under way, and both are settled once", () => {
    const scene = new Scene();
    scene.record(1000);
    const payoutId = scene.claim();
    const first = scene.fail(payoutId);
    scene.apply({ kind: "retry", payoutId });
    const second = scene.send(payoutId);
    scene.conclude(first, { kind: "settled", ref: "tr_1" });
    expect(scene.payout(payoutId)).toMatchObject({ status: "processing", latePaid: 1000 });
    scene.conclude(second, { kind: "settled", ref: "tr_2" });
    expect(scene.payout(payoutId)).toMatchObject({ status: "paid", latePaid: 1000, externalRef: "tr_2" });
    expect(scene.balance()).toEqual({ program: -1000, paid: 2000, recovery: -1000 });
    expect(scene.turn(scene.concluding(first, { kind: "settled", ref: "tr_1" })).kind).toBe("unchanged");
  });

  test("a payout that was cancelled meanwhile stays cancelled", () => {
    const scene = new Scene();
    scene.record(1000);
    const payoutId = scene.claim();
    const attemptId = scene.fail(payoutId);
    scene.apply({ kind: "cancel", payoutId, reason: "no" });
    scene.conclude(attemptId, { kind: "settled", ref: "tr_late" });
    expect(scene.payout(payoutId)).toMatchObject({ status: "cancelled", latePaid: 1000 });
  });
});
