// Makes a dry run's plan: once, exactly as it was shown, or not at all, with what changed since.
import type { Ctx } from "../context.ts";
import { Refused, refuse } from "../domain/refusals.ts";
import { findPlan, type Plan, type PlanId, readPlanPart } from "../store/plans.ts";
import { findRunOfCommand, type Run } from "../store/runs.ts";
import type { TurnInput } from "./apply-turn.ts";
import { compareItems, type PlanChange, readItems } from "./claim-plan-part.ts";
import { type Generated, newRun, replayRun, startRun } from "./generate-payouts.ts";

export interface Changed {
  readonly changes: readonly PlanChange[];
}

const assertUsable = (ctx: Ctx, plan: Plan): void => {
  if (plan.runId !== null)
    throw new Refused(
      refuse("plan_used", `Run ${plan.runId} has made this plan; read it, or make a new dry run.`, {
        pointer: "/plan_id",
        facts: { run_id: plan.runId },
      }).refusal,
    );
  if (plan.expiresAt <= ctx.now())
    throw new Refused(
      refuse("plan_expired", "A plan is good for 24 hours; make a new dry run.", { pointer: "/plan_id" })
        .refusal,
    );
};

/** Every part is compared before anything is claimed. */
const checkPlan = async (ctx: Ctx, run: Run, plan: Plan): Promise<readonly PlanChange[]> => {
  const changes: PlanChange[] = [];
  for (let number = 0; number < plan.parts; number++) {
    const part = await readPlanPart(ctx.db, plan.programId, plan.id, number);
    if (part === undefined) throw new Error(`plan ${plan.id} has no part ${number}`);
    const page = await readItems(ctx, run, part.items);
    changes.push(...compareItems(part.items, page, ctx.now()).changed);
  }
  return changes;
};

/** What changes after the check is left alone by its part of the run, and stands among the run's skipped. */
export const commitPlan = async (
  ctx: Ctx,
  planId: PlanId,
  input: TurnInput,
): Promise<Generated | Changed> => {
  const { commandId } = input;
  const known =
    commandId === undefined ? undefined : await findRunOfCommand(ctx.db, ctx.program.id, commandId);
  if (known !== undefined) return replayRun(ctx, known, input);
  const plan = await findPlan(ctx.db, ctx.program.id, planId);
  if (plan === undefined) throw new Refused(refuse("plan_not_found", "", { pointer: "/plan_id" }).refusal);
  assertUsable(ctx, plan);
  const run: Run = { ...newRun(ctx, input, plan.terms), planId };
  const changes = await checkPlan(ctx, run, plan);
  if (changes.length > 0) return { changes };
  const made = await startRun(ctx, run, input);
  if (made !== undefined) return made;
  // Somebody else was first with the plan, or the key is another request's.
  const again = await findPlan(ctx.db, ctx.program.id, planId);
  if (again !== undefined) assertUsable(ctx, again);
  throw new Refused(
    refuse("idempotency_mismatch", "This idempotency key was used for another request.").refusal,
  );
};
