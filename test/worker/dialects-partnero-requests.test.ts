// Partnero's payout requests and history: every status in both vocabularies, pages and filters, creation by every name, and a month of its calls alone.
import { afterEach, describe, expect, it } from "vitest";
import { expectSound } from "./books.ts";
import { keyOf, payoutAt, STAGES, type Stage } from "./dialects-scene.ts";
import { changedTables, readTables } from "./tables.ts";
import { type Loose, openWorld, type World } from "./world.ts";

const DAY = 86_400_000;

interface Page {
  readonly data: Loose[];
  readonly links: { first: string; last: string; prev: string | null; next: string | null };
  readonly meta: Record<string, unknown>;
  readonly status: number;
}

interface One {
  readonly data: Loose;
  readonly status: number;
  readonly code: string;
}

let world: World;

afterEach(async () => {
  await expectSound(world);
});

const open = async (policy: Record<string, unknown> = {}): Promise<void> => {
  world = await openWorld(policy);
};

const page = (path: string) => world.ok<Page>("GET", path);
const post = (path: string, body?: object, headers?: Record<string, string>) =>
  world.call<One>("POST", path, body, headers);
const create = (body: object, headers?: Record<string, string>) => post("/v1/payout_requests", body, headers);
const act = (id: string, verb: string) => post(`/v1/payout_requests/${id}/${verb}`);

describe("a payout's status", () => {
  const WORDS: Readonly<Record<Stage, readonly [guide: string, api: string]>> = {
    requested: ["pending", "requested"],
    pending: ["pending", "requested"],
    approved: ["pending", "approved"],
    "asked to be paid by Stripe": ["pending", "approved"],
    "under way at Stripe": ["pending", "approved"],
    "waiting for a person": ["pending", "approved"],
    "paid by hand": ["completed", "finished"],
    "paid by Stripe": ["completed", "finished"],
    failed: ["failed", "rejected"],
    cancelled: ["cancelled", "rejected"],
    returned: ["failed", "rejected"],
  };

  it.each(STAGES)("%s is told in the guide's word and in the API's", async (stage) => {
    await open();
    const id = await payoutAt(world, stage);
    const [guide, api] = WORDS[stage];
    const request = await world.ok<One>("GET", `/v1/payout_requests/${id}`);
    expect(request).toEqual({
      data: {
        id,
        status: api,
        amount: 150,
        amount_units: "USD",
        is_currency: true,
        gateway: expect.any(String),
        partner: expect.objectContaining({ email: "ada@example.com", name: "Ada", surname: "Lovelace" }),
        reference: request.data["reference"],
        failure: request.data["failure"],
        created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
        approved_at: request.data["approved_at"],
        paid_at: guide === "completed" || stage === "returned" ? expect.any(String) : null,
        updated_at: expect.any(String),
      },
      status: 1,
    });
    expect((await page("/v1/payouts/history")).data).toEqual([{ ...request.data, status: guide }]);
    expect((await page(`/v1/payouts/history?status=${guide}`)).data).toHaveLength(1);
    expect((await page(`/v1/payout_requests:search?status=${api}`)).data).toHaveLength(1);
    for (const word of ["requested", "approved", "finished", "rejected", "resubmitted"].filter(
      (w) => w !== api,
    ))
      expect((await page(`/v1/payout_requests:search?status=${word}`)).data).toEqual([]);
    await world.drain();
  });

  it.each(STAGES)("%s allows what the API documents and no more", async (stage) => {
    await open();
    const id = await payoutAt(world, stage);
    const [, api] = WORDS[stage];
    const before = await readTables();
    const tooEarly = await act(id, api === "approved" ? "approve" : "mark_as_paid");
    if (stage === "approved")
      expect(tooEarly).toMatchObject({ status: 200, body: { data: { status: "approved" } } });
    else if (api === "finished")
      expect(tooEarly).toMatchObject({ status: 200, body: { data: { status: "finished" } } });
    else expect(tooEarly).toMatchObject({ status: 400, body: { status: 0, code: "invalid_state" } });
    expect(changedTables(before, await readTables())).toEqual([]);
    if (api !== "requested") {
      await world.drain();
      return;
    }
    expect(await act(id, "approve")).toMatchObject({ status: 200, body: { data: { status: "approved" } } });
    expect(await act(id, "mark_as_paid")).toMatchObject({
      status: 200,
      body: { status: 1, data: { status: "finished", paid_at: expect.any(String), gateway: "manual" } },
    });
    expect((await world.ok("GET", `/v1/payouts/${id}`)).status).toBe("paid");
  });
});

describe("mark_as_paid", () => {
  it("lets only the rail end a transfer that is under way", async () => {
    await open();
    const id = await payoutAt(world, "under way at Stripe");
    const before = await readTables();
    expect((await act(id, "mark_as_paid")).status).toBe(400);
    expect(changedTables(before, await readTables())).toEqual([]);
    await world.drain();
    expect(world.stripe.transfers(id)).toHaveLength(1);
  });

  it("of ten at once pays once", async () => {
    await open();
    const id = await payoutAt(world, "approved");
    const answers = await Promise.all(Array.from({ length: 10 }, () => act(id, "mark_as_paid")));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
    const { history } = (await world.ok("GET", `/v1/payouts/${id}`)) as unknown as {
      history: { to: string }[];
    };
    expect(history.filter(({ to }) => to === "paid")).toHaveLength(1);
  });

  it("needs payouts:pay, and approve needs payouts:approve with payouts:write for what was asked", async () => {
    await open();
    const id = await payoutAt(world, "requested");
    const approver = await keyOf(world, { scopes: ["payouts:approve"] });
    const both = await keyOf(world, { scopes: ["payouts:approve", "payouts:write"] });
    const before = await readTables();
    expect((await post(`/v1/payout_requests/${id}/approve`, undefined, approver)).status).toBe(403);
    expect(changedTables(before, await readTables())).toEqual([]);
    expect((await post(`/v1/payout_requests/${id}/approve`, undefined, both)).status).toBe(200);
    expect((await post(`/v1/payout_requests/${id}/mark_as_paid`, undefined, both)).status).toBe(403);
  });
});

describe("four eyes", () => {
  it("need a second key: the first one's approval leaves it requested", async () => {
    await open({ four_eyes: true, require_approval: true });
    const id = await world.affiliate();
    await world.sale(id, 1_000);
    const asker = await keyOf(world);
    const second = await keyOf(world);
    const made = await create({ partner: { id }, amount_units: "usd" }, asker);
    const path = `/v1/payout_requests/${made.body.data.id}`;
    const first = await post(`${path}/approve`, undefined, asker);
    expect(first).toMatchObject({ status: 200, body: { data: { status: "requested" } } });
    const before = await readTables();
    expect(await post(`${path}/approve`, undefined, asker)).toMatchObject({
      status: 400,
      body: { status: 0, code: "four_eyes" },
    });
    expect((await post(`${path}/mark_as_paid`, undefined, asker)).status).toBe(400);
    expect(changedTables(before, await readTables())).toEqual([]);
    expect(await post(`${path}/approve`, undefined, second)).toMatchObject({
      status: 200,
      body: { data: { status: "approved" } },
    });
    expect((await post(`${path}/mark_as_paid`, undefined, asker)).status).toBe(200);
  });
});

describe("creating a payout request", () => {
  it("takes the partner by id, key or e-mail, and pays its whole balance in one currency", async () => {
    await open();
    const id = await world.affiliate({ external_id: "ref_123", email: "Jane@example.com" });
    for (const partner of [{ id: "ref_123" }, { key: id }, { email: "jane@EXAMPLE.com" }]) {
      await world.sale(id, 1_000);
      await world.sale(id, 2_050);
      await world.sale(id, 700, { currency: "EUR" });
      const made = await create({ partner, amount_units: "usd", gateway: "", colour: "red" });
      expect(made).toMatchObject({
        status: 201,
        body: {
          status: 1,
          data: {
            status: "requested",
            amount: 30.5,
            amount_units: "USD",
            partner: { id: "ref_123", key: id },
          },
        },
      });
      await act(made.body.data.id, "approve");
      await act(made.body.data.id, "mark_as_paid");
    }
    const euros = await create({ partner: { id }, amount_units: "eur" });
    expect(euros.body.data).toMatchObject({ amount: 21, amount_units: "EUR" });
    expect(await create({ partner: { id }, amount_units: "eur" })).toMatchObject({
      status: 400,
      body: { code: "request_open", payout_id: euros.body.data.id },
    });
  });

  it("takes chosen rewards by our ids or the merchant's", async () => {
    await open();
    const id = await world.affiliate();
    const one = await world.sale(id, 1_000, { external_id: "101" });
    const two = await world.sale(id, 500);
    await world.sale(id, 300);
    const made = await create({ partner: { id }, amount_units: "usd", reward_ids: [101, two.id] });
    expect(made).toMatchObject({ status: 201, body: { data: { status: "requested", amount: 15 } } });
    const payout = await world.ok("GET", `/v1/payouts/${made.body.data.id}`);
    expect([...(payout["commission_ids"] as string[])].sort()).toEqual([one.id, two.id].sort());
    const before = await readTables();
    expect((await create({ partner: { id }, amount_units: "usd", reward_ids: [101] })).status).toBe(400);
    expect((await create({ partner: { id }, amount_units: "usd", reward_ids: [102] })).status).toBe(404);
    expect(changedTables(before, await readTables())).toEqual([]);
  });

  it("pays to a PayPal account that comes with it, once approved", async () => {
    await open();
    const id = await world.affiliate();
    await world.sale(id, 5_000);
    const made = await create({
      partner: { id },
      amount_units: "usd",
      gateway: "paypal",
      payout_settings: { username: "john@example.com" },
    });
    expect(made.status).toBe(201);
    expect(await world.ok("GET", `/v1/partners/${id}/payout_settings`)).toMatchObject({
      data: { payout_method: "paypal", destination: "john@example.com" },
    });
    const approved = await act(made.body.data.id, "approve");
    expect(approved.body.data).toMatchObject({ status: "approved", gateway: "paypal" });
  });

  it("is refused with what is wrong, and a refused one changes nothing, its destination neither", async () => {
    await open({ minimum_payout: { USD: 5_000 }, payout_methods: ["wise", "manual"] });
    const id = await world.affiliate({ email: "twin@example.com" });
    await world.affiliate({ email: "twin@example.com" });
    const idle = await world.affiliate();
    const asleep = await world.affiliate();
    await world.sale(asleep, 9_000);
    await world.ok("PATCH", `/v1/affiliates/${asleep}`, { status: "suspended" });
    await world.sale(id, 4_999);
    const partner = { id };
    const username = { username: "john@example.com" };
    const cases: [object, number][] = [
      [{ partner, amount_units: "usd" }, 422],
      [{ partner: { id: idle }, amount_units: "usd" }, 422],
      [{ partner: { id: asleep }, amount_units: "usd" }, 400],
      [{ partner: { email: "twin@example.com" }, amount_units: "usd" }, 404],
      [{ partner: { email: "nobody@example.com" }, amount_units: "usd" }, 404],
      [{ partner: {}, amount_units: "usd" }, 422],
      [{ partner, amount_units: "points" }, 422],
      [{ partner }, 422],
      [{ amount_units: "usd" }, 422],
      [{ partner, amount_units: "usd", gateway: "crypto" }, 422],
      [{ partner, amount_units: "usd", gateway: "wise" }, 422],
      [{ partner, amount_units: "usd", gateway: "paypal" }, 422],
      [{ partner, amount_units: "usd", gateway: "paypal", payout_settings: username }, 422],
      [{ partner, amount_units: "usd", gateway: "cash" }, 422],
    ];
    const before = await readTables();
    for (const [body, status] of cases) {
      const answer = await create(body);
      expect([JSON.stringify(body), answer.status, answer.body.status]).toEqual([
        JSON.stringify(body),
        status,
        0,
      ]);
    }
    expect(changedTables(before, await readTables())).toEqual([]);
  });

  it("is made once under an Idempotency-Key", async () => {
    await open();
    const id = await world.affiliate();
    for (const [n, more] of [{}, { reward_ids: ["chosen"] }].entries()) {
      await world.sale(id, 1_000, n === 0 ? {} : { external_id: "chosen" });
      const body = { partner: { id }, amount_units: "usd", ...more };
      const headers = { "idempotency-key": `pay-${n}` };
      const first = await create(body, headers);
      expect(first).toMatchObject({ status: 201, body: { data: { amount: 10 } } });
      const again = await create(body, headers);
      expect(again.body).toEqual(first.body);
      expect(again.headers.get("idempotent-replayed")).toBe("true");
      expect((await create({ ...body, amount_units: "eur" }, headers)).status).toBe(422);
      expect((await page("/v1/payout_requests")).data).toHaveLength(n + 1);
    }
  });
});

describe("the pages", () => {
  const scene = async (): Promise<readonly string[]> => {
    const ids: string[] = [];
    for (const [n, amount] of [300, 100, 200].entries()) {
      const id = await world.affiliate({ external_id: `partner-${n}`, email: `p${n}@example.com` });
      await world.sale(id, amount, n === 2 ? { currency: "EUR" } : {});
      const made = await create({ partner: { id }, amount_units: n === 2 ? "eur" : "usd" });
      ids.push(made.body.data.id);
      world.advance(DAY);
    }
    await act(ids[1] ?? "", "approve");
    await act(ids[1] ?? "", "mark_as_paid");
    return ids;
  };
  const idsOf = async (path: string) => (await page(path)).data.map(({ id }) => id);

  it("have Partnero's links and meta, and its bounds", async () => {
    await open();
    const [first = "", second = "", third = ""] = await scene();
    const all = await page("/v1/payout_requests");
    expect(all.status).toBe(1);
    expect(all.data.map(({ id }) => id)).toEqual([third, second, first]);
    expect(all.meta).toMatchObject({
      current_page: 1,
      from: 1,
      last_page: 1,
      per_page: 15,
      to: 3,
      total: 3,
    });
    expect(await idsOf("/v1/payout_requests?sort=asc")).toEqual([first, second, third]);
    const walked: string[] = [];
    let next: string | null = "http://x/v1/payout_requests:search?limit=2&amount_units=usd&sort=asc";
    for (let n = 0; next !== null && n < 5; n++) {
      const { pathname, search } = new URL(next, "http://x");
      const one: Page = await page(`${pathname}${search}`);
      walked.push(...one.data.map(({ id }) => id));
      next = one.links.next;
    }
    expect(walked).toEqual([first, second]);
    const middle = await page("/v1/payout_requests?limit=1&page=2");
    expect(middle.meta).toMatchObject({ current_page: 2, from: 2, to: 2, last_page: 3 });
    expect(middle.links.prev).toContain("page=1");
    expect(middle.links.next).toMatch(/\/dialects\/partnero\/v1\/payout_requests\?.*page=3/);
    for (const limit of ["0", "251", "-1"])
      expect((await page(`/v1/payout_requests?limit=${limit}`)).meta).toMatchObject({ per_page: 250 });
    expect(await page("/v1/payout_requests?page=99")).toMatchObject({
      data: [],
      links: { next: null },
      meta: { from: null, to: null },
    });
  });

  it("are searched by partner, status and currency, all of them together", async () => {
    await open();
    const [first = "", second = "", third = ""] = await scene();
    const cases: [string, readonly string[]][] = [
      ["", [third, second, first]],
      ["partner_id=partner-1", [second]],
      ["partner_key=ext:partner-0", [first]],
      ["partner_email=P2@example.com", [third]],
      ["partner_email=nobody@example.com", []],
      ["partner_id=nobody", []],
      ["partner_id=partner-1&partner_email=p0@example.com", []],
      ["partner_id=partner-1&partner_key=partner-1", [second]],
      ["partner_id=partner-1&status=requested", []],
      ["status=finished", [second]],
      ["amount_units=eur", [third]],
      ["amount_units=EUR&status=requested&unknown=1", [third]],
    ];
    for (const [query, ids] of cases)
      expect([query, await idsOf(`/v1/payout_requests:search?${query}`)]).toEqual([query, ids]);
    for (const query of ["status=paid", "amount_units=points", "sort=up"])
      expect((await world.call("GET", `/v1/payout_requests:search?${query}`)).status, query).toBe(422);
  });

  it("of the history are filtered by date range, partner and status, and exported alike", async () => {
    await open();
    const [first = "", second = "", third = ""] = await scene();
    const cases: [string, readonly string[]][] = [
      ["", [third, second, first]],
      ["status=completed", [second]],
      ["status=pending", [third, first]],
      ["status=failed", []],
      ["date_from=2026-11-02", [third, second]],
      ["date_to=2026-11-02", [second, first]],
      ["date_from=2026-11-02&date_to=2026-11-02T12:00:00Z", [second]],
      ["partner_id=partner-0", [first]],
      ["partner_email=p0@example.com&status=completed", []],
      ["partner_id=nobody", []],
      ["amount_units=usd", [second, first]],
    ];
    for (const [query, ids] of cases) {
      expect([query, await idsOf(`/v1/payouts/history?${query}`)]).toEqual([query, ids]);
      const sent = await world.call("GET", `/v1/payouts/history/export?${query}`);
      // Whoever follows redirects, as fetch does, has the file at once.
      const csv =
        sent.status === 302
          ? await world.ok<string>("GET", String(sent.headers.get("location")))
          : (sent.body as unknown as string);
      const lines = csv.trim().split("\r\n");
      expect(lines[0]).toMatch(/^id,status,/);
      expect([query, lines.slice(1).map((line) => line.split(",")[0])]).toEqual([query, [...ids].reverse()]);
    }
    expect((await world.call("GET", "/v1/payouts/history?date_from=yesterday")).status).toBe(422);
  });
});

describe("a month of Partnero's calls alone", () => {
  it("leaves books that verify", async () => {
    await open();
    await world.ok("PUT", "/v1/payout_settings", { minimum_payout: 50, currency: "USD" });
    await world.ok("PUT", "/v1/payout_settings", { hold_period: 30, description: "refund protection" });
    await world.ok("PUT", "/v1/payout_settings", { payout_schedule: "weekly", weekday: "friday" });
    const partners = await Promise.all(
      ["anna", "ben", "cleo"].map((external_id) => world.affiliate({ external_id })),
    );
    await world.ok("PUT", "/v1/partners/anna/payout_settings", {
      payout_method: "bank_transfer",
      bank_details: { account_name: "John Doe", iban: "DE89370400440532013000", swift: "COBADEFFXXX" },
    });
    for (let day = 0; day < 31; day++) {
      world.advance(DAY);
      const name = ["anna", "ben", "cleo"][day % 3] ?? "";
      const amount = 10 + day + (day % 4) / 4;
      await world.ok("POST", `/v1/customers/${name}/balance/credit`, {
        amount,
        currency: "USD",
        note: `day ${day}`,
      });
      if (day % 5 === 0)
        await world.ok("POST", `/v1/customers/${name}/balance/credit`, {
          amount: 7.5,
          currency: "EUR",
          note: "euro",
        });
      if (day % 2 === 1) await create({ partner: { id: name }, amount_units: day % 3 === 0 ? "eur" : "usd" });
      const { data } = await page("/v1/payout_requests:search?status=requested");
      for (const { id } of data.slice(1)) await act(id, "approve");
      for (const { id } of (await page("/v1/payout_requests:search?status=approved")).data)
        if (day % 4 !== 0) expect((await act(id, "mark_as_paid")).status).toBe(200);
      await world.cron();
    }
    const { data, meta } = await page("/v1/payouts/history?limit=250");
    expect(meta["total"]).toBe(data.length);
    const counts = Object.groupBy(data, ({ status }) => String(status));
    expect(counts["completed"]?.length).toBeGreaterThan(3);
    for (const id of partners) {
      const partner = (await world.ok<One>("GET", `/v1/partners/${id}`)).data;
      const paid = data
        .filter((one) => (one["partner"] as Loose)["key"] === id && one.status === ("completed" as never))
        .filter((one) => one["amount_units"] === "USD")
        .reduce((sum, one) => sum + Math.round(Number(one["amount"]) * 100), 0);
      expect((partner["commissions"] as Loose)["paid"]).toBe(paid / 100);
    }
    expect(await world.verify()).toMatchObject({ ok: true, findings: [] });
  });
});
