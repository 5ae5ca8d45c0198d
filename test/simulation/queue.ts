// The payment queue as the simulation pumps it: what waits, what was ever sent, and the Worker's own consumer at its end.
import { createExecutionContext, createMessageBatch, getQueueResult } from "cloudflare:test";
import type { Env } from "../../src/compose.ts";
import type { Hint } from "../../src/context.ts";
import worker from "../worker/entry.ts";

const QUEUE = "stipend-payments";

/** As wrangler.toml says; what fails more often becomes a dead letter. */
const RETRIES = 5;

export interface Waiting {
  readonly hint: Hint;
  attempts: number;
}

let serial = 0;

export class HintPump {
  waiting: Waiting[] = [];
  /** One of each message that was ever sent. */
  readonly everSent = new Map<string, Hint>();
  /** How many of the next sends fail. */
  failing = 0;
  readonly #bindings: Env;
  readonly #struck: (fault: string) => void;

  constructor(bindings: Env, struck: (fault: string) => void) {
    this.#bindings = bindings;
    this.#struck = struck;
  }

  async send(hint: Hint): Promise<void> {
    if (this.failing > 0) {
      this.failing -= 1;
      this.#struck("queue_send_failed");
      throw new Error("Queue send failed");
    }
    this.waiting.push({ hint, attempts: 0 });
    this.everSent.set(JSON.stringify(hint), hint);
  }

  /** Takes what waits, all or the first n. */
  take(n = this.waiting.length): Waiting[] {
    return this.waiting.splice(0, n);
  }

  /** Through the Worker's consumer; what it retries waits again, what failed too often goes to the dead letters. */
  async deliver(messages: readonly Waiting[], queue = QUEUE): Promise<void> {
    if (messages.length === 0) return;
    const byId = new Map(messages.map((message) => [`m${++serial}`, message]));
    const batch = createMessageBatch<Hint>(
      queue,
      [...byId].map(([id, { hint, attempts }]) => ({
        id,
        timestamp: new Date(),
        attempts: attempts + 1,
        body: hint,
      })),
    );
    const execution = createExecutionContext();
    await worker.queue(batch, this.#bindings, execution);
    const { retryMessages } = await getQueueResult(batch, execution);
    const dead: Waiting[] = [];
    for (const { msgId } of retryMessages) {
      const message = byId.get(msgId);
      if (message === undefined) continue;
      const again = { ...message, attempts: message.attempts + 1 };
      (again.attempts > RETRIES ? dead : this.waiting).push(again);
    }
    if (dead.length > 0) await this.deliverDead(dead);
  }

  async deliverDead(messages: readonly Waiting[]): Promise<void> {
    this.#struck("dead_letter");
    await this.deliver(messages, `${QUEUE}-dead`);
  }
}
