// The Idempotency-Key header: what is one, what it covers, and where it is not available.
import { z } from "@hono/zod-openapi";
import { describe, expect, it } from "vitest";
import type { StipendApp } from "../../src/http/env.ts";
import { canonicalJson, commandOf, requestShaOf } from "../../src/http/idempotency.ts";
import { defineRoute } from "../../src/http/route.ts";
import { jsonAnswer, jsonBody } from "../../src/http/wire.ts";
import { bearer, makeWorld, problemIn } from "../support/http-world.ts";

const Answer = z.object({ command: z.string().nullable(), sha: z.string() });
const responses = { 200: jsonAnswer(Answer, "What was understood") };
const Body = z.strictObject({ a: z.number().default(0), b: z.number().default(0) });

const register = (app: StipendApp): void => {
  const request = { body: jsonBody(Body, false), params: z.object({ id: z.string() }) };
  const scope = { to: "payouts:pay" } as const;
  const kept = { ...scope, idempotency: "honoured" } as const;
  for (const method of ["post", "put", "patch"] as const) {
    const honoured = defineRoute(kept, { method, path: "/v1/kept/{id}", request, responses });
    app.openapi(honoured, async (c) => {
      const { commandId, requestSha } = await commandOf(c);
      return c.json({ command: commandId ?? null, sha: requestSha }, 200);
    });
    const refused = defineRoute(scope, { method, path: "/v1/unkept/{id}", request, responses });
    app.openapi(refused, (c) => c.json({ command: null, sha: "" }, 200));
  }
  for (const method of ["get", "delete"] as const) {
    const path = "/v1/unkept/{id}";
    const read = defineRoute(scope, { method, path, request: { params: request.params }, responses });
    app.openapi(read, (c) => c.json({ command: null, sha: "" }, 200));
  }
};

const world = makeWorld(register);
const auth = bearer(await world.addKey(["payouts:pay"]));
const send = (method: string, path: string, key: string | undefined, body?: object) => {
  const headers = {
    ...auth,
    "content-type": "application/json",
    ...(key === undefined ? {} : { "idempotency-key": key }),
  };
  return world.app.request(path, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
};
const understood = async (method: string, path: string, key: string | undefined, body?: object) =>
  Answer.parse(await (await send(method, path, key, body)).json());

describe("an Idempotency-Key", () => {
  it("is optional, and becomes the command's id", async () => {
    expect((await understood("POST", "/v1/kept/1", undefined)).command).toBeNull();
    expect((await understood("POST", "/v1/kept/1", "abc")).command).toBe("k:abc");
    expect((await understood("PUT", "/v1/kept/1", 'a b,c"~')).command).toBe('k:a b,c"~');
    expect((await understood("PATCH", "/v1/kept/1", "a".repeat(255))).command).toBe(`k:${"a".repeat(255)}`);
  });

  it.each(["", " ", "a".repeat(256), "é", "a\tb", "a, b", "x\u007f"])("is 400 when it is %j", async (key) => {
    const problem = await problemIn(await send("POST", "/v1/kept/1", key));
    expect([problem.status, problem.code]).toEqual([400, "idempotency_key_invalid"]);
  });

  it("is 400 also where the answer would be stored, when it is none", async () => {
    for (const method of ["POST", "PUT", "PATCH"]) {
      expect((await send(method, "/v1/unkept/1", undefined)).status).toBe(200);
      expect((await send(method, "/v1/unkept/1", "a, b")).status).toBe(400);
    }
  });

  it("means nothing on GET and DELETE", async () => {
    for (const method of ["GET", "DELETE"]) {
      for (const key of ["abc", "", "a, b"])
        expect((await send(method, "/v1/unkept/1", key)).status).toBe(200);
    }
  });
});

describe("the fingerprint of a request", () => {
  it("is the same however the body is spelled", async () => {
    const one = await understood("POST", "/v1/kept/1", "k", { a: 1, b: 2 });
    expect((await understood("POST", "/v1/kept/1", "other", { b: 2, a: 1 })).sha).toBe(one.sha);
    expect(one.sha).toMatch(/^[0-9a-f]{64}$/);
  });

  it("differs with the body, the path and the method", async () => {
    const shas = await Promise.all([
      understood("POST", "/v1/kept/1", "k", { a: 1 }),
      understood("POST", "/v1/kept/1", "k", { a: 2 }),
      understood("POST", "/v1/kept/1", "k", { b: 1 }),
      understood("POST", "/v1/kept/2", "k", { a: 1 }),
      understood("PUT", "/v1/kept/1", "k", { a: 1 }),
      understood("POST", "/v1/kept/1", "k"),
    ]);
    expect(new Set(shas.map(({ sha }) => sha)).size).toBe(6);
  });

  it("takes no body for an empty object", async () => {
    const absent = await understood("POST", "/v1/kept/1", "k");
    expect((await understood("POST", "/v1/kept/1", "k", {})).sha).toBe(absent.sha);
  });

  it("sorts keys at every depth and keeps the order of lists", () => {
    expect(canonicalJson({ b: [{ d: 1, c: null }], a: "é" })).toBe('{"a":"é","b":[{"c":null,"d":1}]}');
    expect(canonicalJson([2, 1])).not.toBe(canonicalJson([1, 2]));
  });

  it("cannot be made the same by moving text between its parts", async () => {
    const one = await requestShaOf({ method: "POST", path: "/a", body: "b" });
    expect(await requestShaOf({ method: "POST", path: "/a\n", body: "b" })).not.toBe(one);
  });
});
