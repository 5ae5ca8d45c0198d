// Stripe's list answers: newest first, cursors in both directions, created ranges.

import { invalid, notFound } from "./stripe-errors.ts";
import { integerAt, type Params, paramsAt, textAt } from "./stripe-form.ts";
import { checkParams, type Rules } from "./stripe-params.ts";

export const RANGE: Rules = { gt: "integer", gte: "integer", lt: "integer", lte: "integer" };

const PAGING: Rules = {
  limit: "integer",
  starting_after: "text",
  ending_before: "text",
  expand: "expand",
};

/** Checks a list request; `created` may be a number or a range. */
export function checkList(params: Params, filters: Rules): void {
  const ranged = Object.fromEntries(
    Object.entries(filters).map(([name, rule]) => [
      name,
      rule === RANGE && typeof params[name] === "string" ? "integer" : rule,
    ]),
  ) as Rules;
  checkParams(params, { ...ranged, ...PAGING });
  const limit = integerAt(params, "limit");
  if (limit !== null && (limit < 1 || limit > 100)) {
    throw invalid("Limit must be between 1 and 100.", "parameter_invalid_integer", "limit");
  }
  if (params.starting_after !== undefined && params.ending_before !== undefined) {
    throw invalid("You may only specify one of these parameters: ending_before, starting_after.");
  }
}

/** Whether a time in seconds lies in the request's range of this name. */
export function inRange(params: Params, name: string, seconds: number): boolean {
  const exact = integerAt(params, name);
  if (exact !== null) return seconds === exact;
  const range = paramsAt(params, name);
  if (range === null) return true;
  const above = integerAt(range, "gt") ?? Number.NEGATIVE_INFINITY;
  const from = integerAt(range, "gte") ?? Number.NEGATIVE_INFINITY;
  const below = integerAt(range, "lt") ?? Number.POSITIVE_INFINITY;
  const to = integerAt(range, "lte") ?? Number.POSITIVE_INFINITY;
  return seconds > above && seconds >= from && seconds < below && seconds <= to;
}

export type Page<T> = { object: "list"; data: T[]; has_more: boolean; url: string };

/** One page of what is given oldest first. */
export function page<T extends { id: string }>(
  oldestFirst: T[],
  params: Params,
  noun: string,
  url: string,
): Page<T> {
  const newestFirst = oldestFirst.toReversed();
  const limit = integerAt(params, "limit") ?? 10;
  const position = (name: string): number | null => {
    const id = textAt(params, name);
    if (id === null) return null;
    const at = newestFirst.findIndex((item) => item.id === id);
    if (at < 0) throw notFound(noun, id, name, 400);
    return at;
  };
  const after = position("starting_after");
  const before = position("ending_before");
  if (before !== null) {
    const start = Math.max(0, before - limit);
    return { object: "list", data: newestFirst.slice(start, before), has_more: start > 0, url };
  }
  const start = after === null ? 0 : after + 1;
  const data = newestFirst.slice(start, start + limit);
  return { object: "list", data, has_more: start + limit < newestFirst.length, url };
}
