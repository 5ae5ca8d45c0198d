// Every answer, whatever it is: the headers that keep browsers careful, a request id, and nothing that opens it to other origins.
import { exports } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { onboarding } from "./onboarding-walk.ts";
import { bankPayout, makeFile, pain } from "./payout-files-scene.ts";
import { seams } from "./seams.ts";
import { NOON, openWorld, type World } from "./world.ts";

const self = (exports as unknown as { default: Fetcher }).default;

const ORIGIN = "https://evil.example";

interface Case {
  readonly name: string;
  readonly status: number;
  readonly type: string | null;
  readonly method?: string;
  readonly path: string;
  readonly body?: string;
  readonly headers?: Record<string, string>;
  /** Of a page of ours, which says itself what it may load. */
  readonly isPage?: boolean;
}

const JSON_TYPE = { "content-type": "application/json" };
const PROBLEM = "application/problem+json";

const casesOf = async (world: World): Promise<Case[]> => {
  const { id: payoutId, affiliateId } = await bankPayout(world);
  const file = await makeFile(world, pain([payoutId]));
  const { url } = await onboarding(world);
  const link = url.replace("http://stipend.test", "");
  const endpoint = { url: "https://hooks.example.com/in", events: ["*"] };
  const { id: endpointId } = await world.ok("POST", "/v1/webhook-endpoints", endpoint);
  const preflight = {
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization",
  };
  return [
    { name: "an object", status: 200, type: "application/json", path: `/v1/affiliates/${affiliateId}` },
    { name: "a list", status: 200, type: "application/json", path: "/v1/payouts" },
    {
      name: "what was made",
      status: 201,
      type: "application/json",
      method: "POST",
      path: "/v1/payout-sessions",
      body: '{"title":"Round"}',
      headers: JSON_TYPE,
    },
    {
      name: "what is gone",
      status: 204,
      type: null,
      method: "DELETE",
      path: `/v1/webhook-endpoints/${endpointId}`,
    },
    { name: "only a head", status: 200, type: "application/json", method: "HEAD", path: "/v1/program" },
    { name: "CSV", status: 200, type: "text/csv", path: "/v1/payouts/export.csv" },
    { name: "the journal as CSV", status: 200, type: "text/csv", path: "/v1/ledger/export.csv" },
    {
      name: "a payment file",
      status: 200,
      type: "application/xml",
      path: `/v1/payout-files/${file.id}/content`,
    },
    {
      name: "a statement",
      status: 200,
      type: "text/html",
      path: `/v1/payouts/${payoutId}/statement`,
      isPage: true,
    },
    { name: "the reference's page", status: 200, type: "text/html", path: "/docs", isPage: true },
    { name: "the reference", status: 200, type: "application/json", path: "/openapi.json" },
    { name: "a script of the reference's page", status: 200, type: "text/javascript", path: "/docs/init.js" },
    { name: "a problem's page", status: 200, type: "text/plain", path: "/problems/not_found" },
    { name: "health", status: 200, type: "application/json", path: "/health" },
    { name: "the way to Stripe", status: 302, type: null, path: link },
    {
      name: "a link that is none",
      status: 404,
      type: "text/html",
      path: "/connect/stripe/none",
      isPage: true,
    },
    {
      name: "unreadable JSON",
      status: 400,
      type: PROBLEM,
      method: "POST",
      path: "/v1/affiliates",
      body: "{",
      headers: JSON_TYPE,
    },
    { name: "an unreadable URL", status: 400, type: PROBLEM, path: "/v1/payouts/%ff" },
    { name: "no key", status: 401, type: PROBLEM, path: "/v1/program", headers: { authorization: "" } },
    { name: "another's key", status: 403, type: PROBLEM, path: "/v1/programs" },
    { name: "nothing there", status: 404, type: PROBLEM, path: "/v1/nothing" },
    { name: "nothing at all there", status: 404, type: PROBLEM, path: "/favicon.ico" },
    { name: "a wrong method", status: 405, type: PROBLEM, method: "DELETE", path: "/v1/payouts" },
    {
      name: "a preflight",
      status: 405,
      type: PROBLEM,
      method: "OPTIONS",
      path: "/v1/payouts",
      headers: preflight,
    },
    {
      name: "a state",
      status: 409,
      type: PROBLEM,
      method: "POST",
      path: `/v1/payouts/${payoutId}/retry`,
      body: "{}",
      headers: JSON_TYPE,
    },
    {
      name: "a long body",
      status: 413,
      type: PROBLEM,
      method: "POST",
      path: "/v1/affiliates",
      body: `"${"x".repeat(262_200)}"`,
      headers: JSON_TYPE,
    },
    {
      name: "a form",
      status: 415,
      type: PROBLEM,
      method: "POST",
      path: "/v1/affiliates",
      body: "a=b",
      headers: { "content-type": "text/plain" },
    },
    {
      name: "a rule",
      status: 422,
      type: PROBLEM,
      method: "POST",
      path: "/v1/affiliates",
      body: "{}",
      headers: JSON_TYPE,
    },
  ];
};

const ask = (
  world: World,
  { method = "GET", path, body, headers }: Case,
  requestId: string,
): Promise<Response> =>
  self.fetch(`http://stipend.test${path}`, {
    method,
    redirect: "manual",
    headers: {
      ...{ authorization: `Bearer ${world.program.key}`, origin: ORIGIN, "x-request-id": requestId },
      ...headers,
    },
    ...(body === undefined ? {} : { body }),
  });

/** What any answer carries; answers its text. */
const expectCareful = async (one: Case, answer: Response, requestId: RegExp): Promise<string> => {
  const { headers } = answer;
  const text = await answer.text();
  expect([one.name, answer.status, headers.get("content-type")?.split(";")[0] ?? null]).toEqual([
    one.name,
    one.status,
    one.type,
  ]);
  expect([one.name, headers.get("x-request-id")]).toEqual([one.name, expect.stringMatching(requestId)]);
  const said = Object.fromEntries(headers);
  expect(said, one.name).toMatchObject({
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "strict-transport-security": expect.stringMatching(/^max-age=\d{8,}; includeSubDomains$/),
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
    "content-security-policy": expect.stringMatching(/^default-src 'none';.*frame-ancestors 'none'/),
  });
  const policy = headers.get("content-security-policy") ?? "";
  expect(policy, one.name).not.toMatch(/\*|unsafe-eval|https?:/);
  if (one.isPage !== true) expect(policy, one.name).toBe("default-src 'none'; frame-ancestors 'none'");
  const open = [...headers.keys()].filter((name) => /^access-control-|^server$|^x-powered-by$/.test(name));
  expect([one.name, open]).toEqual([one.name, []]);
  if (one.type === PROBLEM)
    expect((JSON.parse(text) as { request_id: string }).request_id).toBe(headers.get("x-request-id"));
  return text;
};

describe("an answer", () => {
  test("of every kind is careful, closed to other origins, and carries the request's id", async () => {
    const world = await openWorld();
    const cases = await casesOf(world);
    for (const [n, one] of cases.entries())
      await expectCareful(one, await ask(world, one, `shop-${n}`), new RegExp(`^shop-${n}$`));
    expect(new Set(cases.map(({ status }) => status)).size).toBeGreaterThan(12);
  });

  test("to a request with an id of another shape gets one of ours, each time another", async () => {
    const world = await openWorld();
    const one = { name: "a list", status: 200, type: "application/json", path: "/v1/payouts" };
    const ids: (string | null)[] = [];
    for (const strange of ["a b", "<script>", "x".repeat(65), "é"]) {
      const answer = await ask(
        world,
        one,
        encodeURIComponent(strange) === strange ? strange : strange.replace("é", "%C3"),
      );
      await expectCareful(one, answer, /^req_[\w-]{22}$/);
      ids.push(answer.headers.get("x-request-id"));
    }
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("that tells of trouble is as careful: the fuse, the database, the ports themselves", async () => {
    const world = await openWorld();
    const list = { name: "", type: PROBLEM, path: "/v1/payouts" };
    const plain = seams.ports;
    const rejects = () => Promise.reject(new Error("boom"));
    const statement = { bind: () => statement, run: rejects, all: rejects, first: rejects, raw: rejects };
    const db = { prepare: () => statement, batch: rejects } as unknown as D1Database;
    const lost = () => Promise.reject(new Error("D1_ERROR: Network connection lost."));
    await (await ask(world, { ...list, status: 200 }, "warm")).text();
    seams.ports = (ports) => ({ ...plain(ports), db });
    await expectCareful(
      { ...list, name: "a fault", status: 500 },
      await ask(world, { ...list, status: 500 }, "r-1"),
      /^r-1$/,
    );
    seams.ports = (ports) => ({
      ...plain(ports),
      db: {
        ...db,
        prepare: () => ({ ...statement, bind: () => ({ all: lost, raw: lost }) }),
        batch: lost,
      } as never,
    });
    const busy = await ask(world, { ...list, status: 503 }, "r-2");
    expect(busy.headers.get("retry-after")).toMatch(/^\d+$/);
    await expectCareful({ ...list, name: "busy", status: 503 }, busy, /^r-2$/);
    seams.ports = () => {
      throw new Error("no ports");
    };
    await expectCareful(
      { ...list, name: "no ports", status: 500 },
      await ask(world, { ...list, status: 500 }, "r-3"),
      /^r-3$/,
    );
    seams.ports = (ports) => ({ ...plain(ports), now: () => NOON + 86_400_000, fuse: async () => false });
    const blown: Response[] = [];
    for (let n = 0; n < 12 && blown.at(-1)?.status !== 429; n++)
      blown.push(await ask(world, { ...list, status: 429 }, "r-4"));
    const last = blown.at(-1);
    if (last === undefined) throw new Error("nothing was asked");
    await expectCareful({ ...list, name: "the fuse", status: 429 }, last, /^r-4$/);
  });
});
