// Who calls: one bearer key, checked offline, then against its row, warm for half a minute; then the scope that the route needs.
import type { Context } from "hono";
import type { Ports, Program } from "../context.ts";
import { impliesScope, type Mode, parseKey, type Scope } from "../domain/api-key.ts";
import type { KeyId } from "../domain/ids.ts";
import { isPortalText } from "../domain/portal-token.ts";
import { digestOf, hashKey, sameHash } from "../store/key-hash.ts";
import type { AppEnv, Gate } from "./env.ts";
import { assertAddress, assertKey } from "./fuse.ts";
import { accessByPortal, keepToOwn, openPortalToken, type PortalReach } from "./portal-token.ts";
import { Problem } from "./problem.ts";

export interface KeyRecord {
  readonly id: KeyId;
  readonly programId: Program["id"];
  readonly name: string;
  readonly mode: Mode;
  readonly scopes: readonly Scope[];
  /** HMAC of the key text under the pepper of that version. */
  readonly hash: string;
  readonly pepperVersion: string | number;
  /** Epoch milliseconds, of real time. */
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
  readonly lastUsedAt?: number | null;
  readonly dialect: string | null;
  readonly program: Program;
}

/** The rows behind the keys; `touchKey` writes last_used_at. */
export interface KeyStore {
  findKey(db: D1Database, id: KeyId): Promise<KeyRecord | undefined>;
  touchKey(db: D1Database, id: KeyId, at: number): Promise<void>;
}

export interface KeyRing {
  /** The valid key that a token is, or undefined: unknown, wrong, expired, revoked, of another mode. */
  /** `admit` is asked before a look-up: whoever guesses pays for each guess with the fuse of the address. */
  open(ports: Ports, token: string, admit: () => Promise<void>): Promise<KeyRecord | undefined>;
  /** Reads the program's keys anew: what a warm key remembers of it no longer holds. */
  forget(programId: Program["id"]): void;
}

/** A revoked key works on for at most this long; the wire promises 30 s. */
const WARM_MS = 30_000;
const TOUCH_MS = 300_000;
const RING_MAX = 1_000;

interface Warm {
  readonly record: KeyRecord;
  readonly readAt: number;
}

const putBounded = <K, V>(map: Map<K, V>, key: K, value: V): void => {
  map.delete(key);
  map.set(key, value);
  const oldest = map.keys().next();
  if (map.size > RING_MAX && !oldest.done) map.delete(oldest.value);
};

/** One per isolate. Only what was found and proved is kept, so a guess always costs the guesser a look-up. */
export const makeKeyRing = (store: KeyStore): KeyRing => {
  const warm = new Map<string, Warm>();
  const touched = new Map<KeyId, number>();

  const prove = async (
    ports: Ports,
    token: string,
    admit: () => Promise<void>,
  ): Promise<KeyRecord | undefined> => {
    const text = parseKey(token);
    if (text === undefined) return undefined;
    const digest = await digestOf(token);
    const known = warm.get(digest);
    const age = known === undefined ? Number.POSITIVE_INFINITY : ports.now() - known.readAt;
    if (known !== undefined && age >= 0 && age < WARM_MS) return known.record;
    warm.delete(digest);
    await admit();
    // The age counts from before the read: a revocation that commits meanwhile is not overlooked for longer.
    const readAt = ports.now();
    const record = await store.findKey(ports.db, text.keyId);
    if (record === undefined || record.mode !== text.mode || record.program.mode !== text.mode)
      return undefined;
    const pepper = ports.config.keyPeppers[String(record.pepperVersion)];
    if (pepper === undefined || !sameHash(await hashKey(pepper, token), record.hash)) return undefined;
    putBounded(warm, digest, { record, readAt });
    return record;
  };

  const touch = (ports: Ports, record: KeyRecord, now: number): void => {
    const last = Math.max(touched.get(record.id) ?? 0, record.lastUsedAt ?? 0);
    if (now - last < TOUCH_MS) return;
    putBounded(touched, record.id, now);
    const failed = (): void => ports.log({ event: "key_touch_failed", key_id: record.id });
    ports.defer(store.touchKey(ports.db, record.id, now).catch(failed));
  };

  return {
    async open(ports, token, admit) {
      const record = await prove(ports, token, admit);
      const now = ports.now();
      if (record === undefined || record.revokedAt !== null) return undefined;
      if (record.expiresAt !== null && record.expiresAt <= now) return undefined;
      touch(ports, record, now);
      return record;
    },
    forget(programId) {
      for (const [digest, { record }] of warm) if (record.programId === programId) warm.delete(digest);
    },
  };
};

/** One answer for every reason, so that it tells nothing about a key. */
const unauthorized = (): Problem =>
  new Problem("unauthorized", "Send one valid key as `Authorization: Bearer <key>`.");

const BEARER = /^Bearer +([A-Za-z0-9._~+/=-]{1,512})$/i;

const bearerOf = (c: Context<AppEnv>): string | undefined =>
  BEARER.exec(c.req.header("authorization") ?? "")?.[1];

const tokenOf = (c: Context<AppEnv>): string => {
  const token = c.get("keyText") ?? bearerOf(c);
  if (token === undefined) throw unauthorized();
  return token;
};

/** The dialect that the request's key was minted with; null without a valid key, which the gate that follows refuses. */
export const dialectOfKey = async (c: Context<AppEnv>): Promise<string | null> => {
  const token = bearerOf(c);
  if (token === undefined || isPortalText(token)) return null;
  const record = await c.get("keyRing").open(c.get("ports"), token, () => assertAddress(c));
  return record?.dialect ?? null;
};

const isRootKey = async (ports: Ports, token: string): Promise<boolean> =>
  ports.config.rootKey !== "" && sameHash(await digestOf(token), await digestOf(ports.config.rootKey));

const wrongKey = (detail: string): Problem => new Problem("forbidden", detail);

/** A portal token stands for its affiliate, where the route lets it in. */
const enterByPortal = async (
  c: Context<AppEnv>,
  token: string,
  reach: PortalReach | undefined,
): Promise<void> => {
  await assertAddress(c);
  const holder = await openPortalToken(c.get("ports"), token);
  if (holder === undefined) throw unauthorized();
  await assertKey(c, holder.affiliateId);
  if (reach === undefined) throw wrongKey("A portal token opens only what is the affiliate's own.");
  c.set("access", accessByPortal(holder));
  await keepToOwn(c, holder, reach);
};

/** The route is for a program's key that holds the scope, or for an affiliate's portal token; sets `access`. */
export const requireScope =
  (scope: Scope, portal?: PortalReach): Gate =>
  async (c) => {
    const token = tokenOf(c);
    const ports = c.get("ports");
    if (isPortalText(token)) return enterByPortal(c, token, portal);
    const record = await c.get("keyRing").open(ports, token, () => assertAddress(c));
    if (record === undefined) {
      if (await isRootKey(ports, token))
        throw wrongKey("The root key opens only the routes that create and list programs.");
      throw unauthorized();
    }
    const { id, name, mode, scopes, dialect, program } = record;
    await assertKey(c, id);
    c.set("access", { key: { id, name, mode, scopes, dialect }, program, actor: { type: "key", id } });
    if (!impliesScope(scopes, scope)) {
      const facts = { required_scope: scope };
      throw new Problem("scope_not_held", `This needs the scope ${scope}, which the key does not hold.`, {
        facts,
      });
    }
  };

/** The route is for the root key alone. */
export const requireRoot = (): Gate => async (c) => {
  const token = tokenOf(c);
  const ports = c.get("ports");
  if (isPortalText(token)) return enterByPortal(c, token, undefined);
  if (await isRootKey(ports, token)) return;
  if ((await c.get("keyRing").open(ports, token, () => assertAddress(c))) === undefined) throw unauthorized();
  throw wrongKey("Only the root key opens this.");
};
