// The key store: who may run, who waits, who gets the first answer again.

import { type Answer, endpointMismatch, invalid, keyInUse, keyMismatch } from "./stripe-errors.ts";
import { canonical } from "./stripe-form.ts";
import type { Call, World } from "./stripe-world.ts";

export const KEY_LIVES_MS = 24 * 3600 * 1000;
const MAX_KEY = 255;

export class KeyStore {
  readonly #world: World;
  readonly #livesMs: number;

  constructor(world: World, livesMs: number) {
    this.#world = world;
    this.#livesMs = livesMs;
  }

  /** The stored answer; null when this call is the key's first; throws for misuse and for one in flight. */
  find(call: Call): Answer | null {
    if (call.key === null) return null;
    if (call.key.length > MAX_KEY) {
      throw invalid(`Idempotency keys may be at most ${MAX_KEY} characters, yours has ${call.key.length}.`);
    }
    const { keys } = this.#world.data;
    const name = this.#name(call);
    const known = keys[name];
    if (known === undefined) return null;
    if (known.created + this.#livesMs <= this.#world.now()) {
      delete keys[name];
      return null;
    }
    if (known.path !== call.path) throw endpointMismatch(call.key, call.path, known.path);
    if (known.params !== this.#paramsOf(call)) throw keyMismatch(call.key);
    if (known.answer === null) throw keyInUse(call.key);
    const { status, body, request } = known.answer;
    return { status, body, headers: { "idempotent-replayed": "true", "original-request": request } };
  }

  begin(call: Call): void {
    if (call.key === null) return;
    this.#world.data.keys[this.#name(call)] = {
      path: call.path,
      params: this.#paramsOf(call),
      created: this.#world.now(),
      answer: null,
    };
  }

  finish(call: Call, answer: Answer): void {
    if (call.key === null) return;
    const entry = this.#world.data.keys[this.#name(call)];
    if (entry !== undefined) {
      entry.answer = { status: answer.status, body: answer.body, request: call.requestId };
    }
  }

  /** Forgets every key that is not in flight, as Stripe may once they are a day old. */
  expireAll(): number {
    const done = Object.entries(this.#world.data.keys).filter(([, entry]) => entry.answer !== null);
    for (const [name] of done) delete this.#world.data.keys[name];
    return done.length;
  }

  #name(call: Call): string {
    return `${call.platform} ${call.key}`;
  }

  #paramsOf(call: Call): string {
    return canonical({ account: call.onAccount ?? "", params: call.params });
  }
}
