// What the dialects' tests share: keys that speak one, the vendors' curls as they print them, documented shapes, and payouts at every stage.
import { expect } from "vitest";
import type { DialectName } from "../../src/domain/dialects.ts";
import { type Answer, type Loose, unique, type World } from "./world.ts";

export type Headers = Record<string, string>;

export const asKey = (key: string): Headers => ({ authorization: `Bearer ${key}` });

export const keyOf = async (
  world: World,
  wish: { dialect?: DialectName; scopes?: readonly string[] } = {},
): Promise<Headers> => {
  const { dialect, scopes = ["program:admin"] } = wish;
  const body = { name: unique("Key"), scopes, ...(dialect === undefined ? {} : { dialect }) };
  return asKey(String((await world.ok("POST", "/v1/api-keys", body))["secret"]));
};

export interface Curl {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  readonly body: unknown;
}

/** A curl as a document prints it: its URL without the host, its headers without the key. */
export const curlOf = (text: string): Curl => {
  const words = [...text.replaceAll("\\\n", " ").matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, bare]) => single ?? double ?? bare ?? "",
  );
  const after = (flag: string): string[] =>
    words.flatMap((word, i) => (word === flag ? [words[i + 1] ?? ""] : []));
  const url = words.find((word) => word.startsWith("https://"));
  if (words[0] !== "curl" || url === undefined) throw new Error(`no curl: ${text}`);
  const [data] = after("-d");
  const headers = after("-H").map((line): [string, string] => {
    const [name = "", value = ""] = line.split(": ");
    return [name.toLowerCase(), value];
  });
  return {
    method: after("-X")[0] ?? "GET",
    path: url.replace(/^https:\/\/[^/]+/, ""),
    headers: Object.fromEntries(headers.filter(([name]) => name !== "authorization")),
    body: data === undefined ? undefined : JSON.parse(data),
  };
};

const formOf = (value: string): string => {
  if (/^\d{4}-\d\d-\d\d$/.test(value)) return "date";
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(value)) return "instant to the second";
  return "text";
};

/** Keys, types and formats: what a client of the vendor relies on. null stands for itself. */
export const shapeOf = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(shapeOf);
  if (value === null) return null;
  if (typeof value === "object")
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, shapeOf(member)]));
  if (typeof value === "number") return "number";
  return typeof value === "string" ? formOf(value) : typeof value;
};

/** `but` names members that the document's example has otherwise and why is said where it is used. */
export const expectShape = (actual: unknown, example: unknown): void => {
  expect(shapeOf(actual)).toEqual(shapeOf(example));
};

/** Where a payout of ours may stand when a vendor's client comes to it. */
export const STAGES = [
  "requested",
  "pending",
  "approved",
  "asked to be paid by Stripe",
  "under way at Stripe",
  "waiting for a person",
  "paid by hand",
  "paid by Stripe",
  "failed",
  "cancelled",
  "returned",
] as const;
export type Stage = (typeof STAGES)[number];

const post = (world: World, id: string, verb: string, body: object = {}): Promise<Loose> =>
  world.ok("POST", `/v1/payouts/${id}/${verb}`, body);

const pendingPayout = async (world: World, stripe: boolean): Promise<string> => {
  const affiliateId = stripe ? (await world.stripeAffiliate()).id : await world.affiliate();
  await world.sale(affiliateId, 15_000);
  const commission = await world.sale(affiliateId, 1_000, { status: "pending" });
  expect(commission.status).toBe("pending");
  const { payouts } = await world.generate({ affiliate_ids: [affiliateId] });
  return payouts[0]?.id ?? "";
};

const requested = async (world: World): Promise<string> => {
  const affiliateId = await world.affiliate();
  await world.sale(affiliateId, 15_000);
  return (await world.ok("POST", `/v1/affiliates/${affiliateId}/payout-requests`, {})).id;
};

/** The transfer's answer is lost, so what became of it is not known. */
const underWay = async (world: World, id: string): Promise<void> => {
  world.stripe.addFault({ fault: "drop_after_work", times: 50 });
  await post(world, id, "pay");
  await world.deliver();
};

const STEPS: Readonly<Record<Exclude<Stage, "requested">, (world: World, id: string) => Promise<unknown>>> = {
  pending: async () => undefined,
  approved: (world, id) => post(world, id, "approve"),
  "asked to be paid by Stripe": (world, id) => post(world, id, "pay"),
  "under way at Stripe": underWay,
  "waiting for a person": async (world, id) => {
    await post(world, id, "pay");
    await world.deliver();
  },
  "paid by hand": (world, id) => post(world, id, "mark-paid", { external_ref: "bank-1" }),
  "paid by Stripe": async (world, id) => {
    await post(world, id, "pay");
    await world.drain();
  },
  failed: async (world, id) => {
    await post(world, id, "pay");
    await world.deliver();
    await post(world, id, "mark-failed", { reason: "account closed" });
  },
  cancelled: (world, id) => post(world, id, "cancel"),
  returned: async (world, id) => {
    await post(world, id, "mark-paid", { external_ref: "bank-2" });
    await post(world, id, "return", { reason: "sent back" });
  },
};

const BY_STRIPE: readonly Stage[] = ["asked to be paid by Stripe", "under way at Stripe", "paid by Stripe"];

export const payoutAt = async (world: World, stage: Stage): Promise<string> => {
  if (stage === "requested") return requested(world);
  const id = await pendingPayout(world, BY_STRIPE.includes(stage));
  await STEPS[stage](world, id);
  return id;
};

/** One call in the vendor's words. */
export const speak = <T = Loose>(
  world: World,
  { method, path, headers, body }: Curl,
  key: Headers,
): Promise<Answer<T>> => world.call<T>(method, path, body, { ...headers, ...key });
