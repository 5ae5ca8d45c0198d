// An attempt that waits: how long the provider says it may take, when it is asked again, and since when nothing is found.
import { describe, expect, test } from "vitest";
import { EXPECTED_WITHIN_MS, type RailOutcome } from "../../src/domain/payout.ts";
import { Scene } from "./memory-scene.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const EMPTY: RailOutcome = { kind: "unknown", detail: "nothing there", isEmptyLook: true };
const TIMEOUT: RailOutcome = { kind: "unknown", detail: "timeout" };
const accepted = (expectedWithinMs?: number, detail?: string): RailOutcome => ({
  ...{ kind: "accepted", ref: "batch_1" },
  ...(expectedWithinMs === undefined ? {} : { expectedWithinMs }),
  ...(detail === undefined ? {} : { detail }),
});

const sent = () => {
  const scene = new Scene();
  scene.record(1000);
  const payoutId = scene.claim();
  return { scene, payoutId, attemptId: scene.send(payoutId) };
};

describe("accepted", () => {
  test("it is expected when the provider says so, in the provider's words", () => {
    const { scene, payoutId, attemptId } = sent();
    scene.conclude(attemptId, accepted(30 * DAY_MS, "UNCLAIMED"));
    expect(scene.payout(payoutId).expectedBy).toBe(scene.now + 30 * DAY_MS);
    expect(scene.attempt(attemptId)).toMatchObject({
      ...{ state: "accepted", providerRef: "batch_1", detail: "UNCLAIMED" },
    });
    expect(scene.announced).toEqual([]);
  });

  test("without a word on how long, what was expected at pay stays expected", () => {
    const { scene, payoutId, attemptId } = sent();
    const asked = scene.now;
    scene.now += MINUTE_MS;
    scene.conclude(attemptId, accepted());
    expect(scene.payout(payoutId).expectedBy).toBe(asked + EXPECTED_WITHIN_MS);
  });

  test("a shorter word later does not make it late sooner, a longer one moves it on", () => {
    const { scene, payoutId, attemptId } = sent();
    const first = scene.now;
    scene.conclude(attemptId, accepted(3 * DAY_MS));
    scene.now += HOUR_MS;
    scene.conclude(attemptId, accepted(MINUTE_MS));
    expect(scene.payout(payoutId).expectedBy).toBe(first + 3 * DAY_MS);
    scene.conclude(attemptId, accepted(30 * DAY_MS));
    expect(scene.payout(payoutId).expectedBy).toBe(scene.now + 30 * DAY_MS);
  });

  test("what was announced as stalled is not announced as waiting again", () => {
    const { scene, payoutId, attemptId } = sent();
    scene.apply({ kind: "stall", payoutId, reason: "late" });
    const before = scene.payout(payoutId);
    scene.conclude(attemptId, accepted(30 * DAY_MS));
    expect(scene.payout(payoutId)).toBe(before);
  });

  test("it is asked every six hours once a day has passed, and at the usual times before", () => {
    const { scene, attemptId } = sent();
    const began = scene.now;
    scene.now = began + DAY_MS - MINUTE_MS;
    scene.conclude(attemptId, accepted());
    expect(scene.attempt(attemptId).nextAttemptAt).toBe(began + DAY_MS);
    scene.now = began + DAY_MS;
    scene.conclude(attemptId, accepted());
    expect(scene.attempt(attemptId).nextAttemptAt).toBe(began + DAY_MS + 6 * HOUR_MS);
    scene.now = began + 5 * DAY_MS + MINUTE_MS;
    scene.conclude(attemptId, TIMEOUT);
    expect(scene.attempt(attemptId)).toMatchObject({
      ...{ state: "accepted", nextAttemptAt: scene.now + 6 * HOUR_MS },
    });
  });

  test("what may or may not have moved goes on being looked for every ten minutes", () => {
    const { scene, attemptId } = sent();
    const began = scene.now;
    scene.now = began + 2 * DAY_MS;
    scene.conclude(attemptId, TIMEOUT);
    expect(scene.attempt(attemptId).nextAttemptAt).toBe(began + 2 * DAY_MS + 10 * MINUTE_MS);
  });
});

describe("nothing is found", () => {
  const looked = () => {
    const { scene, attemptId } = sent();
    scene.conclude(attemptId, TIMEOUT);
    scene.now += DAY_MS;
    return { scene, attemptId };
  };

  test("the first complete look that finds nothing is remembered, and the next ones keep its time", () => {
    const { scene, attemptId } = looked();
    expect(scene.attempt(attemptId).emptySince).toBe(null);
    const first = scene.now;
    scene.conclude(attemptId, EMPTY);
    expect(scene.attempt(attemptId).emptySince).toBe(first);
    scene.now += 10 * MINUTE_MS;
    scene.conclude(attemptId, EMPTY);
    expect(scene.attempt(attemptId)).toMatchObject({ state: "unknown", emptySince: first });
  });

  test.each([TIMEOUT, accepted(), { kind: "deferred", detail: "429" } as const])(
    "an answer that is $kind, and no complete look, begins it anew",
    (other) => {
      const { scene, attemptId } = looked();
      scene.conclude(attemptId, EMPTY);
      scene.now += 10 * MINUTE_MS;
      scene.conclude(attemptId, other);
      expect(scene.attempt(attemptId).emptySince).toBe(null);
    },
  );

  test("it releases nothing by itself", () => {
    const { scene, attemptId } = looked();
    scene.conclude(attemptId, EMPTY);
    scene.now += DAY_MS;
    scene.conclude(attemptId, EMPTY);
    expect(scene.balance()).toEqual({ program: -1000, reserved: 1000 });
  });
});

describe("needs_hand", () => {
  test("it keeps the provider's reference and its instructions, and is not late while it waits for a person", () => {
    const { scene, payoutId, attemptId } = sent();
    scene.conclude(attemptId, { kind: "needs_hand", instructions: "fund transfer 7", ref: "7" });
    expect(scene.attempt(attemptId)).toMatchObject({
      ...{ state: "needs_hand", providerRef: "7", detail: "fund transfer 7", nextAttemptAt: null },
    });
    expect(scene.payout(payoutId)).toMatchObject({ status: "processing", expectedBy: null });
  });

  test("a later answer without a reference does not lose it", () => {
    const { scene, attemptId } = sent();
    scene.conclude(attemptId, { kind: "needs_hand", instructions: "fund it", ref: "7" });
    scene.conclude(attemptId, { kind: "needs_hand", instructions: "still to be funded" });
    scene.conclude(attemptId, TIMEOUT);
    expect(scene.attempt(attemptId)).toMatchObject({ state: "needs_hand", providerRef: "7" });
  });
});
