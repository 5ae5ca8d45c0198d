// How Partnero says no: `status` 0 and a message, its own list of HTTP statuses; names of fields and our codes beside them.
import { z } from "zod";
import type { Dialect } from "../http/dialect.ts";

export const errorSchema = z.looseObject({
  status: z.literal(0),
  message: z.string(),
  code: z.string().meta({ description: "Our own word for it." }),
  errors: z.record(z.string(), z.array(z.string())).optional(),
});

/** Partnero answers with no 409, 413 or 415; a key that is in flight keeps its own, for whoever sends one. */
const STATUS_OUT: Readonly<Record<number, number>> = { 409: 400, 413: 400, 415: 400 };
const KEPT = ["idempotency_in_flight"];

const fieldOf = (pointer: string): string => pointer.replace(/^[/?]/, "").replaceAll("/", ".");

const byField = (
  errors: Parameters<Dialect["refuse"]>[0]["errors"],
): Readonly<Record<string, readonly string[]>> => {
  const fields: Record<string, string[]> = {};
  for (const { pointer, detail } of errors) {
    const field = fieldOf(pointer);
    fields[field] = [...(fields[field] ?? []), detail];
  }
  return fields;
};

export const refuse: Dialect["refuse"] = ({ code, status, message, errors, facts }) => ({
  status: KEPT.includes(code) ? status : (STATUS_OUT[status] ?? status),
  body: {
    ...facts,
    status: 0,
    message,
    code,
    ...(errors.length === 0 ? {} : { errors: byField(errors) }),
  },
});
