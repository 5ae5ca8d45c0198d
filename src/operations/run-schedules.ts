// Scheduled generation: each due period of each program gets its run once, however often and however late the clock is looked at.
import type { Ctx, Ports, Program } from "../context.ts";
import { nthBody, type ProgramId } from "../domain/ids.ts";
import { dueRuns, nextRun, sameSchedule } from "../domain/schedule.ts";
import {
  findScheduled,
  insertScheduledRuns,
  listDuePrograms,
  type ScheduledProgram,
} from "../store/schedules.ts";
import { newBody } from "./apply-turn.ts";

/** Programs that are read at once. */
const PAGE_LIMIT = 100;
const PAGES_MAX = 50;

/** Periods that one look makes up for; what is left is due at the next. */
const RUNS_MAX = 100;

/** A zone's rules may have changed since a start was written down; runs are a week apart at least, so that this reaches no earlier one. */
const MARGIN_MS = 86_400_000;

type Clocked = Pick<Ports, "db" | "hints" | "now" | "random" | "log">;

/** The runs of a program's periods that are due by now, in order; they are taken one after another. */
const makeDueRuns = async (ports: Clocked, program: ScheduledProgram, now: number): Promise<number> => {
  const { payout_schedule: schedule, time_zone: zone } = program.policy;
  const since = program.nextRunAt - MARGIN_MS;
  const due = dueRuns(schedule, zone, since, now, RUNS_MAX);
  const last = due.at(-1)?.startsAt ?? since;
  const next = nextRun(schedule, zone, last)?.startsAt ?? null;
  const body = newBody(ports);
  const runs = due.map((run, n) => ({ ...run, id: `run_${nthBody(body, n)}` as const }));
  const made = await insertScheduledRuns(ports.db, program, runs, next, now);
  const [first] = made;
  if (first === undefined) return 0;
  const { programId } = program;
  // A lost hint is sent again by the sweeper.
  await ports.hints
    .send({ kind: "run", programId, runId: first })
    .catch(() => ports.log({ event: "hint_lost", kind: "run" }));
  return made.length;
};

/** Answers how many runs were made; `now` is real time. One D1 round trip where nothing is due; a program that fails keeps nobody else waiting. */
export const runSchedules = async (ports: Clocked, now: number): Promise<number> => {
  let made = 0;
  let after: ScheduledProgram | undefined;
  for (let page = 0; page < PAGES_MAX; page++) {
    const programs: readonly ScheduledProgram[] = await listDuePrograms(ports.db, now, after, PAGE_LIMIT);
    for (const program of programs) {
      try {
        made += await makeDueRuns(ports, program, now + program.clockOffset);
      } catch (fault) {
        const name = fault instanceof Error ? fault.name : "unknown";
        ports.log({ event: "schedule_failed", program_id: program.programId, name });
      }
    }
    after = programs.at(-1);
    if (programs.length < PAGE_LIMIT) break;
  }
  return made;
};

/** The same for one program, by its own clock. */
export const runScheduleOf = async (ctx: Ctx, programId: ProgramId): Promise<number> => {
  const program = await findScheduled(ctx.db, programId);
  if (program === undefined) return 0;
  const now = ctx.realNow() + program.clockOffset;
  return program.nextRunAt <= now ? makeDueRuns(ctx, program, now) : 0;
};

/** A period that fell due under the old schedule keeps its run when another takes its place; switching to manual drops what is not made yet. */
export const makeRunsBefore = async (
  ctx: Ctx,
  before: Pick<Program, "id" | "policy">,
  after: Pick<Program, "policy">,
): Promise<void> => {
  if (sameSchedule(before.policy, after.policy) || after.policy.payout_schedule.kind === "manual") return;
  await runScheduleOf(ctx, before.id);
};
