// Gives an affiliate its one connected account at Stripe and sends its money there; what is asked for is written down before Stripe is asked.
import type { AccountAnswer, Ctx } from "../context.ts";
import type { Affiliate } from "../domain/affiliate.ts";
import type { AffiliateId } from "../domain/ids.ts";
import { KEY_WINDOW_MS } from "../domain/payout.ts";
import { type RefusalCode, Refused, refuse } from "../domain/refusals.ts";
import type { AffiliateRef } from "../store/affiliates.ts";
import { secretsOf } from "../store/credentials.ts";
import {
  insertOnboarding,
  keepAccount,
  keepRefusal,
  listOnboardings,
  type Onboarding,
} from "../store/onboardings.ts";
import { findProgram } from "../store/programs.ts";
import { newBody } from "./apply-turn.ts";
import { askStripe } from "./ask-stripe.ts";
import { requireAffiliate } from "./create-affiliate.ts";
import { reviewReadiness } from "./review-readiness.ts";
import { setPayoutMethod } from "./set-payout-method.ts";

export interface OnboardingWish {
  /** ISO 3166-1 alpha-2; without it the affiliate's own. */
  readonly country: string | undefined;
}

export interface Onboarded {
  readonly affiliateId: AffiliateId;
  /** The connected account, `acct_…`. */
  readonly account: string;
}

interface Scene {
  readonly ctx: Ctx;
  readonly affiliate: Affiliate;
  readonly wish: OnboardingWish;
  readonly secretKey: string;
  readonly platform: string;
}

/** How often a request takes up what another one, or it itself, began. */
const ROUNDS = 8;
const BUSY_MS = 700;
/** The clocks here and at Stripe may differ by this much. */
const CLOCKS_APART_MS = 10 * 60_000;
/** What Stripe's list does not show by then was not made; should it be after all, a spare account is waste and no loss. */
const NOT_MADE_AFTER_MS = 10 * 60_000;

const no = (code: RefusalCode, detail: string, pointer?: string): Refused =>
  new Refused(refuse(code, detail, pointer === undefined ? {} : { pointer }).refusal);

const busy = (retryAfterS: number): Error =>
  Object.assign(new Error("Stripe has not said yet whether it made the account"), { retryAfterS });

/** A country of an account is for ever: a wish for another one is not silently left aside. */
const assertCountry = ({ wish }: Scene, country: string | null): void => {
  if (wish.country === undefined || country === null || country === wish.country) return;
  const detail = `The affiliate's Stripe account is for ${country}, which cannot be changed. Leave country out, or name another account with PUT payout-method.`;
  throw no("invalid_state", detail, "/country");
};

/** Whether this platform may still see the account. */
const isOurs = async (scene: Scene, account: string): Promise<boolean> => {
  try {
    const { country } = await askStripe(scene.ctx.stripeAccounts.readinessOf(scene.secretKey, account));
    assertCountry(scene, country);
    return true;
  } catch (error) {
    if (error instanceof Refused && error.refusal.code === "account_not_found") return false;
    throw error;
  }
};

const begin = async (scene: Scene, n: number): Promise<boolean> => {
  const { ctx, affiliate, wish, secretKey, platform } = scene;
  const country = wish.country ?? affiliate.country;
  if (country === null) {
    const detail = "Stripe needs a country: send country, or set the affiliate's with PATCH.";
    throw no("country_missing", detail, "/country");
  }
  const key = `acct:${affiliate.id}:${n}`;
  const asked = {
    programId: ctx.program.id,
    affiliateId: affiliate.id,
    key,
    country,
    email: affiliate.email,
  };
  return insertOnboarding(ctx.db, {
    programId: ctx.program.id,
    affiliateId: affiliate.id,
    n,
    providerAccount: platform,
    key,
    request: await askStripe(ctx.stripeConnect.freezeAccount(secretKey, asked)),
    accountId: null,
    refusedAt: null,
    createdAt: ctx.realNow(),
  });
};

/** The same key and bytes while Stripe remembers them, then, and wherever that says nothing, its list of accounts. */
const carryOut = async ({ ctx, secretKey }: Scene, row: Onboarding): Promise<AccountAnswer> => {
  const age = ctx.realNow() - row.createdAt;
  if (age < KEY_WINDOW_MS) {
    const answer = await ctx.stripeConnect.createAccount(secretKey, row.key, row.request);
    if (answer.kind !== "unknown") return answer;
  }
  const made = {
    from: row.createdAt - CLOCKS_APART_MS,
    until: row.createdAt + KEY_WINDOW_MS + CLOCKS_APART_MS,
  };
  const { account } = await askStripe(ctx.stripeConnect.findAccount(secretKey, row.request, made));
  if (account !== null) return { kind: "made", account };
  return age < NOT_MADE_AFTER_MS
    ? { kind: "unknown" }
    : refusedOf("onboarding_refused", "Stripe made no account; ask for it again.");
};

const refusedOf = (code: RefusalCode, detail: string): AccountAnswer => ({
  kind: "refused",
  refusal: refuse(code, detail).refusal,
});

/** The account that the row stands for, or undefined where the next round must look again. */
const settle = async (scene: Scene, row: Onboarding, isOwn: boolean): Promise<string | undefined> => {
  const { ctx } = scene;
  const answer = await carryOut(scene, row);
  switch (answer.kind) {
    case "made":
      await keepAccount(ctx.db, row, answer.account, ctx.realNow());
      assertCountry(scene, new URLSearchParams(row.request).get("country"));
      return answer.account;
    case "refused":
      await keepRefusal(ctx.db, row, ctx.realNow());
      // What an earlier request was refused, this one may still ask for in its own words.
      if (isOwn) throw new Refused(answer.refusal);
      return undefined;
    case "denied":
      throw new Refused(answer.refusal);
    case "busy":
      await ctx.sleep(BUSY_MS);
      return undefined;
    case "unknown":
      throw busy(10);
  }
};

/** The rows decide: however many ask at once, one number is one key, and one key is one account. */
const accountFor = async (scene: Scene): Promise<string> => {
  const { ctx, affiliate, platform } = scene;
  const gone = new Set<string>();
  let own = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const rows = await listOnboardings(ctx.db, ctx.program.id, affiliate.id);
    const last = rows.findLast((row) => row.providerAccount === platform);
    if (last?.accountId != null && !gone.has(last.accountId)) {
      if (await isOurs(scene, last.accountId)) return last.accountId;
      gone.add(last.accountId);
    }
    if (last !== undefined && last.accountId === null && last.refusedAt === null) {
      const account = await settle(scene, last, last.n === own);
      if (account !== undefined) return account;
      continue;
    }
    const n = (rows.at(-1)?.n ?? 0) + 1;
    if (await begin(scene, n)) own = n;
  }
  throw busy(2);
};

/** The same change from the same destination is one turn, whoever asks for it and however often. */
const sendMoneyTo = async ({ ctx, affiliate }: Scene, account: string): Promise<void> => {
  const { id, destination, destinationChangedAt } = affiliate;
  if (destination?.method === "stripe" && destination.account === account)
    return reviewReadiness(ctx, account, false, `s:onboard:${newBody(ctx)}`);
  const from = destination === null ? "none" : `${destination.sha}:${destinationChangedAt ?? 0}`;
  const input = { commandId: `s:onboard:${id}:${account}:${from}`, requestSha: "" };
  await setPayoutMethod(ctx, { id }, { method: "stripe", accountId: account }, input);
};

const sceneOf = async (ctx: Ctx, affiliate: Affiliate, wish: OnboardingWish): Promise<Scene> => {
  const program = await findProgram(ctx.db, ctx.program.id);
  if (!program?.policy.payout_methods.includes("stripe"))
    throw no("rail_not_available", "The program does not offer stripe.");
  const secret = await secretsOf(ctx.db, ctx.vault, ctx.program.id, "stripe");
  if (secret === undefined) {
    const detail = "The program has no Stripe credentials: PUT /v1/program/credentials/stripe first.";
    throw no("credentials_missing", detail);
  }
  return { ctx, affiliate, wish, secretKey: secret.secretKey, platform: secret.account };
};

/** Places in other requests are none in this one. */
const placed = (error: unknown): unknown =>
  error instanceof Refused && error.refusal.pointer !== "/country"
    ? no(error.refusal.code, error.refusal.detail)
    : error;

/** Throws where Stripe cannot be asked; asked again, it goes on where it was. */
export const onboardAffiliate = async (
  ctx: Ctx,
  ref: AffiliateRef,
  wish: OnboardingWish,
): Promise<Onboarded> => {
  const affiliate = await requireAffiliate(ctx, ref);
  const scene = await sceneOf(ctx, affiliate, wish);
  try {
    const present = affiliate.destination?.method === "stripe" ? affiliate.destination.account : null;
    const isPresent = present !== null && (await isOurs(scene, present));
    const account = isPresent ? present : await accountFor(scene);
    await sendMoneyTo(scene, account);
    return { affiliateId: affiliate.id, account };
  } catch (error) {
    throw placed(error);
  }
};
