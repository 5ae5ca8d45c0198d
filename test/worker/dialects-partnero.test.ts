// Partnero's guide as it prints its calls: the three curls, the settings bodies with what they do, and how it says no.
import { afterEach, describe, expect, it } from "vitest";
import { expectSound } from "./books.ts";
import { asKey, curlOf, expectShape, type Headers, keyOf, payoutAt, speak } from "./dialects-scene.ts";
import { changedTables, readTables } from "./tables.ts";
import { type Loose, openWorld, type World } from "./world.ts";

const PARTNER_CURL = `curl -X GET https://api.partnero.com/v1/partners/partner_123 \\
  -H "Authorization: Bearer YOUR_API_KEY"`;

const BALANCE_CURL = `curl -X GET https://api.partnero.com/v1/customers/cust_123/balance \\
  -H "Authorization: Bearer YOUR_API_KEY"`;

const CREDIT_CURL = `curl -X POST https://api.partnero.com/v1/customers/cust_123/balance/credit \\
  -H "Authorization: Bearer YOUR_API_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{
    "amount": 25,
    "currency": "USD",
    "note": "Bonus for reaching milestone"
  }'`;

/** docs.partnero.com/api-reference/partners/get; what is not tracked is empty here. */
const PARTNER = {
  email: "john.doe@partnero.com",
  created_at: "2025-04-30T16:44:13.000000Z",
  updated_at: "2025-04-30T16:44:13.000000Z",
  name: "John",
  id: "partner_123",
  surname: "Doe",
  tos: false,
  approved: true,
  status: "active",
  referrals: { clicks: 0, signups: 0, revenue: [], sales_count: 0, paid_accounts: 0 },
  commissions: {
    paid: 375.0,
    pending: [{ currency: "USD", amount: 125.0 }],
    not_paid: [{ currency: "USD", amount: 50.0 }],
  },
  custom_field_values: [],
  custom_fields: [],
  referrals_count: 0,
  tags: [],
  referral_link: null,
  referral_links: [],
};

/** developers.partnero.com/reference/referral-transactions. */
const CUSTOMER = {
  email: "some.name10@email.com",
  created_at: "2023-09-21T04:59:31.000000Z",
  updated_at: "2023-09-21T04:59:31.000000Z",
  name: "Some Name",
  id: "idforreferring-10",
  surname: "10",
  tos: false,
  approved: true,
  status: "active",
  referring_customer: null,
  referrals_count: 0,
  referral_link: null,
  referral_links: [],
};

interface Envelope<Data = Loose> {
  readonly data: Data;
  readonly status: number;
  readonly message: string;
  readonly code: string;
  readonly errors: Record<string, string[]>;
}

interface Balance {
  readonly customer: Loose;
  readonly balance: { readonly currency: readonly Loose[] };
}

let world: World;

afterEach(async () => {
  await expectSound(world);
});

const open = async (policy: Record<string, unknown> = {}): Promise<Headers> => {
  world = await openWorld(policy);
  return asKey(world.program.key);
};

const get = <Data = Loose>(path: string, headers: Headers = {}) =>
  world.call<Envelope<Data>>("GET", path, undefined, headers);

const put = (path: string, body: object, headers: Headers = {}) =>
  world.call<Envelope>("PUT", path, body, headers);

const payablesOf = async (id: string) =>
  (await get<Balance>(`/v1/customers/${id}/balance`)).body.data.balance.currency.map(
    ({ amount, amount_units }) => [amount, amount_units],
  );

describe.each(["", "/dialects/partnero"])("the guide's curls below %s", (base) => {
  const at = (text: string, id: string) => {
    const curl = curlOf(text.replace(/partner_123|cust_123/, id));
    return { ...curl, path: `${base}${curl.path}` };
  };

  it("read a partner with its balance, value by value", async () => {
    const key = await open();
    world.setNow(Date.UTC(2025, 3, 30, 16, 44, 13));
    const id = await world.affiliate({
      name: "John Doe",
      email: "john.doe@partnero.com",
      external_id: "partner_123",
    });
    await world.sale(id, 37_500);
    const [paid] = (await world.generate()).payouts;
    await world.ok("POST", `/v1/payouts/${paid?.id}/mark-paid`, {});
    await world.sale(id, 12_500, { status: "pending" });
    await world.sale(id, 5_000);
    for (const ref of ["partner_123", id]) {
      const answer = await speak<Envelope>(world, at(PARTNER_CURL, ref), key);
      expect(answer.status).toBe(200);
      expect(answer.headers.get("content-type")).toBe("application/json");
      expect(answer.body).toEqual({
        data: {
          ...PARTNER,
          key: id,
          balance: {
            currency: [
              {
                amount: 50,
                amount_units: "USD",
                is_currency: true,
                pending: 125,
                in_hold_period: 0,
                in_payouts: 0,
                paid: 375,
                recovery_owed: 0,
                store_credit: 0,
              },
            ],
          },
        },
        status: 1,
      });
    }
  });

  it("read a customer's balance, and credit it", async () => {
    const key = await open();
    world.setNow(Date.UTC(2023, 8, 21, 4, 59, 31));
    const id = await world.affiliate({
      name: "Some Name 10",
      email: "some.name10@email.com",
      external_id: "idforreferring-10",
    });
    const credit = { amount: 3, currency: "USD", note: "Hello" };
    await world.ok("POST", "/v1/customers/idforreferring-10/balance/credit", credit);
    const before = await speak<Envelope<Balance>>(world, at(BALANCE_CURL, "idforreferring-10"), key);
    expect(before.status).toBe(200);
    expect(before.body.status).toBe(1);
    expect(before.body.data.customer).toEqual({ ...CUSTOMER, key: id });
    expect(before.body.data.balance.currency).toMatchObject([
      { amount: 3, amount_units: "USD", is_currency: true },
    ]);

    const credited = await speak<Envelope>(world, at(CREDIT_CURL, "idforreferring-10"), key);
    expect(credited.status).toBe(201);
    expect(credited.body).toEqual({
      data: {
        id: expect.stringMatching(/^com_/),
        customer_id: "idforreferring-10",
        amount: 25,
        amount_units: "USD",
        is_currency: true,
        currency: "USD",
        note: "Bonus for reaching milestone",
        created_at: "2023-09-21T04:59:31.000000Z",
      },
      status: 1,
    });
    expect(await payablesOf(id)).toEqual([[28, "USD"]]);
    const { data } = await world.ok<{ data: Loose[] }>("GET", `/v1/affiliates/${id}/commissions`);
    expect(data.map(({ kind, amount, note }) => [kind, amount, note])).toContainEqual([
      "credit",
      2_500,
      "Bonus for reaching milestone",
    ]);
  });
});

describe("a credit", () => {
  const credit = (id: string, body: object, headers: Headers = {}) =>
    world.call<Envelope>("POST", `/v1/customers/${id}/balance/credit`, body, headers);

  it("converts exactly by the currency's exponent or is refused, and a refused one changes nothing", async () => {
    await open();
    const id = await world.affiliate();
    const good: [unknown, string, number][] = [
      [0.01, "USD", 1],
      [19.99, "USD", 1_999],
      ["1234567.89", "EUR", 123_456_789],
      [500, "JPY", 500],
      ["1.250", "KWD", 1_250],
      ["25.00", "usd", 2_500],
    ];
    for (const [amount, currency] of good) {
      const answer = await credit(id, { amount, currency, note: "n" });
      expect([amount, currency, answer.status]).toEqual([amount, currency, 201]);
      expect(answer.body.data).toMatchObject({
        amount: Number(amount),
        amount_units: currency.toUpperCase(),
      });
    }
    const { data } = await world.ok<{ data: Loose[] }>("GET", `/v1/affiliates/${id}/commissions`);
    const inOrder = (amounts: unknown[]) => amounts.map(Number).sort((left, right) => left - right);
    expect(inOrder(data.map(({ amount }) => amount))).toEqual(inOrder(good.map(([, , minor]) => minor)));

    const before = await readTables();
    const bad: [unknown, string][] = [
      [0.001, "USD"],
      [0.1 + 0.2, "USD"],
      [0, "USD"],
      [-5, "USD"],
      [1e21, "USD"],
      [1.5, "JPY"],
      ["1.2505", "KWD"],
      ["1.255", "KWD"],
      ["1,50", "USD"],
      ["", "USD"],
      [1_000_000_000, "USD"],
      [25, "XXX"],
    ];
    for (const [amount, currency] of bad)
      expect(await credit(id, { amount, currency, note: "n" }), `${amount} ${currency}`).toMatchObject({
        status: 422,
        body: { status: 0, message: expect.any(String), errors: expect.any(Object) },
      });
    for (const body of [
      {},
      { amount: 5 },
      { amount: 5, currency: "USD", note: " " },
      { amount: true, currency: "USD" },
    ])
      expect((await credit(id, body)).status).toBe(422);
    expect(changedTables(before, await readTables())).toEqual([]);
  });

  it("is taken as an older page has it, without a note too", async () => {
    await open();
    const id = await world.affiliate();
    const answer = await credit(id, { amount: 10, is_currency: true, amount_units: "usd", colour: "red" });
    expect(answer).toMatchObject({ status: 201, body: { data: { amount: 10, currency: "USD" } } });
    expect((await credit(id, { amount: 10, is_currency: false, amount_units: "usd" })).status).toBe(422);
  });

  it("is given once under an Idempotency-Key", async () => {
    await open();
    const id = await world.affiliate();
    const headers = { "idempotency-key": "bonus-1" };
    const body = { amount: 25, currency: "USD", note: "once" };
    const first = await credit(id, body, headers);
    const again = await credit(id, body, headers);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    expect((await credit(id, { ...body, amount: 26 }, headers)).status).toBe(422);
    expect(await payablesOf(id)).toEqual([[25, "USD"]]);
  });

  it("keeps currencies apart in the balance", async () => {
    await open();
    const id = await world.affiliate();
    await credit(id, { amount: 6, currency: "USD", note: "n" });
    await credit(id, { amount: 6, currency: "EUR", note: "n" });
    expect(await payablesOf(id)).toEqual([
      [6, "EUR"],
      [6, "USD"],
    ]);
  });
});

describe("the program's payout settings", () => {
  it("are taken as the guide has them, and take effect: minimum 50 USD, hold 30, weekly", async () => {
    await open();
    expect(await put("/v1/payout_settings", { minimum_payout: 50, currency: "USD" })).toMatchObject({
      status: 200,
      body: { status: 1, data: { minimum_payout: 50, currency: "USD", hold_period: 0 } },
    });
    const hold = { hold_period: 30, description: "30-day hold for refund protection" };
    expect((await put("/v1/payout_settings", hold)).body.data).toMatchObject({ hold_period: 30 });
    const weekly = await put("/v1/payout_settings", { payout_schedule: "weekly" });
    expect(weekly.body.data).toEqual({
      minimum_payout: 50,
      currency: "USD",
      minimum_payouts: [{ currency: "USD", minimum_payout: 50 }],
      hold_period: 30,
      payout_schedule: "weekly",
      weekday: "monday",
      day_of_month: null,
      start_date: null,
      automatic_payouts: false,
    });
    expect((await get("/v1/payout_settings")).body).toEqual(weekly.body);
    expect(await world.ok("GET", "/v1/program")).toMatchObject({
      minimum_payout: { USD: 5_000 },
      hold_days: 30,
      payout_schedule: { kind: "weekly", weekday: 1 },
    });
    const id = await world.affiliate();
    await world.sale(id, 4_999, { occurred_at: new Date(world.now() - 31 * 86_400_000).toISOString() });
    await world.sale(id, 9_000);
    expect((await get(`/v1/partners/${id}`)).body.data["commissions"]).toMatchObject({
      pending: [{ currency: "USD", amount: 90 }],
      not_paid: [{ currency: "USD", amount: 49.99 }],
    });
    const wish = { partner: { id }, amount_units: "usd" };
    expect(await world.call("POST", "/v1/payout_requests", wish)).toMatchObject({
      status: 422,
      body: { status: 0, code: "below_minimum" },
    });
  });

  it("take every schedule of the guide", async () => {
    await open();
    const cases: [object, object, object][] = [
      [{ payout_schedule: "manual" }, { weekday: null }, { kind: "manual" }],
      [
        { payout_schedule: "weekly", weekday: "Friday" },
        { weekday: "friday" },
        { kind: "weekly", weekday: 5 },
      ],
      [
        { payout_schedule: "bi-weekly", weekday: 3 },
        { weekday: "wednesday", start_date: "2026-11-04" },
        { kind: "biweekly", anchor_date: "2026-11-04" },
      ],
      [
        { payout_schedule: "monthly", day_of_month: 31 },
        { day_of_month: 31 },
        { kind: "monthly", day_of_month: 31 },
      ],
    ];
    for (const [body, data, policy] of cases) {
      expect(await put("/v1/payout_settings", body)).toMatchObject({
        status: 200,
        body: { data: { ...body, ...data } },
      });
      expect((await world.ok("GET", "/v1/program"))["payout_schedule"]).toEqual(policy);
    }
    await put("/v1/payout_settings", { payout_schedule: "bi-weekly", start_date: "2026-11-11" });
    await put("/v1/payout_settings", { payout_schedule: "bi-weekly" });
    expect((await get("/v1/payout_settings")).body.data).toMatchObject({ start_date: "2026-11-11" });
  });

  it("are refused where they make no sense, and then stay", async () => {
    await open({ currencies: ["USD", "JPY"] });
    const before = await readTables();
    for (const body of [
      { minimum_payout: 0.005 },
      { minimum_payout: -1 },
      { minimum_payout: 1.5, currency: "JPY" },
      { minimum_payout: 50, currency: "EUR" },
      { hold_period: 366 },
      { hold_period: 1.5 },
      { payout_schedule: "daily" },
      { payout_schedule: "bi-weekly", weekday: 1, start_date: "2026-11-11" },
      { payout_schedule: "monthly", day_of_month: 32 },
    ])
      expect(await put("/v1/payout_settings", body), JSON.stringify(body)).toMatchObject({
        status: 422,
        body: { status: 0 },
      });
    expect(changedTables(before, await readTables())).toEqual([]);
    expect((await put("/v1/payout_settings", { minimum_payout: 0 })).status).toBe(200);
  });
});

describe("a partner's payout settings", () => {
  const bank = { account_name: "John Doe", iban: "DE89370400440532013000", swift: "COBADEFFXXX" };

  it("are taken as the guide has them", async () => {
    await open();
    const id = await world.affiliate({ external_id: "partner_123" });
    const path = "/v1/partners/partner_123/payout_settings";
    const cases: [object, object][] = [
      [
        { payout_method: "paypal", paypal_email: "john@example.com" },
        { destination: "john@example.com", currency: null },
      ],
      [
        { payout_method: "wise", wise_email: "john@example.com", currency: "EUR" },
        { destination: "john@example.com", currency: "EUR" },
      ],
      [
        { payout_method: "bank_transfer", bank_details: bank },
        { destination: "3000", currency: null },
      ],
      [{ payout_method: "store_credit" }, { destination: null }],
      [{ payout_method: "manual" }, { destination: null }],
    ];
    for (const [body, data] of cases) {
      const { payout_method } = body as { payout_method: string };
      const answer = await put(path, body);
      expect(answer).toMatchObject({
        status: 200,
        body: { status: 1, data: { partner_id: "partner_123", payout_method, ...data } },
      });
      expect((await get(path)).body).toEqual(answer.body);
      expect((await world.ok("GET", `/v1/affiliates/${id}`))["payout_method"]).toBe(payout_method);
    }
    expect(JSON.stringify(await readTables())).not.toContain(bank.iban);
  });

  it("override the program's, and null gives them back", async () => {
    await open();
    const id = await world.affiliate();
    const path = `/v1/partners/${id}/payout_settings`;
    const own = { minimum_payout: 12.5, currency: "USD", hold_period: 60 };
    expect((await put(path, own)).body.data).toMatchObject({
      minimum_payouts: [{ currency: "USD", minimum_payout: 12.5 }],
      hold_period: 60,
    });
    expect(await world.ok("GET", `/v1/affiliates/${id}`)).toMatchObject({
      hold_days: 60,
      minimum_payout: { USD: 1_250 },
    });
    expect((await put(path, { minimum_payout: null, hold_period: null })).body.data).toMatchObject({
      minimum_payouts: null,
      hold_period: null,
    });
  });

  it("are refused with what is wrong, and then stay", async () => {
    await open({ payout_methods: ["paypal", "wise", "bank_transfer"] });
    const id = await world.affiliate();
    const path = `/v1/partners/${id}/payout_settings`;
    const before = await readTables();
    const cases: [object, string][] = [
      [{ payout_method: "paypal" }, "paypal_email"],
      [{ payout_method: "paypal", paypal_email: "nobody" }, "paypal_email"],
      [{ payout_method: "wise", wise_email: "a@example.com" }, "currency"],
      [{ payout_method: "wise", currency: "EUR" }, "wise_email"],
      [{ payout_method: "bank_transfer" }, "bank_details"],
      [
        { payout_method: "bank_transfer", bank_details: { ...bank, iban: "DE89370400440532013001" } },
        "bank_details.iban",
      ],
      [
        { payout_method: "bank_transfer", bank_details: { ...bank, iban: "DE8937040044053201300" } },
        "bank_details.iban",
      ],
      [{ payout_method: "bank_transfer", bank_details: { ...bank, swift: "COBA" } }, "bank_details.swift"],
      [{ payout_method: "crypto" }, "payout_method"],
      [{ payout_method: "store_credit" }, "payout_method"],
    ];
    for (const [body, field] of cases) {
      const answer = await put(path, body);
      expect([answer.status, Object.keys(answer.body.errors)], JSON.stringify(body)).toEqual([422, [field]]);
    }
    expect(changedTables(before, await readTables())).toEqual([]);
  });
});

describe("Partnero's no", () => {
  const calls = (id: string, payout: string): [string, string, object | undefined][] => [
    ["GET", `/v1/partners/${id}`, undefined],
    ["GET", `/v1/customers/${id}/balance`, undefined],
    ["POST", `/v1/customers/${id}/balance/credit`, { amount: 25, currency: "USD", note: "n" }],
    ["GET", `/v1/partners/${id}/payout_settings`, undefined],
    ["PUT", `/v1/partners/${id}/payout_settings`, { payout_method: "manual" }],
    ["POST", "/v1/payout_requests", { partner: { id }, amount_units: "usd" }],
    ["GET", `/v1/payout_requests/${payout}`, undefined],
    ["POST", `/v1/payout_requests/${payout}/approve`, undefined],
    ["POST", `/v1/payout_requests/${payout}/mark_as_paid`, undefined],
  ];
  const others: [string, string, object | undefined][] = [
    ["GET", "/v1/payout_settings", undefined],
    ["PUT", "/v1/payout_settings", { minimum_payout: 1 }],
    ["GET", "/v1/payout_requests", undefined],
    ["GET", "/v1/payout_requests:search", undefined],
    ["GET", "/v1/payouts/history", undefined],
    ["GET", "/v1/payouts/history/export", undefined],
  ];

  it("is 401 without a key and 403 without the scope, on every call, and nothing changes", async () => {
    await open();
    const payout = await payoutAt(world, "requested");
    const id = String((await world.ok("GET", `/v1/payouts/${payout}`))["affiliate_id"]);
    const poor = await keyOf(world, { scopes: ["events:read"] });
    const before = await readTables();
    for (const [method, path, body] of [...calls(id, payout), ...others])
      for (const [headers, status] of [
        [{ authorization: "" }, 401],
        [asKey("YOUR_API_KEY"), 401],
        [poor, 403],
      ] as const) {
        const answer = await world.call<Envelope>(method, path, body, headers);
        expect([method, path, answer.status]).toEqual([method, path, status]);
        expectShape(
          { status: answer.body.status, message: answer.body.message },
          { status: 0, message: "Unauthenticated." },
        );
        expect(answer.body.status).toBe(0);
      }
    expect(changedTables(before, await readTables())).toEqual([]);
  });

  it("asks for each scope that a body needs", async () => {
    await open();
    const id = await world.affiliate();
    await world.sale(id, 9_000);
    const [writer, chooser, payer] = [
      await keyOf(world, { scopes: ["affiliates:write"] }),
      await keyOf(world, { scopes: ["affiliates:payout_method"] }),
      await keyOf(world, { scopes: ["payouts:write"] }),
    ];
    const path = `/v1/partners/${id}/payout_settings`;
    expect((await put(path, { payout_method: "manual" }, writer)).status).toBe(403);
    expect((await put(path, { hold_period: 3 }, chooser)).status).toBe(403);
    expect((await put(path, { hold_period: 3 }, writer)).status).toBe(200);
    expect((await put(path, { payout_method: "manual" }, chooser)).status).toBe(200);
    const before = await readTables();
    const wish = {
      partner: { id },
      amount_units: "usd",
      gateway: "paypal",
      payout_settings: { username: "x@example.com" },
    };
    expect((await world.call("POST", "/v1/payout_requests", wish, payer)).status).toBe(403);
    expect(changedTables(before, await readTables())).toEqual([]);
  });

  it("is 404 for a neighbour's ids as for those that are not there", async () => {
    await open();
    const theirs = await payoutAt(world, "requested");
    const their = String((await world.ok("GET", `/v1/payouts/${theirs}`))["affiliate_id"]);
    await open();
    const before = await readTables();
    for (const [id, payout] of [
      [their, theirs],
      ["partner_123", "po_01JZ0000000000000000000000"],
      ["ext:nobody", "42"],
    ] as const)
      for (const [method, path, body] of calls(id, payout))
        expect(await world.call<Envelope>(method, path, body), `${method} ${path}`).toMatchObject({
          status: 404,
          body: { status: 0, message: expect.any(String) },
        });
    expect(changedTables(before, await readTables())).toEqual([]);
  });

  it("covers its ground: 404, 405, and 501 for what is documented and not served", async () => {
    await open();
    expect(await get("/v1/partners/x/commissions")).toMatchObject({ status: 404, body: { status: 0 } });
    expect(await put("/v1/payout_requests", {})).toMatchObject({ status: 405, body: { status: 0 } });
    expect(await world.call("POST", "/v1/transactions", {})).toMatchObject({
      status: 501,
      body: { status: 0, code: "not_served" },
    });
  });
});
