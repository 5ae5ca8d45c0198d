// What every route finds in its request: the ports, the request's id, and on whose behalf it runs.
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import type { Ctx, Ports, Program } from "../context.ts";
import type { Mode, Scope } from "../domain/api-key.ts";
import type { Actor } from "../domain/events.ts";
import type { KeyId } from "../domain/ids.ts";
import { clocksOf } from "../operations/ctx-for.ts";
import type { KeyRing } from "./auth.ts";

export interface AppPorts extends Ports {
  readonly rails: Ctx["rails"];
}

export interface Access {
  readonly key: {
    readonly id: KeyId;
    readonly name: string;
    readonly mode: Mode;
    readonly scopes: readonly Scope[];
    readonly dialect: string | null;
  };
  readonly program: Program;
  readonly actor: Actor;
}

/** The Worker's own static files; absent in tests. */
export interface HttpBindings {
  readonly ASSETS?: { fetch(request: Request): Promise<Response> };
}

export interface AppEnv {
  readonly Bindings: HttpBindings;
  readonly Variables: {
    requestId: string;
    ports: AppPorts;
    keyRing: KeyRing;
    /** Set by the scope gate; a public or root route has none. */
    access: Access | undefined;
    /** The body as parsed, before its schema: what the fingerprint of an idempotent request covers. */
    body: unknown;
    /** The request's valid Idempotency-Key. */
    idempotencyKey: string | undefined;
    /** The key's text where a vendor's own header brought it. */
    keyText: string | undefined;
    /** The pattern that a dialect answered, for the log. */
    dialectRoute: string | undefined;
  };
}

export type StipendApp = OpenAPIHono<AppEnv>;
export type Register = (app: StipendApp) => void;

/** A check before the handler: it throws a Problem or lets the request pass. */
export type Gate = (c: Context<AppEnv>) => Promise<void> | void;

export const throughGates =
  (gates: readonly Gate[]): MiddlewareHandler<AppEnv> =>
  async (c, next) => {
    for (const gate of gates) await gate(c);
    await next();
  };

export const accessOf = (c: Context<AppEnv>): Access => {
  const access = c.get("access");
  if (access === undefined) throw new Error("a handler that needs a program stands behind no scope gate");
  return access;
};

/** The context of an operation: the request's ports, its key's program and actor. */
export const ctxOf = (c: Context<AppEnv>): Ctx => {
  const { program, actor } = accessOf(c);
  const ports = c.get("ports");
  return { ...ports, ...clocksOf(ports, program), program, actor, requestId: c.get("requestId") };
};
