// A connected account may have become ready, or not ready any more: asked again, and written to every affiliate that it belongs to.
import type { Ctx } from "../context.ts";
import type { Affiliate } from "../domain/affiliate.ts";
import { Refused } from "../domain/refusals.ts";
import { secretsOf } from "../store/credentials.ts";
import { listAffiliatesOfAccount } from "../store/onboardings.ts";
import { applyTurn } from "./apply-turn.ts";
import { askStripe } from "./ask-stripe.ts";

/** What an account misses that was taken away from the platform. */
const TAKEN_AWAY = "account.application.deauthorized";

/** An account that changes more often than this while it is looked at is looked at again at its next message. */
const ROUNDS = 3;

interface Word {
  readonly ready: boolean;
  readonly missing: readonly string[];
  /** The instant before Stripe was asked. */
  readonly readyAsOf: number;
}

/** What Stripe says now; undefined where the platform may not see the account and nobody said that it was taken away. */
const wordOf = async (ctx: Ctx, account: string, deauthorized: boolean): Promise<Word | undefined> => {
  const secret = await secretsOf(ctx.db, ctx.vault, ctx.program.id, "stripe");
  if (secret === undefined) return undefined;
  const readyAsOf = ctx.now();
  try {
    const { ready, missing } = await askStripe(ctx.stripeAccounts.readinessOf(secret.secretKey, account));
    return { ready, missing, readyAsOf };
  } catch (error) {
    if (!(error instanceof Refused) || error.refusal.code !== "account_not_found") throw error;
    return deauthorized ? { ready: false, missing: [TAKEN_AWAY], readyAsOf } : undefined;
  }
};

const isSaid = (affiliate: Affiliate, { ready, missing }: Word): boolean =>
  affiliate.ready === ready && affiliate.missing.join("\n") === missing.join("\n");

/**
 * Safe to run any number of times, in any order. The same word again is a turn too, for it makes older answers too old; and
 * what was new is held against a fresh answer before this ends, for two answers of one instant cannot be told apart.
 */
export const reviewReadiness = async (
  ctx: Ctx,
  account: string,
  deauthorized: boolean,
  commandPrefix: string,
): Promise<void> => {
  // A platform's other accounts send messages too.
  if ((await listAffiliatesOfAccount(ctx.db, ctx.program.id, account)).length === 0) return;
  for (let round = 1; round <= ROUNDS; round++) {
    const word = await wordOf(ctx, account, deauthorized);
    if (word === undefined) return;
    const affiliates = await listAffiliatesOfAccount(ctx.db, ctx.program.id, account);
    const outdated = affiliates.filter((affiliate) => !isSaid(affiliate, word));
    for (const { id } of round === 1 ? affiliates : outdated) {
      const commandId = round === 1 ? `${commandPrefix}:${id}` : `${commandPrefix}:${id}:${round}`;
      const command = { kind: "set_readiness", account, ...word } as const;
      await applyTurn(ctx, id, command, { commandId, requestSha: "" }, "affiliate");
    }
    if (outdated.length === 0) return;
  }
};
