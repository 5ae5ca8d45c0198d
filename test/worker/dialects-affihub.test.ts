// Affihub's payouts as its page prints them: every curl with the example that it answers with, the four transitions, paying, and how it says no.
import { afterEach, describe, expect, it } from "vitest";
import { expectSound } from "./books.ts";
import {
  asKey,
  curlOf,
  expectShape,
  type Headers,
  keyOf,
  payoutAt,
  STAGES,
  type Stage,
  speak,
} from "./dialects-scene.ts";
import { changedTables, readTables } from "./tables.ts";
import { type Loose, NOON, openWorld, type World } from "./world.ts";

const LIST = `curl "https://api.affihub.com/api/v1/payouts" \\
  -H "Authorization: Bearer YOUR_API_KEY"`;

const LISTED = {
  data: [
    {
      id: "pay_abc123",
      program_id: "prog_xxx",
      partner_id: "par_abc123",
      amount_cents: 18500,
      status: "pending",
      period_start: "2026-03-01",
      period_end: "2026-03-31",
      paid_at: null,
      payout_ref: null,
      created_at: "2026-04-01T00:00:00Z",
    },
  ],
  total: 1,
  page: 1,
  per_page: 20,
};

const GENERATE = `curl -X POST "https://api.affihub.com/api/v1/payouts/generate" \\
  -H "Authorization: Bearer YOUR_API_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{
    "period_start": "2026-03-01",
    "period_end": "2026-03-31"
  }'`;

const GENERATED = {
  payouts: [
    {
      id: "pay_abc123",
      partner_id: "par_abc123",
      amount_cents: 18500,
      commission_count: 8,
      status: "pending",
    },
    {
      id: "pay_def456",
      partner_id: "par_def456",
      amount_cents: 7200,
      commission_count: 3,
      status: "pending",
    },
  ],
  total_amount_cents: 25700,
  partner_count: 2,
};

const DRY_RUN = `curl -X POST "https://api.affihub.com/api/v1/payouts/generate" \\
  -H "Authorization: Bearer YOUR_API_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{
    "period_start": "2026-03-01",
    "period_end": "2026-03-31",
    "dry_run": true
  }'`;

const PATCH = `curl -X PATCH "https://api.affihub.com/api/v1/payouts/pay_abc123" \\
  -H "Authorization: Bearer YOUR_API_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{
    "status": "paid",
    "payout_ref": "paypal-txn-abc123"
  }'`;

const PAY = `curl -X POST "https://api.affihub.com/api/v1/payouts/pay_abc123/pay" \\
  -H "Authorization: Bearer YOUR_API_KEY"`;

const PAID = { id: "pay_abc123", status: "paid", payout_ref: "tr_xxx", paid_at: "2026-04-01T14:30:00Z" };

const SECOND_OF_MARCH = Date.UTC(2026, 2, 2);
const FIRST_OF_APRIL = Date.UTC(2026, 3, 1);

let world: World;

afterEach(async () => {
  world.stripe.clearFaults();
  await world.drain();
  await expectSound(world);
});

interface March {
  readonly key: Headers;
  readonly partners: readonly string[];
}

/** What stands behind the page's examples: eight commissions of one partner and three of another, all of March. */
const march = async (policy: Record<string, unknown> = {}): Promise<March> => {
  world = await openWorld(policy);
  world.setNow(SECOND_OF_MARCH);
  const partners = [(await world.stripeAffiliate()).id];
  world.advance(1_000);
  partners.push((await world.stripeAffiliate()).id);
  const [first = "", second = ""] = partners;
  for (let i = 0; i < 8; i++) await world.sale(first, i === 0 ? 4_500 : 2_000);
  for (let i = 0; i < 3; i++) await world.sale(second, 2_400);
  world.setNow(FIRST_OF_APRIL);
  return { key: asKey(world.program.key), partners };
};

const below = (base: string, text: string, id = "pay_abc123") => {
  const curl = curlOf(text.replace("pay_abc123", id));
  return { ...curl, path: `${base}${curl.path}` };
};

describe.each(["", "/dialects/affihub"])("Affihub's curls below %s", (base) => {
  it("preview, generate, list, mark paid and pay with the page's own values", async () => {
    const { key, partners } = await march();
    const before = await readTables();
    const preview = await speak<typeof GENERATED>(world, below(base, DRY_RUN), key);
    expect(preview.status).toBe(200);
    expectShape(preview.body, GENERATED);
    expect(changedTables(before, await readTables())).toEqual(["payout_plan_parts", "payout_plans"]);

    const made = await speak<typeof GENERATED>(world, below(base, GENERATE), key);
    expect(made.status).toBe(200);
    expectShape(made.body, GENERATED);
    const ids = made.body.payouts.map(({ id }) => id);
    expect(made.body).toEqual({
      ...GENERATED,
      payouts: GENERATED.payouts.map((payout, i) => ({ ...payout, id: ids[i], partner_id: partners[i] })),
    });
    const seen = preview.body.payouts.map((payout, i) => ({ ...payout, id: ids[i] }));
    expect({ ...preview.body, payouts: seen }).toEqual(made.body);
    const [toPay = "", toMark = ""] = ids;

    const list = await speak<typeof LISTED>(world, below(base, LIST), key);
    expect([list.status, list.body.total, list.body.page, list.body.per_page]).toEqual([200, 2, 1, 20]);
    expect(list.body.data.map(({ id }) => id).sort()).toEqual([toMark, toPay].sort());
    const listed = list.body.data.find(({ id }) => id === toPay);
    expectShape({ ...list.body, data: [listed] }, LISTED);
    const example = { id: toPay, program_id: world.program.id, partner_id: partners[0] };
    expect(listed).toEqual({ ...LISTED.data[0], ...example });
    const { data } = await world.ok<{ data: Loose[] }>("GET", `/v1/payouts/${toPay}/commissions`);
    expect(new Set(data.map(({ status }) => status as string))).toEqual(new Set(["processing"]));

    world.setNow(FIRST_OF_APRIL + 14.5 * 3_600_000);
    const marked = await speak(world, below(base, PATCH, toMark), key);
    expect(marked.status).toBe(200);
    expect(marked.body).toEqual({
      ...LISTED.data[0],
      id: toMark,
      program_id: world.program.id,
      partner_id: partners[1],
      amount_cents: 7_200,
      status: "paid",
      paid_at: "2026-04-01T14:30:00Z",
      payout_ref: "paypal-txn-abc123",
    });

    const paid = await speak<typeof PAID>(world, below(base, PAY, toPay), key);
    expect(paid.status).toBe(200);
    expectShape(paid.body, PAID);
    expect(paid.body).toEqual({ ...PAID, id: toPay, payout_ref: world.stripe.transfers(toPay)[0]?.id });
    expect(paid.body.payout_ref).toMatch(/^tr_/);
    expect(world.stripe.transfers(toMark)).toEqual([]);
    const { data: events } = await world.ok<{ data: Loose[] }>("GET", "/v1/events?after=0&limit=200");
    const types = events.map(({ type }) => type);
    expect(types.filter((type) => type === "payout.generated")).toHaveLength(2);
    expect(types.filter((type) => type === "payout.paid")).toHaveLength(2);
    for (const answer of [preview, made, list, marked, paid])
      expect(answer.headers.get("x-request-id")).toMatch(/^req_/);
  });
});

describe("generate", () => {
  it("pays the default currency, and says which others have something due in the period", async () => {
    const { key, partners } = await march({ minimum_payout: { USD: 8_000 } });
    world.setNow(SECOND_OF_MARCH);
    await world.sale(partners[1] ?? "", 900, { currency: "GBP" });
    await world.sale(partners[1] ?? "", 900, { currency: "EUR" });
    world.setNow(FIRST_OF_APRIL);
    await world.sale(partners[1] ?? "", 900, { currency: "CHF", occurred_at: "2026-04-01T00:00:00Z" });
    const curl = below("", GENERATE);
    for (const dry_run of [true, false]) {
      const body = { ...(curl.body as object), dry_run };
      const answer = await speak<typeof GENERATED>(world, { ...curl, body }, key);
      expect(answer.headers.get("x-stipend-other-currencies")).toBe("EUR,GBP");
      // The second partner stands below the minimum.
      expect(answer.body.payouts.map(({ amount_cents }) => amount_cents)).toEqual([18_500]);
    }
    const again = await speak<typeof GENERATED>(world, curl, key);
    expect(again.body).toEqual({ payouts: [], total_amount_cents: 0, partner_count: 0 });
  });

  it("takes dates and date-times, and refuses what is neither or the wrong way round", async () => {
    const { key } = await march();
    const ask = (body: object) => world.call<Loose>("POST", "/api/v1/payouts/generate", body, key);
    const instants = { period_start: "2026-03-01T00:00:00Z", period_end: "2026-03-31T23:59:59Z" };
    expect((await ask({ ...instants, dry_run: true })).body).toMatchObject({ partner_count: 2 });
    for (const body of [
      {},
      { period_start: "2026-03-01" },
      { period_start: "March", period_end: "2026-03-31" },
      { period_start: "2026-02-30", period_end: "2026-03-31" },
      { period_start: "2026-03-31", period_end: "2026-03-01" },
      { period_start: "2026-03-01", period_end: "2026-03-31", dry_run: "yes" },
    ])
      expect(await ask(body), JSON.stringify(body)).toMatchObject({
        status: 422,
        body: { error: { code: expect.stringMatching(/^(validation_failed|period_invalid)$/) } },
      });
  });

  it("makes one run for one Idempotency-Key, and without one a second finds nothing", async () => {
    const { key } = await march();
    const headers = { ...key, "idempotency-key": "march" };
    const first = await speak<typeof GENERATED>(world, below("", GENERATE), headers);
    const again = await speak<typeof GENERATED>(world, below("", GENERATE), headers);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    const preview = { ...below("", DRY_RUN) };
    expect((await speak(world, preview, headers)).status).toBe(422);
    expect((await speak<typeof GENERATED>(world, below("", GENERATE), key)).body.payouts).toEqual([]);
  });
});

describe("the list", () => {
  it("pages by number, and takes a page size out of range as the greatest", async () => {
    const { key, partners } = await march();
    await speak(world, below("", GENERATE), key);
    await world.sale(partners[0] ?? "", 500, { currency: "EUR" });
    await world.generate();
    const list = (query: string) => world.ok<typeof LISTED>("GET", `/api/v1/payouts${query}`, undefined, key);
    const [first, second] = [await list("?per_page=1"), await list("?per_page=1&page=2")];
    const amounts = [first, second].flatMap(({ data }) => data.map(({ amount_cents }) => amount_cents));
    expect(amounts.sort((x, y) => x - y)).toEqual([7_200, 18_500]);
    expect(second).toMatchObject({ total: 2, page: 2, per_page: 1 });
    expect(await list("?per_page=101")).toMatchObject({ per_page: 100, page: 1 });
    expect(await list("?per_page=-1&page=0")).toMatchObject({ per_page: 100, page: 1 });
    expect(await list("?per_page=many&colour=red")).toMatchObject({ per_page: 20, total: 2 });
    expect((await list("?page=3")).data).toEqual([]);
  });
});

const STATUSES = ["pending", "requested", "paid", "cancelled"] as const;
type Status = (typeof STATUSES)[number];

/** What Affihub shows, then for each status asked what stands in our books afterwards; what is not here is refused. */
const TABLE: Readonly<Record<Stage, readonly [shown: Status, ways: Partial<Record<Status, string>>]>> = {
  requested: ["requested", { pending: "pending", cancelled: "cancelled" }],
  pending: ["pending", { paid: "paid", cancelled: "cancelled" }],
  approved: ["pending", { paid: "paid", cancelled: "cancelled" }],
  "asked to be paid by Stripe": ["pending", { paid: "paid", cancelled: "cancelled" }],
  "under way at Stripe": ["pending", {}],
  "waiting for a person": ["pending", { paid: "paid" }],
  "paid by hand": ["paid", {}],
  "paid by Stripe": ["paid", {}],
  failed: ["cancelled", {}],
  cancelled: ["cancelled", {}],
  returned: ["cancelled", {}],
};

describe("a payout", () => {
  const patch = (id: string, body: object, headers: Headers = {}) =>
    world.call<Loose>("PATCH", `/api/v1/payouts/${id}`, body, headers);

  it.each(STAGES)("that is %s goes along Affihub's four transitions, and along no other", async (stage) => {
    world = await openWorld();
    const [shown, ways] = TABLE[stage];
    for (const status of STATUSES) {
      const id = await payoutAt(world, stage);
      const cell = `${stage} to ${status}`;
      const before = await readTables();
      const answer = await patch(id, { status });
      const expected = ways[status];
      const stands = (await world.ok("GET", `/v1/payouts/${id}`)).status as string;
      if (expected === undefined) {
        expect([answer.status, typeof (answer.body["error"] as Loose).code], cell).toEqual([409, "string"]);
        expect(changedTables(before, await readTables()), cell).toEqual([]);
        const { data } = await world.ok<typeof LISTED>("GET", "/api/v1/payouts");
        expect(data.find((one) => one.id === id)?.status, cell).toBe(shown);
      } else {
        expect([answer.status, answer.body.status, stands], cell).toEqual([200, status, expected]);
      }
    }
  });

  it("is paid once: the same reference again is heard, another is not", async () => {
    world = await openWorld();
    const id = await payoutAt(world, "pending");
    const paid = { status: "paid", payout_ref: "paypal-1" };
    const first = await patch(id, paid);
    expect((await patch(id, paid)).body).toEqual(first.body);
    expect(await patch(id, { ...paid, payout_ref: "paypal-2" })).toMatchObject({ status: 409 });
  });

  it("takes a reference without a status, and refuses neither of both", async () => {
    world = await openWorld();
    const id = await payoutAt(world, "pending");
    expect((await patch(id, { payout_ref: "note-1" })).body).toMatchObject({
      status: "pending",
      payout_ref: "note-1",
    });
    expect((await patch(id, { status: "cancelled", payout_ref: "note-2" })).body).toMatchObject({
      status: "cancelled",
      payout_ref: "note-2",
    });
    expect((await patch(id, { colour: "red" })).status).toBeGreaterThanOrEqual(400);
  });

  it("needs the scope of what is done to it", async () => {
    world = await openWorld();
    const id = await payoutAt(world, "pending");
    const [reads, writes, pays] = await Promise.all(
      ["payouts:read", "payouts:write", "payouts:pay"].map((scope) => keyOf(world, { scopes: [scope] })),
    );
    const before = await readTables();
    for (const [status, headers] of [
      ["paid", reads],
      ["cancelled", reads],
      ["paid", writes],
      ["cancelled", pays],
    ] as const)
      expect(await patch(id, { status }, headers)).toMatchObject({
        status: 403,
        body: { error: { code: "scope_not_held" } },
      });
    expect(changedTables(before, await readTables())).toEqual([]);
    expect((await patch(id, { status: "paid" }, pays)).status).toBe(200);
  });
});

describe("pay", () => {
  const due = async (): Promise<string> => {
    const { id } = await world.stripeAffiliate();
    await world.sale(id, 1_000);
    return (await world.generate({ affiliate_ids: [id] })).payouts[0]?.id ?? "";
  };
  const pay = (id: string, headers: Headers = {}) =>
    world.call<Loose>("POST", `/api/v1/payouts/${id}/pay`, undefined, headers);

  it("waits through a lost answer, and one transfer is made", async () => {
    world = await openWorld();
    const id = await due();
    world.stripe.addFault({ fault: "drop_after_work" });
    expect(await pay(id)).toMatchObject({ status: 200, body: { id, status: "paid" } });
    expect(world.stripe.transfers(id)).toHaveLength(1);
    expect((await pay(id)).status).toBe(409);
  });

  it("says 202 and pending while the transfer is not settled, and paid when it is", async () => {
    world = await openWorld();
    const id = await due();
    world.stripe.addFault({ fault: "error_500_not_cached", times: 50 });
    expect(await pay(id)).toMatchObject({
      status: 202,
      body: { id, status: "pending", payout_ref: null, paid_at: null },
    });
    world.stripe.clearFaults();
    await world.drain();
    const { data } = await world.ok<typeof LISTED>("GET", "/api/v1/payouts");
    expect(data[0]).toMatchObject({ id, status: "paid", payout_ref: expect.stringMatching(/^tr_/) });
  });

  it("says why Stripe refused; the money is free and the payout cancelled", async () => {
    world = await openWorld();
    const id = await due();
    world.stripe.addFault({ fault: "account_closed" });
    expect(await pay(id)).toMatchObject({ status: 422, body: { error: { code: expect.any(String) } } });
    const { data } = await world.ok<typeof LISTED>("GET", "/api/v1/payouts");
    expect(data[0]).toMatchObject({ id, status: "cancelled" });
    const period = { period_start: "2026-01-01", period_end: "2026-11-01" };
    const again = await world.ok<typeof GENERATED>("POST", "/api/v1/payouts/generate", period);
    expect(again).toMatchObject({ total_amount_cents: 1_000 });
  });

  it("moves nothing for a partner without Stripe, or one who may not be paid", async () => {
    world = await openWorld({ require_approval: true });
    const unready = await payoutAt(world, "pending");
    expect(await pay(unready)).toMatchObject({
      status: 422,
      body: { error: { code: "payout_method_not_ready" } },
    });
    const unapproved = await due();
    expect(await pay(unapproved)).toMatchObject({
      status: 409,
      body: { error: { code: "awaiting_approval" } },
    });
    expect(await pay("pay_abc123")).toMatchObject({
      status: 404,
      body: { error: { code: "payout_not_found" } },
    });
    expect(world.stripe.transfers(unapproved)).toEqual([]);
  });

  it("of twenty at once makes one transfer", async () => {
    world = await openWorld();
    const id = await due();
    const answers = await Promise.all(Array.from({ length: 20 }, () => pay(id)));
    expect(answers.filter(({ status }) => ![200, 202, 409].includes(status))).toEqual([]);
    await world.drain();
    expect(world.stripe.transfers(id)).toHaveLength(1);
  });
});

describe("a month through Affihub", () => {
  it("of runs, requests, transfers and refunds leaves the books sound", async () => {
    world = await openWorld({ minimum_payout: { USD: 1_500 } });
    const { id: stripe } = await world.stripeAffiliate({ external_id: "ada" });
    const manual = await world.affiliate({ external_id: "bob" });
    const sales: string[] = [];
    for (let week = 0; week < 4; week++) {
      for (let day = 0; day < 7; day++) {
        sales.push(
          (await world.sale(day % 2 === 0 ? stripe : manual, 400 + 17 * day, { status: "pending" })).id,
        );
        world.advance(86_400_000);
      }
      await world.ok("POST", "/api/v1/commissions/approve", { ids: sales.slice(-7) });
      const period_end = new Date(world.now()).toISOString().slice(0, 10);
      const run = { period_start: "2026-10-01", period_end };
      const { payouts } = await world.ok<typeof GENERATED>("POST", "/api/v1/payouts/generate", run);
      for (const { id, partner_id } of payouts) {
        if (partner_id === stripe) await world.ok("POST", `/api/v1/payouts/${id}/pay`);
        else {
          const status = week === 1 ? "cancelled" : "paid";
          await world.ok("PATCH", `/api/v1/payouts/${id}`, { status, payout_ref: `w-${week}` });
        }
      }
      await world.call("POST", `/v1/commissions/${sales.at(-2)}/reverse`, { reason: "refund" });
    }
    await world.drain();
    expect(await world.verify()).toMatchObject({ ok: true, findings: [] });
    const { data, total } = await world.ok<typeof LISTED>("GET", "/api/v1/payouts");
    expect(total).toBeGreaterThan(5);
    expect(new Set(data.map(({ status }) => status))).toEqual(new Set(["paid", "cancelled"]));
    expect(world.now()).toBeGreaterThan(NOON + 27 * 86_400_000);
  });
});
