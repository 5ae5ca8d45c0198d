// Loop's calls as its pages print them: each curl, the documented shape of what it answers, and how it says no.
import { afterEach, describe, expect, it } from "vitest";
import { atOnce, expectSound } from "./books.ts";
import { asKey, curlOf, type Headers, keyOf, payoutAt, speak } from "./dialects-scene.ts";
import { changedTables, readTables } from "./tables.ts";
import { type Loose, openWorld, type World } from "./world.ts";

const CURL = `curl -X POST https://affiliates.platform.loop.health/v1/admin/payouts/{id}/mark-paid \\
  -H "Authorization: Bearer $ACCESS_TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '{ "external_ref": "PAYPAL-TXN-1" }'`;

/** The page's schema, word for word; the keys are all required. */
const PAYOUT = {
  id: ["string"],
  affiliate_id: ["string"],
  currency: ["string"],
  gross_amount_cents: ["string"],
  reversal_amount_cents: ["string"],
  amount_cents: ["string"],
  recovery_owed_cents: ["string"],
  commission_ids: ["array"],
  commission_count: ["integer"],
  period_start: ["string"],
  period_end: ["string"],
  status: ["string"],
  approved_at: ["string", "null"],
  approved_by: ["string", "null"],
  paid_at: ["string", "null"],
  external_ref: ["string", "null"],
  created_at: ["string"],
};

const ERROR = { error: ["string"], message: ["string"] };
const DRAFTED = { drafted: ["integer"], total_cents: ["string"] };
const NIGHTLY = { processed: ["integer"], total_cents: ["string"], errors: ["integer"] };
const MONTHLY = {
  period_start: ["string"],
  period_end: ["string"],
  created: ["integer"],
  skipped: ["integer"],
  already_exists: ["integer"],
  total_net_cents: ["string"],
  errors: ["integer"],
};
const CREATED = {
  id: ["string"],
  affiliate_id: ["string"],
  amount_cents: ["string"],
  commission_count: ["integer"],
  period_start: ["string"],
  period_end: ["string"],
  status: ["string"],
  created_at: ["string"],
};
const VERIFIED = {
  id: ["string"],
  affiliate_id: ["string"],
  period_start: ["string"],
  period_end: ["string"],
  expected_cents: ["string"],
  actual_cents: ["string"],
  commission_count: ["integer"],
  discrepancy_cents: ["string"],
  status: ["string"],
  verified_at: ["string"],
};
const COMMISSION = {
  id: ["string"],
  affiliate_id: ["string"],
  order_id: ["string"],
  order_amount_cents: ["string"],
  commission_rate_bps: ["integer"],
  amount_cents: ["string"],
  status: ["string"],
  created_at: ["string"],
};

const typeOf = (value: unknown): string => {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return Number.isInteger(value) ? "integer" : typeof value;
};

/** The documented keys, no other, each of a documented type. */
const expectDocumented = (body: unknown, schema: Readonly<Record<string, readonly string[]>>): void => {
  expect(Object.keys(body as object).sort()).toEqual(Object.keys(schema).sort());
  for (const [name, types] of Object.entries(schema))
    expect([name, types]).toEqual([name, expect.arrayContaining([typeOf((body as Loose)[name])])]);
};

const A_DAY = 86_400_000;

let world: World;

afterEach(async () => {
  await expectSound(world);
});

const open = async (policy: Record<string, unknown> = {}): Promise<Headers> => {
  world = await openWorld(policy);
  return keyOf(world, { dialect: "loop" });
};

const post = (path: string, body?: object, headers: Headers = {}) =>
  world.call<Loose>("POST", path, body, headers);

const queue = async (): Promise<Loose[]> =>
  (await world.ok<{ data: Loose[] }>("GET", "/v1/admin/payouts")).data;

describe.each(["", "/dialects/loop"])("Loop's mark-paid below %s", (base) => {
  it("answers its curl with the payout, every field there and every amount a string of cents", async () => {
    const key = await open();
    world.setNow(Date.UTC(2026, 3, 10, 9));
    const affiliateId = await world.affiliate();
    await world.sale(affiliateId, 15_000);
    const [payout] = (await world.generate({ period_start: "2026-04-01", period_end: "2026-04-10" })).payouts;
    const id = payout?.id ?? "";
    const before = await world.ok("GET", `/v1/payouts/${id}`);
    const curl = curlOf(CURL.replace("{id}", id));
    const answer = await speak(world, { ...curl, path: `${base}${curl.path}` }, key);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("application/json");
    expectDocumented(answer.body, PAYOUT);
    expect(answer.body).toEqual({
      id,
      affiliate_id: affiliateId,
      currency: "USD",
      gross_amount_cents: "15000",
      reversal_amount_cents: "0",
      amount_cents: "15000",
      recovery_owed_cents: "0",
      commission_ids: before["commission_ids"],
      commission_count: 1,
      period_start: "2026-04-01T00:00:00.000Z",
      period_end: "2026-04-10T23:59:59.999Z",
      status: "paid",
      approved_at: null,
      approved_by: null,
      paid_at: "2026-04-10T09:00:00.000Z",
      external_ref: "PAYPAL-TXN-1",
      created_at: "2026-04-10T09:00:00.000Z",
    });
    expect(await world.ok("GET", `/v1/payouts/${id}`)).toMatchObject({
      status: "paid",
      paid_via: "manual",
      external_ref: "PAYPAL-TXN-1",
    });
  });

  it("answers its 404 for an id that is not there, and for a neighbour's", async () => {
    await open();
    const theirs = await payoutAt(world, "pending");
    const key = await open();
    const before = await readTables();
    for (const id of [theirs, "po_01JZ0000000000000000000000", "1", "no such"]) {
      const path = `${base}/v1/admin/payouts/${encodeURIComponent(id)}`;
      for (const verb of ["mark-paid", "approve"]) {
        const answer = await post(`${path}/${verb}`, { external_ref: "x" }, key);
        expect(answer.status).toBe(404);
        expectDocumented(answer.body, ERROR);
        expect(answer.body["error"]).toBe("payout_not_found");
      }
    }
    expect(changedTables(before, await readTables())).toEqual([]);
  });
});

describe("mark-paid", () => {
  it("hears the same reference again, and refuses another", async () => {
    await open();
    const id = await payoutAt(world, "pending");
    const path = `/v1/admin/payouts/${id}/mark-paid`;
    const first = await post(path, { external_ref: "R-1", colour: "red" });
    expect((await post(path, { external_ref: " R-1 " })).body).toEqual(first.body);
    const other = await post(path, { external_ref: "R-2" });
    expect([other.status, other.body["error"]]).toEqual([409, "external_ref_differs"]);
    expectDocumented(other.body, ERROR);
  });

  it("of ten at once pays once, and with a key replays its answer", async () => {
    await open();
    const id = await payoutAt(world, "pending");
    const path = `/v1/admin/payouts/${id}/mark-paid`;
    const answers = await atOnce(10, () => post(path, { external_ref: "R-1" }));
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
    const { history } = (await world.ok("GET", `/v1/payouts/${id}`)) as unknown as { history: Loose[] };
    expect(history.filter(({ to }) => to === "paid")).toHaveLength(1);

    const next = await payoutAt(world, "pending");
    const keyed = { "idempotency-key": "one" };
    const once = await post(`/v1/admin/payouts/${next}/mark-paid`, { external_ref: "R-9" }, keyed);
    const again = await post(`/v1/admin/payouts/${next}/mark-paid`, { external_ref: "R-9" }, keyed);
    expect(again.body).toEqual(once.body);
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    await world.ok("POST", `/v1/payouts/${next}/return`, { reason: "sent back" });
    const later = await post(`/v1/admin/payouts/${next}/mark-paid`, { external_ref: "R-9" }, keyed);
    expect([later.status, later.body]).toEqual([200, once.body]);
    const misused = await post(`/v1/admin/payouts/${next}/mark-paid`, { external_ref: "R-8" }, keyed);
    expect([misused.status, misused.body["error"]]).toEqual([400, "idempotency_mismatch"]);
  });

  it("leaves a payment that Stripe may have made alone", async () => {
    await open();
    const id = await payoutAt(world, "under way at Stripe");
    const answer = await post(`/v1/admin/payouts/${id}/mark-paid`, { external_ref: "R-1" });
    expect([answer.status, answer.body["error"]]).toEqual([409, "payment_under_way"]);
    world.stripe.clearFaults();
    await world.drain();
    expect(world.stripe.transfers(id)).toHaveLength(1);
  });

  it("says no in Loop's shape, and changes nothing", async () => {
    await open();
    const id = await payoutAt(world, "pending");
    const good = { external_ref: "R-1" };
    const cases: readonly (readonly [unknown, Headers, number, string])[] = [
      [good, { authorization: "" }, 401, "unauthorized"],
      [good, asKey("stp_test_nothing"), 401, "unauthorized"],
      [good, await keyOf(world, { scopes: ["payouts:write"] }), 403, "scope_not_held"],
      [undefined, {}, 400, "validation_failed"],
      [{}, {}, 400, "validation_failed"],
      [{ external_ref: "" }, {}, 400, "validation_failed"],
      [{ external_ref: "  " }, {}, 400, "validation_failed"],
      [{ external_ref: 7 }, {}, 400, "validation_failed"],
      [{ external_ref: "a\u202Eb" }, {}, 400, "validation_failed"],
      [{ external_ref: "x".repeat(256) }, {}, 400, "validation_failed"],
    ];
    const before = await readTables();
    for (const [body, headers, status, code] of cases) {
      const answer = await post(`/v1/admin/payouts/${id}/mark-paid`, body as object, headers);
      expect([answer.status, answer.body["error"]]).toEqual([status, code]);
      expectDocumented(answer.body, ERROR);
    }
    expect(changedTables(before, await readTables())).toEqual([]);
  });
});

describe("the review queue", () => {
  it("shows what waits, in every currency, and what is over not", async () => {
    await open();
    const shown = [];
    for (const stage of ["requested", "pending", "approved", "waiting for a person"] as const) {
      shown.push(await payoutAt(world, stage));
      world.advance(1_000);
    }
    for (const stage of ["paid by hand", "failed", "cancelled", "returned"] as const)
      await payoutAt(world, stage);
    world.advance(1_000);
    const affiliateId = await world.affiliate();
    await world.sale(affiliateId, 700, { currency: "EUR" });
    shown.push((await world.generate({ affiliate_ids: [affiliateId] })).payouts[0]?.id ?? "");
    const data = await queue();
    expect(data.map(({ id, status }) => [id, status])).toEqual(
      shown.map((id, i) => [id, ["pending", "pending", "approved", "approved", "pending"][i]]),
    );
    for (const payout of data) expectDocumented(payout, PAYOUT);
    expect(data.at(-1)).toMatchObject({ currency: "EUR", amount_cents: "700" });
    const rest = await world.ok<{ data: Loose[] }>("GET", `/v1/admin/payouts?after=${shown[2]}`);
    expect(rest.data.map(({ id }) => id)).toEqual(shown.slice(3));
  });

  it("shows no neighbour's payouts, and none without the scope", async () => {
    await open();
    await payoutAt(world, "pending");
    await open();
    expect(await queue()).toEqual([]);
    const key = await keyOf(world, { scopes: ["commissions:read"] });
    const answer = await world.call("GET", "/v1/admin/payouts", undefined, key);
    expect(answer.status).toBe(403);
    expectDocumented(answer.body, ERROR);
  });
});

describe("approve", () => {
  it("takes a payout from pending to approved, also one that was asked for, and hears it again", async () => {
    await open();
    for (const stage of ["requested", "pending"] as const) {
      const id = await payoutAt(world, stage);
      const answer = await post(`/v1/admin/payouts/${id}/approve`);
      expect(answer.status).toBe(200);
      expectDocumented(answer.body, PAYOUT);
      expect(answer.body).toMatchObject({ status: "approved", approved_at: expect.any(String) });
      expect((await post(`/v1/admin/payouts/${id}/approve`)).body).toEqual(answer.body);
      expect((await world.ok("GET", `/v1/payouts/${id}`)).status).toBe("approved");
    }
  });

  it("needs its scope, the second pair of eyes, and a payout that is not over", async () => {
    await open({ four_eyes: true, require_approval: true });
    const approver = await keyOf(world, { scopes: ["payouts:approve"] });
    const id = await payoutAt(world, "pending");
    const path = `/v1/admin/payouts/${id}/approve`;
    expect((await post(path, undefined, await keyOf(world, { scopes: ["payouts:pay"] }))).status).toBe(403);
    expect((await post(path)).body["error"]).toBe("four_eyes");
    const early = await post(`/v1/admin/payouts/${id}/mark-paid`, { external_ref: "R" });
    expect([early.status, early.body["error"]]).toEqual([409, "awaiting_approval"]);
    expect((await post(path, undefined, approver)).status).toBe(200);
    const wished = await payoutAt(world, "requested");
    expect((await post(`/v1/admin/payouts/${wished}/approve`, undefined, approver)).status).toBe(403);
    const over = await payoutAt(world, "cancelled");
    expect((await post(`/v1/admin/payouts/${over}/approve`, undefined, approver)).status).toBe(409);
  });
});

describe("the batches", () => {
  it("draft and run-nightly gather all that is payable, once, in the default currency", async () => {
    await open();
    for (const [path, schema, counted] of [
      ["draft", DRAFTED, "drafted"],
      ["run-nightly", NIGHTLY, "processed"],
    ] as const) {
      const [one, two] = [await world.affiliate(), await world.affiliate()];
      await world.sale(one, 1_000);
      await world.sale(two, 2_000);
      await world.sale(two, 900, { currency: "EUR" });
      const curl = curlOf(`curl -X POST https://affiliates.platform.loop.health/v1/admin/payouts/${path} \\
        -H "Authorization: Bearer $ACCESS_TOKEN"`);
      const made = await speak(world, curl, await keyOf(world));
      expect(made.status).toBe(200);
      expectDocumented(made.body, schema);
      expect(made.body).toMatchObject({ [counted]: 2, total_cents: "3000" });
      expect(made.headers.get("x-stipend-other-currencies")).toBe("EUR");
      expect((await post(`/v1/admin/payouts/${path}`)).body).toMatchObject({
        [counted]: 0,
        total_cents: "0",
      });
      await world.generate();
    }
  });

  it("run-monthly takes the month before, and twice makes one set of payouts", async () => {
    await open();
    world.setNow(Date.UTC(2026, 4, 3, 12));
    const occurred = (occurred_at: string) => ({ occurred_at });
    const [one, two, three] = [await world.affiliate(), await world.affiliate(), await world.affiliate()];
    await world.sale(one, 1_000, occurred("2026-04-01T00:00:00Z"));
    await world.sale(one, 2_000, occurred("2026-04-30T23:59:59Z"));
    await world.sale(two, 4_000, occurred("2026-04-15T12:00:00Z"));
    await world.sale(two, 8_000, occurred("2026-05-01T00:00:00Z"));
    await world.sale(three, 500, { ...occurred("2026-04-02T00:00:00Z"), status: "pending" });
    const first = await post("/v1/admin/payouts/run-monthly");
    expect(first.status).toBe(200);
    expectDocumented(first.body, MONTHLY);
    const period = { period_start: "2026-04-01T00:00:00.000Z", period_end: "2026-04-30T23:59:59.999Z" };
    expect(first.body).toEqual({
      ...period,
      created: 2,
      skipped: 1,
      already_exists: 0,
      total_net_cents: "7000",
      errors: 0,
    });
    const payouts = await queue();
    expect(payouts).toHaveLength(2);
    for (const payout of payouts) expect(payout).toMatchObject(period);

    await world.sale(one, 300, occurred("2026-04-20T00:00:00Z"));
    for (const body of [{}, period]) {
      const again = await post("/v1/admin/payouts/run-monthly", body);
      expect(again.body).toMatchObject({ created: 0, already_exists: 2, total_net_cents: "0" });
    }
    expect(await queue()).toEqual(payouts);

    const late = (await world.ok<{ data: Loose[] }>("GET", `/v1/affiliates/${three}/commissions`)).data[0];
    await world.ok("POST", `/v1/commissions/${late?.id}/approve`);
    const third = await post("/v1/admin/payouts/run-monthly", period);
    expect(third.body).toMatchObject({ created: 1, already_exists: 2, total_net_cents: "500" });
  });

  it("run-monthly ten times at once makes one set, and a cancelled payout's money is gathered again", async () => {
    await open();
    const ids = await Promise.all(["a", "b", "c"].map((name) => world.affiliate({ external_id: name })));
    for (const id of ids) await world.sale(id, 1_000);
    const day = new Date(world.now()).toISOString();
    const body = { period_start: day, period_end: day };
    const answers = await atOnce(10, () => post("/v1/admin/payouts/run-monthly", body));
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
    expect(answers.reduce((sum, answer) => sum + Number(answer.body["created"]), 0)).toBe(3);
    const [gone] = await queue();
    expect(await queue()).toHaveLength(3);
    await world.ok("POST", `/v1/payouts/${gone?.id}/cancel`, {});
    expect((await post("/v1/admin/payouts/run-monthly", body)).body).toMatchObject({
      created: 1,
      already_exists: 2,
      total_net_cents: "1000",
    });
  });

  it("run-monthly gives the same answer under one key, and another to another body", async () => {
    await open();
    await world.sale(await world.affiliate(), 1_000);
    const day = new Date(world.now()).toISOString();
    const run = (body: object) => post("/v1/admin/payouts/run-monthly", body, { "idempotency-key": "april" });
    const first = await run({ period_start: day, period_end: day });
    expect(first.body).toMatchObject({ created: 1, already_exists: 0 });
    expect((await run({ period_start: day, period_end: day })).body).toEqual(first.body);
    expect((await run({ period_start: day })).body["error"]).toBe("idempotency_mismatch");
  });

  it("run-monthly refuses a period that cannot be, and completes a half", async () => {
    await open();
    world.setNow(Date.UTC(2026, 2, 3, 12));
    const run = (body: object) => post("/v1/admin/payouts/run-monthly", body);
    for (const bad of [
      { period_start: "2026-02-30T00:00:00Z" },
      { period_start: "2026-02-01" },
      { period_start: "2026-03-02T00:00:00Z", period_end: "2026-03-01T00:00:00Z" },
      { period_start: "2026-04-01T00:00:00Z", period_end: "2026-04-30T00:00:00Z" },
    ]) {
      const answer = await run(bad);
      expect(answer.status).toBe(400);
      expectDocumented(answer.body, ERROR);
    }
    expect((await run({ period_start: "2026-02-10T00:00:00Z" })).body).toMatchObject({
      period_start: "2026-02-10T00:00:00.000Z",
      period_end: "2026-02-28T23:59:59.999Z",
    });
    expect((await run({ period_end: "2026-01-20T00:00:00Z" })).body).toMatchObject({
      period_start: "2026-01-01T00:00:00.000Z",
      period_end: "2026-01-20T23:59:59.999Z",
    });
  });

  it("need payouts:write, and see no neighbour's money", async () => {
    await open();
    await world.sale(await world.affiliate(), 1_000);
    await open();
    const before = await readTables();
    const reader = await keyOf(world, { scopes: ["payouts:read"] });
    for (const verb of ["draft", "run-nightly", "run-monthly"]) {
      expect((await post(`/v1/admin/payouts/${verb}`, undefined, reader)).status).toBe(403);
      expect((await post(`/v1/admin/payouts/${verb}`, undefined, { authorization: "" })).status).toBe(401);
      const answer = await post(`/v1/admin/payouts/${verb}`);
      expect(Object.values(answer.body)).not.toContain(1);
    }
    expect(changedTables(before, await readTables())).not.toContain("payouts");
  });
});

describe("POST /v1/payouts", () => {
  const PERIOD = { period_start: "2026-04-01T00:00:00Z", period_end: "2026-04-30T00:00:00Z" };
  const CREATE = `curl -X POST https://affiliates.platform.loop.health/v1/payouts \\
  -H "Authorization: Bearer $ACCESS_TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '{ "affiliate_id": "ada", "period_start": "${PERIOD.period_start}", "period_end": "${PERIOD.period_end}" }'`;

  it.each(["", "/dialects/loop"])("below %s makes the affiliate's payout of the period", async (base) => {
    const key = await open();
    world.setNow(Date.UTC(2026, 4, 3, 12));
    const affiliateId = await world.affiliate({ external_id: "ada" });
    await world.sale(affiliateId, 1_000, { occurred_at: "2026-04-02T00:00:00Z" });
    await world.sale(affiliateId, 2_000, { occurred_at: "2026-05-02T00:00:00Z" });
    const curl = curlOf(CREATE);
    const made = await speak(world, { ...curl, path: `${base}${curl.path}` }, key);
    expect(made.status).toBe(201);
    expectDocumented(made.body, CREATED);
    expect(made.body).toMatchObject({
      affiliate_id: affiliateId,
      amount_cents: "1000",
      commission_count: 1,
      period_start: "2026-04-01T00:00:00.000Z",
      period_end: "2026-04-30T23:59:59.999Z",
      status: "pending",
    });
    const again = await speak(world, { ...curl, path: `${base}${curl.path}` }, key);
    expect([again.status, again.body["error"]]).toEqual([400, "nothing_due"]);
    expectDocumented(again.body, ERROR);
  });

  it("with a key answers the same payout again", async () => {
    const key = { ...(await open()), "idempotency-key": "p-1" };
    world.setNow(Date.UTC(2026, 4, 3, 12));
    const affiliateId = await world.affiliate();
    await world.sale(affiliateId, 1_000, { occurred_at: "2026-04-02T00:00:00Z" });
    const body = { ...PERIOD, affiliate_id: affiliateId };
    const first = await post("/v1/payouts", body, key);
    const again = await post("/v1/payouts", body, key);
    expect([again.status, again.body]).toEqual([201, first.body]);
    expect(again.headers.get("idempotent-replayed")).toBe("true");
  });

  it("is canonical's for any other key, and says no in Loop's shape", async () => {
    const key = await open();
    const theirs = await world.affiliate({ external_id: "theirs" });
    const neighbours = await open();
    const canonical = await world.call("POST", "/v1/payouts", PERIOD);
    expect(canonical.headers.get("content-type")).toContain("application/problem+json");
    for (const affiliate_id of [theirs, "theirs", "nobody"]) {
      const answer = await post("/v1/payouts", { ...PERIOD, affiliate_id }, neighbours);
      expect([answer.status, answer.body["error"]]).toEqual([404, "affiliate_not_found"]);
      expectDocumented(answer.body, ERROR);
    }
    const bad = await post("/v1/payouts", { affiliate_id: "x", period_start: "April" }, neighbours);
    expect([bad.status, bad.body["error"]]).toEqual([400, "validation_failed"]);
    expectDocumented(bad.body, ERROR);
    expect(bad.body["message"]).toContain("period_end");
    expect(key).not.toEqual(neighbours);
  });
});

describe("commissions", () => {
  it("are verified against what a caller expects", async () => {
    await open();
    world.setNow(Date.UTC(2026, 4, 3, 12));
    const affiliateId = await world.affiliate({ external_id: "ada" });
    const april = { occurred_at: "2026-04-02T00:00:00Z" };
    await world.sale(affiliateId, 1_000, april);
    const refunded = await world.sale(affiliateId, 2_000, april);
    const rejected = await world.sale(affiliateId, 4_000, { ...april, status: "pending" });
    await world.sale(affiliateId, 8_000, { occurred_at: "2026-05-01T00:00:00Z" });
    await world.sale(affiliateId, 8_000, { ...april, currency: "EUR" });
    await world.ok("POST", `/v1/commissions/${rejected.id}/reject`, { reason: "fraud" });
    await world.ok("POST", `/v1/commissions/${refunded.id}/reverse`, { amount: 500, reason: "refund" });
    const asked = {
      affiliate_id: "ada",
      period_start: "2026-04-01T00:00:00Z",
      period_end: "2026-04-30T23:59:59Z",
    };
    const verify = (expected_cents: unknown) =>
      post("/v1/commissions/verify", { ...asked, expected_cents } as object);
    const before = await readTables();
    const pass = await verify("2500");
    expect(pass.status).toBe(200);
    expectDocumented(pass.body, VERIFIED);
    expect(pass.body).toMatchObject({
      affiliate_id: affiliateId,
      expected_cents: "2500",
      actual_cents: "2500",
      commission_count: 2,
      discrepancy_cents: "0",
      status: "pass",
    });
    expect((await verify("3000")).body).toMatchObject({ discrepancy_cents: "-500", status: "fail" });
    for (const bad of [2_500, "25.00", "", "1e3", "9".repeat(16)]) {
      const answer = await verify(bad);
      expect(answer.status).toBe(400);
      expectDocumented(answer.body, ERROR);
    }
    expect(changedTables(before, await readTables())).toEqual([]);
    await world.ok("POST", "/v1/payouts/generate", { period_end: "2026-05-03" });
    for (const { id } of await queue())
      await world.ok("POST", `/v1/admin/payouts/${id}/mark-paid`, { external_ref: "r" });
    await world.ok("POST", `/v1/commissions/${refunded.id}/reverse`, { amount: 1_000, reason: "refund" });
    expect((await verify("1500")).body).toMatchObject({ status: "pass", commission_count: 2 });
  });

  it("are listed below the dialect's base in Loop's shape, and at the root in the canonical one", async () => {
    const key = await open({ commission_rate_bps: 1_000 });
    const affiliateId = await world.affiliate({ external_id: "ada" });
    const order = { amount: undefined, order_amount: 20_000, external_id: "order-77" };
    const sale = await world.sale(affiliateId, 0, order);
    world.advance(1_000);
    await world.sale(affiliateId, 700, { status: "pending" });
    const { data } = await world.ok<{ data: Loose[] }>(
      "GET",
      "/dialects/loop/v1/affiliates/ada/commissions",
      undefined,
      key,
    );
    for (const commission of data) expectDocumented(commission, COMMISSION);
    expect(data).toHaveLength(2);
    expect(data[0]).toMatchObject({ order_amount_cents: "0", status: "pending", amount_cents: "700" });
    expect(data[1]).toMatchObject({
      id: sale.id,
      affiliate_id: affiliateId,
      order_id: "order-77",
      order_amount_cents: "20000",
      commission_rate_bps: 1_000,
      amount_cents: "2000",
      status: "approved",
    });
    const root = await world.ok("GET", `/v1/affiliates/${affiliateId}/commissions`, undefined, key);
    expect(root).toHaveProperty("has_more", false);
    const gone = await world.call("GET", "/dialects/loop/v1/affiliates/bob/commissions", undefined, key);
    expect(gone.status).toBe(404);
    expectDocumented(gone.body, ERROR);
  });
});

describe("what Loop documents and is not served", () => {
  it("answers 501 and says what to do instead; what it does not have, 404 or 405", async () => {
    await open();
    for (const [method, path, status] of [
      ["GET", "/v1/affiliates/x/verifications", 501],
      ["POST", "/v1/affiliates/apply", 501],
      ["POST", "/v1/affiliates/x/evaluate-tier", 501],
      ["GET", "/v1/admin/payouts/nothing", 404],
      ["GET", "/v1/affiliates", 404],
      ["DELETE", "/v1/admin/payouts", 405],
    ] as const) {
      const answer = await world.call(method, `/dialects/loop${path}`);
      expect([path, answer.status]).toEqual([path, status]);
      expectDocumented(answer.body, ERROR);
    }
    const described = await world.ok("GET", "/dialects/loop/openapi.json");
    expect(Object.keys(described["paths"] as object)).toContain("/v1/admin/payouts/{id}/mark-paid");
  });
});

describe("a month through Loop", () => {
  it("of batches, approvals, payments and refunds leaves the books sound", async () => {
    const key = await open({ minimum_payout: { USD: 1_000 }, require_approval: true, hold_days: 3 });
    world.setNow(Date.UTC(2026, 3, 1, 12));
    const affiliates = await Promise.all(
      ["ada", "bob", "cyd"].map((name) => world.affiliate({ external_id: name })),
    );
    const orders: string[] = [];
    const say = (path: string, body: object = {}) => world.ok("POST", `/v1/admin/payouts${path}`, body, key);
    for (let day = 0; day < 33; day++) {
      const affiliateId = affiliates[day % affiliates.length] ?? "";
      orders.push((await world.sale(affiliateId, 700 + 13 * day)).id);
      if (day % 7 === 6) await say("/draft");
      if (day % 5 === 4) await say("/run-nightly");
      if (day === 31) for (let twice = 0; twice < 2; twice++) await say("/run-monthly");
      const { data } = await world.ok<{ data: Loose[] }>("GET", "/v1/admin/payouts", undefined, key);
      for (const [i, payout] of data.entries()) {
        if (payout.status === "pending") await say(`/${payout.id}/approve`);
        else if ((i + day) % 2 === 0)
          await say(`/${payout.id}/mark-paid`, { external_ref: `r-${payout.id}` });
      }
      if (day % 4 === 3)
        await world.call("POST", `/v1/commissions/${orders[day - 3]}/reverse`, { reason: "refund" });
      if (day % 9 === 8)
        await world.call("POST", `/v1/commissions/${orders[day - 8]}/reverse`, { reason: "refund" });
      world.advance(A_DAY);
      expect(await world.verify()).toMatchObject({ ok: true, findings: [] });
    }
    const paid = await world.ok<{ data: Loose[] }>("GET", "/v1/payouts?status=paid&limit=200");
    expect(paid.data.length).toBeGreaterThan(3);
    expect(paid.data.some((payout) => Number(payout["reversal_amount"]) > 0)).toBe(true);
  });
});
