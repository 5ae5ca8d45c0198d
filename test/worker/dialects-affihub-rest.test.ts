// Affihub beside its payouts: partners, commissions, events, webhooks and the program's minimum.
import { afterEach, describe, expect, it } from "vitest";
import { expectSound } from "./books.ts";
import { type Headers, keyOf } from "./dialects-scene.ts";
import { changedTables, readTables } from "./tables.ts";
import { type Loose, openWorld, type World } from "./world.ts";

interface Page {
  readonly data: Loose[];
  readonly total: number;
  readonly page: number;
  readonly per_page: number;
}

let world: World;

afterEach(async () => {
  await expectSound(world);
});

const get = (path: string) => world.ok<Page>("GET", `/api/v1${path}`);
const post = (path: string, body: object, headers: Headers = {}) =>
  world.call<Loose>("POST", `/api/v1${path}`, body, headers);

describe("a partner", () => {
  it("is enrolled with what Affihub knows of it, and shown with the same", async () => {
    world = await openWorld();
    const asked = {
      email: "jane@example.com",
      first_name: "Jane",
      last_name: "van Doe",
      slug: "jane",
      commission_pct: 12.5,
      payout_method: "paypal",
      payout_email: "pay@example.com",
      metadata: { tier: "gold", level: 3 },
      colour: "red",
    };
    const { status, body } = await post("/partners", asked);
    const { colour: _unknown, ...known } = asked;
    expect([status, body]).toEqual([
      201,
      {
        ...known,
        id: expect.stringMatching(/^aff_/),
        program_id: world.program.id,
        status: "active",
        stripe_account_id: null,
        created_at: "2026-11-01T12:00:00Z",
      },
    ]);
    expect(await world.ok("GET", "/v1/affiliates/ext:jane")).toMatchObject({
      id: body.id,
      name: "Jane van Doe",
      commission_rate_bps: 1_250,
      payout_method: "paypal",
    });
    expect(await get("/partners")).toEqual({ data: [body], total: 1, page: 1, per_page: 20 });
  });

  it("with Stripe gets its connected account, and can be paid through it", async () => {
    world = await openWorld();
    const { account } = await world.stripeAffiliate();
    const body = {
      email: "sam@example.com",
      slug: "sam",
      payout_method: "stripe",
      stripe_account_id: account,
    };
    const made = await post("/partners", body);
    expect(made).toMatchObject({
      status: 201,
      body: { payout_method: "stripe", stripe_account_id: account },
    });
    await world.sale(made.body.id, 700);
    const period = { period_start: "2026-01-01", period_end: "2026-11-01" };
    const { payouts } = await world.ok<{ payouts: Loose[] }>("POST", "/api/v1/payouts/generate", period);
    expect(await post(`/payouts/${payouts[0]?.id}/pay`, {})).toMatchObject({ status: 200 });
  });

  it("whose method was refused is made whole by the same request once that is mended", async () => {
    world = await openWorld();
    const body = {
      email: "sam@example.com",
      slug: "sam",
      payout_method: "stripe",
      stripe_account_id: "acct_1",
    };
    expect(await post("/partners", body)).toMatchObject({
      status: 422,
      body: { error: { code: "credentials_missing" } },
    });
    const { account } = await world.stripeAffiliate();
    const again = await post("/partners", { ...body, stripe_account_id: account });
    expect(again).toMatchObject({ status: 201, body: { slug: "sam", stripe_account_id: account } });
    expect((await get("/partners?search=sam")).total).toBe(1);
    expect(await post("/partners", { ...body, email: "other@example.com" })).toMatchObject({
      status: 409,
      body: { error: { code: "duplicate_external_id" } },
    });
  });

  it("without names or by a method that nothing here pays is paid by hand", async () => {
    world = await openWorld();
    const { body } = await post("/partners", { email: "kim@example.com", payout_method: "crypto" });
    expect(body).toMatchObject({ first_name: "kim@example.com", last_name: null, payout_method: "crypto" });
    expect(await world.ok("GET", `/v1/affiliates/${body.id}`)).toMatchObject({ payout_method: null });
  });

  it("is enrolled once for one Idempotency-Key", async () => {
    world = await openWorld();
    const key = { "idempotency-key": "p-1" };
    const first = await post("/partners", { email: "kim@example.com" }, key);
    const again = await post("/partners", { email: "kim@example.com" }, key);
    expect(again.body).toEqual(first.body);
    expect((await get("/partners")).total).toBe(1);
  });

  it("is refused with the field that is wrong, and nothing is written", async () => {
    world = await openWorld();
    const before = await readTables();
    for (const [body, field] of [
      [{}, "email"],
      [{ email: "no address" }, "email"],
      [{ email: "a@example.com", commission_pct: 12.345 }, "commission_pct"],
      [{ email: "a@example.com", commission_pct: 101 }, "commission_pct"],
      [{ email: "a@example.com", payout_method: "cash" }, "payout_method"],
      [{ email: "a@example.com", payout_method: "paypal" }, "payout_email"],
      [{ email: "a@example.com", first_name: "a\u202eb" }, "first_name"],
      [{ email: "a@example.com", metadata: { "affihub.slug": "x" } }, "metadata"],
    ] as const)
      expect(await post("/partners", body), JSON.stringify(body)).toMatchObject({
        status: 422,
        body: { error: { details: [{ field }] } },
      });
    const scoped = await keyOf(world, { scopes: ["affiliates:write"] });
    const wanted = { email: "a@example.com", payout_method: "paypal", payout_email: "b@example.com" };
    const open = await readTables();
    expect((await post("/partners", wanted, scoped)).status).toBe(403);
    expect(changedTables(open, await readTables())).toEqual([]);
    expect(changedTables(before, open)).toEqual(["api_keys", "events"]);
  });

  it("is found by status and by parts of name, address and slug", async () => {
    world = await openWorld();
    const ada = await world.affiliate({ external_id: "First_One", name: "Ada Lovelace" });
    const bob = await world.affiliate({ name: "Bob", email: "bob@example.org" });
    await world.ok("PATCH", `/v1/affiliates/${bob}`, { status: "suspended" });
    const found = async (query: string) => (await get(`/partners?${query}`)).data.map(({ id }) => id);
    expect(await found("status=active")).toEqual([ada]);
    expect(await found("status=deactivated")).toEqual([bob]);
    expect(await found("status=invited")).toEqual([]);
    for (const search of ["lovelace", "ADA", "first_", "ada@example"])
      expect(await found(`search=${encodeURIComponent(search)}`), search).toEqual([ada]);
    expect(await found("search=%25")).toEqual([]);
    expect((await get("/partners?status=active")).data[0]).toMatchObject({
      first_name: "Ada",
      last_name: "Lovelace",
    });
  });
});

describe("commissions", () => {
  it("are listed in Affihub's words, by partner, status and day, in the default currency", async () => {
    world = await openWorld({ commission_rate_bps: 1_000 });
    const id = await world.affiliate({ external_id: "ada" });
    const other = await world.affiliate();
    const said = { metadata: { provider: "stripe", customer_email: "c@example.com" } };
    const order = { amount: undefined, order_amount: 9_900, external_id: "evt_1", ...said };
    const first = await world.sale(id, 0, order);
    await world.sale(id, 50, { currency: "EUR" });
    world.advance(86_400_000);
    const held = await world.sale(id, 300, { status: "pending" });
    await world.ok("POST", `/v1/commissions/${held.id}/hold`, { reason: "look" });
    world.advance(1);
    await world.sale(other, 70, { status: "pending" });
    await world.ok("POST", `/v1/commissions/${first.id}/reverse`, { amount: 90, reason: "refund" });

    const list = async (query = "") => (await get(`/commissions${query}`)).data;
    expect((await list()).map(({ amount_cents }) => amount_cents)).toEqual([70, 300, 900]);
    expect((await list("?status=approved"))[0]).toEqual({
      id: first.id,
      program_id: world.program.id,
      partner_id: id,
      amount_cents: 900,
      txn_amount_cents: 9_900,
      commission_pct: 10,
      status: "approved",
      provider: "stripe",
      provider_event_id: "evt_1",
      customer_email: "c@example.com",
      created_at: "2026-11-01T12:00:00Z",
    });
    const idsOf = async (query: string) => (await list(query)).map((one) => one.id);
    expect(await idsOf("?status=review")).toEqual([held.id]);
    for (const ref of [id, "ada", "ext:ada"])
      expect(await idsOf(`?partner_id=${ref}`), ref).toEqual([held.id, first.id]);
    expect(await idsOf("?to=2026-11-01")).toEqual([first.id]);
    expect(await idsOf("?partner_id=ada&from=2026-11-02T00:00:00Z")).toEqual([held.id]);
    expect(await idsOf("?partner_id=nobody")).toEqual([]);
  });

  it("are approved and rejected from pending and review, by any id, and by no other way", async () => {
    world = await openWorld();
    const id = await world.affiliate();
    const pending = await world.sale(id, 100, { status: "pending", external_id: "o-1" });
    const held = await world.sale(id, 200, { status: "pending" });
    const heldApproved = await world.sale(id, 300);
    const approved = await world.sale(id, 400);
    for (const one of [held, heldApproved])
      await world.ok("POST", `/v1/commissions/${one.id}/hold`, { reason: "look" });
    const ids = ["o-1", held.id, heldApproved.id, approved.id, "com_01JZ0000000000000000000000", "o-1"];
    const { body } = await post("/commissions/approve", { ids });
    expect(body["approved"]).toBe(3);
    expect([...(body["ids"] as unknown as string[])].sort()).toEqual(
      [pending.id, held.id, heldApproved.id].sort(),
    );
    expect((await post("/commissions/approve", { ids })).body).toEqual({ approved: 0, ids: [] });
    expect((await post("/commissions/reject", { ids: [approved.id] })).body).toEqual({
      rejected: 0,
      ids: [],
    });
    const fresh = await world.sale(id, 500, { status: "pending" });
    expect((await post("/commissions/reject", { ids: [fresh.id] })).body).toEqual({
      rejected: 1,
      ids: [fresh.id],
    });
    expect((await get("/commissions?status=rejected")).data.map((one) => one.id)).toEqual([fresh.id]);
  });

  it("of a neighbour, or of more than 200 at once, are not reviewed", async () => {
    world = await openWorld();
    const theirs = await world.sale(await world.affiliate(), 100, {
      status: "pending",
      external_id: "theirs",
    });
    world = await openWorld();
    const before = await readTables();
    expect((await post("/commissions/approve", { ids: [theirs.id, "theirs"] })).body).toEqual({
      approved: 0,
      ids: [],
    });
    for (const ids of [[], Array.from({ length: 201 }, (_, i) => `o-${i}`), ["x".repeat(300)], "all"])
      expect((await post("/commissions/approve", { ids })).status).toBe(422);
    expect(changedTables(before, await readTables())).toEqual([]);
  });
});

describe("events", () => {
  it("are told under Affihub's types, in its words, for its currency", async () => {
    world = await openWorld();
    const id = await world.affiliate();
    await world.sale(id, 900);
    await world.sale(id, 900, { currency: "EUR" });
    const { payouts } = await world.generate({ currency: "USD" });
    await world.ok("PATCH", `/api/v1/payouts/${payouts[0]?.id}`, { status: "paid" });
    const { data, total } = await get("/events");
    expect(data.map(({ type }) => type as string)).toEqual([
      "commission.updated",
      "payout.paid",
      "payout.generated",
      "commission.created",
      "partner.created",
    ]);
    expect(total).toBe(5);
    expect(data[1]).toEqual({
      id: expect.stringMatching(/^evt_/),
      program_id: world.program.id,
      type: "payout.paid",
      payload: { payout_id: payouts[0]?.id, partner_id: id, amount_cents: 900, status: "paid" },
      created_at: "2026-11-01T12:00:00Z",
    });
    expect((await get("/events?type=payout.paid&per_page=1")).data).toEqual([data[1]]);
    expect((await get("/events?type=click")).data).toEqual([]);
    expect((await get("/events?from=2026-11-02")).data).toEqual([]);
    expect((await world.call("GET", "/api/v1/events?type=payout.lost")).status).toBe(422);
  });
});

describe("a webhook", () => {
  it("subscribes an address to Affihub's types under ours", async () => {
    world = await openWorld();
    const asked = { url: "https://hooks.example.com/a", events: ["payout.paid", "commission.updated"] };
    const { status, body } = await post("/webhooks", { ...asked, description: "books" });
    expect([status, body]).toEqual([
      201,
      {
        ...asked,
        id: expect.stringMatching(/^whe_/),
        secret: expect.stringMatching(/^whsec_/),
        description: "books",
        active: true,
        created_at: "2026-11-01T12:00:00Z",
      },
    ]);
    const { events } = (await world.ok("GET", `/v1/webhook-endpoints/${body.id}`)) as unknown as {
      events: string[];
    };
    expect(events).toContain("payout.paid");
    expect(events).toContain("commission.approved");
    expect(events).not.toContain("payout.generated");
    const id = await world.affiliate();
    await world.sale(id, 900);
    expect(world.webhookHints.map(({ kind }) => kind)).toContain("fan_out");
    expect((await post("/webhooks", { url: "https://hooks.example.com/b", events: ["*"] })).status).toBe(201);
    for (const wrong of [
      { url: "https://hooks.example.com/c", events: ["click"] },
      { url: "http://10.0.0.1/", events: ["*"] },
      { url: "https://hooks.example.com/c", events: [] },
    ])
      expect((await post("/webhooks", wrong)).status).toBeGreaterThanOrEqual(400);
  });
});

describe("the program", () => {
  it("has its minimum changed in the default currency, the others left", async () => {
    world = await openWorld({ minimum_payout: { EUR: 700, USD: 100 } });
    expect(await world.call("PATCH", "/api/v1/programs/me", { min_payout_cents: 5_000 })).toMatchObject({
      status: 200,
      body: { id: world.program.id, min_payout_cents: 5_000 },
    });
    expect(await world.ok("GET", "/v1/program")).toMatchObject({ minimum_payout: { EUR: 700, USD: 5_000 } });
    for (const min_payout_cents of [-1, 1.5, "5"])
      expect((await world.call("PATCH", "/api/v1/programs/me", { min_payout_cents })).status).toBe(422);
    const headers = await keyOf(world, { scopes: ["payouts:write"] });
    const body = { min_payout_cents: 0 };
    expect((await world.call("PATCH", "/api/v1/programs/me", body, headers)).status).toBe(403);
  });
});
