// Retry and reopen: exactly the same commissions are claimed once more, or none.
import { describe, expect, test } from "vitest";
import { Scene } from "./memory-scene.ts";

describe("retry and reopen", () => {
  test("they claim exactly the same commissions, at what is left of them now", () => {
    const scene = new Scene();
    const [first] = [scene.record(1000), scene.record(500)];
    const payoutId = scene.claim();
    scene.apply({ kind: "cancel", payoutId, reason: "no" });
    scene.refund(first, 400);
    scene.record(9000);
    scene.apply({ kind: "reopen", payoutId });
    expect(scene.moves).toEqual(["available→reserved 1100"]);
    expect(scene.payout(payoutId)).toMatchObject({
      gross: 1100,
      refunded: 0,
      amount: 1100,
      commissionCount: 2,
      claims: 2,
    });
    expect(scene.memory.lines.get(payoutId)?.get(first)).toBe(600);
  });

  test("they net what is owed by now", () => {
    const scene = new Scene();
    const { commission } = scene.paid(5000);
    scene.record(1000);
    const payoutId = scene.claim();
    scene.fail(payoutId);
    scene.refund(commission, 300);
    scene.apply({ kind: "retry", payoutId });
    expect(scene.moves).toEqual(["available→reserved 700", "available→recovery 300"]);
    expect(scene.payout(payoutId)).toMatchObject({ gross: 1000, recovered: 300, amount: 700 });
  });

  test("they are refused when what is owed leaves nothing", () => {
    const scene = new Scene();
    const { commission } = scene.paid(5000);
    scene.record(1000);
    const payoutId = scene.claim();
    scene.apply({ kind: "cancel", payoutId, reason: "no" });
    scene.refund(commission, 1000);
    expect(scene.refusal({ kind: "reopen", payoutId })).toBe("recovery_exceeds_earnings");
  });

  test.each(["retry", "reopen"] as const)(
    "%s is refused while one of the commissions is in another payout",
    (kind) => {
      const scene = new Scene();
      const [first] = [scene.record(1000), scene.record(500)];
      const payoutId = scene.claim();
      if (kind === "retry") scene.fail(payoutId);
      else scene.apply({ kind: "cancel", payoutId, reason: "no" });
      const other = scene.claim("person", { ids: [first] });
      expect(scene.refusal({ kind, payoutId })).toBe("commissions_not_free");
      scene.apply({ kind: "cancel", payoutId: other, reason: "no" });
      scene.apply({ kind, payoutId });
      expect(scene.payout(payoutId).amount).toBe(1500);
    },
  );

  test.each(["held", "rejected", "reversed"] as const)(
    "a reopen is refused when one of the commissions is %s",
    (status) => {
      const scene = new Scene();
      const [first] = [scene.record(1000), scene.record(500)];
      const payoutId = scene.claim();
      scene.apply({ kind: "cancel", payoutId, reason: "no" });
      if (status === "reversed") scene.refund(first);
      else
        scene.apply({ kind: status === "held" ? "hold" : "reject", commission: { id: first }, reason: null });
      expect(scene.commission(first).status).toBe(status);
      expect(scene.refusal({ kind: "reopen", payoutId })).toBe("commissions_not_free");
    },
  );

  test("they are refused while the affiliate is suspended", () => {
    const scene = new Scene();
    scene.record(1000);
    const payoutId = scene.claim();
    scene.apply({ kind: "cancel", payoutId, reason: "no" });
    scene.apply({ kind: "update_affiliate", patch: { status: "suspended" } });
    expect(scene.refusal({ kind: "reopen", payoutId })).toBe("affiliate_suspended");
  });
});
