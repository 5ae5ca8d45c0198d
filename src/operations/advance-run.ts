// A run goes on page by page until nobody is left; any number of times, by anyone, with the same payouts.
import type { Ctx } from "../context.ts";
import type { RunId } from "../domain/ids.ts";
import { findRun } from "../store/runs.ts";
import { claimPage } from "./claim-page.ts";

export const advanceRun = async (ctx: Ctx, runId: RunId): Promise<"running" | "done"> => {
  const run = await findRun(ctx.db, ctx.program.id, runId);
  if (run === undefined || run.status === "done") return "done";
  const actor = { type: run.actorType, id: run.actorId } as Ctx["actor"];
  const outcome = await claimPage({ ...ctx, actor }, run);
  return outcome.isLast ? "done" : "running";
};
