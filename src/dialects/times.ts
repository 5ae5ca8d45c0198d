// Times as vendors write them: instants to the second, and days or instants where they ask from when to when.
import { z } from "zod";
import { dateOf, endOfDate, isDate, parseInstant, startOfDate, toInstant } from "../domain/dates.ts";

/** `2026-04-01T00:00:00Z`. */
export const toSecond = (ms: number): string => `${toInstant(ms).slice(0, 19)}Z`;
export const toSecondOrNull = (ms: number | null): string | null => (ms === null ? null : toSecond(ms));

/** A calendar date or an instant with its offset. */
export const dayOrInstant = z
  .string()
  .refine((text) => isDate(text) || parseInstant(text) !== undefined, "must be an ISO 8601 date or date-time")
  .meta({ example: "2026-03-01" });

/** The calendar date in the program's zone. */
export const dayIn = (text: string, zone: string): string =>
  isDate(text) ? text : dateOf(parseInstant(text) ?? 0, zone);

/** From this instant on, epoch milliseconds. */
export const startIn = (text: string, zone: string): number =>
  isDate(text) ? startOfDate(text, zone) : (parseInstant(text) ?? 0);

/** Up to before this instant: a date is meant with its whole day, an instant with itself. */
export const endIn = (text: string, zone: string): number =>
  isDate(text) ? endOfDate(text, zone) : (parseInstant(text) ?? 0) + 1;
