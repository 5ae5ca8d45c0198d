// The faults that the simulated PayPal can be told to have, and when in a request's course each of them strikes.

import {
  type FaultMatch,
  FaultQueue,
  type FaultOrder as Order,
  type PendingFault as Pending,
} from "./fault-queue.ts";

/**
 * When a fault strikes. `door`: before anything is looked at. `work`: in place of the work, or after it in its stead.
 * `answer`: the work is done, its answer is spoiled.
 */
const PHASES = {
  drop_before_work: "door",
  error_500_not_cached: "door",
  empty_503: "door",
  html_502: "door",
  rate_limit_429: "door",
  unauthorized_401: "door",
  redirect_302: "door",
  slow: "work",
  error_500_after_work: "work",
  insufficient_funds: "work",
  user_business_error: "work",
  drop_after_work: "answer",
  cut_body: "answer",
  empty_503_after_work: "answer",
  html_502_after_work: "answer",
  garbage_200: "answer",
  wrong_amount: "answer",
  wrong_batch: "answer",
  no_items: "answer",
  endless_body: "answer",
  slow_after_work: "answer",
} as const;

export type FaultName = keyof typeof PHASES;
export const FAULTS = Object.keys(PHASES) as FaultName[];
export const phaseOf = (fault: FaultName) => PHASES[fault];

export type FaultOrder = Order<FaultName>;
export type PendingFault = Pending<FaultName>;

const CREATION: FaultMatch = { method: "POST", path: "/v1/payments/payouts$" };
const LOOK: FaultMatch = { method: "GET", path: "/v1/payments/payouts/" };

const IN_A_LOOK: readonly FaultName[] = ["wrong_amount", "no_items"];

export const makeFaults = (): FaultQueue<FaultName> =>
  new FaultQueue(FAULTS, (fault) => (IN_A_LOOK.includes(fault) ? LOOK : CREATION));
