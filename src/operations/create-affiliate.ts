// Enrols an affiliate; its book begins with this turn.
import type { Ctx } from "../context.ts";
import type { Affiliate } from "../domain/affiliate.ts";
import type { AffiliateId } from "../domain/ids.ts";
import type { NewAffiliate } from "../domain/ledger/command.ts";
import { Refused, refuse } from "../domain/refusals.ts";
import { type AffiliateRef, findAffiliate } from "../store/affiliates.ts";
import { applyTurn, newBody, type TurnInput } from "./apply-turn.ts";

export interface AffiliateDone {
  /** As it stands now: turns keep no names, so a replay shows the present ones. */
  readonly affiliate: Affiliate;
  readonly replayed: boolean;
}

/** 404 before any object is asked: a made-up id gets no object of its own. */
export const requireAffiliate = async (ctx: Ctx, ref: AffiliateRef): Promise<Affiliate> => {
  const affiliate = await findAffiliate(ctx.db, ctx.program.id, ref);
  if (affiliate === undefined) {
    throw new Refused(refuse("affiliate_not_found", "No such affiliate in this program.").refusal);
  }
  return affiliate;
};

/** The verdict names the affiliate: a command that was applied before, through whatever new id, answers with the first one. */
export const createAffiliate = async (
  ctx: Ctx,
  affiliate: NewAffiliate,
  input: TurnInput,
): Promise<AffiliateDone> => {
  const id: AffiliateId = `aff_${newBody(ctx)}`;
  const done = await applyTurn(ctx, id, { kind: "create_affiliate", affiliate }, input, "affiliate");
  const made = await requireAffiliate(ctx, { id: done.result.affiliateId });
  return { affiliate: made, replayed: done.replayed };
};
