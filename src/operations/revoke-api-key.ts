// Ends an API key; a key that has ended already stays as it is.
import type { Ctx } from "../context.ts";
import type { KeyId } from "../domain/ids.ts";
import { Refused, refuse } from "../domain/refusals.ts";
import { findProgramKey, revokeKey } from "../store/access.ts";
import { keyNews } from "./mint-key.ts";

export const revokeApiKey = async (ctx: Ctx, keyId: KeyId): Promise<void> => {
  const { id: programId, mode } = ctx.program;
  const key = await findProgramKey(ctx.db, programId, keyId);
  if (key === undefined) throw new Refused(refuse("key_not_found", "No such key in this program.").refusal);
  if (key.revokedAt !== null) return;
  const news = keyNews("api_key.revoked", { programId, mode, keyId }, ctx.actor, ctx.now());
  await revokeKey(ctx.db, programId, keyId, news);
};
