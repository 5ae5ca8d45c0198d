// A stateful stand-in for Wise's API: profiles with balances, quotes, recipients, transfers and what becomes of them, signed messages, and faults on demand.

import { control } from "./wise-control.ts";
import { type Delivery, publicPem, renderEvent, signBody } from "./wise-events.ts";
import { type FaultOrder, makeFaults } from "./wise-faults.ts";
import { advance, changeStatus, payFor, progress } from "./wise-progress.ts";
import { Course } from "./wise-routes.ts";
import { countTransfer } from "./wise-transfers.ts";
import {
  milsOf,
  type ProfileRecord,
  type Rejection,
  STATUSES,
  type Status,
  unitsOf,
  World,
  type WorldData,
} from "./wise-world.ts";

export { ConnectionDropped } from "./stripe-errors.ts";
export type { Delivery } from "./wise-events.ts";
export { FAULTS, type FaultName, type FaultOrder, fundingOf } from "./wise-faults.ts";
export type { Status } from "./wise-world.ts";

export type SimulatorOptions = {
  /** Epoch milliseconds. */
  now?: () => number;
  random?: () => number;
  /** How long a slow fault lasts when its order does not say. */
  slowMs?: number;
  /** How long a paid transfer takes to be sent to the bank; it waits to be told when left out. */
  courseMs?: number | null;
};

export type ProfileSeed = {
  token: string;
  id?: number;
  type?: "BUSINESS" | "PERSONAL";
  name?: string;
  /** US when left out; a profile in the EU or the UK cannot pay for transfers by API. */
  country?: string;
};

export type Saved = { world: WorldData; faults: ReturnType<ReturnType<typeof makeFaults>["toJSON"]> };

export type TransferFilter = { reference?: string; customerTransactionId?: string };

export class WiseSimulator {
  readonly #world: World;
  readonly #faults = makeFaults();
  readonly #course: Course;
  readonly #courseMs: number | null;

  constructor(options: SimulatorOptions = {}) {
    this.#world = new World(options.now ?? Date.now, options.random ?? Math.random);
    this.#course = new Course(this.#world, this.#faults, options.slowMs ?? 1000);
    this.#courseMs = options.courseMs ?? null;
  }

  /** Answers as api.wise-sandbox.com would; rejects with ConnectionDropped, or with the signal's reason when it aborts. */
  async fetch(request: Request): Promise<Response> {
    const signal: AbortSignal | null | undefined = request.signal;
    signal?.throwIfAborted();
    const work = this.#answer(request);
    if (signal === null || signal === undefined) return work;
    // The client's patience ends, the work goes on.
    const patience = Promise.withResolvers<never>();
    const leave = () => patience.reject(signal.reason);
    signal.addEventListener("abort", leave);
    work.catch(() => undefined);
    try {
      return await Promise.race([work, patience.promise]);
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }

  async #answer(request: Request): Promise<Response> {
    progress(this.#world, this.#courseMs);
    const url = new URL(request.url);
    if (url.pathname.startsWith("/_sim/")) return control(this, request, url);
    return this.#course.answer(request, url);
  }

  addFault(order: FaultOrder): void {
    this.#faults.add(order);
  }

  /** Takes pending faults away; what has struck stays counted. */
  clearFaults(): void {
    this.#faults.clear();
  }

  /** Makes a profile for a token; a known id gets the token as well. */
  seedProfile(seed: ProfileSeed): { id: number; country: string } {
    const known = seed.id === undefined ? undefined : this.#world.data.profiles[seed.id];
    const id = seed.id ?? this.#world.newId("profile");
    const profile: ProfileRecord = known ?? {
      id,
      user: id + 1_000_000,
      type: seed.type ?? "BUSINESS",
      name: seed.name ?? "Shop Ltd",
      country: "US",
      tokens: [],
      available: {},
    };
    if (seed.country !== undefined) profile.country = seed.country;
    if (!profile.tokens.includes(seed.token)) profile.tokens.push(seed.token);
    this.#world.data.profiles[id] = profile;
    return { id, country: profile.country };
  }

  /** What a profile has in a currency, in major units. */
  setBalance(to: { profile: number; currency: string; amount: number }): void {
    this.#world.profile(to.profile).available[to.currency] = milsOf(to.amount);
  }

  balance(profile: number, currency: string): number {
    return unitsOf(this.#world.available(this.#world.profile(profile), currency));
  }

  /** Answers 401 to this token until it is restored. */
  revokeToken(token: string): void {
    if (!this.#world.data.revoked.includes(token)) this.#world.data.revoked.push(token);
  }

  restoreToken(token: string): void {
    this.#world.data.revoked = this.#world.data.revoked.filter((revoked) => revoked !== token);
  }

  /** How it behaves where Wise's pages say two things, or nothing. */
  configure(how: { rejection?: Rejection; repeatsAfterExpiry?: boolean; pageMax?: number }): void {
    const { data } = this.#world;
    data.rejection = how.rejection ?? data.rejection;
    data.repeats_after_expiry = how.repeatsAfterExpiry ?? data.repeats_after_expiry;
    data.page_max = how.pageMax ?? data.page_max;
  }

  /** Forgets everything: profiles, transfers, faults and counts. */
  reset(): void {
    this.#faults.clear();
    this.#faults.fired = {};
    this.#world.reset();
  }

  /** Every transfer, oldest first, with what was paid for it. */
  transfers(filter: TransferFilter = {}) {
    progress(this.#world, this.#courseMs);
    return Object.values(this.#world.data.transfers)
      .filter(
        (transfer) =>
          (filter.reference ?? transfer.reference) === transfer.reference &&
          (filter.customerTransactionId ?? transfer.customer_transaction_id) ===
            transfer.customer_transaction_id,
      )
      .map((transfer) => countTransfer(transfer, this.#world));
  }

  /** The transfers that money left for, whatever became of it. */
  funded(filter: TransferFilter = {}) {
    return this.transfers(filter).filter(({ isFunded }) => isFunded);
  }

  recipients() {
    return Object.values(this.#world.data.recipients);
  }

  quotes() {
    return Object.values(this.#world.data.quotes);
  }

  /** Takes a transfer through states one after another, as Wise would. */
  setStatus(id: number, ...statuses: readonly Status[]): void {
    for (const status of statuses) {
      if (!STATUSES.includes(status)) throw new RangeError(`There is no status called ${status}.`);
      changeStatus(this.#world, this.#world.transfer(id), status);
    }
  }

  /** The next state of the good course. */
  advance(id: number): void {
    advance(this.#world, this.#world.transfer(id));
  }

  /** Pays for a transfer as a person in Wise's own site would. */
  payByHand(id: number): void {
    if (!payFor(this.#world, this.#world.transfer(id), "BALANCE"))
      throw new RangeError("the balance does not cover it");
  }

  /** As a person in Wise's own site would. */
  deactivateRecipient(id: number): void {
    const recipient = this.#world.data.recipients[id];
    if (recipient === undefined) throw new RangeError(`no recipient ${id}`);
    recipient.active = false;
  }

  /** Every event, oldest first, over all profiles. */
  events(type?: string) {
    return Object.values(this.#world.data.events).filter(
      (event) => type === undefined || event.type === type,
    );
  }

  /** The key that messages are verified with, PEM; it stays the same for this simulator's life. */
  publicKeyPem(): Promise<string> {
    return publicPem(this.#world);
  }

  /** A delivery of an event; every delivery has an id and a time of its own. */
  async signedEvent(id: string, headers: Record<string, string> = {}): Promise<Delivery> {
    const event = this.#world.data.events[id];
    if (event === undefined) throw new RangeError(`no event ${id}`);
    return signBody(this.#world, JSON.stringify(renderEvent(event, this.#world.now())), headers);
  }

  /** Deliveries in the order of the ids; `copies` repeats each. */
  async signedEvents(ids: readonly string[], options: { copies?: number } = {}): Promise<Delivery[]> {
    const each = ids.flatMap((id) => Array.from({ length: options.copies ?? 1 }, () => id));
    return Promise.all(each.map((id) => this.signedEvent(id)));
  }

  /** A delivery of any text, signed with Wise's key. */
  signed(body: string, headers: Record<string, string> = {}): Promise<Delivery> {
    return signBody(this.#world, body, headers);
  }

  state() {
    const { requests, profiles } = this.#world.data;
    return { transfers: this.transfers(), profiles, faults: this.#faults.toJSON(), requests };
  }

  toJSON(): Saved {
    return { world: this.#world.data, faults: this.#faults.toJSON() };
  }

  static fromJSON(saved: Saved, options: SimulatorOptions = {}): WiseSimulator {
    const simulator = new WiseSimulator(options);
    const own = structuredClone(saved);
    simulator.#world.data = own.world;
    simulator.#faults.restore(own.faults);
    return simulator;
  }
}
