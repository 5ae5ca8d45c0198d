// Takes one API request through its course: fault at the door, key store, work, storing, spoiling of the answer.

import { atTheDoor, respond, spoiled } from "./stripe-answers.ts";
import {
  type Answer,
  accountClosed,
  balanceInsufficient,
  StripeFailure,
  serverError,
} from "./stripe-errors.ts";
import { type FaultName, type FaultQueue, type PendingFault, phaseOf } from "./stripe-faults.ts";
import { textAt } from "./stripe-form.ts";
import type { KeyStore } from "./stripe-idempotency.ts";
import { type Arrival, arrive, callOf, struckBy } from "./stripe-request.ts";
import { handlerOf, routeOf } from "./stripe-routes.ts";
import type { Call, World } from "./stripe-world.ts";

/** Work that a slow fault put off; it gets done even when nobody waits for it any more. */
export type Job = {
  call: Call;
  fault: FaultName | null;
  due_at_real: number;
  due_at: number;
  answer: Answer | null;
};

/** The fault that a request drew; unspent at the end it goes back into the queue. */
type Drawn = { fault: PendingFault; spent: boolean } | null;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const ok = (made: object): Answer => ({ status: 200, body: JSON.stringify(made, null, 2), headers: {} });

export class Course {
  readonly #world: World;
  readonly #keys: KeyStore;
  readonly #faults: FaultQueue;
  readonly #slowMs: number;
  jobs: Job[] = [];

  constructor(world: World, keys: KeyStore, faults: FaultQueue, slowMs: number) {
    this.#world = world;
    this.#keys = keys;
    this.#faults = faults;
    this.#slowMs = slowMs;
  }

  async answer(request: Request, url: URL): Promise<Response> {
    const arrival = await arrive(request, url, this.#world.newId("req", 14));
    const { requests } = this.#world.data;
    const route = routeOf(arrival.method, url.pathname)?.route ?? `${arrival.method} (unknown)`;
    requests[route] = (requests[route] ?? 0) + 1;
    const fault = this.#faults.take(struckBy(arrival));
    const drawn: Drawn = fault === null ? null : { fault, spent: false };
    if (fault !== null && phaseOf(fault.fault) === "door") {
      if (fault.delay_ms !== null) await sleep(fault.delay_ms);
      return atTheDoor(arrival, fault);
    }
    return this.#deliver(arrival, await this.#perform(arrival, drawn), drawn);
  }

  async #deliver(arrival: Arrival, answer: Answer, drawn: Drawn): Promise<Response> {
    if (drawn !== null && phaseOf(drawn.fault.fault) === "answer") {
      if (drawn.fault.fault === "slow_after_work") await sleep(drawn.fault.delay_ms ?? this.#slowMs);
      const response = spoiled(arrival, answer, drawn.fault);
      if (response !== null) return response;
    }
    if (drawn !== null && !drawn.spent) this.#faults.giveBack(drawn.fault);
    return respond(arrival, answer);
  }

  async #perform(arrival: Arrival, drawn: Drawn): Promise<Answer> {
    try {
      const call = callOf(arrival, this.#world);
      return await (call.method === "POST" ? this.#write(call, drawn) : this.#read(call, drawn));
    } catch (error) {
      if (error instanceof StripeFailure) return error.answer(arrival.requestId);
      throw error;
    }
  }

  async #read(call: Call, drawn: Drawn): Promise<Answer> {
    const work = handlerOf(call.route)(call, this.#world);
    const name = drawn?.fault.fault;
    if (drawn !== null && (name === "error_500_cached" || name === "error_500_after_work")) {
      drawn.spent = true;
      return serverError(true).answer(call.requestId);
    }
    if (drawn !== null && name === "slow") drawn.spent = true;
    await this.#wait(drawn);
    return ok(work());
  }

  async #write(call: Call, drawn: Drawn): Promise<Answer> {
    const stored = this.#keys.find(call);
    if (stored !== null) return stored;
    handlerOf(call.route)(call, this.#world);
    this.#keys.begin(call);
    const inWork = drawn !== null && phaseOf(drawn.fault.fault) === "work";
    if (inWork) drawn.spent = true;
    const delayMs = this.#delayOf(drawn);
    const job: Job = {
      call,
      fault: inWork ? drawn.fault.fault : null,
      due_at_real: Date.now() + delayMs,
      due_at: this.#world.now() + delayMs,
      answer: null,
    };
    if (delayMs > 0) {
      this.jobs.push(job);
      await sleep(delayMs);
    }
    return this.#finish(job);
  }

  /** Milliseconds between a request's admission and its work. */
  #delayOf(drawn: Drawn): number {
    if (drawn === null || drawn.fault.fault === "slow_after_work") return 0;
    return drawn.fault.delay_ms ?? (drawn.fault.fault === "slow" ? this.#slowMs : 0);
  }

  async #wait(drawn: Drawn): Promise<void> {
    const delayMs = this.#delayOf(drawn);
    if (delayMs > 0) await sleep(delayMs);
  }

  #finish(job: Job): Answer {
    if (job.answer !== null) return job.answer;
    job.answer = this.#work(job);
    this.jobs = this.jobs.filter((other) => other !== job);
    this.#keys.finish(job.call, job.answer);
    return job.answer;
  }

  // A runtime may drop the timers of a request whose client has gone, so later requests do what is due as well.
  finishDueJobs(): void {
    const due = (job: Job) => job.due_at_real <= Date.now() || job.due_at <= this.#world.now();
    for (const job of this.jobs.filter(due)) this.#finish(job);
  }

  #work(job: Job): Answer {
    const { call, fault } = job;
    try {
      if (fault === "error_500_cached") throw serverError(false);
      if (fault === "balance_insufficient") throw balanceInsufficient();
      if (fault === "account_closed") throw accountClosed(textAt(call.params, "destination") ?? "");
      const made = handlerOf(call.route)(call, this.#world)();
      if (call.route === "POST /v1/transfers") this.#lag(call, made);
      if (fault === "error_500_after_work") throw serverError(false);
      return ok(made);
    } catch (error) {
      if (error instanceof StripeFailure) return error.answer(call.requestId);
      throw error;
    }
  }

  #lag(call: Call, made: object): void {
    const destination = textAt(call.params, "destination");
    const lag = this.#faults.takeLag({ method: call.method, path: call.path, destination, key: call.key });
    const transfer = "id" in made ? this.#world.data.transfers[String(made.id)] : undefined;
    if (lag === null || transfer === undefined) return;
    transfer.listed_from = this.#world.now() + (lag.delay_ms ?? this.#slowMs);
  }
}
