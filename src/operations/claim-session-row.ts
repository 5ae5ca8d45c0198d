// One row of a session becomes a payout, once whoever asks and however often, and only at the sums that were selected.
import type { Ctx } from "../context.ts";
import type { PayoutId } from "../domain/ids.ts";
import type { ClaimCommand } from "../domain/ledger/command.ts";
import { toDecimal } from "../domain/money.ts";
import { type Refusal, Refused, refuse } from "../domain/refusals.ts";
import {
  type PayoutSession,
  type RowChange,
  type RowPayout,
  rowCommandId,
  rowStateOf,
  type SessionRow,
} from "../domain/session.ts";
import { readPayouts } from "../store/payouts.ts";
import { readChosen } from "../store/session-rows.ts";
import { applyTurn } from "./apply-turn.ts";

const no = (code: Refusal["code"], detail: string, facts: Refusal["facts"] = {}): Refused =>
  new Refused(refuse(code, detail, { facts }).refusal);

const claimedBy = (payoutId: PayoutId, sessionId: string | null, what = "A commission of it"): Refused =>
  no(
    "commission_claimed",
    `${what} is claimed by ${payoutId}${sessionId === null ? "" : ` of session ${sessionId}`}; select again.`,
    { payout_id: payoutId, ...(sessionId === null ? {} : { session_id: sessionId }) },
  );

const asChanged = (change: RowChange): Refused => {
  const { what, commissionId, payoutId, sessionId, currency, was, now } = change;
  const facts = commissionId === null ? {} : { commission_id: commissionId };
  const from = `${toDecimal(was, currency)} to ${toDecimal(now, currency)} ${currency}`;
  switch (what) {
    case "claimed":
      if (payoutId !== null) return claimedBy(payoutId, sessionId, commissionId ?? undefined);
      return no("selection_changed", `${commissionId} is claimed elsewhere; select again.`, facts);
    case "refunded":
      return no("selection_changed", `${commissionId} went from ${from}; select again.`, facts);
    case "recovery":
      return no("selection_changed", `What is owed back went from ${from}; select again.`);
    default:
      return no("selection_changed", `${commissionId} is ${what}; select again.`, facts);
  }
};

/** The first thing that keeps a row from being claimed as it was selected; what the session's own payout has, its turn judges. */
export const changeAgainst = (
  session: PayoutSession,
  row: SessionRow,
  changes: readonly RowChange[],
): Refused | undefined => {
  const own = changes.find(
    ({ affiliateId, currency, sessionId }) =>
      affiliateId === row.affiliateId && currency === row.currency && sessionId !== session.id,
  );
  return own === undefined ? undefined : asChanged(own);
};

const claimCommand = async (ctx: Ctx, session: PayoutSession, row: SessionRow): Promise<ClaimCommand> => {
  if (session.selection === null) throw new Error(`${session.id} has rows and no selection`);
  return {
    kind: "claim",
    by: "person",
    selector: { by: "ids", currency: row.currency, ids: await readChosen(ctx.db, session.id, row) },
    periodStart: null,
    periodEnd: session.selection.upTo,
    runId: null,
    sessionId: session.id,
    adminNote: null,
  };
};

/** Whose the commission that was not free is. */
const refineTaken = async (ctx: Ctx, thrown: unknown): Promise<unknown> => {
  if (!(thrown instanceof Refused) || thrown.refusal.code !== "commissions_not_free") return thrown;
  const { detail, facts } = thrown.refusal;
  const payoutId = facts?.["payout_id"] as PayoutId | undefined;
  if (payoutId === undefined) return no("selection_changed", `${detail} Select again.`, facts);
  const [payout] = await readPayouts(ctx.db, ctx.program.id, [payoutId]);
  return claimedBy(payoutId, payout?.sessionId ?? null);
};

type Claimed = Pick<
  RowPayout,
  "id" | "status" | "amount" | "gross" | "recovered" | "commissionCount" | "claims"
>;

/** A payout that a person tried again has sums of its own. */
const isAsSelected = (row: SessionRow, payout: Claimed): boolean =>
  payout.claims > 1 ||
  (payout.gross === row.gross &&
    payout.recovered === row.recovered &&
    payout.commissionCount === row.commissionCount);

/** Something was refunded between the look at the row and its turn: what nobody saw is given back at once. */
const giveUp = async (ctx: Ctx, row: SessionRow, payout: Claimed): Promise<never> => {
  const reason = "What was selected changed before it was claimed.";
  const command = { kind: "cancel", payoutId: payout.id, reason } as const;
  const named = { commandId: `s:ses-undo:${payout.id}`, requestSha: "" };
  await applyTurn(ctx, row.affiliateId, command, named, "payout");
  throw no("selection_changed", `${reason} Select again.`, { payout_id: payout.id });
};

/** The row's payout, claimed now or before; thrown: why there is none. */
export const claimRow = async (ctx: Ctx, session: PayoutSession, row: SessionRow): Promise<Claimed> => {
  if (rowStateOf(row.payout) === "failed" && row.payout !== null) {
    const facts = { payout_id: row.payout.id, status: row.payout.status };
    throw no("invalid_state", `Its payout is ${row.payout.status}: retry that, or select again.`, facts);
  }
  if (row.payout !== null) {
    const waits = row.payout.status === "pending" || row.payout.status === "approved";
    return waits && !isAsSelected(row, row.payout) ? giveUp(ctx, row, row.payout) : row.payout;
  }
  const named = { commandId: rowCommandId(session.id, row), requestSha: "" };
  const command = await claimCommand(ctx, session, row);
  const done = await applyTurn(ctx, row.affiliateId, command, named, "payout").catch(async (thrown) => {
    throw await refineTaken(ctx, thrown);
  });
  const { payout } = done.result;
  return isAsSelected(row, payout) ? payout : giveUp(ctx, row, payout);
};
