// When a delivery is tried again: ten tries over three days and a few hours, and what the endpoint itself asked for.

/** Delay before each try of a round, in milliseconds; the example of Standard Webhooks 1.0.0. */
export const TRY_DELAYS_MS: readonly number[] = [
  0, 5_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 50_400_000, 72_000_000, 86_400_000,
];

const DAY_MS = 86_400_000;
const JITTER = 0.1;

/** Four random bytes as a number from 0 to below 1. */
export const chanceOf = (bytes: Uint8Array): number => {
  let value = 0;
  for (const byte of bytes.subarray(0, 4)) value = value * 256 + byte;
  return value / 2 ** 32;
};

/**
 * When the next try is due, in epoch milliseconds, after `tries` of this round failed; null when there is none left.
 * `chance` spreads each delay by 10 % either way; `retryAfterMs` is what the endpoint asked for, and never shortens it.
 */
export const nextTryAt = (
  tries: number,
  now: number,
  chance: number,
  retryAfterMs: number | null,
): number | null => {
  const delay = TRY_DELAYS_MS[tries];
  if (delay === undefined) return null;
  const spread = Math.round(delay * (1 - JITTER + 2 * JITTER * chance));
  return now + Math.max(spread, retryAfterMs ?? 0);
};

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const HTTP_DATE = /^[A-Z][a-z]{2}, (\d{2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT$/;

const parseHttpDate = (text: string): number | undefined => {
  const [, day, month, year, hour, minute, second] = HTTP_DATE.exec(text) ?? [];
  const monthIndex = MONTHS.indexOf(month ?? "");
  if (monthIndex < 0) return undefined;
  return Date.UTC(Number(year), monthIndex, Number(day), Number(hour), Number(minute), Number(second));
};

/** Retry-After in milliseconds from now, as seconds or as a date of HTTP, 0 to 24 hours; null where it says neither. */
export const parseRetryAfter = (text: string | null, now: number): number | null => {
  const value = text?.trim() ?? "";
  const asked = /^\d{1,9}$/.test(value) ? Number(value) * 1000 : (parseHttpDate(value) ?? Number.NaN) - now;
  return Number.isNaN(asked) ? null : Math.min(Math.max(asked, 0), DAY_MS);
};
