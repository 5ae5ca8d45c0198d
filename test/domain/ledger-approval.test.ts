// Who may let money go: approval, four eyes, the approved destination, readiness, cooldown and the day's limit.
import { describe, expect, test } from "vitest";
import { KEY_A, KEY_B, NAME_B } from "./memory-book.ts";
import { Scene, type SceneOf } from "./memory-scene.ts";
import { DAY_MS, HOUR_MS } from "./memory-world.ts";

const pending = (of: SceneOf = {}) => {
  const scene = new Scene(of);
  scene.record(1000);
  const payoutId = scene.claim();
  return {
    scene,
    payoutId,
    pay: { kind: "pay", payoutId } as const,
    approve: { kind: "approve_payout", payoutId } as const,
  };
};

describe("require_approval", () => {
  const strict = { policy: { require_approval: true } };

  test("a pending payout can be neither paid nor marked paid before it is approved", () => {
    const { scene, payoutId, pay, approve } = pending(strict);
    expect(scene.refusal(pay)).toBe("awaiting_approval");
    expect(scene.refusal(scene.markingPaid(payoutId))).toBe("awaiting_approval");
    scene.apply(approve, KEY_B);
    expect(scene.payout(payoutId)).toMatchObject({
      status: "approved",
      approvedAt: scene.now,
      approvedBy: NAME_B,
    });
    scene.apply(pay);
    expect(scene.payout(payoutId)).toMatchObject({ status: "processing", approvedBy: NAME_B });
  });

  test("an approved payout can be marked paid by hand", () => {
    const { scene, payoutId, approve } = pending(strict);
    scene.apply(approve);
    scene.apply(scene.markingPaid(payoutId));
    expect(scene.payout(payoutId)).toMatchObject({ status: "paid", paidVia: "manual" });
  });

  test("a withdrawn approval is no approval", () => {
    const { scene, payoutId, pay, approve } = pending(strict);
    scene.apply(approve);
    scene.apply({ kind: "withdraw", payoutId });
    expect(scene.payout(payoutId)).toMatchObject({ status: "pending", approvedAt: null, approvedBy: null });
    expect(scene.refusal(pay)).toBe("awaiting_approval");
  });

  test("a retry asks for approval again", () => {
    const { scene, payoutId, pay, approve } = pending(strict);
    scene.apply(approve);
    scene.fail(payoutId);
    scene.apply({ kind: "retry", payoutId });
    expect(scene.payout(payoutId).approvedAt).toBe(null);
    expect(scene.refusal(pay)).toBe("awaiting_approval");
  });

  test("a rule that changes between pay and begin bites at once", () => {
    const { scene, payoutId, pay } = pending();
    scene.apply(pay);
    scene.memory.policy = { ...scene.memory.policy, require_approval: true };
    expect(scene.refusal(scene.beginning(payoutId))).toBe("awaiting_approval");
  });

  test("without it a pending payout may be paid at once", () => {
    const { scene, pay } = pending();
    scene.apply(pay);
    expect(scene.announced).toEqual(["payout.processing"]);
  });
});

describe("four eyes", () => {
  test("the key that created a payout cannot approve it, another one can", () => {
    const { scene, payoutId, approve } = pending({ policy: { four_eyes: true } });
    expect(scene.refusal(approve, KEY_A)).toBe("four_eyes");
    scene.apply(approve, KEY_B);
    expect(scene.payout(payoutId).approvedBy).toBe(NAME_B);
  });

  test("without the rule it can", () => {
    const { scene, approve } = pending();
    expect(scene.apply(approve, KEY_A).kind).toBe("change");
  });
});

describe("the approved destination", () => {
  test("a destination that changed after approval is not paid until it is approved again", () => {
    const { scene, payoutId, pay, approve } = pending({ policy: { destination_cooldown_hours: 0 } });
    scene.apply(approve);
    scene.setMethod("stripe", "stripe-2");
    expect(scene.refusal(pay)).toBe("destination_changed");
    scene.apply({ kind: "withdraw", payoutId });
    scene.apply(approve);
    scene.apply(pay);
    expect(scene.payout(payoutId)).toMatchObject({ status: "processing", destinationSha: "stripe-2" });
  });

  test("one that changed between pay and begin stops the payment, and the payout goes back to pending", () => {
    const { scene, payoutId, pay, approve } = pending({ policy: { destination_cooldown_hours: 0 } });
    scene.apply(approve);
    scene.apply(pay);
    const begin = scene.beginning(payoutId);
    scene.setMethod("stripe", "stripe-2");
    expect(scene.refusal(begin)).toBe("destination_changed");
    const steps = scene.payout(payoutId).history.length;
    const code = "destination_changed";
    scene.apply({ kind: "send_back", payoutId, steps, code, detail: "it changed" });
    expect(scene.payout(payoutId)).toMatchObject({
      status: "pending",
      approvedAt: null,
      sent: false,
      attemptCount: 0,
    });
    expect(scene.balance()).toEqual({ program: -1000, reserved: 1000 });
    scene.apply(pay);
    scene.apply(scene.beginning(payoutId));
    expect(scene.payout(payoutId)).toMatchObject({ sent: true, destinationSha: "stripe-2" });
  });

  test("one that changes after begin changes nothing for the attempt that is under way", () => {
    const { scene, payoutId } = pending({ policy: { destination_cooldown_hours: 0 } });
    const attemptId = scene.send(payoutId);
    scene.setMethod("stripe", "stripe-2");
    scene.conclude(attemptId, { kind: "settled", ref: "tr_1" });
    expect(scene.payout(payoutId)).toMatchObject({ status: "paid", destinationSha: "stripe-1" });
  });

  test("the first destination has no cooldown, a new one has, to the millisecond", () => {
    const { scene, pay } = pending({ policy: { destination_cooldown_hours: 72 } });
    scene.setMethod("stripe", "stripe-2");
    const until = scene.now + 72 * HOUR_MS;
    expect(scene.turn(pay)).toMatchObject({
      refusal: { code: "destination_cooldown", facts: { until: new Date(until).toISOString() } },
    });
    scene.now = until - 1;
    expect(scene.refusal(pay)).toBe("destination_cooldown");
    scene.now = until;
    scene.apply(pay);
  });

  test("the same destination named again starts no cooldown", () => {
    const { scene, pay } = pending();
    scene.setMethod("stripe", "stripe-1");
    scene.apply(pay);
  });

  test("after approval a changed destination is named before its cooldown: that is what a person must act on", () => {
    const { scene, pay, approve } = pending();
    scene.apply(approve);
    scene.setMethod("stripe", "stripe-2");
    expect(scene.refusal(pay)).toBe("destination_changed");
  });
});

describe("what stops a payment", () => {
  test("a suspended affiliate is not paid", () => {
    const { scene, pay } = pending();
    scene.apply({ kind: "update_affiliate", patch: { status: "suspended" } });
    expect(scene.refusal(pay)).toBe("affiliate_suspended");
  });

  test("a method that is not ready stops pay, not the payout's making", () => {
    const scene = new Scene();
    scene.setMethod("stripe", "stripe-1", false);
    scene.record(1000);
    const payoutId = scene.claim();
    expect(scene.refusal({ kind: "pay", payoutId })).toBe("payout_method_not_ready");
  });

  test("a tax form that is asked for stops claim and pay", () => {
    const { scene, pay } = pending();
    scene.memory.policy = { ...scene.memory.policy, require_tax_form: true };
    expect(scene.refusal(pay)).toBe("tax_form_required");
    scene.record(500);
    expect(scene.refusal(scene.claiming("generate"))).toBe("tax_form_required");
  });

  test("the day's limit counts what is paid on a day of the program's zone, per currency", () => {
    const scene = new Scene({ policy: { daily_payout_limit: { USD: 1500 }, time_zone: "UTC" } });
    const payouts = [1000, 500, 1].map((amount) => {
      scene.record(amount);
      return scene.claim();
    });
    const [first, second, third] = payouts;
    if (first === undefined || second === undefined || third === undefined) throw new Error("three payouts");
    scene.apply({ kind: "pay", payoutId: first });
    scene.apply({ kind: "pay", payoutId: second });
    expect(scene.refusal({ kind: "pay", payoutId: third })).toBe("daily_limit_reached");
    scene.now += DAY_MS;
    scene.apply({ kind: "pay", payoutId: third });
  });

  test.each(["a cancel", "a refund of all of it"])(
    "%s before anything was sent gives the day its room back",
    (what) => {
      const scene = new Scene({ policy: { daily_payout_limit: { USD: 1000 }, time_zone: "UTC" } });
      const sale = scene.record(1000);
      const first = scene.claim();
      scene.apply({ kind: "pay", payoutId: first });
      scene.record(900);
      const second = scene.claim();
      expect(scene.refusal({ kind: "pay", payoutId: second })).toBe("daily_limit_reached");
      if (what === "a cancel") scene.apply({ kind: "cancel", payoutId: first, reason: "not today" });
      else scene.refund(sale);
      expect(scene.payout(first)).toMatchObject({ status: "cancelled", expectedBy: null });
      scene.apply({ kind: "pay", payoutId: second });
    },
  );
});

describe("precedence", () => {
  test("a paid payout is in the wrong state, whoever approves it", () => {
    const { scene, payoutId, approve } = pending({ policy: { four_eyes: true } });
    scene.settle(payoutId);
    expect(scene.refusal(approve, KEY_A)).toBe("invalid_state");
  });

  test("approval that is missing is named before a method that is not ready", () => {
    const scene = new Scene({ policy: { require_approval: true } });
    scene.setMethod("stripe", "stripe-1", false);
    scene.record(1000);
    expect(scene.refusal({ kind: "pay", payoutId: scene.claim() })).toBe("awaiting_approval");
  });

  test("nothing due is named before a missing tax form", () => {
    const scene = new Scene({ policy: { require_tax_form: true } });
    expect(scene.refusal(scene.claiming("generate"))).toBe("nothing_due");
  });

  test("a suspended affiliate is named before commissions that are not free", () => {
    const scene = new Scene();
    const id = scene.record(1000);
    scene.claim();
    scene.apply({ kind: "update_affiliate", patch: { status: "suspended" } });
    expect(scene.refusal(scene.claiming("person", { ids: [id] }))).toBe("affiliate_suspended");
  });
});
