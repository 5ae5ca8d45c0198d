// A run goes on page by page until nobody is left; any number of times, by anyone, with the same payouts.
import type { Ctx } from "../context.ts";
import type { RunId } from "../domain/ids.ts";
import { findNextScheduled, findRunInTurn, type Run } from "../store/runs.ts";
import { claimPage, type PageOutcome } from "./claim-page.ts";
import { claimPlanPart } from "./claim-plan-part.ts";
import { payRun } from "./pay-automatically.ts";

/** One message works about this long before it hands on to the next. */
const WORK_MS = 10_000;

export const takePage = (ctx: Ctx, run: Run): Promise<PageOutcome> =>
  run.planId === null ? claimPage(ctx, run) : claimPlanPart(ctx, run, run.planId);

const takePages = async (ctx: Ctx, first: Run, until: number): Promise<"running" | "done"> => {
  const actor = { type: first.actorType, id: first.actorId } as Ctx["actor"];
  for (let run = first; ; ) {
    const page = await takePage({ ...ctx, actor }, run);
    if (page.isLast) return "done";
    if (ctx.realNow() >= until) return "running";
    run = { ...run, cursor: page.cursor };
  }
};

/** A lost hint is sent again by the sweeper. */
export const sendRunHint = async (ctx: Ctx, runId: RunId): Promise<void> => {
  try {
    await ctx.hints.send({ kind: "run", programId: ctx.program.id, runId });
  } catch {
    ctx.log({ event: "hint_lost", kind: "run" });
  }
};

/** The earlier run's end is the later one's start. */
const startNext = async (ctx: Ctx): Promise<void> => {
  const next = await findNextScheduled(ctx.db, ctx.program.id);
  if (next !== undefined) await sendRunHint(ctx, next);
};

/** `done` also where the run is another's turn: whoever ends that one sends this one's hint. */
export const advanceRun = async (ctx: Ctx, runId: RunId): Promise<"running" | "done"> => {
  const until = ctx.realNow() + WORK_MS;
  const found = await findRunInTurn(ctx.db, ctx.program.id, runId);
  if (found === undefined || found.waits) return "done";
  const { run } = found;
  if (run.status === "running" && (await takePages(ctx, run, until)) === "running") return "running";
  if (run.kind !== "scheduled") return "done";
  if (run.status === "running") await startNext(ctx);
  return payRun(ctx, run.id, until);
};
