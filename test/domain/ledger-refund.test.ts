// Refunds of claimed, sent and paid commissions, each from where the money stands.
import { describe, expect, test } from "vitest";
import { Scene } from "./memory-scene.ts";

const claimed = (amounts: readonly number[], currency = "USD") => {
  const scene = new Scene();
  const ids = amounts.map((amount) => scene.record(amount, { currency }));
  const payoutId = scene.claim("generate", { currency });
  const [first = ids[0], second = ids[0]] = ids;
  if (first === undefined || second === undefined) throw new Error("no commission");
  return { scene, payoutId, first, second };
};

const UNSENT = ["requested", "pending", "approved", "processing"] as const;

describe("refund on an unsent payout", () => {
  test.each(UNSENT)("smaller than its amount: a %s payout shrinks, reserved to program", (status) => {
    const scene = new Scene();
    const first = scene.record(1000);
    scene.record(500);
    const payoutId = scene.claim(status === "requested" ? "request" : "generate");
    if (status === "approved") scene.apply({ kind: "approve_payout", payoutId });
    if (status === "processing") scene.apply({ kind: "pay", payoutId });
    scene.refund(first, 400);
    expect(scene.moves).toEqual(["reserved→program 400"]);
    expect(scene.payout(payoutId)).toMatchObject({
      status,
      gross: 1500,
      recovered: 0,
      refunded: 400,
      amount: 1100,
    });
    expect(scene.commission(first)).toMatchObject({ status: "processing", reduced: 400, clawedBack: 0 });
    expect(scene.balance()).toEqual({ program: -1100, reserved: 1100 });
    expect(scene.announced.toSorted()).toEqual(["commission.reversed", "payout.updated"]);
  });

  test("it may leave the payout under the minimum", () => {
    const scene = new Scene({ policy: { minimum_payout: { USD: 1000 } } });
    const id = scene.record(1000);
    const payoutId = scene.claim();
    scene.refund(id, 999);
    expect(scene.payout(payoutId)).toMatchObject({ status: "pending", amount: 1 });
  });

  test("a commission of which nothing is left is reversed, and stays reversed when the payout is paid", () => {
    const { scene, payoutId, first, second } = claimed([1000, 500]);
    scene.refund(second, 500);
    expect(scene.commission(second)).toMatchObject({ status: "reversed", payoutId });
    scene.settle(payoutId);
    expect(scene.moves).toEqual(["reserved→paid 1000"]);
    expect(scene.commission(first).status).toBe("paid");
    expect(scene.commission(second).status).toBe("reversed");
  });

  test("a commission of which nothing is left is not given back by a cancel", () => {
    const { scene, payoutId, first, second } = claimed([1000, 500]);
    scene.refund(second, 500);
    scene.apply({ kind: "cancel", payoutId, reason: "no" });
    expect(scene.moves).toEqual(["reserved→available 1000"]);
    expect(scene.commission(first)).toMatchObject({ status: "approved", payoutId: null });
    expect(scene.commission(second)).toMatchObject({ status: "reversed", payoutId: null });
  });

  test("as large as its amount: the payout is released and cancelled first, then the commission is reduced", () => {
    const { scene, payoutId, first } = claimed([1000]);
    scene.refund(first, 1000);
    expect(scene.moves).toEqual(["reserved→available 1000", "available→program 1000"]);
    expect(scene.payout(payoutId)).toMatchObject({ status: "cancelled", amount: 1000 });
    expect(scene.commission(first)).toMatchObject({ status: "reversed", reduced: 1000, payoutId: null });
    expect(scene.balance()).toEqual({});
    expect(scene.announced.toSorted()).toEqual(["commission.reversed", "payout.cancelled"]);
  });

  test("larger than what netting left of it: the netted recovery is owed again and the others are free", () => {
    const scene = new Scene();
    scene.refund(scene.paid(5000).commission, 700);
    const [first, second] = [scene.record(600), scene.record(400)];
    const payoutId = scene.claim();
    expect(scene.payout(payoutId)).toMatchObject({ gross: 1000, recovered: 700, amount: 300 });
    scene.refund(second, 350);
    expect(scene.moves).toEqual([
      "reserved→available 300",
      "recovery→available 700",
      "available→program 350",
    ]);
    expect(scene.payout(payoutId).status).toBe("cancelled");
    expect(scene.commission(first)).toMatchObject({ status: "approved", reduced: 0, payoutId: null });
    expect(scene.commission(second)).toMatchObject({ status: "approved", reduced: 350, payoutId: null });
    expect(scene.balance()).toEqual({ program: -4950, paid: 5000, recovery: -700, available: 650 });
  });

  test("one cent smaller than what netting left of it still shrinks it", () => {
    const scene = new Scene();
    scene.refund(scene.paid(5000).commission, 700);
    const id = scene.record(1000);
    const payoutId = scene.claim();
    scene.refund(id, 299);
    expect(scene.moves).toEqual(["reserved→program 299"]);
    expect(scene.payout(payoutId)).toMatchObject({ gross: 1000, recovered: 700, refunded: 299, amount: 1 });
    scene.refund(id, 1);
    expect(scene.payout(payoutId).status).toBe("cancelled");
    expect(scene.balance()).toEqual({ program: -5000, paid: 5000, recovery: -700, available: 700 });
  });

  test("a payout that shrank gives back what is left of its amount", () => {
    const { scene, payoutId, first } = claimed([1000, 500]);
    scene.refund(first, 400);
    scene.apply({ kind: "cancel", payoutId, reason: "no" });
    expect(scene.moves).toEqual(["reserved→available 1100"]);
  });

  test("in a session or run the other currency is left alone", () => {
    const { scene, first } = claimed([1000, 500], "EUR");
    scene.record(100);
    scene.claim();
    scene.refund(first, 400);
    expect(scene.balance("EUR")).toEqual({ program: -1100, reserved: 1100 });
    expect(scene.balance("USD")).toEqual({ program: -100, reserved: 100 });
  });
});

describe("refund once sent or paid", () => {
  test("while it is sent the amount stays frozen and the refund is owed", () => {
    const { scene, payoutId, first } = claimed([1000]);
    scene.send(payoutId);
    scene.refund(first, 400);
    expect(scene.moves).toEqual(["recovery→program 400"]);
    expect(scene.payout(payoutId)).toMatchObject({ status: "processing", amount: 1000, refunded: 0 });
    expect(scene.commission(first)).toMatchObject({ status: "processing", reduced: 0, clawedBack: 400 });
    expect(scene.balance()).toEqual({ program: -600, reserved: 1000, recovery: -400 });
    expect(scene.announced.toSorted()).toEqual(["commission.reversed", "recovery.changed"]);
  });

  test("when that payment is then refused, the refund is taken from its own commission", () => {
    const { scene, payoutId, first } = claimed([1000]);
    const attemptId = scene.send(payoutId);
    scene.refund(first, 400);
    scene.conclude(attemptId, { kind: "refused", code: "declined", detail: "no" });
    expect(scene.moves).toEqual(["reserved→available 1000", "available→recovery 400"]);
    expect(scene.commission(first)).toMatchObject({
      status: "approved",
      reduced: 400,
      clawedBack: 0,
      payoutId: null,
    });
    expect(scene.balance()).toEqual({ program: -600, available: 600 });
  });

  test("a commission that was wholly refunded while it was sent is reversed when the payment is refused", () => {
    const { scene, payoutId, first } = claimed([1000]);
    const attemptId = scene.send(payoutId);
    scene.refund(first);
    scene.conclude(attemptId, { kind: "refused", code: "declined", detail: "no" });
    expect(scene.commission(first)).toMatchObject({ status: "reversed", reduced: 1000, clawedBack: 0 });
    expect(scene.balance()).toEqual({});
  });

  test("a refund after the payment failed reduces the free commission", () => {
    const { scene, payoutId, first } = claimed([1000]);
    scene.fail(payoutId);
    scene.refund(first, 400);
    expect(scene.moves).toEqual(["available→program 400"]);
    expect(scene.commission(first)).toMatchObject({ status: "approved", reduced: 400, clawedBack: 0 });
  });

  test("a paid commission stays paid, and the refund is owed until the next payout", () => {
    const { scene, payoutId, first } = claimed([1000]);
    scene.settle(payoutId);
    scene.refund(first, 400);
    expect(scene.moves).toEqual(["recovery→program 400"]);
    expect(scene.commission(first)).toMatchObject({ status: "paid", reduced: 0, clawedBack: 400 });
    expect(scene.balance()).toEqual({ program: -600, paid: 1000, recovery: -400 });
    scene.record(500);
    expect(scene.payout(scene.claim())).toMatchObject({ gross: 500, recovered: 400, amount: 100 });
  });

  test("all refunds of a commission together never pass its amount", () => {
    const { scene, payoutId, first } = claimed([1000, 500]);
    scene.refund(first, 300);
    scene.settle(payoutId);
    scene.refund(first, 600);
    expect(scene.commission(first)).toMatchObject({ status: "paid", reduced: 300, clawedBack: 600 });
    expect(scene.refusal(scene.reversing(first, 101))).toBe("refund_exceeds_commission");
    scene.refund(first);
    expect(scene.moves).toEqual(["recovery→program 100"]);
  });

  test("a refund after the payout was returned reduces the free commission", () => {
    const { scene, payoutId, first } = claimed([1000]);
    scene.settle(payoutId);
    scene.providerReturn(payoutId, 1000);
    scene.refund(first, 400);
    expect(scene.moves).toEqual(["available→program 400"]);
  });

  test("a refund of a paid commission in euros is owed in euros", () => {
    const { scene, payoutId, first } = claimed([1000], "EUR");
    scene.settle(payoutId);
    scene.refund(first, 400);
    expect(scene.balance("EUR")).toEqual({ program: -600, paid: 1000, recovery: -400 });
    expect(scene.balance("USD")).toEqual({});
  });
});

describe("recovery", () => {
  test.each(["written_off", "repaid"] as const)("what is %s is owed no more: program to recovery", (how) => {
    const scene = new Scene();
    scene.refund(scene.paid(1000).commission, 400);
    scene.apply({ kind: "settle_recovery", amount: 150, currency: "USD", how, note: "agreed" });
    expect(scene.moves).toEqual(["program→recovery 150"]);
    expect(scene.balance()).toEqual({ program: -750, paid: 1000, recovery: -250 });
    expect(scene.announced).toEqual(["recovery.changed"]);
  });

  test("more than is owed cannot be written off", () => {
    const scene = new Scene();
    scene.refund(scene.paid(1000).commission, 400);
    const all = {
      kind: "settle_recovery",
      amount: 401,
      currency: "USD",
      how: "written_off",
      note: "agreed",
    } as const;
    expect(scene.refusal(all)).toBe("recovery_not_owed");
    expect(scene.refusal({ ...all, amount: 1, currency: "EUR" })).toBe("recovery_not_owed");
  });
});
