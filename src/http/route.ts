// A route with its gates: who may call it, how its body is read, whether it keeps idempotency keys; all of it stands in the reference.
import { createRoute, type RouteConfig } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import type { Scope } from "../domain/api-key.ts";
import { requireRoot, requireScope } from "./auth.ts";
import { readJson, refuseFields } from "./body.ts";
import { type AppEnv, type Gate, throughGates } from "./env.ts";
import { assertAddress } from "./fuse.ts";
import { takeIdempotencyKey } from "./idempotency.ts";
import { type PortalReach, separateKeys, throughPortal } from "./portal-token.ts";
import { Problem } from "./problem.ts";
import { throughStoredAnswer } from "./stored-answer.ts";
import { problemResponses } from "./wire.ts";

export interface Opens {
  /** The scope that a program's key needs, the root key, or nobody in particular. */
  readonly to: Scope | "root" | "public";
  /**
   * `honoured`: the handler passes commandOf(c) on, and the turn or the run keeps the key.
   * `stored`, unless another is said: the first answer is kept and given again. `ignored`: the sender's own ids do it.
   */
  readonly idempotency?: "honoured" | "stored" | "ignored";
  /** The handler reads bytes itself (signatures); no JSON gate. */
  readonly rawBody?: boolean;
  /** Also for an affiliate's portal token, and what keeps it to its own things. */
  readonly portal?: PortalReach;
}

type Config<P extends string> = Omit<RouteConfig, "path" | "middleware"> & { path: P };

const refuseQuery: Gate = (c) => {
  const names = Object.keys(c.req.queries());
  if (names.length === 0) return;
  const errors = names.map((name) => ({ pointer: `?${name.slice(0, 100)}`, detail: "is not known here" }));
  throw new Problem("validation_failed", "The request has unknown query parameters.", { errors });
};

const isWrite = ({ method }: Pick<RouteConfig, "method">): boolean =>
  method === "post" || method === "put" || method === "patch";

const gatesOf = (opens: Opens, config: Config<string>): Gate[] => {
  const gates: Gate[] = [];
  if (opens.to === "root") gates.push(requireRoot());
  else if (opens.to !== "public") gates.push(requireScope(opens.to, opens.portal));
  else gates.push(assertAddress);
  const writes = isWrite(config);
  if (writes && opens.idempotency !== "ignored") gates.push(takeIdempotencyKey);
  if (opens.portal !== undefined) gates.push(separateKeys);
  if (config.request?.query === undefined && opens.to !== "public") gates.push(refuseQuery);
  if (!writes || opens.rawBody) return gates;
  const body = config.request?.body;
  gates.push(readJson(body?.required ? "required" : "optional"));
  if (body === undefined) gates.push(refuseFields);
  return gates;
};

const needOf = (to: Opens["to"]): string =>
  to === "root" ? "Needs the root key." : `Needs the scope \`${to}\`.`;

/** `POST /v1/payouts/{payout_id}/mark-paid` is `postPayoutsMarkPaid`; parameters do not count where names stay apart. */
const operationIdOf = ({ method, path }: Config<string>): string =>
  [method, ...path.replace(/^\/v1/, "").split(/[/-]/)]
    .filter((part) => part !== "")
    .map((part) => part.replace(/^\{(.*)_id\}$/, "by_$1"))
    .flatMap((part) => part.split("_"))
    .map((part, i) => (i === 0 ? part : part.charAt(0).toUpperCase() + part.slice(1)))
    .join("");

/** createRoute with the gates in front and the problems among the answers. Handlers answer success only and throw the rest. */
export const defineRoute = <P extends string, R extends Config<P>>(opens: Opens, config: R & { path: P }) => {
  const guarded = opens.to !== "public";
  const own = opens.portal === undefined ? undefined : "A portal token opens it for its own affiliate.";
  const description = [config.description, guarded ? needOf(opens.to) : undefined, own]
    .filter(Boolean)
    .join("\n\n");
  const keeps = isWrite(config) && opens.idempotency !== "ignored";
  const isStored = keeps && opens.idempotency !== "honoured";
  const gates = throughGates(gatesOf(opens, config));
  return createRoute<P, R & { path: P; middleware: MiddlewareHandler<AppEnv>[] }>({
    ...config,
    ...(description === "" ? {} : { description }),
    operationId: operationIdOf(config),
    ...(keeps ? { "x-idempotency-key": isStored ? "stored" : "honoured" } : {}),
    security: guarded ? [{ bearer: [] }] : [],
    ...(guarded ? { "x-required-scope": opens.to } : {}),
    ...(opens.portal === undefined ? {} : { "x-portal-token": true }),
    responses: { ...problemResponses, ...config.responses },
    middleware: [
      gates,
      ...(opens.portal === undefined ? [] : [throughPortal]),
      ...(isStored ? [throughStoredAnswer] : []),
    ],
  });
};
