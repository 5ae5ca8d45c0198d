// The context of work that no request asked for: a queue's message, a cron tick.
import type { Ctx, Ports } from "../context.ts";
import type { Actor } from "../domain/events.ts";
import type { ProgramId } from "../domain/ids.ts";
import { findProgram } from "../store/programs.ts";

export type ActingPorts = Ports & Pick<Ctx, "rails">;

export const ctxFor = async (ports: ActingPorts, programId: ProgramId, actor: Actor): Promise<Ctx> => {
  const program = await findProgram(ports.db, programId);
  if (program === undefined) throw new Error(`program ${programId} is gone`);
  return { ...ports, program, actor, requestId: `${actor.type}:${actor.id}` };
};
