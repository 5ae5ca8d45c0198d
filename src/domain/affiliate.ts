// An affiliate: who is paid, where to, and what stands in the way.
import type { AffiliateId } from "./ids.ts";
import type { PayoutMethod } from "./payout.ts";
import type { Overrides } from "./policy.ts";
import type { TaxFormStanding } from "./tax.ts";

export const AFFILIATE_STATUSES = ["active", "suspended"] as const;
export type AffiliateStatus = (typeof AFFILIATE_STATUSES)[number];

/** Where money goes. `sha` names the destination for comparison; `sealed` holds what must not be read in the clear. */
export interface Destination {
  readonly method: PayoutMethod;
  readonly sha: string;
  /** Account id or address that the rail is told; null where it is sealed or there is none. */
  readonly account: string | null;
  /** What people may see: an account id, an address, or the last four characters. */
  readonly display: string | null;
  readonly sealed: string | null;
  readonly currency: string | null;
}

export interface Affiliate {
  readonly id: AffiliateId;
  readonly externalId: string | null;
  readonly name: string;
  readonly email: string;
  readonly country: string | null;
  readonly metadata: string | null;
  readonly status: AffiliateStatus;
  readonly overrides: Overrides;
  readonly destination: Destination | null;
  /** When the destination replaced an earlier one; null for the first, which has no cooldown. */
  readonly destinationChangedAt: number | null;
  readonly ready: boolean;
  /** Names of what the provider still misses. */
  readonly missing: readonly string[];
  /** When the provider was asked for `ready` and `missing`; null where nobody was asked. */
  readonly readyAsOf: number | null;
  /** When the affiliate's Stripe account could first be sent money. */
  readonly onboardedAt: number | null;
  /** The form on file, whether it still counts or not. */
  readonly taxForm: TaxFormStanding | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** No chosen method counts as manual. */
export const methodOf = (affiliate: Affiliate): PayoutMethod => affiliate.destination?.method ?? "manual";
