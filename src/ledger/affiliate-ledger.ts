// The turnstile: one Durable Object per affiliate takes turns one at a time; it holds no rule and no truth.
import { DurableObject } from "cloudflare:workers";
import type { AffiliateId } from "../domain/ids.ts";
import type { TurnAnswer, TurnRequest } from "../domain/ledger/book.ts";
import { BEGUN_STALE_MS } from "../domain/payout.ts";
import { attemptStanding } from "../store/book-standing.ts";
import { type LedgerPorts, type Mark, type Seat, takeTurn } from "./turn.ts";

/** More callers than this are told to come back instead of waiting. */
const WAITING_MAX = 256;

/** Builds the object's class from its ports, so that a test can build one with faulty ports. */
export const affiliateLedger = <Env>(portsOf: (env: Env) => LedgerPorts) =>
  class AffiliateLedger extends DurableObject<Env> {
    #tail: Promise<unknown> = Promise.resolve();
    #waiting = 0;
    #resolving = 0;
    readonly #ports = portsOf(this.env);
    readonly #seat: Seat = { book: undefined };
    readonly #leases = new Map<string, number>();

    /** Awaiting D1 opens the object's input gate, so turns queue here by hand. */
    async apply(request: TurnRequest): Promise<TurnAnswer> {
      if (this.#waiting >= WAITING_MAX) return { kind: "busy", retryAfterS: 1 };
      if (request.command.kind === "resolve") return this.#resolve(request);
      return this.#take(request);
    }

    /** What a person says of a payment must not meet a call that is on its way: neither begins while the other is under way. */
    async #resolve(request: TurnRequest): Promise<TurnAnswer> {
      const now = this.#ports.now();
      if ([...this.#leases.values()].some((until) => until > now)) return { kind: "busy", retryAfterS: 30 };
      this.#resolving++;
      try {
        return await this.#take(request);
      } finally {
        this.#resolving--;
      }
    }

    #take(request: TurnRequest): Promise<TurnAnswer> {
      this.#waiting++;
      const turn = this.#tail.then(() => takeTurn(this.#ports, this.ctx.storage, this.#seat, request));
      this.#tail = turn.catch(() => undefined).finally(() => this.#waiting--);
      return turn;
    }

    /**
     * Before each call to a provider: is the last payment that this object began still in the book, and this attempt still open?
     * A lease keeps a second consumer from calling at the same moment; safety does not rest on it, key and bytes are the same.
     */
    async leaseCall({
      affiliateId,
      attemptId,
    }: {
      affiliateId: AffiliateId;
      attemptId: string;
    }): Promise<"leased" | "leased_to_look" | "busy" | "rewound" | "over"> {
      const now = this.#ports.now();
      if (this.#resolving > 0 || (this.#leases.get(attemptId) ?? 0) > now) return "busy";
      this.#leases.set(attemptId, now + BEGUN_STALE_MS);
      const mark = await this.ctx.storage.get<Mark>("begun");
      const { standing, begun } = await attemptStanding(this.#ports.db, affiliateId, attemptId, mark);
      if (standing !== "open") {
        this.#leases.delete(attemptId);
        return standing;
      }
      // Whoever began it may have died before it was remembered: no call is made that this object does not remember.
      if (begun !== undefined && begun.seq > (mark?.seq ?? 0)) await this.ctx.storage.put("begun", begun);
      return (await this.ctx.storage.get<boolean>("confirmed")) === true ? "leased_to_look" : "leased";
    }

    /** The call is over, whatever became of it. */
    async endCall(attemptId: string): Promise<void> {
      this.#leases.delete(attemptId);
    }
  };
