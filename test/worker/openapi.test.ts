// The reference: a whole OpenAPI 3.1 document of the routes as they are, and answers that are as it says.
import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { SCOPES } from "../../src/domain/api-key.ts";
import { violations } from "../support/json-schema.ts";
import { GOOD, openEdge, WISE_PROFILE } from "./credentials-providers.ts";
import { COMMANDS } from "./idempotency-commands.ts";
import { BODIES, ownedBy, pathFor, readDocument, readOperations } from "./isolation-matrix.ts";
import {
  narrowFor,
  type OpenApi,
  type Operation,
  operationsOf,
  refsIn,
  resolves,
  schemasOf,
} from "./openapi-checks.ts";
import { type Answer, type Loose, openWorld, ROOT_KEY, type World } from "./world.ts";

const self = (exports as unknown as { default: Fetcher }).default;

const read = async (): Promise<OpenApi> => {
  await openWorld();
  return readDocument<OpenApi>();
};

const isCallback = (name: string): boolean => name.startsWith("POST /v1/callbacks/");

/** Answers that are files or pages. */
const OTHER_TYPES: Readonly<Record<string, readonly string[]>> = {
  "GET /v1/payouts/export.csv": ["text/csv"],
  "GET /v1/commissions/export.csv": ["text/csv"],
  "GET /v1/ledger/export.csv": ["text/csv"],
  "GET /v1/reports/tax-year.csv": ["text/csv"],
  "GET /v1/payouts/{payout_id}/statement": ["text/html"],
  "GET /v1/payout-files/{file_id}/content": ["application/xml", "text/csv"],
};

describe("the document", () => {
  it("is OpenAPI 3.1 in which every reference leads somewhere", async () => {
    const document = await read();
    expect(document.openapi).toMatch(/^3\.1\.\d+$/);
    expect(document.info).toMatchObject({ title: "Stipend", version: "1" });
    expect(document.servers).toEqual([{ url: "http://stipend.test" }]);
    const refs = [...new Set(refsIn(document))];
    expect(refs.length).toBeGreaterThan(10);
    expect(refs.filter((ref) => !resolves(document, ref))).toEqual([]);
    const unused = Object.keys(document.components.schemas).filter(
      (name) => !refs.includes(`#/components/schemas/${name}`),
    );
    expect(unused).toEqual([]);
  });

  it("names each operation once, says in a line what it does and who may call it", async () => {
    const operations = operationsOf(await read());
    const bare = (name: string) => name.replaceAll(/\{\w+\}/g, "{}");
    expect(new Set(operations.map(([name]) => bare(name))).size).toBe(operations.length);
    const ids = operations.flatMap(([, { operationId }]) => operationId ?? []);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [name, { summary, tags, security, "x-required-scope": needs }] of operations) {
      expect(summary, name).toMatch(/^[A-Z][^\n]{5,100}[^.]$/);
      expect(tags, name).toHaveLength(1);
      const isPublic = name === "GET /health" || isCallback(name);
      expect(security, name).toEqual(isPublic ? [] : [{ bearer: [] }]);
      expect(isPublic || needs === "root" || (SCOPES as readonly string[]).includes(needs ?? ""), name).toBe(
        true,
      );
    }
  });

  it("lists what an operation answers, and every refusal as a problem", async () => {
    for (const [name, { responses }] of operationsOf(await read())) {
      const successes = Object.keys(responses).filter((status) => status.startsWith("2"));
      expect(successes.length, name).toBeGreaterThan(0);
      for (const [status, { description, content }] of Object.entries(responses)) {
        expect(description, `${name} ${status}`).toMatch(/\S/);
        const types = Object.keys(content ?? {});
        const expected =
          status === "204"
            ? []
            : status.startsWith("2")
              ? (OTHER_TYPES[name] ?? ["application/json"])
              : ["application/problem+json"];
        expect(types, `${name} ${status}`).toEqual(expected);
      }
      for (const status of ["400", "401", "403", "404", "409", "413", "415", "422", "429", "503"])
        expect(responses[status], `${name} ${status}`).toBeDefined();
    }
  });

  it("declares every parameter of its path, and of lists how to page", async () => {
    const credentials = ["stripe", "paypal", "wise"].map((name) => `GET /v1/program/credentials/${name}`);
    const single = ["GET /v1/program", "GET /v1/ledger/verify", "GET /v1/reports/summary"];
    const ofAffiliate = ["GET /v1/affiliates/{affiliate_id}/tax-form"];
    const unpaged = [...single, ...ofAffiliate, ...credentials, ...Object.keys(OTHER_TYPES)];
    for (const [name, { parameters = [] }] of operationsOf(await read())) {
      const inPath = [...name.matchAll(/\{(\w+)\}/g)].map(([, param]) => param);
      const declared = parameters.filter((parameter) => parameter.in === "path");
      expect(declared.map((parameter) => parameter.name).sort(), name).toEqual(inPath.sort());
      expect(
        declared.every((parameter) => parameter.required === true),
        name,
      ).toBe(true);
      const isList = name.startsWith("GET /v1/") && !name.endsWith("}") && !unpaged.includes(name);
      const queries = parameters
        .filter((parameter) => parameter.in === "query")
        .map((parameter) => parameter.name);
      if (isList && !name.endsWith("/balance"))
        expect(queries, name).toEqual(expect.arrayContaining(["limit", "cursor"]));
    }
  });

  it("closes every request body to fields that it does not name", async () => {
    for (const [name, { requestBody }] of operationsOf(await read())) {
      if (requestBody === undefined) continue;
      expect(Object.keys(requestBody.content), name).toEqual(["application/json"]);
      const schema = requestBody.content["application/json"]?.schema as {
        oneOf?: object[];
        anyOf?: object[];
      };
      for (const option of schema.oneOf ?? schema.anyOf ?? [schema])
        expect(option, name).toMatchObject({ type: "object", additionalProperties: false });
    }
  });
});

const schemaOf = (operation: Operation | undefined, status: number): unknown =>
  Object.values(operation?.responses[String(status)]?.content ?? {})[0]?.schema;

const expectAsDocumented = (document: OpenApi, name: string, { status, body }: Answer<unknown>): void => {
  const schema = schemaOf(Object.fromEntries(operationsOf(document))[name], status);
  expect(schema, `${name} ${status}`).toBeDefined();
  expect(violations(body, narrowFor(document)(schema), schemasOf(document)), `${name} ${status}`).toEqual([]);
};

const asRoot = { authorization: `Bearer ${ROOT_KEY}` };

/** A program in which there is one of each thing to read. */
const lived = async (): Promise<World> => {
  const world = await openWorld({ minimum_payout: { EUR: 1_000 } });
  const { id } = await world.stripeAffiliate({ external_id: "ada", metadata: { level: 1, vip: true } });
  await world.sale(id, 500, { metadata: { campaign: "autumn" } });
  await world.sale(id, 500, { currency: "EUR" });
  await world.sale(id, 500, { status: "pending" });
  const [payout] = (await world.generate()).payouts;
  await world.ok("POST", `/v1/payouts/${payout?.id}/pay`, {}, { prefer: "wait=10" });
  openEdge();
  const [paypal, wise] = [
    { client_id: "app", client_secret: GOOD },
    { api_token: GOOD, profile_id: WISE_PROFILE },
  ];
  await world.ok("PUT", "/v1/program/credentials/paypal", paypal);
  await world.ok("PUT", "/v1/program/credentials/wise", wise);
  return world;
};

describe("an answer", () => {
  it("of every read is as the reference says, with no field that it does not name", async () => {
    const world = await lived();
    const [document, operations, owned] = [
      await readDocument<OpenApi>(),
      await readOperations(),
      await ownedBy(world),
    ];
    for (const operation of operations.filter(
      ({ method, name }) => method === "GET" && OTHER_TYPES[name] === undefined,
    )) {
      const headers = operation.needs === "root" ? asRoot : {};
      const answer = await world.call(operation.method, pathFor(operation, { ...owned }), undefined, headers);
      expect(answer.status, operation.name).toBe(200);
      expectAsDocumented(document, operation.name, answer);
    }
  });

  it.each(Object.keys(COMMANDS))("of a command is as the reference says: %s", async (name) => {
    const world = await openWorld();
    const command = await COMMANDS[name]?.(world);
    if (command === undefined) throw new Error(`no command ${name}`);
    const { method, path, body } = command.call;
    expectAsDocumented(await readDocument<OpenApi>(), name, await world.call(method, path, body));
  });

  it("of what makes and changes programs, keys and affiliates is as the reference says", async () => {
    const world = await lived();
    const [document, operations, owned] = [
      await readDocument<OpenApi>(),
      await readOperations(),
      await ownedBy(world),
    ];
    const asked = operations.filter(
      ({ name, method }) => method !== "GET" && method !== "DELETE" && COMMANDS[name] === undefined,
    );
    const verbs = /\/(payout-requests|store-credit\/\w+)$/;
    for (const operation of asked.filter(({ name }) => !verbs.test(name) && !isCallback(name))) {
      const body =
        operation.name === "PUT /v1/program/credentials/stripe"
          ? { secret_key: `sk_test_${world.program.id.slice(4)}_k` }
          : BODIES[operation.name]?.(owned);
      const headers = operation.needs === "root" ? asRoot : {};
      const answer = await world.call(operation.method, pathFor(operation, { ...owned }), body, headers);
      expect(answer.status, `${operation.name} ${JSON.stringify(answer.body)}`).toBeLessThan(300);
      expectAsDocumented(document, operation.name, answer);
    }
  });

  it("of what spends store credit and gives it back is as the reference says", async () => {
    const world = await openWorld();
    const id = await world.affiliate();
    await world.ok("PUT", `/v1/affiliates/${id}/payout-method`, { payout_method: "store_credit" });
    await world.sale(id, 1_000);
    const [payout] = (await world.generate()).payouts;
    await world.ok("POST", `/v1/payouts/${payout?.id}/pay`, {}, { prefer: "wait=10" });
    const [document, owned] = [await readDocument<OpenApi>(), await ownedBy(world)];
    for (const name of ["spend", "refund"]) {
      const path = `/v1/affiliates/{affiliate_id}/store-credit/${name}`;
      const body = BODIES[`POST ${path}`]?.(owned);
      for (const status of [201, 200]) {
        const answer = await world.call("POST", path.replace("{affiliate_id}", id), body);
        expect(answer.status).toBe(status);
        expectAsDocumented(document, `POST ${path}`, answer);
      }
    }
  });

  it("that refuses is the problem of the reference", async () => {
    const world = await openWorld();
    const document = await readDocument<OpenApi>();
    for (const [path, body] of [
      ["/v1/commissions", { colour: "red" }],
      ["/v1/payouts", { affiliate_id: "aff_nobody", currency: "USD", commission_ids: ["com_nothing"] }],
    ] as const)
      expectAsDocumented(document, `POST ${path}`, await world.call("POST", path, body));
  });

  it("of a generate is as the reference says, previewed or made, with somebody skipped", async () => {
    const world = await lived();
    const document = await readDocument<OpenApi>();
    await world.sale(await world.affiliate(), 700);
    for (const dry_run of [true, false]) {
      const answer = await world.call<Loose>("POST", "/v1/payouts/generate", {
        period_end: "2026-11-01",
        dry_run,
      });
      expect(answer.body["skipped"]).not.toEqual([]);
      expectAsDocumented(document, "POST /v1/payouts/generate", answer);
    }
  });
});

describe("the page of the reference", () => {
  it("needs nothing from another host, and its policy allows nothing else", async () => {
    await openWorld();
    const page = await self.fetch("http://stipend.test/docs");
    const html = await page.text();
    expect(page.headers.get("content-type")).toContain("text/html");
    expect(html).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
    expect(page.headers.get("content-security-policy")).not.toMatch(/https?:|\*/);
    const files = [...html.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path ?? "");
    expect(files.length).toBe(3);
    for (const path of files) {
      const file = await self.fetch(`http://stipend.test${path}`);
      expect([path, file.status]).toEqual([path, 200]);
      expect((await file.text()).length, path).toBeGreaterThan(50);
    }
  });
});

describe("/health", () => {
  it("answers without a key", async () => {
    await openWorld();
    const answer = await self.fetch("http://stipend.test/health");
    expect([answer.status, await answer.json()]).toEqual([200, { status: "ok" }]);
  });
});
