// Generate's answer as tests read it.
import type { Answer, Loose, World } from "./world.ts";

export interface Blocker {
  readonly reason: string;
  readonly detail: string;
  readonly until?: string;
  readonly missing_amount?: number;
  readonly payout_id?: string;
}

export interface Payout extends Loose {
  readonly affiliate_id: string;
  readonly currency: string;
  readonly amount: number;
  readonly gross_amount: number;
  readonly commission_ids: readonly string[];
  readonly blockers: readonly Blocker[];
}

export interface Skip {
  readonly affiliate_id: string;
  readonly currency: string;
  readonly reason: string;
  readonly blockers: readonly Blocker[];
  readonly next_eligible_at?: string;
}

export interface Generated {
  readonly run_id: string | null;
  readonly status: string;
  readonly payouts: readonly Payout[];
  readonly skipped: readonly Skip[];
  readonly skipped_count: Readonly<Record<string, number>>;
  readonly totals: readonly { readonly currency: string; readonly amount: number; readonly count: number }[];
  readonly code?: string;
  readonly errors?: readonly { readonly pointer: string }[];
}

export interface Page<Item> {
  readonly data: readonly Item[];
  readonly has_more: boolean;
  readonly next_cursor: string | null;
}

export const generate = (
  world: World,
  more: Record<string, unknown> = {},
  headers: Record<string, string> = {},
): Promise<Answer<Generated>> => {
  const body = { period_end: new Date(world.now()).toISOString().slice(0, 10), ...more };
  return world.call<Generated>("POST", "/v1/payouts/generate", body, headers);
};

/** The one payout of what is due. */
export const payoutOfDue = async (world: World, more: Record<string, unknown> = {}): Promise<Payout> => {
  const { body } = await generate(world, more);
  const [payout] = body.payouts ?? [];
  if (payout === undefined || body.payouts.length !== 1)
    throw new Error(`expected one payout: ${JSON.stringify(body)}`);
  return payout;
};

/** A payout of chosen commissions. */
export const create = <T = Payout>(
  world: World,
  affiliateId: string,
  commissions: readonly string[],
  more: object = {},
) =>
  world.call<T>("POST", "/v1/payouts", {
    affiliate_id: affiliateId,
    currency: "USD",
    commission_ids: commissions,
    ...more,
  });

/** Everything of a list, page by page. */
export const readAll = async <Item = Loose>(world: World, path: string): Promise<Item[]> => {
  const items: Item[] = [];
  const glue = path.includes("?") ? "&" : "?";
  for (let at = ""; ; ) {
    const page = await world.ok<Page<Item>>("GET", path + at);
    items.push(...page.data);
    if (page.next_cursor === null) return items;
    at = `${glue}cursor=${encodeURIComponent(page.next_cursor)}`;
  }
};
