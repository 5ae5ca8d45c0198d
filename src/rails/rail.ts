// What every way of paying must offer: freeze an instruction, send it, look for it; outcomes are values, never thrown.
import type { Affiliate } from "../domain/affiliate.ts";
import type { ProgramId } from "../domain/ids.ts";
import type { Instruction } from "../domain/ledger/command.ts";
import type { Attempt, Payout, PayoutMethod, RailOutcome } from "../domain/payout.ts";
import type { Refusal } from "../domain/refusals.ts";

/** Which program's credentials a call uses, and in which mode. */
export interface RailProgram {
  readonly id: ProgramId;
  readonly mode: "test" | "live";
}

export interface PayoutRail {
  readonly method: PayoutMethod;
  /** Freezes provider account, API version, destination and request bytes; makes no call that moves money. */
  freeze(
    program: RailProgram,
    payout: Payout,
    affiliate: Affiliate,
  ): Promise<Instruction | { refusal: Refusal }>;
  /** Sends exactly the attempt's bytes under its key, through its own provider account. Never throws for provider trouble. */
  send(program: RailProgram, attempt: Attempt): Promise<RailOutcome>;
  /** Looks for what an earlier send may have done: settled or accepted where found, undefined where it was not found. */
  find(program: RailProgram, attempt: Attempt): Promise<RailOutcome | undefined>;
  /** How long after the attempt began the same key and bytes may be sent again, in milliseconds; 0 where never. */
  readonly resendWindowMs: number;
}
