// Calendar dates in time zones: real dates only, offsets of any kind, and midnights that daylight saving skips or repeats.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  addDays,
  dateOf,
  endOfDate,
  isDate,
  isTimeZone,
  parseInstant,
  startOfDate,
  toInstant,
} from "../../src/domain/dates.ts";

describe("isDate", () => {
  test.each(["2026-01-01", "2024-02-29", "2000-02-29", "1970-01-01", "9999-12-31"])(
    "%s is a date",
    (text) => {
      expect(isDate(text)).toBe(true);
    },
  );

  test.each([
    ...["2026-02-30", "2026-02-29", "1900-02-29", "2026-04-31", "2026-13-01", "2026-00-10", "2026-01-00"],
    ...[
      "2026-1-1",
      "20260101",
      "2026-01-01T00:00:00Z",
      " 2026-01-01",
      "2026-01-01\n",
      "",
      "1969-12-31",
      "0000-01-01",
    ],
  ])("%j is none", (text) => {
    expect(isDate(text)).toBe(false);
  });
});

describe("parseInstant", () => {
  test.each([
    ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000Z"],
    ["2026-01-01T00:00:00.5Z", "2026-01-01T00:00:00.500Z"],
    ["2026-01-01T00:00:00.123456789Z", "2026-01-01T00:00:00.123Z"],
    ["2026-01-01T02:00:00+02:00", "2026-01-01T00:00:00.000Z"],
    ["2025-12-31T18:30:00-05:30", "2026-01-01T00:00:00.000Z"],
    ["2024-02-29T23:59:59+00:00", "2024-02-29T23:59:59.000Z"],
  ])("%s is read as %s", (text, instant) => {
    const ms = parseInstant(text);
    expect(ms === undefined ? undefined : toInstant(ms)).toBe(instant);
  });

  test.each([
    "2016-12-31T23:59:60Z",
    "2026-01-01T24:00:00Z",
    "2026-02-30T00:00:00Z",
    "2026-01-01",
    "2026-01-01T00:00Z",
    "2026-01-01T00:00:00",
    "2026-01-01 00:00:00Z",
    "2026-01-01T00:00:00+2:00",
    "2026-01-01T00:00:00+24:00",
    "2026-01-01T00:60:00Z",
    "1969-12-31T23:59:59Z",
    "1970-01-01T00:00:00+01:00",
    "Thu, 01 Jan 2026 00:00:00 GMT",
    "1767225600000",
    "",
  ])("%j is refused", (text) => {
    expect(parseInstant(text)).toBe(undefined);
  });

  test("what is written is read back", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) }), (ms) => {
        expect(parseInstant(toInstant(ms))).toBe(ms);
      }),
    );
  });
});

describe("isTimeZone", () => {
  test.each(["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Asia/Kathmandu", "Etc/GMT+5"])(
    "%s is one",
    (zone) => {
      expect(isTimeZone(zone)).toBe(true);
    },
  );

  test.each(["+02:00", "-05:00", "Mars/Olympus", "", "Europe/Berlin ", "../UTC", "UTC+2"])(
    "%j is none",
    (zone) => {
      expect(isTimeZone(zone)).toBe(false);
    },
  );
});

describe("startOfDate", () => {
  test.each([
    ["2026-01-01", "UTC", "2026-01-01T00:00:00.000Z"],
    ["2026-07-01", "Europe/Berlin", "2026-06-30T22:00:00.000Z"],
    ["2026-01-01", "Europe/Berlin", "2025-12-31T23:00:00.000Z"],
    ["2026-01-01", "Asia/Kathmandu", "2025-12-31T18:15:00.000Z"],
    ["2026-01-01", "Pacific/Kiritimati", "2025-12-31T10:00:00.000Z"],
    ["2026-01-01", "Pacific/Pago_Pago", "2026-01-01T11:00:00.000Z"],
    ["2026-03-29", "Europe/Berlin", "2026-03-28T23:00:00.000Z"],
    ["2026-10-25", "Europe/Berlin", "2026-10-24T22:00:00.000Z"],
  ])("%s in %s begins at %s", (date, zone, instant) => {
    expect(toInstant(startOfDate(date, zone))).toBe(instant);
  });

  test.each([
    ["2018-11-04", "America/Sao_Paulo", "2018-11-04T03:00:00.000Z"],
    ["2023-04-28", "Africa/Cairo", "2023-04-27T22:00:00.000Z"],
    ["2024-03-31", "Asia/Beirut", "2024-03-30T22:00:00.000Z"],
  ])("%s in %s has no midnight and begins when the clock jumps, at %s", (date, zone, instant) => {
    const start = startOfDate(date, zone);
    expect(toInstant(start)).toBe(instant);
    expect(dateOf(start, zone)).toBe(date);
    expect(dateOf(start - 1, zone)).toBe(addDays(date, -1));
  });

  test("where midnight comes twice, the first one", () => {
    expect(toInstant(startOfDate("2024-11-03", "America/Havana"))).toBe("2024-11-03T04:00:00.000Z");
  });

  test("where the evening before comes twice, the midnight that ends it", () => {
    expect(toInstant(startOfDate("2018-02-18", "America/Sao_Paulo"))).toBe("2018-02-18T03:00:00.000Z");
  });

  test("a date that a zone left out begins where the next one does", () => {
    expect(startOfDate("2011-12-30", "Pacific/Apia")).toBe(startOfDate("2011-12-31", "Pacific/Apia"));
  });

  const zones = [
    ...[
      "UTC",
      "Europe/Berlin",
      "America/New_York",
      "America/Sao_Paulo",
      "Africa/Cairo",
      "Asia/Beirut",
      "Asia/Kathmandu",
    ],
    ...[
      "Australia/Lord_Howe",
      "America/St_Johns",
      "Pacific/Auckland",
      "Pacific/Chatham",
      "Atlantic/Azores",
      "Asia/Tehran",
    ],
  ];
  const day = fc.integer({ min: 0, max: 20_500 }).map((n) => addDays("1971-01-01", n));

  test("in every zone the start is on the date and the millisecond before is not", () => {
    fc.assert(
      fc.property(day, fc.constantFrom(...zones), (date, zone) => {
        const start = startOfDate(date, zone);
        expect(dateOf(start, zone)).toBe(date);
        expect(dateOf(start - 1, zone)).toBe(addDays(date, -1));
      }),
      { numRuns: 2000 },
    );
  });

  test("every instant is within its own date, whose end is the next one's start", () => {
    const instant = fc.integer({ min: Date.UTC(1971, 0, 2), max: Date.UTC(2035, 0, 1) });
    fc.assert(
      fc.property(instant, fc.constantFrom(...zones), (ms, zone) => {
        const date = dateOf(ms, zone);
        expect(startOfDate(date, zone)).toBeLessThanOrEqual(ms);
        expect(endOfDate(date, zone)).toBeGreaterThan(ms);
        expect(endOfDate(date, zone)).toBe(startOfDate(addDays(date, 1), zone));
      }),
      { numRuns: 2000 },
    );
  });
});

describe("lengths of days", () => {
  test.each([
    ["2026-03-29", 23],
    ["2026-10-25", 25],
    ["2026-06-01", 24],
  ])("%s in Berlin has %i hours", (date, hours) => {
    expect(endOfDate(date, "Europe/Berlin") - startOfDate(date, "Europe/Berlin")).toBe(hours * 3_600_000);
  });
});

describe("addDays", () => {
  test("it counts calendar days over months, leap days and years", () => {
    expect(addDays("2026-01-31", 1)).toBe("2026-02-01");
    expect(addDays("2024-02-28", 1)).toBe("2024-02-29");
    expect(addDays("2026-12-31", 1)).toBe("2027-01-01");
    expect(addDays("2026-03-01", -1)).toBe("2026-02-28");
  });
});
