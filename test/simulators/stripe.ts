// A stateful stand-in for Stripe's API: transfers, accounts, reversals, events, the key store, and faults on demand.

import {
  type AccountSeed,
  deauthorize,
  onboard,
  renderAccount,
  seedAccount,
} from "./stripe-account-object.ts";
import { payOut } from "./stripe-balances.ts";
import { control } from "./stripe-control.ts";
import { Course, type Job } from "./stripe-course.ts";
import { notFound } from "./stripe-errors.ts";
import { type Delivery, renderEvent, signBody } from "./stripe-events.ts";
import { type FaultOrder, FaultQueue } from "./stripe-faults.ts";
import { KEY_LIVES_MS, KeyStore } from "./stripe-idempotency.ts";
import { ownerOf } from "./stripe-request.ts";
import { reverse } from "./stripe-reversals.ts";
import { renderReversal, renderTransfer } from "./stripe-transfer-object.ts";
import { World, type WorldData } from "./stripe-world.ts";

export type { AccountSeed } from "./stripe-account-object.ts";
export { ConnectionDropped } from "./stripe-errors.ts";
export type { Delivery } from "./stripe-events.ts";
export { FAULTS, type FaultMatch, type FaultName, type FaultOrder } from "./stripe-faults.ts";

export type SimulatorOptions = {
  /** Epoch milliseconds. */
  now?: () => number;
  random?: () => number;
  /** How long a slow fault lasts when its order does not say. */
  slowMs?: number;
  /** How long a key is remembered. */
  keyLivesMs?: number;
};

export type Saved = { world: WorldData; faults: ReturnType<FaultQueue["toJSON"]>; jobs: Job[] };

export class StripeSimulator {
  readonly #world: World;
  readonly #keys: KeyStore;
  readonly #faults = new FaultQueue();
  readonly #course: Course;

  constructor(options: SimulatorOptions = {}) {
    this.#world = new World(options.now ?? Date.now, options.random ?? Math.random);
    this.#keys = new KeyStore(this.#world, options.keyLivesMs ?? KEY_LIVES_MS);
    this.#course = new Course(this.#world, this.#keys, this.#faults, options.slowMs ?? 1000);
  }

  /** Answers as api.stripe.com would; rejects with ConnectionDropped, or with the signal's reason when it aborts. */
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
    this.#course.finishDueJobs();
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

  /** Makes a connected account, ready to be paid unless the seed says otherwise; a known id is changed and announced. */
  seedAccount(seed: AccountSeed = {}): ReturnType<typeof renderAccount> {
    return seedAccount(this.#world, this.#refOf(seed.key), seed);
  }

  /** An available balance: of a connected account, of the platform of a key, or of every platform. */
  setBalance(to: { currency: string; amount: number; key?: string; account?: string }): void {
    const currency = to.currency.toLowerCase();
    const { data } = this.#world;
    if (to.account !== undefined) {
      const account = data.accounts[to.account];
      if (account === undefined) throw notFound("account", to.account);
      account.available[currency] = to.amount;
      return;
    }
    const ref = this.#refOf(to.key);
    for (const platform of Object.values(data.platforms)) {
      if (ref === null || platform.ref === ref) platform.available[currency] = to.amount;
    }
    if (ref === null) data.available[currency] = to.amount;
  }

  /** Answers 401 to this secret key until it is restored. */
  revokeKey(key: string): void {
    if (!this.#world.data.revoked.includes(key)) this.#world.data.revoked.push(key);
  }

  restoreKey(key: string): void {
    this.#world.data.revoked = this.#world.data.revoked.filter((revoked) => revoked !== key);
  }

  /** Forgets everything: accounts, transfers, keys, faults and counts. */
  reset(): void {
    this.#course.jobs = [];
    this.#faults.clear();
    this.#faults.fired = {};
    this.#world.reset();
  }

  /** Every transfer, oldest first, over all platform accounts, with the account that made it. */
  transfers(payoutId?: string) {
    return Object.values(this.#world.data.transfers)
      .filter((transfer) => payoutId === undefined || transfer.metadata.payout_id === payoutId)
      .map((transfer) => ({
        ...renderTransfer(transfer),
        platform: this.#world.data.platforms[transfer.platform]?.id ?? null,
      }));
  }

  /** Reverses as a person in the dashboard would; all that is left when no amount is given. */
  reverseTransfer(id: string, amount: number | null = null) {
    const transfer = this.#world.data.transfers[id];
    if (transfer === undefined) throw notFound("transfer", id);
    return renderReversal(transfer, reverse(this.#world, transfer, { amount }));
  }

  /** Sends a connected account's balance to its bank; all of it when no amount is given. */
  payOut(account: string, currency: string, amount: number | null = null) {
    return payOut(this.#world, account, currency.toLowerCase(), amount);
  }

  /** Forgets idempotency keys that are not in flight; says how many. */
  expireKeys(): number {
    return this.#keys.expireAll();
  }

  /** Where an onboarding link leads; following it makes its account ready, unless one leaves without finishing. */
  followLink(token: string, finish = true): string | null {
    return onboard(this.#world, token, finish);
  }

  /** The owner of an account takes the platform's permission back. */
  deauthorize(account: string): void {
    const record = this.#world.data.accounts[account];
    if (record === undefined) throw notFound("account", account);
    deauthorize(this.#world, record);
  }

  /** Says of the platform of a key where it is, and whether Stripe approved accounts that are only sent money. */
  setPlatform(key: string, facts: { country?: string; approved?: boolean }): void {
    const platform = this.#world.data.platforms[this.#refOf(key) ?? ""];
    if (platform !== undefined) Object.assign(platform, facts);
  }

  /** Every event, oldest first, over all platform accounts. */
  events(type?: string): ReturnType<typeof renderEvent>[] {
    const all = Object.values(this.#world.data.events);
    return all.filter((event) => type === undefined || event.type === type).map(renderEvent);
  }

  /** A webhook delivery of an event, signed with one secret, or with several as while one is rolled. */
  async signedEvent(
    id: string,
    secrets: string | readonly string[],
    options: { timestampS?: number } = {},
  ): Promise<Delivery> {
    const event = this.#world.data.events[id];
    if (event === undefined) throw notFound("event", id);
    const body = JSON.stringify(renderEvent(event), null, 2);
    return signBody(body, secrets, options.timestampS ?? this.#world.seconds());
  }

  /** Deliveries in the order of the ids; `copies` repeats each. */
  async signedEvents(
    ids: readonly string[],
    secrets: string | readonly string[],
    options: { timestampS?: number; copies?: number } = {},
  ): Promise<Delivery[]> {
    const each = ids.flatMap((id) => Array.from({ length: options.copies ?? 1 }, () => id));
    return Promise.all(each.map((id) => this.signedEvent(id, secrets, options)));
  }

  state() {
    const { data } = this.#world;
    const accounts = Object.values(data.accounts).map(renderAccount);
    const keys = Object.keys(data.keys).length;
    return {
      transfers: this.transfers(),
      accounts,
      faults: this.#faults.toJSON(),
      requests: data.requests,
      keys,
    };
  }

  toJSON(): Saved {
    return { world: this.#world.data, faults: this.#faults.toJSON(), jobs: this.#course.jobs };
  }

  static fromJSON(saved: Saved, options: SimulatorOptions = {}): StripeSimulator {
    const simulator = new StripeSimulator(options);
    const own = structuredClone(saved);
    simulator.#world.data = own.world;
    simulator.#faults.restore(own.faults);
    simulator.#course.jobs = own.jobs;
    return simulator;
  }

  #refOf(secret: string | undefined): string | null {
    if (secret === undefined) return null;
    const owner = ownerOf(secret);
    if (owner === null)
      throw new RangeError("A secret key looks like sk_test_..., rk_test_..., sk_live_... or rk_live_...");
    return this.#world.platform(owner.name, owner.livemode).ref;
  }
}
