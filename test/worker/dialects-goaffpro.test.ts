// GoAffPro's admin calls as its clients make them: payments behind since_id, by id and by fields; what is pending; the key in its own header.
import { afterEach, describe, expect, it } from "vitest";
import { expectSound } from "./books.ts";
import { type Headers, keyOf, payoutAt } from "./dialects-scene.ts";
import { changedTables, readTables } from "./tables.ts";
import { type Loose, openWorld, type World } from "./world.ts";

const FIELDS =
  "id,affiliate_id,amount,currency,payment_method,payment_details,affiliate_message,admin_note,created_at";

let world: World;

afterEach(async () => {
  await expectSound(world);
});

const open = async (policy: Record<string, unknown> = {}): Promise<void> => {
  world = await openWorld(policy);
};

const tokenOf = ({ authorization = "" }: Headers): string => authorization.replace("Bearer ", "");

/** The key in GoAffPro's header, and no other. */
const asToken = (token: string): Headers => ({ authorization: "", "x-goaffpro-access-token": token });

const get = <T = Loose>(path: string, headers: Headers = {}) =>
  world.call<T>("GET", path, undefined, headers);

const list = async (query = "", base = ""): Promise<Loose[]> =>
  (await world.ok<{ payments: Loose[] }>("GET", `${base}/v1/admin/payments${query}`)).payments;

/** Paid through a payout session, with its payment note. */
const paySession = async (note: object): Promise<void> => {
  const { id } = await world.ok("POST", "/v1/payout-sessions", { title: "April" });
  const up_to = new Date(world.now()).toISOString().slice(0, 10);
  await world.ok("PUT", `/v1/payout-sessions/${id}/selection`, { up_to, commission_ids: "all" });
  await world.ok("POST", `/v1/payout-sessions/${id}/mark-paid`, note);
};

const markPaid = (id: string, ref: string) =>
  world.ok("POST", `/v1/payouts/${id}/mark-paid`, { external_ref: ref });

const pendingPayout = async (amount: number, more: object = {}): Promise<string> => {
  const affiliateId = await world.affiliate();
  await world.sale(affiliateId, amount, more as Record<string, unknown>);
  return (await world.generate({ affiliate_ids: [affiliateId] })).payouts[0]?.id ?? "";
};

describe.each(["", "/dialects/goaffpro"])("payments below %s", (base) => {
  it("hold a session's payment note, all fields that are asked for and no other", async () => {
    await open();
    world.setNow(Date.UTC(2026, 3, 10, 9));
    const affiliateId = await world.affiliate();
    await world.sale(affiliateId, 12_345);
    await paySession({ admin_note: "batch 7", partner_message: "Thank you!" });
    const path = `${base}/v1/admin/payments?since_id=0&created_at_min=2026-04-01T00:00:00Z&fields=${FIELDS}`;
    const answer = await get<{ payments: Loose[] }>(path, asToken(world.program.key));
    expect([answer.status, answer.body]).toEqual([
      200,
      {
        payments: [
          {
            id: 1,
            affiliate_id: affiliateId,
            amount: 123.45,
            currency: "USD",
            payment_method: "manual",
            payment_details: null,
            affiliate_message: "Thank you!",
            admin_note: "batch 7",
            created_at: "2026-04-10T09:00:00.000Z",
          },
        ],
      },
    ]);
    expect(Object.keys((await list("", base))[0] ?? {})).toContain("payout_id");
    expect(await list("?fields=amount,colour", base)).toEqual([{ amount: 123.45 }]);
  });
});

describe("payments", () => {
  it("appear behind since_id in the order of paying, whatever was made first", async () => {
    await open();
    const [old, young] = [await pendingPayout(1_000), await pendingPayout(2_000, { currency: "JPY" })];
    await markPaid(young, "R-1");
    expect(await list()).toMatchObject([{ id: 1, payout_id: young, amount: 2_000, currency: "JPY" }]);
    world.advance(86_400_000);
    await markPaid(old, "R-2");
    expect(await list("?since_id=1")).toMatchObject([{ id: 2, payout_id: old, amount: 10 }]);
    expect(await list(`?since_id=${young}`)).toMatchObject([{ payout_id: old }]);
    expect(await list("?since_id=2")).toEqual([]);
    expect(await list(`?since_id=${await pendingPayout(500)}`)).toEqual([]);
    expect((await list("?limit=1")).map(({ id }) => Number(id))).toEqual([1]);
    expect(await list("?id=2")).toMatchObject([{ payout_id: old }]);
    expect(await list(`?id=${old},1`)).toHaveLength(2);
    const day = new Date(world.now()).toISOString().slice(0, 10);
    expect(await list(`?created_at_min=${day}`)).toMatchObject([{ payout_id: old }]);
  });

  it("are those that arrived: none that waits, failed or came back", async () => {
    await open();
    for (const stage of ["requested", "pending", "approved", "waiting for a person", "failed"] as const)
      await payoutAt(world, stage);
    await payoutAt(world, "returned");
    expect(await list()).toEqual([]);
    const paid = await payoutAt(world, "paid by hand");
    expect(await list()).toMatchObject([{ payout_id: paid }]);
  });

  it("show where they went to those who may see it, while it is still there", async () => {
    await open({ destination_cooldown_hours: 0 });
    const id = await payoutAt(world, "paid by Stripe");
    const [payment] = await list();
    expect(payment).toMatchObject({ payout_id: id, payment_method: "stripe" });
    expect(payment?.["payment_details"]).toMatch(/^acct_/);
    const blind = await keyOf(world, { scopes: ["payouts:read"] });
    const seen = await get<{ payments: Loose[] }>("/v1/admin/payments", blind);
    expect(seen.body.payments[0]).toMatchObject({ payout_id: id, payment_details: null });
    await world.useStripe(String(payment?.["affiliate_id"]));
    expect((await list())[0]).toMatchObject({ payment_details: null });
  });
});

describe("pending", () => {
  it("says per affiliate and currency what was paid and what could be", async () => {
    await open();
    const ada = await world.affiliate({ name: "Ada" });
    const bob = await world.affiliate({ name: "Bob" });
    const cyd = await world.affiliate({ name: "Cyd" });
    await world.sale(ada, 1_000);
    await paySession({ external_ref: "bank" });
    await world.sale(ada, 250);
    await world.sale(ada, 300, { currency: "EUR" });
    await world.sale(bob, 99, { status: "pending" });
    await world.sale(cyd, 400);
    await world.ok("PATCH", `/v1/affiliates/${cyd}`, { status: "suspended" });
    const { pending } = await world.ok<{ pending: Loose[] }>("GET", "/v1/admin/payments/pending?limit=100");
    const row = { affiliate_id: ada, name: "Ada" };
    expect(pending).toEqual([
      { ...row, currency: "EUR", total: 3, paid_out: 0, amount: 3 },
      { ...row, currency: "USD", total: 12.5, paid_out: 10, amount: 2.5 },
    ]);
    const first = await get<{ pending: Loose[] }>("/v1/admin/payments/pending?limit=1");
    expect(first.body.pending).toHaveLength(1);
    expect(first.headers.get("x-stipend-more")).toBe("true");
  });
});

describe("GoAffPro's header", () => {
  it("carries the key on GoAffPro's paths only", async () => {
    await open();
    const token = asToken(tokenOf(await keyOf(world, { dialect: "goaffpro" })));
    expect((await get("/v1/admin/payments", token)).status).toBe(200);
    expect((await get("/v1/admin/payments/pending", token)).status).toBe(200);
    for (const path of ["/v1/payouts", "/v1/payout-sessions", "/v1/admin/payouts"])
      expect((await get(path, token)).status).toBe(401);
  });
});

describe("the document", () => {
  it("says that its shapes are chosen, and names the header", async () => {
    await open();
    const document = await world.ok("GET", "/dialects/goaffpro/openapi.json");
    const paths = document["paths"] as Record<string, { get: Loose }>;
    for (const path of ["/v1/admin/payments", "/v1/admin/payments/pending"])
      expect(paths[path]?.get).toMatchObject({ "x-source": "chosen", "x-required-scope": "payouts:read" });
    expect(JSON.stringify(document["components"])).toContain("x-goaffpro-access-token");
  });
});

describe("a no", () => {
  const shape = { error: expect.stringMatching(/\w/), code: expect.any(String) };

  it("is an error and a code", async () => {
    await open();
    const writer = await keyOf(world, { scopes: ["commissions:read"] });
    const before = await readTables();
    for (const [path, headers, status] of [
      ["/v1/admin/payments", { authorization: "" }, 401],
      ["/v1/admin/payments", asToken("stp_test_nothing"), 401],
      ["/v1/admin/payments", writer, 403],
      ["/v1/admin/payments/pending", writer, 403],
      ["/v1/admin/payments?since_id=-1", {}, 422],
      ["/v1/admin/payments?id=,", {}, 422],
      ["/v1/admin/payments?created_at_min=2026-02-30", {}, 422],
      ["/v1/admin/payments/7", {}, 404],
      ["/v1/admin/traffic", {}, 501],
      ["/v1/user/feed/payouts", {}, 501],
    ] as const) {
      const answer = await get(path, headers);
      expect([path, answer.status, answer.body]).toEqual([path, status, shape]);
    }
    const wrong = await world.call("POST", "/v1/admin/payments", {});
    expect([wrong.status, wrong.body, wrong.headers.get("allow")]).toEqual([405, shape, "GET, HEAD"]);
    expect(changedTables(before, await readTables())).toEqual([]);
  });

  it("is nothing at all where the payments are a neighbour's", async () => {
    await open();
    const theirs = await payoutAt(world, "paid by hand");
    await open();
    for (const query of ["", `?id=${theirs}`, `?since_id=${theirs}`, "?id=1"])
      expect(await list(query)).toEqual([]);
    const { pending } = await world.ok<{ pending: Loose[] }>("GET", "/v1/admin/payments/pending");
    expect(pending).toEqual([]);
  });
});
