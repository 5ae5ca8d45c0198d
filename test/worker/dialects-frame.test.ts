// Who answers a path, and in whose words: vendors on their own ground, the canonical API on its own, and the key between them.
import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { affihub } from "../../src/dialects/affihub.ts";
import { affonso } from "../../src/dialects/affonso.ts";
import { ALL_DIALECTS } from "../../src/dialects/all.ts";
import { fromDecimal, toNumber } from "../../src/dialects/amounts.ts";
import { SCOPES } from "../../src/domain/api-key.ts";
import type { Dialect } from "../../src/http/dialect.ts";
import { type Canonical, chosenBy, claimantsOf, paramsOf } from "../../src/http/dialect-paths.ts";
import { asKey, type Headers, keyOf, payoutAt } from "./dialects-scene.ts";
import { readOperations } from "./isolation-matrix.ts";
import { type OpenApi, operationsOf, refsIn } from "./openapi-checks.ts";
import { changedTables, readTables } from "./tables.ts";
import { type Loose, openWorld, ROOT_KEY, type World } from "./world.ts";

const self = (exports as unknown as { default: Fetcher }).default;

/** Whose words an answer is in. */
const speakerOf = (body: unknown): string => {
  const said = body as Loose & { error?: Loose; success?: boolean; type?: string; pagination?: object };
  if (said.type?.startsWith("/problems/")) return "canonical";
  if (said.success !== undefined) return "affonso";
  if (said.error !== undefined || said["per_page"] !== undefined) return "affihub";
  return "canonical";
};

interface Row {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly by: string;
}

const row = (line: string): Row => {
  const [method = "", path = "", status = "", by = ""] = line.trim().split(/\s+/);
  return { method, path, status: Number(status), by };
};

/** {id} is a payout's. Without a key that was minted for a vendor. */
const OWNERS = `
  GET    /api/v1/payouts                            200 affihub
  GET    /api/v1/payouts?colour=red                 200 affihub
  PATCH  /api/v1/payouts/{id}                       409 affihub
  DELETE /api/v1/payouts                            405 affihub
  GET    /api/v1/payouts/{id}                       405 affihub
  GET    /api/v1/nothing                            404 affihub
  GET    /api/v1                                    404 affihub
  GET    /api                                       404 canonical
  GET    /api/v2/payouts                            404 canonical
  PUT    /v1/payouts/{id}                           400 affonso
  PUT    /v1/payouts/generate                       400 affonso
  GET    /v1/payouts                                200 canonical
  GET    /v1/payouts/{id}                           200 canonical
  GET    /v1/payouts/{id}?colour=red                422 canonical
  PATCH  /v1/payouts/{id}                           422 canonical
  DELETE /v1/payouts/{id}                           405 canonical
  GET    /v1/payouts/payable                        200 canonical
  GET    /v1/affiliates                             200 canonical
  GET    /v1/nothing                                404 canonical
  POST   /v1/conversions                            501 affonso
  GET    /v1/coupons/c-1                            501 affonso
  GET    /dialects/affonso/v1/payouts               200 affonso
  GET    /dialects/affonso/v1/payouts/{id}          200 affonso
  PUT    /dialects/affonso/v1/payouts/{id}          400 affonso
  DELETE /dialects/affonso/v1/payouts/{id}          405 affonso
  GET    /dialects/affonso/v1/affiliates            501 affonso
  GET    /dialects/affonso/v1/nothing               404 affonso
  GET    /dialects/affonso/api/v1/payouts           404 affonso
  GET    /dialects/affonso                          404 affonso
  GET    /dialects/affihub/api/v1/payouts           200 affihub
  GET    /dialects/affihub/v1/payouts               404 affihub
  PATCH  /dialects/affihub/api/v1/payouts/{id}      409 affihub
  GET    /dialects/esperanto/v1/payouts             404 canonical
  GET    /dialects                                  404 canonical
`
  .trim()
  .split("\n")
  .map(row);

/** The same with a key minted for Affonso: where both have the path, Affonso answers. */
const FOR_AFFONSO = `
  GET    /v1/payouts                                200 affonso
  GET    /v1/payouts?colour=red                     200 affonso
  GET    /v1/payouts?status=paid                    400 affonso
  GET    /v1/payouts/{id}                           200 affonso
  GET    /v1/payouts/nothing                        404 affonso
  DELETE /v1/payouts/{id}                           405 affonso
  GET    /v1/payouts/payable                        200 canonical
  POST   /v1/payouts/generate                       422 canonical
  GET    /v1/affiliates                             200 canonical
  GET    /v1/nothing                                404 canonical
  GET    /api/v1/payouts                            200 affihub
`
  .trim()
  .split("\n")
  .map(row);

/** What an empty body would not be refused for, so that nothing but the path is asked about. */
const bodyOf = ({ method, path }: Row): object | undefined => {
  if (method === "GET" || method === "DELETE") return undefined;
  return path.startsWith("/api") || path.includes("affihub") ? { status: "requested" } : {};
};

const askAll = async (world: World, rows: readonly Row[], id: string, headers: Headers) =>
  Promise.all(
    rows.map(async (one) => {
      const path = one.path.replace("{id}", id);
      const answer = await world.call(one.method, path, bodyOf(one), headers);
      expect(answer.headers.get("x-request-id"), path).toMatch(/^req_/);
      if (answer.status === 405) expect(answer.headers.get("allow"), path).toMatch(/^[A-Z, ]+$/);
      return { ...one, status: answer.status, by: speakerOf(answer.body) };
    }),
  );

describe("a path", () => {
  it("has the owner that the table says, with a key of no vendor", async () => {
    const world = await openWorld();
    const id = await payoutAt(world, "pending");
    expect(await askAll(world, OWNERS, id, {})).toEqual(OWNERS);
    const key = await keyOf(world, { dialect: "affihub" });
    expect(await askAll(world, OWNERS, id, key)).toEqual(OWNERS);
  });

  it("that two have is the vendor's whose key asks", async () => {
    const world = await openWorld();
    const id = await payoutAt(world, "pending");
    expect(await askAll(world, FOR_AFFONSO, id, await keyOf(world, { dialect: "affonso" }))).toEqual(
      FOR_AFFONSO,
    );
  });

  it("is its owner's before the key is known, and canonical where two have it", async () => {
    const world = await openWorld();
    const id = await payoutAt(world, "pending");
    const guarded = ({ status }: Row) => ![404, 405, 501].includes(status);
    const before = await readTables();
    for (const headers of [{ authorization: "" }, asKey("sk_live_x"), asKey(`${world.program.key}x`)]) {
      const asked = await askAll(world, OWNERS, id, headers);
      expect(asked).toEqual(OWNERS.map((one) => (guarded(one) ? { ...one, status: 401 } : one)));
    }
    expect(changedTables(before, await readTables())).toEqual([]);
  });

  it("opens to no root key and no portal token", async () => {
    const world = await openWorld();
    const affiliateId = await world.affiliate();
    const { url } = await world.ok("POST", `/v1/affiliates/${affiliateId}/portal-links`, {});
    const token = String(url).split(/[#=/]/).at(-1) ?? "";
    for (const key of [ROOT_KEY, token])
      for (const path of ["/api/v1/payouts", "/dialects/affonso/v1/payouts"]) {
        const answer = await world.call("GET", path, undefined, asKey(key));
        expect([answer.status, speakerOf(answer.body)], path).toEqual([
          403,
          path.split("/")[2] === "v1" ? "affihub" : "affonso",
        ]);
      }
  });

  it("answers HEAD as GET, without a body, and OPTIONS as 405", async () => {
    const world = await openWorld();
    const headers = asKey(world.program.key);
    const head = await self.fetch("http://stipend.test/api/v1/payouts", { method: "HEAD", headers });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    const options = await self.fetch("http://stipend.test/api/v1/payouts", { method: "OPTIONS", headers });
    expect([options.status, options.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });

  it("keeps an escaped slash inside an id, and refuses what does not decode", async () => {
    const world = await openWorld();
    const slash = await world.call("GET", "/dialects/affonso/v1/payouts/a%2Fb", undefined);
    expect([slash.status, speakerOf(slash.body)]).toEqual([404, "affonso"]);
    expect((await world.call("GET", "/api/v1/payouts/%ff")).status).toBe(400);
  });
});

describe("every route of every dialect", () => {
  const routes = ALL_DIALECTS.flatMap((dialect) => dialect.routes.map((route) => ({ dialect, route })));
  const pathOf = (dialect: Dialect, path: string) =>
    `/dialects/${dialect.name}${path.replaceAll(/\{\w+\}/g, "po_01JZ0000000000000000000000")}`;

  it("is 401 without a key and 403 without its scope, in the vendor's words", async () => {
    const world = await openWorld();
    const before = await readTables();
    for (const { dialect, route } of routes) {
      const name = `${dialect.name} ${route.method} ${route.path}`;
      const body = route.method === "GET" ? undefined : {};
      const ask = (headers: Headers) => world.call(route.method, pathOf(dialect, route.path), body, headers);
      const nobody = await ask({ authorization: "" });
      expect([nobody.status, nobody.headers.get("www-authenticate")], name).toEqual([401, "Bearer"]);
      expect(dialect.errorSchema.safeParse(nobody.body).success, name).toBe(true);
    }
    expect(changedTables(before, await readTables())).toEqual([]);
    for (const { dialect, route } of routes) {
      const name = `${dialect.name} ${route.method} ${route.path}`;
      const needed = [route.scope].flat() as string[];
      const opening = [
        "program:admin",
        ...needed,
        ...needed.map((scope) => scope.replace(/:read$/, ":write")),
      ];
      const scopes = SCOPES.filter((scope) => !opening.includes(scope));
      const body = route.method === "GET" ? undefined : {};
      const key = await keyOf(world, { scopes });
      const refused = await world.call(route.method, pathOf(dialect, route.path), body, key);
      expect([name, refused.status]).toEqual([name, 403]);
      expect(dialect.errorSchema.safeParse(refused.body).success, name).toBe(true);
    }
  });

  it("needs a scope that keys can hold, and has a path of its own", () => {
    const names = routes.map(({ dialect, route }) => `${dialect.name} ${route.method} ${route.path}`);
    expect(new Set(names).size).toBe(names.length);
    for (const { route } of routes)
      for (const scope of [route.scope].flat()) expect(SCOPES as readonly string[]).toContain(scope);
    for (const { unserved, routes: served } of ALL_DIALECTS)
      for (const { method, path } of unserved)
        expect(
          served.filter((route) => route.method === method && paramsOf(route.path, path)),
          path,
        ).toEqual([]);
  });

  it("at the root is contested by no second vendor where the canonical API has no say", async () => {
    await openWorld();
    const canonical = new Set(
      (await readOperations()).map(({ method, path }) => `${method} ${path.replaceAll(/\{\w+\}/g, "{}")}`),
    );
    const owners = new Map<string, string[]>();
    for (const { dialect, route } of routes.filter((one) => one.route.atRoot !== false)) {
      const name = `${route.method} ${route.path.replaceAll(/\{\w+\}/g, "{}")}`;
      owners.set(name, [...(owners.get(name) ?? []), dialect.name]);
    }
    expect([...owners].filter(([name, vendors]) => vendors.length > 1 && !canonical.has(name))).toEqual([]);
    const shared = [...owners].filter(([name]) => canonical.has(name)).map(([name]) => name);
    expect(["GET /v1/payouts", "GET /v1/payouts/{}", "POST /v1/payouts"]).toEqual(
      expect.arrayContaining(shared),
    );
  });
});

describe("the document of a dialect", () => {
  it.each(ALL_DIALECTS.map((dialect) => [dialect.name, dialect] as const))(
    "%s is OpenAPI 3.1 with each of its routes, and what it does not serve",
    async (name, dialect) => {
      await openWorld();
      const answer = await self.fetch(`http://stipend.test/dialects/${name}/openapi.json`);
      expect(answer.status).toBe(200);
      const document = (await answer.json()) as OpenApi;
      expect(document.openapi).toMatch(/^3\.1\.\d+$/);
      expect(document.servers).toEqual([{ url: `http://stipend.test/dialects/${name}` }]);
      const operations = Object.fromEntries(operationsOf(document));
      const expected = [...dialect.routes, ...dialect.unserved].map(
        ({ method, path }) => `${method} ${path}`,
      );
      expect(Object.keys(operations).sort()).toEqual(expected.sort());
      const ids = Object.values(operations).map(({ operationId }) => operationId);
      expect(new Set(ids).size).toBe(ids.length);
      expect(refsIn(document)).toEqual([]);
      for (const { method, path, source } of dialect.routes) {
        const operation = operations[`${method} ${path}`] as unknown as Record<string, unknown>;
        expect(operation["x-source"]).toBe(source);
        const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, param]) => param);
        const parameters = operation["parameters"] as { name: string; in: string }[];
        expect(parameters.filter((one) => one.in === "path").map((one) => one.name)).toEqual(inPath);
      }
    },
  );

  it("lists what a client may send, with its bounds", async () => {
    await openWorld();
    const answer = await self.fetch("http://stipend.test/dialects/affonso/openapi.json");
    const { paths } = (await answer.json()) as OpenApi;
    expect(paths["/v1/payouts"]?.["get"]?.parameters).toContainEqual({
      name: "limit",
      in: "query",
      required: false,
      schema: { type: "integer", minimum: 1, maximum: 200, description: "50 unless given." },
    });
    expect(paths["/v1/payouts/{id}"]?.["put"]).toMatchObject({
      requestBody: {
        content: {
          "application/json": {
            schema: {
              properties: { status: { enum: ["pending", "processing", "completed", "failed", "cancelled"] } },
            },
          },
        },
      },
    });
    expect((await self.fetch("http://stipend.test/dialects/esperanto/openapi.json")).status).toBe(404);
  });
});

const nothing: Canonical = { served: undefined, known: () => false };

describe("claims", () => {
  const claimed = (method: string, path: string, canonical: Canonical = nothing) =>
    claimantsOf([affihub, affonso], method, path, canonical).map((one) =>
      one === "canonical" ? one : `${one.dialect.name}:${one.found.kind}`,
    );

  it("go to the nearest pattern, whoever has it", () => {
    const payable = { served: "/v1/payouts/payable", known: () => true };
    expect(claimed("GET", "/v1/payouts/payable", payable)).toEqual(["canonical"]);
    const one = { served: "/v1/payouts/:payout_id", known: () => true };
    expect(claimed("GET", "/v1/payouts/po_1", one)).toEqual(["canonical", "affonso:route"]);
    expect(claimed("PUT", "/v1/payouts/po_1", { served: undefined, known: () => true })).toEqual([
      "affonso:route",
    ]);
    expect(claimed("DELETE", "/v1/payouts/po_1", { served: undefined, known: () => true })).toEqual([
      "canonical",
      "affonso:method",
    ]);
    expect(claimed("POST", "/v1/events", { served: undefined, known: () => true })).toEqual(["canonical"]);
    expect(claimed("POST", "/v1/events")).toEqual(["affonso:unserved"]);
    expect(claimed("GET", "/v1/payouts//", nothing)).toEqual(["canonical"]);
  });

  it("of two vendors without the canonical API are the key's, else nobody's", () => {
    const both = claimantsOf([affonso, { ...affonso, name: "loop" }], "GET", "/v1/payouts", nothing);
    expect(both).toHaveLength(2);
    expect(chosenBy(both, null)).toBe("canonical");
    const chosen = chosenBy(both, "loop");
    expect(chosen !== "canonical" && chosen.dialect.name).toBe("loop");
  });
});

describe("a decimal amount", () => {
  it("becomes minor units exactly, or nothing", () => {
    const cases: [number | string, string, number | undefined][] = [
      [25, "USD", 2_500],
      [0.1, "USD", 10],
      [19.99, "USD", 1_999],
      ["1.10", "EUR", 110],
      [1.005, "USD", undefined],
      [1.001, "KWD", 1_001],
      [12, "JPY", 12],
      [12.5, "JPY", undefined],
      ["12.0", "JPY", 12],
      [0, "USD", undefined],
      [-1, "USD", undefined],
      [1e21, "USD", undefined],
      [1e-7, "USD", undefined],
      ["1e3", "USD", undefined],
      [Number.NaN, "USD", undefined],
      [999_999_999.99, "USD", 99_999_999_999],
      [1_000_000_000, "USD", undefined],
    ];
    for (const [value, currency, amount] of cases)
      expect([value, currency, fromDecimal(value, currency)]).toEqual([value, currency, amount]);
  });

  it("is written from minor units without a rounding", () => {
    for (const amount of [1, 10, 1_999, 99_999_999_999, 123_456_789_012_345])
      expect(fromDecimal(toNumber(amount, "USD"), "USD") ?? amount).toBe(amount);
    expect([toNumber(15_000, "USD"), toNumber(1_001, "KWD"), toNumber(7, "JPY")]).toEqual([150, 1.001, 7]);
    expect(() => toNumber(9_007_199_254_740_991, "USD")).toThrow("does not fit");
  });
});
