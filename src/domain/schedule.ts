// A program's payout schedule: which days are due, when a day's run starts, and which runs fall due between two looks at the clock.
import { addDays, dateOf, startOfDate } from "./dates.ts";
import type { PayoutSchedule } from "./policy.ts";

/** The run of a day takes what occurred up to the day before; it starts with the day's first instant in the program's zone. */
export interface DueRun {
  /** YYYY-MM-DD. */
  readonly date: string;
  /** Epoch milliseconds. */
  readonly startsAt: number;
  /** The day before, inclusive. */
  readonly periodEnd: string;
}

const DAY_MS = 86_400_000;

const daysBetween = (from: string, to: string): number =>
  Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS);

/** 1 is Monday, 7 Sunday. */
export const weekdayOf = (date: string): number => ((new Date(`${date}T00:00:00Z`).getUTCDay() + 6) % 7) + 1;

/** The month's day, or its last where it is shorter; months count from 0 and may run over into the next year. */
const dayInMonth = (year: number, month: number, day: number): string => {
  const last = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  return new Date(Date.UTC(year, month, Math.min(day, last))).toISOString().slice(0, 10);
};

/** The first due day after a date; null where payouts are made by hand only. */
export const nextDueDate = (schedule: PayoutSchedule, after: string): string | null => {
  switch (schedule.kind) {
    case "manual":
      return null;
    case "weekly":
      return addDays(after, (((schedule.weekday ?? 1) - weekdayOf(after) + 6) % 7) + 1);
    case "biweekly": {
      const { anchor_date: anchor } = schedule;
      if (anchor === undefined) return null;
      const since = daysBetween(anchor, after);
      return since < 0 ? anchor : addDays(after, 14 - (since % 14));
    }
    case "monthly": {
      const [year = 0, month = 1] = after.split("-").map(Number);
      const here = dayInMonth(year, month - 1, schedule.day_of_month ?? 1);
      return here > after ? here : dayInMonth(year, month, schedule.day_of_month ?? 1);
    }
  }
};

const runOf = (date: string, zone: string): DueRun => ({
  date,
  startsAt: startOfDate(date, zone),
  periodEnd: addDays(date, -1),
});

/** The first run that starts after an instant; undefined where none ever will. */
export const nextRun = (schedule: PayoutSchedule, zone: string, after: number): DueRun | undefined => {
  // From two days before: where clocks go back over midnight, a day has begun while its clock still shows the day before.
  let date = nextDueDate(schedule, addDays(dateOf(after, zone), -2));
  while (date !== null) {
    const run = runOf(date, zone);
    if (run.startsAt > after) return run;
    date = nextDueDate(schedule, date);
  }
  return undefined;
};

/** The runs that start after one instant and not after another, oldest first, at most so many: looks at the clock share them out without gap or overlap. */
export const dueRuns = (
  schedule: PayoutSchedule,
  zone: string,
  after: number,
  now: number,
  most = 1_000,
): readonly DueRun[] => {
  const runs: DueRun[] = [];
  let next = nextRun(schedule, zone, after);
  while (next !== undefined && next.startsAt <= now && runs.length < most) {
    runs.push(next);
    next = nextRun(schedule, zone, next.startsAt);
  }
  return runs;
};

/** Whether two policies have the same due instants. */
export const sameSchedule = (
  left: { readonly payout_schedule: PayoutSchedule; readonly time_zone: string },
  right: { readonly payout_schedule: PayoutSchedule; readonly time_zone: string },
): boolean => {
  const [a, b] = [left.payout_schedule, right.payout_schedule];
  return (
    left.time_zone === right.time_zone &&
    a.kind === b.kind &&
    a.weekday === b.weekday &&
    a.day_of_month === b.day_of_month &&
    a.anchor_date === b.anchor_date
  );
};
