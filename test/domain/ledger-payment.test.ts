// Payments: one open attempt, frozen when it begins, concluded by what the rail reports, and reserved while nobody knows.
import { describe, expect, test } from "vitest";
import {
  DEFERRED_QUIET_MS,
  KEY_WINDOW_MS,
  QUIET_AFTER_WINDOW_MS,
  type RailOutcome,
} from "../../src/domain/payout.ts";
import { transferFor } from "./memory-provider.ts";
import { Scene } from "./memory-scene.ts";

const SETTLED: RailOutcome = { kind: "settled", ref: "tr_1" };
const ACCEPTED: RailOutcome = { kind: "accepted", ref: "tr_1" };
const REFUSED: RailOutcome = { kind: "refused", code: "declined", detail: "no" };
const DEFERRED: RailOutcome = { kind: "deferred", detail: "429" };
const UNKNOWN: RailOutcome = { kind: "unknown", detail: "timeout" };

const sent = () => {
  const scene = new Scene();
  scene.record(1000);
  const payoutId = scene.claim();
  return { scene, payoutId, attemptId: scene.send(payoutId) };
};

describe("begin_payment", () => {
  test("it freezes the instruction under the key of the payout's first attempt, and writes no entry", () => {
    const { scene, payoutId, attemptId } = sent();
    expect(scene.moves).toEqual([]);
    expect(scene.attempt(attemptId)).toMatchObject({
      ...{ n: 1, key: `po:${payoutId}:1`, state: "begun", rail: "stripe", amount: 1000, currency: "USD" },
      ...{ destination: "stripe-1", providerAccount: "acct", request: "{}", createdAt: scene.now, tries: 0 },
    });
    expect(scene.payout(payoutId)).toMatchObject({ status: "processing", sent: true, attemptCount: 1 });
  });

  test("begun twice it answers the open attempt and writes nothing", () => {
    const { scene, payoutId, attemptId } = sent();
    const again = scene.turn(scene.beginning(payoutId));
    expect(again).toMatchObject({
      kind: "unchanged",
      result: { kind: "attempt", attempt: { id: attemptId } },
    });
  });

  test.each([
    ["amount", { amount: 999 }],
    ["currency", { currency: "EUR" }],
    ["destination", { destinationSha: "stripe-2" }],
    ["rail", { rail: "manual" }],
  ] as const)("an instruction for another %s is refused, to be frozen again", (_, other) => {
    const scene = new Scene();
    scene.record(1000);
    const payoutId = scene.claim();
    scene.apply({ kind: "pay", payoutId });
    const begin = scene.beginning(payoutId);
    if (begin.kind !== "begin_payment") throw new Error("not a beginning");
    expect(scene.refusal({ ...begin, instruction: { ...begin.instruction, ...other } })).toBe(
      "amount_changed",
    );
  });

  test("the number of the attempt grows only after a definite refusal, and a reopen does not reset it", () => {
    const scene = new Scene();
    scene.record(1000);
    const payoutId = scene.claim();
    scene.fail(payoutId);
    scene.apply({ kind: "retry", payoutId });
    scene.apply({ kind: "cancel", payoutId, reason: "no" });
    scene.apply({ kind: "reopen", payoutId });
    expect(scene.attempt(scene.send(payoutId)).key).toBe(`po:${payoutId}:2`);
  });

  test.each([
    ["a suspension", "affiliate_suspended"],
    ["a method that is not ready", "payout_method_not_ready"],
    ["a method that is no longer offered", "no_payout_method"],
  ])("it looks again: %s since pay stops it, and nothing is written", (what, code) => {
    const scene = new Scene();
    scene.record(1000);
    const payoutId = scene.claim();
    scene.apply({ kind: "pay", payoutId });
    if (code === "affiliate_suspended")
      scene.apply({ kind: "update_affiliate", patch: { status: "suspended" } });
    if (code === "payout_method_not_ready") scene.setMethod("stripe", "stripe-1", false);
    if (code === "no_payout_method")
      scene.memory.policy = { ...scene.memory.policy, payout_methods: ["manual"] };
    expect(scene.refusal(scene.beginning(payoutId)), what).toBe(code);
    expect(scene.payout(payoutId)).toMatchObject({ status: "processing", sent: false, attemptCount: 0 });
  });
});

describe("conclude_payment", () => {
  test("settled: the money is there", () => {
    const { scene, payoutId, attemptId } = sent();
    scene.conclude(attemptId, SETTLED);
    expect(scene.payout(payoutId)).toMatchObject({ status: "paid", paidVia: "stripe", externalRef: "tr_1" });
    expect(scene.attempt(attemptId)).toMatchObject({
      state: "settled",
      providerRef: "tr_1",
      nextAttemptAt: null,
    });
  });

  test("refused: failed, everything given back, and the reason is kept", () => {
    const { scene, payoutId, attemptId } = sent();
    scene.conclude(attemptId, REFUSED);
    expect(scene.moves).toEqual(["reserved→available 1000"]);
    expect(scene.payout(payoutId)).toMatchObject({
      status: "failed",
      sent: false,
      failureCode: "declined",
      failureDetail: "no",
    });
    expect(scene.attempt(attemptId)).toMatchObject({ state: "refused", nextAttemptAt: null });
    expect(scene.announced).toEqual(["payout.failed"]);
  });

  test.each([ACCEPTED, UNKNOWN, DEFERRED])(
    "$kind: the money stays reserved and the payout processing",
    (outcome) => {
      const { scene, payoutId, attemptId } = sent();
      scene.conclude(attemptId, outcome);
      expect(scene.moves).toEqual([]);
      expect(scene.balance()).toEqual({ program: -1000, reserved: 1000 });
      expect(scene.payout(payoutId)).toMatchObject({ status: "processing", sent: true });
      expect(scene.attempt(attemptId)).toMatchObject({
        state: outcome.kind,
        tries: 1,
        nextAttemptAt: scene.now + 2000,
      });
      expect(scene.refusal({ kind: "cancel", payoutId, reason: "now" })).toBe("payment_under_way");
    },
  );

  test.each([UNKNOWN, ACCEPTED])("deferred never replaces $kind: money may have moved", (first) => {
    const { scene, attemptId } = sent();
    scene.conclude(attemptId, first);
    scene.now += 2000;
    scene.conclude(attemptId, DEFERRED);
    expect(scene.attempt(attemptId)).toMatchObject({ state: first.kind, tries: 2 });
  });

  test("unknown may become accepted, settled or refused, and accepted stays accepted when a look finds nothing out", () => {
    const { scene, payoutId, attemptId } = sent();
    scene.conclude(attemptId, UNKNOWN);
    scene.conclude(attemptId, ACCEPTED);
    expect(scene.attempt(attemptId)).toMatchObject({ state: "accepted", providerRef: "tr_1" });
    scene.conclude(attemptId, UNKNOWN);
    expect(scene.attempt(attemptId)).toMatchObject({ state: "accepted", providerRef: "tr_1" });
    scene.conclude(attemptId, REFUSED);
    expect(scene.payout(payoutId).status).toBe("failed");
  });

  test("deferred: the same attempt at the same times, later only where the rail asks for it", () => {
    const { scene, attemptId } = sent();
    scene.conclude(attemptId, DEFERRED);
    expect(scene.attempt(attemptId)).toMatchObject({ n: 1, nextAttemptAt: scene.now + 2000 });
    scene.conclude(attemptId, { ...DEFERRED, retryAfterS: 40 } as RailOutcome);
    expect(scene.attempt(attemptId).nextAttemptAt).toBe(scene.now + 40_000);
  });

  test("needs_hand: it waits for a person and is not looked at again", () => {
    const { scene, payoutId, attemptId } = sent();
    scene.conclude(attemptId, { kind: "needs_hand", instructions: "fund it" });
    expect(scene.attempt(attemptId)).toMatchObject({
      state: "needs_hand",
      nextAttemptAt: null,
      detail: "fund it",
    });
    scene.apply(scene.markingPaid(payoutId));
    expect(scene.payout(payoutId)).toMatchObject({
      status: "paid",
      paidVia: "manual",
      externalRef: "bank-1",
    });
    expect(scene.attempt(attemptId).state).toBe("settled");
  });

  test("needs_hand: marked failed, everything is given back and a retry is the next attempt", () => {
    const { scene, payoutId, attemptId } = sent();
    scene.conclude(attemptId, { kind: "needs_hand", instructions: "fund it" });
    scene.apply({ kind: "mark_failed", payoutId, reason: "no such account" });
    expect(scene.moves).toEqual(["reserved→available 1000"]);
    expect(scene.payout(payoutId)).toMatchObject({ status: "failed", failureDetail: "no such account" });
    scene.apply({ kind: "retry", payoutId });
    expect(scene.attempt(scene.send(payoutId)).n).toBe(2);
  });

  test.each([SETTLED, REFUSED])("$kind twice is once", (outcome) => {
    const { scene, payoutId, attemptId } = sent();
    scene.conclude(attemptId, outcome);
    const before = scene.payout(payoutId);
    expect(scene.turn(scene.concluding(attemptId, outcome)).kind).toBe("unchanged");
    for (const late of [UNKNOWN, DEFERRED, ACCEPTED, REFUSED]) {
      expect(scene.turn(scene.concluding(attemptId, late)).kind).toBe("unchanged");
    }
    expect(scene.payout(payoutId)).toBe(before);
  });

  test("an attempt that is not there is refused", () => {
    const { scene, payoutId } = sent();
    const attemptId = "att_00000000000000000000000000";
    expect(scene.refusal({ kind: "conclude_payment", payoutId, attemptId, outcome: SETTLED })).toBe(
      "attempt_not_found",
    );
  });
});

describe("resolve", () => {
  test.each([
    ["settled", "paid", "reserved→paid 1000"],
    ["refused", "failed", "reserved→available 1000"],
  ] as const)("a person closes an unknown payment as %s", (outcome, status, move) => {
    const { scene, payoutId, attemptId } = sent();
    scene.conclude(attemptId, UNKNOWN);
    if (outcome === "settled") transferFor(scene.truth, scene.attempt(attemptId), true);
    else scene.now += KEY_WINDOW_MS + QUIET_AFTER_WINDOW_MS;
    scene.apply({
      kind: "resolve",
      payoutId,
      outcome,
      externalRef: null,
      evidence: "the provider's statement",
    });
    expect(scene.payout(payoutId).status).toBe(status);
    expect(scene.moves).toEqual([move]);
  });

  test("as refused only once nothing is sent under its key any more", () => {
    const { scene, payoutId, attemptId } = sent();
    scene.conclude(attemptId, UNKNOWN);
    const refused = {
      kind: "resolve",
      payoutId,
      outcome: "refused",
      externalRef: null,
      evidence: "?",
    } as const;
    scene.now += KEY_WINDOW_MS + QUIET_AFTER_WINDOW_MS - 1;
    expect(scene.refusal(refused)).toBe("payment_under_way");
  });

  test("as refused soon after a deferral, because nothing was ever sent", () => {
    const { scene, payoutId, attemptId } = sent();
    scene.conclude(attemptId, DEFERRED);
    const refused = {
      kind: "resolve",
      payoutId,
      outcome: "refused",
      externalRef: null,
      evidence: "the key was taken away",
    } as const;
    scene.now += DEFERRED_QUIET_MS - 1;
    expect(scene.refusal(refused)).toBe("payment_under_way");
    scene.now += 1;
    scene.apply(refused);
    expect(scene.payout(payoutId).status).toBe("failed");
  });

  test("an accepted one as refused only when its window is over too", () => {
    const { scene, payoutId, attemptId } = sent();
    scene.conclude(attemptId, ACCEPTED);
    const refused = {
      kind: "resolve",
      payoutId,
      outcome: "refused",
      externalRef: null,
      evidence: "the account is closed",
    } as const;
    scene.now += KEY_WINDOW_MS;
    expect(scene.refusal(refused)).toBe("payment_under_way");
    scene.now += QUIET_AFTER_WINDOW_MS;
    scene.apply(refused);
    expect(scene.payout(payoutId).status).toBe("failed");
  });

  test.each(["begun", "needs_hand"])("not one that is %s", (state) => {
    const { scene, payoutId, attemptId } = sent();
    if (state === "needs_hand") scene.conclude(attemptId, { kind: "needs_hand", instructions: "pay it" });
    const resolve = {
      kind: "resolve",
      payoutId,
      outcome: "settled",
      externalRef: null,
      evidence: "?",
    } as const;
    expect(scene.refusal(resolve)).toBe("invalid_state");
  });
});

describe("stall", () => {
  test("a payout that takes too long is announced once, and its state stays", () => {
    const { scene, payoutId } = sent();
    scene.apply({ kind: "stall", payoutId, reason: "late" });
    expect(scene.announced).toEqual(["payout.stalled"]);
    expect(scene.payout(payoutId)).toMatchObject({ status: "processing", stalledAt: scene.now });
    expect(scene.turn({ kind: "stall", payoutId, reason: "late" }).kind).toBe("unchanged");
  });
});
