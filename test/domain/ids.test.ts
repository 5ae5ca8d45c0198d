// Ids: sortable by time, many from one minted body, and events named by their place.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { eventIdOf, isId, mintBody, nthBody, placeOfEvent } from "../../src/domain/ids.ts";

const LATEST_MS = 2 ** 48 - 1;
const time = fc.integer({ min: 0, max: LATEST_MS });
const chance = fc.uint8Array({ minLength: 10, maxLength: 10 });
const body = fc.tuple(time, chance).map(([ms, bytes]) => mintBody(ms, bytes));

describe("mintBody", () => {
  test("it is 26 characters of Crockford's base 32, the first ten the time", () => {
    expect(mintBody(0, new Uint8Array(10))).toBe("0".repeat(26));
    expect(mintBody(32, new Uint8Array(10))).toBe(`0000000010${"0".repeat(16)}`);
    expect(mintBody(0, new Uint8Array(10).fill(255))).toBe(`0000000000${"Z".repeat(16)}`);
    expect(mintBody(1_469_918_176_385, new Uint8Array(10))).toBe(`01ARYZ6S41${"0".repeat(16)}`);
  });

  test("later bodies sort after earlier ones, whatever the chance", () => {
    fc.assert(
      fc.property(time, time, chance, chance, (one, other, a, b) => {
        fc.pre(one !== other);
        expect(mintBody(one, a) < mintBody(other, b)).toBe(one < other);
      }),
    );
  });

  test("different chance makes different bodies", () => {
    fc.assert(
      fc.property(time, chance, chance, (ms, a, b) => {
        expect(mintBody(ms, a) === mintBody(ms, b)).toBe(String(a) === String(b));
      }),
    );
  });

  test("every one is an id of its prefix and of no other", () => {
    fc.assert(
      fc.property(body, (text) => {
        expect(isId("com", `com_${text}`)).toBe(true);
        expect(isId("po", `com_${text}`)).toBe(false);
      }),
    );
  });
});

describe("nthBody", () => {
  test("the bodies of one mint are all different and in order", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: LATEST_MS - 1 }),
        chance,
        fc.integer({ min: 1, max: 5000 }),
        (ms, bytes, n) => {
          const first = mintBody(ms, bytes);
          expect(nthBody(first, 0)).toBe(first);
          expect(nthBody(first, n - 1) < nthBody(first, n)).toBe(true);
          expect(nthBody(first, n)).toHaveLength(26);
        },
      ),
    );
  });

  test("adding twice is adding once", () => {
    fc.assert(
      fc.property(body, fc.nat(1000), fc.nat(1000), (text, a, b) => {
        expect(nthBody(nthBody(text, a), b)).toBe(nthBody(text, a + b));
      }),
    );
  });

  test("it carries over the border between chance and time", () => {
    expect(nthBody(`0000000000${"Z".repeat(16)}`, 1)).toBe(`0000000001${"0".repeat(16)}`);
  });
});

describe("isId", () => {
  test.each([
    "com_",
    "com",
    `com_${"0".repeat(25)}`,
    `com_${"0".repeat(27)}`,
    `com_${"I".repeat(26)}`,
    `com_${"a".repeat(26)}`,
    ` com_${"0".repeat(26)}`,
    `com_${"0".repeat(26)}\n`,
    `COM_${"0".repeat(26)}`,
  ])("%j is none", (text) => {
    expect(isId("com", text)).toBe(false);
  });
});

describe("event ids", () => {
  test("an event's id says its program and position, and sorts by position within the program", () => {
    const position = fc.integer({ min: 0, max: 2 ** 49 });
    fc.assert(
      fc.property(body, position, position, (text, one, other) => {
        const programId = `prg_${text}` as const;
        expect(placeOfEvent(eventIdOf(programId, one))).toEqual({ programId, position: one });
        fc.pre(one !== other);
        expect(eventIdOf(programId, one) < eventIdOf(programId, other)).toBe(one < other);
      }),
    );
  });

  test("what is no event id has no place", () => {
    for (const text of [
      "",
      "evt_",
      `evt_${"0".repeat(35)}`,
      `evt_${"0".repeat(37)}`,
      `com_${"0".repeat(36)}`,
      `evt_${"u".repeat(36)}`,
    ]) {
      expect(placeOfEvent(text)).toBe(undefined);
    }
  });
});
