// Leads an affiliate to Stripe with a fresh link to its account, as long as its money goes to that account.
import type { Ctx } from "../context.ts";
import type { Affiliate } from "../domain/affiliate.ts";
import type { AffiliateId } from "../domain/ids.ts";
import { Refused } from "../domain/refusals.ts";
import { findAffiliate } from "../store/affiliates.ts";
import { secretsOf } from "../store/credentials.ts";
import { newBody } from "./apply-turn.ts";
import { askStripe } from "./ask-stripe.ts";
import { reviewReadiness } from "./review-readiness.ts";

/** What the bearer of a link may ask about: this affiliate with this account, and nothing else. */
export interface LinkedAccount {
  readonly affiliateId: AffiliateId;
  /** `acct_…` */
  readonly account: string;
}

export type LinkAnswer =
  | { readonly kind: "link"; readonly url: string }
  /** The affiliate's money goes elsewhere by now. */
  | { readonly kind: "moved" }
  /** Stripe does not open the account to this platform, or the program has no credentials any more. */
  | { readonly kind: "closed" };

const linkedAffiliate = async (
  ctx: Ctx,
  { affiliateId, account }: LinkedAccount,
): Promise<Affiliate | undefined> => {
  const affiliate = await findAffiliate(ctx.db, ctx.program.id, { id: affiliateId });
  const { method, account: present } = affiliate?.destination ?? {};
  return method === "stripe" && present === account ? affiliate : undefined;
};

/** Each call makes another link: one serves once, and for minutes only. Throws where Stripe cannot be asked. */
export const openAccountLink = async (
  ctx: Ctx,
  linked: LinkedAccount,
  urls: { readonly refreshUrl: string; readonly returnUrl: string },
): Promise<LinkAnswer> => {
  if ((await linkedAffiliate(ctx, linked)) === undefined) return { kind: "moved" };
  const secret = await secretsOf(ctx.db, ctx.vault, ctx.program.id, "stripe");
  if (secret === undefined) return { kind: "closed" };
  try {
    const to = { account: linked.account, ...urls };
    const { url } = await askStripe(ctx.stripeConnect.linkTo(secret.secretKey, to));
    return { kind: "link", url };
  } catch (error) {
    if (error instanceof Refused) return { kind: "closed" };
    throw error;
  }
};

/** The affiliate as it stands after Stripe was asked; undefined where its money goes elsewhere. */
export const returnFromStripe = async (ctx: Ctx, linked: LinkedAccount): Promise<Affiliate | undefined> => {
  if ((await linkedAffiliate(ctx, linked)) === undefined) return undefined;
  try {
    await reviewReadiness(ctx, linked.account, false, `s:return:${newBody(ctx)}`);
  } catch (fault) {
    // Coming back must not fail because Stripe cannot be asked: its own message about the account follows.
    ctx.log({ event: "readiness_not_asked", affiliate_id: linked.affiliateId, name: nameOf(fault) });
  }
  return linkedAffiliate(ctx, linked);
};

const nameOf = (fault: unknown): string => (fault instanceof Error ? fault.name : "unknown");
