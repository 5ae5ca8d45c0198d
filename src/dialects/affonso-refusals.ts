// How Affonso says no: its envelope, its six codes, and which of our refusals each stands for.
import { z } from "zod";
import type { Dialect } from "../http/dialect.ts";

interface Words {
  readonly status: number;
  readonly code: string;
}

/** By status where a code has no words of its own. METHOD_NOT_ALLOWED, NOT_IMPLEMENTED and INTERNAL_ERROR are ours: Affonso names none. */
const BY_STATUS: Readonly<Record<number, Words>> = {
  401: { status: 401, code: "UNAUTHORIZED" },
  403: { status: 403, code: "FORBIDDEN" },
  404: { status: 404, code: "NOT_FOUND" },
  405: { status: 405, code: "METHOD_NOT_ALLOWED" },
  413: { status: 413, code: "VALIDATION_ERROR" },
  415: { status: 415, code: "VALIDATION_ERROR" },
  429: { status: 429, code: "RATE_LIMIT_EXCEEDED" },
  500: { status: 500, code: "INTERNAL_ERROR" },
  501: { status: 501, code: "NOT_IMPLEMENTED" },
  503: { status: 503, code: "INTERNAL_ERROR" },
};

const DUPLICATE: Words = { status: 409, code: "DUPLICATE_ERROR" };

const BY_CODE: Readonly<Record<string, Words>> = {
  duplicate_external_id: DUPLICATE,
  idempotency_mismatch: DUPLICATE,
  idempotency_in_flight: DUPLICATE,
};

const INVALID: Words = { status: 400, code: "VALIDATION_ERROR" };

const fieldOf = (pointer: string): string => pointer.replace(/^[/?]/, "").replaceAll("/", ".");

export const errorSchema = z.object({
  success: z.literal(false),
  error: z.object({
    code: z.string(),
    message: z.string(),
    field: z.string().optional(),
    details: z.array(z.looseObject({ field: z.string().optional(), message: z.string() })).optional(),
  }),
});

export const refuse: Dialect["refuse"] = ({ code, status, message, errors, facts }) => {
  const words = BY_CODE[code] ?? BY_STATUS[status] ?? INVALID;
  const [first] = errors;
  const field = first === undefined || first.pointer === "" ? {} : { field: fieldOf(first.pointer) };
  const details = [
    ...errors.map(({ pointer, detail }) => ({ field: fieldOf(pointer), message: detail })),
    // Our own code and its facts: what a program can act on, beside Affonso's words.
    ...(words === INVALID && errors.length === 0 ? [{ message, code, ...facts }] : []),
  ];
  const error = {
    code: words.code,
    message,
    ...field,
    ...(details.length === 0 ? {} : { details }),
  };
  return { status: words.status, body: { success: false, error } };
};
