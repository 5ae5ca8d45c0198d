// A webhook endpoint and its deliveries: ids, states, and how much of each there may be.
import type { EventType } from "../events.ts";
import type { ProgramId } from "../ids.ts";

export type EndpointId = `whe_${string}`;
export type DeliveryId = `dlv_${string}`;

/** What an endpoint asks for; `*` is every type, those to come included. */
export type Subscription = EventType | "*";

export const DELIVERY_STATES = ["due", "delivered", "exhausted"] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** Switched off by hand, by an answer of 410, or after days of nothing but failures. */
export const DISABLED_REASONS = ["by_hand", "gone", "failing"] as const;
export type DisabledReason = (typeof DISABLED_REASONS)[number];

export const ENDPOINTS_MAX = 20;
export const RATE_PER_S_DEFAULT = 10;
export const RATE_PER_S_MAX = 100;

/** Deliveries are kept for so long, and nothing older is sent again. */
export const RETENTION_MS = 30 * 86_400_000;

/** Instants are epoch milliseconds. */
export interface Endpoint {
  readonly programId: ProgramId;
  readonly id: EndpointId;
  readonly url: string;
  readonly events: readonly Subscription[];
  readonly description: string | null;
  readonly isActive: boolean;
  /** Until when the secret before the present one signs too; null where there is none. */
  readonly previousUntil: number | null;
  readonly ratePerS: number;
  readonly failingSince: number | null;
  readonly lastFailedAt: number | null;
  readonly disabledAt: number | null;
  readonly disabledReason: DisabledReason | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** Whatever stands beside `*` is in it. */
export const subscriptionOf = (events: readonly Subscription[]): readonly Subscription[] =>
  events.includes("*") ? ["*"] : [...new Set(events)];

/** A delivery's id is its place: the endpoint's body and the event's position. */
export const deliveryIdOf = (endpointId: EndpointId, position: number): DeliveryId =>
  `dlv_${endpointId.slice("whe_".length)}${position.toString(36).toUpperCase().padStart(10, "0")}`;
