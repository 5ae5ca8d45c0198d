// How many commissions per second 32 clients record, beside the same rows as plain batches in the same workerd, in turns.
import { affiliateIdOf } from "./control.ts";
import { runtimeCpuMs } from "./cpu-time.ts";
import { HttpClient } from "./http-client.ts";
import { medianOf, type Report } from "./report.ts";
import { openShop, type Shop, saleOf } from "./shop.ts";
import type { Stage } from "./stage.ts";
import { verifyBooks } from "./verify.ts";

const CLIENTS = 32;
const AFFILIATES = 200;
/** Short, so that no object lies idle until the runtime puts it away, and that both sides meet the same neighbours. */
const PER_ROUND = 200;
const PAIRS = 15;
const PAIRS_MIN = 4;
/** On a slow machine fewer pairs must do. */
const ENOUGH_MS = 40_000;
const FLOOR = 0.7;
const OURS_FROM = 910_000_000;
const BARE_FROM = 920_000_000;

/** An affiliate belongs to one client, which waits for each answer: no two turns of one book meet, on neither side. */
const affiliatesOf = (from: number, client: number): number[] => {
  const all = Array.from({ length: AFFILIATES }, (_, n) => from + n);
  return all.filter((_, n) => n % CLIENTS === client);
};

type RecordSale = (affiliate: number, turn: number) => Promise<number>;

interface Round {
  /** Requests per second. */
  readonly rate: number;
  /** Of the runtime, per request; undefined where it cannot be known. */
  readonly cpuMs: number | undefined;
}

const roundOf = async (
  from: number,
  turns: Map<number, number>,
  requests: number,
  record: RecordSale,
): Promise<Round> => {
  let left = requests;
  const client = async (n: number): Promise<void> => {
    const own = affiliatesOf(from, n);
    for (let at = 0; left > 0; at++) {
      left--;
      const affiliate = own[at % own.length] ?? from;
      const turn = (turns.get(affiliate) ?? 0) + 1;
      turns.set(affiliate, turn);
      const status = await record(affiliate, turn);
      if (status !== 201) throw new Error(`a record → ${status}`);
    }
  };
  const cpuBefore = runtimeCpuMs();
  const began = performance.now();
  await Promise.all(Array.from({ length: CLIENTS }, (_, n) => client(n)));
  const seconds = (performance.now() - began) / 1000;
  const cpuAfter = runtimeCpuMs();
  const isKnown = cpuBefore !== undefined && cpuAfter !== undefined;
  return { rate: requests / seconds, cpuMs: isKnown ? (cpuAfter - cpuBefore) / requests : undefined };
};

const recordOurs =
  ({ http }: Shop): RecordSale =>
  async (affiliate, turn) => {
    const body = saleOf(affiliateIdOf(affiliate), `load-${affiliate}-${turn}`);
    return (await http.send({ method: "POST", path: "/v1/commissions", body })).status;
  };

/** A seeded book stands at two turns: created, and one commission. */
const SEEDED_TURNS = 2;

const recordBare =
  (http: HttpClient, { programId }: Shop): RecordSale =>
  async (affiliate, turn) => {
    const body = {
      programId,
      affiliateId: affiliateIdOf(affiliate),
      seq: SEEDED_TURNS + turn,
      orderId: `load-${affiliate}-${turn}`,
    };
    return (await http.send({ method: "POST", path: "/__bench/bare-record", body })).status;
  };

const reportRates = (report: Report, ours: readonly Round[], bare: readonly Round[]): void => {
  const ratios = ours.map(({ rate }, n) => rate / (bare[n]?.rate ?? Number.NaN));
  const ratio = medianOf(ratios);
  const range = `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`;
  const [fast, faster] = [ours, bare].map((rounds) => medianOf(rounds.map(({ rate }) => rate)).toFixed(0));
  report.show(
    `record at ${CLIENTS} clients against bare batches`,
    `${ratio.toFixed(2)} × (${fast}/s : ${faster}/s; ${range})`,
    `≥ ${FLOOR} ×`,
    ratio >= FLOOR,
  );
  const [oursMs = Number.NaN, bareMs = Number.NaN] = [ours, bare].map((rounds) =>
    medianOf(rounds.map(({ cpuMs }) => cpuMs ?? Number.NaN)),
  );
  if (Number.isNaN(oursMs) || Number.isNaN(bareMs)) return;
  const measured = `${(bareMs / oursMs).toFixed(2)} × (${oursMs.toFixed(2)} ms : ${bareMs.toFixed(2)} ms)`;
  report.show("the same by the runtime's CPU time for each", measured);
};

export const measureLoad = async (stage: Stage, report: Report, quick: boolean): Promise<void> => {
  const shop = await openShop(stage, "Load");
  const floor = await openShop(stage, "Load, bare");
  await stage.seed({ programId: shop.programId, from: OURS_FROM, affiliates: AFFILIATES, commissions: 1 });
  await stage.seed({ programId: floor.programId, from: BARE_FROM, affiliates: AFFILIATES, commissions: 1 });
  const bareHttp = new HttpClient(stage.port);
  const sides = {
    ours: { from: OURS_FROM, turns: new Map<number, number>(), record: recordOurs(shop) },
    bare: { from: BARE_FROM, turns: new Map<number, number>(), record: recordBare(bareHttp, floor) },
  };
  const run = ({ from, turns, record }: typeof sides.ours, requests: number) =>
    roundOf(from, turns, requests, record);
  // Makes every object, and warms both paths.
  await run(sides.ours, 2 * AFFILIATES);
  await run(sides.bare, 2 * AFFILIATES);
  const ours: Round[] = [];
  const bare: Round[] = [];
  await stage.settle();
  await stage.reset();
  const enoughAt = performance.now() + ENOUGH_MS;
  for (let n = 0; n < (quick ? PAIRS_MIN : PAIRS); n++) {
    if (n >= PAIRS_MIN && performance.now() > enoughAt) break;
    if (n % 2 === 0) ours.push(await run(sides.ours, PER_ROUND));
    bare.push(await run(sides.bare, PER_ROUND));
    if (n % 2 === 1) ours.push(await run(sides.ours, PER_ROUND));
  }
  const counts = await stage.counts();
  // An object that the runtime puts away between two rounds reads its book again, so this count is no budget.
  report.show(
    "record under load: D1 round trips each",
    `${(counts.trips / (ours.length * PER_ROUND)).toFixed(2)} trips`,
  );
  reportRates(report, ours, bare);
  await verifyBooks(report, shop, "200 affiliates after the load");
  for (const http of [shop.http, floor.http, bareHttp]) http.close();
};
