// Ends a session: what it only selected is nobody's again; payouts that it made stay as they are.
import type { Ctx } from "../context.ts";
import { Refused, refuse } from "../domain/refusals.ts";
import type { SessionId } from "../domain/session.ts";
import { type SessionView, writeStatus } from "../store/sessions.ts";
import { requireSession } from "./start-session.ts";

export const cancelSession = async (ctx: Ctx, sessionId: SessionId): Promise<SessionView> => {
  const view = await requireSession(ctx, sessionId);
  if (view.status === "cancelled") return view;
  if (view.status === "done")
    throw new Refused(
      refuse("invalid_state", "The session is done: everything in it is paid.", { facts: { status: "done" } })
        .refusal,
    );
  await writeStatus(ctx.db, ctx.program.id, sessionId, "cancelled", ctx.now());
  return requireSession(ctx, sessionId);
};
