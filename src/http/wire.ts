// Reusable schemas of the wire: money, time, ids, metadata, lists and problems. Routes add their own nouns beside themselves.
import { z } from "@hono/zod-openapi";
import { isDate, parseInstant } from "../domain/dates.ts";
import type { AffiliateId, CommissionId, PayoutId } from "../domain/ids.ts";
import { AMOUNT_MAX, CURRENCY_CODES, type Currency, isCurrency } from "../domain/money.ts";
import { PROBLEM_CODES } from "./problem.ts";
import { externalId } from "./wire-text.ts";

export * from "./wire-text.ts";

/** Minor units, above zero. Refuses floats, -0, and what JSON.parse made of a number too large. */
export const amount = z.number().int().min(1).max(AMOUNT_MAX).openapi({
  description: "Minor units of `currency`.",
  example: 1999,
});

/** Minor units, zero included: bounds and minimums. */
export const amountOrZero = z
  .number()
  .int()
  .min(0)
  .max(AMOUNT_MAX)
  .refine((value) => !Object.is(value, -0), "must not be minus zero")
  .openapi({ description: "Minor units.", example: 2500 });

export const currency = z
  .string()
  .refine((code): code is Currency => isCurrency(code), "must be a currency of the allow-list, in capitals")
  .openapi({ enum: [...CURRENCY_CODES], example: "EUR" });

/** Minor units by currency: minimums, limits. */
export const amountsByCurrency = z
  .record(currency, amountOrZero)
  .openapi({ type: "object", example: { EUR: 2500 }, description: "Minor units by currency." });

export const date = z
  .string()
  .refine(isDate, "must be a calendar date YYYY-MM-DD")
  .openapi({ format: "date", example: "2026-10-31" });

/** Read with any offset, handed on as epoch milliseconds. */
export const instant = z
  .string()
  .refine((text) => parseInstant(text) !== undefined, "must be an RFC 3339 instant with an offset or Z")
  .transform((text) => parseInstant(text) ?? 0)
  .openapi({ type: "string", format: "date-time", example: "2026-10-31T12:00:00.000Z" });

/** An instant in an answer, as domain's toInstant writes it. */
export const instantText = z.string().openapi({ format: "date-time", example: "2026-10-31T12:00:00.000Z" });

type Ref<Id extends string> = { readonly id: Id } | { readonly externalId: string };
export type AffiliateRef = Ref<AffiliateId>;

const EXTERNAL = "ext:";

const refOf = <Id extends `${string}_${string}`>(prefix: string) => {
  const own = new RegExp(`^${prefix}_[0-9A-Za-z_]{1,64}$`);
  const isRef = (text: string): boolean =>
    text.startsWith(EXTERNAL) ? externalId.safeParse(text.slice(EXTERNAL.length)).success : own.test(text);
  return z
    .string()
    .refine(isRef, `must be an id ${prefix}_… or ext:{external_id}`)
    .transform(
      (text): Ref<Id> =>
        text.startsWith(EXTERNAL) ? { externalId: text.slice(EXTERNAL.length) } : { id: text as Id },
    )
    .openapi({ type: "string", example: `${prefix}_01JZ0000000000000000000000` });
};

/** An affiliate's or a commission's id, or `ext:` and the caller's own. One that is well formed and not there is 404. */
export const affiliateRef = refOf<AffiliateId>("aff");
export const commissionRef = refOf<CommissionId>("com");

/** An id of this program's own making. */
export const idOf = <Prefix extends string>(prefix: Prefix) => {
  const pattern = new RegExp(`^${prefix}_[0-9A-Za-z_]{1,64}$`);
  return z
    .string()
    .refine((text): text is `${Prefix}_${string}` => pattern.test(text), `must be an id ${prefix}_…`)
    .openapi({ example: `${prefix}_01JZ0000000000000000000000` });
};
export const payoutId: z.ZodType<PayoutId, string> = idOf("po");

const METADATA_KEYS_MAX = 50;
const isPlainNumber = (value: number): boolean => !Number.isInteger(value) || Number.isSafeInteger(value);

/** Flat facts of the caller's own; kept and given back, never read. */
export const metadata = z
  .record(
    z.string().min(1).max(40),
    z.union([
      z.string().max(500),
      z.number().refine(isPlainNumber, "loses digits as a number"),
      z.boolean(),
      z.null(),
    ]),
  )
  .refine(
    (value) => Object.keys(value).length <= METADATA_KEYS_MAX,
    `must have at most ${METADATA_KEYS_MAX} keys`,
  )
  .openapi({ example: { campaign: "autumn" } });

/** `true` or `false` in a query. */
export const flagText = z.enum(["true", "false"]).transform((text) => text === "true");

/** A comma list of known words in a query: `status=pending,approved`. */
export const wordList = <const Words extends readonly string[]>(words: Words) =>
  z
    .string()
    .max(1_000)
    .transform((text) => text.split(","))
    .pipe(z.array(z.enum(words)).min(1))
    .openapi({ type: "string", example: words.slice(0, 2).join(",") });

/** Positive whole minor units in a query. */
export const amountText = z
  .string()
  .regex(/^(?:0|[1-9]\d{0,10})$/, "must be whole minor units")
  .transform(Number)
  .openapi({ type: "string", example: "2500" });

const LIMIT_MAX = 200;
const LIMIT_DEFAULT = 50;

/** For routes without query parameters: any is refused. */
export const noQuery = z.strictObject({});

/** The query of a list: the filters of its noun beside limit, cursor and order; anything else is refused. */
export const listQuery = <Filters extends z.ZodRawShape>(filters: Filters) =>
  z.strictObject({
    ...filters,
    limit: z
      .string()
      .regex(/^[1-9]\d{0,2}$/, `must be a whole number from 1 to ${LIMIT_MAX}`)
      .transform(Number)
      .refine((limit) => limit <= LIMIT_MAX, `must be at most ${LIMIT_MAX}`)
      .default(LIMIT_DEFAULT)
      .openapi({ type: "integer", minimum: 1, maximum: LIMIT_MAX, default: LIMIT_DEFAULT }),
    cursor: z.string().min(1).max(1_024).optional(),
    order: z.enum(["asc", "desc"]).optional(),
  });

export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({
    data: z.array(item),
    has_more: z.boolean(),
    next_cursor: z.string().nullable().openapi({ description: "For `?cursor=`; null on the last page." }),
  });

/** A request body for createRoute; an optional one may be absent and is then `{}`. */
export const jsonBody = <Schema extends z.ZodType, Required extends boolean = true>(
  schema: Schema,
  required: Required = true as Required,
) => ({ content: { "application/json": { schema } }, required });

/** An answer for createRoute. */
export const jsonAnswer = <Schema extends z.ZodType>(schema: Schema, description: string) => ({
  description,
  content: { "application/json": { schema } },
});

export const problemSchema = z
  .looseObject({
    type: z.string().openapi({ format: "uri-reference", example: "/problems/validation_failed" }),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    instance: z.string().openapi({ example: "urn:request:req_4f0c" }),
    code: z.string().openapi({ description: `One of ${PROBLEM_CODES.join(", ")}; more may be added.` }),
    request_id: z.string(),
    errors: z.array(z.object({ pointer: z.string(), detail: z.string() })),
  })
  .openapi("Problem");

const problem = (description: string) => ({
  description,
  content: { "application/problem+json": { schema: problemSchema } },
});

/** The refusals that every guarded route may answer; defineRoute adds them. */
export const problemResponses = {
  400: problem("Cannot be read"),
  401: problem("No valid key"),
  403: problem("The key lacks the scope that `required_scope` names"),
  404: problem("Not yours or not there"),
  409: problem("The state does not allow it, or the same request is under way"),
  413: problem("The body is over 256 KiB"),
  415: problem("The body is not application/json"),
  422: problem("Refused by the schema or by a rule"),
  429: problem("Too many requests; Retry-After says when"),
  500: problem("A fault on our side"),
  503: problem("Busy; Retry-After says when"),
} as const;
