// Generate: what would be paid to whom, and, unless it is a dry run, the payouts that claim it.
import type { Ctx } from "../context.ts";
import { dateOf } from "../domain/dates.ts";
import type { AffiliateId } from "../domain/ids.ts";
import type { Payout } from "../domain/payout.ts";
import { Refused, refuse } from "../domain/refusals.ts";
import { readDuePage } from "../store/due-page.ts";
import type { PlanItem } from "../store/plans.ts";
import { readRunOutcome } from "../store/run-outcome.ts";
import { insertRun, type Run } from "../store/runs.ts";
import { sendRunHint, takePage } from "./advance-run.ts";
import { newBody, type TurnInput } from "./apply-turn.ts";
import { dueQueryOf, type PageOutcome, payoutsOf, planPage, type Skip } from "./claim-page.ts";
import { keepPlan, planItemsOf } from "./keep-plan.ts";

export interface GenerateInput extends TurnInput {
  readonly periodStart: string | null;
  readonly periodEnd: string;
  readonly currency: string | null;
  readonly affiliateIds: readonly AffiliateId[] | null;
}

export interface Generated {
  /** Of a dry run, what a run would have been; its plan is there where the preview is whole. */
  readonly run: Run;
  readonly payouts: readonly Payout[];
  /** The first thousand; the counts and totals are of all. */
  readonly skipped: readonly Skip[];
  readonly skippedCount: Readonly<Record<string, number>>;
  readonly totals: readonly { readonly currency: string; readonly amount: number; readonly count: number }[];
  /** False where the queue goes on. */
  readonly isWhole: boolean;
  readonly replayed: boolean;
}

/** Answers list no more than this; the rest is at the run. */
export const LIST_MAX = 1000;

/** A dry run takes no longer than this in the call. */
const IN_CALL_MS = 10_000;

const assertPeriod = (ctx: Ctx, input: GenerateInput): void => {
  const today = dateOf(ctx.now(), ctx.program.policy.time_zone);
  const { periodStart, periodEnd } = input;
  if (periodStart === null) return;
  if (periodStart > today)
    throw new Refused(
      refuse("period_invalid", `period_start is after today, ${today} in the program's time zone.`, {
        pointer: "/period_start",
      }).refusal,
    );
  if (periodStart > periodEnd)
    throw new Refused(
      refuse("period_invalid", "period_start is after period_end.", { pointer: "/period_start" }).refusal,
    );
};

export const newRun = (
  ctx: Ctx,
  input: Pick<TurnInput, "requestSha">,
  terms: Pick<Run, "asOf" | "periodStart" | "periodEnd" | "currency" | "affiliateIds" | "timeZone">,
): Run => ({
  ...terms,
  programId: ctx.program.id,
  id: `run_${newBody(ctx)}`,
  kind: "asked",
  status: "running",
  planId: null,
  cursor: "",
  requestSha: input.requestSha,
  actorType: ctx.actor.type,
  actorId: ctx.actor.id,
  finishedAt: null,
  createdAt: ctx.now(),
});

const askedRun = (ctx: Ctx, input: GenerateInput): Run => {
  const { periodStart, periodEnd, currency, affiliateIds } = input;
  const timeZone = ctx.program.policy.time_zone;
  return newRun(ctx, input, { asOf: ctx.now(), periodStart, periodEnd, currency, affiliateIds, timeZone });
};

const countReasons = (skipped: readonly Skip[]): Record<string, number> => {
  const count: Record<string, number> = {};
  for (const { reason } of skipped) count[reason] = (count[reason] ?? 0) + 1;
  return count;
};

export const totalsOf = (
  payouts: readonly Pick<Payout, "currency" | "amount">[],
): { currency: string; amount: number; count: number }[] => {
  const totals = new Map<string, { currency: string; amount: number; count: number }>();
  for (const { currency, amount } of payouts) {
    const total = totals.get(currency) ?? { currency, amount: 0, count: 0 };
    total.amount += amount;
    total.count += 1;
    totals.set(currency, total);
  }
  return [...totals.values()].sort((a, b) => (a.currency < b.currency ? -1 : 1));
};

type Owned = Pick<Payout, "affiliateId" | "currency">;

/** Those who moved meanwhile come last from a page; answers are in one order, also when they are given again. */
const byAffiliate = (a: Owned, b: Owned): number => {
  const [left, right] = [`${a.affiliateId} ${a.currency}`, `${b.affiliateId} ${b.currency}`];
  return left < right ? -1 : left > right ? 1 : 0;
};

const gather = (
  run: Run,
  pages: readonly Pick<PageOutcome, "payouts" | "skipped">[],
  isWhole: boolean,
): Generated => {
  const payouts = pages.flatMap((page) => page.payouts).sort(byAffiliate);
  const skipped = pages.flatMap((page) => page.skipped).sort(byAffiliate);
  return {
    run,
    payouts: payouts.slice(0, LIST_MAX),
    skipped: skipped.slice(0, LIST_MAX),
    skippedCount: countReasons(skipped),
    totals: totalsOf(payouts),
    isWhole,
    replayed: false,
  };
};

const MISMATCH = refuse("idempotency_mismatch", "This idempotency key was used for another request.");

/** Makes the run and its first page; the queue goes on with the rest. undefined where the key is a turn's or the plan is used. */
export const startRun = async (ctx: Ctx, wish: Run, input: TurnInput): Promise<Generated | undefined> => {
  const made = await insertRun(ctx.db, wish, input.commandId);
  if (made === undefined) return undefined;
  const { run, found } = made;
  if (found) return replayRun(ctx, run, input);
  const page = await takePage(ctx, run);
  if (!page.isLast) await sendRunHint(ctx, run.id);
  const after = page.isLast ? { ...run, status: "done" as const, finishedAt: ctx.now() } : run;
  return gather(after, [page], page.isLast);
};

export const generatePayouts = async (ctx: Ctx, input: GenerateInput): Promise<Generated> => {
  assertPeriod(ctx, input);
  const made = await startRun(ctx, askedRun(ctx, input), input);
  if (made === undefined) throw new Refused(MISMATCH.refusal);
  return made;
};

/** The same key again: what that run made, and is still making. */
export const replayRun = async (
  ctx: Ctx,
  run: Run,
  input: Pick<TurnInput, "requestSha">,
): Promise<Generated> => {
  if (run.requestSha !== input.requestSha) throw new Refused(MISMATCH.refusal);
  const outcome = await readRunOutcome(ctx.db, run, LIST_MAX);
  return { run, ...outcome, isWhole: run.status === "done", replayed: true };
};

/** What generate would do now: nothing is claimed, and what it found is kept as a plan. */
export const previewPayouts = async (ctx: Ctx, input: GenerateInput): Promise<Generated> => {
  assertPeriod(ctx, input);
  const run = askedRun(ctx, input);
  const until = ctx.realNow() + IN_CALL_MS;
  const pages: Pick<PageOutcome, "payouts" | "skipped">[] = [];
  const items: (readonly PlanItem[])[] = [];
  let cursor = "";
  for (;;) {
    const query = dueQueryOf({ ...run, cursor });
    const page = await readDuePage(ctx.db, { ...query, withDigest: true });
    const { turns, skipped } = planPage(ctx, run, query, page);
    const payouts = payoutsOf(turns);
    pages.push({ payouts, skipped });
    items.push(planItemsOf(page.groups, payouts));
    cursor = page.cursor;
    if (page.isLast) break;
    // What is not whole is no plan.
    if (ctx.realNow() > until) return gather(run, pages, false);
  }
  return gather({ ...run, planId: await keepPlan(ctx, run, items) }, pages, true);
};
