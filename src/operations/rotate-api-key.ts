// Replaces an API key by a new one of the same scopes; for a while both work, so that no caller has to stop.
import type { Ctx } from "../context.ts";
import type { KeyId } from "../domain/ids.ts";
import { Refused, refuse } from "../domain/refusals.ts";
import { findProgramKey, replaceKey, type StoredKey } from "../store/access.ts";
import { keyNews, type MintedKey, mintKey } from "./mint-key.ts";

const HOUR_MS = 3_600_000;

const over = (): Refused =>
  new Refused(refuse("invalid_state", "The key is revoked or has expired; create a new one.").refusal);

const isOver = (key: StoredKey, now: number): boolean =>
  key.revokedAt !== null || (key.expiresAt !== null && key.expiresAt <= now);

/** The new key ends when the old one was to end of itself; overlapHours is what the old one is still given. */
export const rotateApiKey = async (ctx: Ctx, keyId: KeyId, overlapHours: number): Promise<MintedKey> => {
  const { id: programId, mode } = ctx.program;
  const old = await findProgramKey(ctx.db, programId, keyId);
  if (old === undefined) throw new Refused(refuse("key_not_found", "No such key in this program.").refusal);
  const now = ctx.realNow();
  const { name, scopes, dialect, expiresAt } = old;
  const minted = await mintKey(ctx, { programId, mode, name, scopes, dialect, expiresAt });
  const isDone =
    ctx.keyed !== undefined && (await findProgramKey(ctx.db, programId, minted.key.id)) !== undefined;
  if (isDone) return minted;
  if (isOver(old, now)) throw over();
  const news = keyNews(
    "api_key.created",
    { programId, mode, keyId: minted.key.id },
    ctx.actor,
    now,
    "rotated",
  );
  const end = { id: keyId, expiresAt: now + overlapHours * HOUR_MS };
  if (!(await replaceKey(ctx.db, end, minted.key, news))) throw over();
  return minted;
};
