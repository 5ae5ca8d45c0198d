// What a turn knows and what it changes: the book as loaded for one command, and the change that one D1 batch commits.
import type { Affiliate } from "../affiliate.ts";
import type { Commission } from "../commission.ts";
import type { Actor, EventDraft } from "../events.ts";
import type { AffiliateId, CommissionId, PayoutId, ProgramId } from "../ids.ts";
import type { Currency } from "../money.ts";
import type { Attempt, Payout } from "../payout.ts";
import type { Blocker } from "../plan.ts";
import type { Policy } from "../policy.ts";
import type { Refusal } from "../refusals.ts";
import type { TaxFormStanding } from "../tax.ts";

export const ACCOUNTS = [
  "program",
  "pending",
  "available",
  "reserved",
  "paid",
  "recovery",
  "store_credit",
] as const;
export type Account = (typeof ACCOUNTS)[number];

/** Minor units per account; program is the contra and recovery is minus what is owed, so the sum is zero. */
export type Balance = Readonly<Record<Account, number>>;

export const ZERO_BALANCE: Balance = {
  program: 0,
  pending: 0,
  available: 0,
  reserved: 0,
  paid: 0,
  recovery: 0,
  store_credit: 0,
};

export const ENTRY_KINDS = [
  "record",
  "credit",
  "approve",
  "hold",
  "release_hold",
  "reject",
  "refund",
  "claim",
  "claim_recovery",
  "release",
  "release_recovery",
  "absorb",
  "settle",
  "return",
  "return_part",
  "paid_late",
  "spend",
  "refund_credit",
  "written_off",
] as const;
export type EntryKind = (typeof ENTRY_KINDS)[number];

/** An entry moves `amount` > 0 minor units from one account to another. */
export interface Entry {
  readonly kind: EntryKind;
  readonly currency: Currency;
  readonly from: Account;
  readonly to: Account;
  readonly amount: number;
  readonly commissionId: CommissionId | null;
  readonly payoutId: PayoutId | null;
  readonly note: string | null;
}

/** Which commissions a claim takes: all that are due in a period, chosen ones, or exactly a payout's own again. */
export type Selector =
  | {
      readonly by: "due";
      readonly currency: Currency;
      /** Payable at this instant; epoch milliseconds. */
      readonly asOf: number;
      /** occurred_at from (inclusive) and until (exclusive), epoch milliseconds. */
      readonly from: number;
      readonly until: number;
    }
  | { readonly by: "ids"; readonly currency: Currency; readonly ids: readonly CommissionId[] }
  | { readonly by: "lines"; readonly payoutId: PayoutId };

/** The commissions of one affiliate and currency that are not claimed, summed by what stands in their way. */
export interface DueSummary {
  readonly count: number;
  readonly gross: number;
  readonly oldestAt: number | null;
  readonly newestAt: number | null;
  readonly held: number;
  readonly pending: number;
  readonly inHold: number;
  /** When the first of those on hold becomes payable. */
  readonly nextPayableAt: number | null;
  readonly outside: number;
}

/** For a choice by id or by lines: what of it cannot be claimed. */
export interface ChoiceSummary {
  readonly count: number;
  readonly gross: number;
  readonly oldestAt: number | null;
  readonly newestAt: number | null;
  readonly missing: number;
  readonly notFree: readonly {
    readonly id: CommissionId;
    readonly status: string;
    readonly payoutId: PayoutId | null;
    readonly payableAt: number;
  }[];
}

/** A payout's commissions that still point to it. */
export interface LinesSummary {
  readonly held: number;
  readonly processing: number;
  /** Those with something clawed back, whole, for the release to absorb. */
  readonly clawed: readonly Commission[];
}

export interface Book {
  readonly programId: ProgramId;
  readonly livemode: boolean;
  readonly policyVersion: number;
  /** How far a test program's clock is ahead of real time, milliseconds; absent is not at all. */
  readonly clockOffset?: number;
  readonly policy: Policy;
  readonly affiliateId: AffiliateId;
  /** undefined only before create_affiliate. */
  readonly affiliate: Affiliate | undefined;
  readonly seq: number;
  readonly eventSeq: number;
  readonly balances: Readonly<Record<Currency, Balance>>;
  readonly commission?: Commission | undefined;
  /** A refund of this commission with the command's external_id, if one stands. */
  readonly refund?: Refund | undefined;
  readonly payout?: Payout | undefined;
  readonly lines?: LinesSummary | undefined;
  readonly attempt?: Attempt | undefined;
  readonly due?: DueSummary | undefined;
  readonly choice?: ChoiceSummary | undefined;
  readonly spend?: Spend | undefined;
}

/** Minor units: what an order spent of the store credit, and how much of that came back. */
export interface Spend {
  readonly amount: number;
  readonly refunded: number;
}

export interface Refund {
  readonly commissionId: CommissionId;
  readonly externalId: string | null;
  /** What was taken, minor units; zero where an order amount rounded to nothing. */
  readonly amount: number;
  readonly orderAmount: number | null;
  readonly reason: string;
  readonly requestSha: string;
}

/** What happens to all lines of a payout at once, however many there are. */
export type LinesChange =
  | {
      readonly kind: "claim";
      readonly payoutId: PayoutId;
      readonly selector: Selector;
      readonly count: number;
    }
  | { readonly kind: "settle"; readonly payoutId: PayoutId; readonly count: number }
  | { readonly kind: "release"; readonly payoutId: PayoutId; readonly count: number };

/** A cap that the database keeps: the counter grows by `by` and the batch fails when it would pass `cap`; it shrinks by a negative one, to zero at the least. */
export interface Capped {
  readonly name: string;
  readonly by: number;
  readonly cap: number;
}

/** What stood in the payout's way, and was owed from it, when its turn was decided. */
export interface PayoutStanding {
  readonly blockers: readonly Blocker[];
  /** Minor units. */
  readonly recoveryOwed: number;
}

/** What is stored with the turn and answered again on a replay; holds no name and no address. */
export type Result =
  | { readonly kind: "commission"; readonly commission: Commission }
  | { readonly kind: "payout"; readonly payout: Payout; readonly standing?: PayoutStanding }
  | { readonly kind: "payout_ref"; readonly payoutId: PayoutId }
  | { readonly kind: "affiliate"; readonly affiliateId: AffiliateId; readonly evidence?: string }
  | { readonly kind: "attempt"; readonly payout: Payout; readonly attempt: Attempt }
  | { readonly kind: "balance"; readonly currency: Currency; readonly balance: Balance };

/** A tax form as it is kept: what may be read, and the rest sealed. */
export interface FiledForm {
  readonly form: TaxFormStanding;
  readonly sealed: string;
}

export interface Change {
  readonly entries: readonly Entry[];
  readonly insertedCommissions: readonly Commission[];
  readonly updatedCommissions: readonly Commission[];
  readonly refunds: readonly Refund[];
  readonly insertedPayout: Payout | undefined;
  readonly updatedPayout: Payout | undefined;
  readonly lines: readonly LinesChange[];
  readonly insertedAttempt: Attempt | undefined;
  readonly updatedAttempt: Attempt | undefined;
  readonly insertedAffiliate: Affiliate | undefined;
  readonly updatedAffiliate: Affiliate | undefined;
  readonly insertedTaxForm: FiledForm | undefined;
  /** Payouts whose invoice, or credit note, takes the program's next number. */
  readonly invoiced: PayoutId | undefined;
  readonly creditNoted: PayoutId | undefined;
  readonly capped: Capped | undefined;
  readonly events: readonly EventDraft[];
  /** One commission.paid per settled line is announced after `events`. */
  readonly paidLines: { readonly payoutId: PayoutId; readonly count: number } | undefined;
}

export type Verdict =
  | { readonly kind: "change"; readonly change: Change; readonly result: Result }
  /** Nothing to do, the same answer again: no turn is written. */
  | { readonly kind: "unchanged"; readonly result: Result }
  | { readonly kind: "refused"; readonly refusal: Refusal };

/** Everything that decides a turn and must be the same when it is tried again. */
export interface TurnRequest {
  readonly programId: ProgramId;
  readonly affiliateId: AffiliateId;
  readonly commandId: string;
  readonly requestSha: string;
  readonly actor: Actor;
  /** An id body; all ids that the turn makes follow from it. */
  readonly mint: string;
  readonly command: import("./command.ts").Command;
}

export type TurnAnswer =
  | {
      readonly kind: "done";
      readonly result: Result;
      readonly seq: number;
      readonly at: number;
      readonly replayed: boolean;
      readonly written: boolean;
    }
  | { readonly kind: "refused"; readonly refusal: Refusal }
  /** Too many turns wait, or the fence failed five times in a row. */
  | { readonly kind: "busy"; readonly retryAfterS: number };
