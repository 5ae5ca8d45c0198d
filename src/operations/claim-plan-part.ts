// One part of a plan: its payouts are claimed exactly as they were shown, and whoever changed since the plan was checked is left alone.
import type { Ctx } from "../context.ts";
import type { AffiliateId } from "../domain/ids.ts";
import { toDecimal } from "../domain/money.ts";
import type { Payout } from "../domain/payout.ts";
import { type Blocker, planClaim } from "../domain/plan.ts";
import { commitTurns, type DecidedTurn } from "../store/book.ts";
import { type DueGroup, type DuePage, readDuePage } from "../store/due-page.ts";
import { readPayouts } from "../store/payouts.ts";
import { type PlanId, type PlanItem, readClaimed, readPlanPart } from "../store/plans.ts";
import type { Run } from "../store/runs.ts";
import {
  commandIdOf,
  dueQueryOf,
  itemStatements,
  type PageOutcome,
  passStatements,
  payoutsOf,
  planPage,
  type Skip,
  stayedOf,
} from "./claim-page.ts";

/** What a planned payout would be now; null where none could be made. */
export interface PlanChange {
  readonly item: PlanItem;
  readonly now: { readonly amount: number; readonly count: number } | null;
  readonly blockers: readonly Blocker[];
}

export interface Compared {
  readonly same: readonly DueGroup[];
  readonly changed: readonly PlanChange[];
}

const placeOf = (affiliateId: string, currency: string): string => `${affiliateId} ${currency}`;

const changeOf = (
  item: PlanItem,
  group: DueGroup | undefined,
  page: DuePage,
  now: number,
): PlanChange | undefined => {
  if (group === undefined) return { item, now: null, blockers: [] };
  const { affiliate, currency, due } = group;
  const owed = -(group.balances[currency]?.recovery ?? 0);
  const claim = planClaim({ affiliate, policy: page.policy, currency, due, owed, now });
  if (due.count === 0 || claim.stops.length > 0) return { item, now: null, blockers: claim.stops };
  const isSame =
    due.count === item.count &&
    due.gross === item.gross &&
    claim.recovered === item.recovered &&
    group.digest === item.digest;
  return isSame ? undefined : { item, now: { amount: claim.net, count: due.count }, blockers: [] };
};

/** The same affiliates, currencies, amounts and commissions, as the book says now. */
export const compareItems = (items: readonly PlanItem[], page: DuePage, now: number): Compared => {
  const groups = new Map(page.groups.map((group) => [placeOf(group.affiliate.id, group.currency), group]));
  const same: DueGroup[] = [];
  const changed: PlanChange[] = [];
  for (const item of items) {
    const group = groups.get(placeOf(item.affiliateId, item.currency));
    const change = changeOf(item, group, page, now);
    if (change !== undefined) changed.push(change);
    else if (group !== undefined) same.push(group);
  }
  // In the page's order: an affiliate's second currency is decided on the book after its first.
  const kept = new Set(same);
  return { same: page.groups.filter((group) => kept.has(group)), changed };
};

/** One sentence of what was planned and what would be. */
export const describeChange = ({ item, now, blockers }: PlanChange): string => {
  const { currency } = item;
  const planned = `Planned ${toDecimal(item.gross - item.recovered, currency)} ${currency} of ${item.count} commission(s)`;
  if (now === null)
    return `${planned}; now there is none to be made: ${blockers[0]?.detail ?? "nothing is due."}`;
  const other = now.amount === item.gross - item.recovered && now.count === item.count;
  return other
    ? `${planned}; now it would be of other commissions.`
    : `${planned}; now ${toDecimal(now.amount, currency)} ${currency} of ${now.count}.`;
};

const skipOf = (change: PlanChange): Skip => {
  const { affiliateId, currency } = change.item;
  const reason = change.blockers[0]?.reason ?? "not_selected";
  const own: Blocker = { reason: "not_selected", detail: describeChange(change) };
  return { affiliateId, currency, reason, blockers: [...change.blockers, own] };
};

const isOf = (item: PlanItem, payout: Pick<Payout, "affiliateId" | "currency">): boolean =>
  item.affiliateId === payout.affiliateId && item.currency === payout.currency;

/** Reads the affiliates of some items of a plan, by the plan's own terms. */
export const readItems = (ctx: Ctx, run: Run, items: readonly PlanItem[]): Promise<DuePage> => {
  const affiliateIds: AffiliateId[] = [...new Set(items.map(({ affiliateId }) => affiliateId))];
  const query = { ...dueQueryOf(run), affiliateIds, cursor: "", pageSize: affiliateIds.length };
  return readDuePage(ctx.db, { ...query, withDigest: true });
};

/** Those of the changed whose change is this run's own doing: its batch got through although its answer was lost, or another message made it. */
const madeOf = async (ctx: Ctx, run: Run, changed: readonly PlanChange[]): Promise<readonly Payout[]> => {
  if (changed.length === 0) return [];
  const commands = changed.map(({ item }) => commandIdOf(run, item.affiliateId, item.currency));
  const made = await readClaimed(ctx.db, run.programId, commands);
  return readPayouts(ctx.db, run.programId, [...made.values()]);
};

/** How often those who move meanwhile are read again before they are left alone. */
const REREADS = 8;

interface Progress {
  readonly payouts: Payout[];
  open: readonly PlanItem[];
}

const finish = (progress: Progress, payouts: readonly Payout[]): void => {
  progress.payouts.push(...payouts);
  progress.open = progress.open.filter((item) => !payouts.some((payout) => isOf(item, payout)));
};

/** Those who stand where they were read are committed; the others are read again. */
const commitStayed = async (
  ctx: Ctx,
  run: Run,
  page: DuePage,
  turns: readonly DecidedTurn[],
  progress: Progress,
): Promise<void> => {
  const stayed = await stayedOf(ctx, turns);
  if (stayed.length === 0 || stayed.length === turns.length) return;
  const payouts = payoutsOf(stayed);
  const items = itemStatements(ctx, run, page.policy, payouts, []);
  const outcome = await commitTurns(ctx.db, stayed, ctx.sleep, items);
  if (outcome.kind === "committed") finish(progress, payouts);
};

export const claimPlanPart = async (ctx: Ctx, run: Run, planId: PlanId): Promise<PageOutcome> => {
  const number = Number(run.cursor);
  const part = await readPlanPart(ctx.db, run.programId, planId, number);
  if (part === undefined) throw new Error(`plan ${planId} has no part ${number}`);
  const cursor = String(number + 1).padStart(8, "0");
  const progress: Progress = { payouts: [], open: part.items };
  for (let read = 1; ; read++) {
    const page = await readItems(ctx, run, progress.open);
    const { same, changed } = compareItems(progress.open, page, ctx.now());
    const made = await madeOf(ctx, run, changed);
    const isGivenUp = read > REREADS;
    const kept = isGivenUp ? [] : same;
    const { turns } = planPage(ctx, run, dueQueryOf(run), { ...page, groups: kept });
    const lost = changed.filter(({ item }) => !made.some((payout) => isOf(item, payout)));
    const skipped = [...lost.map(skipOf), ...(isGivenUp ? same.map(restlessOf) : [])];
    const payouts = [...payoutsOf(turns), ...made];
    const outcome = await commitTurns(ctx.db, turns, ctx.sleep, [
      ...itemStatements(ctx, run, page.policy, payouts, skipped),
      ...passStatements(ctx, run, { cursor, isLast: part.isLast, livemode: page.livemode }),
    ]);
    if (outcome.kind === "committed")
      return { payouts: [...progress.payouts, ...payouts], skipped, cursor, isLast: part.isLast };
    await commitStayed(ctx, run, page, turns, progress);
    await ctx.sleep(20 * read);
  }
};

const restlessOf = ({ affiliate, currency }: DueGroup): Skip => {
  const detail = "The affiliate's book kept changing while the plan was made.";
  return {
    affiliateId: affiliate.id,
    currency,
    reason: "not_selected",
    blockers: [{ reason: "not_selected", detail }],
  };
};
