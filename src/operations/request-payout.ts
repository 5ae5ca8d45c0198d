// An affiliate asks for what is due: a requested payout claims it, as generate would, until somebody accepts or denies it.
import type { Ctx } from "../context.ts";
import { dateOf, endOfDate } from "../domain/dates.ts";
import type { PayoutId } from "../domain/ids.ts";
import type { PayoutStanding } from "../domain/ledger/book.ts";
import type { ClaimCommand } from "../domain/ledger/command.ts";
import type { Currency } from "../domain/money.ts";
import type { Payout } from "../domain/payout.ts";
import { Refused, refuse } from "../domain/refusals.ts";
import type { AffiliateRef } from "../store/affiliates.ts";
import { readRequests } from "../store/payout-requests.ts";
import { readPayouts } from "../store/payouts.ts";
import { askTurn, createdBody } from "./apply-turn.ts";
import { requireAffiliate } from "./create-affiliate.ts";

export interface RequestedPayout {
  readonly result: { readonly payout: Payout; readonly standing?: PayoutStanding };
  readonly replayed: boolean;
}

const isOpen = (payoutId: PayoutId): Refused =>
  new Refused(
    refuse("request_open", `${payoutId} is requested already and waits to be accepted or denied.`, {
      facts: { payout_id: payoutId },
    }).refusal,
  );

const commandFor = (ctx: Ctx, currency: Currency): ClaimCommand => {
  const { time_zone: zone } = ctx.program.policy;
  const now = ctx.now();
  const today = dateOf(now, zone);
  return {
    kind: "claim",
    by: "request",
    selector: { by: "due", currency, asOf: now, from: 0, until: endOfDate(today, zone) },
    periodStart: null,
    periodEnd: today,
    runId: null,
    sessionId: null,
    adminNote: null,
  };
};

/** One open request a currency: two at once have the same name, and the second finds the first's. */
export const requestPayout = async (
  ctx: Ctx,
  ref: AffiliateRef,
  currency: Currency,
): Promise<RequestedPayout> => {
  const { id: affiliateId } = await requireAffiliate(ctx, ref);
  const mint = createdBody(ctx);
  // A call that is taken up after a crash may have asked already.
  const [asked] = ctx.keyed === undefined ? [] : await readPayouts(ctx.db, ctx.program.id, [`po_${mint}`]);
  if (asked !== undefined) return { result: { payout: asked }, replayed: true };
  const { count, open } = await readRequests(ctx.db, ctx.program.id, affiliateId, currency);
  if (open !== null) throw isOpen(open);
  const answer = await askTurn(ctx, {
    programId: ctx.program.id,
    affiliateId,
    command: commandFor(ctx, currency),
    commandId: `s:req:${affiliateId}:${currency}:${count}`,
    requestSha: "",
    actor: ctx.actor,
    mint,
  });
  if (answer.kind === "busy")
    throw Object.assign(new Error("the affiliate's ledger is busy"), { retryAfterS: answer.retryAfterS });
  if (answer.kind === "refused") throw new Refused(answer.refusal);
  if (answer.result.kind !== "payout") throw new Error("a request that made no payout");
  if (answer.result.payout.id !== `po_${mint}`) throw isOpen(answer.result.payout.id);
  return { result: answer.result, replayed: false };
};
