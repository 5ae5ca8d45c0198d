// Affiliates: enrolled once, changed field by field, told where their money goes, found by their own ids.
import { expect, test } from "vitest";
import { bindings, type Loose, openWorld, unique, type World } from "./world.ts";

const PERSON = { name: "Ada Lovelace", email: "ada@example.com" };

interface Page {
  readonly data: Loose[];
  readonly has_more: boolean;
  readonly next_cursor: string | null;
}

const countOf = async (world: World): Promise<number> =>
  (await world.ok<Page>("GET", "/v1/affiliates?limit=200")).data.length;

const eventTypes = async (world: World, affiliateId: string): Promise<unknown[]> => {
  const { data } = await world.ok<Page>("GET", "/v1/events?limit=200");
  return data.filter((event) => (event["data"] as Loose).id === affiliateId).map((event) => event["type"]);
};

test("an affiliate is enrolled with what it has otherwise than the program", async () => {
  const world = await openWorld();
  const made = await world.call("POST", "/v1/affiliates", {
    ...PERSON,
    external_id: "cust 7/ä",
    country: "GB",
    metadata: { tier: "gold", age: 3 },
    hold_days: 5,
    minimum_payout: { USD: 2_000 },
    commission_rate_bps: 1_500,
  });
  expect(made.status).toBe(201);
  expect(made.body).toMatchObject({
    ...PERSON,
    external_id: "cust 7/ä",
    country: "GB",
    metadata: { tier: "gold", age: 3 },
    status: "active",
    hold_days: 5,
    minimum_payout: { USD: 2_000 },
    commission_rate_bps: 1_500,
    payout_method: null,
    payout_destination: null,
    created_at: new Date(world.now()).toISOString(),
  });
  expect(await world.ok("GET", `/v1/affiliates/${made.body.id}`)).toEqual(made.body);
  expect(await world.ok("GET", `/v1/affiliates/ext:${encodeURIComponent("cust 7/ä")}`)).toEqual(made.body);
  expect(await eventTypes(world, made.body.id)).toEqual(["affiliate.created"]);
});

test("the same idempotency key enrols once, answers alike, and refuses another body", async () => {
  const world = await openWorld();
  const headers = { "idempotency-key": unique("enrol") };
  const answers = await Promise.all(
    [1, 2, 3, 4, 5].map(() => world.call("POST", "/v1/affiliates", PERSON, headers)),
  );
  expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201, 201]);
  expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
  expect(answers.filter((answer) => answer.headers.get("idempotent-replayed") === "true")).toHaveLength(4);
  expect(await countOf(world)).toBe(1);
  const other = await world.call("POST", "/v1/affiliates", { ...PERSON, name: "Bea" }, headers);
  expect([other.status, other.body.code]).toEqual([422, "idempotency_mismatch"]);
});

test("another program's same idempotency key is its own", async () => {
  const headers = { "idempotency-key": unique("shared") };
  const [one, two] = [await openWorld(), await openWorld()];
  const first = await one.call("POST", "/v1/affiliates", PERSON, headers);
  const second = await two.call("POST", "/v1/affiliates", { ...PERSON, name: "Bea" }, headers);
  expect([first.status, second.status]).toEqual([201, 201]);
  expect(first.body.id).not.toBe(second.body.id);
});

test("an external id belongs to one affiliate", async () => {
  const world = await openWorld();
  await world.affiliate({ external_id: "c-1" });
  const again = await world.call("POST", "/v1/affiliates", { ...PERSON, external_id: "c-1" });
  expect([again.status, again.body.code]).toEqual([409, "duplicate_external_id"]);
  expect(await countOf(world)).toBe(1);
});

test("affiliates are listed by status, external id and time, newest first, page by page", async () => {
  const world = await openWorld();
  const ids: string[] = [];
  for (const external_id of ["a", "b", "c", "d", "e"]) {
    world.advance(1_000);
    ids.push(await world.affiliate({ external_id }));
  }
  await world.ok("PATCH", `/v1/affiliates/${ids[1]}`, { status: "suspended" });
  const listed = async (query: string) =>
    (await world.ok<Page>("GET", `/v1/affiliates?${query}`)).data.map(({ id }) => id);
  expect(await listed("limit=200")).toEqual([...ids].reverse());
  expect(await listed("order=asc")).toEqual(ids);
  expect(await listed("status=suspended")).toEqual([ids[1]]);
  expect(await listed("status=active,suspended&external_id=c")).toEqual([ids[2]]);
  const third = new Date(world.now() - 2_000).toISOString();
  expect(await listed(`created_after=${third}`)).toEqual([ids[4], ids[3], ids[2]]);
  expect(await listed(`created_before=${third}`)).toEqual([ids[1], ids[0]]);
  const first = await world.ok<Page>("GET", "/v1/affiliates?limit=2&status=active");
  expect([first.data.map(({ id }) => id), first.has_more]).toEqual([[ids[4], ids[3]], true]);
  const next = await world.ok<Page>(
    "GET",
    `/v1/affiliates?limit=2&status=active&cursor=${first.next_cursor}`,
  );
  expect([next.data.map(({ id }) => id), next.has_more, next.next_cursor]).toEqual([
    [ids[2], ids[0]],
    false,
    null,
  ]);
  const wrong = await world.call("GET", `/v1/affiliates?limit=2&cursor=${first.next_cursor}`);
  expect(wrong.status).toBe(400);
  expect((await world.call("GET", "/v1/affiliates?stalled=true")).status).toBe(422);
});

test("a change names its fields, null takes an override away, and an empty one is refused", async () => {
  const world = await openWorld();
  const id = await world.affiliate({
    country: "DE",
    hold_days: 3,
    minimum_payout: { USD: 10 },
    metadata: { a: 1 },
  });
  const after = await world.ok("PATCH", `/v1/affiliates/${id}`, {
    name: "Ada King",
    country: null,
    hold_days: null,
    commission_rate_bps: 0,
    metadata: { b: true },
  });
  expect(after).toMatchObject({
    name: "Ada King",
    email: "ada@example.com",
    country: null,
    hold_days: null,
    minimum_payout: { USD: 10 },
    commission_rate_bps: 0,
    metadata: { b: true },
  });
  expect((await world.call("PATCH", `/v1/affiliates/${id}`, {})).status).toBe(422);
  for (const body of [
    { stripe_account_id: "acct_x" },
    { external_id: "new" },
    { status: "gone" },
    { email: "x" },
  ]) {
    expect((await world.call("PATCH", `/v1/affiliates/${id}`, body)).status).toBe(422);
  }
  expect(await eventTypes(world, id)).toEqual(["affiliate.created", "affiliate.updated"]);
});

test("a suspended affiliate earns nothing until it is active again", async () => {
  const world = await openWorld();
  const id = await world.affiliate();
  await world.ok("PATCH", `/v1/affiliates/${id}`, { status: "suspended" });
  const sale = {
    affiliate_id: id,
    external_id: "o-1",
    amount: 5,
    currency: "USD",
    occurred_at: "2026-10-01T00:00:00Z",
  };
  const refused = await world.call("POST", "/v1/commissions", sale);
  expect([refused.status, refused.body.code]).toEqual([409, "affiliate_suspended"]);
  await world.ok("PATCH", `/v1/affiliates/${id}`, { status: "active" });
  expect((await world.call("POST", "/v1/commissions", sale)).status).toBe(201);
});

test("another program's affiliate is not there, by any call", async () => {
  const [other, world] = [await openWorld(), await openWorld()];
  const id = await other.affiliate({ external_id: "theirs" });
  const calls: [string, string, unknown][] = [
    ["GET", "", undefined],
    ["PATCH", "", { name: "x" }],
    ["PUT", "/payout-method", { payout_method: "manual" }],
    ["GET", "/balance", undefined],
    ["GET", "/commissions", undefined],
    ["GET", "/ledger", undefined],
    ["POST", "/credits", { amount: 1, currency: "USD", note: "n" }],
  ];
  const before = await other.ok("GET", `/v1/affiliates/${id}`);
  for (const ref of [id, "ext:theirs", "aff_nobody", "nonsense"]) {
    for (const [method, path, body] of calls) {
      const answer = await world.call(method, `/v1/affiliates/${ref}${path}`, body);
      expect([answer.status, answer.body.code], `${method} ${ref}${path}`).toEqual([
        404,
        "affiliate_not_found",
      ]);
    }
  }
  expect(await other.ok("GET", `/v1/affiliates/${id}`)).toEqual(before);
});

test("a Stripe account is looked up and recorded with what it still misses", async () => {
  const world = await openWorld();
  const id = await world.affiliate();
  const choose = (account: string) =>
    world.call("PUT", `/v1/affiliates/${id}/payout-method`, {
      payout_method: "stripe",
      stripe_account_id: account,
    });
  const without = await choose("acct_any");
  expect([without.status, without.body.code]).toEqual([422, "credentials_missing"]);
  await world.ok("PUT", "/v1/program/credentials/stripe", { secret_key: "sk_test_methods_1" });
  const unknown = await choose("acct_nobody");
  expect([unknown.status, unknown.body.code]).toEqual([422, "account_not_found"]);
  expect((await choose("cus_1")).status).toBe(422);
  const account = String(world.stripe.seedAccount({}).id);
  const ready = await choose(account);
  expect(ready.body).toMatchObject({
    payout_method: "stripe",
    payout_destination: { display: account, currency: null, ready: true, missing: [], changed_at: null },
  });
});

test("each method keeps what it needs, and a change of destination begins a cooldown", async () => {
  const world = await openWorld();
  const id = await world.affiliate();
  const put = (body: Record<string, unknown>) => world.ok("PUT", `/v1/affiliates/${id}/payout-method`, body);
  const first = await put({ payout_method: "paypal", paypal_email: "ada@paypal.example" });
  expect(first).toMatchObject({
    payout_method: "paypal",
    payout_destination: { display: "ada@paypal.example", ready: true, changed_at: null },
  });
  world.advance(1_000);
  const same = await put({ payout_method: "paypal", paypal_email: "Ada@PayPal.example" });
  expect(same).toMatchObject({ payout_destination: { changed_at: null } });
  const changedAt = new Date(world.now()).toISOString();
  const wise = await put({ payout_method: "wise", wise_email: "ada@wise.example", currency: "EUR" });
  expect(wise).toMatchObject({ payout_destination: { currency: "EUR", changed_at: changedAt } });
  const credit = await put({ payout_method: "store_credit" });
  expect(credit).toMatchObject({
    payout_method: "store_credit",
    payout_destination: { display: null, ready: true },
  });
  expect(await eventTypes(world, id)).toEqual([
    "affiliate.created",
    "affiliate.payout_method_changed",
    "affiliate.updated",
    "affiliate.payout_method_changed",
    "affiliate.payout_method_changed",
  ]);
});

test("bank details are checked, sealed, and shown by their last four characters", async () => {
  const world = await openWorld();
  const id = await world.affiliate();
  const put = (details: Record<string, unknown>) =>
    world.call("PUT", `/v1/affiliates/${id}/payout-method`, {
      payout_method: "bank_transfer",
      bank_details: {
        account_name: "Ada Lovelace",
        iban: "de89 3704 0044 0532 0130 00",
        swift: "cobadeffxxx",
        ...details,
      },
    });
  const good = await put({});
  expect(good.body).toMatchObject({
    payout_method: "bank_transfer",
    payout_destination: { display: "3000" },
  });
  const row = await bindings.DB.prepare("SELECT destination FROM affiliates WHERE id = ?1")
    .bind(id)
    .first<{ destination: string }>();
  expect(row?.destination).not.toContain("0532013000");
  expect(row?.destination).not.toContain("Lovelace");
  expect((await put({ iban: "DE89370400440532013001" })).status).toBe(422);
  expect((await put({ swift: "NOPE" })).status).toBe(422);
  expect((await put({ account_name: "" })).status).toBe(422);
  const same = await put({ iban: "DE89370400440532013000", swift: "COBADEFFXXX" });
  expect(same.body).toMatchObject({ payout_destination: { changed_at: null } });
});

test("a method that the program does not offer, or that cannot carry the currency, is refused", async () => {
  const world = await openWorld({ payout_methods: ["wise", "manual"] });
  const id = await world.affiliate();
  const put = (body: Record<string, unknown>) =>
    world.call("PUT", `/v1/affiliates/${id}/payout-method`, body);
  const paypal = await put({ payout_method: "paypal", paypal_email: "a@b.co" });
  expect([paypal.status, paypal.body.code]).toEqual([422, "rail_not_available"]);
  const wise = await put({ payout_method: "wise", wise_email: "a@b.co", currency: "JOD" });
  expect([wise.status, wise.body.code]).toEqual([422, "currency_not_supported_by_method"]);
  for (const body of [
    {},
    { payout_method: "cheque" },
    { payout_method: "paypal" },
    { payout_method: "manual", note: "x" },
  ]) {
    expect((await put(body)).status).toBe(422);
  }
});

test("setting a payout method has a scope of its own", async () => {
  const world = await openWorld();
  const id = await world.affiliate();
  const key = await world.ok("POST", "/v1/api-keys", { name: "shop", scopes: ["affiliates:write"] });
  const headers = { authorization: `Bearer ${key["secret"]}` };
  const path = `/v1/affiliates/${id}/payout-method`;
  const refused = await world.call("PUT", path, { payout_method: "manual" }, headers);
  expect([refused.status, refused.body]).toMatchObject([403, { required_scope: "affiliates:payout_method" }]);
});

test("an idempotency key replays a change", async () => {
  const world = await openWorld();
  const id = await world.affiliate();
  const headers = { "idempotency-key": unique("change") };
  const path = `/v1/affiliates/${id}`;
  await world.ok("PATCH", path, { name: "First" }, headers);
  await world.ok("PATCH", path, { name: "Second" });
  const again = await world.call("PATCH", path, { name: "First" }, headers);
  expect(again.headers.get("idempotent-replayed")).toBe("true");
  expect((await world.ok("GET", path))["name"]).toBe("Second");
  expect((await world.call("PATCH", path, { name: "Third" }, headers)).status).toBe(422);
});
