// Every answer of the edge that is a "no", and what every answer carries.
import { describe, expect, it } from "vitest";
import { REFUSAL_CODES, Refused } from "../../src/domain/refusals.ts";
import type { StipendApp } from "../../src/http/env.ts";
import { PROBLEM_CODES, problemPage } from "../../src/http/problem.ts";
import { makeWorld, problemIn, type World } from "../support/http-world.ts";

const throwing = (thrown: unknown): World =>
  makeWorld((app: StipendApp) => {
    app.get("/throws", () => {
      throw thrown;
    });
  });

const problemOfThrown = async (thrown: unknown) => {
  const world = throwing(thrown);
  const answer = await world.app.request("/throws");
  return { answer, problem: await problemIn(answer.clone()), lines: world.lines, text: await answer.text() };
};

describe("a refusal", () => {
  it("is problem+json with every member of the contract", async () => {
    const facts = { payout_id: "po_1", missing_amount: 5 };
    const refusal = {
      code: "below_minimum",
      detail: "5.00 EUR are missing.",
      pointer: "/amount",
      facts,
    } as const;
    const { answer, problem, lines } = await problemOfThrown(new Refused(refusal));
    expect(answer.status).toBe(422);
    expect(problem).toEqual({
      type: "/problems/below_minimum",
      title: "Below the minimum payout",
      status: 422,
      detail: "5.00 EUR are missing.",
      instance: `urn:request:${answer.headers.get("x-request-id")}`,
      code: "below_minimum",
      request_id: answer.headers.get("x-request-id"),
      errors: [{ pointer: "/amount", detail: "5.00 EUR are missing." }],
      payout_id: "po_1",
      missing_amount: 5,
    });
    expect(lines.map((line) => line.event)).toEqual(["request"]);
  });

  it("of something that is not there tells nothing more", async () => {
    const facts = { program_id: "prg_other" };
    const refusal = { code: "payout_not_found", detail: "belongs to prg_other", facts } as const;
    const { text, answer } = await problemOfThrown(new Refused(refusal));
    expect(answer.status).toBe(404);
    expect(text).not.toContain("prg_other");
  });

  it("cannot rewrite the members of the contract with its facts", async () => {
    const facts = { status: 200, code: "fine" };
    const { problem } = await problemOfThrown(
      new Refused({ code: "nothing_due", detail: "Nothing.", facts }),
    );
    expect([problem.status, problem.code]).toEqual([422, "nothing_due"]);
  });

  it("has a status of its own for every code, and a page", async () => {
    for (const code of REFUSAL_CODES) {
      const { answer } = await problemOfThrown(new Refused({ code, detail: "No." }));
      expect([403, 404, 409, 422], code).toContain(answer.status);
      if (code.endsWith("_not_found") && code !== "account_not_found") expect(answer.status, code).toBe(404);
    }
    const { app } = makeWorld();
    for (const code of PROBLEM_CODES) {
      const page = await app.request(`/problems/${code}`);
      expect(page.status).toBe(200);
      expect(await page.text()).toBe(problemPage(code));
    }
    expect((await app.request("/problems/toString")).status).toBe(404);
  });
});

describe("a fault", () => {
  const query = "Failed query: select * from keys where name = ?\nparams: CANARY-1,CANARY-2";

  it("answers 500 without the driver's words, and logs no statement and no parameter", async () => {
    const cause = new Error('D1_ERROR: near "CANARY-3": syntax error at offset 7: SQLITE_ERROR');
    const { answer, text, lines, problem } = await problemOfThrown(new Error(query, { cause }));
    expect(answer.status).toBe(500);
    expect(problem.code).toBe("internal");
    expect(text).not.toMatch(/CANARY|select|D1|SQLITE/);
    const fault = lines.find((line) => line.event === "fault");
    expect(fault).toMatchObject({ name: "Error", request_id: answer.headers.get("x-request-id") });
    expect(fault?.message).toContain("D1_ERROR: near …: syntax error");
    expect(JSON.stringify(lines)).not.toMatch(/CANARY|select/);
  });

  it("quotes no input in the log", async () => {
    const { lines } = await problemOfThrown(
      new SyntaxError(`Unexpected token 'C', "CANARY-4 it's" is not valid JSON`),
    );
    expect(JSON.stringify(lines)).not.toContain("CANARY");
  });

  it.each([
    "D1_ERROR: D1 DB is overloaded. Requests queued for too long.",
    "D1_ERROR: Network connection lost.",
    "D1_ERROR: storage caused object to be reset",
  ])("that passes is 503 with Retry-After: %s", async (message) => {
    for (const thrown of [new Error(message), new Error(query, { cause: new Error(message) })]) {
      const { answer, problem } = await problemOfThrown(thrown);
      expect([answer.status, problem.code]).toEqual([503, "busy"]);
      expect(answer.headers.get("retry-after")).toBe("1");
    }
  });

  it("may say itself when to try again", async () => {
    const { answer } = await problemOfThrown(Object.assign(new Error("busy"), { retryAfterS: 2.1 }));
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "3"]);
    expect(
      (await problemOfThrown(Object.assign(new Error("gone"), { overloaded: true }))).answer.status,
    ).toBe(503);
  });

  it("need not even be an Error", async () => {
    for (const thrown of ["CANARY", undefined, null, { message: "CANARY" }]) {
      const { answer, text, lines } = await problemOfThrown(thrown);
      expect(answer.status).toBe(500);
      expect(answer.headers.get("x-request-id")).toMatch(/^req_/);
      expect(text + JSON.stringify(lines)).not.toContain("CANARY");
    }
  });
});
