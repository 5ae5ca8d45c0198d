// A stateful stand-in for PayPal's API: tokens, payouts once per sender_batch_id, their courses over time, webhook events, and faults on demand.

import type { SavedFaults } from "./fault-queue.ts";
import { control } from "./paypal-control.ts";
import { notFound } from "./paypal-errors.ts";
import { type Delivery, deliver, renderEvent } from "./paypal-events.ts";
import { Exchange, type Job } from "./paypal-exchange.ts";
import { type FaultName, type FaultOrder, makeFaults } from "./paypal-faults.ts";
import { COURSES, changeItem, progress } from "./paypal-progress.ts";
import { renderHeader, renderOneItem } from "./paypal-render.ts";
import { type AppSeed, seedApp } from "./paypal-tokens.ts";
import { type CourseOrder, type ItemStatus, unitsOf, World, type WorldData } from "./paypal-world.ts";

export type { Delivery } from "./paypal-events.ts";
export { FAULTS, type FaultName, type FaultOrder } from "./paypal-faults.ts";
export type { AppSeed } from "./paypal-tokens.ts";
export { ConnectionDropped } from "./stripe-errors.ts";

export type SimulatorOptions = {
  /** Epoch milliseconds. */
  now?: () => number;
  random?: () => number;
  /** How long a slow fault lasts when its order does not say. */
  slowMs?: number;
  /** How long a batch stays PENDING before its items take their courses. */
  processMs?: number;
  /** Looks for money before it looks for a repeated sender_batch_id: PayPal does not say which comes first. */
  fundsFirst?: boolean;
};

export type Saved = { world: WorldData; faults: SavedFaults<FaultName>; jobs: Job[] };

export class PayPalSimulator {
  readonly #world: World;
  readonly #faults = makeFaults();
  readonly #exchange: Exchange;

  constructor(options: SimulatorOptions = {}) {
    const {
      now = Date.now,
      random = Math.random,
      slowMs = 1000,
      processMs = 0,
      fundsFirst = false,
    } = options;
    this.#world = new World(now, random, processMs);
    this.#exchange = new Exchange(this.#world, this.#faults, slowMs, fundsFirst);
  }

  /** Answers as api-m.paypal.com would; rejects with ConnectionDropped, or with the signal's reason when it aborts. */
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
    await this.#exchange.finishDueJobs();
    const url = new URL(request.url);
    if (url.pathname.startsWith("/_sim/")) return control(this, request, url);
    return this.#exchange.answer(request, url);
  }

  addFault(order: FaultOrder): void {
    this.#faults.add(order);
  }

  /** Takes pending faults away; what has struck stays counted. */
  clearFaults(): void {
    this.#faults.clear();
  }

  /** How often each fault has struck. */
  fired(): Partial<Record<FaultName, number>> {
    return this.#faults.fired;
  }

  /** Makes an app with these secrets and scopes, or changes one: apps that nobody seeded are taken as they come. */
  seedApp(seed: AppSeed): void {
    seedApp(this.#world, seed);
  }

  /** What becomes of items from now on; the first order that fits an item counts. Everything else succeeds. */
  setCourse(order: CourseOrder): void {
    if (COURSES[order.course] === undefined)
      throw new RangeError(`There is no course called ${order.course}.`);
    this.#world.data.courses.unshift({ ...order });
  }

  clearCourses(): void {
    this.#world.data.courses = [];
  }

  /** What can be sent, in hundredths (whole units of HUF, JPY, TWD): of one app, or of every app. */
  setBalance(to: { currency: string; amount: number; client_id?: string }): void {
    if (to.client_id !== undefined) {
      this.#world.app(to.client_id).available[to.currency] = to.amount;
      return;
    }
    for (const app of Object.values(this.#world.data.apps)) app.available[to.currency] = to.amount;
    this.#world.data.available[to.currency] = to.amount;
  }

  /** What is left to send. */
  available(clientId: string, currency: string): number {
    progress(this.#world);
    return this.#world.available(this.#world.app(clientId), currency);
  }

  /** Makes every token that was given out useless; says how many there were. */
  expireTokens(): number {
    const { tokens } = this.#world.data;
    this.#world.data.tokens = {};
    return Object.keys(tokens).length;
  }

  /** Forgets everything: apps, tokens, payouts, faults and counts. */
  reset(): void {
    this.#exchange.jobs = [];
    this.#faults.clear();
    this.#faults.fired = {};
    this.#world.reset();
  }

  /** Every batch that was made, oldest first: two of one sender_batch_id are two payments. */
  payouts(senderBatchId?: string) {
    progress(this.#world);
    return Object.values(this.#world.data.batches)
      .filter((batch) => senderBatchId === undefined || batch.sender_batch_id === senderBatchId)
      .map((batch) => ({
        ...renderHeader(this.#world, batch),
        client_id: batch.client_id,
        request_id: batch.request_id,
        items: this.#world.itemsOf(batch).map((item) => renderOneItem(batch, item)),
      }));
  }

  /** Every item that was made, oldest first. */
  items(senderItemId?: string) {
    progress(this.#world);
    return Object.values(this.#world.data.items)
      .filter((item) => senderItemId === undefined || item.sender_item_id === senderItemId)
      .map((item) => renderOneItem(this.#world.batchOf(item), item));
  }

  /** What a receiver holds of a currency, in hundredths or whole units. */
  received(receiver: string, currency: string): number {
    progress(this.#world);
    return Object.values(this.#world.data.items)
      .filter((item) => item.receiver === receiver && item.amount.currency === currency)
      .filter((item) => item.status === "SUCCESS")
      .reduce((sum, item) => sum + (unitsOf(item.amount) ?? 0), 0);
  }

  /** What PayPal, the receiver or a person at PayPal does to an item: REVERSED, REFUNDED, a claim (SUCCESS), and so on. */
  moveItem(id: string, status: ItemStatus, error: string | null = null) {
    progress(this.#world);
    const item = this.#world.data.items[id];
    if (item === undefined) throw notFound();
    changeItem(this.#world, item, status, error);
    return renderOneItem(this.#world.batchOf(item), item);
  }

  /** Every event, oldest first, over all apps. */
  events(type?: string): ReturnType<typeof renderEvent>[] {
    progress(this.#world);
    const all = Object.values(this.#world.data.events);
    return all.filter((event) => type === undefined || event.event_type === type).map(renderEvent);
  }

  /** A webhook delivery of an event, signed for one webhook; each delivery is a transmission of its own. */
  async signedEvent(id: string, webhookId: string, options: { sentAt?: number } = {}): Promise<Delivery> {
    const event = this.#world.data.events[id];
    if (event === undefined) throw notFound();
    return deliver(this.#world, event, webhookId, options.sentAt ?? this.#world.now());
  }

  /** Deliveries in the order of the ids; `copies` repeats each. */
  async signedEvents(
    ids: readonly string[],
    webhookId: string,
    options: { sentAt?: number; copies?: number } = {},
  ): Promise<Delivery[]> {
    const { copies = 1, ...rest } = options;
    const each = ids.flatMap((id) => Array.from({ length: copies }, () => id));
    return Promise.all(each.map((id) => this.signedEvent(id, webhookId, rest)));
  }

  /** How often each route was asked, as `POST /v1/payments/payouts`. */
  requests(): Record<string, number> {
    return { ...this.#world.data.requests };
  }

  state() {
    const { data } = this.#world;
    return {
      payouts: this.payouts(),
      apps: Object.values(data.apps).map(({ client_secret: _secret, ...app }) => app),
      faults: this.#faults.toJSON(),
      courses: data.courses,
      requests: data.requests,
    };
  }

  toJSON(): Saved {
    return { world: this.#world.data, faults: this.#faults.toJSON(), jobs: this.#exchange.jobs };
  }

  static fromJSON(saved: Saved, options: SimulatorOptions = {}): PayPalSimulator {
    const simulator = new PayPalSimulator(options);
    const own = structuredClone(saved);
    simulator.#world.data = own.world;
    simulator.#faults.restore(own.faults);
    simulator.#exchange.jobs = own.jobs;
    return simulator;
  }
}
