// The rules with one of them missing: what decide would answer if a rule had been forgotten, for the oracle to find.
import type { Book, Change, Entry, EntryKind, Result, Verdict } from "../../src/domain/ledger/book.ts";
import type { Command } from "../../src/domain/ledger/command.ts";
import { decide } from "../../src/domain/ledger/decide.ts";
import type { Decide } from "./memory-book.ts";

export interface Mutant {
  /** The rule that is missing. */
  readonly without: string;
  readonly decide: Decide;
}

/** The answer follows the altered change, so that only the book itself can give the mutant away. */
const answered = (result: Result, { updatedPayout, updatedAttempt }: Change): Result => {
  if (result.kind === "payout") return { ...result, payout: updatedPayout ?? result.payout };
  if (result.kind !== "attempt") return result;
  return { ...result, payout: updatedPayout ?? result.payout, attempt: updatedAttempt ?? result.attempt };
};

type Alter = (change: Change, book: Book, command: Command) => Change;

const altered =
  (alter: Alter): Decide =>
  (book, command, facts) => {
    const verdict: Verdict = decide(book, command, facts);
    if (verdict.kind !== "change") return verdict;
    const change = alter(verdict.change, book, command);
    return { ...verdict, change, result: answered(verdict.result, change) };
  };

/** The rules as they are, shown another book than the one that is stored. */
const misled =
  (show: (book: Book, command: Command) => Book): Decide =>
  (book, command, facts) =>
    decide(show(book, command), command, facts);

const without = (change: Change, kinds: readonly EntryKind[]): Change => ({
  ...change,
  entries: change.entries.filter(({ kind }) => !kinds.includes(kind)),
});

const withEntries = (change: Change, of: (entry: Entry) => Entry): Change => ({
  ...change,
  entries: change.entries.map(of),
});

const holdMoves = altered((change) => without(change, ["hold", "release_hold"]));

const cancelWhatIsLeft = altered((change, { payout }) =>
  withEntries(change, (entry) =>
    entry.kind === "release" && payout !== undefined
      ? { ...entry, amount: payout.gross - payout.recovered }
      : entry,
  ),
);

const returnGivesNettingBack = altered((change) =>
  change.entries.some(({ kind }) => kind === "return") ? without(change, ["release_recovery"]) : change,
);

const releaseAbsorbs = altered((change, { lines }) => ({
  ...without(change, ["absorb"]),
  insertedCommissions: change.insertedCommissions.filter(({ origin }) => origin !== "release"),
  updatedCommissions: change.updatedCommissions.map((commission) => {
    const clawed = lines?.clawed.find(({ id }) => id === commission.id);
    return clawed === undefined || commission.payoutId !== null
      ? commission
      : { ...clawed, payoutId: null, status: "approved" };
  }),
}));

const absorbCapped = altered((change, { lines }) => ({
  ...withEntries(change, (entry) => {
    const clawed = lines?.clawed.find(({ id }) => entry.kind === "absorb" && id === entry.commissionId);
    return clawed === undefined ? entry : { ...entry, amount: clawed.clawedBack };
  }),
  insertedCommissions: change.insertedCommissions.filter(({ origin }) => origin !== "release"),
}));

const collectedBecomesCredit = altered((change) => ({
  ...change,
  insertedCommissions: change.insertedCommissions.filter(({ origin }) => origin !== "release"),
}));

const failedReleasesOnce = altered((change, { payout }, command) => {
  if (command.kind !== "cancel" || payout?.status !== "failed") return change;
  const { currency, amount, id } = payout;
  const again: Entry = {
    ...{ kind: "release", currency, amount, from: "reserved", to: "available" },
    ...{ commissionId: null, payoutId: id, note: null },
  };
  return { ...change, entries: [...change.entries, again] };
});

const retryReclaims = altered((change, _book, command) =>
  command.kind === "retry" ? { ...without(change, ["claim", "claim_recovery"]), lines: [] } : change,
);

const reopenRecomputes = altered((change, { payout }, command) => {
  const { updatedPayout } = change;
  if (command.kind !== "reopen" || payout === undefined || updatedPayout === undefined) return change;
  const { gross, recovered, refunded, amount } = payout;
  const literal = withEntries(without(change, recovered === 0 ? ["claim_recovery"] : []), (entry) => ({
    ...entry,
    amount: entry.kind === "claim" ? amount : recovered,
  }));
  return { ...literal, updatedPayout: { ...updatedPayout, gross, recovered, refunded, amount } };
});

const storeCreditReturnsFromStoreCredit = altered((change) =>
  withEntries(change, (entry) =>
    entry.from === "store_credit" && entry.kind === "return" ? { ...entry, from: "paid" } : entry,
  ),
);

const storeCreditUnspentOnly: Decide = (book, command, facts) => {
  if (command.kind !== "return" || book.payout === undefined) return decide(book, command, facts);
  const { currency } = book.payout;
  const balance = book.balances[currency];
  if (balance === undefined) return decide(book, command, facts);
  const rich = { ...balance, store_credit: balance.store_credit + 1000 };
  return decide({ ...book, balances: { ...book.balances, [currency]: rich } }, command, facts);
};

const partsBecomeCredits = altered((change) => ({
  ...change,
  insertedCommissions: change.insertedCommissions.filter(({ origin }) => origin !== "return"),
}));

const refundCapped = misled((book, command) =>
  command.kind === "reverse" && book.commission !== undefined
    ? { ...book, commission: { ...book.commission, clawedBack: 0 } }
    : book,
);

const railAloneReturns = misled((book, command) =>
  command.kind === "return" && book.payout?.paidVia === "stripe"
    ? { ...book, payout: { ...book.payout, paidVia: "manual" } }
    : book,
);

const restReturnsLikeTheFirstPart = misled((book, command) =>
  command.kind === "provider_return" && book.payout !== undefined
    ? {
        ...book,
        payout: {
          ...book.payout,
          amount: book.payout.amount - book.payout.returnedAmount,
          returnedAmount: 0,
        },
      }
    : book,
);

const oneOpenAttempt = misled((book, command) =>
  command.kind === "begin_payment" && book.payout?.status === "processing"
    ? { ...book, payout: { ...book.payout, sent: false }, attempt: undefined }
    : book,
);

const onlyRefusedReleases: Decide = (book, command, facts) =>
  command.kind === "conclude_payment" && command.outcome.kind === "unknown"
    ? decide(book, { ...command, outcome: { kind: "refused", code: "timeout", detail: "timeout" } }, facts)
    : decide(book, command, facts);

const deferredNeverReplacesUnknown = altered((change, _book, command) =>
  command.kind === "conclude_payment" &&
  command.outcome.kind === "deferred" &&
  change.updatedAttempt !== undefined
    ? { ...change, updatedAttempt: { ...change.updatedAttempt, state: "deferred" } }
    : change,
);

const latePaymentIsOwed = altered((change) => without(change, ["paid_late"]));

const sentCannotBeCancelled = misled((book, command) =>
  command.kind === "cancel" && book.payout !== undefined
    ? { ...book, payout: { ...book.payout, sent: false } }
    : book,
);

const sentRefundIsOwed = misled((book, command) =>
  command.kind === "reverse" && book.payout?.status === "processing"
    ? { ...book, payout: { ...book.payout, sent: false } }
    : book,
);

/** What the rules make of a command that was misheard. */
const misheard =
  (hear: (command: Command, book: Book) => Command): Decide =>
  (book, command, facts) =>
    decide(book, hear(command, book), facts);

const totalsAreCumulative = misheard((command, { payout }) =>
  command.kind === "provider_return"
    ? { ...command, total: command.total + (payout?.returnedAmount ?? 0) }
    : command,
);

const onlyItsOwnAccount = misheard((command, { affiliate }) =>
  command.kind === "set_readiness"
    ? { ...command, account: affiliate?.destination?.account ?? command.account }
    : command,
);

const olderWordsAreIgnored = misheard((command, { affiliate }) =>
  command.kind === "set_readiness"
    ? { ...command, readyAsOf: Math.max(command.readyAsOf, affiliate?.readyAsOf ?? 0) }
    : command,
);

const sameWordLater: Decide = (book, command, facts) => {
  const verdict = decide(book, command, facts);
  const isSilent = verdict.kind === "change" && verdict.change.events.length === 0;
  return command.kind === "set_readiness" && isSilent
    ? { kind: "unchanged", result: verdict.result }
    : verdict;
};

const namedAgainKeepsNewerWord = misled((book, command) =>
  command.kind === "set_payout_method" && book.affiliate !== undefined
    ? { ...book, affiliate: { ...book.affiliate, readyAsOf: null } }
    : book,
);

const onboardedOnce = misled((book, command) =>
  (command.kind === "set_readiness" || command.kind === "set_payout_method") && book.affiliate !== undefined
    ? { ...book, affiliate: { ...book.affiliate, onboardedAt: null } }
    : book,
);

const resealSaysNothing = altered((change, { affiliateId }, command) =>
  command.kind === "reseal_destination"
    ? {
        ...change,
        events: [
          {
            type: "affiliate.updated",
            data: { object: "affiliate", id: affiliateId, affiliate_id: affiliateId },
          },
        ],
      }
    : change,
);

const handIsNeverLate = altered((change, { payout }, command) =>
  command.kind === "conclude_payment" && change.updatedPayout?.status === "processing" && payout !== undefined
    ? { ...change, updatedPayout: { ...change.updatedPayout, expectedBy: payout.expectedBy } }
    : change,
);

const onlyTheSpentComesBack = misled((book, command) =>
  command.kind === "refund_store_credit" && book.spend !== undefined
    ? { ...book, spend: { ...book.spend, amount: book.spend.amount + 1000 } }
    : book,
);

export const MUTANTS: readonly Mutant[] = [
  { without: "a hold moves the money out of available", decide: holdMoves },
  { without: "a cancel gives back what is left of the amount", decide: cancelWhatIsLeft },
  { without: "a return gives the netted recovery back", decide: returnGivesNettingBack },
  { without: "a release absorbs refunds that were booked on recovery", decide: releaseAbsorbs },
  { without: "the absorption is capped by what is owed", decide: absorbCapped },
  { without: "what was collected elsewhere becomes a credit", decide: collectedBecomesCredit },
  { without: "a failed payout gives back once", decide: failedReleasesOnce },
  { without: "a retry claims again", decide: retryReclaims },
  { without: "a reopen recomputes its sums", decide: reopenRecomputes },
  { without: "store credit returns from store credit", decide: storeCreditReturnsFromStoreCredit },
  { without: "store credit returns only unspent", decide: storeCreditUnspentOnly },
  { without: "a part that came back becomes a credit", decide: partsBecomeCredits },
  { without: "a refund is capped by what was not refunded", decide: refundCapped },
  { without: "only the rail takes its own payment back", decide: railAloneReturns },
  { without: "the rest comes back as the first part did", decide: restReturnsLikeTheFirstPart },
  { without: "one attempt is open at a time", decide: oneOpenAttempt },
  { without: "only a refusal releases money", decide: onlyRefusedReleases },
  { without: "a deferral never replaces unknown", decide: deferredNeverReplacesUnknown },
  { without: "a late payment is owed back", decide: latePaymentIsOwed },
  { without: "a sent payout cannot be cancelled", decide: sentCannotBeCancelled },
  { without: "a refund of a sent payout is owed", decide: sentRefundIsOwed },
  { without: "what came back is told as a total", decide: totalsAreCumulative },
  { without: "readiness is of the affiliate's own account", decide: onlyItsOwnAccount },
  { without: "an older word on readiness is ignored", decide: olderWordsAreIgnored },
  { without: "the same word later makes those in between too old", decide: sameWordLater },
  { without: "a destination named again keeps a newer word", decide: namedAgainKeepsNewerWord },
  { without: "an affiliate is onboarded once", decide: onboardedOnce },
  { without: "sealing again is not announced", decide: resealSaysNothing },
  { without: "of a spend no more comes back than it took", decide: onlyTheSpentComesBack },
  { without: "who waits for a person is not late", decide: handIsNeverLate },
];
