// The second kind of bearer: an affiliate with a portal token, kept to its own things wherever a route lets it in.
import type { Context } from "hono";
import type { Ports } from "../context.ts";
import { parsePortalToken } from "../domain/portal-token.ts";
import { Refused, refuse } from "../domain/refusals.ts";
import { sameHash } from "../store/key-hash.ts";
import { findPayoutAffiliate } from "../store/payouts.ts";
import { findPortalHolder, type PortalHolder, signPortalText } from "../store/portal-tokens.ts";
import type { Access, AppEnv, Gate } from "./env.ts";

/**
 * How a route keeps a portal token to its affiliate: `affiliate` and `payout` by what its path names, `list` by narrowing the query.
 * A route that says nothing does not let it in.
 */
export type PortalReach = "affiliate" | "payout" | "list";

/** The affiliate whose valid token it is, or undefined: misspelled, forged, over, of nobody or of somebody suspended. */
export const openPortalToken = async (ports: Ports, token: string): Promise<PortalHolder | undefined> => {
  const text = parsePortalToken(token);
  if (text === undefined) return undefined;
  const { claims, unsigned, signature } = text;
  if (!sameHash(await signPortalText(ports.config.cursorKey, unsigned), signature)) return undefined;
  if (claims.expiresAt <= ports.now()) return undefined;
  const holder = await findPortalHolder(ports.db, claims.programId, claims.affiliateId);
  return holder?.status === "active" ? holder : undefined;
};

/** No key of the program and none of its scopes: what the token opens, its routes say. */
export const accessByPortal = ({ affiliateId, program }: PortalHolder): Access => ({
  key: { id: "key_portal", name: "portal token", mode: program.mode, scopes: [], dialect: null },
  program,
  actor: { type: "affiliate", id: affiliateId },
});

const keepToPath = (c: Context<AppEnv>, { affiliateId, externalId }: PortalHolder): void => {
  const named = c.req.param("affiliate_id");
  if (named === affiliateId || (externalId !== null && named === `ext:${externalId}`)) return;
  throw new Refused(refuse("affiliate_not_found", "").refusal);
};

const keepToPayout = async (c: Context<AppEnv>, { affiliateId, program }: PortalHolder): Promise<void> => {
  const id = (c.req.param("payout_id") ?? "") as `po_${string}`;
  if ((await findPayoutAffiliate(c.get("ports").db, program.id, id)) === affiliateId) return;
  throw new Refused(refuse("payout_not_found", "").refusal);
};

/** The list is the holder's own, whatever the query asks for; another affiliate's is not there. */
const narrow = (c: Context<AppEnv>, holder: PortalHolder): void => {
  const url = new URL(c.req.url);
  const own = [holder.affiliateId, holder.externalId === null ? null : `ext:${holder.externalId}`];
  for (const named of url.searchParams.getAll("affiliate_id"))
    if (!own.includes(named)) throw new Refused(refuse("affiliate_not_found", "").refusal);
  url.searchParams.set("affiliate_id", holder.affiliateId);
  c.req.raw = new Request(url, c.req.raw);
};

export const keepToOwn = async (
  c: Context<AppEnv>,
  holder: PortalHolder,
  reach: PortalReach,
): Promise<void> => {
  if (reach === "affiliate") keepToPath(c, holder);
  else if (reach === "payout") await keepToPayout(c, holder);
  else narrow(c, holder);
};

const isByPortal = (c: Context<AppEnv>): boolean => c.get("access")?.actor.type === "affiliate";

/** An affiliate's idempotency keys are its own: they neither find nor take those of the program's keys, which hold no line break. */
export const separateKeys: Gate = (c) => {
  const key = c.get("idempotencyKey");
  if (key !== undefined && isByPortal(c)) c.set("idempotencyKey", `${c.get("access")?.actor.id}\n${key}`);
};

/** What merchants write for themselves, and what providers say to them. */
const INTERNAL = ["admin_note", "note", "metadata", "failure_detail"];

const withoutInternals = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutInternals);
  if (typeof value !== "object" || value === null) return value;
  const shown = Object.entries(value).map(([name, member]) => [
    name,
    INTERNAL.includes(name) ? null : withoutInternals(member),
  ]);
  const object: Record<string, unknown> = Object.fromEntries(shown);
  // A failed payout's blocker repeats the failure's detail.
  return object["reason"] === "payment_failed" && "detail" in object
    ? { ...object, detail: "The payment failed." }
    : object;
};

/** Stands around the handler, and around answers that are given again. */
export const throughPortal = async (c: Context<AppEnv>, next: () => Promise<void>): Promise<void> => {
  await next();
  const isJson = c.res.headers.get("content-type")?.startsWith("application/json") === true;
  if (!isByPortal(c) || !isJson) return;
  const shown = withoutInternals(await c.res.json());
  c.res = new Response(JSON.stringify(shown), c.res);
};
