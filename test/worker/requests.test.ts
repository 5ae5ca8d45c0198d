// An affiliate asks to be paid: one open request a currency, claimed like generate, accepted or denied by the merchant.
import { afterEach, describe, expect, it } from "vitest";
import { atOnce, expectSound } from "./books.ts";
import { type Answer, type Loose, openWorld, type World } from "./world.ts";

let world: World;

afterEach(async () => {
  await expectSound(world);
});

const ask = (
  affiliateId: string,
  body: object = {},
  headers: Record<string, string> = {},
): Promise<Answer<Loose>> =>
  world.call("POST", `/v1/affiliates/${affiliateId}/payout-requests`, body, headers);

const open = async (policy: Record<string, unknown> = {}): Promise<string> => {
  world = await openWorld(policy);
  return world.affiliate({ external_id: "ada" });
};

const keyOf = async (...scopes: string[]): Promise<Record<string, string>> => {
  const { secret } = await world.ok("POST", "/v1/api-keys", { name: "Key", scopes });
  return { authorization: `Bearer ${secret}` };
};

describe("a payout request", () => {
  it("claims everything that is payable in the program's currency and waits for an answer", async () => {
    const id = await open();
    await world.sale(id, 1_200);
    await world.sale(id, 300);
    await world.sale(id, 999, { status: "pending" });
    await world.sale(id, 700, { currency: "EUR" });
    const { status, body } = await ask(id);
    expect([status, body.status, body["amount"], body["currency"]]).toEqual([201, "requested", 1_500, "USD"]);
    expect(body["blockers"]).toMatchObject([{ reason: "awaiting_approval", payout_id: body.id }]);
    const events = await world.ok<{ data: Loose[] }>("GET", "/v1/events?after=0");
    expect(events.data.at(-1)).toMatchObject({ type: "payout.requested" });
    expect((await ask("ext:ada", { currency: "EUR" })).body).toMatchObject({ amount: 700, currency: "EUR" });
    for (const verb of ["pay", "approve", "mark-paid"])
      expect(await world.call("POST", `/v1/payouts/${body.id}/${verb}`, {})).toMatchObject({
        status: 409,
        body: { code: "invalid_state" },
      });
  });

  it("is accepted, and then paid like any other", async () => {
    const id = await open();
    await world.sale(id, 1_200);
    const { body } = await ask(id);
    const accepted = await world.ok("POST", `/v1/payouts/${body.id}/accept`);
    expect(accepted).toMatchObject({ status: "pending" });
    expect(await world.ok("POST", `/v1/payouts/${body.id}/mark-paid`, {})).toMatchObject({ status: "paid" });
    expect(await world.call("POST", `/v1/payouts/${body.id}/accept`)).toMatchObject({ status: 409 });
  });

  it("is denied with a reason, gives everything back, and may be made again", async () => {
    const id = await open();
    const sale = await world.sale(id, 1_200);
    const { body } = await ask(id);
    const denied = await world.ok("POST", `/v1/payouts/${body.id}/deny`, { reason: "invoice missing" });
    expect(denied).toMatchObject({ status: "cancelled", failure_detail: "invoice missing" });
    expect(await world.ok("GET", `/v1/commissions/${sale.id}`)).toMatchObject({ status: "approved" });
    const again = await ask(id);
    expect([again.status, again.body["amount"]]).toEqual([201, 1_200]);
    expect(again.body.id).not.toBe(body.id);
  });

  it("is one at a time in a currency: the second is told which one waits", async () => {
    const id = await open();
    await world.sale(id, 1_200);
    const { body } = await ask(id);
    await world.sale(id, 500);
    const second = await ask(id);
    expect([second.status, second.body.code, second.body["payout_id"]]).toEqual([
      409,
      "request_open",
      body.id,
    ]);
    await world.ok("POST", `/v1/payouts/${body.id}/accept`);
    expect((await ask(id)).body).toMatchObject({ amount: 500 });
  });

  it("asked twenty times at once is made once, and the others are told which", async () => {
    const id = await open();
    await world.sale(id, 1_200);
    const answers = await atOnce(20, () => ask(id));
    const made = answers.filter(({ status }) => status === 201);
    expect(made.length).toBe(1);
    for (const { status, body } of answers.filter((answer) => answer !== made[0]))
      expect([status, body.code, body["payout_id"]]).toEqual([409, "request_open", made[0]?.body.id]);
  });

  it("with an idempotency key is answered again as it was", async () => {
    const id = await open();
    await world.sale(id, 1_200);
    const first = await ask(id, {}, { "idempotency-key": "once" });
    const again = await ask(id, {}, { "idempotency-key": "once" });
    expect([again.status, again.body]).toEqual([201, first.body]);
    expect(again.headers.get("idempotent-replayed")).toBe("true");
  });

  it.each([
    ["below the minimum", { minimum_payout: { USD: 2_000 } }, 422, "below_minimum"],
    ["while a tax form is missing", { require_tax_form: true }, 422, "tax_form_required"],
    ["without a payout method", { payout_methods: ["stripe"] }, 422, "no_payout_method"],
    ["inside the refund window", { hold_days: 30 }, 422, "nothing_due"],
  ])("is refused %s", async (_why, policy, status, code) => {
    const id = await open(policy);
    await world.sale(id, 1_200);
    const answer = await ask(id);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  it("is refused to a suspended affiliate, in a strange currency, and to a key that may not", async () => {
    const id = await open();
    await world.sale(id, 1_200);
    expect((await ask(id, { currency: "XXX" })).status).toBe(422);
    expect((await ask(id, { amount: 5 })).status).toBe(422);
    expect((await ask(id, {}, await keyOf("payouts:pay"))).body).toMatchObject({
      required_scope: "payouts:write",
    });
    await world.ok("PATCH", `/v1/affiliates/${id}`, { status: "suspended" });
    const answer = await ask(id);
    expect([answer.status, answer.body.code]).toEqual([409, "affiliate_suspended"]);
  });

  it("may be approved by the key that made it for the affiliate only where four eyes are not asked for", async () => {
    const id = await open({ four_eyes: true, require_approval: true });
    await world.sale(id, 1_200);
    const { body } = await ask(id);
    await world.ok("POST", `/v1/payouts/${body.id}/accept`);
    const own = await world.call("POST", `/v1/payouts/${body.id}/approve`);
    expect([own.status, own.body.code]).toEqual([409, "four_eyes"]);
    const other = await keyOf("payouts:approve");
    const approved = await world.call("POST", `/v1/payouts/${body.id}/approve`, {}, other);
    expect(approved.body).toMatchObject({ status: "approved" });
  });
});
