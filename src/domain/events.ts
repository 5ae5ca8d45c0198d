// The catalogue of events: what each announces, in the order of the feed. Data carries ids, states and amounts, never names or addresses.
import type { AffiliateId } from "./ids.ts";
import type { Currency } from "./money.ts";

export const EVENT_TYPES = [
  "commission.created",
  "commission.approved",
  "commission.rejected",
  "commission.held",
  "commission.released",
  "commission.reversed",
  "commission.paid",
  "payout.requested",
  "payout.generated",
  "payout.updated",
  "payout.approved",
  "payout.processing",
  "payout.paid",
  "payout.failed",
  "payout.cancelled",
  "payout.returned",
  "payout.stalled",
  "payout.paid_late",
  "affiliate.created",
  "affiliate.updated",
  "affiliate.onboarded",
  "affiliate.payout_method_changed",
  "recovery.changed",
  "run.completed",
  "program.updated",
  "api_key.created",
  "api_key.revoked",
  "webhook_endpoint.disabled",
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

export interface EventData {
  readonly object:
    | "commission"
    | "payout"
    | "affiliate"
    | "recovery"
    | "run"
    | "program"
    | "api_key"
    | "webhook_endpoint";
  readonly id: string;
  readonly affiliate_id?: AffiliateId;
  readonly payout_id?: string;
  readonly run_id?: string;
  readonly status?: string;
  readonly previous_status?: string;
  /** Minor units of `currency`. */
  readonly amount?: number;
  readonly currency?: Currency;
  readonly reason?: string;
}

export interface EventDraft {
  readonly type: EventType;
  readonly data: EventData;
}

/** Who caused a change: an API key, an affiliate with a portal token, the clock, or a provider. */
export interface Actor {
  readonly type: "key" | "affiliate" | "schedule" | "provider";
  readonly id: string;
}

export const actorName = (actor: Actor): string => `${actor.type}:${actor.id}`;
