// Changes an affiliate: who it is, whether it is paid at all, and what it has otherwise than the program.
import type { Ctx } from "../context.ts";
import type { AffiliateCommand } from "../domain/ledger/command.ts";
import type { Overrides } from "../domain/policy.ts";
import type { AffiliateRef } from "../store/affiliates.ts";
import { applyTurn, type TurnInput } from "./apply-turn.ts";
import { type AffiliateDone, requireAffiliate } from "./create-affiliate.ts";

/** null takes the override away. */
export type OverridesPatch = { readonly [Field in keyof Overrides]?: Overrides[Field] | null | undefined };

type TurnPatch = Extract<AffiliateCommand, { kind: "update_affiliate" }>["patch"];

export interface AffiliatePatch extends Omit<TurnPatch, "overrides"> {
  readonly overrides: OverridesPatch;
}

const mergeOverrides = (before: Overrides, patch: OverridesPatch): Overrides => {
  const entries = Object.entries({ ...before, ...patch }).filter(([, value]) => value != null);
  return Object.fromEntries(entries) as Overrides;
};

export const updateAffiliate = async (
  ctx: Ctx,
  ref: AffiliateRef,
  { overrides, ...rest }: AffiliatePatch,
  input: TurnInput,
): Promise<AffiliateDone> => {
  const before = await requireAffiliate(ctx, ref);
  const named = Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined));
  const merged =
    Object.keys(named).length === 0 ? {} : { overrides: mergeOverrides(before.overrides, named) };
  const patch: TurnPatch = { ...rest, ...merged };
  const done = await applyTurn(ctx, before.id, { kind: "update_affiliate", patch }, input, "affiliate");
  return { affiliate: await requireAffiliate(ctx, { id: before.id }), replayed: done.replayed };
};
