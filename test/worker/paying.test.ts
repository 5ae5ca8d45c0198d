// Paying through Stripe, once, whatever the provider, the queue and the database do meanwhile.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { Env } from "../../src/compose.ts";
import type { FaultName } from "../simulators/stripe-faults.ts";
import { seams } from "./seams.ts";
import { deliverBatch, type Loose, NOON, openWorld, type World } from "./world.ts";

const bindings = env as unknown as Env;

const due = async (
  world: World,
  amount = 1_000,
): Promise<{ payout: Loose; affiliateId: string; account: string }> => {
  const { id, account } = await world.stripeAffiliate();
  await world.sale(id, amount);
  const [payout] = (await world.generate()).payouts;
  if (payout === undefined) throw new Error("nothing was generated");
  return { payout, affiliateId: id, account };
};

const read = (world: World, payout: Loose): Promise<Loose> => world.ok("GET", `/v1/payouts/${payout.id}`);

describe("paying", () => {
  it("sends one transfer of the amount, in the currency, to the account, and answers its id", async () => {
    const world = await openWorld();
    const { payout, account } = await due(world, 1_234);
    expect(await world.call("POST", `/v1/payouts/${payout.id}/pay`)).toMatchObject({
      status: 202,
      body: { status: "processing" },
    });
    expect(world.stripe.transfers(payout.id)).toEqual([]);
    await world.deliver();
    const [transfer] = world.stripe.transfers(payout.id);
    expect(transfer).toMatchObject({
      amount: 1_234,
      currency: "usd",
      destination: account,
      transfer_group: payout.id,
      metadata: { payout_id: payout.id },
    });
    expect(await read(world, payout)).toMatchObject({
      status: "paid",
      external_ref: transfer?.id,
      paid_via: "stripe",
      invoice_number: 1,
    });
  });

  it("runs in the call where the caller waits", async () => {
    const world = await openWorld();
    const { payout } = await due(world);
    const answer = await world.call("POST", `/v1/payouts/${payout.id}/pay`, {}, { prefer: "wait=10" });
    expect(answer).toMatchObject({ status: 200, body: { status: "paid" } });
    expect(answer.body["external_ref"]).toMatch(/^tr_[0-9A-Za-z]{24}$/);
  });

  it("answers 202 again while it is under way and 409 once it is paid", async () => {
    const world = await openWorld();
    const { payout } = await due(world);
    for (let i = 0; i < 3; i++)
      expect((await world.call("POST", `/v1/payouts/${payout.id}/pay`)).status).toBe(202);
    await world.drain();
    expect(await world.call("POST", `/v1/payouts/${payout.id}/pay`)).toMatchObject({
      status: 409,
      body: { code: "invalid_state" },
    });
    expect(world.stripe.transfers(payout.id)).toHaveLength(1);
  });

  const lies: readonly FaultName[] = [
    "drop_before_work",
    "drop_after_work",
    "cut_body",
    "error_500_cached",
    "error_500_after_work",
    "error_500_not_cached",
    "empty_503",
    "empty_503_after_work",
    "html_502",
    "html_502_after_work",
    "rate_limit_429",
    "lock_timeout_429",
    "unauthorized_401",
    "garbage_200",
    "wrong_amount",
  ];
  it.each(lies)("pays once where the provider answers with %s", async (fault) => {
    const world = await openWorld();
    const { payout } = await due(world);
    world.stripe.addFault({ fault });
    await world.ok("POST", `/v1/payouts/${payout.id}/pay`);
    await world.deliver();
    expect((await read(world, payout)).status).toBe("processing");
    if (fault === "error_500_cached") world.advance(24 * 3_600_000);
    await world.drain(80);
    const transfers = world.stripe.transfers(payout.id);
    if (fault === "error_500_cached") {
      // The provider replays its 500 for ever and made nothing: only a person can say so.
      expect(transfers).toEqual([]);
      expect(await read(world, payout)).toMatchObject({ status: "processing" });
      expect(
        await world.ok("POST", `/v1/payouts/${payout.id}/resolve`, {
          outcome: "refused",
          evidence: "no transfer in the dashboard",
        }),
      ).toMatchObject({ status: "failed" });
      return;
    }
    if (fault === "wrong_amount") {
      expect(transfers).toHaveLength(1);
      return;
    }
    expect(await read(world, payout)).toMatchObject({ status: "paid" });
    expect(transfers).toHaveLength(1);
  });

  it("gives everything back on a definite refusal, and a retry uses a new key", async () => {
    const world = await openWorld();
    const { payout } = await due(world);
    world.stripe.setBalance({ currency: "usd", amount: 10 });
    await world.ok("POST", `/v1/payouts/${payout.id}/pay`);
    await world.deliver();
    expect(await read(world, payout)).toMatchObject({
      status: "failed",
      failure_code: "balance_insufficient",
    });
    world.stripe.setBalance({ currency: "usd", amount: 1_000_000 });
    await world.ok("POST", `/v1/payouts/${payout.id}/retry`);
    await world.ok("POST", `/v1/payouts/${payout.id}/pay`);
    await world.deliver();
    expect(await read(world, payout)).toMatchObject({ status: "paid" });
    const keys = await bindings.DB.prepare(
      "SELECT idempotency_key AS k, state FROM attempts WHERE payout_id = ?1 ORDER BY n",
    )
      .bind(payout.id)
      .all();
    expect(keys.results).toEqual([
      { k: `po:${payout.id}:1`, state: "refused" },
      { k: `po:${payout.id}:2`, state: "settled" },
    ]);
  });

  it("keeps doubled and late messages from paying twice", async () => {
    const world = await openWorld();
    const { payout, affiliateId } = await due(world);
    await world.ok("POST", `/v1/payouts/${payout.id}/pay`);
    const hints = world.hints.splice(0);
    await deliverBatch([...hints, ...hints, ...hints]);
    await deliverBatch(hints);
    await world.drain();
    expect(world.stripe.transfers(payout.id)).toHaveLength(1);
    expect(await read(world, payout)).toMatchObject({ status: "paid", affiliate_id: affiliateId });
  });

  it("goes on from the sweeper where every message was lost", async () => {
    const world = await openWorld();
    const { payout } = await due(world);
    await world.ok("POST", `/v1/payouts/${payout.id}/pay`);
    world.hints.splice(0);
    world.advance(60_000);
    await world.cron();
    expect(world.hints).toHaveLength(1);
    await world.deliver();
    expect(await read(world, payout)).toMatchObject({ status: "paid" });
  });

  it("looks before it sends again: a transfer that was made is found, whatever became of the answer", async () => {
    const world = await openWorld();
    const { payout } = await due(world);
    world.stripe.addFault({ fault: "drop_after_work" });
    await world.ok("POST", `/v1/payouts/${payout.id}/pay`);
    await world.deliver();
    world.stripe.expireKeys();
    world.advance(25 * 3_600_000);
    await world.cron();
    await world.deliver();
    expect(await read(world, payout)).toMatchObject({ status: "paid" });
    expect(world.stripe.transfers(payout.id)).toHaveLength(1);
  });

  it("never sends again after the provider may have forgotten the key", async () => {
    const world = await openWorld();
    const { payout } = await due(world);
    world.stripe.addFault({ fault: "drop_before_work", times: 50 });
    await world.ok("POST", `/v1/payouts/${payout.id}/pay`);
    await world.deliver();
    world.stripe.clearFaults();
    world.setNow(NOON + 23 * 3_600_000 + 60_000);
    await world.cron();
    await world.deliver();
    expect(world.stripe.transfers(payout.id)).toEqual([]);
    expect(await read(world, payout)).toMatchObject({ status: "processing", stalled_at: expect.any(String) });
  });

  it("sends the payout back to pending where the destination changed after it was asked for", async () => {
    const world = await openWorld({ destination_cooldown_hours: 0 });
    const { payout, affiliateId } = await due(world);
    await world.ok("POST", `/v1/payouts/${payout.id}/pay`);
    const other = String(world.stripe.seedAccount({}).id);
    await world.ok("PUT", `/v1/affiliates/${affiliateId}/payout-method`, {
      payout_method: "stripe",
      stripe_account_id: other,
    });
    await world.deliver();
    expect(await read(world, payout)).toMatchObject({
      status: "pending",
      failure_code: "destination_changed",
    });
    expect(world.stripe.transfers(payout.id)).toEqual([]);
    await world.ok("POST", `/v1/payouts/${payout.id}/pay`);
    await world.deliver();
    expect(world.stripe.transfers(payout.id)).toMatchObject([{ destination: other }]);
  });

  it("refuses money-out while the book is behind the last payment that it began, until a person confirms it", async () => {
    const world = await openWorld();
    const { payout, affiliateId } = await due(world);
    const stub = bindings.AFFILIATE_LEDGER.getByName(`${world.program.id}:${affiliateId}`);
    await runInDurableObject(stub, async (_object, state) => {
      await state.storage.put("begun", { seq: 999, commandId: "s:begin:gone:1", at: NOON });
    });
    expect(await world.call("POST", `/v1/payouts/${payout.id}/pay`)).toMatchObject({
      status: 409,
      body: { code: "book_rewound" },
    });
    await world.ok("POST", `/v1/affiliates/${affiliateId}/confirm-book`, {
      evidence: "compared with Stripe",
    });
    expect(await world.call("POST", `/v1/payouts/${payout.id}/pay`)).toMatchObject({ status: 202 });
    await world.deliver();
    expect(await read(world, payout)).toMatchObject({ status: "paid" });
  });

  it("survives an eviction between the turn that begins and the turn that concludes", async () => {
    const world = await openWorld();
    const { payout, affiliateId } = await due(world);
    const plain = seams.ports;
    seams.ports = (ports) => {
      const made = plain(ports);
      return {
        ...made,
        http: async (request) => {
          await evictDurableObject(bindings.AFFILIATE_LEDGER.getByName(`${world.program.id}:${affiliateId}`));
          return made.http(request);
        },
      };
    };
    await world.ok("POST", `/v1/payouts/${payout.id}/pay`);
    await world.deliver();
    await world.drain();
    expect(await read(world, payout)).toMatchObject({ status: "paid" });
    expect(world.stripe.transfers(payout.id)).toHaveLength(1);
  });

  it("announces a dead letter as a stalled payout", async () => {
    const world = await openWorld();
    const { payout } = await due(world);
    await world.ok("POST", `/v1/payouts/${payout.id}/pay`);
    await deliverBatch(world.hints.splice(0), "stipend-payments-dead");
    expect(await read(world, payout)).toMatchObject({ status: "processing", stalled_at: expect.any(String) });
    const { data } = await world.ok<{ data: { type: string }[] }>("GET", "/v1/events?after=0&limit=200");
    expect(data.map(({ type }) => type)).toContain("payout.stalled");
  });

  it("pays by hand where the rail is a person", async () => {
    const world = await openWorld();
    const id = await world.affiliate();
    await world.sale(id, 500);
    const [payout] = (await world.generate()).payouts;
    if (payout === undefined) throw new Error("nothing was generated");
    await world.ok("POST", `/v1/payouts/${payout.id}/pay`);
    await world.deliver();
    expect((await world.call("POST", `/v1/payouts/${payout.id}/cancel`, {})).body).toMatchObject({
      code: "payment_under_way",
    });
    expect(
      await world.ok("POST", `/v1/payouts/${payout.id}/mark-failed`, { reason: "wrong account" }),
    ).toMatchObject({ status: "failed" });
    await world.ok("POST", `/v1/payouts/${payout.id}/retry`);
    await world.ok("POST", `/v1/payouts/${payout.id}/pay`);
    await world.deliver();
    expect(
      await world.ok("POST", `/v1/payouts/${payout.id}/mark-paid`, { external_ref: "cheque 7", amount: 500 }),
    ).toMatchObject({ status: "paid", paid_via: "manual" });
    expect(await world.verify()).toMatchObject({ ok: true });
  });

  it("holds a program to its daily limit", async () => {
    const world = await openWorld({ daily_payout_limit: { USD: 1_500 } });
    const { payout: first } = await due(world, 1_000);
    const { payout: second } = await due(world, 1_000);
    await world.ok("POST", `/v1/payouts/${first.id}/pay`);
    expect(await world.call("POST", `/v1/payouts/${second.id}/pay`)).toMatchObject({
      status: 422,
      body: { code: "daily_limit_reached" },
    });
    world.advance(24 * 3_600_000);
    expect((await world.call("POST", `/v1/payouts/${second.id}/pay`)).status).toBe(202);
  });
});
