// The oracle: every promise, checked on everything that the book and the provider hold, by plain sums of its own.

import { endOfDate } from "../../src/domain/dates.ts";
import { checkBooks } from "./oracle-books.ts";
import { checkClaims } from "./oracle-claims.ts";
import { checkJournal } from "./oracle-journal.ts";
import { checkProvider } from "./oracle-provider.ts";
import { amountIn, groupBy, type Row, type Snapshot, sumOf, textIn } from "./snapshot.ts";
import { must } from "./violation.ts";
import type { World } from "./world.ts";

/** What a client was told is done stands in the book, once and as told; and nothing stands there that nobody asked for. */
const checkPromises = (world: World, now: Snapshot): void => {
  const sales = groupBy(
    now.commissions.filter(({ kind }) => kind === "sale"),
    "external_id",
  );
  for (const [externalId, promised] of world.promisedSales) {
    const [sale] = sales.get(externalId) ?? [];
    const kept =
      sale?.["amount"] === promised.amount &&
      sale?.["currency"] === promised.currency &&
      sale?.["affiliate_id"] === promised.affiliateId;
    must(kept, "I10", () => `${externalId} was answered as recorded, the book has ${JSON.stringify(sale)}`);
  }
  const asked = new Set(world.orders.map(({ externalId }) => externalId));
  for (const [externalId, rows] of sales) {
    must(asked.has(externalId), "I10", () => `nobody asked for ${externalId}`);
    must(rows.length === 1, "I10", () => `${externalId} stands ${rows.length} times`);
  }
  const refunds = groupBy(now.refunds, "commission_id", "external_id");
  for (const [key, amount] of world.promisedRefunds) {
    const rows = refunds.get(key) ?? [];
    must(
      rows.length === 1 && sumOf(rows, "amount") === amount,
      "I10",
      () => `refund ${key} stands as ${JSON.stringify(rows)}`,
    );
  }
};

/** Whether a commission stood there, due and untouched, from before the run until now. */
const wasDueFor = (run: Row, commission: Row): boolean => {
  const chosen =
    run["affiliate_ids"] === null ? null : (JSON.parse(textIn(run, "affiliate_ids")) as string[]);
  return (
    commission["status"] === "approved" &&
    amountIn(commission, "payable_at") <= amountIn(run, "as_of") &&
    amountIn(commission, "updated_at") < amountIn(run, "created_at") &&
    amountIn(commission, "occurred_at") < endOfDate(textIn(run, "period_end"), "UTC") &&
    (run["currency"] === null || run["currency"] === commission["currency"]) &&
    (chosen === null || chosen.includes(textIn(commission, "affiliate_id")))
  );
};

/** A finished run has claimed, or skipped and said why, all that was due. */
const checkNobodyForgotten = (now: Snapshot): void => {
  const items = groupBy(now.run_items, "run_id", "affiliate_id", "currency");
  for (const run of now.payout_runs)
    for (const commission of now.commissions) {
      if (!wasDueFor(run, commission)) continue;
      const place = `${run["id"]} ${commission["affiliate_id"]} ${commission["currency"]}`;
      must(items.has(place), "runs", () => `${place} was due and is neither done nor skipped`);
    }
};

/** Each payout of a run is one item of it, and the other way round, except while the run still writes. */
const checkRuns = (now: Snapshot, isQuiet: boolean): void => {
  const items = now.run_items.filter(({ payout_id }) => payout_id !== null);
  const payouts = new Map(now.payouts.map((payout) => [payout["id"], payout]));
  for (const item of items) {
    const payout = payouts.get(item["payout_id"] ?? null);
    must(
      payout?.["run_id"] === item["run_id"],
      "runs",
      () => `item of ${item["run_id"]} names ${item["payout_id"]}`,
    );
  }
  const made = now.payouts.filter(({ run_id }) => run_id !== null);
  for (const [place, rows] of groupBy(made, "run_id", "affiliate_id", "currency"))
    must(rows.length === 1, "runs", () => `${place} has ${rows.length} payouts`);
  if (!isQuiet) return;
  checkNobodyForgotten(now);
  const done = new Set(items.map(({ payout_id }) => payout_id));
  for (const payout of made)
    must(done.has(payout["id"] ?? null), "runs", () => `${payout["id"]} is no item of ${payout["run_id"]}`);
  for (const run of now.payout_runs)
    must(run["status"] === "done", "liveness", () => `${textIn(run, "id")} is ${run["status"]}`);
};

export const checkAll = (world: World, now: Snapshot, isQuiet = false): void => {
  must(world.unexplained.length === 0, "fault", () => world.unexplained.join("\n"));
  checkBooks(now);
  checkClaims(now);
  checkJournal(world.before, now);
  checkProvider(now);
  checkPromises(world, now);
  checkRuns(now, isQuiet);
};
