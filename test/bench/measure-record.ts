// What a recorded commission, a balance and a key check cost in D1: exact counts, the same every time.
import { affiliateIdOf, type Counts } from "./control.ts";
import type { Report } from "./report.ts";
import { enrol, openShop, recordSale, reopened, type Shop } from "./shop.ts";
import type { Stage } from "./stage.ts";

const ROUNDS = 20;
/** A number range of its own for the affiliates that no object has seen. */
const COLD_FROM = 900_000_000;

interface Extremes {
  readonly trips: number;
  readonly rowsWritten: number;
  readonly trace: readonly string[];
}

/** The dearest of some rounds. */
const dearest = async (
  stage: Stage,
  rounds: number,
  work: (n: number) => Promise<unknown>,
): Promise<Extremes> => {
  const all: Counts[] = [];
  for (let n = 0; n < rounds; n++) all.push(await stage.counting(() => work(n)));
  const trips = Math.max(...all.map((counts) => counts.trips));
  return {
    trips,
    rowsWritten: Math.max(...all.map((counts) => counts.rowsWritten)),
    trace: all.find((counts) => counts.trips === trips)?.trace ?? [],
  };
};

const measureRecord = async (stage: Stage, report: Report, shop: Shop): Promise<void> => {
  const affiliate = await enrol(shop, "warm");
  const warm = await dearest(stage, ROUNDS, (n) => recordSale(shop, affiliate, `warm-${n}`));
  report.exactly("record, warm book: D1 round trips", warm.trips, 1, "trips");
  report.atMost("record, warm book: rows written", warm.rowsWritten, 8, "rows");
  report.trips("a warm record", warm, 1);

  const keyed = await dearest(stage, ROUNDS, (n) => recordSale(shop, affiliate, `keyed-${n}`, `key-${n}`));
  report.exactly("record with an Idempotency-Key: round trips", keyed.trips, 1, "trips");
  report.atMost("record with an Idempotency-Key: rows written", keyed.rowsWritten, 8, "rows");

  const replay = await dearest(stage, ROUNDS, (n) => recordSale(shop, affiliate, `keyed-${n}`, `key-${n}`));
  report.atMost("record, replay by Idempotency-Key: round trips", replay.trips, 2, "trips");
  report.exactly("record, replay: rows written", replay.rowsWritten, 0, "rows");
  report.trips("a replay by key", replay, 2);

  const again = await dearest(stage, ROUNDS, (n) => recordSale(shop, affiliate, `warm-${n}`));
  report.atMost("record, replay by external_id: round trips", again.trips, 2, "trips");
  report.trips("a replay by external_id", again, 2);
};

/** Two kinds of cold: an object that never was, and one that a restart ended. */
const measureCold = async (stage: Stage, report: Report, before: Shop, restarted: string): Promise<void> => {
  await stage.seed({ programId: before.programId, from: COLD_FROM, affiliates: ROUNDS, commissions: 1 });
  const cold = await dearest(stage, ROUNDS, (n) =>
    recordSale(before, affiliateIdOf(COLD_FROM + n), `cold-${n}`),
  );
  report.atMost("record, cold book (a new object): round trips", cold.trips, 2, "trips");
  report.trips("a cold record", cold, 2);

  await stage.restart();
  const shop = reopened(stage, before);
  const key = await dearest(stage, 1, () => refusedByShape(shop));
  report.show("key check, cold: round trips", `${key.trips} trips`);
  const after = await dearest(stage, 1, () => recordSale(shop, restarted, "after-restart"));
  report.atMost("record, cold book (after a restart): round trips", after.trips, 2, "trips");
  report.trips("a record after a restart", after, 2);
  const warm = await dearest(stage, ROUNDS, () => refusedByShape(shop));
  report.exactly("key check, warm: round trips", warm.trips, 0, "trips");
  const balance = await dearest(stage, ROUNDS, () =>
    shop.http.want({ method: "GET", path: `/v1/affiliates/${restarted}/balance` }, 200),
  );
  report.exactly("balance: round trips", balance.trips, 1, "trips");
  report.trips("a balance", balance, 1);
  shop.http.close();
};

/** Passes the key check and goes no further. */
const refusedByShape = async (shop: Shop): Promise<void> => {
  await shop.http.want({ method: "POST", path: "/v1/commissions", body: { nonsense: true } }, 422);
};

export const measureCounts = async (stage: Stage, report: Report): Promise<void> => {
  const shop = await openShop(stage, "Counts");
  const restarted = await enrol(shop, "restarted");
  await recordSale(shop, restarted, "before-restart");
  await measureRecord(stage, report, shop);
  await measureCold(stage, report, shop, restarted);
};
