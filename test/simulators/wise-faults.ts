// The faults that the simulated Wise can be told to have, and when in a request's course each of them strikes.

import {
  type FaultMatch,
  FaultQueue,
  type FaultOrder as Order,
  type PendingFault as Pending,
} from "./fault-queue.ts";
import { VERSION } from "./wise-world.ts";

/**
 * When a fault strikes. `door`: before anything is looked at. `work`: in place of the work, or after it in its stead.
 * `answer`: the work is done, its answer is spoiled. `list`: the work is done, and the list does not show it yet.
 */
const PHASES = {
  drop_before_work: "door",
  error_500_not_cached: "door",
  empty_503: "door",
  html_502: "door",
  html_403: "door",
  redirect_302: "door",
  rate_limit_429: "door",
  unauthorized_401: "door",
  slow: "work",
  error_500_after_work: "work",
  balance_insufficient: "work",
  account_closed: "work",
  drop_after_work: "answer",
  cut_body: "answer",
  endless_body: "answer",
  empty_503_after_work: "answer",
  html_502_after_work: "answer",
  garbage_200: "answer",
  wrong_amount: "answer",
  wrong_id: "answer",
  slow_after_work: "answer",
  list_lag: "list",
} as const;

export type FaultName = keyof typeof PHASES;
export const FAULTS = Object.keys(PHASES) as FaultName[];
export const phaseOf = (fault: FaultName) => PHASES[fault];

export type FaultOrder = Order<FaultName>;
export type PendingFault = Pending<FaultName>;

/** What a fault strikes when it is not told: the creation of a transfer. */
const CREATION: FaultMatch = { method: "POST", path: `/${VERSION}/transfers$` };

/** The payment for any transfer of a profile. */
export const fundingOf = (profile: number | string): FaultMatch => ({
  method: "POST",
  path: `/${VERSION}/profiles/${profile}/transfers/`,
});

export const makeFaults = (): FaultQueue<FaultName> => new FaultQueue(FAULTS, () => CREATION);
