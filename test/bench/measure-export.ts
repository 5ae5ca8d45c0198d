// An export of 1,000 and of 10,000 payouts to a slow reader: the Worker's memory must not grow with the file.
import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { type Held, mostHeld } from "./memory.ts";
import type { Report } from "./report.ts";
import { openShop, type Shop } from "./shop.ts";
import type { Stage } from "./stage.ts";

const SMALL = 1000;
const LARGE = 10_000;
const FROM = 930_000_000;
const NOTE_LENGTH = 3000;
const MIB = 1024 * 1024;
const REST_EVERY = 2 * MIB;
const REST_MS = 40;

interface Exported {
  readonly bytes: number;
  readonly rows: number;
}

const exportSlowly = (stage: Stage, { key }: Shop): Promise<Exported> =>
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
          let [bytes, lines, rested] = [0, 0, 0];
          for await (const chunk of incoming as AsyncIterable<Buffer>) {
            bytes += chunk.length;
            for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) lines++;
            if (bytes - rested < REST_EVERY) continue;
            rested = bytes;
            await sleep(REST_MS);
          }
          return { bytes, rows: lines - 1 };
        };
        take().then(resolve, reject);
      },
    );
    outgoing.on("error", reject);
    outgoing.end();
  });

let nextFrom = FROM;

const filled = async (stage: Stage, payouts: number): Promise<Shop> => {
  const shop = await openShop(stage, `Export of ${payouts}`);
  const from = nextFrom;
  nextFrom += payouts;
  await stage.seed({ programId: shop.programId, from, affiliates: payouts, commissions: 1 });
  await stage.bareGenerate({ programId: shop.programId, from, affiliates: payouts });
  const note = `UPDATE payouts SET admin_note = substr(hex(zeroblob(?2)), 1, ?2) || id, partner_message = substr(hex(zeroblob(?2)), 1, ?2) || id WHERE program_id = ?1`;
  await stage.select(note, shop.programId, NOTE_LENGTH);
  return shop;
};

export const measureExport = async (stage: Stage, report: Report): Promise<void> => {
  const began = performance.now();
  const small = await filled(stage, SMALL);
  const large = await filled(stage, LARGE);
  console.error("seeded", performance.now() - began);
  await stage.restart();
  for (const shop of [small, small, small, small, large, small, large, large, small, large]) {
    let held: Held<Exported> | undefined;
    const t = performance.now();
    const counts = await stage.counting(async () => {
      held = await mostHeld(() => exportSlowly(stage, shop));
    });
    console.error(
      held?.result,
      counts.trips,
      "before",
      (held?.before ?? 0) / MIB,
      "most",
      (held?.most ?? 0) / MIB,
      "ms",
      performance.now() - t,
    );
  }
  report.show("x", "");
};
