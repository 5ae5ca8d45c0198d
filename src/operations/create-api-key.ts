// Makes an API key for a program: no wider than the key that asks for it.
import type { Ctx, Ports } from "../context.ts";
import { impliesScope, type Scope } from "../domain/api-key.ts";
import type { ProgramId } from "../domain/ids.ts";
import { Refused, refuse } from "../domain/refusals.ts";
import { keyInsert } from "../store/access.ts";
import { commitAnnounced } from "../store/events.ts";
import { findProgram } from "../store/programs.ts";
import { type KeyWish, keyNews, type MintedKey, mintKey, ROOT_ACTOR } from "./mint-key.ts";

export interface NewApiKey {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly dialect: string | null;
  /** Epoch milliseconds. */
  readonly expiresAt: number | null;
  /** What the asking key holds. */
  readonly held: readonly Scope[];
}

const assertHeld = (scopes: readonly Scope[], held: readonly Scope[]): void => {
  const missing = scopes.find((scope) => !impliesScope(held, scope));
  if (missing === undefined) return;
  const detail = `A key cannot grant ${missing}, which it does not hold itself.`;
  const more = { pointer: "/scopes", facts: { required_scope: missing } };
  throw new Refused(refuse("scope_not_held", detail, more).refusal);
};

const write = async (ports: Ports, wish: KeyWish, actor: Ctx["actor"]): Promise<MintedKey> => {
  const minted = await mintKey(ports, wish);
  const news = keyNews("api_key.created", { ...wish, keyId: minted.key.id }, actor, minted.key.createdAt);
  const isWritten = await commitAnnounced(ports.db, keyInsert(ports.db, minted.key), news);
  if (!isWritten) throw new Error("a new key was not written");
  return minted;
};

export const createApiKey = async (ctx: Ctx, wish: NewApiKey): Promise<MintedKey> => {
  assertHeld(wish.scopes, wish.held);
  if (wish.expiresAt !== null && wish.expiresAt <= ctx.realNow()) {
    const pointer = "/expires_at";
    throw new Refused(refuse("period_invalid", "expires_at must be in the future.", { pointer }).refusal);
  }
  const { name, dialect, expiresAt } = wish;
  const scopes = [...new Set(wish.scopes)];
  const { id: programId, mode } = ctx.program;
  return write(ctx, { programId, mode, name, scopes, dialect, expiresAt }, ctx.actor);
};

/** The root key's way into a program whose keys are lost; undefined where there is no such program. */
export const createAdminKey = async (
  ports: Ports,
  programId: ProgramId,
  name: string,
): Promise<MintedKey | undefined> => {
  const program = await findProgram(ports.db, programId);
  if (program === undefined) return undefined;
  const wish = { programId, mode: program.mode, name, dialect: null, expiresAt: null };
  return write(ports, { ...wish, scopes: ["program:admin"] }, ROOT_ACTOR);
};
