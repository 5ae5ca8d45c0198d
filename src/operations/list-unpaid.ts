// What a session could select: the payable commissions of each affiliate and currency, and who is left out and why.
import type { Ctx } from "../context.ts";
import type { Currency } from "../domain/money.ts";
import { type DuePlace, listDue } from "../store/due-page.ts";
import type { SkipRow } from "../store/run-outcome.ts";
import { LISTED_MAX, listUnpaid, type UnpaidCommission } from "../store/unpaid.ts";
import { type Bounds, type Candidate, judgeGroups, untilOf } from "./plan-selection.ts";

export interface UnpaidQuery extends Bounds {
  readonly upTo: string;
  readonly currency: Currency | null;
  readonly limit: number;
  readonly order: "asc" | "desc";
  readonly after: DuePlace | undefined;
}

export interface Unpaid {
  readonly groups: readonly (Candidate & { readonly commissions: readonly UnpaidCommission[] })[];
  readonly skipped: readonly SkipRow[];
  readonly hasMore: boolean;
  /** The page's last affiliate and currency, skipped or not. */
  readonly last: DuePlace | undefined;
}

/** A page ends early where it would list more commissions than this. */
const PAGE_COMMISSIONS_MAX = 5_000;

const fitting = <Group extends { readonly due: { readonly count: number } }>(
  groups: readonly Group[],
): readonly Group[] => {
  let listed = 0;
  const beyond = groups.findIndex(({ due }, i) => {
    listed += Math.min(due.count, LISTED_MAX);
    return i > 0 && listed > PAGE_COMMISSIONS_MAX;
  });
  return beyond === -1 ? groups : groups.slice(0, beyond);
};

export const readUnpaid = async (ctx: Ctx, query: UnpaidQuery): Promise<Unpaid> => {
  const { db, program } = ctx;
  const until = untilOf(ctx, query.upTo, "?up_to");
  const now = ctx.now();
  const { limit, order, after, currency } = query;
  const due = { programId: program.id, asOf: now, from: 0, until, currency, affiliateId: null };
  const read = await listDue(db, { ...due, limit, order, after });
  const page = fitting(read.groups);
  const { candidates, skipped } = judgeGroups(page, read.policy, query, now);
  const pairs = candidates.map(({ group }) => ({
    affiliateId: group.affiliate.id,
    currency: group.currency,
  }));
  const listed = await listUnpaid(db, program.id, pairs, { now, until });
  const last = page.at(-1);
  return {
    groups: candidates.map((candidate) => {
      const { affiliate, currency: of } = candidate.group;
      return { ...candidate, commissions: listed.get(`${affiliate.id} ${of}`) ?? [] };
    }),
    skipped,
    hasMore: read.hasMore || page.length < read.groups.length,
    last: last === undefined ? undefined : { affiliateId: last.affiliate.id, currency: last.currency },
  };
};
