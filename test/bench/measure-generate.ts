// A run over 1,000 and over 10,000 affiliates with ten commissions each, beside plain set-based batches that write the same rows.
import { setTimeout as sleep } from "node:timers/promises";
import type { BareOutcome, Counts } from "./control.ts";
import { medianOf, type Report, sumOf } from "./report.ts";
import { openShop, type Shop } from "./shop.ts";
import type { Stage } from "./stage.ts";
import { verifyBooks } from "./verify.ts";

const COMMISSIONS = 10;
const SMALL = 1000;
const LARGE = 10_000;
/** The first pair of small runs warms both sides up and is not counted. */
const SMALL_PAIRS = 4;
const RUN_WITHIN_MS = 120_000;
const TRIPS_PER_THOUSAND = 6;

interface Side {
  readonly shop: Shop;
  readonly from: number;
  readonly affiliates: number;
}

interface Pair {
  readonly ours: Side;
  readonly bare: Side;
}

interface Ran {
  /** In the Worker's handlers, from first to last; the queue's waiting is not in it. */
  readonly busyMs: number;
  readonly wallMs: number;
  readonly counts: Counts;
}

let nextFrom = 1;

const seeded = async (stage: Stage, affiliates: number): Promise<Side> => {
  const shop = await openShop(stage, `Run over ${affiliates}`);
  const from = nextFrom;
  nextFrom += affiliates;
  await stage.seed({ programId: shop.programId, from, affiliates, commissions: COMMISSIONS });
  return { shop, from, affiliates };
};

const pairOf = async (stage: Stage, affiliates: number): Promise<Pair> => ({
  ours: await seeded(stage, affiliates),
  bare: await seeded(stage, affiliates),
});

const untilDone = async (stage: Stage, programId: string): Promise<void> => {
  const sql = "SELECT count(*) AS n FROM payout_runs WHERE program_id = ?1 AND status = 'running'";
  const until = Date.now() + RUN_WITHIN_MS;
  while ((await stage.select<{ n: number }>(sql, programId))[0]?.n !== 0) {
    if (Date.now() > until) throw new Error("the run does not come to its end");
    await sleep(20);
  }
};

const runOurs = async (stage: Stage, { shop, affiliates }: Side): Promise<Ran> => {
  // The key is warm in a shop that is at work; its first check is not the run's.
  await shop.http.want({ method: "GET", path: "/v1/program" }, 200);
  let wallMs = 0;
  const counts = await stage.counting(async () => {
    const began = performance.now();
    const body = { period_end: new Date().toISOString().slice(0, 10) };
    await shop.http.want({ method: "POST", path: "/v1/payouts/generate", body }, 201, 202);
    await untilDone(stage, shop.programId);
    wallMs = performance.now() - began;
    await stage.settle();
  });
  const sql = "SELECT count(*) AS n, sum(commission_count) AS lines FROM payouts WHERE program_id = ?1";
  const [made] = await stage.select<{ n: number; lines: number }>(sql, shop.programId);
  if (made?.n !== affiliates || made.lines !== affiliates * COMMISSIONS) {
    throw new Error(`the run made ${made?.n} payouts of ${made?.lines} commissions`);
  }
  const busyMs = sumOf((await stage.spans()).map((span) => span.ms));
  return { busyMs, wallMs, counts };
};

const runBare = (stage: Stage, { shop, from, affiliates }: Side): Promise<BareOutcome> =>
  stage.bareGenerate({ programId: shop.programId, from, affiliates });

/** Which of the two goes first changes from pair to pair. */
const runPair = async (
  stage: Stage,
  pair: Pair,
  oursFirst: boolean,
): Promise<{ ours: Ran; bare: BareOutcome }> => {
  if (oursFirst) return { ours: await runOurs(stage, pair.ours), bare: await runBare(stage, pair.bare) };
  const bare = await runBare(stage, pair.bare);
  return { ours: await runOurs(stage, pair.ours), bare };
};

const reportCounts = (report: Report, affiliates: number, { counts }: Ran): void => {
  const name = `generate, ${affiliates.toLocaleString("en")} affiliates`;
  const budget = (TRIPS_PER_THOUSAND * affiliates) / 1000;
  report.atMost(`${name}: D1 round trips`, counts.trips, budget, "trips");
  report.show(`${name}: rows written`, `${counts.rowsWritten} rows`);
  report.trips(name, counts, budget);
};

const reportTimes = (
  report: Report,
  affiliates: number,
  ours: readonly Ran[],
  bare: readonly BareOutcome[],
): number => {
  const name = `generate, ${affiliates.toLocaleString("en")} affiliates`;
  const busyMs = medianOf(ours.map((ran) => ran.busyMs));
  const bareMs = medianOf(bare.map((outcome) => outcome.ms));
  const ratio = busyMs / bareMs;
  const measured = `${ratio.toFixed(2)} × (${busyMs.toFixed(0)} ms : ${bareMs.toFixed(0)} ms)`;
  report.show(`${name}: time against bare batches`, measured, "≤ 2 ×", ratio <= 2);
  report.show(`${name}: rows written by the bare batches`, `${bare[0]?.rowsWritten ?? 0} rows`);
  report.show(
    `${name}: from call to end`,
    `${medianOf(ours.map((ran) => ran.wallMs)).toFixed(0)} ms with the queue's waiting`,
  );
  return busyMs / affiliates;
};

export const measureGenerate = async (stage: Stage, report: Report, quick: boolean): Promise<void> => {
  const began = performance.now();
  const small: Pair[] = [];
  for (let n = 0; n < SMALL_PAIRS; n++) small.push(await pairOf(stage, SMALL));
  const large = quick ? [] : [await pairOf(stage, LARGE)];
  report.show("seeding every program", `${((performance.now() - began) / 1000).toFixed(1)} s`);

  const ran = [];
  for (const [n, pair] of small.entries()) ran.push(await runPair(stage, pair, n % 2 === 0));
  const counted = ran.slice(1);
  const first = counted[0];
  if (first !== undefined) reportCounts(report, SMALL, first.ours);
  const smallMs = reportTimes(
    report,
    SMALL,
    counted.map(({ ours }) => ours),
    counted.map(({ bare }) => bare),
  );

  for (const pair of large) {
    const { ours, bare } = await runPair(stage, pair, true);
    reportCounts(report, LARGE, ours);
    const largeMs = reportTimes(report, LARGE, [ours], [bare]);
    const growth = largeMs / smallMs;
    const measured = `${growth.toFixed(2)} × (${(largeMs * 1000).toFixed(0)} µs : ${(smallMs * 1000).toFixed(0)} µs)`;
    report.show("generate: time per affiliate, 10,000 against 1,000", measured, "≤ 1.15 ×", growth <= 1.15);
  }
  const last = small[1]?.ours.shop;
  if (last !== undefined) await verifyBooks(report, last, "1,000 affiliates after a run");
  for (const { ours } of large) await verifyBooks(report, ours.shop, "10,000 affiliates after a run");
  for (const { ours, bare } of [...small, ...large]) for (const side of [ours, bare]) side.shop.http.close();
};
