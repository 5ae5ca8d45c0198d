// Stores a program's new secrets with a provider over the old ones, and lets what messages were signed with overlap.
import type { Ctx } from "../context.ts";
import { Refused, refuse } from "../domain/refusals.ts";
import {
  type Credentials,
  credentialsPlace,
  findCredentials,
  openSecrets,
  type Provider,
  putCredentials,
  type SecretsOf,
} from "../store/credentials.ts";

export interface Replacement<P extends Provider> {
  readonly provider: P;
  /** The provider's name, for people. */
  readonly name: string;
  /** The provider's own account that the secrets belong to: the provider said so. */
  readonly account: string;
  /** What is shown of it are its last four characters. */
  readonly secret: string;
  /** JSON pointer to the field that names the secret. */
  readonly pointer: string;
  readonly secretsAfter: (before: SecretsOf[P] | undefined, now: number) => SecretsOf[P];
}

/** Secrets whose master key is gone are replaced all the same: that is how a program gets going again. */
const secretsBefore = async <P extends Provider>(
  ctx: Ctx,
  stored: (Credentials & { readonly provider: P }) | undefined,
): Promise<SecretsOf[P] | undefined> => {
  if (stored === undefined) return undefined;
  try {
    return await openSecrets(ctx.vault, stored);
  } catch (fault) {
    const name = fault instanceof Error ? fault.name : "unknown";
    ctx.log({ event: "credentials_unreadable", program_id: ctx.program.id, provider: stored.provider, name });
    return undefined;
  }
};

const TRIES = 5;

export const replaceCredentials = async <P extends Provider>(
  ctx: Ctx,
  replacement: Replacement<P>,
): Promise<Credentials> => {
  const { provider, name, account, secret, pointer, secretsAfter } = replacement;
  const { id: programId, mode } = ctx.program;
  for (let tried = 0; tried < TRIES; tried++) {
    const stored = await findCredentials(ctx.db, programId, provider);
    const now = ctx.now();
    const secrets = secretsAfter(await secretsBefore(ctx, stored), ctx.realNow());
    const credentials: Credentials = {
      programId,
      provider,
      account,
      sealed: await ctx.vault.seal(JSON.stringify(secrets), credentialsPlace(programId, provider)),
      last4: secret.slice(-4),
      livemode: mode === "live",
      checkedAt: now,
      updatedAt: now,
    };
    const before = stored?.sealed ?? null;
    const isWritten = await putCredentials(ctx.db, credentials, before, {
      programId,
      livemode: credentials.livemode,
      type: "program.updated",
      actor: ctx.actor,
      at: now,
      data: { object: "program", id: programId, reason: `${provider}_credentials_changed` },
    });
    if (isWritten) return credentials;
    const standing = await findCredentials(ctx.db, programId, provider);
    if ((standing?.sealed ?? null) !== before) continue;
    const detail = `Payments through the present ${name} account are under way; change the account when they are over.`;
    throw new Refused(refuse("credentials_in_use", detail, { pointer }).refusal);
  }
  throw Object.assign(new Error("the program's credentials keep changing"), { retryAfterS: 1 });
};
