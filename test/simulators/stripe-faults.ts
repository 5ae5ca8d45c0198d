// The queue of faults to come: which one strikes a request, when in its course, and how often each has struck.

/**
 * When a fault strikes. `door`: before the key store, nothing runs and nothing is stored. `work`: in place of or
 * after the work, its answer is stored under the key. `answer`: the work is done and stored, its answer is spoiled.
 */
const PHASES = {
  drop_before_work: "door",
  error_500_not_cached: "door",
  empty_503: "door",
  html_502: "door",
  rate_limit_429: "door",
  lock_timeout_429: "door",
  unauthorized_401: "door",
  slow: "work",
  error_500_cached: "work",
  error_500_after_work: "work",
  balance_insufficient: "work",
  account_closed: "work",
  drop_after_work: "answer",
  cut_body: "answer",
  empty_503_after_work: "answer",
  html_502_after_work: "answer",
  garbage_200: "answer",
  wrong_amount: "answer",
  slow_after_work: "answer",
  list_lag: "list",
} as const;

export type FaultName = keyof typeof PHASES;
export const FAULTS = Object.keys(PHASES) as FaultName[];
export const phaseOf = (fault: FaultName) => PHASES[fault];

export type FaultMatch = {
  method?: string;
  /** A prefix of the path, or the whole path when it ends in `$`. */
  path?: string;
  destination?: string;
  key_prefix?: string;
};

export type FaultOrder = {
  fault: FaultName;
  /** How many requests it strikes; 1 when left out. */
  times?: number;
  /** Which requests it strikes: creations of transfers when left out, every request when empty. */
  match?: FaultMatch;
  /** For slow ones and list_lag how long; on any other a delay before the work, or at the door. */
  delay_ms?: number;
  /** Seconds in the Retry-After header of rate_limit_429; no header when left out. */
  retry_after_s?: number;
};

export type PendingFault = {
  fault: FaultName;
  times: number;
  match: FaultMatch;
  delay_ms: number | null;
  retry_after_s: number | null;
};

export type Struck = { method: string; path: string; destination: string | null; key: string | null };

const TRANSFER_CREATION: FaultMatch = { method: "POST", path: "/v1/transfers$" };

const matches = (match: FaultMatch, request: Struck): boolean => {
  const { method, path, destination, key_prefix } = match;
  if (method !== undefined && method !== request.method) return false;
  if (path?.endsWith("$")) {
    if (request.path !== path.slice(0, -1)) return false;
  } else if (path !== undefined && !request.path.startsWith(path)) return false;
  if (destination !== undefined && destination !== request.destination) return false;
  return key_prefix === undefined || (request.key?.startsWith(key_prefix) ?? false);
};

export class FaultQueue {
  pending: PendingFault[] = [];
  fired: Partial<Record<FaultName, number>> = {};

  add(order: FaultOrder): void {
    if (!FAULTS.includes(order.fault)) throw new RangeError(`There is no fault called ${order.fault}.`);
    this.pending.push({
      fault: order.fault,
      times: order.times ?? 1,
      match: order.match ?? TRANSFER_CREATION,
      delay_ms: order.delay_ms ?? null,
      retry_after_s: order.retry_after_s ?? null,
    });
  }

  /** Takes faults that have not struck off the queue; the counts stay. */
  clear(): void {
    // A fault that a request under way holds must not come back when it is given back.
    for (const order of this.pending) order.times = Number.NEGATIVE_INFINITY;
    this.pending = [];
  }

  restore(saved: { pending: PendingFault[]; fired: Partial<Record<FaultName, number>> }): void {
    this.pending = saved.pending;
    this.fired = saved.fired;
  }

  /** The first fault of the queue that strikes this request; at most one does, beside list_lag. */
  take(request: Struck): PendingFault | null {
    return this.#take(request, (fault) => phaseOf(fault) !== "list");
  }

  takeLag(request: Struck): PendingFault | null {
    return this.#take(request, (fault) => fault === "list_lag");
  }

  #take(request: Struck, among: (fault: FaultName) => boolean): PendingFault | null {
    const found = this.pending.find(
      (order) => order.times > 0 && among(order.fault) && matches(order.match, request),
    );
    if (found === undefined) return null;
    found.times -= 1;
    this.pending = this.pending.filter((order) => order.times > 0 || order === found);
    this.fired[found.fault] = (this.fired[found.fault] ?? 0) + 1;
    return found;
  }

  /** For a fault that turned out to have nothing to spoil in this request. */
  giveBack(fault: PendingFault): void {
    fault.times += 1;
    if (!this.pending.includes(fault)) this.pending.unshift(fault);
    this.fired[fault.fault] = (this.fired[fault.fault] ?? 1) - 1;
    if (this.fired[fault.fault] === 0) delete this.fired[fault.fault];
  }

  toJSON() {
    return { pending: this.pending.filter((order) => order.times > 0), fired: this.fired };
  }
}
