// The queue of faults to come at a simulated provider: which one strikes a request, and how often each has struck.

export type FaultMatch = {
  method?: string;
  /** A prefix of the path, or the whole path when it ends in `$`. */
  path?: string;
  destination?: string;
  key_prefix?: string;
};

export type FaultOrder<Name extends string> = {
  fault: Name;
  /** How many requests it strikes; 1 when left out. */
  times?: number;
  /** Which requests it strikes: the fault's own when left out, every request when empty. */
  match?: FaultMatch;
  /** For slow ones how long; on any other a delay before the work, or at the door. */
  delay_ms?: number;
  /** Seconds in the Retry-After header of a 429; no header when left out. */
  retry_after_s?: number;
};

export type PendingFault<Name extends string> = {
  fault: Name;
  times: number;
  match: FaultMatch;
  delay_ms: number | null;
  retry_after_s: number | null;
};

export type Struck = {
  method: string;
  path: string;
  /** Who is paid, in a request that pays. */
  destination: string | null;
  /** What the request calls itself, so that it is done once. */
  key: string | null;
};

export type SavedFaults<Name extends string> = {
  pending: PendingFault<Name>[];
  fired: Partial<Record<Name, number>>;
};

const matches = (match: FaultMatch, request: Struck): boolean => {
  const { method, path, destination, key_prefix } = match;
  if (method !== undefined && method !== request.method) return false;
  if (path?.endsWith("$")) {
    if (request.path !== path.slice(0, -1)) return false;
  } else if (path !== undefined && !request.path.startsWith(path)) return false;
  if (destination !== undefined && destination !== request.destination) return false;
  return key_prefix === undefined || (request.key?.startsWith(key_prefix) ?? false);
};

export class FaultQueue<Name extends string> {
  readonly #names: readonly Name[];
  readonly #matchOf: (fault: Name) => FaultMatch;
  pending: PendingFault<Name>[] = [];
  fired: Partial<Record<Name, number>> = {};

  /** `matchOf` says which requests a fault strikes where its order does not. */
  constructor(names: readonly Name[], matchOf: (fault: Name) => FaultMatch) {
    this.#names = names;
    this.#matchOf = matchOf;
  }

  add(order: FaultOrder<Name>): void {
    if (!this.#names.includes(order.fault)) throw new RangeError(`There is no fault called ${order.fault}.`);
    this.pending.push({
      fault: order.fault,
      times: order.times ?? 1,
      match: order.match ?? this.#matchOf(order.fault),
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

  restore(saved: SavedFaults<Name>): void {
    this.pending = saved.pending;
    this.fired = saved.fired;
  }

  /** The first fault of the queue that strikes this request; at most one does. */
  take(request: Struck, among: (fault: Name) => boolean = () => true): PendingFault<Name> | null {
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
  giveBack(fault: PendingFault<Name>): void {
    fault.times += 1;
    if (!this.pending.includes(fault)) this.pending.unshift(fault);
    this.fired[fault.fault] = (this.fired[fault.fault] ?? 1) - 1;
    if (this.fired[fault.fault] === 0) delete this.fired[fault.fault];
  }

  toJSON(): SavedFaults<Name> {
    return { pending: this.pending.filter((order) => order.times > 0), fired: this.fired };
  }
}
