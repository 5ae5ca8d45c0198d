// Stores a program's Stripe secrets, after Stripe itself has said whose they are.
import type { Ctx } from "../context.ts";
import { replaceStripe, type StripeSecrets } from "../domain/credentials.ts";
import { Refused, refuse } from "../domain/refusals.ts";
import type { Credentials } from "../store/credentials.ts";
import { askProvider } from "./ask-provider.ts";
import { replaceCredentials } from "./replace-credentials.ts";

const POINTER = "/secret_key";

/** A test program refuses live secrets and the reverse: the key itself says which it is. */
const assertMode = (ctx: Ctx, secretKey: string): void => {
  const isLive = /^(sk|rk)_live_/.test(secretKey);
  if (isLive === (ctx.program.mode === "live")) return;
  const detail = `The program is in ${ctx.program.mode} mode and the key is not.`;
  throw new Refused(refuse("credentials_refused", detail, { pointer: POINTER }).refusal);
};

export const setStripeCredentials = async (ctx: Ctx, secrets: StripeSecrets): Promise<Credentials> => {
  const { secretKey: secret } = secrets;
  assertMode(ctx, secret);
  const account = await askProvider(ctx.stripeAccounts.accountOfKey(secret));
  return replaceCredentials(ctx, {
    provider: "stripe",
    name: "Stripe",
    account,
    secret,
    pointer: POINTER,
    secretsAfter: (before, now) => replaceStripe(before, secrets, now),
  });
};
