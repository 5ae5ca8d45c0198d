// Schedules: which runs fall due between two looks at the clock, in every kind of zone, and that none is lost or made twice.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addDays, dateOf, toInstant } from "../../src/domain/dates.ts";
import type { PayoutSchedule } from "../../src/domain/policy.ts";
import { dueRuns, nextDueDate, nextRun, sameSchedule, weekdayOf } from "../../src/domain/schedule.ts";

const MANUAL: PayoutSchedule = { kind: "manual" };
const weekly = (weekday: number): PayoutSchedule => ({ kind: "weekly", weekday });
const biweekly = (anchor_date: string): PayoutSchedule => ({ kind: "biweekly", anchor_date });
const monthly = (day_of_month: number): PayoutSchedule => ({ kind: "monthly", day_of_month });

/** A row: what it is about, the schedule, the zone, after an instant, up to another, and when the runs start that are due between them. */
const PLAIN = `
by hand, nothing ever | manual | UTC | 2026-01-01T00:00Z | 2036-01-01T00:00Z | -
Mondays | weekly 1 | UTC | 2026-11-01T12:00Z | 2026-11-16T12:00Z | 2026-11-02T00:00Z 2026-11-09T00:00Z 2026-11-16T00:00Z
Sundays | weekly 7 | UTC | 2026-11-01T12:00Z | 2026-11-08T00:00Z | 2026-11-08T00:00Z
at its very start | weekly 1 | UTC | 2026-11-01T23:59:59.999Z | 2026-11-02T00:00Z | 2026-11-02T00:00Z
a millisecond before its start | weekly 1 | UTC | 2026-11-01T12:00Z | 2026-11-01T23:59:59.999Z | -
not again after its start | weekly 1 | UTC | 2026-11-02T00:00Z | 2026-11-02T23:59Z | -
a doubled tick | weekly 1 | UTC | 2026-11-02T00:00Z | 2026-11-02T00:00Z | -
a tick that went backwards | weekly 1 | UTC | 2026-11-09T00:00Z | 2026-11-02T00:00Z | -
weeks over the turn of the year | weekly 5 | UTC | 2026-12-24T00:00Z | 2027-01-08T00:00Z | 2026-12-25T00:00Z 2027-01-01T00:00Z 2027-01-08T00:00Z
over a leap day | weekly 2 | UTC | 2028-02-23T00:00Z | 2028-03-07T00:00Z | 2028-02-29T00:00Z 2028-03-07T00:00Z
the 1st | monthly 1 | UTC | 2026-11-01T00:00Z | 2027-01-01T00:00Z | 2026-12-01T00:00Z 2027-01-01T00:00Z
the 15th | monthly 15 | UTC | 2026-11-14T12:00Z | 2026-12-15T00:00Z | 2026-11-15T00:00Z 2026-12-15T00:00Z
the 31st of months that have none | monthly 31 | UTC | 2026-01-31T00:00Z | 2026-05-01T00:00Z | 2026-02-28T00:00Z 2026-03-31T00:00Z 2026-04-30T00:00Z
the 30th in February | monthly 30 | UTC | 2026-01-30T00:00Z | 2026-03-30T00:00Z | 2026-02-28T00:00Z 2026-03-30T00:00Z
the 29th in a leap year | monthly 29 | UTC | 2028-02-01T00:00Z | 2028-03-01T00:00Z | 2028-02-29T00:00Z
the 29th in another year | monthly 29 | UTC | 2027-02-01T00:00Z | 2027-03-01T00:00Z | 2027-02-28T00:00Z
the 29th in a century that is no leap year | monthly 29 | UTC | 2100-02-01T00:00Z | 2100-03-01T00:00Z | 2100-02-28T00:00Z
the last day of a short month, once only | monthly 31 | UTC | 2026-02-28T00:00Z | 2026-03-30T23:59Z | -
from the anchor on | biweekly 2026-11-06 | UTC | 2026-10-01T00:00Z | 2026-12-04T00:00Z | 2026-11-06T00:00Z 2026-11-20T00:00Z 2026-12-04T00:00Z
not in the odd weeks | biweekly 2026-11-06 | UTC | 2026-11-06T00:00Z | 2026-11-19T23:59Z | -
fortnights over the turn of the year | biweekly 2026-12-21 | UTC | 2026-12-21T00:00Z | 2027-01-18T00:00Z | 2027-01-04T00:00Z 2027-01-18T00:00Z
fortnights over a year of 53 weeks | biweekly 2026-12-28 | UTC | 2026-12-28T00:00Z | 2027-01-12T00:00Z | 2027-01-11T00:00Z
fortnights of an anchor long ago | biweekly 1999-12-31 | UTC | 2026-11-01T00:00Z | 2026-11-15T00:00Z | 2026-11-13T00:00Z
an anchor on a leap day | biweekly 2028-02-29 | UTC | 2028-02-28T00:00Z | 2028-03-14T00:00Z | 2028-02-29T00:00Z 2028-03-14T00:00Z
an anchor in a year's time, nothing before it | biweekly 2027-11-05 | UTC | 2026-11-01T00:00Z | 2027-11-04T23:59Z | -
a year without a tick | monthly 10 | UTC | 2026-01-10T00:00Z | 2026-06-10T00:00Z | 2026-02-10T00:00Z 2026-03-10T00:00Z 2026-04-10T00:00Z 2026-05-10T00:00Z 2026-06-10T00:00Z
`;

const ZONED = `
east of Greenwich | weekly 1 | Asia/Tokyo | 2026-11-01T12:00Z | 2026-11-01T15:00Z | 2026-11-01T15:00Z
west of Greenwich | weekly 1 | America/Los_Angeles | 2026-11-01T12:00Z | 2026-11-02T08:00Z | 2026-11-02T08:00Z
fourteen hours ahead | weekly 1 | Pacific/Kiritimati | 2026-11-01T00:00Z | 2026-11-01T10:00Z | 2026-11-01T10:00Z
eleven hours behind | weekly 1 | Pacific/Pago_Pago | 2026-11-01T12:00Z | 2026-11-02T11:00Z | 2026-11-02T11:00Z
eleven hours behind, not a moment earlier | weekly 1 | Pacific/Pago_Pago | 2026-11-01T12:00Z | 2026-11-02T10:59Z | -
half an hour off | monthly 1 | Asia/Kolkata | 2026-11-15T00:00Z | 2026-11-30T18:30Z | 2026-11-30T18:30Z
three quarters off | monthly 1 | Asia/Kathmandu | 2026-11-15T00:00Z | 2026-11-30T18:15Z | 2026-11-30T18:15Z
three quarters off with daylight saving | monthly 1 | Pacific/Chatham | 2026-11-15T00:00Z | 2026-11-30T10:15Z | 2026-11-30T10:15Z
the month's end comes a day earlier in the east | monthly 31 | Asia/Tokyo | 2026-11-15T00:00Z | 2026-11-29T15:00Z | 2026-11-29T15:00Z
weeks over the start of summer time | weekly 1 | Europe/Berlin | 2026-03-22T12:00Z | 2026-03-30T12:00Z | 2026-03-22T23:00Z 2026-03-29T22:00Z
weeks over its end | weekly 1 | Europe/Berlin | 2026-10-18T12:00Z | 2026-10-26T12:00Z | 2026-10-18T22:00Z 2026-10-25T23:00Z
on the short day itself | weekly 7 | America/New_York | 2026-03-07T12:00Z | 2026-03-08T12:00Z | 2026-03-08T05:00Z
on the long day itself | weekly 7 | America/New_York | 2026-10-31T12:00Z | 2026-11-01T12:00Z | 2026-11-01T04:00Z
half an hour of summer time | weekly 1 | Australia/Lord_Howe | 2026-10-04T00:00Z | 2026-10-11T13:00Z | 2026-10-04T13:00Z 2026-10-11T13:00Z
fortnights over both ends of summer time | biweekly 2026-10-19 | Europe/London | 2026-10-18T12:00Z | 2026-11-02T12:00Z | 2026-10-18T23:00Z 2026-11-02T00:00Z
no midnight in Santiago | weekly 7 | America/Santiago | 2026-09-05T12:00Z | 2026-09-06T12:00Z | 2026-09-06T04:00Z
the hour before midnight twice in Santiago | weekly 7 | America/Santiago | 2026-04-04T12:00Z | 2026-04-05T12:00Z | 2026-04-05T04:00Z
no midnight in Beirut | weekly 7 | Asia/Beirut | 2024-03-30T12:00Z | 2024-03-31T12:00Z | 2024-03-30T22:00Z
the hour before midnight twice in Beirut | weekly 7 | Asia/Beirut | 2024-10-26T12:00Z | 2024-10-27T12:00Z | 2024-10-26T22:00Z
no midnight in São Paulo | monthly 4 | America/Sao_Paulo | 2018-11-01T00:00Z | 2018-11-05T00:00Z | 2018-11-04T03:00Z
no midnight in Tehran | monthly 22 | Asia/Tehran | 2022-03-10T00:00Z | 2022-03-23T00:00Z | 2022-03-21T20:30Z
midnight twice in Havana: the first | weekly 7 | America/Havana | 2026-10-31T12:00Z | 2026-11-01T12:00Z | 2026-11-01T04:00Z
midnight twice in Havana: not the second | weekly 7 | America/Havana | 2026-11-01T04:00Z | 2026-11-01T12:00Z | -
a minute of the day, the day before again, and the day, in St. John's | weekly 7 | America/St_Johns | 2010-11-06T12:00Z | 2010-11-07T12:00Z | 2010-11-07T02:30Z
that day, looked at while its clock shows the day before | weekly 7 | America/St_Johns | 2010-11-07T02:45Z | 2010-11-07T12:00Z | -
a day that Samoa never had | monthly 30 | Pacific/Apia | 2011-12-15T00:00Z | 2012-01-01T00:00Z | 2011-12-30T10:00Z
a winter time that is in the middle of the year's start | monthly 16 | Africa/Casablanca | 2026-02-01T00:00Z | 2026-03-16T00:00Z | 2026-02-16T00:00Z 2026-03-16T00:00Z
`;

const scheduleOf = (text: string): PayoutSchedule => {
  const [kind, value = ""] = text.split(" ");
  if (kind === "weekly") return weekly(Number(value));
  if (kind === "biweekly") return biweekly(value);
  return kind === "monthly" ? monthly(Number(value)) : MANUAL;
};

const rowsOf = (table: string) =>
  table
    .trim()
    .split("\n")
    .map((row) => row.split(" | ") as [string, string, string, string, string, string]);

const ms = (text: string): number => Date.parse(text);
const written = (instant: number): string => toInstant(instant).replace(/:00\.000Z$/, "Z");

describe.each([
  ["by date", PLAIN],
  ["by zone", ZONED],
])("runs that are due %s", (_title, table) => {
  test.each(rowsOf(table))("%s", (_name, schedule, zone, after, now, starts) => {
    const due = dueRuns(scheduleOf(schedule), zone, ms(after), ms(now));
    expect(due.map(({ startsAt }) => written(startsAt)).join(" ") || "-").toBe(starts);
    for (const { date, periodEnd } of due) expect(periodEnd).toBe(addDays(date, -1));
  });
});

test("the table holds what it should", () => {
  expect(rowsOf(PLAIN).length + rowsOf(ZONED).length).toBeGreaterThanOrEqual(50);
});

const ZONES = [
  "UTC",
  "Europe/Berlin",
  "America/Santiago",
  "Asia/Beirut",
  "America/Havana",
  "America/St_Johns",
  "Asia/Kolkata",
  "Australia/Lord_Howe",
  "Pacific/Kiritimati",
  "Pacific/Pago_Pago",
  "Pacific/Apia",
  "Pacific/Chatham",
];

const anyZone = fc.constantFrom(...ZONES);
const anyInstant = fc.integer({ min: Date.UTC(2005, 0, 1), max: Date.UTC(2035, 0, 1) });
const anyDate = anyInstant.map((at) => dateOf(at, "UTC"));
const anySchedule: fc.Arbitrary<PayoutSchedule> = fc.oneof(
  fc.integer({ min: 1, max: 7 }).map(weekly),
  anyDate.map(biweekly),
  fc.integer({ min: 1, max: 31 }).map(monthly),
);
const DAY_MS = 86_400_000;

describe("whatever the schedule and the zone", () => {
  test("due days are days of the schedule, and each comes after the one before", () => {
    fc.assert(
      fc.property(anySchedule, anyDate, (schedule, after) => {
        const due = nextDueDate(schedule, after);
        if (due === null) throw new Error("no due day");
        expect(due > after).toBe(true);
        if (schedule.kind === "weekly") expect(weekdayOf(due)).toBe(schedule.weekday);
        if (schedule.kind === "biweekly") {
          const since = (ms(due) - ms(schedule.anchor_date ?? "")) / DAY_MS;
          expect([since >= 0, since % 14]).toEqual([true, 0]);
        }
        if (schedule.kind === "monthly") {
          const day = Number(due.slice(8));
          const isLast = addDays(due, 1).endsWith("-01");
          expect(day === schedule.day_of_month || (isLast && day < (schedule.day_of_month ?? 0))).toBe(true);
        }
      }),
    );
  });

  test("runs start one after another, each with the first instant of its day", () => {
    fc.assert(
      fc.property(anySchedule, anyZone, anyInstant, (schedule, zone, after) => {
        const due = dueRuns(schedule, zone, after, after + 200 * DAY_MS);
        for (const [i, run] of due.entries()) {
          expect(run.startsAt).toBeGreaterThan(due[i - 1]?.startsAt ?? after);
          expect(run.periodEnd > (due[i - 1]?.periodEnd ?? "")).toBe(true);
          expect(dateOf(run.startsAt - 1, zone) < run.date).toBe(true);
          expect(dateOf(run.startsAt, zone) >= run.date).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });

  test("ticks that fall anyhow share out the same runs: none twice, none lost", () => {
    const ticks = fc.array(fc.integer({ min: 0, max: 150 * DAY_MS }), { maxLength: 12 });
    fc.assert(
      fc.property(anySchedule, anyZone, anyInstant, ticks, (schedule, zone, start, offsets) => {
        const end = start + 150 * DAY_MS;
        const whole = dueRuns(schedule, zone, start, end);
        const shared = [];
        let seen = start;
        // A tick out of order, or twice, looks at nothing new; each remembers the last run that it found.
        for (const at of [...offsets.map((offset) => start + offset), end]) {
          const due = dueRuns(schedule, zone, seen, at);
          shared.push(...due);
          seen = Math.max(seen, due.at(-1)?.startsAt ?? seen);
        }
        expect(shared).toEqual(whole);
      }),
      { numRuns: 60 },
    );
  });

  test("ticks on the very edges of runs share them out as well", () => {
    fc.assert(
      fc.property(anySchedule, anyZone, anyInstant, (schedule, zone, start) => {
        const whole = dueRuns(schedule, zone, start, start + 100 * DAY_MS);
        const edges = whole.flatMap(({ startsAt }) => [startsAt - 1, startsAt, startsAt + 1]);
        const shared = edges.flatMap((at, i) => dueRuns(schedule, zone, edges[i - 1] ?? start, at));
        expect(shared).toEqual(whole);
      }),
      { numRuns: 40 },
    );
  });

  test("a bound takes the oldest first and leaves the rest for the next look", () => {
    fc.assert(
      fc.property(anySchedule, anyZone, anyInstant, (schedule, zone, start) => {
        const end = start + 120 * DAY_MS;
        const whole = dueRuns(schedule, zone, start, end);
        const first = dueRuns(schedule, zone, start, end, 2);
        expect(first).toEqual(whole.slice(0, 2));
        const rest = dueRuns(schedule, zone, first.at(-1)?.startsAt ?? start, end);
        expect([...first, ...rest]).toEqual(whole);
      }),
      { numRuns: 40 },
    );
  });

  test("the next run is the first that is due afterwards", () => {
    fc.assert(
      fc.property(anySchedule, anyZone, anyInstant, (schedule, zone, after) => {
        const next = nextRun(schedule, zone, after);
        if (next === undefined) throw new Error("no next run");
        expect(next.startsAt).toBeGreaterThan(after);
        expect(dueRuns(schedule, zone, after, next.startsAt)).toEqual([next]);
        expect(dueRuns(schedule, zone, after, next.startsAt - 1)).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});

test("a schedule without what it needs is never due", () => {
  expect(nextRun({ kind: "biweekly" }, "UTC", 0)).toBeUndefined();
  expect(dueRuns(MANUAL, "UTC", 0, Number.MAX_SAFE_INTEGER / 1_000)).toEqual([]);
});

test("two policies have the same schedule where every due instant is the same", () => {
  const policy = (payout_schedule: PayoutSchedule, time_zone = "UTC") => ({ payout_schedule, time_zone });
  expect(sameSchedule(policy(weekly(1)), policy({ weekday: 1, kind: "weekly" }))).toBe(true);
  for (const other of [policy(weekly(2)), policy(MANUAL), policy(weekly(1), "Asia/Tokyo")])
    expect(sameSchedule(policy(weekly(1)), other)).toBe(false);
  expect(sameSchedule(policy(monthly(1)), policy(monthly(2)))).toBe(false);
  expect(sameSchedule(policy(biweekly("2026-11-02")), policy(biweekly("2026-11-09")))).toBe(false);
});
