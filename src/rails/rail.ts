// What every way of paying must offer: freeze an instruction, send it, look for it; outcomes are values, never thrown.
import type { Affiliate } from "../domain/affiliate.ts";
import type { AttemptId, ProgramId } from "../domain/ids.ts";
import type { Instruction } from "../domain/ledger/command.ts";
import type { Attempt, Payout, PayoutMethod, RailOutcome } from "../domain/payout.ts";
import type { Refusal } from "../domain/refusals.ts";

/** Which program's credentials a call uses, and in which mode. */
export interface RailProgram {
  readonly id: ProgramId;
  readonly mode: "test" | "live";
}

/** The attempt that the turn will begin with the frozen instruction. */
export interface NextAttempt {
  readonly attemptId: AttemptId;
  /** `po:{payout}:{n}`, what the provider is told as the idempotency key. */
  readonly key: string;
}

/** Something that a provider's message is about; the object itself is asked for again before anything is believed. */
export type ProviderSubject =
  | { readonly kind: "attempt"; readonly attemptId: string }
  | { readonly kind: "payout"; readonly payoutId: string }
  /** The provider's own id of a payment, as an attempt keeps it. */
  | { readonly kind: "provider_ref"; readonly ref: string }
  /** A connected account whose readiness may have changed. */
  | { readonly kind: "account"; readonly account: string }
  /** A connected account that took its permission back. */
  | { readonly kind: "deauthorized"; readonly account: string };

export interface ProviderEvent {
  /** Unique at the provider: the same event again has no further effect. */
  readonly id: string;
  readonly subjects: readonly ProviderSubject[];
}

/** Messages that a provider sends by itself. */
export interface InboundSource {
  /** Verifies a message with the program's own secrets; undefined where it is not the provider's own, or not fresh, or of the other mode. Throws where the provider would have to be asked and cannot be. */
  read(
    program: RailProgram,
    message: { readonly headers: Headers; readonly rawBody: string },
  ): Promise<ProviderEvent | undefined>;
}

export interface PayoutRail {
  readonly method: PayoutMethod;
  /** Freezes provider account, API version, destination and request bytes; makes no call that moves money. */
  freeze(
    program: RailProgram,
    payout: Payout,
    affiliate: Affiliate,
    next: NextAttempt,
  ): Promise<Instruction | { refusal: Refusal }>;
  /** Sends exactly the attempt's bytes under its key, through its own provider account. Never throws for provider trouble. */
  send(program: RailProgram, attempt: Attempt): Promise<RailOutcome>;
  /**
   * Looks for what an earlier send may have done: settled or accepted where found, undefined where it was not found.
   * `ref` is the provider's own id where a message named it: what stands behind it counts also where a list does not show it yet.
   */
  find(program: RailProgram, attempt: Attempt, ref?: string): Promise<RailOutcome | undefined>;
  /** How much of a settled attempt has come back so far, in minor units: the provider is asked; undefined where it cannot be. */
  returned?(program: RailProgram, attempt: Attempt): Promise<number | undefined>;
  /** Whether the provider's own history shows, beyond its lists, that the attempt was never carried out; false at the least doubt. */
  isAbsent?(program: RailProgram, attempt: Attempt): Promise<boolean>;
  /** How long after the attempt began the same key and bytes may be sent again, in milliseconds; 0 where never. */
  readonly resendWindowMs: number;
}
