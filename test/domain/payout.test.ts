// Payouts: which states are live, which attempts are open, and when an open one is looked at again.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  ATTEMPT_STATES,
  isLive,
  isOpenAttempt,
  nextLookAt,
  PAYOUT_STATUSES,
  PAYOUT_TRANSITIONS,
} from "../../src/domain/payout.ts";

describe("states", () => {
  test("requested, pending, approved and processing payouts are live", () => {
    expect(PAYOUT_STATUSES.filter(isLive)).toEqual(["requested", "pending", "approved", "processing"]);
  });

  test("all attempts are open but the refused and those that were paid late", () => {
    expect(ATTEMPT_STATES.filter((state) => !isOpenAttempt(state))).toEqual(["refused", "paid_late"]);
  });

  test("nothing leads out of returned, and only what gave everything back leads to pending again", () => {
    expect(PAYOUT_TRANSITIONS.returned).toEqual({});
    const toPending = PAYOUT_STATUSES.filter((from) =>
      Object.values(PAYOUT_TRANSITIONS[from]).includes("pending"),
    );
    expect(toPending).toEqual(["requested", "approved", "processing", "failed", "cancelled"]);
  });
});

describe("nextLookAt", () => {
  const began = Date.UTC(2026, 0, 1);

  test("looks follow at 2, 5, 10, 20 and 30 s, then every 30 s to 10 min, then every 10 min", () => {
    const looks: number[] = [];
    for (let now = began; looks.length < 28; now = looks.at(-1) ?? began) looks.push(nextLookAt(began, now));
    const everyHalfMinute = Array.from({ length: 19 }, (_, i) => 60 + 30 * i);
    const expected = [2, 5, 10, 20, 30, ...everyHalfMinute, 1200, 1800, 2400, 3000];
    expect(looks.map((at) => (at - began) / 1000)).toEqual(expected);
  });

  test.each([
    [0, 2],
    [1999, 2],
    [2000, 5],
    [29_999, 30],
    [30_000, 60],
    [30_001, 60],
    [599_999, 600],
    [600_000, 1200],
    [86_400_000, 87_000],
  ])("%i ms after it began the next look is at %i s", (elapsed, at) => {
    expect(nextLookAt(began, began + elapsed)).toBe(began + at * 1000);
  });

  test("the next look is always later than now, at most ten minutes", () => {
    fc.assert(
      fc.property(fc.nat({ max: 30 * 86_400_000 }), (elapsed) => {
        const wait = nextLookAt(began, began + elapsed) - (began + elapsed);
        expect(wait).toBeGreaterThan(0);
        expect(wait).toBeLessThanOrEqual(600_000);
      }),
    );
  });
});
