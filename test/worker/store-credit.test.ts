// Store credit over HTTP: paid in one turn, spent by orders, given back order by order, and returned only while unspent.
import { describe, expect, test } from "vitest";
import { atOnce, expectSound } from "./books.ts";
import { type Answer, type Loose, openWorld, unique, type World } from "./world.ts";

type Body = Record<string, unknown>;

interface Credited {
  readonly world: World;
  readonly id: string;
  readonly payout: Loose;
  spend(body: Body, headers?: Record<string, string>): Promise<Answer<Loose>>;
  refund(body: Body, headers?: Record<string, string>): Promise<Answer<Loose>>;
  credit(): Promise<unknown>;
}

/** An affiliate of a shop who was paid this much in store credit. */
const openCredited = async (amount = 1_000): Promise<Credited> => {
  const world = await openWorld();
  const id = await world.affiliate({ external_id: "ada" });
  await world.ok("PUT", `/v1/affiliates/${id}/payout-method`, { payout_method: "store_credit" });
  await world.sale(id, amount);
  const [payout] = (await world.generate()).payouts;
  if (payout === undefined) throw new Error("nothing was generated");
  await world.ok("POST", `/v1/payouts/${payout.id}/pay`);
  await world.deliver();
  const path = `/v1/affiliates/${id}/store-credit`;
  return {
    world,
    id,
    payout,
    spend: (body, headers) => world.call("POST", `${path}/spend`, { currency: "USD", ...body }, headers),
    refund: (body, headers) => world.call("POST", `${path}/refund`, { currency: "USD", ...body }, headers),
    async credit() {
      const { balances } = await world.ok<{ balances: Body[] }>("GET", `/v1/affiliates/${id}/balance`);
      return balances[0]?.["store_credit"];
    },
  };
};

const codeOf = ({ status, body }: Answer<Loose>) => [status, body.code];

describe("paying in store credit", () => {
  test("settles in one turn, without a provider, and with an invoice number", async () => {
    const { world, payout, credit } = await openCredited();
    expect(await world.ok("GET", `/v1/payouts/${payout.id}`)).toMatchObject({
      ...{ status: "paid", paid_via: "store_credit", external_ref: null, invoice_number: 1 },
    });
    expect(await credit()).toBe(1_000);
    expect(world.stripe.transfers()).toEqual([]);
    await expectSound(world);
  });
});

describe("spend", () => {
  test("takes what an order is paid with, and answers what is left", async () => {
    const { world, id, spend, credit } = await openCredited();
    const answer = await spend({ amount: 300, external_id: "order-1", note: "a mug" });
    expect([answer.status, answer.body]).toEqual([
      201,
      { affiliate_id: id, currency: "USD", amount: 300, store_credit: 700, external_id: "order-1" },
    ]);
    expect(await credit()).toBe(700);
    const { data } = await world.ok<{ data: Body[] }>(
      "GET",
      `/v1/affiliates/${id}/ledger?order=desc&limit=1`,
    );
    expect(data[0]).toMatchObject({ kind: "spend", amount: 300, note: "order-1: a mug" });
    await expectSound(world);
  });

  test("the same order again answers the same, also when more was spent since", async () => {
    const { spend, credit } = await openCredited();
    const first = await spend({ amount: 300, external_id: "order-1" });
    await spend({ amount: 200, external_id: "order-2" });
    const again = await spend({ amount: 300, external_id: "order-1" });
    expect([again.status, again.body]).toEqual([200, first.body]);
    expect(await credit()).toBe(500);
  });

  test("an affiliate's own name is as good as its id, also for the same order again", async () => {
    const { world, spend, credit } = await openCredited();
    await spend({ amount: 300, external_id: "order-1" });
    const body = { amount: 300, currency: "USD", external_id: "order-1" };
    expect((await world.call("POST", "/v1/affiliates/ext:ada/store-credit/spend", body)).status).toBe(200);
    expect(await credit()).toBe(700);
  });

  test.each([{ amount: 301 }, { note: "another" }, { currency: "EUR" }])(
    "another body under an order's id is 409: %o",
    async (other) => {
      const { spend, credit } = await openCredited();
      const body = { amount: 300, external_id: "order-1" };
      await spend(body);
      const answer = await spend({ ...body, ...other });
      expect(codeOf(answer)).toEqual([409, "duplicate_external_id"]);
      expect(answer.body["errors"]).toMatchObject([{ pointer: "/external_id" }]);
      expect(await credit()).toBe(700);
    },
  );

  test("more than there is is refused, says what is missing, and the same order may come again with less", async () => {
    const { spend, credit } = await openCredited();
    const answer = await spend({ amount: 1_001, external_id: "order-1" });
    expect(codeOf(answer)).toEqual([422, "store_credit_short"]);
    expect(answer.body).toMatchObject({ store_credit: 1_000, missing_amount: 1 });
    expect(await credit()).toBe(1_000);
    expect((await spend({ amount: 1_000, external_id: "order-1" })).status).toBe(201);
    expect(codeOf(await spend({ amount: 1, external_id: "order-2" }))).toEqual([422, "store_credit_short"]);
  });

  test("twenty orders at once spend what there is and no more", async () => {
    const { world, spend, credit } = await openCredited(1_000);
    const answers = await atOnce(20, (n) => spend({ amount: 150, external_id: `order-${n}` }));
    const statuses = answers.map(({ status }) => status).toSorted();
    expect(statuses).toEqual([...new Array(6).fill(201), ...new Array(14).fill(422)]);
    expect(await credit()).toBe(100);
    await expectSound(world);
  });

  test("one order twenty times at once spends once", async () => {
    const { spend, credit } = await openCredited(1_000);
    const answers = await atOnce(20, () => spend({ amount: 150, external_id: "order-1" }));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([...new Array(19).fill(200), 201]);
    expect(await credit()).toBe(850);
  });

  test("an idempotency key gives the first answer again, whatever the order's id would", async () => {
    const { spend } = await openCredited();
    const headers = { "idempotency-key": unique("spend") };
    const first = await spend({ amount: 300, external_id: "order-1" }, headers);
    const again = await spend({ amount: 300, external_id: "order-1" }, headers);
    expect([again.status, again.body]).toEqual([201, first.body]);
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    const other = await spend({ amount: 300, external_id: "order-2" }, headers);
    expect(codeOf(other)).toEqual([422, "idempotency_mismatch"]);
  });

  test("two affiliates may have spent under the same order's id", async () => {
    const { world, spend } = await openCredited();
    const other = await world.affiliate();
    await world.ok("PUT", `/v1/affiliates/${other}/payout-method`, { payout_method: "store_credit" });
    await world.sale(other, 500);
    const [payout] = (await world.generate()).payouts;
    await world.ok("POST", `/v1/payouts/${payout?.id}/pay`, {}, { prefer: "wait=10" });
    await spend({ amount: 300, external_id: "order-1" });
    const body = { amount: 200, currency: "USD", external_id: "order-1" };
    expect(await world.ok("POST", `/v1/affiliates/${other}/store-credit/spend`, body)).toMatchObject({
      store_credit: 300,
    });
  });
});

describe("refund", () => {
  test("gives back what an order spent, in parts, and no more than it took", async () => {
    const { world, id, spend, refund, credit } = await openCredited();
    await spend({ amount: 400, external_id: "order-1" });
    await spend({ amount: 500, external_id: "order-2" });
    const part = await refund({ amount: 150, external_id: "back-1", spend_external_id: "order-1" });
    expect([part.status, part.body]).toEqual([
      201,
      { affiliate_id: id, currency: "USD", amount: 150, store_credit: 250, external_id: "back-1" },
    ]);
    const tooMuch = await refund({ amount: 251, external_id: "back-2", spend_external_id: "order-1" });
    expect(codeOf(tooMuch)).toEqual([422, "refund_exceeds_spend"]);
    expect(tooMuch.body).toMatchObject({ amount: 250 });
    await refund({ amount: 250, external_id: "back-2", spend_external_id: "order-1" });
    expect(await credit()).toBe(500);
    expect(codeOf(await refund({ amount: 1, external_id: "back-3", spend_external_id: "order-1" }))).toEqual([
      ...[422, "refund_exceeds_spend"],
    ]);
    await expectSound(world);
  });

  test("the same refund again answers the same, another body under its id is 409", async () => {
    const { spend, refund, credit } = await openCredited();
    await spend({ amount: 400, external_id: "order-1" });
    const body = { amount: 100, external_id: "back-1", spend_external_id: "order-1" };
    const first = await refund(body);
    const again = await refund(body);
    expect([again.status, again.body]).toEqual([200, first.body]);
    expect(codeOf(await refund({ ...body, amount: 50 }))).toEqual([409, "duplicate_external_id"]);
    expect(await credit()).toBe(700);
  });

  test("twenty refunds at once give back what the order took and no more", async () => {
    const { world, spend, refund, credit } = await openCredited();
    await spend({ amount: 400, external_id: "order-1" });
    const answers = await atOnce(20, (n) =>
      refund({ amount: 100, external_id: `back-${n}`, spend_external_id: "order-1" }),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(4);
    expect(await credit()).toBe(1_000);
    await expectSound(world);
  });

  test("of an order that spent nothing here, nothing comes back", async () => {
    const { world, spend, refund } = await openCredited();
    await spend({ amount: 400, external_id: "order-1" });
    const body = { amount: 1, external_id: "back-1" };
    const missing: [Body, string][] = [
      [{ ...body, spend_external_id: "order-2" }, "/spend_external_id"],
      [{ ...body, spend_external_id: "order-1", currency: "EUR" }, "/spend_external_id"],
    ];
    for (const [asked, pointer] of missing) {
      const answer = await refund(asked);
      expect(codeOf(answer)).toEqual([404, "spend_not_found"]);
      expect(answer.body["errors"]).toMatchObject([{ pointer }]);
    }
    const other = await world.affiliate();
    const path = `/v1/affiliates/${other}/store-credit/refund`;
    const asked = { ...body, currency: "USD", spend_external_id: "order-1" };
    expect(codeOf(await world.call("POST", path, asked))).toEqual([404, "spend_not_found"]);
  });
});

describe("a payout in store credit", () => {
  const back = (world: World, payout: Loose) =>
    world.call("POST", `/v1/payouts/${payout.id}/return`, { reason: "a mistake" });

  test("is taken back while unspent, not while spent, and again once the order gave it back", async () => {
    const { world, payout, spend, refund, credit } = await openCredited();
    await spend({ amount: 1, external_id: "order-1" });
    expect(codeOf(await back(world, payout))).toEqual([422, "store_credit_spent"]);
    await refund({ amount: 1, external_id: "back-1", spend_external_id: "order-1" });
    expect((await back(world, payout)).status).toBe(200);
    expect(await credit()).toBe(0);
    expect(codeOf(await spend({ amount: 1, external_id: "order-2" }))).toEqual([422, "store_credit_short"]);
    await expectSound(world);
  });
});

test("what has no shape is refused with its place", async () => {
  const { spend, refund } = await openCredited();
  const good = { amount: 1, external_id: "order-1" };
  const bad: [Promise<Answer<Loose>>, string][] = [
    [spend({ ...good, amount: 0 }), "/amount"],
    [spend({ ...good, amount: 1.5 }), "/amount"],
    [spend({ ...good, currency: "usd" }), "/currency"],
    [spend({ amount: 1 }), "/external_id"],
    [spend({ ...good, external_id: "" }), "/external_id"],
    [spend({ ...good, spend_external_id: "x" }), "/spend_external_id"],
    [refund(good), "/spend_external_id"],
  ];
  for (const [asked, pointer] of bad) {
    const { status, body } = await asked;
    expect([status, body["errors"]]).toMatchObject([422, [{ pointer }]]);
  }
});

test("it needs credits:write, and an affiliate that is there", async () => {
  const { world, id, spend } = await openCredited();
  const key = await world.ok("POST", "/v1/api-keys", { name: "Key", scopes: ["payouts:pay"] });
  const headers = { authorization: `Bearer ${key["secret"]}` };
  expect(await spend({ amount: 1, external_id: "order-1" }, headers)).toMatchObject({
    ...{ status: 403, body: { required_scope: "credits:write" } },
  });
  const path = `/v1/affiliates/${id.slice(0, -1)}0/store-credit/spend`;
  const body = { amount: 1, currency: "USD", external_id: "order-1" };
  expect(codeOf(await world.call("POST", path, body))).toEqual([404, "affiliate_not_found"]);
});
