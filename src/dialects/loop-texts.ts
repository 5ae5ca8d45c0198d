// What Loop's callers send as text: a line that must be there, instants, and cents.
import { z } from "zod";
import { parseInstant } from "../domain/dates.ts";

const INVISIBLE = /\p{Cc}|\p{Cf}|\p{Cs}|\p{Zl}|\p{Zp}/u;

/** One line of visible text, without what stands around it. */
export const requiredLine = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .refine((text) => !INVISIBLE.test(text), "must not hold control or zero-width characters")
    .refine((text) => text.trim() !== "", "must not be blank")
    .transform((text) => text.trim())
    .meta({ type: "string", minLength: 1, maxLength: max });

/** An instant with its offset: what is meant is its day in the program's zone. */
export const dateTime = z
  .string()
  .refine((text) => parseInstant(text) !== undefined, "must be an ISO 8601 date-time")
  .meta({ format: "date-time", example: "2026-03-01T00:00:00Z" });

/** Up to fifteen digits: a number holds them exactly. */
export const centsText = z
  .string()
  .regex(/^-?\d{1,15}$/, "must be whole cents as a string")
  .meta({ example: "15000" });
