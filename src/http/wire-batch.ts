// Calls for many at once: every one has its own result, with the status and the problem that a call of its own would have answered.
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { toInstant } from "../domain/dates.ts";
import { PAYOUT_METHODS, PAYOUT_STATUSES, type Payout } from "../domain/payout.ts";
import type { Settled } from "../operations/by-affiliate.ts";
import type { AppEnv } from "./env.ts";
import { faultLine } from "./fault.ts";
import { isFault, problemOf } from "./problem.ts";
import { instantText } from "./wire.ts";

const index = z.number().int().openapi({ description: "The place in the request, from 0." });
const status = z.number().int().openapi({ description: "What a call of its own would have answered." });

const failedResult = z
  .looseObject({
    index,
    id: z.string().nullable().openapi({ description: "As the request names it." }),
    ok: z.literal(false),
    status,
    code: z.string(),
    detail: z.string(),
    errors: z
      .array(z.object({ pointer: z.string(), detail: z.string() }))
      .openapi({ description: "Pointers into the request." }),
  })
  .openapi("FailedResult");

type FailedResult = z.infer<typeof failedResult>;

const doneFields = { index, id: z.string(), ok: z.literal(true), status };

/** `name` is the noun that a result holds where all went well. */
export const resultsSchema = <Name extends string, Item extends z.ZodType>(name: Name, item: Item) => {
  const done = z.object({ ...doneFields, ...({ [name]: item } as Record<Name, Item>) });
  return z.object({
    results: z.array(z.union([done, failedResult])).openapi({ description: "In the order of the request." }),
    succeeded: z.number().int(),
    failed: z.number().int(),
  });
};

export interface Named {
  /** As the request names it. */
  readonly id: string | null;
  /** Where it stands in the request: `/ids/3`. */
  readonly pointer: string;
}

const failureOf = (thrown: unknown, i: number, { id, pointer }: Named): FailedResult => {
  const problem = problemOf(thrown);
  const own = problem.errors.length === 0 ? [{ pointer: "", detail: problem.message }] : problem.errors;
  return {
    ...problem.facts,
    index: i,
    id,
    ok: false,
    status: problem.status,
    code: problem.code,
    detail: problem.message,
    errors: own.map((error) => ({ pointer: `${pointer}${error.pointer}`, detail: error.detail })),
  };
};

export interface DoneResult {
  readonly id: string;
  readonly status: number;
}

/** A fault of one is logged like any other, and does not keep the others from their answers. */
export const resultsToWire = <T, Done extends DoneResult>(
  c: Context<AppEnv>,
  outcomes: readonly Settled<T>[],
  namedAt: (i: number) => Named,
  doneOf: (value: T) => Done,
) => {
  const results = outcomes.map((outcome, i) => {
    if (outcome.ok) return { index: i, ok: true as const, ...doneOf(outcome.value) };
    if (isFault(outcome.thrown)) c.get("ports").log(faultLine(c.get("requestId"), outcome.thrown));
    return failureOf(outcome.thrown, i, namedAt(i));
  });
  const succeeded = results.filter(({ ok }) => ok).length;
  return { results, succeeded, failed: results.length - succeeded };
};

/** A payout in a few words; the whole of it is at its own address. */
export const briefPayoutSchema = z
  .object({
    id: z.string(),
    affiliate_id: z.string(),
    currency: z.string(),
    amount: z.number().int().openapi({ description: "Minor units of `currency`." }),
    status: z.enum(PAYOUT_STATUSES),
    payout_method: z.enum(PAYOUT_METHODS),
    external_ref: z.string().nullable(),
    paid_at: instantText.nullable(),
  })
  .openapi("BriefPayout");

export const briefPayoutToWire = (payout: Payout): z.infer<typeof briefPayoutSchema> => ({
  id: payout.id,
  affiliate_id: payout.affiliateId,
  currency: payout.currency,
  amount: payout.amount,
  status: payout.status,
  payout_method: payout.method,
  external_ref: payout.externalRef,
  paid_at: payout.paidAt === null ? null : toInstant(payout.paidAt),
});
