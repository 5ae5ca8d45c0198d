// The HTTP edge: request ids, headers, one log line per request, and every answer that no route gives.
import { OpenAPIHono } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import { toBase64Url } from "../domain/base64url.ts";
import { announceEvents } from "../operations/announce-events.ts";
import { type KeyStore, makeKeyRing } from "./auth.ts";
import type { AppEnv, AppPorts, HttpBindings, Register, StipendApp } from "./env.ts";
import { faultLine } from "./fault.ts";
import { isFault, Problem, problemAnswer, problemOf } from "./problem.ts";
import { registerDocs } from "./routes/docs.ts";
import { registerHealth } from "./routes/health.ts";
import { registerProblems } from "./routes/problems.ts";
import { throwInvalid } from "./validation.ts";

/** The part of Workers' ExecutionContext that ports need. */
export interface Execution {
  waitUntil(work: Promise<unknown>): void;
}

export interface Wiring<Bindings extends HttpBindings> {
  /** Called once per request; gives a plain object. */
  portsOf(env: Bindings, execution: Execution | undefined): AppPorts;
  readonly keys: KeyStore;
}

const ROUTES: readonly Register[] = [registerHealth, registerDocs, registerProblems];

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;
const PATH_MAX = 8_192;

const executionOf = (c: Context<AppEnv>): Execution | undefined => {
  try {
    return c.executionCtx;
  } catch {
    // Outside of Workers there is none, and hono says so by throwing.
    return undefined;
  }
};

const requestIdOf = (c: Context<AppEnv>): string => {
  const given = c.req.header("x-request-id");
  if (given !== undefined && /^[A-Za-z0-9_-]{1,64}$/.test(given)) return given;
  return `req_${toBase64Url(crypto.getRandomValues(new Uint8Array(16)))}`;
};

const isReadable = (url: string): boolean => {
  if (!url.includes("%")) return true;
  try {
    // Paths and queries alike: what does not decode as UTF-8 is nobody's id.
    decodeURIComponent(url);
    return true;
  } catch {
    return false;
  }
};

const refuseUnreadableUrl = (c: Context<AppEnv>): void => {
  const { pathname, search } = new URL(c.req.url);
  if (pathname.length > PATH_MAX)
    throw new Problem("bad_request", `The path is longer than ${PATH_MAX} characters.`);
  if (!isReadable(pathname) || !isReadable(search)) {
    throw new Problem("bad_request", "The URL holds an escape that is not UTF-8.");
  }
};

const SECURITY_HEADERS = {
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cache-Control": "no-store",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
} as const;

const secure = (c: Context<AppEnv>): void => {
  // c.header makes an answer of fetch or a redirect writable; after it the headers can be set in place.
  c.header("X-Request-Id", c.get("requestId"));
  // A page says itself what it may load; everything else gets the strictest.
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) {
    if (!c.res.headers.has(name)) c.res.headers.set(name, value);
  }
};

const answerThrown = (c: Context<AppEnv>, thrown: unknown): Response => {
  const requestId = c.get("requestId");
  // Ports are missing when making them is what failed; then nothing but the console is left.
  const ports: AppPorts | undefined = c.get("ports");
  const line = faultLine(requestId, thrown);
  if (isFault(thrown)) ports === undefined ? console.error(JSON.stringify(line)) : ports.log(line);
  return problemAnswer(requestId, problemOf(thrown));
};

/** The pattern that answered, so that no id and no guess gets into the logs. */
const routeOf = (c: Context<AppEnv>): string | null =>
  c.get("dialectRoute") ?? matchedRoutes(c).findLast((route) => route.method !== "ALL")?.path ?? null;

const logRequest = (c: Context<AppEnv>, ports: AppPorts, startedAt: number): void => {
  const access = c.get("access");
  ports.log({
    event: "request",
    request_id: c.get("requestId"),
    method: c.req.method,
    route: routeOf(c),
    status: c.res.status,
    ms: ports.now() - startedAt,
    program_id: access?.program.id ?? null,
    key_id: access?.key.id ?? null,
  });
};

const READS = ["GET", "HEAD"];

/** Whatever wrote may have written events: one place for all of them, after the commit and beside the answer. */
const announceWrite = (c: Context<AppEnv>, ports: AppPorts): void => {
  const access = c.get("access");
  if (access !== undefined && c.res.ok && !READS.includes(c.req.method))
    announceEvents(ports, access.program);
};

const enter = <Bindings extends HttpBindings>(wiring: Wiring<Bindings>): MiddlewareHandler<AppEnv> => {
  const keyRing = makeKeyRing(wiring.keys);
  return async (c, next) => {
    c.set("requestId", requestIdOf(c));
    let ports: AppPorts | undefined;
    let startedAt = 0;
    try {
      // The Worker's entry hands its own bindings to fetch; hono does not know them here.
      ports = wiring.portsOf(c.env as Bindings, executionOf(c));
      startedAt = ports.now();
      c.set("ports", ports);
      c.set("keyRing", keyRing);
      refuseUnreadableUrl(c);
      await next();
      announceWrite(c, ports);
    } catch (thrown) {
      c.res = answerThrown(c, thrown);
    }
    secure(c);
    if (ports !== undefined) logRequest(c, ports, startedAt);
  };
};

/** Which methods the path has, by asking the router itself. */
const allowedOf = (app: StipendApp, path: string): string[] => {
  const found = METHODS.filter((method) =>
    app.router.match(method, path)[0].some(([[, route]]) => route.method !== "ALL"),
  );
  return found.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]));
};

const answerUnrouted = (app: StipendApp, c: Context<AppEnv>): Response => {
  const allowed = allowedOf(app, c.req.path);
  const problem =
    allowed.length === 0
      ? new Problem("not_found", "There is nothing at this path.")
      : new Problem("method_not_allowed", `This path answers ${allowed.join(", ")}.`, {
          headers: { Allow: allowed.join(", ") },
        });
  return problemAnswer(c.get("requestId"), problem);
};

/** The whole edge. `more` mounts what is not part of /v1: dialects, pages; they find the same variables. */
export const createApp = <Bindings extends HttpBindings>(
  wiring: Wiring<Bindings>,
  more: readonly Register[] = [],
): StipendApp => {
  const app: StipendApp = new OpenAPIHono<AppEnv>({ defaultHook: throwInvalid });
  app.use("*", enter(wiring));
  app.onError((thrown, c) => answerThrown(c, thrown));
  app.notFound((c) => answerUnrouted(app, c));
  app.openAPIRegistry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
    description: "An API key `stp_test_…` or `stp_live_…`, or the root key where a route says so.",
  });
  for (const register of [...ROUTES, ...more]) register(app);
  return app;
};
