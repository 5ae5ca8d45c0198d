// Commissions by the hundred: each by the rules of a call of its own, whatever is wrong with the others.
import { afterEach, describe, expect, it } from "vitest";
import { atOnce, expectSound, rowsOf } from "./books.ts";
import { countTrips } from "./round-trips.ts";
import { seams } from "./seams.ts";
import { changedTables, readTables } from "./tables.ts";
import { type Answer, type Loose, openWorld, unique, type World } from "./world.ts";

interface Result extends Loose {
  readonly index: number;
  readonly ok: boolean;
  readonly commission?: Loose;
  readonly errors?: readonly { readonly pointer: string }[];
}

interface Results {
  readonly results: readonly Result[];
  readonly succeeded: number;
  readonly failed: number;
  readonly code?: string;
}

let world: World;

afterEach(async () => {
  await expectSound(world);
});

const order = (affiliateId: string, more: object = {}): Record<string, unknown> => ({
  affiliate_id: affiliateId,
  external_id: unique("batch"),
  amount: 100,
  currency: "USD",
  occurred_at: "2026-10-30T12:00:00Z",
  ...more,
});

const batch = (
  commissions: readonly unknown[],
  headers: Record<string, string> = {},
): Promise<Answer<Results>> => world.call("POST", "/v1/commissions/batch", { commissions }, headers);

const review = (verb: "approve" | "reject", ids: readonly string[], more: object = {}) =>
  world.call<Results>("POST", `/v1/commissions/${verb}`, { ids, ...more });

const briefly = ({ body }: Answer<Results>) => body.results.map(({ status, code }) => code ?? status);

const keyOf = async (...scopes: string[]): Promise<Record<string, string>> => {
  const { secret } = await world.ok("POST", "/v1/api-keys", { name: "Key", scopes });
  return { authorization: `Bearer ${secret}` };
};

describe("a batch of commissions", () => {
  it("records each in order and answers each with its own result", async () => {
    world = await openWorld();
    const [ada, bea] = [await world.affiliate(), await world.affiliate({ external_id: "bea" })];
    const orders = [order(ada), order("ext:bea", { amount: 250 }), order(ada, { status: "approved" })];
    const { status, body } = await batch(orders);
    expect([status, body.succeeded, body.failed]).toEqual([200, 3, 0]);
    expect(body.results.map((result) => [result.index, result.ok, result.status])).toEqual([
      [0, true, 201],
      [1, true, 201],
      [2, true, 201],
    ]);
    for (const [i, result] of body.results.entries()) {
      expect(result.commission).toMatchObject({ id: result.id, external_id: orders[i]?.["external_id"] });
      expect(await world.ok("GET", `/v1/commissions/${result.id}`)).toEqual(result.commission);
    }
    expect(body.results[1]?.commission).toMatchObject({ affiliate_id: bea, amount: 250, status: "pending" });
    expect(body.results[2]?.commission).toMatchObject({ status: "approved" });
  });

  it("and single calls answer for each other: the same order is recorded once, another body is refused", async () => {
    world = await openWorld();
    const ada = await world.affiliate();
    const [one, two] = [order(ada), order(ada)];
    const single = await world.ok("POST", "/v1/commissions", one);
    expect(briefly(await batch([one, two, { ...one, amount: 101 }]))).toEqual([
      200,
      201,
      "duplicate_external_id",
    ]);
    const again = await world.call("POST", "/v1/commissions", two);
    expect(again.status).toBe(200);
    const replay = await batch([one, two]);
    expect(replay.body.results.map(({ status, id }) => [status, id])).toEqual([
      [200, single.id],
      [200, again.body.id],
    ]);
  });

  it("takes the first of two orders with one external_id", async () => {
    world = await openWorld();
    const [ada, bea] = [await world.affiliate(), await world.affiliate()];
    const one = order(ada);
    expect(briefly(await batch([one, one, { ...one, amount: 7 }, { ...one, affiliate_id: bea }]))).toEqual([
      201,
      200,
      "duplicate_external_id",
      "duplicate_external_id",
    ]);
  });

  it("lets what is wrong with one keep nobody else from being recorded, and points at it", async () => {
    world = await openWorld({ commission_rate_bps: null });
    const [ada, eve] = [await world.affiliate(), await world.affiliate()];
    await world.ok("PATCH", `/v1/affiliates/${eve}`, { status: "suspended" });
    const answer = await batch([
      order(ada),
      order(ada, { amount: 1.5 }),
      order("aff_01JZ0000000000000000000000"),
      "not an order",
      order(eve),
      order(ada, { colour: "red" }),
      order(ada, { amount: undefined, order_amount: 1_000 }),
      order(ada, { occurred_at: "2026-11-09T00:00:00Z" }),
      order(ada, { currency: "HUF", amount: 150 }),
      order(ada),
    ]);
    expect(briefly(answer)).toEqual([
      201,
      "validation_failed",
      "affiliate_not_found",
      "validation_failed",
      "affiliate_suspended",
      "validation_failed",
      "rate_missing",
      "period_invalid",
      "amount_not_sendable",
      201,
    ]);
    expect(answer.body).toMatchObject({ succeeded: 2, failed: 8 });
    const pointers = answer.body.results.map(({ errors }) => errors?.map(({ pointer }) => pointer).join());
    expect(pointers).toEqual([
      undefined,
      "/commissions/1/amount",
      "/commissions/2/affiliate_id",
      "/commissions/3",
      "/commissions/4",
      "/commissions/5/colour",
      "/commissions/6/order_amount",
      "/commissions/7/occurred_at",
      "/commissions/8/amount",
      undefined,
    ]);
  });

  it("needs commissions:approve for what is recorded as approved, order by order", async () => {
    world = await openWorld();
    const ada = await world.affiliate();
    const writer = await keyOf("commissions:write");
    const answer = await batch([order(ada, { status: "approved" }), order(ada)], writer);
    expect(briefly(answer)).toEqual(["scope_not_held", 201]);
    expect(answer.body.results[0]).toMatchObject({
      status: 403,
      required_scope: "commissions:approve",
      errors: [{ pointer: "/commissions/0/status" }],
    });
    await world.ok("PATCH", "/v1/program", { auto_approve_commissions: true });
    expect(briefly(await batch([order(ada, { status: "approved" })], writer))).toEqual([201]);
  });

  it("records 500 for one affiliate, or for many, in a few round trips", async () => {
    world = await openWorld();
    const ada = await world.affiliate();
    const many = await Promise.all(Array.from({ length: 25 }, () => world.affiliate()));
    const mixed = Array.from({ length: 500 }, (_, i) => order(i % 2 === 0 ? ada : (many[i % 25] ?? ada)));
    const trips = countTrips();
    const { body } = await batch(mixed);
    expect(body.succeeded).toBe(500);
    expect(trips.count).toBeLessThanOrEqual(3);
    trips.count = 0;
    expect(briefly(await batch(mixed))).toEqual(mixed.map(() => 200));
    expect(trips.count).toBeLessThanOrEqual(2);
    const counted = await rowsOf<{ n: number }>(
      "SELECT count(*) AS n FROM commissions WHERE program_id = ?1",
      world.program.id,
    );
    expect(counted).toEqual([{ n: 500 }]);
  });

  it("recorded many times at once, beside single calls, records every order once", async () => {
    world = await openWorld();
    const ids = [await world.affiliate(), await world.affiliate(), await world.affiliate()];
    const orders = Array.from({ length: 30 }, (_, i) => order(ids[i % 3] ?? ""));
    const answers = await Promise.all([
      ...Array.from({ length: 4 }, () => batch(orders)),
      ...orders.slice(0, 10).map((one) => world.call("POST", "/v1/commissions", one)),
      ...ids.map((id) => world.sale(id, 50)),
    ]);
    const batches = answers.slice(0, 4) as Answer<Results>[];
    for (const { body } of batches) expect(body.failed).toBe(0);
    const made = batches.flatMap(({ body }) => body.results).filter(({ status }) => status === 201);
    const singles = (answers.slice(4, 14) as Answer<Loose>[]).filter(({ status }) => status === 201);
    expect(made.length + singles.length).toBe(30);
  });

  it("whose commit is answered by a broken connection is recorded once, and answered", async () => {
    world = await openWorld();
    const ada = await world.affiliate();
    const { ports } = seams;
    let lost = 0;
    seams.ports = (made) => {
      const own = ports(made);
      const batched = async (statements: D1PreparedStatement[]) => {
        const results = await own.db.batch(statements);
        if (lost > 0 || statements.length !== 5) return results;
        lost += 1;
        throw new Error("Network connection lost.");
      };
      const db = { prepare: (sql: string) => own.db.prepare(sql), batch: batched };
      return { ...own, db: db as unknown as D1Database };
    };
    const answer = await batch([order(ada), order(ada), order(ada)]);
    expect(lost).toBe(1);
    expect(answer.body).toMatchObject({ succeeded: 3, failed: 0 });
    const { data } = await world.ok<{ data: Loose[] }>("GET", `/v1/affiliates/${ada}/commissions`);
    expect(data.map(({ id }) => id).sort()).toEqual(answer.body.results.map(({ id }) => id).sort());
  });

  it("with an idempotency key is answered again as it was", async () => {
    world = await openWorld();
    const orders = [order(await world.affiliate()), order("aff_01JZ0000000000000000000000")];
    const first = await batch(orders, { "idempotency-key": "import-1" });
    const again = await batch(orders, { "idempotency-key": "import-1" });
    expect(again.body).toEqual(first.body);
    expect(again.headers.get("idempotent-replayed")).toBe("true");
  });

  it("is at most 500, at least one, and no larger than any other body", async () => {
    world = await openWorld();
    const ada = await world.affiliate();
    const before = await readTables();
    for (const [count, status] of [
      [0, 422],
      [501, 422],
    ] as const)
      expect((await batch(Array.from({ length: count }, () => order(ada)))).status).toBe(status);
    const heavy = Array.from({ length: 500 }, () => order(ada, { metadata: { text: "x".repeat(480) } }));
    expect((await batch(heavy)).status).toBe(413);
    expect(changedTables(before, await readTables())).toEqual([]);
  });

  it("finds nothing of a neighbour: not its affiliates, not its orders", async () => {
    const other = await openWorld();
    const theirs = await other.affiliate({ external_id: "theirs" });
    const sale = await other.sale(theirs, 100, { external_id: "their-order", status: "pending" });
    world = await openWorld();
    const ada = await world.affiliate();
    const before = await readTables();
    expect(briefly(await batch([order(theirs), order("ext:theirs")]))).toEqual([
      "affiliate_not_found",
      "affiliate_not_found",
    ]);
    for (const verb of ["approve", "reject"] as const)
      expect(briefly(await review(verb, [sale.id, "ext:their-order"]))).toEqual([
        "commission_not_found",
        "commission_not_found",
      ]);
    expect(changedTables(before, await readTables())).toEqual([]);
    expect(briefly(await batch([order(ada, { external_id: "their-order" })]))).toEqual([201]);
  });
});

describe("approving and rejecting by the hundred", () => {
  const pending = async (affiliateId: string, count: number): Promise<string[]> => {
    const { body } = await batch(Array.from({ length: count }, () => order(affiliateId)));
    return body.results.map(({ id }) => id);
  };

  it("does each by its own rules, in one batch where nothing is in the way", async () => {
    world = await openWorld();
    const [ada, bea] = [await world.affiliate(), await world.affiliate()];
    const ids = [...(await pending(ada, 60)), ...(await pending(bea, 40))];
    const trips = countTrips();
    const { body } = await review("approve", ids);
    expect(trips.count).toBeLessThanOrEqual(3);
    expect([body.succeeded, body.failed]).toEqual([100, 0]);
    expect(body.results.every(({ commission }) => commission?.status === ("approved" as never))).toBe(true);
    const events = await rowsOf<{ n: number }>(
      "SELECT count(*) AS n FROM events WHERE program_id = ?1 AND type = 'commission.approved'",
      world.program.id,
    );
    expect(events).toEqual([{ n: 100 }]);
    const rejected = await review("reject", ids.slice(0, 2), { reason: "fraud" });
    expect(rejected.body.results[0]?.commission).toMatchObject({ status: "rejected" });
  });

  it("says of each what kept it, and does the others", async () => {
    world = await openWorld();
    const ada = await world.affiliate();
    const [first = "", second = "", third = ""] = await pending(ada, 3);
    await world.ok("POST", `/v1/commissions/${second}/approve`);
    const answer = await review("approve", [first, second, third, first, "com_01JZ0000000000000000000000"]);
    expect(briefly(answer)).toEqual([200, "invalid_state", 200, "invalid_state", "commission_not_found"]);
    expect(answer.body.results[4]).toMatchObject({
      id: "com_01JZ0000000000000000000000",
      status: 404,
      errors: [{ pointer: "/ids/4" }],
    });
  });

  it("many times at once approves each once", async () => {
    world = await openWorld();
    const ada = await world.affiliate({ external_id: "ada" });
    const ids = await pending(ada, 20);
    const answers = await atOnce(4, () => review("approve", ids));
    const done = answers.flatMap(({ body }) => body.results).filter(({ ok }) => ok);
    expect(done.map(({ id }) => id).sort()).toEqual([...ids].sort());
  });

  it("needs the scope of a call of its own", async () => {
    world = await openWorld();
    const writer = await keyOf("commissions:write");
    const answer = await world.call("POST", "/v1/commissions/approve", { ids: ["com_x"] }, writer);
    expect([answer.status, answer.body["required_scope"]]).toEqual([403, "commissions:approve"]);
  });
});
