// An export of 1,000 and of 10,000 payouts to a slow reader: the Worker's memory must not grow with the file.
import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { PAGE } from "./control.ts";
import { mostHeld } from "./memory.ts";
import type { Report } from "./report.ts";
import { enrol, openShop, type Shop } from "./shop.ts";
import type { Stage } from "./stage.ts";

const SMALL = 1000;
const LARGE = 10_000;
/** What the API allows. */
const NOTE_LENGTH = 2000;
const MIB = 1024 * 1024;
/** About 40 MiB a second at the most. */
const REST_EVERY = 2 * MIB;
const REST_MS = 50;
/** Long enough for whoever reads ahead to read everything. */
const STANDSTILL_MS = 1000;
/** The key, and the page that finds nothing more. */
const TRIPS_BESIDE = 3;
/** What a connection takes without its reader depends on the machine; it is far from a file of this length. */
const AHEAD_SHARE = 0.8;
/** Whatever else the machine does only ever adds, so each side counts by its least; a first pair within the bound is enough. */
const TRIES = 3;

const mib = (bytes: number): string => `${(bytes / MIB).toFixed(0)} MiB`;

interface Shops {
  readonly small: Shop;
  readonly large: Shop;
}

interface Exported {
  readonly bytes: number;
  readonly rows: number;
}

/** `onBytes` is waited for, and nothing is read meanwhile. */
const exportSlowly = (
  stage: Stage,
  { key }: Shop,
  onBytes: (bytes: number) => Promise<void> | undefined,
): Promise<Exported> =>
  new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: "127.0.0.1",
        port: stage.port,
        path: "/v1/payouts/export.csv",
        headers: { authorization: `Bearer ${key}` },
      },
      (incoming) => {
        const take = async (): Promise<Exported> => {
          if (incoming.statusCode !== 200) throw new Error(`an export → ${incoming.statusCode}`);
          let [bytes, lines] = [0, 0];
          for await (const chunk of incoming as AsyncIterable<Buffer>) {
            bytes += chunk.length;
            for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) lines++;
            await onBytes(bytes);
          }
          return { bytes, rows: lines - 1 };
        };
        take().then(resolve, reject);
      },
    );
    outgoing.on("error", reject);
    outgoing.end();
  });

const resting = () => {
  let rested = 0;
  return (bytes: number): Promise<void> | undefined => {
    if (bytes - rested < REST_EVERY) return undefined;
    rested = bytes;
    return sleep(REST_MS);
  };
};

const FILL = `WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?3)
  INSERT INTO payouts (program_id, id, affiliate_id, currency, gross, recovered, refunded, amount, returned_amount, late_paid, commission_count,
    period_start, period_end, status, sent, method, attempt_count, created_by, claims, history, admin_note, partner_message, created_at, updated_at)
  SELECT ?1, 'po_' || printf('%026d', n), ?2, 'USD', 1000 + n, 0, 0, 1000 + n, 0, 0, 1, '2026-01-01', '2026-01-31', 'pending', 0, 'manual', 0,
    'key:bench', 1, '[]', printf('%0*d', ?4, n), printf('%0*d', ?4, n), ?5, ?5 FROM n`;

const filled = async (stage: Stage, payouts: number): Promise<Shop> => {
  const shop = await openShop(stage, `Export of ${payouts}`);
  const affiliate = await enrol(shop, `payee-of-${payouts}`);
  await stage.select(FILL, shop.programId, affiliate, payouts, NOTE_LENGTH, Date.now());
  shop.http.close();
  return shop;
};

/** After a start of its own, so that neither side finds what the other left behind. */
const peakOf = async (stage: Stage, shop: Shop, times: number): Promise<number> => {
  await stage.restart();
  await stage.settle();
  return mostHeld(async () => {
    for (let n = 0; n < times; n++) await exportSlowly(stage, shop, resting());
  });
};

/** The small file as often as makes the large one: the same work and the same garbage, so that only the file's length differs. */
const measureGrowth = async (
  stage: Stage,
  report: Report,
  { small, large }: Shops,
  fileBytes: number,
): Promise<void> => {
  const times = LARGE / SMALL;
  const allowed = fileBytes / 2;
  const least = { small: Number.POSITIVE_INFINITY, large: Number.POSITIVE_INFINITY };
  let growth = Number.POSITIVE_INFINITY;
  for (let n = 0; n < TRIES && growth > allowed; n++) {
    least.small = Math.min(least.small, await peakOf(stage, small, times));
    least.large = Math.min(least.large, await peakOf(stage, large, 1));
    growth = least.large - least.small;
  }
  if (Number.isNaN(growth)) {
    report.show("export: the runtime's memory", "not to be had without /proc");
    return;
  }
  report.show(`export, 1,000 payouts ${times} times: most memory of the runtime`, mib(least.small));
  report.show("export, 10,000 payouts once: most memory of the runtime", mib(least.large));
  const budget = `≤ ${mib(allowed)}, half the file`;
  report.check("export: memory that 10,000 take more than 1,000", mib(growth), budget, growth <= allowed);
};

/** One export whose reader stands still at its first bytes; resolves with the file's bytes. */
const measureTrips = async (stage: Stage, report: Report, shop: Shop, payouts: number): Promise<number> => {
  const name = `export, ${payouts.toLocaleString("en")} payouts`;
  const standstill: { trips?: number } = {};
  const exported = { bytes: 0, rows: 0 };
  const counts = await stage.counting(async () => {
    const stop = async (): Promise<void> => {
      if (standstill.trips !== undefined) return;
      await sleep(STANDSTILL_MS);
      standstill.trips = (await stage.counts()).trips;
    };
    Object.assign(exported, await exportSlowly(stage, shop, stop));
  });
  const pages = payouts / PAGE;
  report.exactly(`${name}: rows`, exported.rows, payouts, "rows");
  report.atMost(`${name}: D1 round trips`, counts.trips, pages + TRIPS_BESIDE, "trips");
  report.trips(name, counts, pages + TRIPS_BESIDE);
  if (pages > 1) {
    const ahead = `${name}: round trips while the reader stands still`;
    report.atMost(ahead, standstill.trips ?? Number.NaN, AHEAD_SHARE * pages, "trips");
  }
  return exported.bytes;
};

export const measureExport = async (stage: Stage, report: Report): Promise<void> => {
  const shops = { small: await filled(stage, SMALL), large: await filled(stage, LARGE) };
  await measureTrips(stage, report, shops.small, SMALL);
  const fileBytes = await measureTrips(stage, report, shops.large, LARGE);
  report.show("export, 10,000 payouts: the file", mib(fileBytes));
  await measureGrowth(stage, report, shops, fileBytes);
};
