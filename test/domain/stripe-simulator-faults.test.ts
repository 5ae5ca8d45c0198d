// The simulator's queue of faults: whom each strikes, what it counts, and when it waits for a better request.

import Stripe from "stripe";
import { describe, expect, it } from "vitest";
import { StripeSimulator } from "../simulators/stripe.ts";
import { stripeOver } from "../simulators/stripe-client.ts";

const PAYEE = "acct_payee000000001";
const { errors } = Stripe;

function fresh() {
  const simulator = new StripeSimulator({ slowMs: 40 });
  simulator.seedAccount({ id: PAYEE });
  return { simulator, stripe: stripeOver(simulator) };
}

const BODY = {
  amount: 1250,
  currency: "usd",
  destination: PAYEE,
  transfer_group: "po_1",
  metadata: { payout_id: "po_1" },
};

const pay = (stripe: Stripe, extra: Partial<Stripe.TransferCreateParams> = {}, key = "po:po_1:1") =>
  stripe.transfers.create({ ...BODY, ...extra }, { idempotencyKey: key });

const failure = (work: Promise<unknown>): Promise<InstanceType<typeof errors.StripeError>> =>
  work.then(
    () => Promise.reject(new Error("it resolved")),
    (error) => error,
  );

describe("the queue of faults", () => {
  it("strikes only what a fault's match describes, and counts each strike", async () => {
    const { simulator, stripe } = fresh();
    simulator.seedAccount({ id: "acct_second" });
    simulator.addFault({ fault: "drop_before_work", match: { destination: "acct_second" } });
    simulator.addFault({ fault: "error_500_not_cached", match: { key_prefix: "po:x:" }, times: 2 });
    simulator.addFault({ fault: "rate_limit_429", match: { method: "GET", path: "/v1/transfers" } });
    expect((await pay(stripe)).id).toMatch(/^tr_/);
    expect(await failure(pay(stripe, { destination: "acct_second" }, "k2"))).toMatchObject({
      type: "StripeConnectionError",
    });
    expect((await pay(stripe, { destination: "acct_second" }, "k2")).id).toMatch(/^tr_/);
    for (let n = 0; n < 2; n += 1)
      expect(await failure(pay(stripe, {}, "po:x:1"))).toMatchObject({ statusCode: 500 });
    expect((await pay(stripe, {}, "po:x:1")).id).toMatch(/^tr_/);
    expect(await failure(stripe.transfers.list())).toMatchObject({ statusCode: 429 });
    expect(simulator.state()).toMatchObject({
      faults: { pending: [], fired: { drop_before_work: 1, error_500_not_cached: 2, rate_limit_429: 1 } },
      requests: { "POST /v1/transfers": 6, "GET /v1/transfers": 1 },
      keys: 3,
    });
  });

  it("keeps a fault that had no work to spoil, and forgets what is cleared", async () => {
    const { simulator, stripe } = fresh();
    const made = await pay(stripe);
    simulator.addFault({ fault: "error_500_cached" });
    expect((await pay(stripe)).id).toBe(made.id);
    expect(await failure(pay(stripe, { amount: 0 }, "k2"))).toMatchObject({ statusCode: 400 });
    expect(simulator.state().faults).toMatchObject({
      pending: [{ fault: "error_500_cached", times: 1 }],
      fired: {},
    });
    simulator.clearFaults();
    expect((await pay(stripe, {}, "k3")).id).toMatch(/^tr_/);
  });

  it("tells a limited client how long to wait only when asked to", async () => {
    const { simulator, stripe } = fresh();
    simulator.addFault({ fault: "rate_limit_429", retry_after_s: 7 });
    simulator.addFault({ fault: "rate_limit_429" });
    expect((await failure(pay(stripe))).headers).toMatchObject({ "retry-after": "7" });
    expect((await failure(pay(stripe))).headers).not.toHaveProperty("retry-after");
  });
});
