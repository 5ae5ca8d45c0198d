// When a delivery is tried again, what an endpoint's answer means, and how long nothing but failures is borne.
import { describe, expect, it } from "vitest";
import { excerptOf, outcomeOf } from "../../src/domain/webhooks/answer.ts";
import { type Health, healthAfter, isOver } from "../../src/domain/webhooks/health.ts";
import { chanceOf, nextTryAt, parseRetryAfter, TRY_DELAYS_MS } from "../../src/domain/webhooks/schedule.ts";

const NOW = Date.UTC(2026, 10, 1, 12);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe("the retries of a delivery", () => {
  it("are those of Standard Webhooks: ten tries over 75 hours and 35 minutes", () => {
    const waits = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((tries) => (nextTryAt(tries, NOW, 0.5, null) ?? 0) - NOW);
    expect(waits).toEqual(
      [5 / 60, 5, 30, 120, 300, 600, 840, 1_200, 1_440].map((minutes) => minutes * MINUTE),
    );
    expect(TRY_DELAYS_MS).toHaveLength(10);
    expect(TRY_DELAYS_MS[0]).toBe(0);
    expect(Math.floor(waits.reduce((sum, wait) => sum + wait, 0) / MINUTE)).toBe(75 * 60 + 35);
  });

  it("end with the tenth", () => {
    expect(nextTryAt(9, NOW, 0, null)).not.toBeNull();
    expect(nextTryAt(10, NOW, 0, null)).toBeNull();
    expect(nextTryAt(10, NOW, 0, HOUR)).toBeNull();
  });

  it("are spread by a tenth either way", () => {
    expect((nextTryAt(2, NOW, 0, null) ?? 0) - NOW).toBe(4.5 * MINUTE);
    expect((nextTryAt(2, NOW, 1, null) ?? 0) - NOW).toBe(5.5 * MINUTE);
    expect([chanceOf(new Uint8Array(4)), chanceOf(new Uint8Array([255, 255, 255, 255]))]).toEqual([
      0,
      1 - 2 ** -32,
    ]);
    expect(chanceOf(new Uint8Array([128, 0, 0, 0, 9]))).toBe(0.5);
  });

  it("come no sooner than the endpoint asked, and no later for it than they would", () => {
    expect((nextTryAt(1, NOW, 0.5, HOUR) ?? 0) - NOW).toBe(HOUR);
    expect((nextTryAt(3, NOW, 0.5, 1_000) ?? 0) - NOW).toBe(30 * MINUTE);
  });
});

describe("Retry-After", () => {
  it.each([
    ["0", 0],
    ["120", 120_000],
    [" 7 ", 7_000],
    ["999999999", 24 * HOUR],
    ["Sun, 01 Nov 2026 12:05:00 GMT", 5 * MINUTE],
    ["Sun, 01 Nov 2026 11:00:00 GMT", 0],
    ["Fri, 31 Dec 2027 23:59:59 GMT", 24 * HOUR],
  ])("%s is so many milliseconds: %d", (text, ms) => expect(parseRetryAfter(text, NOW)).toBe(ms));

  it.each([
    null,
    "",
    "soon",
    "-5",
    "1.5",
    "1e9",
    "0x10",
    "9999999999",
    "2026-11-01T12:05:00Z",
    "Sun, 01 Nux 2026 12:05:00 GMT",
  ])("%s says nothing", (text) => expect(parseRetryAfter(text, NOW)).toBeNull());
});

describe("an answer", () => {
  const meaning = (status: number, retryAfter: string | null = null) => {
    const outcome = outcomeOf({ status, retryAfter, latencyMs: 3, excerpt: null }, NOW);
    return [outcome.error, outcome.retryAfterMs];
  };

  it("of 2xx is a delivery, every other a failure with its name", () => {
    for (const status of [200, 201, 202, 204, 299]) expect(meaning(status)).toEqual([null, null]);
    for (const status of [300, 301, 302, 304, 307, 308]) expect(meaning(status)).toEqual(["redirect", null]);
    for (const status of [400, 401, 404, 409, 500, 502, 504])
      expect(meaning(status)).toEqual(["bad_status", null]);
    expect(meaning(410)).toEqual(["gone", null]);
    expect([meaning(429), meaning(503)]).toEqual([
      ["too_busy", null],
      ["too_busy", null],
    ]);
  });

  it("asks for patience with 429 and 503 alone", () => {
    expect([meaning(429, "60"), meaning(503, "60")]).toEqual([
      ["too_busy", MINUTE],
      ["too_busy", MINUTE],
    ]);
    expect([meaning(500, "60"), meaning(410, "60"), meaning(200, "60")]).toEqual([
      ["bad_status", null],
      ["gone", null],
      [null, null],
    ]);
  });

  it("is shown without what does not belong into text", () => {
    expect(excerptOf("a\u0000b\u001b[31mc\u202ed\u200be\ufffdf\r\n\tg\u2028h")).toBe("ab[31mcdef\n\tgh");
    expect(excerptOf(" \u0000 \n")).toBeNull();
    expect(excerptOf("Grüße 🙂")).toBe("Grüße 🙂");
  });
});

describe("an endpoint that fails", () => {
  const WELL: Health = { failingSince: null, lastFailedAt: null };
  const FAILED = { delivered: 0, failed: 3 };

  /** Fails at each of the hours and is over at none but the last, if at all. */
  const failingAt = (hours: readonly number[], start = WELL): { health: Health; over: boolean } => {
    let health = start;
    let over = false;
    for (const hour of hours) {
      health = healthAfter(health, FAILED, NOW + hour * HOUR);
      over = isOver(health, NOW + hour * HOUR);
    }
    return { health, over };
  };

  it("is over when it did nothing else for five days", () => {
    expect(failingAt([0, 24, 48, 72, 96, 119.9]).over).toBe(false);
    expect(failingAt([0, 24, 48, 72, 96, 120]).over).toBe(true);
  });

  it("starts anew with anything that gets through", () => {
    const { health } = failingAt([0, 24, 48, 72, 96]);
    expect(healthAfter(health, { delivered: 1, failed: 50 }, NOW + 97 * HOUR)).toEqual(WELL);
  });

  it("starts anew also when nothing was tried for longer than any retry waits", () => {
    expect(failingAt([0, 24, 48, 14 * 24]).over).toBe(false);
    expect(failingAt([0, 26.4, 52.8, 79.2, 105.6, 132]).over).toBe(true);
  });

  it("is as it was where nothing was tried", () => {
    const { health } = failingAt([0]);
    expect(healthAfter(health, { delivered: 0, failed: 0 }, NOW + 900 * HOUR)).toBe(health);
  });
});
