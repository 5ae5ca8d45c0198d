// Makes a new API key: its row with the HMAC of its text, and the text itself, which is shown once and kept nowhere.
import type { Ports } from "../context.ts";
import { formatKey, keyPrefixOf, type Mode, type Scope } from "../domain/api-key.ts";
import type { Actor } from "../domain/events.ts";
import type { KeyId, ProgramId } from "../domain/ids.ts";
import type { NewKey } from "../store/access.ts";
import type { Announcement } from "../store/events.ts";
import { hashKey } from "../store/key-hash.ts";
import { createdAt, createdBody, createdSecret } from "./apply-turn.ts";

export interface KeyWish {
  readonly programId: ProgramId;
  readonly mode: Mode;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly dialect: string | null;
  /** Epoch milliseconds. */
  readonly expiresAt: number | null;
}

export interface MintedKey {
  readonly key: NewKey;
  /** The whole key. */
  readonly secret: string;
}

/** Who acts with the root key: no program's key, so no id of one. */
export const ROOT_ACTOR: Actor = { type: "key", id: "root" };

export const mintKey = async (ports: Ports, wish: KeyWish): Promise<MintedKey> => {
  const id: KeyId = `key_${createdBody(ports, 1)}`;
  const secret = formatKey(wish.mode, id, createdSecret(ports));
  const pepperVersion = ports.config.currentPepper;
  const pepper = ports.config.keyPeppers[pepperVersion];
  if (pepper === undefined) throw new Error("the current key pepper is not configured");
  const key: NewKey = {
    id,
    programId: wish.programId,
    name: wish.name,
    prefix: keyPrefixOf(wish.mode, id),
    scopes: wish.scopes,
    dialect: wish.dialect,
    expiresAt: wish.expiresAt,
    revokedAt: null,
    lastUsedAt: null,
    createdAt: createdAt(ports),
    hash: await hashKey(pepper, secret),
    pepperVersion,
  };
  return { key, secret };
};

export const keyNews = (
  type: "api_key.created" | "api_key.revoked",
  of: { readonly programId: ProgramId; readonly mode: Mode; readonly keyId: KeyId },
  actor: Actor,
  at: number,
  reason?: string,
): Announcement => ({
  programId: of.programId,
  livemode: of.mode === "live",
  type,
  actor,
  at,
  data: {
    object: "api_key",
    id: of.keyId,
    ...(type === "api_key.revoked" ? { status: "revoked", previous_status: "active" } : { status: "active" }),
    ...(reason === undefined ? {} : { reason }),
  },
});
