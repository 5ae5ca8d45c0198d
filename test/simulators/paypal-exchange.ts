// Takes one API request through its course: fault at the door, the work, and the spoiling of its answer.

import type { FaultQueue, Struck } from "./fault-queue.ts";
import { atTheDoor, respond, spoiled } from "./paypal-answers.ts";
import {
  type Answer,
  businessError,
  insufficientFunds,
  internalError,
  noRoute,
  PayPalFailure,
  TokenFailure,
} from "./paypal-errors.ts";
import { type FaultName, type PendingFault, phaseOf } from "./paypal-faults.ts";
import { progress } from "./paypal-progress.ts";
import { type Call, handlerOf, routeOf } from "./paypal-routes.ts";
import type { World } from "./paypal-world.ts";

/** Work that a slow fault put off; it gets done even when nobody waits for it any more. */
export type Job = { call: Call; due_at_real: number; due_at: number };

/** The fault that a request drew; unspent at the end it goes back into the queue. */
type Drawn = { fault: PendingFault; spent: boolean } | null;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const receiverIn = (text: string): string | null => /"receiver"\s*:\s*"([^"]*)"/.exec(text)?.[1] ?? null;
const senderBatchIn = (text: string): string | null =>
  /"sender_batch_id"\s*:\s*"([^"]*)"/.exec(text)?.[1] ?? null;

export class Exchange {
  readonly #world: World;
  readonly #faults: FaultQueue<FaultName>;
  readonly #slowMs: number;
  readonly #fundsFirst: boolean;
  jobs: Job[] = [];
  readonly #done = new WeakMap<Job, Promise<Answer>>();

  constructor(world: World, faults: FaultQueue<FaultName>, slowMs: number, fundsFirst: boolean) {
    this.#world = world;
    this.#faults = faults;
    this.#slowMs = slowMs;
    this.#fundsFirst = fundsFirst;
  }

  async answer(request: Request, url: URL): Promise<Response> {
    const call = await this.#callOf(request, url);
    const { requests } = this.#world.data;
    requests[call.route] = (requests[call.route] ?? 0) + 1;
    const fault = this.#faults.take(struckBy(call));
    const drawn: Drawn = fault === null ? null : { fault, spent: false };
    if (fault !== null && phaseOf(fault.fault) === "door") {
      if (fault.delay_ms !== null) await sleep(fault.delay_ms);
      return atTheDoor(fault, call.debugId);
    }
    return this.#deliver(call, await this.#perform(call, drawn), drawn);
  }

  async #callOf(request: Request, url: URL): Promise<Call> {
    const { method, headers } = request;
    const found = routeOf(method, url.pathname);
    return {
      method,
      path: url.pathname,
      route: found?.route ?? `${method} (unknown)`,
      ids: found?.ids ?? [],
      query: Object.fromEntries(url.searchParams),
      text: method === "GET" ? "" : new TextDecoder().decode(await request.arrayBuffer()),
      authorization: headers.get("authorization"),
      contentType: headers.get("content-type"),
      paypalRequestId: headers.get("paypal-request-id"),
      debugId: this.#world.newId(13).toLowerCase(),
      fundsFirst: this.#fundsFirst,
    };
  }

  async #deliver(call: Call, answer: Answer, drawn: Drawn): Promise<Response> {
    if (drawn !== null && phaseOf(drawn.fault.fault) === "answer") {
      if (drawn.fault.fault === "slow_after_work") await sleep(drawn.fault.delay_ms ?? this.#slowMs);
      const response = spoiled(answer, call.debugId, drawn.fault);
      if (response !== null) return response;
    }
    if (drawn !== null && !drawn.spent) this.#faults.giveBack(drawn.fault);
    return respond(answer, call.debugId);
  }

  async #perform(call: Call, drawn: Drawn): Promise<Answer> {
    const name = drawn?.fault.fault;
    if (drawn !== null && phaseOf(drawn.fault.fault) === "work") drawn.spent = true;
    if (name === "insufficient_funds") return insufficientFunds().answer(call.debugId);
    if (name === "user_business_error") return businessError().answer(call.debugId);
    const delayMs =
      name === "slow_after_work" ? 0 : (drawn?.fault.delay_ms ?? (name === "slow" ? this.#slowMs : 0));
    const answer = delayMs > 0 ? await this.#later(call, delayMs) : await this.#work(call);
    return name === "error_500_after_work" ? internalError().answer(call.debugId) : answer;
  }

  async #later(call: Call, delayMs: number): Promise<Answer> {
    const job = { call, due_at_real: Date.now() + delayMs, due_at: this.#world.now() + delayMs };
    this.jobs.push(job);
    await sleep(delayMs);
    return this.#finish(job);
  }

  #finish(job: Job): Promise<Answer> {
    const done = this.#done.get(job) ?? this.#work(job.call);
    this.#done.set(job, done);
    this.jobs = this.jobs.filter((other) => other !== job);
    return done;
  }

  // A runtime may drop the timers of a request whose client has gone, so later requests do what is due as well.
  async finishDueJobs(): Promise<void> {
    const due = (job: Job) => job.due_at_real <= Date.now() || job.due_at <= this.#world.now();
    for (const job of this.jobs.filter(due)) await this.#finish(job);
  }

  async #work(call: Call): Promise<Answer> {
    progress(this.#world);
    try {
      if (call.route.endsWith("(unknown)")) throw noRoute();
      return await handlerOf(call.route)(call, this.#world);
    } catch (error) {
      if (error instanceof PayPalFailure) return error.answer(call.debugId);
      if (error instanceof TokenFailure) return error.answer();
      throw error;
    }
  }
}

const struckBy = (call: Call): Struck => ({
  method: call.method,
  path: call.path,
  destination: receiverIn(call.text),
  key: call.paypalRequestId ?? senderBatchIn(call.text),
});
