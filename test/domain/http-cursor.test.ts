// Cursors are good for one list only.
import { describe, expect, it } from "vitest";
import { decodeCursor, encodeCursor } from "../../src/http/cursor.ts";
import { Problem } from "../../src/http/problem.ts";

const SECRET = "cursor key";
const PLACE = {
  route: "/v1/commissions",
  programId: "prg_1",
  filters: { status: ["paid"], currency: "EUR" },
};
const KEYS = [1_790_000_000_000, "com_1"];

const refusalOf = async (decoding: Promise<unknown>): Promise<Problem> => {
  try {
    await decoding;
  } catch (thrown) {
    if (thrown instanceof Problem) return thrown;
  }
  throw new Error("was not refused");
};

describe("a cursor", () => {
  it("gives back the keys that it was made of", async () => {
    const cursor = await encodeCursor(SECRET, PLACE, KEYS);
    expect(cursor).toMatch(/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{22}$/);
    expect(await decodeCursor(SECRET, PLACE, cursor)).toEqual(KEYS);
  });

  it("does not mind the order in which filters are named, nor absent ones", async () => {
    const cursor = await encodeCursor(SECRET, PLACE, KEYS);
    const filters = { currency: "EUR", run_id: undefined, status: ["paid"] };
    expect(await decodeCursor(SECRET, { ...PLACE, filters }, cursor)).toEqual(KEYS);
  });

  it("is refused with other filters, on another route, for another program, under another key", async () => {
    const cursor = await encodeCursor(SECRET, PLACE, KEYS);
    const places = [
      { ...PLACE, filters: { status: ["paid"] } },
      { ...PLACE, filters: { status: ["paid"], currency: "USD" } },
      { ...PLACE, route: "/v1/payouts" },
      { ...PLACE, programId: "prg_2" },
    ];
    for (const place of places)
      expect((await refusalOf(decodeCursor(SECRET, place, cursor))).status).toBe(400);
    expect((await refusalOf(decodeCursor("other", PLACE, cursor))).status).toBe(400);
  });

  it("is refused when any character is another, and says which parameter", async () => {
    const cursor = await encodeCursor(SECRET, PLACE, KEYS);
    for (let i = 0; i < cursor.length; i++) {
      const other = cursor.charAt(i) === "A" ? "B" : "A";
      const problem = await refusalOf(
        decodeCursor(SECRET, PLACE, cursor.slice(0, i) + other + cursor.slice(i + 1)),
      );
      expect(problem.code).toBe("bad_request");
      expect(problem.errors[0]?.pointer).toBe("?cursor");
    }
  });

  it("is refused when it is garbage or unsigned", async () => {
    const unsigned = "eyJpZCI6IicgT1IgMT0xIn0";
    for (const text of [
      "",
      ".",
      "a.b.c",
      unsigned,
      `${unsigned}=`,
      `${unsigned}.`,
      "é",
      "x".repeat(100_000),
    ]) {
      expect((await refusalOf(decodeCursor(SECRET, PLACE, text))).status).toBe(400);
    }
  });

  it("is never signed with an empty key", async () => {
    await expect(encodeCursor("", PLACE, KEYS)).rejects.toThrow("empty");
  });
});
