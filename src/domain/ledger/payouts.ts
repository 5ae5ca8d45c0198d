// Payouts in a person's hands: accept, approve, pay, mark, cancel, try again, take back.
import { methodOf } from "../affiliate.ts";
import { actorName } from "../events.ts";
import { EXPECTED_WITHIN_MS, type Payout, type PayoutAction } from "../payout.ts";
import { affiliateBlockers, destinationBlockers, type Reason } from "../plan.ts";
import { REFUSAL_CODES, type RefusalCode, refuse } from "../refusals.ts";
import { markFailed, markPaid, returnByHand } from "./by-hand.ts";
import { reclaim } from "./claims.ts";
import type { PayoutCommand } from "./command.ts";
import { capDaily, uncapDaily } from "./daily-limit.ts";
import { announcePayout, type Draft, putPayout, type Step } from "./draft.ts";
import { giveBack } from "./release.ts";
import { moved } from "./transitions.ts";

type Of<K extends PayoutCommand["kind"]> = Extract<PayoutCommand, { kind: K }>;

const shift = (
  draft: Draft,
  before: Payout,
  action: PayoutAction,
  patch: Partial<Payout>,
  event: "payout.updated" | "payout.approved",
): Step => {
  const next = moved(before, action);
  if ("refusal" in next) return next;
  const payout = putPayout(draft, before, { ...patch, status: next.status });
  announcePayout(draft, event, payout, before.status);
  return { result: { kind: "payout", payout } };
};

/** The affiliate's present destination: approval, and payment where none is needed, are for exactly this one. */
const destinationNow = (draft: Draft): Pick<Payout, "method" | "destinationSha"> => {
  const { affiliate } = draft.book;
  if (affiliate === undefined) throw new Error("a payout without its affiliate");
  return { method: methodOf(affiliate), destinationSha: affiliate.destination?.sha ?? null };
};

/** Who made the payout what it is now: created it, accepted it, retried or reopened it. */
const madeBy = (payout: Payout): readonly string[] => [
  payout.createdBy,
  ...payout.history
    .filter(({ from, to }) => to === "pending" && from !== "approved" && from !== "processing")
    .map(({ actor }) => actor),
];

const approve = (draft: Draft, before: Payout): Step => {
  if (before.status === "approved") return { unchanged: { kind: "payout", payout: before } };
  const next = moved(before, "approve");
  if ("refusal" in next) return next;
  if (draft.book.policy.four_eyes && madeBy(before).includes(actorName(draft.actor))) {
    return refuse(
      "four_eyes",
      "The program asks for four eyes: the key that made this payout, accepted it or brought it back cannot approve it.",
    );
  }
  const patch = { approvedAt: draft.now, approvedBy: actorName(draft.actor), ...destinationNow(draft) };
  return shift(draft, before, "approve", patch, "payout.approved");
};

const REFUSED_AS: Partial<Record<Reason, RefusalCode>> = {
  affiliate_suspended: "affiliate_suspended",
  currency_not_supported_by_method: "currency_not_supported_by_method",
  no_payout_method: "no_payout_method",
  tax_form_required: "tax_form_required",
  payout_method_not_ready: "payout_method_not_ready",
  destination_cooldown: "destination_cooldown",
};

/** What keeps this payout's money from leaving now, of the program's rules and the affiliate's state. */
export const paymentStop = (draft: Draft, payout: Payout): ReturnType<typeof refuse> | undefined => {
  const { affiliate, policy } = draft.book;
  if (affiliate === undefined) throw new Error("a payout without its affiliate");
  const blockers = [
    ...affiliateBlockers(affiliate, policy, payout.currency, draft.now),
    ...destinationBlockers(affiliate, policy, draft.now),
  ];
  const stops = blockers.flatMap(({ reason, detail, until }) => {
    const code = REFUSED_AS[reason];
    const more = until === undefined ? {} : { facts: { until: new Date(until).toISOString() } };
    return code === undefined ? [] : [refuse(code, detail, more)];
  });
  if (policy.require_approval && payout.approvedAt === null)
    stops.push(refuse("awaiting_approval", "The program requires approval: approve the payout first."));
  if (payout.status !== "pending" && payout.destinationSha !== (affiliate.destination?.sha ?? null))
    stops.push(refuse("destination_changed", "The destination changed since: approve the payout again."));
  return stops.sort(
    (x, y) => REFUSAL_CODES.indexOf(x.refusal.code) - REFUSAL_CODES.indexOf(y.refusal.code),
  )[0];
};

const pay = (draft: Draft, before: Payout, byHand: boolean): Step => {
  if (before.status === "processing") return { unchanged: { kind: "payout", payout: before } };
  const next = moved(before, "pay");
  if ("refusal" in next) return next;
  const stop = paymentStop(draft, before);
  if (stop !== undefined) return stop;
  const now = destinationNow(draft);
  if (before.status === "approved" && before.destinationSha !== now.destinationSha) {
    return refuse(
      "destination_changed",
      "The destination changed after approval: withdraw the approval and approve the payout again.",
    );
  }
  const payout = putPayout(draft, before, {
    ...now,
    ...(byHand ? { method: "manual" as const } : {}),
    status: next.status,
    expectedBy: draft.now + EXPECTED_WITHIN_MS,
    stalledAt: null,
  });
  capDaily(draft, payout);
  announcePayout(draft, "payout.processing", payout, before.status);
  return { result: { kind: "payout", payout } };
};

const cancel = (draft: Draft, before: Payout, action: "cancel" | "deny", reason: string): Step => {
  const next = moved(before, action);
  if ("refusal" in next) return next;
  if (before.status === "processing" && before.sent) {
    return refuse(
      "payment_under_way",
      "The payment was sent; wait for the rail's answer, or mark it failed where it is paid by hand.",
    );
  }
  if (before.status !== "failed") giveBack(draft, before, "reserved");
  if (before.status === "processing") uncapDaily(draft, before);
  const payout = putPayout(draft, before, { status: next.status, failureDetail: reason, expectedBy: null });
  announcePayout(
    draft,
    "payout.cancelled",
    payout,
    before.status,
    action === "deny" ? "denied" : "cancelled",
  );
  return { result: { kind: "payout", payout } };
};

const annotate = (draft: Draft, before: Payout, command: Of<"annotate">): Step => {
  if (
    command.externalRef !== undefined &&
    before.paidVia !== null &&
    before.paidVia !== "manual" &&
    before.paidVia !== "bank_transfer"
  ) {
    return refuse("settled_by_rail", "The rail's own reference stands for this payout.", {
      pointer: "/external_ref",
    });
  }
  const payout = putPayout(draft, before, {
    ...(command.externalRef === undefined ? {} : { externalRef: command.externalRef }),
    ...(command.adminNote === undefined ? {} : { adminNote: command.adminNote }),
    ...(command.partnerMessage === undefined ? {} : { partnerMessage: command.partnerMessage }),
  });
  announcePayout(draft, "payout.updated", payout, before.status);
  return { result: { kind: "payout", payout } };
};

export const reviewPayout = (draft: Draft, command: PayoutCommand): Step => {
  const before = draft.book.payout;
  if (before === undefined) return refuse("payout_not_found", "No such payout in this program.");
  switch (command.kind) {
    case "accept":
      return shift(draft, before, "accept", {}, "payout.updated");
    case "approve_payout":
      return approve(draft, before);
    case "withdraw":
      return shift(draft, before, "withdraw", { approvedAt: null, approvedBy: null }, "payout.updated");
    case "pay":
      return pay(draft, before, command.byHand === true);
    case "cancel":
    case "deny":
      return cancel(draft, before, command.kind, command.reason);
    case "mark_paid":
      return markPaid(draft, before, command);
    case "mark_failed":
      return markFailed(draft, before, command.reason);
    case "retry":
    case "reopen": {
      const next = moved(before, command.kind);
      return "refusal" in next ? next : reclaim(draft, before);
    }
    case "return":
      return returnByHand(draft, before, command.reason);
    case "annotate":
      return annotate(draft, before, command);
  }
};
