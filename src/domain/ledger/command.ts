// The commands that a turn may apply to an affiliate's book, and what of the book each needs to see.
import type { Destination } from "../affiliate.ts";
import type { AttemptId, CommissionId, PayoutId, RunId } from "../ids.ts";
import type { Currency } from "../money.ts";
import type { PayoutMethod, RailOutcome } from "../payout.ts";
import type { Overrides } from "../policy.ts";
import type { TaxFormStanding } from "../tax.ts";
import type { Selector } from "./book.ts";

export interface NewAffiliate {
  readonly externalId: string | null;
  readonly name: string;
  readonly email: string;
  readonly country: string | null;
  readonly metadata: string | null;
  readonly overrides: Overrides;
}

/** What the rail froze for one instruction: made before the turn, kept by it. */
export interface Instruction {
  readonly rail: PayoutMethod;
  readonly providerAccount: string;
  readonly apiVersion: string;
  readonly destination: string;
  readonly destinationSha: string | null;
  readonly request: string;
  readonly amount: number;
  readonly currency: Currency;
}

export type CommissionRef = { readonly id: CommissionId } | { readonly externalId: string };

/** Merged into what stands; null takes an override away. */
export type OverridesPatch = { readonly [Field in keyof Overrides]?: Overrides[Field] | null };

export type AffiliateCommand =
  | { readonly kind: "create_affiliate"; readonly affiliate: NewAffiliate }
  | {
      readonly kind: "update_affiliate";
      readonly patch: Partial<Omit<NewAffiliate, "externalId" | "overrides">> & {
        readonly status?: "active" | "suspended";
        readonly overrides?: OverridesPatch;
      };
    }
  | {
      readonly kind: "set_payout_method";
      readonly destination: Destination;
      readonly ready: boolean;
      readonly missing: readonly string[];
      /** When the provider was asked for the two; null where nobody was. */
      readonly readyAsOf: number | null;
    }
  /** What a provider says of the account that the affiliate's money goes to; of another account it is nothing. */
  | {
      readonly kind: "set_readiness";
      readonly account: string;
      readonly ready: boolean;
      readonly missing: readonly string[];
      readonly readyAsOf: number;
    }
  | { readonly kind: "set_tax_form"; readonly form: TaxFormStanding; readonly sealed: string }
  /** The destination under another master key; nothing that anyone can see changes. */
  | { readonly kind: "reseal_destination"; readonly sealed: string; readonly resealed: string };

/** A person has compared the restored book with the providers: money may leave for this affiliate again. */
export interface ConfirmBook {
  readonly kind: "confirm_book";
  readonly evidence: string;
}

export type CommissionCommand =
  | {
      readonly kind: "record";
      readonly externalId: string;
      readonly amount: number | null;
      /** Minor units; the commission is the affiliate's rate of it. */
      readonly orderAmount: number | null;
      readonly currency: Currency;
      readonly occurredAt: number;
      readonly status: "pending" | "approved" | null;
      readonly metadata: string | null;
      readonly requestSha: string;
    }
  | {
      readonly kind: "credit";
      readonly grant: "credit" | "bonus";
      readonly amount: number;
      readonly currency: Currency;
      readonly note: string;
      readonly externalId: string | null;
      readonly requestSha: string;
    }
  | {
      readonly kind: "approve" | "reject" | "hold" | "release";
      readonly commission: CommissionRef;
      readonly reason: string | null;
    }
  | {
      readonly kind: "reverse";
      readonly commission: CommissionRef;
      readonly amount: number | null;
      readonly orderAmount: number | null;
      readonly reason: string;
      readonly externalId: string | null;
      readonly requestSha: string;
    };

export type ClaimCommand = {
  readonly kind: "claim";
  readonly by: "generate" | "request" | "person";
  readonly selector: Exclude<Selector, { by: "lines" }>;
  /** The asked period, dates in the program's zone; null start means from the oldest commission on. */
  readonly periodStart: string | null;
  readonly periodEnd: string;
  readonly runId: RunId | null;
  readonly sessionId: string | null;
  readonly adminNote: string | null;
};

export type PayoutCommand =
  | {
      readonly kind: "accept" | "approve_payout" | "withdraw" | "retry" | "reopen";
      readonly payoutId: PayoutId;
    }
  | {
      readonly kind: "pay";
      readonly payoutId: PayoutId;
      /** A person pays it, whatever the affiliate's method: nothing of it is sent by API. */
      readonly byHand?: true;
    }
  | {
      readonly kind: "deny" | "cancel" | "mark_failed" | "return";
      readonly payoutId: PayoutId;
      readonly reason: string;
    }
  | {
      readonly kind: "mark_paid";
      readonly payoutId: PayoutId;
      readonly externalRef: string | null;
      readonly amount: number | null;
      readonly paidAt: number | null;
      /** null means by hand; what a rail pays, only the rail settles. */
      readonly paidVia: "manual" | "bank_transfer" | null;
      readonly adminNote: string | null;
      readonly partnerMessage: string | null;
    }
  | {
      readonly kind: "annotate";
      readonly payoutId: PayoutId;
      readonly externalRef?: string | null;
      readonly adminNote?: string | null;
      readonly partnerMessage?: string | null;
    };

export type PaymentCommand =
  | { readonly kind: "begin_payment"; readonly payoutId: PayoutId; readonly instruction: Instruction }
  | {
      readonly kind: "conclude_payment";
      readonly payoutId: PayoutId;
      readonly attemptId: AttemptId;
      readonly outcome: RailOutcome;
    }
  | {
      readonly kind: "resolve";
      readonly payoutId: PayoutId;
      readonly outcome: "settled" | "refused";
      readonly externalRef: string | null;
      readonly evidence: string;
    }
  | {
      readonly kind: "provider_return";
      readonly payoutId: PayoutId;
      /** All that has come back so far, minor units: the same word again changes nothing. */
      readonly total: number;
      readonly reason: string;
    }
  /** A deferred attempt is about to be sent after all: written down first, so that a call that dies half way is not taken for none. */
  | { readonly kind: "resume_payment"; readonly payoutId: PayoutId; readonly attemptId: AttemptId }
  | { readonly kind: "stall"; readonly payoutId: PayoutId; readonly reason: string }
  /** What kept the payment from beginning: the payout goes back to pending. */
  | {
      readonly kind: "send_back";
      readonly payoutId: PayoutId;
      /** How long the payout's history was when this was found: what happened since is not undone. */
      readonly steps: number;
      readonly code: string;
      readonly detail: string;
    };

export type MoneyCommand =
  | {
      readonly kind: "spend_store_credit";
      readonly amount: number;
      readonly currency: Currency;
      /** The order's, at the shop. */
      readonly externalId: string;
      readonly note: string | null;
    }
  | {
      readonly kind: "refund_store_credit";
      readonly amount: number;
      readonly currency: Currency;
      /** The refund's, at the shop. */
      readonly externalId: string;
      /** Of the spend that it gives back. */
      readonly spendExternalId: string;
      readonly note: string | null;
    }
  | {
      readonly kind: "settle_recovery";
      readonly amount: number;
      readonly currency: Currency;
      readonly how: "written_off" | "repaid";
      readonly note: string;
    };

export type Command =
  | ConfirmBook
  | AffiliateCommand
  | CommissionCommand
  | ClaimCommand
  | PayoutCommand
  | PaymentCommand
  | MoneyCommand;

/** What a command reads besides the head, the affiliate and the balances. A command that needs nothing may use a cached book. */
export interface Needs {
  readonly commission?: CommissionRef;
  readonly refundExternalId?: string | null;
  readonly payoutId?: PayoutId;
  readonly attemptId?: AttemptId;
  /** Also the payout of the commission, with its lines. */
  readonly payoutOfCommission?: boolean;
  readonly selector?: Selector;
  readonly spend?: SpendRef;
}

/** Store credit that was spent under the shop's own id. */
export interface SpendRef {
  readonly currency: Currency;
  readonly externalId: string;
}

export const needsOf = (command: Command): Needs => {
  switch (command.kind) {
    case "record":
    case "credit":
    case "create_affiliate":
    case "update_affiliate":
    case "set_payout_method":
    case "set_readiness":
    case "reseal_destination":
    case "set_tax_form":
    case "confirm_book":
    case "settle_recovery":
      return {};
    case "spend_store_credit":
      return { spend: { currency: command.currency, externalId: command.externalId } };
    case "refund_store_credit":
      return { spend: { currency: command.currency, externalId: command.spendExternalId } };
    case "approve":
    case "reject":
    case "hold":
    case "release":
      return { commission: command.commission };
    case "reverse":
      return {
        commission: command.commission,
        refundExternalId: command.externalId,
        payoutOfCommission: true,
      };
    case "claim":
      return { selector: command.selector };
    case "retry":
    case "reopen":
      return { payoutId: command.payoutId, selector: { by: "lines", payoutId: command.payoutId } };
    case "conclude_payment":
    case "resume_payment":
      return { payoutId: command.payoutId, attemptId: command.attemptId };
    default:
      return { payoutId: command.payoutId };
  }
};

/** Only a command that needs nothing beyond the head may be decided on a cached book. */
export const fitsCachedBook = (command: Command): boolean =>
  command.kind === "record" || command.kind === "credit";

/** Commands that send money out: refused while the book is behind the last payment that this object began. */
export const sendsMoney = (command: Command): boolean =>
  command.kind === "begin_payment" || command.kind === "pay";
