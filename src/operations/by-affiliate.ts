// Works for many affiliates at once, a few at a time, and for one affiliate in order: its object takes one turn after another anyway.
import type { AffiliateId } from "../domain/ids.ts";
import { inLanes } from "./lanes.ts";

/** What became of one item: a refusal, or a fault, is thrown. */
export type Settled<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly thrown: unknown };

/** Affiliates whose objects are asked at once. */
const WIDTH = 8;

const settle = async <T>(work: () => Promise<T>): Promise<Settled<T>> => {
  try {
    return { ok: true, value: await work() };
  } catch (thrown) {
    return { ok: false, thrown };
  }
};

/** Never rejects: each item has its own outcome, in the order of the items. */
export const eachByAffiliate = async <Item, T>(
  items: readonly Item[],
  affiliateOf: (item: Item) => AffiliateId,
  work: (item: Item) => Promise<T>,
): Promise<readonly Settled<T>[]> => {
  const outcomes: Settled<T>[] = [];
  const queues = [...Map.groupBy(items.keys(), (i) => affiliateOf(items[i] as Item)).values()];
  await inLanes(queues, WIDTH, async (queue) => {
    for (const i of queue) outcomes[i] = await settle(() => work(items[i] as Item));
  });
  return outcomes;
};
