// Claims: commissions and money become a payout's, by generation, by request, by choice, or again after a release.
import { type Affiliate, methodOf } from "../affiliate.ts";
import { dateOf } from "../dates.ts";
import { actorName } from "../events.ts";
import type { Payout } from "../payout.ts";
import { planClaim, type Reason } from "../plan.ts";
import { type RefusalCode, refuse } from "../refusals.ts";
import type { ChoiceSummary, DueSummary } from "./book.ts";
import type { ClaimCommand } from "./command.ts";
import {
  announcePayout,
  announceRecovery,
  type Draft,
  move,
  nextBody,
  owedOf,
  putPayout,
  type Step,
} from "./draft.ts";

const REFUSED_AS: Partial<Record<Reason, RefusalCode>> = {
  affiliate_suspended: "affiliate_suspended",
  recovery_exceeds_earnings: "recovery_exceeds_earnings",
  below_minimum: "below_minimum",
  currency_not_supported_by_method: "currency_not_supported_by_method",
  no_payout_method: "no_payout_method",
  tax_form_required: "tax_form_required",
};

/** available → reserved what will be sent, available → recovery what is owed. */
const reserve = (draft: Draft, payout: Pick<Payout, "id" | "currency" | "amount" | "recovered">): void => {
  move(draft, "claim", payout.currency, "available", "reserved", payout.amount, { payoutId: payout.id });
  move(draft, "claim_recovery", payout.currency, "available", "recovery", payout.recovered, {
    payoutId: payout.id,
  });
  if (payout.recovered > 0) announceRecovery(draft, payout.currency);
};

const notFree = (choice: ChoiceSummary) => {
  const first = choice.notFree[0];
  const facts =
    first === undefined
      ? {}
      : { commission_id: first.id, ...(first.payoutId === null ? {} : { payout_id: first.payoutId }) };
  const detail =
    first === undefined
      ? "Not every commission of the payout can be claimed again."
      : `${choice.notFree.length} commission(s) are not free, approved and payable; the first is ${first.id}, ${first.status}.`;
  return refuse("commissions_not_free", detail, { facts });
};

const asDue = (choice: ChoiceSummary): DueSummary => ({
  count: choice.count,
  gross: choice.gross,
  oldestAt: choice.oldestAt,
  newestAt: choice.newestAt,
  held: 0,
  pending: 0,
  inHold: 0,
  nextPayableAt: null,
  outside: 0,
});

const claimable = (
  draft: Draft,
  command: ClaimCommand,
  affiliate: Affiliate,
): { due: DueSummary; recovered: number; net: number } | ReturnType<typeof refuse> => {
  const { choice, policy } = draft.book;
  if (affiliate.status === "suspended" && (choice === undefined || choice.missing === 0))
    return refuse("affiliate_suspended", "The affiliate is suspended.");
  if (choice !== undefined && choice.missing > 0) {
    return refuse(
      "commission_not_found",
      `${choice.missing} of the commissions are not this affiliate's in ${command.selector.currency}.`,
      { pointer: "/commission_ids" },
    );
  }
  if (choice !== undefined && choice.notFree.length > 0) return notFree(choice);
  const due = choice === undefined ? draft.book.due : asDue(choice);
  if (due === undefined) throw new Error("claim without its sums");
  if (due.count === 0) return refuse("nothing_due", "Nothing is payable here now.");
  const owed = owedOf(draft, command.selector.currency);
  const plan = planClaim({
    affiliate,
    policy,
    currency: command.selector.currency,
    due,
    owed,
    now: draft.now,
    minimumWarnsOnly: command.by === "person",
  });
  const stop = plan.stops.find((blocker) => REFUSED_AS[blocker.reason] !== undefined);
  if (stop !== undefined) {
    const code = REFUSED_AS[stop.reason] ?? "nothing_due";
    return refuse(
      code,
      stop.detail,
      stop.missingAmount === undefined ? {} : { facts: { missing_amount: stop.missingAmount } },
    );
  }
  return { due, recovered: plan.recovered, net: plan.net };
};

export const claim = (draft: Draft, command: ClaimCommand): Step => {
  const { affiliate, affiliateId, policy } = draft.book;
  if (affiliate === undefined)
    return refuse("affiliate_not_found", "No such affiliate in this program.", { pointer: "/affiliate_id" });
  const plan = claimable(draft, command, affiliate);
  if ("refusal" in plan) return plan;
  const status = command.by === "request" ? "requested" : "pending";
  const actor = actorName(draft.actor);
  const payout: Payout = {
    id: `po_${nextBody(draft)}`,
    affiliateId,
    currency: command.selector.currency,
    gross: plan.due.gross,
    recovered: plan.recovered,
    refunded: 0,
    amount: plan.net,
    returnedAmount: 0,
    latePaid: 0,
    commissionCount: plan.due.count,
    periodStart: command.periodStart ?? dateOf(plan.due.oldestAt ?? draft.now, policy.time_zone),
    periodEnd: command.periodEnd,
    status,
    sent: false,
    method: methodOf(affiliate),
    destinationSha: affiliate.destination?.sha ?? null,
    attemptCount: 0,
    externalRef: null,
    externalId: null,
    createdBy: actor,
    approvedAt: null,
    approvedBy: null,
    paidAt: null,
    paidVia: null,
    expectedBy: null,
    stalledAt: null,
    failureCode: null,
    failureDetail: null,
    adminNote: command.adminNote,
    partnerMessage: null,
    runId: command.runId,
    sessionId: command.sessionId,
    claims: 1,
    history: [{ at: draft.now, from: null, to: status, actor }],
    createdAt: draft.now,
    updatedAt: draft.now,
  };
  reserve(draft, payout);
  draft.insertedPayout = payout;
  draft.lines.push({ kind: "claim", payoutId: payout.id, selector: command.selector, count: plan.due.count });
  announcePayout(draft, status === "requested" ? "payout.requested" : "payout.generated", payout, undefined);
  return { result: { kind: "payout", payout } };
};

/** Retry and reopen: exactly the same commissions again, at what is left of them now; the minimum does not apply. */
export const reclaim = (draft: Draft, before: Payout): Step => {
  const { affiliate, choice } = draft.book;
  if (affiliate === undefined || choice === undefined) throw new Error("reclaim without its sums");
  if (affiliate.status === "suspended") return refuse("affiliate_suspended", "The affiliate is suspended.");
  if (choice.missing > 0 || choice.notFree.length > 0 || choice.count !== before.commissionCount)
    return notFree(choice);
  const recovered = owedOf(draft, before.currency);
  const amount = choice.gross - recovered;
  if (amount <= 0)
    return refuse(
      "recovery_exceeds_earnings",
      "What is owed from refunds after payment is not less than what is due.",
    );
  const payout = putPayout(draft, before, {
    status: "pending",
    gross: choice.gross,
    recovered,
    refunded: 0,
    amount,
    sent: false,
    claims: before.claims + 1,
    method: methodOf(affiliate),
    destinationSha: affiliate.destination?.sha ?? null,
    approvedAt: null,
    approvedBy: null,
    failureCode: null,
    failureDetail: null,
    expectedBy: null,
    stalledAt: null,
  });
  reserve(draft, payout);
  draft.lines.push({
    kind: "claim",
    payoutId: payout.id,
    selector: { by: "lines", payoutId: payout.id },
    count: choice.count,
  });
  announcePayout(draft, "payout.updated", payout, before.status);
  return { result: { kind: "payout", payout } };
};
