// Starts a payout round that a person works through; nothing is claimed by it.
import type { Ctx } from "../context.ts";
import { actorName } from "../domain/events.ts";
import { Refused, refuse } from "../domain/refusals.ts";
import type { SessionId } from "../domain/session.ts";
import { findSession, insertSession, type SessionView } from "../store/sessions.ts";
import { createdAt, createdBody } from "./apply-turn.ts";

export const requireSession = async (ctx: Ctx, id: SessionId): Promise<SessionView> => {
  const view = await findSession(ctx.db, ctx.program.id, id);
  if (view === undefined)
    throw new Refused(refuse("session_not_found", "No such payout session in this program.").refusal);
  return view;
};

export const startSession = async (ctx: Ctx, title: string): Promise<SessionView> => {
  const id: SessionId = `ses_${createdBody(ctx)}`;
  const session = { id, title, createdBy: actorName(ctx.actor), createdAt: createdAt(ctx) };
  await insertSession(ctx.db, ctx.program.id, session);
  return requireSession(ctx, id);
};
