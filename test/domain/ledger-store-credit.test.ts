// Store credit after it was paid: spent by orders, given back order by order, and never more than was there.
import { describe, expect, test } from "vitest";
import { Scene } from "./memory-scene.ts";

/** An affiliate with this much store credit. */
const withCredit = (amount: number): Scene => {
  const scene = new Scene({ method: "store_credit" });
  scene.record(amount);
  scene.send(scene.claim());
  return scene;
};

test("a payout in store credit is paid in the turn that sends it", () => {
  const scene = withCredit(1000);
  expect(scene.moves).toEqual(["reserved→store_credit 1000"]);
  expect(scene.announced).toEqual(["payout.paid"]);
  expect(scene.balance()).toEqual({ program: -1000, store_credit: 1000 });
});

describe("spend", () => {
  test("the order's share leaves the book, named by the order", () => {
    const scene = withCredit(1000);
    const { result } = scene.apply(scene.spending(400, "order-1"));
    expect(result).toMatchObject({ kind: "balance", currency: "USD", balance: { store_credit: 600 } });
    expect(scene.moves).toEqual(["store_credit→program 400"]);
    expect(scene.memory.entries.at(-1)).toMatchObject({ kind: "spend", note: "order-1" });
    expect(scene.announced).toEqual([]);
  });

  test("down to nothing, and no further", () => {
    const scene = withCredit(1000);
    scene.apply(scene.spending(1000, "order-1"));
    expect(scene.balance()).toEqual({});
    expect(scene.refusal(scene.spending(1, "order-2"))).toBe("store_credit_short");
  });

  test("credit of one currency buys nothing in another", () => {
    const scene = withCredit(1000);
    expect(scene.refusal(scene.spending(1, "order-1", "EUR"))).toBe("store_credit_short");
  });

  test("an order's id stands for one spend, whoever asks again and under whatever command", () => {
    const scene = withCredit(1000);
    scene.apply(scene.spending(400, "order-1"));
    expect(scene.refusal(scene.spending(400, "order-1"))).toBe("duplicate_external_id");
    expect(scene.balance()).toEqual({ program: -600, store_credit: 600 });
  });

  test.each([0, -1, 1.5, 100_000_000_000])("an amount of %s is none", (amount) => {
    const scene = withCredit(1000);
    expect(scene.refusal(scene.spending(amount, "order-1"))).toBe("amount_not_sendable");
  });
});

describe("refund", () => {
  test("what an order spent comes back, in parts, up to what it took", () => {
    const scene = withCredit(1000);
    scene.apply(scene.spending(400, "order-1"));
    scene.apply(scene.spending(500, "order-2"));
    const { result } = scene.apply(scene.givingBack(150, "order-1"));
    expect(result).toMatchObject({ balance: { store_credit: 250 } });
    expect(scene.moves).toEqual(["program→store_credit 150"]);
    expect(scene.refusal(scene.givingBack(251, "order-1"))).toBe("refund_exceeds_spend");
    scene.apply(scene.givingBack(250, "order-1"));
    expect(scene.refusal(scene.givingBack(1, "order-1"))).toBe("refund_exceeds_spend");
    expect(scene.balance()).toEqual({ program: -500, store_credit: 500 });
  });

  test("of an order that spent nothing, nothing comes back: not in this currency, not by this affiliate", () => {
    const scene = withCredit(1000);
    scene.apply(scene.spending(400, "order-1"));
    expect(scene.refusal(scene.givingBack(1, "order-2"))).toBe("spend_not_found");
    expect(scene.refusal(scene.givingBack(1, "order-1", "EUR"))).toBe("spend_not_found");
  });

  test("it stays true after the payout that the credit came from was returned", () => {
    const scene = withCredit(1000);
    const [payout] = [...scene.memory.payouts.keys()];
    scene.record(500);
    scene.send(scene.claim());
    scene.apply(scene.spending(400, "order-1"));
    if (payout === undefined) throw new Error("no payout");
    scene.apply({ kind: "return", payoutId: payout, reason: "a mistake" });
    scene.apply(scene.givingBack(400, "order-1"));
    expect(scene.balance()).toEqual({ program: -1500, available: 1000, store_credit: 500 });
  });
});
