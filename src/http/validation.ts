// What a schema refused, in the words of the wire: pointers and sentences; a path parameter that cannot be an id is simply not there.
import type { Hook, z } from "@hono/zod-openapi";
import { type RefusalCode, Refused } from "../domain/refusals.ts";
import type { AppEnv } from "./env.ts";
import { type FieldError, Problem, pointerOf } from "./problem.ts";

type Issue = z.core.$ZodIssue;
type Target = "json" | "query" | "header" | "cookie" | "form" | "param";

const placeOf = (target: Target, path: readonly PropertyKey[]): string =>
  target === "query" ? `?${String(path[0] ?? "").slice(0, 100)}` : pointerOf(path);

/** The branch of a union that came nearest: the one with the fewest complaints. */
const nearestOf = (branches: readonly (readonly Issue[])[]): readonly Issue[] =>
  [...branches].sort((left, right) => left.length - right.length)[0] ?? [];

const errorsOf = (target: Target, issue: Issue, base: readonly PropertyKey[]): FieldError[] => {
  const path = [...base, ...issue.path];
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      pointer: placeOf(target, [...path, key]),
      detail: "is not known here",
    }));
  }
  const nearest = issue.code === "invalid_union" ? nearestOf(issue.errors) : [];
  if (nearest.length > 0) return nearest.flatMap((inner) => errorsOf(target, inner, path));
  return [{ pointer: placeOf(target, path), detail: issue.message }];
};

export const fieldErrorsOf = (target: Target, issues: readonly Issue[]): FieldError[] =>
  issues.flatMap((issue) => errorsOf(target, issue, []));

/** 422 `validation_failed` of a schema's complaints. */
export const invalid = (target: Target, issues: readonly Issue[]): Problem => {
  const errors = fieldErrorsOf(target, issues);
  const [first] = errors;
  const detail =
    first === undefined ? "The request is not valid." : `${first.pointer || "The body"}: ${first.detail}`;
  return new Problem("validation_failed", detail, { errors });
};

const MISSING_BY_PARAM: Readonly<Record<string, RefusalCode>> = {
  affiliate_id: "affiliate_not_found",
  commission_id: "commission_not_found",
  payout_id: "payout_not_found",
  run_id: "run_not_found",
  session_id: "session_not_found",
  key_id: "key_not_found",
  event_id: "event_not_found",
  endpoint_id: "webhook_endpoint_not_found",
};

const notThere = (issues: readonly Issue[]): Refused | Problem => {
  const code = MISSING_BY_PARAM[String(issues[0]?.path[0])];
  return code === undefined ? new Problem("not_found", "Not found.") : new Refused({ code, detail: "" });
};

/** For OpenAPIHono: a request that its schema refuses goes no further. */
export const throwInvalid: Hook<unknown, AppEnv, string, undefined> = (result) => {
  if (result.success) return;
  const { issues } = result.error;
  throw result.target === "param" ? notThere(issues) : invalid(result.target, issues);
};
