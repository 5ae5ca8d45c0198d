// The promise that matters most, against a real process that is killed while it pays: each payout ends paid, with one transfer.
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { ApiClient, ApiRefusal } from "../front/api-client.ts";
import type { DemoPayout } from "../front/demo-payouts.ts";
import { createProgram } from "../front/seed.ts";
import type { FaultOrder } from "../simulators/stripe-faults.ts";
import { type StripeServer, startStripeSimulator } from "../simulators/stripe-server.ts";
import { endAll, newStateDir, type StipendProcess, startProcess } from "./stipend-process.ts";

afterAll(endAll);

const withinMs = 240_000;

/** One payout each. The slow ones are still under way when the process is killed. */
const faults: Omit<FaultOrder, "match">[] = [
  { fault: "drop_before_work" },
  { fault: "drop_after_work" },
  { fault: "error_500_after_work" },
  { fault: "error_500_not_cached" },
  { fault: "empty_503" },
  { fault: "empty_503_after_work" },
  { fault: "rate_limit_429", retry_after_s: 1 },
  { fault: "lock_timeout_429" },
  { fault: "html_502_after_work" },
  { fault: "cut_body" },
  { fault: "slow", delay_ms: 6000 },
  { fault: "slow_after_work", delay_ms: 6000 },
];

interface Shop {
  readonly api: ApiClient;
  readonly key: string;
  readonly payouts: readonly DemoPayout[];
}

async function openShop(stipend: StipendProcess, stripe: StripeServer): Promise<Shop> {
  const { url, root_key } = stipend.ready;
  const { api_key: key } = await createProgram(url, root_key, "Shop of a kill", "USD");
  const api = new ApiClient(url, key);
  await api.put("/v1/program/credentials/stripe", { secret_key: "sk_test_shop_1" });
  for (const [at, fault] of faults.entries()) {
    const { id } = await api.post<{ id: string }>("/v1/affiliates", {
      name: fault.fault,
      email: `${at}@example.com`,
    });
    const account = stripe.simulator.seedAccount({ country: "US" }).id;
    await api.put(`/v1/affiliates/${id}/payout-method`, {
      payout_method: "stripe",
      stripe_account_id: account,
    });
    stripe.simulator.addFault({
      ...fault,
      match: { method: "POST", path: "/v1/transfers$", destination: account },
    });
    await api.post("/v1/commissions", {
      affiliate_id: id,
      external_id: `order-${at}`,
      amount: 1000 + at,
      currency: "USD",
      occurred_at: "2026-01-15T12:00:00Z",
    });
  }
  const { payouts } = await api.post<{ payouts: DemoPayout[] }>("/v1/payouts/generate", {
    period_end: "2026-01-31",
  });
  return { api, key, payouts };
}

/** A request that dies with the process, or that comes too late because the payout is paid, is no failure here. */
async function payAnyway(api: ApiClient, id: string): Promise<void> {
  try {
    await api.post(`/v1/payouts/${id}/pay`, {});
  } catch (error) {
    if (error instanceof ApiRefusal && error.status !== 409) throw error;
  }
}

const payThreeTimes = (shop: Shop, api: ApiClient) =>
  Promise.all(shop.payouts.flatMap(({ id }) => [1, 2, 3].map(() => payAnyway(api, id))));

async function untilTransfers(stripe: StripeServer, count: number): Promise<void> {
  for (let round = 0; round < 600 && stripe.simulator.transfers().length < count; round++) await sleep(25);
}

async function untilAllPaid(api: ApiClient, shop: Shop, until: number): Promise<string[]> {
  for (;;) {
    const states = await Promise.all(
      shop.payouts.map(async ({ id }) => (await api.get<DemoPayout>(`/v1/payouts/${id}`)).status),
    );
    if (states.every((state) => state === "paid") || Date.now() > until) return states;
    await sleep(1000);
  }
}

test("payouts asked for three times at once end paid with one transfer each, whatever the provider does and though the process is killed twice", async () => {
  const stripe = await startStripeSimulator();
  const env = { STATE_DIR: newStateDir(), SEED: "none", STRIPE_API_BASE: stripe.url, CRON_EVERY_S: "1" };
  const first = await startProcess(env);
  const shop = await openShop(first, stripe);
  expect(shop.payouts).toHaveLength(faults.length);

  const until = Date.now() + withinMs;
  const asked = payThreeTimes(shop, shop.api);
  await untilTransfers(stripe, 2);
  await first.end("SIGKILL");
  expect(stripe.simulator.transfers().length).toBeLessThan(faults.length);
  await asked;

  const second = await startProcess(env);
  await payThreeTimes(shop, new ApiClient(second.ready.url, shop.key));
  await sleep(2000);
  await second.end("SIGKILL");

  const third = await startProcess(env);
  const api = new ApiClient(third.ready.url, shop.key);
  const states = await untilAllPaid(api, shop, until);
  expect(states).toEqual(shop.payouts.map(() => "paid"));

  for (const { id, amount } of shop.payouts) {
    const sent = stripe.simulator.transfers(id);
    expect(sent.map((transfer) => transfer.amount)).toEqual([amount]);
    expect((await api.get<DemoPayout>(`/v1/payouts/${id}`)).external_ref).toBe(sent[0]?.id);
  }
  expect(stripe.simulator.transfers()).toHaveLength(faults.length);
  const fired = Object.keys(stripe.simulator.state().faults.fired);
  expect(fired.toSorted()).toEqual(faults.map(({ fault }) => fault).toSorted());
  expect(await api.get("/v1/ledger/verify")).toMatchObject({ ok: true, findings: [] });
  expect(await third.end("SIGTERM")).toBe(0);
  await stripe.close();
}, 400_000);
