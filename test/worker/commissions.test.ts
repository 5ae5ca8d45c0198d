// Commissions: recorded once whatever is repeated, reviewed, reversed, and found.
import { expect, test } from "vitest";
import { countTrips } from "./round-trips.ts";
import { bindings, type Loose, openWorld, unique, type World } from "./world.ts";

const DAY_MS = 86_400_000;

const saleOf = (world: World, affiliateId: string, more: Record<string, unknown> = {}) => ({
  affiliate_id: affiliateId,
  external_id: unique("order"),
  amount: 1_000,
  currency: "USD",
  occurred_at: new Date(world.now() - DAY_MS).toISOString(),
  ...more,
});

const record = (world: World, body: unknown, headers: Record<string, string> = {}) =>
  world.call("POST", "/v1/commissions", body, headers);

const countOf = async (world: World): Promise<number> => {
  const sql =
    "SELECT (SELECT count(*) FROM commissions WHERE program_id = ?1) + (SELECT count(*) FROM events WHERE program_id = ?1 AND type LIKE 'commission.%') AS n";
  return (await bindings.DB.prepare(sql).bind(world.program.id).first<{ n: number }>())?.n ?? -1;
};

test("a commission is recorded as it was sent, with what keeps it from being paid", async () => {
  const world = await openWorld({ hold_days: 30 });
  const id = await world.affiliate();
  const body = saleOf(world, id, {
    metadata: { sku: "A1", qty: 2 },
    occurred_at: "2026-11-01T02:00:00+02:00",
  });
  const { status, body: made } = await record(world, body);
  expect(status).toBe(201);
  expect(made).toMatchObject({
    affiliate_id: id,
    external_id: body.external_id,
    kind: "sale",
    amount: 1_000,
    reversed_amount: 0,
    currency: "USD",
    status: "pending",
    order_amount: null,
    rate_bps: null,
    occurred_at: "2026-11-01T00:00:00.000Z",
    payable_at: "2026-12-01T00:00:00.000Z",
    payout_id: null,
    note: null,
    metadata: { sku: "A1", qty: 2 },
    created_at: new Date(world.now()).toISOString(),
  });
  expect((made["blockers"] as Loose[]).map(({ reason, until }) => [reason, until])).toEqual([
    ["commissions_pending_approval", undefined],
    ["in_hold_period", "2026-12-01T00:00:00.000Z"],
  ]);
  expect(await world.ok("GET", `/v1/commissions/${made.id}`)).toEqual(made);
  expect(await world.ok("GET", `/v1/commissions/ext:${body.external_id}`)).toEqual(made);
});

test("an order amount earns the affiliate's rate of it, rounded once", async () => {
  const world = await openWorld({ commission_rate_bps: 1_000 });
  const [usual, own] = [await world.affiliate(), await world.affiliate({ commission_rate_bps: 1_250 })];
  const byRate = { amount: undefined, order_amount: 1_999 };
  expect((await record(world, saleOf(world, usual, byRate))).body).toMatchObject({
    amount: 200,
    order_amount: 1_999,
    rate_bps: 1_000,
  });
  expect((await record(world, saleOf(world, own, byRate))).body).toMatchObject({
    amount: 250,
    rate_bps: 1_250,
  });
  await world.ok("PATCH", "/v1/program", { commission_rate_bps: null });
  const without = await record(world, saleOf(world, usual, byRate));
  expect([without.status, without.body.code]).toEqual([422, "rate_missing"]);
});

test("the same external id and body again is the same commission as it stands now", async () => {
  const world = await openWorld();
  const id = await world.affiliate({ external_id: "ada" });
  const body = saleOf(world, "ext:ada");
  const first = await record(world, body);
  const second = await record(world, body);
  expect([second.status, second.body]).toEqual([200, first.body]);
  expect(second.headers.get("idempotent-replayed")).toBeNull();
  await world.ok("POST", `/v1/commissions/${first.body.id}/approve`, {});
  await world.ok("PATCH", `/v1/affiliates/${id}`, { status: "suspended" });
  const third = await record(world, body);
  expect([third.status, third.body.status]).toEqual([200, "approved"]);
  const keyed = await record(world, body, { "idempotency-key": unique("late") });
  expect([keyed.status, keyed.body.id]).toEqual([200, first.body.id]);
  expect(await countOf(world)).toBe(3);
});

test("the same external id with another body is refused, with a key or without", async () => {
  const world = await openWorld();
  const [id, other] = [await world.affiliate(), await world.affiliate()];
  const body = saleOf(world, id);
  const made = await record(world, body);
  const before = await countOf(world);
  for (const changed of [
    { amount: 2_000 },
    { affiliate_id: other },
    { currency: "EUR" },
    { status: "approved" },
  ]) {
    for (const headers of [{}, { "idempotency-key": unique("other") }]) {
      const answer = await record(world, { ...body, ...changed }, headers as Record<string, string>);
      expect([answer.status, answer.body], JSON.stringify(changed)).toMatchObject([
        409,
        { code: "duplicate_external_id", commission_id: made.body.id },
      ]);
    }
  }
  expect(await countOf(world)).toBe(before);
});

test("an idempotency key replays the stored answer, and refuses another body", async () => {
  const world = await openWorld({ hold_days: 3 });
  const id = await world.affiliate();
  const headers = { "idempotency-key": unique("sale") };
  const body = saleOf(world, id);
  const first = await record(world, body, headers);
  await world.ok("POST", `/v1/commissions/${first.body.id}/approve`, {});
  world.advance(10 * DAY_MS);
  const again = await record(world, body, headers);
  expect([again.status, again.body]).toEqual([201, first.body]);
  expect(again.headers.get("idempotent-replayed")).toBe("true");
  const other = await record(world, saleOf(world, id), headers);
  expect([other.status, other.body.code]).toEqual([422, "idempotency_mismatch"]);
  expect(await countOf(world)).toBe(3);
});

test("twenty of the same at once record one", async () => {
  const world = await openWorld();
  const id = await world.affiliate();
  const body = saleOf(world, id);
  const answers = await Promise.all(Array.from({ length: 20 }, () => record(world, body)));
  expect(answers.map(({ status }) => status).sort()).toEqual([...Array(19).fill(200), 201]);
  expect(new Set(answers.map((answer) => answer.body.id)).size).toBe(1);
  expect(await countOf(world)).toBe(2);
  expect((await world.verify()).findings).toEqual([]);
});

test("exactly one of amount and order_amount, no future orders, and no field that is not known", async () => {
  const world = await openWorld({ commission_rate_bps: 1_000 });
  const id = await world.affiliate();
  const tomorrow = (ms: number) => new Date(world.now() + DAY_MS + ms).toISOString();
  const bad: [Record<string, unknown>, string][] = [
    [{ order_amount: 5 }, "/amount"],
    [{ amount: undefined }, "/amount"],
    [{ amount: 0 }, "/amount"],
    [{ amount: 10.5 }, "/amount"],
    [{ amount: "1000" }, "/amount"],
    [{ amount: 100_000_000_000 }, "/amount"],
    [{ currency: "usd" }, "/currency"],
    [{ currency: "ZZZ" }, "/currency"],
    [{ occurred_at: tomorrow(1) }, "/occurred_at"],
    [{ occurred_at: "2026-02-29T00:00:00Z" }, "/occurred_at"],
    [{ occurred_at: 1_793_491_200 }, "/occurred_at"],
    [{ external_id: "ord\u200b1" }, "/external_id"],
    [{ external_id: 1 }, "/external_id"],
    [{ status: "paid" }, "/status"],
    [{ metadata: { a: { b: 1 } } }, "/metadata/a"],
    [{ payout_id: "po_1" }, "/payout_id"],
    [{ affiliate_id: "somebody" }, "/affiliate_id"],
  ];
  for (const [changed, pointer] of bad) {
    const answer = await world.call<{ errors: { pointer: string }[] }>(
      "POST",
      "/v1/commissions",
      saleOf(world, id, changed),
    );
    expect([answer.status, answer.body.errors[0]?.pointer], JSON.stringify(changed)).toEqual([422, pointer]);
  }
  expect(await countOf(world)).toBe(0);
  expect((await record(world, saleOf(world, id, { occurred_at: tomorrow(0) }))).status).toBe(201);
});

test("nobody's affiliate, and another program's, earns nothing here", async () => {
  const [other, world] = [await openWorld(), await openWorld()];
  const theirs = await other.affiliate({ external_id: "theirs" });
  for (const ref of [theirs, "aff_doesnotexist", "ext:theirs"]) {
    const answer = await record(world, saleOf(world, ref));
    expect([answer.status, answer.body.code]).toEqual([404, "affiliate_not_found"]);
  }
  expect(await countOf(other)).toBe(0);
});

test("recording as approved needs the scope, unless the program approves by itself", async () => {
  const world = await openWorld();
  const id = await world.affiliate();
  const key = await world.ok("POST", "/v1/api-keys", { name: "shop", scopes: ["commissions:write"] });
  const headers = { authorization: `Bearer ${key["secret"]}` };
  const approved = { status: "approved" };
  const refused = await record(world, saleOf(world, id, approved), headers);
  expect([refused.status, refused.body]).toMatchObject([
    403,
    { code: "scope_not_held", required_scope: "commissions:approve" },
  ]);
  expect((await record(world, saleOf(world, id), headers)).body.status).toBe("pending");
  expect((await record(world, saleOf(world, id, approved))).body.status).toBe("approved");
  await world.ok("PATCH", "/v1/program", { auto_approve_commissions: true });
  expect((await record(world, saleOf(world, id, approved), headers)).body.status).toBe("approved");
  await world.ok("PATCH", "/v1/program", { auto_approve_commissions: false });
  expect((await record(world, saleOf(world, id, approved), headers)).status).toBe(403);
});

test("a commission is approved, held, released and rejected, each once and where it may be", async () => {
  const world = await openWorld();
  const id = await world.affiliate();
  const { body: sale } = await record(world, saleOf(world, id));
  const path = `/v1/commissions/ext:${String(sale["external_id"])}`;
  const move = async (verb: string, body?: unknown) => {
    const answer = await world.call("POST", `${path}/${verb}`, body);
    return [answer.status, answer.body.code ?? answer.body.status];
  };
  expect(await move("release")).toEqual([409, "invalid_state"]);
  expect(await move("approve")).toEqual([200, "approved"]);
  expect(await move("approve", {})).toEqual([409, "invalid_state"]);
  expect(await move("hold")).toEqual([400, "bad_json"]);
  expect(await move("hold", {})).toEqual([422, "validation_failed"]);
  expect(await move("hold", { reason: "looks odd" })).toEqual([200, "held"]);
  const held = await world.ok("GET", path);
  expect(held).toMatchObject({ note: "looks odd", blockers: [{ reason: "held" }] });
  expect(await move("release", {})).toEqual([200, "approved"]);
  expect(await move("reject", { reason: "fraud" })).toEqual([200, "rejected"]);
  expect(await move("reject")).toEqual([409, "invalid_state"]);
  expect((await world.verify()).ok).toBe(true);
});

test("a claimed commission is not held or rejected, and the refusal names the payout", async () => {
  const world = await openWorld();
  const id = await world.affiliate();
  const sale = await world.sale(id, 500);
  const { payouts } = await world.generate();
  for (const [verb, body] of [
    ["hold", { reason: "x" }],
    ["reject", {}],
  ] as const) {
    const answer = await world.call("POST", `/v1/commissions/${sale.id}/${verb}`, body);
    expect([answer.status, answer.body]).toMatchObject([
      409,
      { code: "commission_claimed", payout_id: payouts[0]?.id },
    ]);
  }
});

test("refunds take an amount, an order's share, or all that is left, and one external id once", async () => {
  const world = await openWorld({ commission_rate_bps: 1_000 });
  const id = await world.affiliate();
  const { body: sale } = await record(world, saleOf(world, id, { amount: undefined, order_amount: 9_995 }));
  expect(sale["amount"]).toBe(1_000);
  const path = `/v1/commissions/${sale.id}/reverse`;
  const share = { order_amount: 995, reason: "one item", external_id: "r-1" };
  expect(await world.ok("POST", path, share)).toMatchObject({ reversed_amount: 100, status: "pending" });
  expect(await world.ok("POST", path, share)).toMatchObject({ reversed_amount: 100 });
  const other = await world.call("POST", path, { ...share, order_amount: 1 });
  expect([other.status, other.body.code]).toEqual([409, "duplicate_external_id"]);
  expect(await world.ok("POST", path, { amount: 50, reason: "kindness" })).toMatchObject({
    reversed_amount: 150,
  });
  const tooMuch = await world.call("POST", path, { amount: 851, reason: "x" });
  expect([tooMuch.status, tooMuch.body]).toMatchObject([
    422,
    { code: "refund_exceeds_commission", reversible_amount: 850 },
  ]);
  expect((await world.call("POST", path, { amount: 1, order_amount: 1, reason: "x" })).status).toBe(422);
  expect((await world.call("POST", path, { amount: 1 })).status).toBe(422);
  expect(await world.ok("POST", path, { reason: "all of it" })).toMatchObject({
    reversed_amount: 1_000,
    status: "reversed",
    blockers: [],
  });
  expect((await world.verify()).findings).toEqual([]);
});

test("a review with an idempotency key is replayed", async () => {
  const world = await openWorld();
  const id = await world.affiliate();
  const { body: sale } = await record(world, saleOf(world, id));
  const headers = { "idempotency-key": unique("approve") };
  const path = `/v1/commissions/${sale.id}/approve`;
  const first = await world.call("POST", path, {}, headers);
  const again = await world.call("POST", path, {}, headers);
  expect([again.status, again.body]).toEqual([200, first.body]);
  expect(again.headers.get("idempotent-replayed")).toBe("true");
});

test("commissions are listed by what they are, newest first, page by page", async () => {
  const world = await openWorld();
  const [ada, bea] = [await world.affiliate({ external_id: "ada" }), await world.affiliate()];
  const ids: string[] = [];
  for (const [affiliateId, more] of [
    [ada, {}],
    [ada, { currency: "EUR" }],
    [bea, { status: "pending" }],
    [ada, { status: "pending", external_id: "wanted" }],
  ] as const) {
    world.advance(1_000);
    ids.push((await world.sale(affiliateId, 700, more)).id);
  }
  const listed = async (query: string) =>
    (await world.ok<{ data: Loose[] }>("GET", `/v1/commissions?${query}`)).data.map(({ id }) =>
      ids.indexOf(id),
    );
  expect(await listed("")).toEqual([3, 2, 1, 0]);
  expect(await listed("order=asc&limit=2")).toEqual([0, 1]);
  expect(await listed(`affiliate_id=${ada}`)).toEqual([3, 1, 0]);
  expect(await listed("affiliate_id=ext:ada&status=approved")).toEqual([1, 0]);
  expect(await listed("affiliate_id=ext:nobody")).toEqual([]);
  expect(await listed("status=pending,held")).toEqual([3, 2]);
  expect(await listed("currency=EUR")).toEqual([1]);
  expect(await listed("external_id=wanted")).toEqual([3]);
  expect(await listed(`created_after=${new Date(world.now()).toISOString()}`)).toEqual([3]);
  const { payouts } = await world.generate();
  const usd = payouts.find((payout) => payout["currency"] === "USD");
  expect(await listed(`payout_id=${usd?.id}`)).toEqual([0]);
  for (const query of [
    "limit=0",
    "limit=201",
    "status=banana",
    "sort=amount",
    "created_after=2026-02-30",
    "run_id=x",
  ]) {
    expect((await world.call("GET", `/v1/commissions?${query}`)).status, query).toBe(422);
  }
  const first = await world.ok<{ next_cursor: string }>("GET", `/v1/commissions?limit=1&affiliate_id=${ada}`);
  const cursor = `cursor=${first.next_cursor}`;
  expect((await world.call("GET", `/v1/commissions?limit=1&affiliate_id=${bea}&${cursor}`)).status).toBe(400);
  expect((await world.call("GET", `/v1/commissions?limit=1&affiliate_id=${ada}&${cursor}`)).status).toBe(200);
  expect((await world.call("GET", `/v1/commissions?limit=1&affiliate_id=${ada}&${cursor}x`)).status).toBe(
    400,
  );
});

test("another program's commission is not there, by any call", async () => {
  const [other, world] = [await openWorld(), await openWorld()];
  const sale = await other.sale(await other.affiliate(), 500, { external_id: "secret-order" });
  for (const ref of [sale.id, "ext:secret-order", "com_nothing", "nonsense"]) {
    for (const [method, verb, body] of [
      ["GET", "", undefined],
      ["POST", "/approve", {}],
      ["POST", "/reject", {}],
      ["POST", "/hold", { reason: "x" }],
      ["POST", "/release", {}],
      ["POST", "/reverse", { reason: "x" }],
    ] as const) {
      const answer = await world.call(method, `/v1/commissions/${ref}${verb}`, body);
      expect([answer.status, answer.body.code], `${method} ${ref}${verb}`).toEqual([
        404,
        "commission_not_found",
      ]);
    }
  }
  expect(await other.ok("GET", `/v1/commissions/${sale.id}`)).toMatchObject({ status: "approved" });
});

test("recording on a warm book costs one round trip, by the affiliate's own external id two", async () => {
  const world = await openWorld();
  const trips = countTrips();
  const id = await world.affiliate({ external_id: "warm" });
  await record(world, saleOf(world, id));
  trips.count = 0;
  await record(world, saleOf(world, id));
  expect(trips.count).toBe(1);
  trips.count = 0;
  await record(world, saleOf(world, id), { "idempotency-key": unique("warm") });
  expect(trips.count).toBe(1);
  trips.count = 0;
  await record(world, saleOf(world, "ext:warm"));
  expect(trips.count).toBe(2);
});
