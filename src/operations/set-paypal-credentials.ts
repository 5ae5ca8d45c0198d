// Stores a program's PayPal secrets, after PayPal itself has said whose they are.
import type { Ctx } from "../context.ts";
import { type PayPalSecrets, replacePayPal } from "../domain/credentials.ts";
import type { Credentials } from "../store/credentials.ts";
import { askProvider } from "./ask-provider.ts";
import { replaceCredentials } from "./replace-credentials.ts";

/** PayPal's secrets do not say of which mode they are: each mode has its own address, which refuses those of the other. */
export const setPayPalCredentials = async (ctx: Ctx, secrets: PayPalSecrets): Promise<Credentials> => {
  const account = await askProvider(ctx.paypalAccounts.accountOf(ctx.program, secrets));
  return replaceCredentials(ctx, {
    provider: "paypal",
    name: "PayPal",
    account,
    secret: secrets.clientSecret,
    pointer: "/client_secret",
    secretsAfter: (before, now) => replacePayPal(before, secrets, now),
  });
};
