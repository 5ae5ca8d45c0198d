// Idempotency keys: which are keys, where they are honoured, and what one key stands for.
import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { atOnce, expectSound, rowsOf } from "./books.ts";
import { generate, payoutOfDue } from "./generated.ts";
import { COMMANDS } from "./idempotency-commands.ts";
import { readOperations } from "./isolation-matrix.ts";
import { changedTables, readTables } from "./tables.ts";
import { bindings, type Loose, openWorld, unique, type World } from "./world.ts";

const withKey = (key: string) => ({ "idempotency-key": key });

const enrol = (world: World, key: string) =>
  world.call("POST", "/v1/affiliates", { name: "Ada", email: "ada@example.com" }, withKey(key));

/** Tested beside: a run, and what keeps names of its own. */
const ELSEWHERE = [
  "POST /v1/payouts/generate",
  "POST /v1/affiliates",
  "PATCH /v1/affiliates/{affiliate_id}",
  "PUT /v1/affiliates/{affiliate_id}/payout-method",
  "PUT /v1/affiliates/{affiliate_id}/tax-form",
];

describe("an idempotency key", () => {
  it("is 1 to 255 printable ASCII characters, and one header", async () => {
    const world = await openWorld();
    for (const key of [
      "k",
      "K".repeat(255),
      '"quoted"',
      "with inner spaces",
      "a,b",
      "~!@#$%^&*()_+{}|:<>?`-=[];',./",
    ])
      expect((await enrol(world, key)).status, key).toBe(201);
    const before = await readTables();
    for (const key of ["", "k".repeat(256), "tab\tinside", "a, b"]) {
      const { status, body } = await enrol(world, key);
      expect([status, body.code], JSON.stringify(key)).toEqual([400, "idempotency_key_invalid"]);
    }
    expect(changedTables(before, await readTables())).toEqual([]);
  });

  it("means nothing where nothing is written", async () => {
    const world = await openWorld();
    expect((await world.call("GET", "/v1/affiliates", undefined, withKey("k".repeat(300)))).status).toBe(200);
  });

  it("belongs to its program, and a route to another program's same key", async () => {
    const [other, world] = [await openWorld(), await openWorld()];
    const [theirs, ours] = [await enrol(other, "same"), await enrol(world, "same")];
    expect([theirs.status, ours.status]).toEqual([201, 201]);
    expect(ours.body.id).not.toBe(theirs.body.id);
    expect(ours.headers.get("idempotent-replayed")).toBeNull();
  });

  it("stands for one request: another route, another object or another affiliate under it is refused", async () => {
    const world = await openWorld();
    const [ada, bea] = [await world.affiliate(), await world.affiliate()];
    const [first, second] = [await world.sale(ada, 100), await world.sale(bea, 100)];
    const reverse = { amount: 10, reason: "part" };
    const headers = withKey("reversal");
    await world.ok("POST", `/v1/commissions/${first.id}/reverse`, reverse, headers);
    const before = await readTables();
    for (const [path, body] of [
      [`/v1/commissions/${second.id}/reverse`, reverse],
      [`/v1/commissions/${first.id}/reverse`, { ...reverse, amount: 11 }],
      [`/v1/commissions/${first.id}/hold`, { reason: "part" }],
      [`/v1/affiliates/${ada}/credits`, { amount: 10, currency: "USD", note: "x" }],
      ["/v1/affiliates", { name: "Eve", email: "eve@example.com" }],
    ] as const) {
      const { status, body: problem } = await world.call("POST", path, body, headers);
      expect([status, problem.code], path).toEqual([422, "idempotency_mismatch"]);
    }
    expect(changedTables(before, await readTables())).toEqual([]);
  });

  it("is the same request however its body is spelled", async () => {
    const world = await openWorld();
    const sale = await world.sale(await world.affiliate(), 100);
    const path = `/v1/commissions/${sale.id}/reverse`;
    const first = await world.call("POST", path, { amount: 10, reason: "part" }, withKey("spelled"));
    const again = await world.call("POST", path, { reason: "part", amount: 10 }, withKey("spelled"));
    expect([again.status, again.headers.get("idempotent-replayed")]).toEqual([200, "true"]);
    expect(again.body).toEqual(first.body);
  });

  it("sent twenty times at once does it once and answers alike", async () => {
    const world = await openWorld();
    const sale = await world.sale(await world.affiliate(), 1_000);
    const body = { amount: 10, reason: "part" };
    const answers = await atOnce(20, () =>
      world.call("POST", `/v1/commissions/${sale.id}/reverse`, body, withKey("at once")),
    );
    expect(new Set(answers.map((answer) => JSON.stringify([answer.status, answer.body]))).size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get("idempotent-replayed") === null)).toHaveLength(1);
    expect(await rowsOf("SELECT amount FROM refunds WHERE commission_id = ?1", sale.id)).toEqual([
      { amount: 10 },
    ]);
    await expectSound(world);
  });

  it("of a refusal is free: the same request is decided anew", async () => {
    const world = await openWorld({ require_approval: true });
    await world.sale(await world.affiliate(), 100);
    const { id } = await payoutOfDue(world);
    const pay = () => world.call("POST", `/v1/payouts/${id}/mark-paid`, {}, withKey("pay"));
    expect(await pay()).toMatchObject({ status: 409, body: { code: "awaiting_approval" } });
    await world.ok("POST", `/v1/payouts/${id}/approve`);
    expect(await pay()).toMatchObject({ status: 200, body: { status: "paid" } });
  });

  it("of a call that found nothing to do answers that again, and does nothing later", async () => {
    const world = await openWorld({ require_approval: true });
    await world.sale(await world.affiliate(), 100);
    const { id } = await payoutOfDue(world);
    const approve = (key: string) => world.call("POST", `/v1/payouts/${id}/approve`, {}, withKey(key));
    await approve("first");
    const second = await approve("second");
    expect(second).toMatchObject({ status: 200, body: { status: "approved" } });
    await world.ok("POST", `/v1/payouts/${id}/withdraw-approval`);
    expect(await approve("second")).toMatchObject({ status: 200, body: second.body });
    expect(await world.ok("GET", `/v1/payouts/${id}`)).toMatchObject({ status: "pending" });
  });
});

describe("the key of a run or of a payment", () => {
  it("stands for one request also where the other one was a generate", async () => {
    const world = await openWorld();
    const id = await world.affiliate();
    await world.sale(id, 100);
    const gift = { amount: 10, currency: "USD", note: "x" };
    const credit = (key: string) => world.call("POST", `/v1/affiliates/${id}/credits`, gift, withKey(key));
    expect((await credit("of a turn")).status).toBe(201);
    expect(await generate(world, {}, withKey("of a turn"))).toMatchObject({
      status: 422,
      body: { code: "idempotency_mismatch" },
    });
    expect((await generate(world, {}, withKey("of a run"))).status).toBe(201);
    const before = await readTables();
    expect(await credit("of a run")).toMatchObject({ status: 422, body: { code: "idempotency_mismatch" } });
    expect(changedTables(before, await readTables())).toEqual([]);
    await expectSound(world);
  });

  it("of a payment that was waited for answers what became of it", async () => {
    const world = await openWorld();
    const { id } = await world.stripeAffiliate();
    await world.sale(id, 1_000);
    const payout = await payoutOfDue(world);
    const headers = { ...withKey("pay"), prefer: "wait=10" };
    const pay = () => world.call("POST", `/v1/payouts/${payout.id}/pay`, {}, headers);
    const first = await pay();
    expect(first).toMatchObject({ status: 200, body: { status: "paid" } });
    const again = await pay();
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    expect([again.status, again.body]).toEqual([first.status, first.body]);
    expect(world.stripe.transfers(payout.id)).toHaveLength(1);
  });
});

describe("the key of a confirmed book", () => {
  const forget = (world: World, affiliateId: string) =>
    runInDurableObject(
      bindings.AFFILIATE_LEDGER.getByName(`${world.program.id}:${affiliateId}`),
      (_, state) =>
        state.storage.put("begun", { seq: 999, commandId: unique("s:begin:gone"), at: world.now() }),
    );

  it("confirms nothing that came after it: a later restore still stops the payments", async () => {
    const world = await openWorld();
    const { id } = await world.stripeAffiliate();
    await world.sale(id, 1_000);
    const payout = await payoutOfDue(world);
    const confirm = () =>
      world.call("POST", `/v1/affiliates/${id}/confirm-book`, { evidence: "compared" }, withKey("confirm"));
    await forget(world, id);
    expect((await confirm()).status).toBe(200);
    world.advance(60_000);
    await forget(world, id);
    expect((await confirm()).status).toBe(200);
    const { status, body } = await world.call("POST", `/v1/payouts/${payout.id}/pay`);
    expect([status, body.code]).toEqual([409, "book_rewound"]);
  });
});

describe("a route", () => {
  it("that writes says in the reference how it keeps keys", async () => {
    await openWorld();
    const writes = (await readOperations()).filter(({ method }) => ["POST", "PUT", "PATCH"].includes(method));
    const honoured = writes.filter(({ keeps }) => keeps === "honoured").map(({ name }) => name);
    expect(honoured.sort()).toEqual([...Object.keys(COMMANDS), ...ELSEWHERE].sort());
    const ignored = writes.filter(({ keeps }) => keeps === undefined).map(({ name }) => name);
    expect(ignored.every((name) => name.startsWith("POST /v1/callbacks/"))).toBe(true);
  });
});

describe("an affiliate's idempotency key", () => {
  const calls: Record<string, (id: string) => [string, string, object, object]> = {
    "of a change": (id) => ["PATCH", `/v1/affiliates/${id}`, { country: "DE" }, { country: "FR" }],
    "of a payout method": (id) => [
      "PUT",
      `/v1/affiliates/${id}/payout-method`,
      { payout_method: "paypal", paypal_email: "a@b.co" },
      { payout_method: "manual" },
    ],
  };

  it.each(Object.keys(calls))("%s replays, writes nothing more, and refuses another body", async (name) => {
    const world = await openWorld();
    const [method, path, body, other] = calls[name]?.(await world.affiliate()) ?? ["GET", "/", {}, {}];
    const first = await world.call(method, path, body, withKey("once"));
    const before = await readTables();
    const again = await world.call(method, path, body, withKey("once"));
    expect([again.status, again.headers.get("idempotent-replayed"), again.body]).toEqual([
      200,
      "true",
      first.body,
    ]);
    expect(await world.call(method, path, other, withKey("once"))).toMatchObject({
      status: 422,
      body: { code: "idempotency_mismatch" },
    });
    expect(changedTables(before, await readTables())).toEqual([]);
    await world.ok(method, path, other);
    const late = await world.call<Loose>(method, path, body, withKey("once"));
    expect([late.status, late.body.id, late.headers.get("idempotent-replayed")]).toEqual([
      200,
      first.body.id,
      "true",
    ]);
  });
});
