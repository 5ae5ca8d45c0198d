// Bad input of every kind: each case has one answer, and none that is refused leaves a trace in any table.
import { beforeAll, describe, expect, it } from "vitest";
import file from "../fixtures/bad-inputs.json";
import type { BadCases } from "./bad-inputs-case.ts";
import { CHECKS, type Outcome, outcomeOf } from "./bad-inputs-checks.ts";
import { openScene, type Scene } from "./bad-inputs-scene.ts";
import { changedTables } from "./tables.ts";

const { cases, leftOut } = file as unknown as BadCases;

/** What no answer may hold: a stack, a statement, a path of ours, a driver's words. */
const INSIDE =
  /\n\s+at |\.ts:\d|node_modules|\/src\/|SQLITE|D1_ERROR|\b(SELECT|INSERT|UPDATE) .+\b(FROM|INTO|SET)\b/;

const PROBLEM_MEMBERS = {
  type: expect.stringMatching(/^\/problems\/[a-z_]+$/),
  title: expect.any(String),
  detail: expect.any(String),
  instance: expect.any(String),
  errors: expect.any(Array),
};

const expectProblem = ({ bad, seen }: Outcome): void => {
  expect(seen.headers.get("content-type")).toBe("application/problem+json");
  const body: unknown = JSON.parse(seen.text);
  expect(body).toMatchObject({
    ...PROBLEM_MEMBERS,
    status: bad.expect_status,
    code: bad.expect_code,
    request_id: seen.headers.get("x-request-id"),
  });
  expect(seen.text).not.toMatch(INSIDE);
};

const expectHeaders = ({ bad, seen }: Outcome): void => {
  expect(seen.headers.get("x-request-id")).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
  if (bad.expect_status === 401) expect(seen.headers.get("www-authenticate")).toBe("Bearer");
  if (bad.expect_status === 405) expect(seen.headers.get("allow")).toMatch(/GET, HEAD, POST/);
};

describe("bad input", () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene();
  });

  it.each(cases)("is answered $expect_status: $name", async (bad) => {
    const outcome = await outcomeOf(scene, bad);
    expect(outcome.seen.status, outcome.seen.text.slice(0, 500)).toBe(bad.expect_status);
    expectHeaders(outcome);
    if (bad.expect_status >= 400) expectProblem(outcome);
    if (bad.expect_status >= 400 || bad.method === "GET")
      expect(changedTables(outcome.before, outcome.after)).toEqual([]);
    for (const sentence of bad.asserts ?? []) {
      const check = CHECKS[sentence];
      if (check === undefined) throw new Error(`no check for: ${sentence}`);
      await check(outcome);
    }
  });

  it("leaves books that agree with themselves", async () => {
    expect(await scene.world.verify()).toMatchObject({ ok: true, findings: [] });
  });
});

describe("the file of bad inputs", () => {
  it("names each case once, with one status and the code of each refusal", () => {
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
    expect(cases.length).toBeGreaterThanOrEqual(135);
    for (const bad of cases) {
      expect(bad.expect_status, bad.name).toBeTypeOf("number");
      expect(bad.expect_code !== undefined, bad.name).toBe(bad.expect_status >= 400);
    }
  });

  it("leaves out little, and says why", () => {
    expect(leftOut.length).toBeLessThanOrEqual(3);
    for (const { name, reason } of leftOut) {
      expect(cases.map((bad) => bad.name)).not.toContain(name);
      expect(reason.length).toBeGreaterThan(10);
    }
  });
});
