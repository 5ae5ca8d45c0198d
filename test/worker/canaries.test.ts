// Nothing private gets out: words planted in names, accounts, notes and secrets are looked for in everything that others read.
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { inTables, KINDS, type Kind, openTrapped, type Trapped } from "./canaries-trap.ts";
import { breakProviders, fail, live, refuse } from "./canaries-walk.ts";

let trapped: Trapped;

/** A program's whole life, then everything that it must refuse, then everything that can break. */
beforeAll(async () => {
  trapped = await openTrapped();
  const ids = await live(trapped);
  await refuse(trapped, ids);
  await breakProviders(trapped);
  await fail(trapped, ids);
});

afterAll(() => void vi.restoreAllMocks());

type Place = readonly [where: string, text: string];

/** Which canary was heard where. */
const leaks = (places: readonly Place[], kinds: readonly Kind[] = KINDS): string[] => [
  ...new Set(
    places.flatMap(([where, text]) =>
      trapped.trap.found(text, kinds).map((canary) => `${canary} → ${where}`),
    ),
  ),
];

const isProblem = (headers: Headers): boolean =>
  (headers.get("content-type") ?? "").startsWith("application/problem+json");

describe("a canary", () => {
  test("was planted wherever text is taken, and every kind of answer was heard", () => {
    const { heard, lines, trap } = trapped;
    const statuses = new Set(heard.map(({ status }) => status));
    for (const status of [200, 201, 202, 400, 401, 403, 404, 415, 422, 500, 503])
      expect(statuses).toContain(status);
    expect(heard.filter(({ status }) => status >= 200 && status < 300).length).toBeGreaterThan(150);
    for (const kind of KINDS) expect(trap.planted.some((canary) => canary.kind === kind)).toBe(true);
    expect(trap.planted.length).toBeGreaterThan(3_000);
    expect(lines.filter((line) => line.includes('"event":"fault"')).length).toBeGreaterThan(100);
    expect(trapped.sent().length).toBeGreaterThan(50);
  });

  test("is found where it belongs, so that it is not the looking that fails", async () => {
    const answers = trapped.heard.map(({ request, text }): Place => [request, text]);
    expect(leaks(answers, ["person"])).not.toEqual([]);
    expect(leaks(answers, ["note"])).not.toEqual([]);
    const found = await inTables(trapped, ["person", "email"]);
    expect(found["affiliates"]?.length).toBeGreaterThan(3);
    const said = await inTables(trapped, ["provider"]);
    expect(said["payouts"]).toEqual(["provider: a provider's words"]);
  });

  test("is in no log line, neither of ours nor of the console", () => {
    expect(leaks(trapped.lines.map((line) => [line, line]))).toEqual([]);
  });

  test("is in no problem, and in nothing that breaks off", () => {
    const problems = trapped.heard.filter(({ headers, status }) => isProblem(headers) || status === 0);
    expect(problems.length).toBeGreaterThan(400);
    expect(
      leaks(problems.map(({ request, status, text }) => [`${request} ${status}: ${text}`, text])),
    ).toEqual([]);
  });

  test("is in no event, and in nothing that subscribers are sent", async () => {
    const { data } = await trapped.ok<{ data: object[] }>("GET", "/v1/events?after=0&limit=200");
    expect(data).toHaveLength(200);
    const events = data.map((event) => JSON.stringify(event));
    expect(leaks([...events, ...trapped.sent()].map((text) => [text, text]))).toEqual([]);
    const tables = await inTables(trapped, KINDS);
    for (const table of ["events", "deliveries"]) expect([table, tables[table]]).toEqual([table, undefined]);
  });

  test("of a person stands in the rows that need it and in no turn; of an account or a secret in none", async () => {
    expect(await inTables(trapped, ["bank", "secret"])).toEqual({});
    expect(await inTables(trapped, ["tax"])).toEqual({ programs: ["tax: the merchant's VAT id"] });
    const { affiliates: _own, ...people } = await inTables(trapped, ["person", "email"]);
    expect(people).toEqual({
      attempts: ["email: PayPal address"],
      stripe_onboardings: ["email: new e-mail"],
    });
  });

  test("of a secret is shown once, where it is made; of an account or a tax number where it is read by whoever pays", () => {
    const of = (request: string): string => request.replaceAll(/(?:aff|key|po|fil)_\w+/g, "{id}");
    const answers = trapped.heard.map(({ request, text }): Place => [of(request), text]);
    expect(leaks(answers, ["secret"]).sort()).toEqual([
      "secret: a key → POST /v1/api-keys",
      "secret: a portal token → POST /v1/affiliates/{id}/portal-links",
      "secret: a rotated key → POST /v1/api-keys/{id}/rotate",
      "secret: a webhook's secret → POST /v1/webhook-endpoints",
    ]);
    expect(leaks(answers, ["bank"]).sort()).toEqual([
      "bank: IBAN → GET /v1/payout-files/{id}/content",
      "bank: account name → GET /v1/payout-files/{id}/content",
    ]);
    const elsewhere = answers.filter(([request]) => !/statement$|\/v1\/program$/.test(request));
    expect(leaks(elsewhere, ["tax", "header", "provider"])).toEqual([]);
  });

  test("is in no header of an answer", () => {
    const heads = trapped.heard.map(({ request, headers }): Place => [request, JSON.stringify([...headers])]);
    expect(leaks(heads)).toEqual([]);
  });
});
