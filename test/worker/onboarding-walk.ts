// An affiliate's way through onboarding as a browser walks it: our links over HTTP, Stripe's pages from the simulator.
import { exports } from "cloudflare:workers";
import { expect } from "vitest";
import { type Loose, unique, type World } from "./world.ts";

const self = (exports as unknown as { default: Fetcher }).default;

export const STRIPE = "http://stripe.test";

export const secretKeyOf = (world: World, platform = ""): string =>
  `sk_test_${world.program.id.slice(4)}${platform}_k`;

/** The program's Stripe credentials, and the webhook secrets of its two endpoints. */
export const connectStripe = async (world: World, platform = ""): Promise<void> => {
  await world.ok("PUT", "/v1/program/credentials/stripe", {
    secret_key: secretKeyOf(world, platform),
    webhook_secret: "whsec_platform",
    connect_webhook_secret: "whsec_connect",
  });
};

export const pathOf = (affiliateId: string): string => `/v1/affiliates/${affiliateId}/stripe-onboarding`;

export interface Onboarding {
  readonly id: string;
  readonly account: string;
  readonly url: string;
}

/** An affiliate with an onboarding link; nothing was given to Stripe yet. */
export const onboarding = async (world: World, body: object = {}): Promise<Onboarding> => {
  await connectStripe(world);
  const id = await world.affiliate({ country: "DE", external_id: unique("aff") });
  const { url } = await world.ok<{ url: string }>("POST", pathOf(id), body);
  return { id, url, account: await accountOf(world, id) };
};

export const affiliateOf = (world: World, id: string): Promise<Loose> =>
  world.ok("GET", `/v1/affiliates/${id}`);

interface Destination {
  readonly display: string;
  readonly ready: boolean;
  readonly missing: readonly string[];
  readonly changed_at: string | null;
}

export const destinationOf = async (world: World, id: string): Promise<Destination> =>
  (await affiliateOf(world, id))["payout_destination"] as Destination;

export const accountOf = async (world: World, id: string): Promise<string> =>
  (await destinationOf(world, id)).display;

/** The accounts that the program's own platform made. */
export const madeFor = (world: World, affiliateId: string) =>
  world.stripe.state().accounts.filter(({ metadata }) => metadata["affiliate_id"] === affiliateId);

export const linksMade = (world: World): number =>
  world.stripe.state().requests["POST /v1/account_links"] ?? 0;

export const timesAnnounced = async (world: World, type: string, affiliateId: string): Promise<number> => {
  const { data } = await world.ok<{ data: { type: string; data: { affiliate_id?: string } }[] }>(
    "GET",
    "/v1/events?limit=200",
  );
  return data.filter((event) => event.type === type && event.data.affiliate_id === affiliateId).length;
};

export const visit = (url: string, init: RequestInit = {}): Promise<Response> =>
  self.fetch(url, { redirect: "manual", ...init });

const locationOf = (answer: Response): string => {
  expect(answer.status).toBe(302);
  const location = answer.headers.get("location");
  if (location === null) throw new Error("a redirect to nowhere");
  return location;
};

/** Opens one of our links; the address that it leads to. */
export const follow = async (url: string): Promise<string> => locationOf(await visit(url));

/** What a person does at Stripe, in a second: gives everything that is asked for, or leaves; the address that Stripe leads back to. */
export const atStripe = async (world: World, url: string, finish = true): Promise<string> => {
  expect(url.startsWith(`${STRIPE}/_sim/onboarding/`)).toBe(true);
  world.advance(1_000);
  return locationOf(await world.stripe.fetch(new Request(finish ? url : `${url}?finish=false`)));
};

export const pageOf = async (url: string, init: RequestInit = {}) => {
  const answer = await visit(url, init);
  return { status: answer.status, headers: answer.headers, html: await answer.text() };
};
