// Paying through PayPal from the request to the receiver: once, whatever PayPal, its messages and the time between do.

import { describe, expect, it } from "vitest";
import { FAULTS, type FaultName, PayPalSimulator } from "../simulators/paypal.ts";
import { seams } from "./seams.ts";
import { bindings, type Loose, openWorld, unique, type World } from "./world.ts";

const DAY_MS = 86_400_000;
const WEBHOOK_ID = "4JH86294D6297924G";

interface PayPalWorld {
  readonly world: World;
  readonly paypal: PayPalSimulator;
  /** An affiliate paid by PayPal who is due an amount, and the payout of it. */
  due(amount?: number, currency?: string): Promise<{ payout: Loose; affiliateId: string; email: string }>;
  read(payout: Loose): Promise<Loose>;
  /** Delivers messages as PayPal would; answers their statuses. */
  announce(ids: readonly string[], change?: (body: string) => string): Promise<number[]>;
}

const openPayPal = async (policy: Record<string, unknown> = {}): Promise<PayPalWorld> => {
  const world = await openWorld(policy);
  const paypal = new PayPalSimulator({ now: world.now });
  const before = seams.ports;
  seams.ports = (ports) => {
    const made = before(ports);
    return {
      ...made,
      http: (request) =>
        new URL(request.url).hostname.endsWith("paypal.com") ? paypal.fetch(request) : made.http(request),
    };
  };
  await world.ok("PUT", "/v1/program/credentials/paypal", {
    client_id: `app-${world.program.id}`,
    client_secret: "s3cret",
    webhook_id: WEBHOOK_ID,
  });
  return {
    world,
    paypal,
    async due(amount = 1_000, currency = "USD") {
      const affiliateId = await world.affiliate();
      const email = `${unique("payee")}@example.com`;
      const method = { payout_method: "paypal", paypal_email: email };
      await world.ok("PUT", `/v1/affiliates/${affiliateId}/payout-method`, method);
      await world.sale(affiliateId, amount, { currency });
      const [payout] = (await world.generate({ affiliate_ids: [affiliateId] })).payouts;
      if (payout === undefined) throw new Error("nothing was generated");
      return { payout, affiliateId, email };
    },
    read: (payout) => world.ok("GET", `/v1/payouts/${payout.id}`),
    async announce(ids, change = (body) => body) {
      const statuses: number[] = [];
      for (const delivery of await paypal.signedEvents(ids, WEBHOOK_ID)) {
        const answer = await fetchCallback(world.program.id, delivery.headers, change(delivery.body));
        statuses.push(answer.status);
      }
      return statuses;
    },
  };
};

const fetchCallback = async (
  programId: string,
  headers: Record<string, string>,
  body: string,
): Promise<Response> => {
  const { exports } = await import("cloudflare:workers");
  const self = (exports as unknown as { default: Fetcher }).default;
  const response = await self.fetch(`http://stipend.test/v1/callbacks/paypal/${programId}`, {
    method: "POST",
    headers,
    body,
  });
  await response.text();
  return response;
};

const attemptsOf = async (payout: Loose): Promise<{ k: string; state: string; ref: string | null }[]> => {
  const sql =
    "SELECT idempotency_key AS k, state, provider_ref AS ref FROM attempts WHERE payout_id = ?1 ORDER BY n";
  const { results } = await bindings.DB.prepare(sql)
    .bind(payout.id)
    .all<{ k: string; state: string; ref: string | null }>();
  return results;
};

describe("paying by PayPal", () => {
  it("sends one item of the amount, in the currency, to the address, and answers the batch's id once it is there", async () => {
    const { world, paypal, due, read } = await openPayPal();
    const { payout, email } = await due(1_234);
    await world.ok("POST", `/v1/payouts/${payout.id}/pay`);
    expect(paypal.payouts()).toEqual([]);
    await world.deliver();
    expect(await read(payout)).toMatchObject({ status: "processing" });
    await world.drain();
    const [made, ...more] = paypal.payouts();
    expect(more).toEqual([]);
    expect(made).toMatchObject({
      sender_batch_header: { sender_batch_id: `po:${payout.id}:1` },
      items: [{ payout_item: { receiver: email, amount: { value: "12.34", currency: "USD" } } }],
    });
    expect(await read(payout)).toMatchObject({
      status: "paid",
      paid_via: "paypal",
      external_ref: made?.payout_batch_id,
      invoice_number: 1,
    });
    expect(await world.verify()).toMatchObject({ ok: true });
  });

  it("runs in the call where the caller waits", async () => {
    const { world, paypal, due } = await openPayPal();
    const { payout } = await due();
    const answer = await world.call("POST", `/v1/payouts/${payout.id}/pay`, {}, { prefer: "wait=10" });
    expect(answer).toMatchObject({ status: 200, body: { status: "paid" } });
    expect(paypal.payouts()).toHaveLength(1);
  });

  it("writes amounts as PayPal takes them", async () => {
    const { world, paypal, due, read } = await openPayPal();
    const yen = await due(1_200, "JPY");
    const forints = await due(120_000, "HUF");
    for (const { payout } of [yen, forints]) await world.ok("POST", `/v1/payouts/${payout.id}/pay`);
    await world.drain();
    expect(paypal.items().map((item) => item.payout_item.amount)).toEqual([
      { currency: "JPY", value: "1200" },
      { currency: "HUF", value: "1200" },
    ]);
    expect(await read(forints.payout)).toMatchObject({ status: "paid", amount: 120_000 });
  });

  const faults = FAULTS.filter((fault) => !["insufficient_funds", "slow", "slow_after_work"].includes(fault));
  it.each<FaultName>(faults)("pays once where PayPal answers with %s", async (fault) => {
    const { world, paypal, due, read } = await openPayPal();
    const { payout } = await due();
    paypal.addFault({ fault });
    await world.ok("POST", `/v1/payouts/${payout.id}/pay`);
    await world.drain(80);
    expect(paypal.fired()).toEqual({ [fault]: 1 });
    expect(await read(payout)).toMatchObject({ status: "paid" });
    expect(paypal.payouts()).toHaveLength(1);
    expect(await world.verify()).toMatchObject({ ok: true });
  });

  it("pays once where the answer of every send is lost for an hour, and tokens end meanwhile", async () => {
    const { world, paypal, due, read } = await openPayPal();
    const { payout } = await due();
    paypal.addFault({ fault: "drop_after_work", times: 50 });
    await world.ok("POST", `/v1/payouts/${payout.id}/pay`);
    await world.drain(20);
    world.advance(3_600_000);
    paypal.expireTokens();
    await world.drain(20);
    expect(await read(payout)).toMatchObject({ status: "processing" });
    paypal.clearFaults();
    world.advance(3_600_000);
    await world.drain();
    expect(await read(payout)).toMatchObject({ status: "paid" });
    expect(paypal.payouts()).toHaveLength(1);
  });

  it("gives everything back where the balance is short, and pays on under a new id", async () => {
    const { world, paypal, due, read } = await openPayPal();
    const { payout } = await due();
    paypal.setBalance({ currency: "USD", amount: 10 });
    await world.ok("POST", `/v1/payouts/${payout.id}/pay`);
    await world.drain();
    expect(await read(payout)).toMatchObject({ status: "failed", failure_code: "INSUFFICIENT_FUNDS" });
    paypal.setBalance({ currency: "USD", amount: 1_000 });
    await world.ok("POST", `/v1/payouts/${payout.id}/retry`);
    await world.ok("POST", `/v1/payouts/${payout.id}/pay`);
    await world.drain();
    expect(await read(payout)).toMatchObject({ status: "paid" });
    expect(await attemptsOf(payout)).toMatchObject([
      { k: `po:${payout.id}:1`, state: "refused" },
      { k: `po:${payout.id}:2`, state: "settled" },
    ]);
  });

  it("waits for who has not claimed it, and gives it back when PayPal does", async () => {
    const { world, paypal, due, read } = await openPayPal();
    const { payout, email } = await due();
    paypal.setCourse({ course: "unclaimed", times: 1 });
    await world.ok("POST", `/v1/payouts/${payout.id}/pay`);
    await world.drain();
    const waiting = await read(payout);
    expect(waiting).toMatchObject({ status: "processing" });
    expect(Date.parse(String(waiting["expected_by"]))).toBeGreaterThan(world.now() + 30 * DAY_MS);
    world.advance(29 * DAY_MS);
    await world.drain();
    expect(await read(payout)).toMatchObject({ status: "processing", stalled_at: null });
    world.advance(DAY_MS);
    await world.drain();
    expect(await read(payout)).toMatchObject({ status: "failed", failure_code: "RECEIVER_UNREGISTERED" });
    await world.ok("POST", `/v1/payouts/${payout.id}/retry`);
    await world.ok("POST", `/v1/payouts/${payout.id}/pay`);
    await world.drain();
    expect(await read(payout)).toMatchObject({ status: "paid" });
    expect(paypal.received(email, "USD")).toBe(1_000);
    expect(await world.verify()).toMatchObject({ ok: true });
  });

  it("never sends again after PayPal may have forgotten the id", async () => {
    const { world, paypal, due, read } = await openPayPal();
    const { payout } = await due();
    paypal.addFault({ fault: "drop_after_work", times: 100 });
    await world.ok("POST", `/v1/payouts/${payout.id}/pay`);
    await world.deliver();
    paypal.clearFaults();
    world.advance(31 * DAY_MS);
    await world.drain();
    expect(paypal.payouts()).toHaveLength(1);
    expect(await read(payout)).toMatchObject({ status: "processing", stalled_at: expect.any(String) });
    expect(await attemptsOf(payout)).toMatchObject([{ state: "unknown", ref: null }]);
  });
});

describe("a message of PayPal", () => {
  it("settles what was claimed, without waiting for the next look; again and out of order it changes nothing", async () => {
    const { world, paypal, due, read, announce } = await openPayPal();
    const { payout } = await due();
    paypal.setCourse({ course: "unclaimed", times: 1 });
    await world.ok("POST", `/v1/payouts/${payout.id}/pay`);
    await world.drain();
    world.advance(2 * DAY_MS);
    paypal.moveItem(paypal.items()[0]?.payout_item_id ?? "", "SUCCESS");
    const ids = paypal.events().map((event) => event.id);
    expect(await announce(ids.toReversed())).toEqual(ids.map(() => 200));
    expect(await read(payout)).toMatchObject({ status: "paid" });
    const { data } = await world.ok<{ data: unknown[] }>("GET", "/v1/events?after=0&limit=200");
    expect(await announce([...ids, ...ids])).toEqual([...ids, ...ids].map(() => 200));
    expect((await world.ok<{ data: unknown[] }>("GET", "/v1/events?after=0&limit=200")).data).toEqual(data);
  });

  it("names the batch whose answer was lost, also when the id may not be sent any more", async () => {
    const { world, paypal, due, read, announce } = await openPayPal();
    const { payout } = await due();
    paypal.addFault({ fault: "drop_after_work", times: 100 });
    await world.ok("POST", `/v1/payouts/${payout.id}/pay`);
    await world.deliver();
    paypal.clearFaults();
    world.advance(31 * DAY_MS);
    const [event] = paypal.events("PAYMENT.PAYOUTSBATCH.SUCCESS");
    expect(await announce([event?.id ?? ""])).toEqual([200]);
    const [made] = paypal.payouts();
    expect(await read(payout)).toMatchObject({ status: "paid", external_ref: made?.payout_batch_id });
  });

  it("that a payment was sent back returns it, whole", async () => {
    const { world, paypal, due, read, announce } = await openPayPal();
    const { payout, affiliateId } = await due();
    await world.ok("POST", `/v1/payouts/${payout.id}/pay`);
    await world.drain();
    expect(await read(payout)).toMatchObject({ status: "paid" });
    paypal.moveItem(paypal.items()[0]?.payout_item_id ?? "", "REFUNDED");
    const [event] = paypal.events("PAYMENT.PAYOUTS-ITEM.REFUNDED");
    expect(await announce([event?.id ?? "", event?.id ?? ""])).toEqual([200, 200]);
    expect(await read(payout)).toMatchObject({ status: "returned", returned_amount: 1_000 });
    expect(await world.ok("GET", `/v1/affiliates/${affiliateId}/balance`)).toMatchObject({
      balances: [{ available: 1_000, paid: 0 }],
    });
    expect(await world.verify()).toMatchObject({ ok: true });
  });

  it("that is not PayPal's own, or for another program, changes nothing; one that cannot be asked about comes again", async () => {
    const { world, paypal, due, read, announce } = await openPayPal();
    const { payout } = await due();
    paypal.setCourse({ course: "unclaimed" });
    await world.ok("POST", `/v1/payouts/${payout.id}/pay`);
    await world.drain();
    paypal.moveItem(paypal.items()[0]?.payout_item_id ?? "", "SUCCESS");
    const id = paypal.events("PAYMENT.PAYOUTS-ITEM.SUCCEEDED")[0]?.id ?? "";
    expect(await announce([id], (body) => JSON.stringify(JSON.parse(body)))).toEqual([400]);
    const { headers, body } = await paypal.signedEvent(id, WEBHOOK_ID);
    expect((await fetchCallback("prg_01JBQ000000000000000000009", headers, body)).status).toBe(400);
    paypal.addFault({ fault: "html_502", match: { path: "/v1/notifications/" } });
    expect(await announce([id])).toEqual([503]);
    paypal.addFault({ fault: "html_502", match: { method: "GET" } });
    expect(await announce([id])).toEqual([503]);
    expect(await read(payout)).toMatchObject({ status: "processing" });
    expect(await announce([id])).toEqual([200]);
    expect(await read(payout)).toMatchObject({ status: "paid" });
  });
});
