// What people do with a payout: approve it, withdraw, cancel, retry, reopen; each where its state allows it.
import { describe, expect, it } from "vitest";
import { expectSound } from "./books.ts";
import { generate, type Payout, payoutOfDue } from "./generated.ts";
import { changedTables, readTables } from "./tables.ts";
import { type Answer, type Loose, openWorld, type World } from "./world.ts";

const due = async (world: World, amount = 1_000): Promise<Payout> => {
  await world.sale(await world.affiliate(), amount);
  return payoutOfDue(world);
};

const does = (
  world: World,
  payout: Loose,
  verb: string,
  body: object = {},
  key?: string,
): Promise<Answer<Loose>> =>
  world.call(
    "POST",
    `/v1/payouts/${payout.id}/${verb}`,
    body,
    key === undefined ? {} : { authorization: `Bearer ${key}` },
  );

const keyOf = async (world: World, ...scopes: string[]): Promise<string> =>
  String((await world.ok("POST", "/v1/api-keys", { name: "Key", scopes }))["secret"]);

const refusalOf = ({ status, body }: Answer<Loose>): [number, string | undefined] => [status, body.code];

/** Sent to a provider that refuses: failed, everything given back. */
const failed = async (world: World): Promise<{ payout: Payout; sale: Loose; affiliateId: string }> => {
  const { id } = await world.stripeAffiliate();
  const sale = await world.sale(id, 1_000);
  const payout = await payoutOfDue(world);
  world.stripe.setBalance({ currency: "usd", amount: 0 });
  await world.ok("POST", `/v1/payouts/${payout.id}/pay`, {}, { prefer: "wait=10" });
  world.stripe.setBalance({ currency: "usd", amount: 1_000_000 });
  return { payout, sale, affiliateId: id };
};

describe("approval", () => {
  it("stands between a payout and its payment where the program asks for it", async () => {
    const world = await openWorld({ require_approval: true });
    const payout = await due(world);
    expect(payout.blockers).toMatchObject([{ reason: "awaiting_approval", payout_id: payout.id }]);
    for (const verb of ["pay", "mark-paid"])
      expect(refusalOf(await does(world, payout, verb))).toEqual([409, "awaiting_approval"]);
    const approved = await does(world, payout, "approve");
    expect(approved.body).toMatchObject({
      status: "approved",
      approved_by: expect.stringMatching(/^key:key_/),
    });
    expect(approved.body["approved_at"]).toBe(new Date(world.now()).toISOString());
    expect(approved.body["blockers"]).toMatchObject([{ reason: "awaiting_payment" }]);
    expect((await does(world, payout, "mark-paid")).body).toMatchObject({ status: "paid" });
    await expectSound(world);
  });

  it("can be withdrawn until it is paid, and then has to be given again", async () => {
    const world = await openWorld({ require_approval: true });
    const payout = await due(world);
    expect(refusalOf(await does(world, payout, "withdraw-approval"))).toEqual([409, "invalid_state"]);
    await does(world, payout, "approve");
    expect((await does(world, payout, "withdraw-approval")).body).toMatchObject({
      status: "pending",
      approved_at: null,
      approved_by: null,
    });
    expect(refusalOf(await does(world, payout, "mark-paid"))).toEqual([409, "awaiting_approval"]);
    await does(world, payout, "approve");
    await does(world, payout, "mark-paid");
    expect(refusalOf(await does(world, payout, "withdraw-approval"))).toEqual([409, "invalid_state"]);
  });

  it("needs another key than the one that made the payout, where the program asks for four eyes", async () => {
    const world = await openWorld({ four_eyes: true, require_approval: true });
    const payout = await due(world);
    expect(refusalOf(await does(world, payout, "approve"))).toEqual([409, "four_eyes"]);
    const other = await keyOf(world, "payouts:approve", "payouts:read");
    expect((await does(world, payout, "approve", {}, other)).body).toMatchObject({ status: "approved" });
  });

  it("needs its own scope, as does the payment", async () => {
    const world = await openWorld();
    const payout = await due(world);
    const writer = await keyOf(world, "payouts:write");
    const scopes = { approve: "payouts:approve", "withdraw-approval": "payouts:approve", pay: "payouts:pay" };
    for (const [verb, scope] of Object.entries({ ...scopes, "mark-paid": "payouts:pay" }))
      expect(await does(world, payout, verb, {}, writer)).toMatchObject({
        status: 403,
        body: { required_scope: scope },
      });
  });

  it("is for the destination that was approved", async () => {
    const world = await openWorld({ require_approval: true, destination_cooldown_hours: 0 });
    const { id } = await world.stripeAffiliate();
    await world.sale(id, 1_000);
    const payout = await payoutOfDue(world);
    await does(world, payout, "approve");
    await world.ok("PUT", `/v1/affiliates/${id}/payout-method`, { payout_method: "manual" });
    expect(refusalOf(await does(world, payout, "pay"))).toEqual([409, "destination_changed"]);
  });
});

describe("a cancelled payout", () => {
  it("gives everything back, keeps its list as history and the reason, and can be reopened", async () => {
    const world = await openWorld();
    const payout = await due(world);
    const cancelled = await does(world, payout, "cancel", { reason: "wrong month" });
    expect(cancelled.body).toMatchObject({ status: "cancelled", commission_ids: payout.commission_ids });
    expect(cancelled.body["failure_detail"]).toBe("wrong month");
    const [commission = ""] = payout.commission_ids;
    expect(await world.ok("GET", `/v1/commissions/${commission}`)).toMatchObject({
      status: "approved",
      payout_id: null,
    });
    for (const verb of ["cancel", "pay", "mark-paid", "approve", "retry", "accept"])
      expect(refusalOf(await does(world, payout, verb)), verb).toEqual([409, "invalid_state"]);
    const reopened = await does(world, payout, "reopen");
    expect(reopened.body).toMatchObject({
      id: payout.id,
      status: "pending",
      amount: 1_000,
      invoice_number: null,
    });
    expect((reopened.body["history"] as { to: string }[]).map(({ to }) => to)).toEqual([
      "pending",
      "cancelled",
      "pending",
    ]);
    await expectSound(world);
  });

  it("is not reopened while another payout holds one of its commissions, which the refusal names", async () => {
    const world = await openWorld();
    const payout = await due(world);
    await does(world, payout, "cancel");
    const other = await payoutOfDue(world);
    const before = await readTables();
    expect(await does(world, payout, "reopen")).toMatchObject({
      status: 409,
      body: { code: "commissions_not_free", commission_id: payout.commission_ids[0], payout_id: other.id },
    });
    expect(changedTables(before, await readTables())).toEqual([]);
    await does(world, other, "cancel");
    expect((await does(world, payout, "reopen")).status).toBe(200);
    await expectSound(world);
  });

  it("is reopened at what is left of its commissions, whatever the minimum is", async () => {
    const world = await openWorld({ minimum_payout: { USD: 900 } });
    const payout = await due(world);
    await does(world, payout, "cancel");
    await world.ok("POST", `/v1/commissions/${payout.commission_ids[0]}/reverse`, {
      amount: 400,
      reason: "part",
    });
    expect((await does(world, payout, "reopen")).body).toMatchObject({ gross_amount: 600, amount: 600 });
    await expectSound(world);
  });
});

describe("a failed payout", () => {
  it("says why, was given back, and is retried under the same id", async () => {
    const world = await openWorld();
    const { payout } = await failed(world);
    const read = await world.ok<Payout>("GET", `/v1/payouts/${payout.id}`);
    expect(read).toMatchObject({
      status: "failed",
      failure_code: "balance_insufficient",
      invoice_number: null,
    });
    expect(read.blockers).toMatchObject([{ reason: "payment_failed", payout_id: payout.id }]);
    for (const verb of ["pay", "mark-paid", "approve", "reopen"])
      expect(refusalOf(await does(world, payout, verb)), verb).toEqual([409, "invalid_state"]);
    expect((await does(world, payout, "retry")).body).toMatchObject({
      status: "pending",
      failure_code: null,
    });
    await world.ok("POST", `/v1/payouts/${payout.id}/pay`, {}, { prefer: "wait=10" });
    expect(await world.ok("GET", `/v1/payouts/${payout.id}`)).toMatchObject({
      status: "paid",
      invoice_number: 1,
    });
    expect(world.stripe.transfers(payout.id)).toHaveLength(1);
    await expectSound(world);
  });

  it("is not retried once its commissions are in another payout", async () => {
    const world = await openWorld();
    const { payout } = await failed(world);
    const other = await payoutOfDue(world);
    expect(await does(world, payout, "retry")).toMatchObject({
      status: 409,
      body: { code: "commissions_not_free", payout_id: other.id },
    });
    expect((await does(world, payout, "cancel")).body).toMatchObject({ status: "cancelled" });
    await expectSound(world);
  });

  it("is not retried for a suspended affiliate, nor where nothing would be left", async () => {
    const world = await openWorld();
    const { payout, sale, affiliateId } = await failed(world);
    await world.ok("PATCH", `/v1/affiliates/${affiliateId}`, { status: "suspended" });
    expect(refusalOf(await does(world, payout, "retry"))).toEqual([409, "affiliate_suspended"]);
    await world.ok("PATCH", `/v1/affiliates/${affiliateId}`, { status: "active" });
    await world.ok("POST", `/v1/commissions/${sale.id}/reverse`, { reason: "all of it" });
    expect(refusalOf(await does(world, payout, "retry"))).toEqual([409, "commissions_not_free"]);
    await expectSound(world);
  });
});

describe("a verb", () => {
  it("on a payout that is not there is 404, of whatever kind the id is", async () => {
    const stranger = await openWorld();
    const theirs = await due(stranger);
    const world = await openWorld();
    const before = await readTables();
    const verbs = [
      "accept",
      "deny",
      "approve",
      "withdraw-approval",
      "pay",
      "mark-paid",
      "cancel",
      "retry",
      "reopen",
    ];
    const bodies: Record<string, object> = { resolve: { outcome: "settled", evidence: "seen" } };
    const reasons = { "mark-failed": { reason: "x" }, return: { reason: "x" }, ...bodies };
    for (const verb of [...verbs, ...Object.keys(reasons)])
      for (const id of [theirs.id, "po_nothing", "com_1", "%20"]) {
        const answer = await does(
          world,
          { id } as Loose,
          verb,
          (reasons as Record<string, object>)[verb] ?? {},
        );
        expect(refusalOf(answer), `${verb} ${id}`).toEqual([404, "payout_not_found"]);
      }
    expect(changedTables(before, await readTables())).toEqual([]);
  });

  it("that needs a reason, or knows no field, says so", async () => {
    const world = await openWorld();
    const payout = await due(world);
    for (const verb of ["mark-failed", "return"])
      for (const body of [{}, { reason: "" }, { reason: "x", amount: 1 }])
        expect((await does(world, payout, verb, body)).status, verb).toBe(422);
    for (const verb of ["approve", "withdraw-approval", "pay", "retry", "reopen", "accept"])
      expect((await does(world, payout, verb, { note: "x" })).status, verb).toBe(422);
    expect((await generate(world)).body.payouts).toEqual([]);
  });
});
