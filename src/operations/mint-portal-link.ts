// Makes the token of a portal link: for a day it opens one affiliate's own things, and nothing that the asking key could not do itself.
import type { Ctx } from "../context.ts";
import { impliesScope, type Scope } from "../domain/api-key.ts";
import { PORTAL_LIVES_MS, unsignedPortalText } from "../domain/portal-token.ts";
import { Refused, refuse } from "../domain/refusals.ts";
import type { AffiliateRef } from "../store/affiliates.ts";
import { signPortalText } from "../store/portal-tokens.ts";
import { requireAffiliate } from "./create-affiliate.ts";

export interface PortalLink {
  readonly token: string;
  /** Epoch milliseconds of real time. */
  readonly expiresAt: number;
}

/** What a portal token can do, as scopes: whoever makes one must hold them. */
const OPENS: readonly Scope[] = [
  "affiliates:payout_method",
  "affiliates:write",
  "commissions:read",
  "payouts:write",
];

const assertHeld = (held: readonly Scope[]): void => {
  const missing = OPENS.find((scope) => !impliesScope(held, scope));
  if (missing === undefined) return;
  const detail = `A portal token can do what needs the scope ${missing}, which the key does not hold.`;
  throw new Refused(refuse("scope_not_held", detail, { facts: { required_scope: missing } }).refusal);
};

export const mintPortalLink = async (
  ctx: Ctx,
  ref: AffiliateRef,
  held: readonly Scope[],
): Promise<PortalLink> => {
  assertHeld(held);
  const { id, status } = await requireAffiliate(ctx, ref);
  if (status === "suspended")
    throw new Refused(refuse("affiliate_suspended", "The affiliate is suspended.").refusal);
  const from = ctx.keyed?.at ?? ctx.realNow();
  const expiresAt = Math.floor((from + PORTAL_LIVES_MS) / 1_000) * 1_000;
  const unsigned = unsignedPortalText({ programId: ctx.program.id, affiliateId: id, expiresAt });
  return { token: `${unsigned}_${await signPortalText(ctx.config.cursorKey, unsigned)}`, expiresAt };
};
