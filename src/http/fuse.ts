// A fuse against floods, per key and per address: counted per place and approximately, so it guards the service and never money.
import type { Context } from "hono";
import type { FuseKind } from "../context.ts";
import type { AppEnv } from "./env.ts";
import { Problem } from "./problem.ts";

/** Requests in so many seconds, in one Cloudflare location. */
export const FUSES: Readonly<Record<FuseKind, { readonly limit: number; readonly periodS: 10 }>> = {
  key: { limit: 5_000, periodS: 10 },
  address: { limit: 1_000, periodS: 10 },
};

/** An IPv6 customer has a whole /64; an address that is none counts as one. */
export const networkOf = (address: string): string => {
  if (!address.includes(":")) return address;
  const [head = "", tail] = address.toLowerCase().split("%")[0]?.split("::") ?? [];
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(8 - left.length - right.length, 0);
  const groups = [...left, ...Array.from({ length: zeros }, () => "0"), ...right];
  return groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ""))
    .join(":");
};

const blown = (kind: FuseKind): Problem => {
  const { limit, periodS } = FUSES[kind];
  return new Problem(
    "too_many_requests",
    `More than ${limit} requests in ${periodS} seconds from one ${kind}.`,
    {
      headers: {
        "Retry-After": String(periodS),
        RateLimit: `"${kind}";r=0;t=${periodS}`,
        "RateLimit-Policy": `"${kind}";q=${limit};w=${periodS}`,
      },
    },
  );
};

/** One request in so many is counted, so that the others do not wait for the counter: the bindings' limits are that much lower. */
export const COUNTED_ONE_IN = 10;

interface Flow {
  seen: number;
  blownUntil: number;
}

const FLOWS_MAX = 10_000;
const flows = new Map<string, Flow>();

const flowOf = (place: string): Flow => {
  const known = flows.get(place);
  if (known !== undefined) return known;
  if (flows.size >= FLOWS_MAX) flows.clear();
  const made = { seen: 0, blownUntil: 0 };
  flows.set(place, made);
  return made;
};

const assertFuse = async (c: Context<AppEnv>, kind: FuseKind, id: string): Promise<void> => {
  const { fuse, now } = c.get("ports");
  const flow = flowOf(`${kind}:${id}`);
  if (flow.blownUntil > now()) throw blown(kind);
  if (flow.seen++ % COUNTED_ONE_IN !== 0 || (await fuse(kind, id))) return;
  flow.blownUntil = now() + FUSES[kind].periodS * 1_000;
  throw blown(kind);
};

/** Only Cloudflare's own header counts: the others are the caller's. */
export const assertAddress = (c: Context<AppEnv>): Promise<void> =>
  assertFuse(c, "address", networkOf(c.req.header("cf-connecting-ip") ?? ""));

export const assertKey = (c: Context<AppEnv>, keyId: string): Promise<void> => assertFuse(c, "key", keyId);
