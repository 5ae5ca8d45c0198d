// What an affiliate owes back, written off or repaid outside: at most what is owed, in its own currency, once.
import { expect, test } from "vitest";
import { atOnce, expectSound } from "./books.ts";
import { type Answer, type Loose, openWorld, unique, type World } from "./world.ts";

type Body = Record<string, unknown>;

interface Owing {
  readonly world: World;
  readonly id: string;
  settle(body: Body, headers?: Record<string, string>): Promise<Answer<Loose>>;
  owed(): Promise<unknown>;
}

/** An affiliate who was paid 1,000 and whose order was refunded by 400 afterwards. */
const openOwing = async (): Promise<Owing> => {
  const world = await openWorld();
  const id = await world.affiliate();
  const sale = await world.sale(id, 1_000);
  const [payout] = (await world.generate()).payouts;
  await world.ok("POST", `/v1/payouts/${payout?.id}/mark-paid`, {});
  await world.ok("POST", `/v1/commissions/${sale.id}/reverse`, { amount: 400, reason: "sent back" });
  const path = `/v1/affiliates/${id}/recovery`;
  const blank = { currency: "USD", kind: "written_off", note: "goodwill" };
  return {
    world,
    id,
    settle: (body, headers) => world.call("POST", path, { ...blank, ...body }, headers),
    async owed() {
      const { balances } = await world.ok<{ balances: Body[] }>("GET", `/v1/affiliates/${id}/balance`);
      return balances[0]?.["recovery_owed"];
    },
  };
};

test.each(["written_off", "repaid"])(
  "%s: what is left is still owed, and everybody is told",
  async (kind) => {
    const { world, id, settle, owed } = await openOwing();
    const answer = await settle({ amount: 150, kind });
    expect([answer.status, answer.body]).toEqual([
      201,
      { affiliate_id: id, currency: "USD", amount: 150, kind, recovery_owed: 250 },
    ]);
    expect(await owed()).toBe(250);
    const { data } = await world.ok<{ data: Body[] }>("GET", "/v1/events?limit=200");
    expect(data.at(-1)).toMatchObject({
      ...{ type: "recovery.changed", data: { affiliate_id: id, amount: 250, currency: "USD" } },
    });
    expect((await settle({ amount: 250, kind })).body).toMatchObject({ recovery_owed: 0 });
    const ledger = await world.ok<{ data: Body[] }>("GET", `/v1/affiliates/${id}/ledger?order=desc&limit=1`);
    expect(ledger.data[0]).toMatchObject({ kind: "written_off", note: `${kind}: goodwill` });
    await expectSound(world);
  },
);

test("what was settled is not netted from the next payout", async () => {
  const { world, id, settle } = await openOwing();
  await settle({ amount: 300 });
  await world.sale(id, 1_000);
  const [payout] = (await world.generate()).payouts;
  expect(payout).toMatchObject({ gross_amount: 1_000, reversal_amount: 100, amount: 900 });
  await expectSound(world);
});

test("more than is owed is refused, also in a currency in which nothing is", async () => {
  const { settle, owed } = await openOwing();
  for (const body of [{ amount: 401 }, { amount: 1, currency: "EUR" }]) {
    const { status, body: said } = await settle(body);
    expect([status, said.code, said["errors"]]).toMatchObject([
      ...[422, "recovery_not_owed", [{ pointer: "/amount" }]],
    ]);
  }
  expect(await owed()).toBe(400);
});

test("once per idempotency key, and at once never more than is owed", async () => {
  const { world, settle, owed } = await openOwing();
  const headers = { "idempotency-key": unique("settle") };
  const first = await settle({ amount: 100 }, headers);
  const again = await settle({ amount: 100 }, headers);
  expect([again.status, again.body]).toEqual([201, first.body]);
  expect(again.headers.get("idempotent-replayed")).toBe("true");
  const other = await settle({ amount: 101 }, headers);
  expect([other.status, other.body.code]).toEqual([422, "idempotency_mismatch"]);
  const answers = await atOnce(10, () => settle({ amount: 100 }));
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(3);
  expect(await owed()).toBe(0);
  await expectSound(world);
});

test("the same key again answers what was owed then, not what is owed now", async () => {
  const { settle } = await openOwing();
  const headers = { "idempotency-key": unique("settle") };
  await settle({ amount: 100 }, headers);
  await settle({ amount: 200 });
  expect((await settle({ amount: 100 }, headers)).body).toMatchObject({ recovery_owed: 300 });
});

test("what has no shape is refused with its place, and it needs credits:write", async () => {
  const { world, settle } = await openOwing();
  const bad: [Body, string][] = [
    [{ amount: 0 }, "/amount"],
    [{ amount: 1, kind: "forgiven" }, "/kind"],
    [{ amount: 1, note: " " }, "/note"],
    [{ amount: 1, note: undefined }, "/note"],
    [{ amount: 1, external_id: "x" }, "/external_id"],
  ];
  for (const [body, pointer] of bad) {
    const answer = await settle(body);
    expect([answer.status, answer.body["errors"]]).toMatchObject([422, [{ pointer }]]);
  }
  const key = await world.ok("POST", "/v1/api-keys", { name: "Key", scopes: ["payouts:pay"] });
  const answer = await settle({ amount: 1 }, { authorization: `Bearer ${key["secret"]}` });
  expect(answer).toMatchObject({ status: 403, body: { required_scope: "credits:write" } });
});
