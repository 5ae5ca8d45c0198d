// The whole story on this machine, from orders to money and back: feed, preview, pay, refund what was paid, pay again, check the books.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ApiClient } from "./api-client.ts";
import { type Stipend, startStipend } from "./boot.ts";
import { type Feed, feedRefunds, feedSales } from "./demo-feed.ts";
import { type Outcome, printOutcome } from "./demo-outcome.ts";
import { commit, type DemoPayout, type Generated, payAll, payoutsOfRun, preview } from "./demo-payouts.ts";
import { type DemoPlan, planDemo } from "./demo-plan.ts";
import { counted, money } from "./demo-table.ts";
import { type OrdersRead, readOrders } from "./orders-csv.ts";
import { projectRoot } from "./project.ts";
import { createProgram } from "./seed.ts";
import { StripeControl } from "./stripe-control.ts";

const say = (line: string) => console.log(line);
const today = () => new Date().toISOString().slice(0, 10);

function describe(generated: Generated): string {
  const sums = generated.totals.map(
    ({ currency, amount, count }) =>
      `${count} ${count === 1 ? "payout" : "payouts"} of ${currency} ${money(amount, currency)}`,
  );
  const skipped = counted(generated.skipped_count);
  return `${sums.join(", ") || "nothing to pay"}${skipped === "" ? "" : `; skipped: ${skipped}`}`;
}

async function payRound(feed: Feed, name: string): Promise<DemoPayout[]> {
  const periodEnd = today();
  const previewed = await preview(feed.api, periodEnd);
  say(`  preview: ${describe(previewed)}`);
  if (previewed.totals.length === 0) return [];
  const runId = await commit(feed.api, previewed, periodEnd);
  const made = await payoutsOfRun(feed.api, runId);
  say(`  ${name}: ${made.length} payouts made, paying them`);
  const ids = made.map((payout) => payout.id);
  return payAll(feed.api, ids, say);
}

async function tell(feed: Feed, plan: DemoPlan): Promise<DemoPayout[]> {
  say("1. Orders come in");
  const recorded = await feedSales(feed, plan.first.sales);
  const refunded = await feedRefunds(feed, plan.first.refunds);
  say(`  ${recorded} commissions recorded, ${refunded} refunds taken off before anything was paid`);
  say("2. First payout round");
  const firstPayouts = await payRound(feed, "first round");
  say("3. Refunds after payment");
  if (plan.madeUp) say("  the orders hold none, so one is made up");
  const late = await feedRefunds(feed, plan.afterPaying);
  say(`  ${late} refunds of commissions that were paid: now owed back, to be netted from what comes next`);
  say("4. More orders");
  const more = await feedSales(feed, plan.second.sales);
  const off = await feedRefunds(feed, plan.second.refunds);
  say(`  ${more} commissions recorded, ${off} refunds taken off`);
  say("5. Second payout round");
  return [...firstPayouts, ...(await payRound(feed, "second round"))];
}

async function runDemo(stipend: Stipend, simulatorUrl: string, read: OrdersRead): Promise<boolean> {
  const { orders, leftOut } = read;
  const leaveOut = (reason: string) => leftOut.set(reason, (leftOut.get(reason) ?? 0) + 1);
  const plan = planDemo(orders, leaveOut);
  const currency = orders[0]?.currency ?? "USD";
  const program = await createProgram(stipend.url, stipend.rootKey, "Demo shop", currency);
  const api = new ApiClient(stipend.url, program.api_key);
  await api.put("/v1/program/credentials/stripe", { secret_key: "sk_test_demo_1" });
  const stripe = new StripeControl(simulatorUrl);
  const feed: Feed = { api, stripe, affiliates: new Map(), leaveOut, say };
  const payouts = await tell(feed, plan);
  const outcome: Outcome = { feed, stripe, payouts, leftOut };
  return printOutcome(outcome, say);
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { orders: { type: "string" } } });
  const ordersFile = values.orders ?? join(projectRoot, "test/fixtures/orders.csv");
  const stateDir = mkdtempSync(join(tmpdir(), "stipend-demo-"));
  const startedAt = Date.now();
  const interrupt = new AbortController();
  let stipend: Stipend | undefined;
  const end = async () => {
    interrupt.abort();
    await stipend?.stop();
    rmSync(stateDir, { recursive: true, force: true });
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void end().finally(() => process.exit(130)));
  }
  const log: string[] = [];
  try {
    const read = readOrders(readFileSync(ordersFile, "utf8"));
    say(`${read.rows} rows in ${ordersFile}`);
    say("Starting the Worker, its database and simulated providers on this machine …");
    stipend = await startStipend({
      port: 0,
      stateDir,
      cronEveryS: 2,
      seed: false,
      log: (line) => {
        log.push(line);
        if (log.length > 20) log.shift();
      },
      signal: interrupt.signal,
    });
    const ok = await runDemo(stipend, stipend.simulators.stripe ?? "", read);
    say(`${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
    process.exitCode = ok ? 0 : 1;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    console.error(log.join("\n"));
    process.exitCode = 1;
  } finally {
    await end();
  }
  process.exit();
}

await main();
