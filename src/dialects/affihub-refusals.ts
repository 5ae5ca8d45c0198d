// How Affihub says no: no document of it shows an error, so the shape is ours, with our own codes and statuses.
import { z } from "zod";
import type { Dialect, DialectAnswer } from "../http/dialect.ts";

export const errorSchema = z.object({
  error: z.looseObject({
    code: z.string(),
    message: z.string(),
    details: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
  }),
});

const fieldOf = (pointer: string): string => pointer.replace(/^[/?]/, "").replaceAll("/", ".");

export const refuse: Dialect["refuse"] = ({ code, status, message, errors, facts }) => {
  const details = errors.map(({ pointer, detail }) => ({ field: fieldOf(pointer), message: detail }));
  return {
    status,
    body: { error: { ...facts, code, message, ...(details.length === 0 ? {} : { details }) } },
  };
};

/** A no that is none of our refusals: what a rail said. */
export const saidNo = (status: number, code: string, message: string): DialectAnswer =>
  refuse({ status, code, message, errors: [], facts: {} });
