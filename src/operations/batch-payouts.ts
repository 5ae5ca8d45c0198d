// Payouts by the hundred: approved, paid or marked paid, each by its own turn and with its own outcome.
import type { Ctx } from "../context.ts";
import type { AffiliateId, PayoutId, RunId } from "../domain/ids.ts";
import type { PayoutCommand } from "../domain/ledger/command.ts";
import type { Payout, PayoutStatus } from "../domain/payout.ts";
import { Refused, refuse } from "../domain/refusals.ts";
import { readPayouts } from "../store/payouts.ts";
import { listRunPayouts } from "../store/run-payouts.ts";
import { findRun } from "../store/runs.ts";
import { applyTurn } from "./apply-turn.ts";
import { eachByAffiliate, type Settled } from "./by-affiliate.ts";
import { pacedHints } from "./paced-hints.ts";

/** Payouts that one call names. */
export const BATCH_MAX = 500;

/** Payouts of a run that one call takes; the next goes on behind them. */
export const RUN_PAGE = 200;

/** What a person says of a payment made outside; instants are epoch milliseconds, amounts minor units. */
export type PaidStatement = Omit<Extract<PayoutCommand, { kind: "mark_paid" }>, "kind">;

const NOBODY = "aff_" as AffiliateId;
const UNNAMED = { commandId: undefined, requestSha: "" };

const each = async <Item extends { readonly payoutId: PayoutId }>(
  ctx: Ctx,
  items: readonly Item[],
  commandOf: (item: Item) => PayoutCommand,
  after: (payout: Payout) => void = () => undefined,
): Promise<readonly Settled<Payout>[]> => {
  const ids = [...new Set(items.map(({ payoutId }) => payoutId))];
  const found = await readPayouts(ctx.db, ctx.program.id, ids);
  const owners = new Map(found.map(({ id, affiliateId }) => [id, affiliateId]));
  return eachByAffiliate(
    items,
    ({ payoutId }) => owners.get(payoutId) ?? NOBODY,
    async (item) => {
      const affiliateId = owners.get(item.payoutId);
      if (affiliateId === undefined)
        throw new Refused(refuse("payout_not_found", "No such payout in this program.").refusal);
      const done = await applyTurn(ctx, affiliateId, commandOf(item), UNNAMED, "payout");
      after(done.result.payout);
      return done.result.payout;
    },
  );
};

const named = (ids: readonly PayoutId[]) => ids.map((payoutId) => ({ payoutId }));

export const approvePayouts = (ctx: Ctx, ids: readonly PayoutId[]): Promise<readonly Settled<Payout>[]> =>
  each(ctx, named(ids), ({ payoutId }) => ({ kind: "approve_payout", payoutId }));

export const payPayouts = (ctx: Ctx, ids: readonly PayoutId[]): Promise<readonly Settled<Payout>[]> => {
  const hints = pacedHints(ctx);
  return each(
    ctx,
    named(ids),
    ({ payoutId }) => ({ kind: "pay", payoutId }),
    ({ id, affiliateId, status }) => {
      if (status === "processing") hints.send(affiliateId, id);
    },
  );
};

export const markPayoutsPaid = (
  ctx: Ctx,
  statements: readonly PaidStatement[],
): Promise<readonly Settled<Payout>[]> =>
  each(ctx, statements, (statement) => {
    if ((statement.paidAt ?? 0) > ctx.now())
      throw new Refused(
        refuse("period_invalid", "paid_at is in the future.", { pointer: "/paid_at" }).refusal,
      );
    return { kind: "mark_paid", ...statement };
  });

export interface RunPage {
  readonly ids: readonly PayoutId[];
  readonly hasMore: boolean;
}

/** A run's payouts that wait in one of the statuses, behind `after`. */
export const payoutsOfRun = async (
  ctx: Ctx,
  runId: RunId,
  statuses: readonly PayoutStatus[],
  after: PayoutId | undefined,
): Promise<RunPage> => {
  if ((await findRun(ctx.db, ctx.program.id, runId)) === undefined)
    throw new Refused(refuse("run_not_found", "No such run in this program.").refusal);
  const page = { after, limit: RUN_PAGE };
  const { payouts, hasMore } = await listRunPayouts(ctx.db, ctx.program.id, runId, statuses, page);
  return { ids: payouts.map(({ id }) => id), hasMore };
};
