// Pays what a session selected through the affiliates' rails, as far as one call goes.
import type { Ctx } from "../context.ts";
import type { SessionId } from "../domain/session.ts";
import { readPayouts } from "../store/payouts.ts";
import { listWork } from "../store/session-rows.ts";
import { applyTurn } from "./apply-turn.ts";
import { type PacedHints, pacedHints } from "./paced-hints.ts";
import {
  type Act,
  claiming,
  gather,
  openSession,
  ROWS_PER_CALL,
  type SessionOutcome,
  settleStatus,
  workOn,
} from "./work-session.ts";

const payThroughRail = (ctx: Ctx, hints: PacedHints): Act =>
  claiming(async ({ affiliateId }, payoutId) => {
    const done = await applyTurn(
      ctx,
      affiliateId,
      { kind: "pay", payoutId },
      { commandId: undefined, requestSha: "" },
      "payout",
    );
    if (done.result.payout.status === "processing") hints.send(affiliateId, payoutId);
    return done.result.payout;
  });

export const paySession = async (ctx: Ctx, sessionId: SessionId): Promise<SessionOutcome> => {
  const view = await openSession(ctx, sessionId);
  const { id: programId } = ctx.program;
  const rows = await listWork(ctx.db, programId, sessionId, "unsent", ROWS_PER_CALL);
  if (rows.length === 0) {
    const sent = await listWork(ctx.db, programId, sessionId, "all", ROWS_PER_CALL);
    const ids = sent.flatMap(({ payout }) => payout?.id ?? []);
    const payouts = await readPayouts(ctx.db, programId, ids);
    return { view: await settleStatus(ctx, sessionId), payouts, failed: [], remaining: 0 };
  }
  const outcomes = await workOn(ctx, view, rows, payThroughRail(ctx, pacedHints(ctx)));
  return gather(ctx, view, { rows, outcomes }, "unsent");
};
