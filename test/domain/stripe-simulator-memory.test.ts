// What the simulated Stripe remembers: keys, balances and reversals, events and their signatures, its saved state.

import type Stripe from "stripe";
import { describe, expect, it } from "vitest";
import { type Saved, StripeSimulator } from "../simulators/stripe.ts";
import { SECRET_KEY, stripeOver } from "../simulators/stripe-client.ts";

const START = Date.UTC(2026, 10, 2, 9);
const HOUR = 3_600_000;
const PAYEE = "acct_payee000000001";

function fresh() {
  const clock = { ms: START };
  const simulator = new StripeSimulator({ now: () => clock.ms, slowMs: 40 });
  simulator.seedAccount({ id: PAYEE });
  return { clock, simulator, stripe: stripeOver(simulator) };
}

const pay = (stripe: Stripe, key: string, extra: Partial<Stripe.TransferCreateParams> = {}) =>
  stripe.transfers.create(
    { amount: 1250, currency: "usd", destination: PAYEE, metadata: { payout_id: "po_1" }, ...extra },
    { idempotencyKey: key },
  );

describe("an idempotency key", () => {
  it("gets its first answer again, whatever the order of the parameters, and marks the replay", async () => {
    const { simulator, stripe } = fresh();
    const first = await pay(stripe, "k1");
    const again = await pay(stripe, "k1");
    expect(again).toEqual(first);
    const reordered = await simulator.fetch(
      new Request("https://api.stripe.com/v1/transfers", {
        method: "POST",
        headers: { authorization: `Bearer ${SECRET_KEY}`, "idempotency-key": "k1" },
        body: new URLSearchParams(`metadata[payout_id]=po_1&destination=${PAYEE}&currency=usd&amount=1250`),
      }),
    );
    expect(await reordered.json()).toMatchObject({ id: first.id });
    expect(reordered.headers.get("idempotent-replayed")).toBe("true");
    expect(reordered.headers.get("idempotency-key")).toBe("k1");
    expect(reordered.headers.get("original-request")).toBe(first.lastResponse.requestId);
    expect(simulator.transfers()).toHaveLength(1);
  });

  it("is refused with other parameters, on another path, or when it is too long", async () => {
    const { simulator, stripe } = fresh();
    const first = await pay(stripe, "k1");
    const mismatch = { type: "StripeIdempotencyError", statusCode: 400, rawType: "idempotency_error" };
    await expect(pay(stripe, "k1", { amount: 1251 })).rejects.toMatchObject(mismatch);
    await expect(
      stripe.transfers.createReversal(first.id, {}, { idempotencyKey: "k1" }),
    ).rejects.toMatchObject(mismatch);
    await expect(pay(stripe, "k".repeat(256))).rejects.toMatchObject({ statusCode: 400 });
    expect((await pay(stripe, "k".repeat(255))).id).toMatch(/^tr_/);
    expect(simulator.transfers()).toHaveLength(2);
  });

  it("belongs to one platform account", async () => {
    const { simulator, stripe } = fresh();
    const mine = await pay(stripe, "k1");
    const theirs = await pay(stripeOver(simulator, "sk_test_other_1"), "k1", { amount: 7 });
    expect(theirs.id).not.toBe(mine.id);
    expect((await pay(stripeOver(simulator, "sk_test_shop_2"), "k1")).id).toBe(mine.id);
  });

  it("is not spent by a request that never began", async () => {
    const { simulator, stripe } = fresh();
    await expect(pay(stripe, "k1", { amount: -5 })).rejects.toMatchObject({ param: "amount" });
    simulator.addFault({ fault: "rate_limit_429" });
    await expect(pay(stripe, "k1")).rejects.toMatchObject({ statusCode: 429 });
    expect((await pay(stripe, "k1")).amount).toBe(1250);
  });

  it("keeps a refusal of the work even when the reason is gone", async () => {
    const { simulator, stripe } = fresh();
    simulator.setBalance({ currency: "usd", amount: 0, key: SECRET_KEY });
    await expect(pay(stripe, "k1")).rejects.toMatchObject({ code: "balance_insufficient" });
    simulator.setBalance({ currency: "usd", amount: 10_000 });
    await expect(pay(stripe, "k1")).rejects.toMatchObject({ code: "balance_insufficient" });
    expect((await pay(stripe, "k2")).id).toMatch(/^tr_/);
  });

  it("answers 409 while its first request runs, and pays once however many ask", async () => {
    const { simulator, stripe } = fresh();
    simulator.addFault({ fault: "slow" });
    const all = await Promise.allSettled(Array.from({ length: 5 }, () => pay(stripe, "k1")));
    const refused = all.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
    expect(refused).toHaveLength(4);
    for (const error of refused) expect(error).toMatchObject({ statusCode: 409 });
    expect(simulator.transfers()).toHaveLength(1);
  });

  it("is a new request once it is a day old, or when keys are expired by hand", async () => {
    const { clock, simulator, stripe } = fresh();
    const first = await pay(stripe, "k1");
    clock.ms += 24 * HOUR - 1;
    expect((await pay(stripe, "k1")).id).toBe(first.id);
    clock.ms += 1;
    const second = await pay(stripe, "k1");
    expect(second.id).not.toBe(first.id);
    expect(simulator.expireKeys()).toBe(1);
    expect((await pay(stripe, "k1")).id).not.toBe(second.id);
    expect(simulator.transfers("po_1")).toHaveLength(3);
  });
});

describe("a reversal", () => {
  it("comes in parts, debits the destination, and marks the transfer reversed only at the end", async () => {
    const { simulator, stripe } = fresh();
    simulator.setBalance({ currency: "usd", amount: 5000 });
    const made = await pay(stripe, "k1");
    const part = await stripe.transfers.createReversal(made.id, { amount: 250 });
    expect(part).toMatchObject({ amount: 250, currency: "usd", transfer: made.id });
    const partly = await stripe.transfers.retrieve(made.id);
    expect(partly).toMatchObject({ amount_reversed: 250, reversed: false });
    await expect(stripe.transfers.createReversal(made.id, { amount: 1001 })).rejects.toMatchObject({
      param: "amount",
    });
    await stripe.transfers.createReversal(made.id);
    expect(await stripe.transfers.retrieve(made.id)).toMatchObject({ amount_reversed: 1250, reversed: true });
    await expect(stripe.transfers.createReversal(made.id)).rejects.toMatchObject({ statusCode: 400 });
    const list = await stripe.transfers.listReversals(made.id);
    expect(list.data.map((reversal) => reversal.amount)).toEqual([1000, 250]);
    const own = await stripe.balance.retrieve();
    expect(own.available.find((row) => row.currency === "usd")?.amount).toBe(5000);
    const theirs = await stripe.balance.retrieve({}, { stripeAccount: PAYEE });
    expect(theirs.available).toMatchObject([{ amount: 0, currency: "usd" }]);
  });

  it("is refused once the destination has paid its balance out to its bank", async () => {
    const { simulator, stripe } = fresh();
    const made = await pay(stripe, "k1");
    simulator.payOut(PAYEE, "USD", 1000);
    const payouts = await stripe.payouts.list({}, { stripeAccount: PAYEE });
    expect(payouts.data).toMatchObject([{ amount: 1000, status: "paid" }]);
    await expect(stripe.transfers.createReversal(made.id)).rejects.toMatchObject({
      code: "balance_insufficient",
    });
    expect((await stripe.transfers.createReversal(made.id, { amount: 250 })).amount).toBe(250);
  });

  it("embeds the ten newest in its transfer and lists them all", async () => {
    const { simulator, stripe } = fresh();
    const made = await pay(stripe, "k1");
    for (let n = 1; n <= 12; n += 1) simulator.reverseTransfer(made.id, n);
    const transfer = await stripe.transfers.retrieve(made.id);
    expect(transfer.reversals.data.map((reversal) => reversal.amount)).toEqual([
      12, 11, 10, 9, 8, 7, 6, 5, 4, 3,
    ]);
    expect(transfer.reversals.has_more).toBe(true);
    expect((await stripe.transfers.listReversals(made.id, { limit: 100 })).data).toHaveLength(12);
  });
});

describe("an event", () => {
  it("records who asked for what, keeps its snapshot, and is listed by type for thirty days", async () => {
    const { clock, simulator, stripe } = fresh();
    const made = await pay(stripe, "k1");
    await stripe.transfers.update(made.id, { metadata: { note: "late", payout_id: "" } });
    simulator.reverseTransfer(made.id, 50);
    const created = await stripe.events.list({ type: "transfer.created" });
    expect(created.data).toMatchObject([
      {
        type: "transfer.created",
        request: { id: made.lastResponse.requestId, idempotency_key: "k1" },
        data: { object: { id: made.id, metadata: { payout_id: "po_1" }, amount_reversed: 0 } },
      },
    ]);
    const all = await stripe.events.list({ types: ["transfer.updated", "transfer.reversed"] });
    expect(all.data.map((event) => event.type)).toEqual(["transfer.reversed", "transfer.updated"]);
    expect(all.data[0]?.request).toEqual({ id: null, idempotency_key: null });
    clock.ms += 30 * 24 * HOUR;
    expect((await stripe.events.list()).data).toEqual([]);
  });

  it("is signed so that the stripe package accepts it, in any order, twice, and while a secret is rolled", async () => {
    const { simulator, stripe } = fresh();
    await pay(stripe, "k1");
    await pay(stripe, "k2");
    const ids = simulator
      .events("transfer.created")
      .map((event) => event.id)
      .toReversed();
    const timestampS = Math.floor(Date.now() / 1000);
    const sent = await simulator.signedEvents(ids, ["whsec_old", "whsec_new"], { timestampS, copies: 2 });
    const seen: string[] = [];
    for (const { body, headers } of sent) {
      const header = headers["stripe-signature"] ?? "";
      const event = await stripe.webhooks.constructEventAsync(body, header, "whsec_new");
      seen.push(event.id);
    }
    expect(seen).toEqual([ids[0], ids[0], ids[1], ids[1]]);
    const stale = await simulator.signedEvent(ids[0] ?? "", "whsec_new", { timestampS: timestampS - 301 });
    const verify = (secret: string) =>
      stripe.webhooks.constructEventAsync(stale.body, stale.headers["stripe-signature"] ?? "", secret);
    await expect(verify("whsec_new")).rejects.toThrow(/tolerance/);
    await expect(verify("whsec_wrong")).rejects.toThrow(/signature/i);
  });
});

describe("the saved state", () => {
  it("carries transfers, keys, faults and work under way into another simulator", async () => {
    const { clock, simulator, stripe } = fresh();
    const made = await pay(stripe, "k1");
    simulator.addFault({ fault: "drop_after_work", match: { key_prefix: "k3" } });
    simulator.addFault({ fault: "slow", delay_ms: 60_000 });
    const abandoned = pay(stripeOver(simulator, SECRET_KEY, { timeoutMs: 10 }), "k2");
    await expect(abandoned).rejects.toThrow();
    const saved = JSON.parse(JSON.stringify(simulator)) as Saved;
    const revived = StripeSimulator.fromJSON(saved, { now: () => clock.ms });
    const client = stripeOver(revived);
    expect((await pay(client, "k1")).id).toBe(made.id);
    await expect(pay(client, "k2")).rejects.toMatchObject({ statusCode: 409 });
    clock.ms += 60_000;
    expect((await pay(client, "k2")).id).toMatch(/^tr_/);
    await expect(pay(client, "k3")).rejects.toMatchObject({ type: "StripeConnectionError" });
    const ids = revived.transfers().map((transfer) => transfer.id);
    expect(new Set(ids).size).toBe(3);
    revived.reset();
    expect(revived.state()).toEqual({
      transfers: [],
      accounts: [],
      faults: { pending: [], fired: {} },
      requests: {},
      keys: 0,
    });
  });
});
