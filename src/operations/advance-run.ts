// A run goes on page by page until nobody is left; any number of times, by anyone, with the same payouts.
import type { Ctx } from "../context.ts";
import type { RunId } from "../domain/ids.ts";
import { finishRunStatements } from "../store/run-finish.ts";
import { findRun, type Run } from "../store/runs.ts";
import { claimPage, type PageOutcome } from "./claim-page.ts";

export const takePage = async (ctx: Ctx, run: Run): Promise<PageOutcome> => {
  const outcome = await claimPage(ctx, run);
  if (outcome.isLast)
    await ctx.db.batch(finishRunStatements(ctx.db, run, ctx.program.mode === "live", ctx.now()));
  return outcome;
};

export const advanceRun = async (ctx: Ctx, runId: RunId): Promise<"running" | "done"> => {
  const run = await findRun(ctx.db, ctx.program.id, runId);
  if (run === undefined || run.status === "done") return "done";
  const actor = { type: run.actorType, id: run.actorId } as Ctx["actor"];
  const outcome = await takePage({ ...ctx, actor }, run);
  return outcome.isLast ? "done" : "running";
};
