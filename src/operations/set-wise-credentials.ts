// Stores a program's Wise secrets, after Wise itself has said whose they are.
import type { Ctx } from "../context.ts";
import { replaceWise, type WiseSecrets } from "../domain/credentials.ts";
import type { Credentials } from "../store/credentials.ts";
import { askProvider } from "./ask-provider.ts";
import { replaceCredentials } from "./replace-credentials.ts";

export const setWiseCredentials = async (ctx: Ctx, secrets: WiseSecrets): Promise<Credentials> => {
  const account = await askProvider(ctx.wiseAccounts.accountOf(ctx.program, secrets));
  return replaceCredentials(ctx, {
    provider: "wise",
    name: "Wise",
    account,
    secret: secrets.apiToken,
    pointer: "/api_token",
    secretsAfter: (before, now) => replaceWise(before, secrets, now),
  });
};
