// Affonso's calls as its page prints them: the curl, the example that it answers with, the list and the detail, and how it says no.
import { afterEach, describe, expect, it } from "vitest";
import { expectSound } from "./books.ts";
import { asKey, curlOf, expectShape, type Headers, keyOf, payoutAt, speak } from "./dialects-scene.ts";
import { changedTables, readTables } from "./tables.ts";
import { type Loose, openWorld, type World } from "./world.ts";

const CURL = `curl -X PUT "https://api.affonso.io/v1/payouts/pay_abc123" \\
  -H "Authorization: Bearer sk_live_your_api_key" \\
  -H "Content-Type: application/json" \\
  -d '{
    "status": "completed",
    "paymentMethod": "paypal",
    "paymentReference": "PAYPAL-TXN-123456"
  }'`;

/** The page's answer; its managedPayout is true although a person marks it paid, its address is hidden, its invoice is some merchant's. */
const EXAMPLE = {
  success: true,
  data: {
    id: "pay_abc123",
    affiliateId: "aff_456def",
    invoiceNumber: 1001,
    amount: 150.0,
    status: "completed",
    paymentMethod: "paypal",
    paymentReference: "PAYPAL-TXN-123456",
    processedAt: "2024-01-25T14:30:00Z",
    managedPayout: true,
    affiliate: { name: "John Doe", email: "[email protected]" },
    createdAt: "2024-01-25T10:00:00Z",
    updatedAt: "2024-01-25T14:30:00Z",
  },
};

interface Envelope<Data = Loose> {
  readonly success: boolean;
  readonly data: Data;
  readonly pagination: Record<string, unknown>;
  readonly error: { code: string; message: string; field?: string; details?: Record<string, unknown>[] };
}

let world: World;

afterEach(async () => {
  await expectSound(world);
});

const open = async (policy: Record<string, unknown> = {}): Promise<Headers> => {
  world = await openWorld(policy);
  return asKey(world.program.key);
};

const put = (id: string, body: object, headers: Headers = {}) =>
  world.call<Envelope>("PUT", `/v1/payouts/${id}`, body, headers);

describe.each(["", "/dialects/affonso"])("Affonso's curl below %s", (base) => {
  it("answers with the page's example, value by value", async () => {
    const key = await open();
    world.setNow(Date.UTC(2024, 0, 25, 10));
    const affiliateId = await world.affiliate({ name: "John Doe", email: "john@example.com" });
    await world.sale(affiliateId, 15_000);
    const [payout] = (await world.generate()).payouts;
    const id = payout?.id ?? "";
    expect((await put(id, { status: "processing" })).status).toBe(200);
    world.setNow(Date.UTC(2024, 0, 25, 14, 30));
    const curl = curlOf(CURL.replace("pay_abc123", id));
    const answer = await speak<Envelope>(world, { ...curl, path: `${base}${curl.path}` }, key);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("application/json");
    expect(answer.headers.get("x-request-id")).toMatch(/^req_/);
    expectShape(answer.body, EXAMPLE);
    expect(answer.body).toEqual({
      success: true,
      data: {
        ...EXAMPLE.data,
        id,
        affiliateId,
        invoiceNumber: 1,
        managedPayout: false,
        affiliate: { name: "John Doe", email: "john@example.com" },
      },
    });
    const { data } = await world.ok<{ data: Loose[] }>("GET", `/v1/payouts/${id}/commissions`);
    expect(data.map(({ status }) => status)).toEqual(["paid"]);
    const events = await world.ok<{ data: Loose[] }>("GET", "/v1/events?after=0&limit=200");
    expect(events.data.map(({ type }) => type)).toContain("payout.paid");
  });
});

describe("a payment by hand", () => {
  it("sends nothing, whatever the affiliate's method is", async () => {
    await open();
    const { id: affiliateId } = await world.stripeAffiliate();
    await world.sale(affiliateId, 2_500);
    const [payout] = (await world.generate()).payouts;
    const id = payout?.id ?? "";
    const begun = await put(id, { status: "processing", paymentMethod: "Venmo" });
    expect(begun).toMatchObject({
      status: 200,
      body: {
        data: { status: "processing", paymentMethod: "Venmo", managedPayout: false, processedAt: null },
      },
    });
    await world.drain();
    expect(world.stripe.transfers(id)).toEqual([]);
    const done = await put(id, { status: "completed", paymentReference: "V-1" });
    expect(done.body.data).toMatchObject({
      status: "completed",
      paymentMethod: "Venmo",
      paymentReference: "V-1",
    });
    await world.drain();
    expect(world.stripe.transfers(id)).toEqual([]);
    expect(await world.ok("GET", `/v1/payouts/${id}`)).toMatchObject({
      status: "paid",
      paid_via: "manual",
      external_ref: "V-1",
    });
  });

  it("leaves the merchant's own note in peace", async () => {
    await open();
    const id = await payoutAt(world, "pending");
    await world.ok("PATCH", `/v1/payouts/${id}`, { admin_note: "ask Ada\nfirst" });
    await put(id, { status: "pending", paymentMethod: "wire" });
    await put(id, { status: "pending", paymentMethod: "$& cash" });
    const { body } = await put(id, { status: "pending" });
    expect(body.data["paymentMethod"]).toBe("$& cash");
    expect((await world.ok("GET", `/v1/payouts/${id}`))["admin_note"]).toBe(
      "ask Ada\nfirst\nAffonso paymentMethod: $& cash",
    );
  });

  it("of ten at once begins once", async () => {
    await open();
    const id = await payoutAt(world, "pending");
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => put(id, { status: "processing", paymentMethod: "cash" })),
    );
    expect(answers.map(({ status }) => status).filter((status) => status !== 200 && status !== 400)).toEqual(
      [],
    );
    expect((await put(id, { status: "processing" })).status).toBe(200);
    const { history } = (await world.ok("GET", `/v1/payouts/${id}`)) as unknown as {
      history: { to: string }[];
    };
    expect(history.filter(({ to }) => to === "processing")).toHaveLength(1);
  });

  it("needs the approval that the program requires", async () => {
    await open({ require_approval: true });
    const id = await payoutAt(world, "pending");
    expect(await put(id, { status: "processing" })).toMatchObject({
      status: 400,
      body: {
        success: false,
        error: { code: "VALIDATION_ERROR", details: [{ code: "awaiting_approval" }] },
      },
    });
    await world.ok("POST", `/v1/payouts/${id}/approve`);
    expect((await put(id, { status: "processing" })).body.data).toMatchObject({ status: "processing" });
  });
});

describe("managedPayout", () => {
  it("is said of what a rail pays, and of no more than that", async () => {
    const key = { ...(await open()), ...(await keyOf(world, { dialect: "affonso" })) };
    const stripe = await payoutAt(world, "paid by Stripe");
    const byHand = await payoutAt(world, "paid by hand");
    const pending = await payoutAt(world, "asked to be paid by Stripe");
    const managedOf = async (id: string) =>
      (await world.ok<Envelope>("GET", `/v1/payouts/${id}`, undefined, key)).data["managedPayout"];
    expect(await Promise.all([stripe, byHand, pending].map(managedOf))).toEqual([true, false, true]);
    await world.drain();
  });
});

describe("the list", () => {
  const list = async (query: string, key: Headers) =>
    world.ok<Envelope<Loose[]>>("GET", `/v1/payouts${query}`, undefined, key);

  it("pages, filters and sorts in Affonso's words", async () => {
    await open();
    const key = await keyOf(world, { dialect: "affonso" });
    const ids: string[] = [];
    for (const amount of [300, 100, 200]) {
      const affiliateId = await world.affiliate({ external_id: `partner-${amount}`, name: `P${amount}` });
      await world.sale(affiliateId, amount);
      const { payouts } = await world.generate({ affiliate_ids: [affiliateId] });
      ids.push(payouts[0]?.id ?? "");
      world.advance(86_400_000);
    }
    const [dear = "", cheap = "", middle = ""] = ids;
    await world.ok("POST", `/v1/payouts/${cheap}/mark-paid`, { external_ref: "r" });

    const all = await list("", key);
    expect(all.success).toBe(true);
    expect(all.data.map(({ id }) => id)).toEqual([middle, cheap, dear]);
    expect(all.pagination).toEqual({
      page: 1,
      limit: 50,
      total: 3,
      totalPages: 1,
      hasNextPage: false,
      hasPrevPage: false,
    });
    expect(all.data[1]).toMatchObject({
      amount: 1,
      status: "completed",
      invoiceNumber: 1,
      affiliate: { name: "P100", email: "ada@example.com" },
    });
    expectShape(all.data[1], { ...EXAMPLE.data });

    const second = await list("?page=2&limit=2&sort=amount:asc", key);
    expect(second.data.map(({ amount }) => amount)).toEqual([3]);
    expect(second.pagination).toMatchObject({
      page: 2,
      totalPages: 2,
      hasNextPage: false,
      hasPrevPage: true,
    });
    expect((await list("?limit=5000", key)).pagination).toMatchObject({ limit: 200 });
    expect((await list("?limit=0&page=-3", key)).pagination).toMatchObject({ limit: 200, page: 1 });
    expect((await list("?page=999999999999999", key)).data).toEqual([]);

    const idsOf = async (query: string) => (await list(query, key)).data.map(({ id }) => id);
    expect(await idsOf("?status=pending&sort=createdAt:asc")).toEqual([dear, middle]);
    expect(await idsOf("?status=completed")).toEqual([cheap]);
    expect(await idsOf("?status=failed")).toEqual([]);
    const day = (days: number) => new Date(Date.UTC(2026, 10, 1 + days)).toISOString().slice(0, 10);
    expect(await idsOf(`?dateFrom=${day(1)}`)).toEqual([middle, cheap]);
    expect(await idsOf(`?dateFrom=${day(0)}&dateTo=${day(1)}`)).toEqual([cheap, dear]);
    expect(await idsOf(`?dateTo=${day(0)}T12:00:00Z`)).toEqual([dear]);
    expect(await idsOf("?affiliateId=nobody")).toEqual([]);
    for (const ref of ["partner-100", "ext:partner-100", String(all.data[1]?.["affiliateId"])])
      expect(await idsOf(`?affiliateId=${ref}`), ref).toEqual([cheap]);
    expect(await idsOf("?unknown=field&expand=everything")).toHaveLength(3);

    for (const query of ["?status=paid", "?sort=name:asc", "?sort=amount", "?dateFrom=yesterday"])
      expect(await world.call<Envelope>("GET", `/v1/payouts${query}`, undefined, key), query).toMatchObject({
        status: 400,
        body: { success: false, error: { code: "VALIDATION_ERROR", field: query.slice(1).split("=")[0] } },
      });
  });

  it("holds the program's default currency alone", async () => {
    await open();
    const key = await keyOf(world, { dialect: "affonso" });
    const affiliateId = await world.affiliate();
    await world.sale(affiliateId, 500);
    await world.sale(affiliateId, 900, { currency: "EUR" });
    const { payouts } = await world.generate();
    const euros = payouts.find(({ currency }) => currency === "EUR")?.id ?? "";
    expect((await list("", key)).data.map(({ amount }) => amount)).toEqual([5]);
    for (const [method, body] of [
      ["GET", undefined],
      ["PUT", { status: "cancelled" }],
    ] as const)
      expect(await world.call<Envelope>(method, `/v1/payouts/${euros}`, body, key)).toMatchObject({
        status: 404,
        body: { error: { code: "NOT_FOUND" } },
      });
    expect(await world.ok("GET", `/v1/payouts/${euros}`)).toMatchObject({ status: "pending" });
  });
});

describe("one payout", () => {
  it("lists what it paid for, in decimals of its currency", async () => {
    world = await openWorld({ default_currency: "JPY", commission_rate_bps: 1_000 });
    const key = await keyOf(world, { dialect: "affonso" });
    const affiliateId = await world.affiliate();
    const order = { currency: "JPY", amount: undefined, order_amount: 9_900 };
    const sale = await world.sale(affiliateId, 0, order);
    await world.sale(affiliateId, 50, { currency: "JPY" });
    const [payout] = (await world.generate()).payouts;
    const { data } = await world.ok<Envelope>("GET", `/v1/payouts/${payout?.id}`, undefined, key);
    expect(data).toMatchObject({ amount: 1_040, status: "pending", invoiceNumber: null, processedAt: null });
    const transactions = data["transactions"] as Loose[];
    expect(transactions).toHaveLength(2);
    expect(transactions.find(({ id }) => id === sale.id)).toEqual({
      id: sale.id,
      amount: 990,
      commission: { id: sale.id, amount: 9_900, commissionAmount: 990, createdAt: "2026-11-01T12:00:00Z" },
      createdAt: "2026-11-01T12:00:00Z",
    });
    expect(transactions.find(({ id }) => id !== sale.id)).toMatchObject({
      amount: 50,
      commission: { amount: null, commissionAmount: 50 },
    });
  });
});

describe("Affonso's no", () => {
  it("has its envelope and codes, also before the key is known", async () => {
    await open();
    const id = await payoutAt(world, "pending");
    const cases: [object | undefined, Headers, number, string][] = [
      [{ status: "processing" }, { authorization: "" }, 401, "UNAUTHORIZED"],
      [{ status: "processing" }, asKey("sk_live_your_api_key"), 401, "UNAUTHORIZED"],
      [{ status: "processing" }, await keyOf(world, { scopes: ["events:read"] }), 403, "FORBIDDEN"],
      [{ status: "processing" }, await keyOf(world, { scopes: ["payouts:write"] }), 403, "FORBIDDEN"],
      [{ status: "cancelled" }, await keyOf(world, { scopes: ["payouts:read"] }), 403, "FORBIDDEN"],
      [{ status: "paid" }, {}, 400, "VALIDATION_ERROR"],
      [{ paymentMethod: "x" }, {}, 400, "VALIDATION_ERROR"],
      [undefined, {}, 400, "VALIDATION_ERROR"],
      [{ status: "pending", paymentMethod: "x".repeat(51) }, {}, 400, "VALIDATION_ERROR"],
      [{ status: "pending", paymentReference: "x".repeat(256) }, {}, 400, "VALIDATION_ERROR"],
      [{ status: "pending", paymentReference: "a\u202Eb" }, {}, 400, "VALIDATION_ERROR"],
      [{ status: "pending" }, { "content-type": "text/plain" }, 415, "VALIDATION_ERROR"],
      [{ status: "pending" }, { "idempotency-key": "a, b" }, 400, "VALIDATION_ERROR"],
    ];
    const before = await readTables();
    for (const [body, headers, status, code] of cases) {
      const answer = await world.call<Envelope>("PUT", `/v1/payouts/${id}`, body, headers);
      expect([answer.status, answer.body.success, answer.body.error.code]).toEqual([status, false, code]);
      expect(answer.body.error.message).toMatch(/\w/);
      expect(answer.headers.get("x-request-id")).toMatch(/^req_/);
    }
    expect(changedTables(before, await readTables())).toEqual([]);
  });

  it("takes references and methods up to their length, ignores what it does not know, and null for absent", async () => {
    await open();
    const id = await payoutAt(world, "pending");
    const body = {
      status: "pending",
      paymentMethod: "m".repeat(50),
      paymentReference: "r".repeat(255),
      colour: "red",
    };
    expect((await put(id, body)).body.data).toMatchObject({
      paymentMethod: body.paymentMethod,
      paymentReference: body.paymentReference,
    });
    const again = await put(id, { status: "pending", paymentMethod: null, paymentReference: "" });
    expect(again.body.data).toMatchObject({ paymentReference: body.paymentReference });
  });

  it("is the same for a neighbour's payout as for one that is not there", async () => {
    await open();
    const theirs = await payoutAt(world, "pending");
    const neighbour = world;
    const key = await open();
    const before = await readTables();
    for (const id of [theirs, "po_01JZ0000000000000000000000", "pay_abc123", "generate"])
      for (const path of [`/v1/payouts/${id}`, `/dialects/affonso/v1/payouts/${id}`])
        expect(await world.call<Envelope>("PUT", path, { status: "processing" }, key)).toMatchObject({
          status: 404,
          body: { success: false, error: { code: "NOT_FOUND" } },
        });
    expect(changedTables(before, await readTables())).toEqual([]);
    expect(neighbour.program.id).not.toBe(world.program.id);
  });
});

describe("an Idempotency-Key", () => {
  it("gives the first answer again, and refuses another request under it", async () => {
    await open();
    const id = await payoutAt(world, "pending");
    const headers = { "idempotency-key": "one" };
    const first = await put(id, { status: "processing" }, headers);
    await put(id, { status: "failed" });
    const again = await put(id, { status: "processing" }, headers);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    expect(await put(id, { status: "cancelled" }, headers)).toMatchObject({
      status: 409,
      body: { error: { code: "DUPLICATE_ERROR" } },
    });
    expect((await world.ok("GET", `/v1/payouts/${id}`)).status).toBe("failed");
  });
});
