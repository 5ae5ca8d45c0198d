// The edge around all routes: ids, headers, methods, paths, log lines, health and reference.

import { z } from "@hono/zod-openapi";
import { describe, expect, it } from "vitest";
import type { StipendApp } from "../../src/http/env.ts";
import { defineRoute } from "../../src/http/route.ts";
import { affiliateRef, idOf, jsonAnswer, jsonBody, listQuery, wordList } from "../../src/http/wire.ts";
import { bearer, makeWorld, problemIn } from "../support/http-world.ts";

const answers = { 200: jsonAnswer(z.object({ ok: z.boolean() }), "Fine") };

const registerThings = (app: StipendApp): void => {
  const list = defineRoute(
    { to: "commissions:read" },
    {
      method: "get",
      path: "/v1/things",
      request: { query: listQuery({ status: wordList(["pending", "paid"]).optional() }) },
      responses: answers,
    },
  );
  const make = defineRoute(
    { to: "commissions:write", idempotency: "honoured" },
    {
      method: "post",
      path: "/v1/things",
      summary: "Make a thing",
      request: { body: jsonBody(z.strictObject({ affiliate_id: affiliateRef })) },
      responses: answers,
    },
  );
  const payout = z.object({ payout_id: idOf("po") });
  const read = defineRoute(
    { to: "payouts:read" },
    { method: "get", path: "/v1/things/{payout_id}", request: { params: payout }, responses: answers },
  );
  for (const route of [list, make]) app.openapi(route, (c) => c.json({ ok: true }, 200));
  app.openapi(read, (c) => c.json({ ok: true }, 200));
};

describe("every answer", () => {
  const paths = ["/health", "/docs", "/openapi.json", "/nothing", "/v1/things", "/problems/busy", "/%zz"];

  it.each(paths)("has its request id and the security headers: %s", async (path) => {
    const answer = await makeWorld(registerThings).app.request(`http://localhost${path}`);
    expect(answer.headers.get("x-request-id")).toMatch(/^req_[A-Za-z0-9_-]{22}$/);
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
    expect(answer.headers.get("referrer-policy")).toBe("no-referrer");
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(answer.headers.get("strict-transport-security")).toContain("max-age=63072000");
    expect(answer.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect([...answer.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
  });

  it("takes over a caller's request id only when it is plain", async () => {
    const { app } = makeWorld();
    const idOfAnswer = async (given: string) =>
      (await app.request("/health", { headers: { "x-request-id": given } })).headers.get("x-request-id");
    expect(await idOfAnswer("trace-1_A")).toBe("trace-1_A");
    for (const given of ["a%0d%0aset-cookie:x=1", "a b", "", "x".repeat(65), "é"]) {
      expect(await idOfAnswer(given)).toMatch(/^req_/);
    }
  });

  it("leaves one log line with the route's pattern, never the path", async () => {
    const world = makeWorld(registerThings);
    const key = await world.addKey(["payouts:read"]);
    await world.app.request("/v1/things/po_CANARY?x=CANARY", { headers: bearer(key) });
    await world.app.request("/CANARY", { headers: { authorization: "Bearer CANARY" } });
    const [known, unknown] = world.lines;
    expect(known).toMatchObject({
      event: "request",
      method: "GET",
      route: "/v1/things/:payout_id",
      status: 422,
      ms: 0,
    });
    expect(known?.key_id).toMatch(/^key_/);
    expect(known?.program_id).toMatch(/^prg_/);
    expect(unknown).toMatchObject({
      event: "request",
      route: null,
      status: 404,
      program_id: null,
      key_id: null,
    });
    expect(JSON.stringify(world.lines)).not.toContain("CANARY");
  });
});

describe("a path", () => {
  const { app } = makeWorld(registerThings);

  it("that does not exist is 404, also with a trailing slash", async () => {
    for (const path of [
      "/",
      "/v1",
      "/v1/things/",
      "/V1/things",
      "/v1/__debug",
      "/.env",
      "/v1/things/po_1/x",
    ]) {
      expect((await problemIn(await app.request(path))).code, path).toBe("not_found");
    }
  });

  it("answers other methods with 405 and the ones it has", async () => {
    for (const method of ["PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND"]) {
      const answer = await app.request("/v1/things", { method });
      expect(answer.headers.get("allow")).toBe("GET, HEAD, POST");
      expect((await problemIn(answer)).code).toBe("method_not_allowed");
    }
    expect((await app.request("/health", { method: "POST" })).headers.get("allow")).toBe("GET, HEAD");
    expect((await app.request("/nothing", { method: "OPTIONS" })).status).toBe(404);
  });

  it("answers HEAD as GET without the body", async () => {
    const answer = await app.request("/health", { method: "HEAD" });
    expect([answer.status, await answer.text()]).toEqual([200, ""]);
    expect((await app.request("/v1/things", { method: "HEAD" })).status).toBe(401);
  });

  it("that cannot be decoded, or is endless, is never a fault", async () => {
    for (const path of [
      "/v1/things/%zz",
      "/v1/things/%C0%AE%C0%AE",
      "/v1/things/%",
      "/v1/things?status=%ff",
    ]) {
      expect((await problemIn(await app.request(`http://localhost${path}`))).status, path).toBe(400);
    }
    expect((await app.request(`/v1/things/${"a".repeat(9_000)}`)).status).toBe(400);
  });

  it("with an id of another kind is 404 like one that is not there", async () => {
    const world = makeWorld(registerThings);
    const headers = bearer(await world.addKey(["payouts:read"]));
    for (const id of [
      "aff_1",
      "__proto__",
      "po_%00",
      "1'%20OR%20'1'='1",
      "%D1%80o_1",
      "%252e%252e",
      "a".repeat(5_000),
    ]) {
      const problem = await problemIn(await world.app.request(`/v1/things/${id}`, { headers }));
      expect([problem.status, problem.code], id).toEqual([404, "payout_not_found"]);
    }
    expect((await world.app.request("/v1/things/po_doesnotexist", { headers })).status).toBe(200);
  });
});

describe("a query", () => {
  it.each([
    ["limit=0", "?limit"],
    ["limit=-1", "?limit"],
    ["limit=201", "?limit"],
    ["limit=1000000", "?limit"],
    ["limit=1.5", "?limit"],
    ["limit=ten", "?limit"],
    ["limit=", "?limit"],
    ["limit=1&limit=2", "?limit"],
    ["order=up", "?order"],
    ["status=banana", "?status"],
    ["status=paid,,pending", "?status"],
    ["status=", "?status"],
    ["status[]=paid", "?status[]"],
    ["sort=amount;DROP%20TABLE", "?sort"],
    ["__proto__=1", "?__proto__"],
  ])("is 422 with %s", async (query, pointer) => {
    const world = makeWorld(registerThings);
    const headers = bearer(await world.addKey(["commissions:read"]));
    const problem = await problemIn(await world.app.request(`/v1/things?${query}`, { headers }));
    expect([problem.status, problem.errors[0]?.pointer]).toEqual([422, pointer]);
  });

  it("is fine with what the list knows", async () => {
    const world = makeWorld(registerThings);
    const headers = bearer(await world.addKey(["commissions:read"]));
    for (const query of ["", "limit=1", "limit=200&order=asc&status=paid,pending", "cursor=abc"]) {
      expect((await world.app.request(`/v1/things?${query}`, { headers })).status, query).toBe(200);
    }
  });

  it("is refused where a route has none", async () => {
    const world = makeWorld(registerThings);
    const headers = bearer(await world.addKey(["payouts:read"]));
    const problem = await problemIn(await world.app.request("/v1/things/po_1?expand=x", { headers }));
    expect([problem.status, problem.errors[0]?.pointer]).toEqual([422, "?expand"]);
  });
});

describe("health", () => {
  it("answers without a key when the database does", async () => {
    const answer = await makeWorld().app.request("/health");
    expect([answer.status, await answer.json()]).toEqual([200, { status: "ok" }]);
  });

  it("is 503 when the database does not", async () => {
    const world = makeWorld();
    world.database.fails = new Error("D1_ERROR: CANARY");
    const answer = await world.app.request("/health");
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(await answer.text()).not.toContain("CANARY");
    expect(world.lines.map((line) => line.event)).toEqual(["fault", "request"]);
  });
});

describe("the reference", () => {
  it("is OpenAPI 3.1 made from the routes, with each route's scope and problems", async () => {
    const { app } = makeWorld(registerThings);
    const document = JSON.parse(await (await app.request("/openapi.json")).text());
    expect(document.openapi).toBe("3.1.0");
    expect(document.components.securitySchemes.bearer).toMatchObject({ type: "http", scheme: "bearer" });
    expect(Object.keys(document.paths)).toEqual(["/health", "/v1/things", "/v1/things/{payout_id}"]);
    const { post, get } = document.paths["/v1/things"];
    expect(post["x-required-scope"]).toBe("commissions:write");
    expect(post.description).toContain("`commissions:write`");
    expect(post.security).toEqual([{ bearer: [] }]);
    expect(post.responses["422"].content["application/problem+json"].schema.$ref).toBe(
      "#/components/schemas/Problem",
    );
    expect(post.requestBody.content["application/json"].schema).toMatchObject({
      type: "object",
      additionalProperties: false,
      required: ["affiliate_id"],
      properties: { affiliate_id: { type: "string" } },
    });
    expect(get.parameters.map((parameter: { name: string }) => parameter.name)).toEqual([
      "status",
      "limit",
      "cursor",
      "order",
    ]);
    expect(document.paths["/health"].get.security).toEqual([]);
  });

  it("has a page that loads nothing from another host", async () => {
    const { app } = makeWorld();
    const answer = await app.request("/docs");
    const page = await answer.text();
    expect(page).not.toMatch(/https?:\/\//);
    const policy = answer.headers.get("content-security-policy");
    expect(policy).toContain("script-src 'self';");
    expect(policy).not.toMatch(/https?:|script-src[^;]*unsafe/);
    const init = await app.request("/docs/init.js");
    expect(init.headers.get("content-type")).toContain("text/javascript");
    expect(await init.text()).toContain("validatorUrl: null");
  });

  it("serves its script and styles from the Worker's own files", async () => {
    const { app } = makeWorld();
    const asked: string[] = [];
    const ASSETS = {
      fetch: async (request: Request) => {
        asked.push(new URL(request.url).pathname);
        return new Response("built", { headers: { "content-type": "text/css" } });
      },
    };
    for (const file of ["/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css"]) {
      expect(await (await app.request(file, {}, { ASSETS })).text()).toBe("built");
      expect((await app.request(file, {}, {})).status).toBe(404);
    }
    expect(asked).toEqual(["/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css"]);
  });
});
