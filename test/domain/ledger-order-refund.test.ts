// Refunds of orders: the commission's rate of what was refunded, rounded over the whole order and never order by order.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { CommissionId } from "../../src/domain/ids.ts";
import { Scene } from "./memory-scene.ts";

const ofOrder = (orderAmount: number, rateBps: number, currency = "USD") => {
  const scene = new Scene({ policy: { commission_rate_bps: rateBps } });
  const { result } = scene.apply(scene.recording(null, { orderAmount, currency }));
  if (result.kind !== "commission") throw new Error("no commission");
  const id: CommissionId = result.commission.id;
  const refunding = (amount: number) => ({ ...scene.reversing(id, null), orderAmount: amount });
  return { scene, id, refunding, amount: result.commission.amount };
};

test("three thirds of an order take back the commission exactly", () => {
  const { scene, id, refunding, amount } = ofOrder(1000, 999);
  expect(amount).toBe(100);
  const taken = [333, 333, 334].map((part) => {
    const before = scene.commission(id).reduced;
    scene.apply(refunding(part));
    return scene.commission(id).reduced - before;
  });
  expect(taken).toEqual([33, 34, 33]);
  expect(scene.commission(id)).toMatchObject({ status: "reversed", orderRefunded: 1000, orderReversed: 100 });
});

test("a refund too small for a cent takes nothing, and is counted towards the next", () => {
  const { scene, id, refunding } = ofOrder(100, 500);
  expect(scene.commission(id).amount).toBe(5);
  const taken = Array.from({ length: 100 }, () => {
    const before = scene.commission(id).reduced;
    scene.apply(refunding(1));
    return scene.commission(id).reduced - before;
  });
  expect(taken.filter((cents) => cents === 0).length).toBe(95);
  expect(taken.reduce((sum, cents) => sum + cents, 0)).toBe(5);
});

test("more than the order cannot be refunded, in one piece or in many", () => {
  const { scene, refunding } = ofOrder(1000, 1000);
  expect(scene.refusal(refunding(1001))).toBe("refund_exceeds_commission");
  scene.apply(refunding(600));
  expect(scene.refusal(refunding(401))).toBe("refund_exceeds_commission");
});

test("a commission that was recorded by amount is refunded by amount", () => {
  const scene = new Scene({ policy: { commission_rate_bps: 1000 } });
  const id = scene.record(100);
  expect(scene.refusal({ ...scene.reversing(id, null), orderAmount: 100 })).toBe("rate_missing");
});

test("the rate is the commission's own, whatever the program's rate is by then", () => {
  const { scene, id, refunding } = ofOrder(1000, 1000);
  scene.memory.policy = { ...scene.memory.policy, commission_rate_bps: 5000 };
  scene.apply(refunding(500));
  expect(scene.commission(id).reduced).toBe(50);
});

test("a paid commission's order refunds are owed, and add up too", () => {
  const { scene, id, refunding } = ofOrder(999, 1111);
  expect(scene.commission(id).amount).toBe(111);
  scene.apply(refunding(100));
  scene.settle(scene.claim());
  scene.apply(refunding(450));
  scene.apply(refunding(449));
  const { reduced, clawedBack } = scene.commission(id);
  expect(reduced + clawedBack).toBe(111);
  expect(scene.balance()).toEqual({ paid: 111 - reduced, recovery: -clawedBack });
});

test("in whole-unit currencies each refund is a whole unit", () => {
  const { scene, id, refunding } = ofOrder(100_000, 1250, "HUF");
  expect(scene.commission(id).amount).toBe(12_500);
  scene.apply(refunding(3333));
  expect(scene.commission(id).reduced % 100).toBe(0);
});

test("any split of any order takes back exactly the commission", () => {
  const order = fc.integer({ min: 1, max: 100_000 });
  const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });
  const currency = fc.constantFrom("USD", "HUF", "KWD", "JPY");
  fc.assert(
    fc.property(
      order,
      fc.integer({ min: 1, max: 10_000 }),
      cuts,
      currency,
      (orderAmount, rateBps, at, of) => {
        const scene = new Scene({ policy: { commission_rate_bps: rateBps } });
        if (scene.turn(scene.recording(null, { orderAmount, currency: of })).kind !== "change") return;
        const [commission] = scene.memory.commissions.values();
        if (commission === undefined) throw new Error("no commission");
        const marks = [0, ...at.map((cut) => Math.floor(cut * orderAmount)), orderAmount].sort(
          (a, b) => a - b,
        );
        for (const [i, mark] of marks.entries()) {
          const part = mark - (marks[i - 1] ?? 0);
          if (part > 0) scene.apply({ ...scene.reversing(commission.id, null), orderAmount: part });
        }
        expect(scene.commission(commission.id)).toMatchObject({
          status: "reversed",
          reduced: commission.amount,
        });
      },
    ),
    { numRuns: 150 },
  );
});
