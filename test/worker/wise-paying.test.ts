// Paying through Wise from the request to the bank: once, whatever Wise, its messages and the time between do.

import { evictDurableObject } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { type FaultName, fundingOf, type Status, WiseSimulator } from "../simulators/wise.ts";
import { seams } from "./seams.ts";
import { bindings, type Loose, openWorld, unique, type World } from "./world.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

let shops = 0;

interface WiseWorld {
  readonly world: World;
  readonly wise: WiseSimulator;
  readonly profile: number;
  /** Runs before each request that goes to Wise. */
  readonly before: { request: ((request: Request) => Promise<void> | void) | undefined };
  /** An affiliate paid by Wise who is due an amount, and the payout of it. */
  due(amount?: number, name?: string): Promise<{ payout: Loose; affiliateId: string; email: string }>;
  pay(payout: Loose): Promise<void>;
  /** Some time passes, and what is due then is done. */
  later(ms: number): Promise<void>;
  read(payout: Loose): Promise<Loose>;
  /** Delivers messages as Wise would; answers their statuses. */
  announce(ids: readonly string[], change?: (body: string) => string): Promise<number[]>;
}

const callback = async (
  programId: string,
  { headers, body }: { headers: Record<string, string>; body: string },
): Promise<number> => {
  const self = (exports as unknown as { default: Fetcher }).default;
  const url = `http://stipend.test/v1/callbacks/wise/${programId}`;
  const response = await self.fetch(url, { method: "POST", headers, body });
  await response.text();
  return response.status;
};

const openWise = async (
  options: { country?: string; courseMs?: number; policy?: Record<string, unknown> } = {},
): Promise<WiseWorld> => {
  const world = await openWorld(options.policy);
  const wise = new WiseSimulator({ now: world.now, slowMs: 60_000, courseMs: options.courseMs ?? null });
  // What other tests left under way must not be paid for from this one's balance.
  shops += 1;
  const [token, profile] = [`wise-token-of-shop-${shops}`, 30_000_000 + shops];
  wise.seedProfile({ token, id: profile, country: options.country ?? "US" });
  const before: WiseWorld["before"] = { request: undefined };
  const earlier = seams.ports;
  seams.ports = (ports) => {
    const made = earlier(ports);
    return {
      ...made,
      http: async (request) => {
        if (new URL(request.url).hostname !== "api.wise-sandbox.com") return made.http(request);
        await before.request?.(request);
        return wise.fetch(request);
      },
    };
  };
  await world.ok("PUT", "/v1/program/credentials/wise", {
    api_token: token,
    profile_id: String(profile),
    webhook_public_key: await wise.publicKeyPem(),
  });
  return {
    world,
    wise,
    profile,
    before,
    async due(amount = 1_000, name = "Ada Lovelace") {
      const affiliateId = await world.affiliate({ name });
      const email = `${unique("payee")}@example.com`;
      const method = { payout_method: "wise", wise_email: email, currency: "EUR" };
      await world.ok("PUT", `/v1/affiliates/${affiliateId}/payout-method`, method);
      await world.sale(affiliateId, amount);
      const [payout] = (await world.generate({ affiliate_ids: [affiliateId] })).payouts;
      if (payout === undefined) throw new Error("nothing was generated");
      return { payout, affiliateId, email };
    },
    async pay(payout) {
      await world.ok("POST", `/v1/payouts/${payout.id}/pay`);
      await world.deliver();
    },
    async later(ms) {
      world.advance(ms);
      await world.drain(3);
    },
    read: (payout) => world.ok("GET", `/v1/payouts/${payout.id}`),
    async announce(ids, change = (body) => body) {
      const statuses: number[] = [];
      for (const { headers, body } of await wise.signedEvents(ids))
        statuses.push(await callback(world.program.id, { headers, body: change(body) }));
      return statuses;
    },
  };
};

const attemptsOf = async (payout: Loose): Promise<{ state: string; ref: string | null }[]> => {
  const sql = "SELECT state, provider_ref AS ref FROM attempts WHERE payout_id = ?1 ORDER BY n";
  return (await bindings.DB.prepare(sql).bind(payout.id).all<{ state: string; ref: string | null }>())
    .results;
};

const only = (wise: WiseSimulator) => {
  const [transfer, ...more] = wise.transfers();
  if (transfer === undefined || more.length > 0) throw new Error(`${more.length + 1} transfers`);
  return transfer;
};

const SENT: readonly Status[] = ["funds_converted", "outgoing_payment_sent"];

describe("paying by Wise", () => {
  it("makes and pays for one transfer of the amount to the address, and is paid once Wise has sent it", async () => {
    const { world, wise, profile, due, pay, later, read } = await openWise();
    const { payout, email } = await due(1_234);
    wise.setBalance({ profile, currency: "USD", amount: 100 });
    await pay(payout);
    const transfer = only(wise);
    expect(transfer).toMatchObject({ status: "processing", paid: 12.34, sourceCurrency: "USD" });
    expect(transfer.details.reference).toBe(String(payout.id).slice(-10));
    expect(wise.recipients()).toMatchObject([{ currency: "EUR", type: "email", details: { email } }]);
    expect(await read(payout)).toMatchObject({ status: "processing", paid_at: null });
    wise.setStatus(transfer.id, ...SENT);
    await later(HOUR_MS);
    expect(await read(payout)).toMatchObject({
      status: "paid",
      paid_via: "wise",
      external_ref: String(transfer.id),
      invoice_number: 1,
    });
    expect(wise.balance(profile, "USD")).toBe(87.66);
    expect(await world.verify()).toMatchObject({ ok: true });
  });

  it("expects it within days, and says so where it takes longer", async () => {
    const { world, due, pay, later, read } = await openWise();
    const { payout } = await due();
    await pay(payout);
    const expected = Date.parse(String((await read(payout))["expected_by"]));
    expect(expected).toBeGreaterThan(world.now() + 4 * DAY_MS);
    await later(4 * DAY_MS);
    expect(await read(payout)).toMatchObject({ stalled_at: null });
    await later(2 * DAY_MS);
    expect(await read(payout)).toMatchObject({ status: "processing", stalled_at: expect.any(String) });
  });

  const TROUBLE: readonly FaultName[] = [
    "drop_before_work",
    "drop_after_work",
    "cut_body",
    "error_500_not_cached",
    "error_500_after_work",
    "empty_503_after_work",
    "html_502_after_work",
    "garbage_200",
    "rate_limit_429",
    "unauthorized_401",
    "wrong_amount",
    "wrong_id",
  ];
  const steps = TROUBLE.flatMap((fault) =>
    ["making", "paying"]
      .filter((step) => step === "making" || !fault.startsWith("wrong"))
      .map((step) => ({ fault, step })),
  );

  it.each(steps)("pays once where $step is answered with $fault", async ({ fault, step }) => {
    const { world, wise, profile, due, pay, later, read } = await openWise({ courseMs: 10_000 });
    const { payout } = await due();
    wise.addFault({ fault, ...(step === "paying" ? { match: fundingOf(profile) } : {}) });
    await pay(payout);
    expect((await read(payout)).status).toBe("processing");
    await later(MINUTE_MS);
    await later(HOUR_MS);
    expect(wise.state().faults.fired).toEqual({ [fault]: 1 });
    expect(await read(payout)).toMatchObject({ status: "paid", external_ref: String(only(wise).id) });
    expect(only(wise)).toMatchObject({ payments: 1, paid: 10 });
    expect(await world.verify()).toMatchObject({ ok: true });
  });

  it("pays once where every answer is lost for an hour and Wise refuses repeats of what has expired", async () => {
    const { world, wise, due, pay, later, read } = await openWise({ courseMs: 10_000 });
    wise.configure({ repeatsAfterExpiry: false });
    const { payout } = await due();
    wise.addFault({ fault: "drop_after_work", match: { path: "/2026Q3/transfers" }, times: 500 });
    await pay(payout);
    await later(HOUR_MS);
    expect(await read(payout)).toMatchObject({ status: "processing" });
    expect(only(wise)).toMatchObject({ payments: 0 });
    wise.clearFaults();
    world.advance(HOUR_MS);
    await later(MINUTE_MS);
    await later(HOUR_MS);
    expect(await read(payout)).toMatchObject({ status: "paid" });
    expect(only(wise)).toMatchObject({ payments: 1 });
  });

  it("pays once where the object is gone between any two calls, and messages are doubled", async () => {
    const { world, wise, before, due, later, read } = await openWise({ courseMs: 10_000 });
    const { payout, affiliateId } = await due();
    let evicted = 0;
    before.request = async () => {
      const object = bindings.AFFILIATE_LEDGER.getByName(`${world.program.id}:${affiliateId}`);
      // One that is gone already cannot go.
      await evictDurableObject(object).then(
        () => (evicted += 1),
        () => undefined,
      );
    };
    await world.ok("POST", `/v1/payouts/${payout.id}/pay`);
    world.hints.push(...world.hints, ...world.hints);
    await later(MINUTE_MS);
    await later(HOUR_MS);
    expect(await read(payout)).toMatchObject({ status: "paid" });
    expect(only(wise)).toMatchObject({ payments: 1 });
    expect(evicted).toBeGreaterThan(1);
    expect(await world.verify()).toMatchObject({ ok: true });
  });
});

describe("a payment that Wise does not take", () => {
  it("for want of money fails, gives everything back, and a retry pays under a new id", async () => {
    const { world, wise, profile, due, pay, later, read } = await openWise({ courseMs: 10_000 });
    const { payout, affiliateId } = await due();
    wise.setBalance({ profile, currency: "USD", amount: 9.99 });
    await pay(payout);
    expect(await read(payout)).toMatchObject({ status: "failed", failure_code: "insufficient_funds" });
    expect(only(wise)).toMatchObject({ status: "cancelled", payments: 0 });
    expect(await world.ok("GET", `/v1/affiliates/${affiliateId}/balance`)).toMatchObject({
      balances: [{ available: 1_000, reserved: 0 }],
    });
    wise.setBalance({ profile, currency: "USD", amount: 10 });
    await world.ok("POST", `/v1/payouts/${payout.id}/retry`);
    await pay(payout);
    await later(MINUTE_MS);
    await later(HOUR_MS);
    expect(await read(payout)).toMatchObject({ status: "paid" });
    expect(wise.funded()).toHaveLength(1);
    expect(await attemptsOf(payout)).toMatchObject([
      { state: "refused" },
      { state: "settled", ref: String(wise.funded()[0]?.id) },
    ]);
    expect(await world.verify()).toMatchObject({ ok: true });
  });

  it("because its quote ran out before Wise was reached fails, and a retry gets a new quote", async () => {
    const { world, wise, due, pay, later, read } = await openWise({ courseMs: 10_000 });
    const { payout } = await due();
    wise.addFault({ fault: "drop_before_work", match: { path: "/2026Q3/transfers" }, times: 500 });
    await pay(payout);
    await later(31 * MINUTE_MS);
    expect(await read(payout)).toMatchObject({ status: "processing" });
    wise.clearFaults();
    await later(HOUR_MS);
    expect(await read(payout)).toMatchObject({ status: "failed", failure_code: "quote_expired" });
    expect(wise.transfers()).toEqual([]);
    await world.ok("POST", `/v1/payouts/${payout.id}/retry`);
    await pay(payout);
    await later(MINUTE_MS);
    await later(HOUR_MS);
    expect(await read(payout)).toMatchObject({ status: "paid" });
    expect(only(wise)).toMatchObject({ payments: 1 });
  });

  it("that never reached Wise in a day is shown to be not made by its unused quote", async () => {
    const { world, wise, due, pay, later, read } = await openWise();
    const { payout } = await due();
    wise.addFault({ fault: "drop_before_work", times: 500 });
    await pay(payout);
    await later(24 * HOUR_MS);
    expect(await read(payout)).toMatchObject({ status: "processing" });
    await later(20 * MINUTE_MS);
    expect(await read(payout)).toMatchObject({ status: "failed", failure_code: "not_made" });
    expect(wise.transfers()).toEqual([]);
    expect(await world.verify()).toMatchObject({ ok: true });
  });

  it("because it does not take the affiliate waits for a person, with the reason", async () => {
    const { world, wise, due, pay, later, read } = await openWise({ courseMs: 10_000 });
    const { payout, affiliateId } = await due(1_000, "Ada");
    await pay(payout);
    const back = await read(payout);
    expect(back).toMatchObject({ status: "pending", failure_code: "payout_method_not_ready" });
    expect(String(back["failure_detail"])).toContain("NOT_VALID (accountHolderName)");
    await world.ok("PATCH", `/v1/affiliates/${affiliateId}`, { name: "Ada Lovelace" });
    await pay(payout);
    await later(MINUTE_MS);
    await later(HOUR_MS);
    expect(await read(payout)).toMatchObject({ status: "paid" });
    expect(only(wise)).toMatchObject({ payments: 1 });
  });

  it("because Wise is away when it begins goes on by itself when it is back", async () => {
    const { world, wise, due, later, read } = await openWise({ courseMs: 10_000 });
    const { payout } = await due();
    wise.addFault({ fault: "empty_503", match: {}, times: 6 });
    await world.ok("POST", `/v1/payouts/${payout.id}/pay`);
    await world.deliver();
    expect(await read(payout)).toMatchObject({ status: "processing", failure_code: null });
    expect(await attemptsOf(payout)).toEqual([]);
    for (let n = 0; n < 12; n += 1) {
      await later(10_000);
    }
    expect(wise.state().faults).toEqual({ pending: [], fired: { empty_503: 6 } });
    expect(await read(payout)).toMatchObject({ status: "paid" });
    expect(only(wise)).toMatchObject({ payments: 1 });
  });
});

describe("a Wise account that cannot pay by API", () => {
  it("waits for a person with what to do, and is paid once that person has paid there", async () => {
    const { world, wise, due, pay, later, read } = await openWise({ country: "EE" });
    const { payout } = await due();
    await pay(payout);
    const transfer = only(wise);
    expect(transfer).toMatchObject({ status: "incoming_payment_waiting", payments: 0 });
    expect(await attemptsOf(payout)).toEqual([{ state: "needs_hand", ref: String(transfer.id) }]);
    await later(3 * DAY_MS);
    expect(await read(payout)).toMatchObject({ status: "processing", stalled_at: null });
    wise.payByHand(transfer.id);
    wise.setStatus(transfer.id, ...SENT);
    await later(HOUR_MS);
    expect(await read(payout)).toMatchObject({ status: "paid", external_ref: String(transfer.id) });
    expect(only(wise)).toMatchObject({ payments: 1 });
    expect(await world.verify()).toMatchObject({ ok: true });
  });

  it("fails and gives back what nobody has paid for in 14 days", async () => {
    const { world, wise, due, pay, later, read } = await openWise({ country: "GB" });
    const { payout } = await due();
    await pay(payout);
    await later(14 * DAY_MS);
    expect(await read(payout)).toMatchObject({ status: "failed", failure_code: "transfer_cancelled" });
    expect(wise.funded()).toEqual([]);
    expect(await world.verify()).toMatchObject({ ok: true });
  });
});

describe("a message of Wise", () => {
  it("settles at once; again, late and out of order it changes nothing", async () => {
    const { world, wise, due, pay, read, announce } = await openWise();
    const { payout } = await due();
    await pay(payout);
    wise.setStatus(only(wise).id, ...SENT);
    const ids = wise.events().map(({ id }) => id);
    expect(ids).toHaveLength(4);
    expect(await announce(ids.toReversed())).toEqual([200, 200, 200, 200]);
    expect(await read(payout)).toMatchObject({ status: "paid", external_ref: String(only(wise).id) });
    const events = () => world.ok<{ data: unknown[] }>("GET", "/v1/events?after=0&limit=200");
    const { data } = await events();
    world.advance(DAY_MS);
    expect(await announce([...ids, ...ids])).toEqual([...ids, ...ids].map(() => 200));
    expect((await events()).data).toEqual(data);
  });

  it("that a payment bounced returns nothing yet; that it was cancelled returns it, whole and once", async () => {
    const { world, wise, due, pay, read, announce } = await openWise();
    const { payout, affiliateId } = await due();
    await pay(payout);
    const { id } = only(wise);
    wise.setStatus(id, ...SENT);
    const last = () => wise.events("transfers#state-change").at(-1)?.id ?? "";
    await announce([last()]);
    wise.setStatus(id, "bounced_back");
    expect(await announce([last()])).toEqual([200]);
    expect(await read(payout)).toMatchObject({ status: "paid", returned_amount: 0 });
    wise.setStatus(id, "processing", "cancelled", "funds_refunded");
    const ids = wise.events().map((event) => event.id);
    expect(await announce([...ids, ...ids])).toEqual([...ids, ...ids].map(() => 200));
    expect(await read(payout)).toMatchObject({ status: "returned", returned_amount: 1_000 });
    expect(await world.ok("GET", `/v1/affiliates/${affiliateId}/balance`)).toMatchObject({
      balances: [{ available: 1_000, paid: 0 }],
    });
    expect(await world.verify()).toMatchObject({ ok: true });
  });

  it("that a payment which waits at Wise was made settles it, and nobody can give it up while it can be made there", async () => {
    const { world, wise, due, pay, read, announce } = await openWise({ country: "DE" });
    const { payout, affiliateId } = await due();
    await pay(payout);
    const given = await world.call("POST", `/v1/payouts/${payout.id}/mark-failed`, {
      reason: "paid another way",
    });
    expect([given.status, given.body.code]).toEqual([409, "payment_under_way"]);
    expect(String(given.body["detail"])).toContain("cancel it in Wise");
    const { id } = only(wise);
    wise.payByHand(id);
    wise.setStatus(id, ...SENT);
    expect(await announce([wise.events().at(-1)?.id ?? ""])).toEqual([200]);
    expect(await read(payout)).toMatchObject({ status: "paid" });
    expect(await attemptsOf(payout)).toMatchObject([{ state: "settled" }]);
    expect(await world.ok("GET", `/v1/affiliates/${affiliateId}/balance`)).toMatchObject({
      balances: [{ recovery_owed: 0 }],
    });
    expect(await world.verify()).toMatchObject({ ok: true });
  });

  it("that is not Wise's own, or for another program, changes nothing; one that cannot be asked about comes again", async () => {
    const { world, wise, due, pay, read, announce } = await openWise();
    const { payout } = await due();
    await pay(payout);
    wise.setStatus(only(wise).id, ...SENT);
    const id = wise.events().at(-1)?.id ?? "";
    expect(await announce([id], (body) => body.replace("outgoing_payment_sent", "processing"))).toEqual([
      400,
    ]);
    const genuine = await wise.signedEvent(id);
    expect(await callback("prg_01JBQ000000000000000000009", genuine)).toBe(400);
    const stranger = await new WiseSimulator({ now: world.now }).signed(genuine.body);
    expect(await callback(world.program.id, stranger)).toBe(400);
    wise.addFault({ fault: "html_502", match: { method: "GET" } });
    expect(await announce([id])).toEqual([503]);
    expect(await read(payout)).toMatchObject({ status: "processing" });
    expect(await announce([id])).toEqual([200]);
    expect(await read(payout)).toMatchObject({ status: "paid" });
  });
});
