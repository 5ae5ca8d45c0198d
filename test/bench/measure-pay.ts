// What paying one payout costs: three turns, one call to the provider, and the round trips around them.
import { setTimeout as sleep } from "node:timers/promises";
import { StripeControl } from "../front/stripe-control.ts";
import type { Report } from "./report.ts";
import { enrol, openShop, recordSale, type Shop } from "./shop.ts";
import type { Stage } from "./stage.ts";

const WAITED = 3;
const HINTED = 10;
/** Longer than the queue holds a message back. */
const QUEUE_QUIET_MS = 1500;
const PAID_WITHIN_MS = 20_000;

interface Due {
  readonly affiliateId: string;
  readonly payoutId: string;
}

const withStripe = async (stage: Stage, shop: Shop): Promise<string> => {
  const affiliateId = await enrol(shop, `paid-${Math.random().toString(36).slice(2)}`);
  const account = await new StripeControl(stage.provider.url).seedAccount();
  const body = { payout_method: "stripe", stripe_account_id: account };
  await shop.http.want({ method: "PUT", path: `/v1/affiliates/${affiliateId}/payout-method`, body }, 200);
  await recordSale(shop, affiliateId, `sale-of-${affiliateId}`);
  return affiliateId;
};

const makeDue = async (stage: Stage, shop: Shop, count: number): Promise<Due[]> => {
  for (let n = 0; n < count; n++) await withStripe(stage, shop);
  const period_end = new Date().toISOString().slice(0, 10);
  const made = await shop.http.want<{ payouts: { id: string; affiliate_id: string }[] }>(
    { method: "POST", path: "/v1/payouts/generate", body: { period_end } },
    201,
  );
  return made.payouts.map((payout) => ({ affiliateId: payout.affiliate_id, payoutId: payout.id }));
};

const turnsOf = async (stage: Stage, dues: readonly Due[]): Promise<number> => {
  const sql = "SELECT count(*) AS n FROM turns WHERE affiliate_id IN (SELECT value FROM json_each(?1))";
  const rows = await stage.select<{ n: number }>(sql, JSON.stringify(dues.map((due) => due.affiliateId)));
  return rows[0]?.n ?? 0;
};

const paidOf = async (stage: Stage, shop: Shop, dues: readonly Due[]): Promise<number> => {
  const sql =
    "SELECT count(*) AS n FROM payouts WHERE program_id = ?1 AND status = 'paid' AND id IN (SELECT value FROM json_each(?2))";
  const ids = JSON.stringify(dues.map((due) => due.payoutId));
  return (await stage.select<{ n: number }>(sql, shop.programId, ids))[0]?.n ?? 0;
};

const pay = (shop: Shop, due: Due, headers: Record<string, string>) =>
  shop.http.want({ method: "POST", path: `/v1/payouts/${due.payoutId}/pay`, body: {}, headers }, 200, 202);

/** One at a time, in the call; then what the hint costs that finds everything done. */
const measureWaited = async (stage: Stage, report: Report, shop: Shop): Promise<void> => {
  const dues = await makeDue(stage, shop, WAITED);
  const trips: number[] = [];
  const late: number[] = [];
  let calls = 0;
  const before = await turnsOf(stage, dues);
  for (const due of dues) {
    await stage.settle(QUEUE_QUIET_MS);
    const counts = await stage.counting(() => pay(shop, due, { prefer: "wait=20" }));
    trips.push(counts.trips);
    calls += stage.providerCalls;
    if (due === dues[0]) report.trips("a payment in the call", counts);
    await sleep(QUEUE_QUIET_MS);
    await stage.settle(QUEUE_QUIET_MS);
    late.push((await stage.counts()).trips - counts.trips);
  }
  const turns = (await turnsOf(stage, dues)) - before;
  report.exactly("pay, in the call: paid", await paidOf(stage, shop, dues), WAITED, "payouts");
  report.exactly("pay, in the call: turns per payout", turns / WAITED, 3, "turns");
  report.exactly("pay, in the call: provider calls per payout", calls / WAITED, 1, "calls");
  report.show("pay, in the call: D1 round trips per payout", `${Math.max(...trips)} trips`);
  report.show("pay: round trips of the late hint", `${Math.max(...late)} trips`);
};

const measureHinted = async (stage: Stage, report: Report, shop: Shop): Promise<void> => {
  const dues = await makeDue(stage, shop, HINTED);
  const before = await turnsOf(stage, dues);
  const counts = await stage.counting(async () => {
    for (const due of dues) await pay(shop, due, {});
    const until = Date.now() + PAID_WITHIN_MS;
    while ((await paidOf(stage, shop, dues)) < HINTED && Date.now() < until) await sleep(50);
    await stage.settle(QUEUE_QUIET_MS);
  });
  const turns = (await turnsOf(stage, dues)) - before;
  report.exactly("pay, by the queue: paid", await paidOf(stage, shop, dues), HINTED, "payouts");
  report.exactly("pay, by the queue: turns per payout", turns / HINTED, 3, "turns");
  report.exactly("pay, by the queue: provider calls per payout", stage.providerCalls / HINTED, 1, "calls");
  report.show("pay, by the queue: D1 round trips per payout", `${counts.trips / HINTED} trips`);
};

export const measurePay = async (stage: Stage, report: Report): Promise<void> => {
  const shop = await openShop(stage, "Payments");
  const body = { secret_key: "sk_test_bench_1" };
  await shop.http.want({ method: "PUT", path: "/v1/program/credentials/stripe", body }, 200);
  await measureWaited(stage, report, shop);
  await measureHinted(stage, report, shop);
  shop.http.close();
};
