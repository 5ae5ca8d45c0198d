// Calendar dates in a time zone: periods are dates with both ends inclusive, instants are epoch milliseconds.

const DAY_MS = 86_400_000;
const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
const INSTANT =
  /^(\d{4}-\d{2}-\d{2})T([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(\.\d{1,9})?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** A real calendar date `YYYY-MM-DD`: 30 February is refused where Date would roll over. */
export const isDate = (text: string): boolean => {
  const match = DATE.exec(text);
  if (match === null) return false;
  const at = Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3]));
  return Number(match[1]) >= 1970 && new Date(at).toISOString().slice(0, 10) === text;
};

/** Epoch milliseconds of an RFC 3339 instant with any offset, or undefined (leap seconds and hour 24 included). */
export const parseInstant = (text: string): number | undefined => {
  const match = INSTANT.exec(text);
  if (match?.[1] === undefined || !isDate(match[1])) return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) || at < 0 ? undefined : at;
};

export const toInstant = (ms: number): string => new Date(ms).toISOString();

const formatters = new Map<string, Intl.DateTimeFormat>();

const formatterOf = (zone: string): Intl.DateTimeFormat => {
  const known = formatters.get(zone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat("en-CA", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
  formatters.set(zone, made);
  return made;
};

/** Only names of the IANA data base: offsets such as +02:00 have no daylight saving and are refused. */
export const isTimeZone = (zone: string): boolean => {
  if (!/^[A-Za-z][A-Za-z0-9_+\-/]{0,63}$/.test(zone)) return false;
  try {
    formatterOf(zone);
    return true;
  } catch {
    return false;
  }
};

const wallClock = (ms: number, zone: string): { date: string; asUtcMs: number } => {
  const parts: Record<string, string> = {};
  for (const part of formatterOf(zone).formatToParts(ms)) parts[part.type] = part.value;
  const { year = "", month = "", day = "", hour = "", minute = "", second = "" } = parts;
  const asUtcMs = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  );
  return { date: `${year}-${month}-${day}`, asUtcMs };
};

/** The calendar date of an instant in a zone. */
export const dateOf = (ms: number, zone: string): string =>
  zone === "UTC" ? new Date(ms).toISOString().slice(0, 10) : wallClock(ms, zone).date;

/** The first instant of a date in a zone; where midnight is skipped by daylight saving, the first that exists. */
export const startOfDate = (date: string, zone: string): number => {
  const target = Date.parse(`${date}T00:00:00Z`);
  if (zone === "UTC") return target;
  const offsets = [target - DAY_MS, target + DAY_MS].map((ms) => wallClock(ms, zone).asUtcMs - ms);
  const candidates = offsets.map((offset) => target - offset).sort((a, b) => a - b);
  for (const ms of candidates) if (wallClock(ms, zone).asUtcMs === target) return ms;
  return Math.max(...candidates);
};

export const addDays = (date: string, days: number): string =>
  new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);

/** The first instant after a date: the exclusive end of an inclusive period. */
export const endOfDate = (date: string, zone: string): number => startOfDate(addDays(date, 1), zone);
