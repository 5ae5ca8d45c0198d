// Each fault of the simulated PayPal strikes when it says: before the work, in its place, or in the answer; and then no more.

import { afterEach, describe, expect, it } from "vitest";
import { ConnectionDropped, FAULTS, type FaultName, PayPalSimulator } from "../simulators/paypal.ts";

const START = Date.UTC(2026, 10, 2, 9);

async function fresh() {
  const clock = { ms: START };
  const simulator = new PayPalSimulator({ now: () => clock.ms, slowMs: 30 });
  const granted = await simulator.fetch(
    new Request("http://paypal.test/v1/oauth2/token", {
      method: "POST",
      headers: { authorization: `Basic ${btoa("shop:s")}` },
      body: "grant_type=client_credentials",
    }),
  );
  const { access_token } = (await granted.json()) as { access_token: string };
  const authorization = `Bearer ${access_token}`;
  const pay = (id = "b1", signal?: AbortSignal) =>
    simulator.fetch(
      new Request("http://paypal.test/v1/payments/payouts", {
        method: "POST",
        headers: { authorization, "content-type": "application/json" },
        body: JSON.stringify({
          sender_batch_header: { sender_batch_id: id },
          items: [
            {
              recipient_type: "EMAIL",
              receiver: "a@example.com",
              amount: { value: "1.00", currency: "EUR" },
            },
          ],
        }),
        ...(signal === undefined ? {} : { signal }),
      }),
    );
  const look = (id: string) =>
    simulator.fetch(
      new Request(`http://paypal.test/v1/payments/payouts/${id}`, { headers: { authorization } }),
    );
  return { clock, simulator, pay, look };
}

/** How the answer ends, and how many payouts were made by then. */
const EXPECTED: Record<FaultName, [string, number]> = {
  drop_before_work: ["dropped", 0],
  error_500_not_cached: ["500", 0],
  empty_503: ["503", 0],
  html_502: ["502", 0],
  rate_limit_429: ["429", 0],
  unauthorized_401: ["401", 0],
  redirect_302: ["302", 0],
  slow: ["201", 1],
  error_500_after_work: ["500", 1],
  insufficient_funds: ["422", 0],
  user_business_error: ["400", 0],
  drop_after_work: ["dropped", 1],
  cut_body: ["cut", 1],
  empty_503_after_work: ["503", 1],
  html_502_after_work: ["502", 1],
  garbage_200: ["200", 1],
  wrong_amount: ["201", 1],
  wrong_batch: ["201", 1],
  no_items: ["201", 1],
  endless_body: ["endless", 1],
  slow_after_work: ["201", 1],
};

const leftovers: ReadableStreamDefaultReader[] = [];
afterEach(async () => {
  for (const reader of leftovers.splice(0)) await reader.cancel().catch(() => undefined);
});

async function endOf(answer: Promise<Response>): Promise<string> {
  try {
    const response = await answer;
    const reader = response.body?.getReader();
    if (reader === undefined) return String(response.status);
    leftovers.push(reader);
    let size = 0;
    for (;;) {
      const part = await reader.read().catch(() => null);
      if (part === null) return "cut";
      if (part.done) return String(response.status);
      size += (part.value as Uint8Array).byteLength;
      if (size > 1_000_000) return "endless";
    }
  } catch (error) {
    if (error instanceof ConnectionDropped) return "dropped";
    throw error;
  }
}

describe("a fault of the simulated PayPal", () => {
  it.each(FAULTS)("%s strikes once, as its name says", async (fault) => {
    const { simulator, pay } = await fresh();
    simulator.addFault({ fault });
    const end = await endOf(pay());
    expect([end, simulator.payouts().length]).toEqual(EXPECTED[fault]);
    const struck = fault === "wrong_amount" || fault === "no_items" ? {} : { [fault]: 1 };
    expect(simulator.fired()).toEqual(struck);
    if (simulator.payouts().length === 0) expect(await endOf(pay())).toBe("201");
  });

  it("changes what is shown where it is told to: the amount, or that there are items", async () => {
    const { simulator, pay, look } = await fresh();
    await pay();
    const id = simulator.payouts()[0]?.payout_batch_id ?? "";
    simulator.addFault({ fault: "wrong_amount" });
    expect(await (await look(id)).json()).toMatchObject({
      items: [{ payout_item: { amount: { value: "2" } } }],
    });
    simulator.addFault({ fault: "no_items" });
    expect(await (await look(id)).json()).toMatchObject({ items: [] });
    expect(await (await look(id)).json()).toMatchObject({ items: [{ transaction_status: "SUCCESS" }] });
    expect(simulator.fired()).toEqual({ wrong_amount: 1, no_items: 1 });
  });

  it("strikes only what it matches, as often as it says, and says when to come back", async () => {
    const { simulator, pay } = await fresh();
    simulator.addFault({
      fault: "rate_limit_429",
      times: 2,
      retry_after_s: 7,
      match: { destination: "a@example.com" },
    });
    simulator.addFault({ fault: "html_502", match: { path: "/v1/oauth2/token" } });
    for (const status of [429, 429, 201]) {
      const response = await pay();
      expect(response.status).toBe(status);
      expect(response.headers.get("retry-after")).toBe(status === 429 ? "7" : null);
    }
    expect(simulator.fired()).toEqual({ rate_limit_429: 2 });
    simulator.clearFaults();
    expect(simulator.state().faults.pending).toEqual([]);
    expect(() => simulator.addFault({ fault: "nothing" as FaultName })).toThrow(RangeError);
  });

  it("does the work of a slow answer also where the client has left", async () => {
    const { simulator, pay } = await fresh();
    simulator.addFault({ fault: "slow", delay_ms: 40 });
    await expect(pay("b1", AbortSignal.timeout(5))).rejects.toMatchObject({ name: "TimeoutError" });
    expect(simulator.payouts()).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(simulator.payouts()).toHaveLength(1);
    expect((await pay("b1")).status).toBe(400);
  });
});
