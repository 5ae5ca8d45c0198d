// Stores a program's Stripe secrets, after Stripe itself has said whose they are.
import type { Ctx } from "../context.ts";
import type { StripeSecrets } from "../domain/credentials.ts";
import { Refused, refuse } from "../domain/refusals.ts";
import { type Credentials, credentialsPlace, putCredentials } from "../store/credentials.ts";
import { askStripe } from "./ask-stripe.ts";

/** A test program refuses live secrets and the reverse: the key itself says which it is. */
const assertMode = (ctx: Ctx, secretKey: string): void => {
  const isLive = /^(sk|rk)_live_/.test(secretKey);
  if (isLive === (ctx.program.mode === "live")) return;
  const detail = `The program is in ${ctx.program.mode} mode and the key is not.`;
  throw new Refused(refuse("credentials_refused", detail, { pointer: "/secret_key" }).refusal);
};

export const setStripeCredentials = async (ctx: Ctx, secrets: StripeSecrets): Promise<Credentials> => {
  const { secretKey } = secrets;
  assertMode(ctx, secretKey);
  const account = await askStripe(ctx.stripeAccounts.accountOfKey(secretKey));
  const { id: programId, mode } = ctx.program;
  const now = ctx.now();
  const credentials: Credentials = {
    programId,
    provider: "stripe",
    account,
    sealed: await ctx.vault.seal(JSON.stringify(secrets), credentialsPlace(programId, "stripe")),
    last4: secretKey.slice(-4),
    livemode: mode === "live",
    checkedAt: now,
    updatedAt: now,
  };
  const isWritten = await putCredentials(ctx.db, credentials, {
    programId,
    livemode: credentials.livemode,
    type: "program.updated",
    actor: ctx.actor,
    at: now,
    data: { object: "program", id: programId, reason: "stripe_credentials_changed" },
  });
  if (isWritten) return credentials;
  const detail =
    "Payments through the present Stripe account are under way; change the account when they are over.";
  throw new Refused(refuse("credentials_in_use", detail, { pointer: "/secret_key" }).refusal);
};
