// Changes an affiliate: who it is, whether it is paid at all, and what it has otherwise than the program.
import type { Ctx } from "../context.ts";
import type { AffiliateCommand, OverridesPatch } from "../domain/ledger/command.ts";
import type { AffiliateRef } from "../store/affiliates.ts";
import { applyTurn, type TurnInput } from "./apply-turn.ts";
import { type AffiliateDone, requireAffiliate } from "./create-affiliate.ts";

type TurnPatch = Extract<AffiliateCommand, { kind: "update_affiliate" }>["patch"];

export interface AffiliatePatch extends Omit<TurnPatch, "overrides"> {
  readonly overrides: { readonly [Field in keyof OverridesPatch]: OverridesPatch[Field] | undefined };
}

export const updateAffiliate = async (
  ctx: Ctx,
  ref: AffiliateRef,
  { overrides, ...rest }: AffiliatePatch,
  input: TurnInput,
): Promise<AffiliateDone> => {
  const { id } = await requireAffiliate(ctx, ref);
  const named: OverridesPatch = Object.fromEntries(
    Object.entries(overrides).filter(([, value]) => value !== undefined),
  );
  const patch: TurnPatch = { ...rest, ...(Object.keys(named).length === 0 ? {} : { overrides: named }) };
  const done = await applyTurn(ctx, id, { kind: "update_affiliate", patch }, input, "affiliate");
  return { affiliate: await requireAffiliate(ctx, { id }), replayed: done.replayed };
};
