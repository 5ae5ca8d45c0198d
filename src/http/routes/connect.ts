// GET /connect/stripe/…: takes an affiliate from its onboarding link to Stripe, again where Stripe's own link is spent, and back.
import type { Context } from "hono";
import { ctxFor } from "../../operations/ctx-for.ts";
import { openAccountLink, returnFromStripe } from "../../operations/open-account-link.ts";
import {
  BUSY,
  CLOSED,
  EXPIRED_LINK,
  MOVED,
  NOT_YET,
  notReady,
  type Page,
  pageAnswer,
  READY,
  TROUBLE,
  UNKNOWN_LINK,
  WAY_IN,
} from "../connect-page.ts";
import { type ConnectClaims, readConnectToken } from "../connect-token.ts";
import type { AppEnv, Register } from "../env.ts";
import { faultLine } from "../fault.ts";
import { assertAddress } from "../fuse.ts";
import { isFault, problemOf } from "../problem.ts";

/** Whoever was at Stripe when the link ran out still comes back to a page that helps. */
const RETURN_LATE_MS = 86_400_000;

/** Without PUBLIC_URL the address that was asked; on Workers nobody but its owner chooses it. */
export const publicBaseOf = (c: Context<AppEnv>): string => {
  const { publicUrl } = c.get("ports").config;
  return publicUrl === "" ? new URL(c.req.url).origin : publicUrl.replace(/\/+$/, "");
};

/** Browsers and mail scanners that look ahead: no link is made for them and nobody is asked. */
const isLookingAhead = (c: Context<AppEnv>): boolean =>
  [c.req.header("sec-purpose"), c.req.header("purpose"), c.req.header("x-moz")].some((words) =>
    /prefetch|prerender|preview/i.test(words ?? ""),
  );

const ctxOfClaims = (c: Context<AppEnv>, { programId, affiliateId }: ConnectClaims) =>
  ctxFor(c.get("ports"), programId, { type: "affiliate", id: affiliateId });

const claimsOf = (c: Context<AppEnv>, token: string): Promise<ConnectClaims | undefined> =>
  readConnectToken(c.get("ports").config.cursorKey, token);

const backTo = (c: Context<AppEnv>, verb: "refresh" | "return", token: string): string =>
  `${publicBaseOf(c)}/connect/stripe/${verb}?token=${token}`;

const redirect = (c: Context<AppEnv>, url: string): Response => {
  // The address as Stripe gave it; hono's own redirect would spell it anew.
  c.header("Cache-Control", "no-store");
  c.header("Referrer-Policy", "no-referrer");
  return c.body(null, 302, { Location: url });
};

const lead = async (c: Context<AppEnv>, token: string): Promise<Response | Page> => {
  const claims = await claimsOf(c, token);
  if (claims === undefined) return UNKNOWN_LINK;
  if (claims.expiresAt <= c.get("ports").now()) return EXPIRED_LINK;
  if (c.req.method === "HEAD") return WAY_IN;
  if (isLookingAhead(c)) return NOT_YET;
  const urls = { refreshUrl: backTo(c, "refresh", token), returnUrl: backTo(c, "return", token) };
  const answer = await openAccountLink(await ctxOfClaims(c, claims), claims, urls);
  if (answer.kind === "link") return redirect(c, answer.url);
  return answer.kind === "moved" ? MOVED : CLOSED;
};

const comeBack = async (c: Context<AppEnv>, token: string): Promise<Response | Page> => {
  const claims = await claimsOf(c, token);
  if (claims === undefined) return UNKNOWN_LINK;
  const now = c.get("ports").now();
  if (claims.expiresAt + RETURN_LATE_MS <= now) return EXPIRED_LINK;
  if (c.req.method === "HEAD") return WAY_IN;
  if (isLookingAhead(c)) return NOT_YET;
  const ctx = await ctxOfClaims(c, claims);
  const affiliate = await returnFromStripe(ctx, claims);
  if (affiliate === undefined) return MOVED;
  const onwards = claims.returnUrl ?? ctx.program.policy.onboarding_return_url;
  if (onwards !== null) return redirect(c, onwards);
  if (affiliate.ready) return READY;
  return notReady(affiliate.missing, claims.expiresAt > now ? backTo(c, "refresh", token) : undefined);
};

/** People stand here, not programs: also what breaks is a page. */
const answer = async (
  c: Context<AppEnv>,
  step: (c: Context<AppEnv>, token: string) => Promise<Response | Page>,
  token: string,
): Promise<Response> => {
  try {
    await assertAddress(c);
    const done = await step(c, token);
    return done instanceof Response ? done : pageAnswer(c, done);
  } catch (thrown) {
    if (isFault(thrown)) c.get("ports").log(faultLine(c.get("requestId"), thrown));
    const { status } = problemOf(thrown);
    return pageAnswer(c, status === 503 || status === 429 ? { ...BUSY, status } : TROUBLE);
  }
};

export const registerConnect: Register = (app) => {
  app.get("/connect/stripe/return", (c) => answer(c, comeBack, c.req.query("token") ?? ""));
  app.get("/connect/stripe/refresh", (c) => answer(c, lead, c.req.query("token") ?? ""));
  app.get("/connect/stripe/:token", (c) => answer(c, lead, c.req.param("token")));
};
