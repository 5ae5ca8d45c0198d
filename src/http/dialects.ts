// Mounts the dialects: finds a path's owner before any route, and answers in its words from the first refusal to the last fault.
import type { Context, MiddlewareHandler } from "hono";
import { impliesScope, type Scope } from "../domain/api-key.ts";
import { dialectOfKey, requireScope } from "./auth.ts";
import { readJson } from "./body.ts";
import type { Call, Dialect, DialectAnswer, DialectRoute, Keeping } from "./dialect.ts";
import { dialectDocument } from "./dialect-openapi.ts";
import {
  type Canonical,
  chosenBy,
  claimantsOf,
  type Found,
  type Owner,
  ownerOfPrefix,
} from "./dialect-paths.ts";
import { type AppEnv, accessOf, ctxOf, type Register, type StipendApp } from "./env.ts";
import { faultLine } from "./fault.ts";
import { commandOf, takeIdempotencyKey } from "./idempotency.ts";
import { isFault, Problem, problemOf } from "./problem.ts";
import { answerOnce } from "./stored-answer.ts";
import { invalid } from "./validation.ts";

const DOCUMENT = "/openapi.json";
const TOKEN = /^[A-Za-z0-9._~+/=-]{1,512}$/;
const READS = ["GET", "HEAD"];

const toResponse = ({ status, body, headers }: DialectAnswer): Response =>
  body === undefined
    ? new Response(null, { status, headers: { ...headers } })
    : new Response(JSON.stringify(body), {
        status,
        headers: { "Content-Type": "application/json", ...headers },
      });

const missingScope = (scope: Scope): Problem =>
  new Problem("scope_not_held", `This needs the scope ${scope}, which the key does not hold.`, {
    facts: { required_scope: scope },
  });

const parsed = (target: "query" | "json", schema: DialectRoute["query"], value: unknown): unknown => {
  if (schema === undefined) return {};
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw invalid(target, result.error.issues);
};

/** What the request says, by the route's schemas. */
type Fields = Pick<Call, "params" | "query" | "body">;

const keepingOf = ({ keeps = "answer" }: DialectRoute, { body }: Fields): Keeping =>
  typeof keeps === "function" ? keeps(body as never) : keeps;

const callOf = async (c: Context<AppEnv>, fields: Fields, keeping: Keeping): Promise<Call> => {
  const { key, program } = accessOf(c);
  const turn = await commandOf(c);
  const holds = (scope: Scope): boolean => impliesScope(key.scopes, scope);
  return {
    ...fields,
    ctx: ctxOf(c),
    turn: keeping === "turn" ? turn : { ...turn, commandId: undefined },
    holds,
    require(scope) {
      if (!holds(scope)) throw missingScope(scope);
    },
    forgetKeys: () => c.get("keyRing").forget(program.id),
  };
};

const isScopeMissing = (thrown: unknown): boolean =>
  thrown instanceof Problem && thrown.code === "scope_not_held";

const admit = async (c: Context<AppEnv>, { scope }: DialectRoute): Promise<void> => {
  const scopes = typeof scope === "string" ? [scope] : scope;
  for (const [i, one] of scopes.entries()) {
    try {
      return await requireScope(one)(c);
    } catch (thrown) {
      if (!isScopeMissing(thrown) || i === scopes.length - 1) throw thrown;
    }
  }
};

const speak = async (c: Context<AppEnv>, route: DialectRoute, params: Call["params"]): Promise<Response> => {
  await admit(c, route);
  const isWrite = !READS.includes(route.method);
  if (isWrite) {
    await takeIdempotencyKey(c);
    if (route.method !== "DELETE") await readJson("optional")(c);
  }
  const fields = {
    params,
    query: parsed("query", route.query, c.req.query()),
    body: parsed("json", route.body, c.get("body") ?? {}),
  };
  const keeping = keepingOf(route, fields);
  const make = async () => toResponse(await route.handle(await callOf(c, fields, keeping)));
  return isWrite && keeping === "answer" ? answerOnce(c, make) : make();
};

/** A vendor's own header stands for the key on that vendor's paths; elsewhere it is a header like any other. */
const takeKeyHeader = (c: Context<AppEnv>, { keyHeader }: Dialect): void => {
  const text = keyHeader === undefined ? undefined : c.req.header(keyHeader);
  if (text !== undefined && TOKEN.test(text)) c.set("keyText", text);
};

const withHead = (methods: readonly string[]): string =>
  [...new Set(methods.flatMap((method) => (method === "GET" ? READS : [method])))].join(", ");

const answerFound = async (c: Context<AppEnv>, { dialect, found }: Owner): Promise<Response> => {
  takeKeyHeader(c, dialect);
  switch (found.kind) {
    case "route":
      c.set("dialectRoute", `/dialects/${dialect.name}${found.route.path}`);
      return speak(c, found.route, found.params);
    case "unserved":
      return toResponse(
        dialect.refuse({
          code: "not_served",
          status: 501,
          message: `${dialect.title} documents this and it is not served here. ${found.unserved.instead}`,
          errors: [],
          facts: {},
        }),
      );
    case "method": {
      const allowed = withHead(found.allowed);
      throw new Problem("method_not_allowed", `This path answers ${allowed}.`, {
        headers: { Allow: allowed },
      });
    }
    case "missing":
      throw new Problem("not_found", "There is nothing at this path.");
  }
};

/** The vendor's words for whatever was thrown; what the edge says in headers stays. */
const refused = (c: Context<AppEnv>, dialect: Dialect, thrown: unknown): Response => {
  if (isFault(thrown)) c.get("ports").log(faultLine(c.get("requestId"), thrown));
  const { code, status, message, errors, facts, headers } = problemOf(thrown);
  const answer = toResponse(dialect.refuse({ code, status, message, errors, facts }));
  for (const [name, value] of Object.entries(headers)) answer.headers.set(name, value);
  if (answer.status === 401) answer.headers.set("WWW-Authenticate", "Bearer");
  return answer;
};

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"];

const canonicalAt = (app: StipendApp, method: string, path: string): Canonical => {
  const served = (asked: string): string | undefined =>
    app.router.match(asked, path)[0].find(([[, route]]) => route.method !== "ALL")?.[0][1].path;
  return { served: served(method), known: () => METHODS.some((asked) => served(asked) !== undefined) };
};

const ownerOf = async (
  c: Context<AppEnv>,
  app: StipendApp,
  dialects: readonly Dialect[],
): Promise<Owner | undefined> => {
  // Decoded segment by segment where parameters are read: a slash inside an id stays one.
  const path = new URL(c.req.url).pathname;
  const method = c.req.method === "HEAD" ? "GET" : c.req.method;
  if (path.startsWith("/dialects/")) return ownerOfPrefix(dialects, method, path);
  const claimants = claimantsOf(dialects, method, path, canonicalAt(app, method, c.req.path));
  const isContested = claimants.length > 1;
  const owner = chosenBy(claimants, isContested ? await dialectOfKey(c) : null);
  return owner === "canonical" ? undefined : owner;
};

const isDocument = (found: Found, path: string, method: string): boolean =>
  found.kind === "missing" && path.endsWith(DOCUMENT) && READS.includes(method);

/** Stands before every route of the edge. */
const interpret =
  (app: StipendApp, dialects: readonly Dialect[]): MiddlewareHandler<AppEnv> =>
  async (c, next) => {
    const owner = await ownerOf(c, app, dialects);
    if (owner === undefined) return next();
    const { dialect, found } = owner;
    if (c.req.path === `/dialects/${dialect.name}${DOCUMENT}` && isDocument(found, c.req.path, c.req.method))
      return c.json(dialectDocument(dialect, c.get("ports").config.publicUrl));
    try {
      return await answerFound(c, owner);
    } catch (thrown) {
      return refused(c, dialect, thrown);
    }
  };

/** Registered before the canonical routes, whose paths it may answer in a vendor's stead. */
export const mountDialects =
  (dialects: readonly Dialect[]): Register =>
  (app) => {
    app.use("*", interpret(app, dialects));
  };
