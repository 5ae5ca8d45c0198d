// The context of work that no request asked for: a queue's message, a cron tick.
import type { Ctx, Ports, Program } from "../context.ts";
import type { Actor } from "../domain/events.ts";
import type { ProgramId } from "../domain/ids.ts";
import { findProgram } from "../store/programs.ts";

export type ActingPorts = Ports & Pick<Ctx, "rails">;

export const ctxFor = async (ports: ActingPorts, programId: ProgramId, actor: Actor): Promise<Ctx> => {
  const program = await findProgram(ports.db, programId);
  if (program === undefined) throw new Error(`program ${programId} is gone`);
  return { ...ports, ...clocksOf(ports, program), program, actor, requestId: `${actor.type}:${actor.id}` };
};

/** The program's clock, and the real one. */
export const clocksOf = (
  ports: Pick<Ports, "now">,
  { clockOffset }: Pick<Program, "clockOffset">,
): Pick<Ctx, "now" | "realNow"> => ({
  now: clockOffset === 0 ? ports.now : () => ports.now() + clockOffset,
  realNow: ports.now,
});
