// Keys at the edge: one answer for every key that is not valid, a warm cache with an end, scopes by name, the root key apart.
import { z } from "@hono/zod-openapi";
import { describe, expect, it } from "vitest";
import { SCOPES } from "../../src/domain/api-key.ts";
import { accessOf, ctxOf, type StipendApp } from "../../src/http/env.ts";
import { defineRoute } from "../../src/http/route.ts";
import { jsonAnswer } from "../../src/http/wire.ts";
import { bearer, makeWorld, problemIn, ROOT_KEY, type World } from "../support/http-world.ts";

const responses = { 200: jsonAnswer(z.looseObject({}), "Fine") };

const register = (app: StipendApp): void => {
  for (const scope of SCOPES) {
    const path = `/v1/${scope.replace(":", "-")}`;
    app.openapi(defineRoute({ to: scope }, { method: "get", path, responses }), (c) => {
      const { key, program, actor } = accessOf(c);
      return c.json(
        { key: key.id, program: program.id, actor: ctxOf(c).actor, same: actor === ctxOf(c).actor },
        200,
      );
    });
  }
  const root = defineRoute({ to: "root" }, { method: "get", path: "/v1/root", responses });
  app.openapi(root, (c) => c.json({}, 200));
  const open = defineRoute({ to: "public" }, { method: "get", path: "/v1/public", responses });
  app.openapi(open, (c) => c.json({ access: accessOf(c).key.id }, 200));
};

const world = (): World => makeWorld(register);
const READ = "/v1/commissions-read";
const get = (from: World, path: string, headers: Record<string, string>) =>
  from.app.request(path, { headers });

describe("a request without a valid key", () => {
  it("gets one answer whatever the reason", async () => {
    const w = world();
    const key = await w.addKey(["commissions:read"]);
    const expired = await w.addKey(["commissions:read"], { expiresAt: w.clock.now });
    const revoked = await w.addKey(["commissions:read"], { revokedAt: w.clock.now - 1 });
    const otherPepper = await w.addKey(["commissions:read"], { pepperVersion: "2" });
    const forged = await w.addKey(["commissions:read"], { hash: "0".repeat(64) });
    const unknown = await world().addKey([]);
    const sent: (Record<string, string> | undefined)[] = [
      {},
      { authorization: "" },
      { authorization: "Basic e3t9" },
      { authorization: "Bearer" },
      { authorization: "Bearer " },
      { authorization: key },
      { authorization: `Bearer ${key} x` },
      { authorization: `Bearer a, Bearer ${key}` },
      { authorization: `Bearer ${key}, Bearer ${key}` },
      { authorization: `Token ${key}` },
      bearer(`${key.slice(0, -1)}${key.endsWith("0") ? "1" : "0"}`),
      bearer("a".repeat(4_096)),
      bearer(expired),
      bearer(revoked),
      bearer(otherPepper),
      bearer(forged),
      bearer(key.slice(0, 36)),
    ];
    const bodies = new Set<string>();
    for (const headers of sent) {
      const answer = await get(w, READ, { ...headers, "x-request-id": "same" });
      expect(answer.headers.get("www-authenticate")).toBe("Bearer");
      expect(answer.status, JSON.stringify(headers)).toBe(401);
      bodies.add(await answer.text());
    }
    expect((await get(world(), READ, bearer(unknown))).status).toBe(401);
    expect(bodies.size).toBe(1);
    expect((await get(w, READ, bearer(key))).status).toBe(200);
  });

  it("costs no look-up when the key's checksum is wrong", async () => {
    const w = world();
    const key = await w.addKey(["commissions:read"]);
    await get(w, READ, bearer(key.replace(/.$/, (last) => (last === "0" ? "1" : "0"))));
    await get(w, READ, bearer("nonsense"));
    expect(w.counts.found).toBe(0);
  });

  it("is refused before its body is read", async () => {
    const answer = await world().app.request(READ, { method: "POST", body: "x".repeat(1_000_000) });
    expect(answer.status).toBe(405);
  });
});

describe("a key", () => {
  it("acts for its program under its own name", async () => {
    const w = world();
    const key = await w.addKey(["commissions:read"]);
    const [record] = w.keys.values();
    const actor = { type: "key", id: record?.id };
    expect(await (await get(w, READ, bearer(key))).json()).toEqual({
      key: record?.id,
      program: record?.programId,
      actor,
      same: true,
    });
  });

  it("may name the scheme in any case, as the standard says", async () => {
    const w = world();
    expect(
      (await get(w, READ, { authorization: `bearer ${await w.addKey(["commissions:read"])}` })).status,
    ).toBe(200);
  });

  it("of one mode does not open a row of the other", async () => {
    const w = world();
    const key = await w.addKey(["commissions:read"]);
    for (const [id, record] of w.keys) w.keys.set(id, { ...record, mode: "live" });
    expect((await get(w, READ, bearer(key))).status).toBe(401);
  });

  it("is looked up once and then for half a minute not at all", async () => {
    const w = world();
    const key = await w.addKey(["commissions:read"]);
    for (let i = 0; i < 5; i++) expect((await get(w, READ, bearer(key))).status).toBe(200);
    expect(w.counts.found).toBe(1);
    w.clock.now += 29_999;
    await get(w, READ, bearer(key));
    expect(w.counts.found).toBe(1);
    w.clock.now += 1;
    await get(w, READ, bearer(key));
    expect(w.counts.found).toBe(2);
  });

  it("that was revoked stops within 30 seconds, and that expires stops at once", async () => {
    const w = world();
    const key = await w.addKey(["commissions:read"]);
    const short = await w.addKey(["commissions:read"], { expiresAt: w.clock.now + 5_000 });
    for (const text of [key, short]) expect((await get(w, READ, bearer(text))).status).toBe(200);
    for (const [id, record] of w.keys) w.keys.set(id, { ...record, revokedAt: w.clock.now });
    w.clock.now += 5_000;
    expect((await get(w, READ, bearer(short))).status).toBe(401);
    w.clock.now += 25_000;
    expect((await get(w, READ, bearer(key))).status).toBe(401);
  });

  it("that was not found is looked up again", async () => {
    const w = world();
    const key = await w.addKey(["commissions:read"]);
    const records = [...w.keys];
    w.keys.clear();
    expect((await get(w, READ, bearer(key))).status).toBe(401);
    for (const [id, record] of records) w.keys.set(id, record);
    expect((await get(w, READ, bearer(key))).status).toBe(200);
  });

  it("does not open with the row's id and another secret, even while warm", async () => {
    const w = world();
    const key = await w.addKey(["commissions:read"]);
    await get(w, READ, bearer(key));
    const [record] = w.keys.values();
    w.keys.clear();
    const impostor = await w.addKey(["commissions:read"]);
    if (record !== undefined) w.keys.set(record.id, record);
    expect(impostor.slice(0, 36)).toBe(key.slice(0, 36));
    expect((await get(w, READ, bearer(impostor))).status).toBe(401);
    expect((await get(w, READ, bearer(key))).status).toBe(200);
  });

  it("has its last use written at most every five minutes, after the answer", async () => {
    const w = world();
    const key = await w.addKey(["commissions:read"]);
    for (let i = 0; i < 12; i++) {
      await get(w, READ, bearer(key));
      w.clock.now += 29_000;
    }
    await Promise.all(w.deferred);
    expect(w.counts.touched).toBe(2);
  });
});

describe("a scope", () => {
  it("opens its own routes and no others, and the refusal names it", async () => {
    const w = world();
    for (const held of ["payouts:write", "credits:write", "payouts:pay"] as const) {
      const key = await w.addKey([held]);
      for (const needed of SCOPES) {
        const answer = await get(w, `/v1/${needed.replace(":", "-")}`, bearer(key));
        const opens = needed === held || (held === "payouts:write" && needed === "payouts:read");
        expect(answer.status, `${held} at ${needed}`).toBe(opens ? 200 : 403);
        if (opens) continue;
        const problem = await problemIn(answer);
        expect([problem.code, problem.required_scope]).toEqual(["scope_not_held", needed]);
        expect(problem.detail).toContain(needed);
      }
    }
  });

  it("program:admin opens every route of its program, and not the root's", async () => {
    const w = world();
    const key = await w.addKey(["program:admin"]);
    for (const scope of SCOPES)
      expect((await get(w, `/v1/${scope.replace(":", "-")}`, bearer(key))).status).toBe(200);
    const problem = await problemIn(await get(w, "/v1/root", bearer(key)));
    expect([problem.status, problem.code]).toEqual([403, "forbidden"]);
  });
});

describe("the root key", () => {
  it("opens the root routes and nothing of a program", async () => {
    const w = world();
    expect((await get(w, "/v1/root", bearer(ROOT_KEY))).status).toBe(200);
    expect((await get(w, READ, bearer(ROOT_KEY))).status).toBe(403);
    for (const token of [`${ROOT_KEY}x`, ROOT_KEY.slice(0, -1), "root"]) {
      expect((await get(w, "/v1/root", bearer(token))).status).toBe(401);
    }
    expect((await get(w, "/v1/root", {})).status).toBe(401);
  });
});

describe("a route without a gate", () => {
  it("cannot reach a program by mistake", async () => {
    const w = world();
    const answer = await get(w, "/v1/public", bearer(await w.addKey(["program:admin"])));
    expect(answer.status).toBe(500);
  });
});
