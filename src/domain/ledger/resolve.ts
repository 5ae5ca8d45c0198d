// A person closes what no look-up settles, and only where no send can overtake what is said.
import { toInstant } from "../dates.ts";
import {
  type Attempt,
  DEFERRED_QUIET_MS,
  type Payout,
  QUIET_AFTER_WINDOW_MS,
  resendWindowOf,
} from "../payout.ts";
import { refuse } from "../refusals.ts";
import type { PaymentCommand } from "./command.ts";
import type { Draft, Step } from "./draft.ts";
import { failPayout, settlePayout } from "./settle.ts";

type ResolveCommand = Extract<PaymentCommand, { kind: "resolve" }>;

/** Wise keeps an unfunded transfer for 14 days. */
const HAND_WINDOW_MS = 15 * 86_400_000;

const isResolvable = ({ state, rail, createdAt }: Attempt, now: number): boolean =>
  state === "unknown" ||
  state === "deferred" ||
  state === "accepted" ||
  (state === "needs_hand" && rail === "wise" && now >= createdAt + HAND_WINDOW_MS);

/** Deferred means that nothing was ever sent; otherwise the last send may still be on its way when the window closes. */
const resolvableAsRefusedAt = ({ state, rail, createdAt, updatedAt }: Attempt): number =>
  state === "deferred"
    ? updatedAt + DEFERRED_QUIET_MS
    : createdAt + resendWindowOf(rail) + QUIET_AFTER_WINDOW_MS;

export const resolvePayment = (draft: Draft, before: Payout, command: ResolveCommand): Step => {
  const { attempt } = draft.book;
  if (before.status !== "processing" || attempt === undefined || !isResolvable(attempt, draft.realNow)) {
    return refuse(
      "invalid_state",
      "Only a payment that is unknown, deferred or accepted, or that waited at its provider for too long, can be resolved by a person.",
    );
  }
  const openUntil = resolvableAsRefusedAt(attempt);
  if (command.outcome === "refused" && draft.realNow < openUntil) {
    const until = toInstant(openUntil);
    return refuse(
      "payment_under_way",
      `The payment is still tried under its own key; that it did not happen can be said from ${until}.`,
      { facts: { until } },
    );
  }
  const payout =
    command.outcome === "settled"
      ? settlePayout(draft, before, {
          via: attempt.rail,
          ref: command.externalRef,
          paidAt: draft.now,
          attempt,
          note: command.evidence,
          isByHand: attempt.providerRef !== null,
        })
      : failPayout(draft, before, attempt, { code: "resolved_refused", detail: command.evidence });
  return { result: { kind: "payout", payout } };
};
