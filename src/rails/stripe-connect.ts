// Connected accounts at Stripe: asked for in frozen bytes, found again where the answer was lost, and linked to their onboarding.
import Stripe from "stripe";
import { type Refusal, refuse } from "../domain/refusals.ts";
import { notForThisAddress, refusalOf, type StripeAccountPorts } from "./stripe-accounts.ts";
import { stripeClient } from "./stripe-client.ts";

interface Wish {
  readonly programId: string;
  readonly affiliateId: string;
  readonly key: string;
  readonly country: string;
  readonly email: string;
}

type Refused = { readonly refusal: Refusal };

type Answer =
  | { readonly kind: "made"; readonly account: string }
  | { readonly kind: "refused" | "denied"; readonly refusal: Refusal }
  | { readonly kind: "busy" | "unknown" };

/** More accounts than this between two instants are not looked through. */
const PAGES_MAX = 200;

/**
 * Stripe pays across a border only to accounts under the recipient agreement, and takes that agreement for no account
 * in the platform's own country: https://docs.stripe.com/connect/service-agreement-types.
 */
const requestOf = (wish: Wish, platformCountry: string): string =>
  new URLSearchParams([
    ["country", wish.country],
    ["email", wish.email],
    ["controller[fees][payer]", "application"],
    ["controller[losses][payments]", "application"],
    ["controller[requirement_collection]", "stripe"],
    ["controller[stripe_dashboard][type]", "express"],
    ["capabilities[transfers][requested]", "true"],
    ...(wish.country === platformCountry ? [] : [["tos_acceptance[service_agreement]", "recipient"]]),
    ["metadata[program_id]", wish.programId],
    ["metadata[affiliate_id]", wish.affiliateId],
    ["metadata[onboarding]", wish.key],
  ]).toString();

/** Whose an account is, as the frozen bytes say. */
const isAccountOf = (account: Partial<Stripe.Account>, request: string): account is Stripe.Account => {
  const sent = new URLSearchParams(request);
  return (
    account.object === "account" &&
    typeof account.id === "string" &&
    account.id.startsWith("acct_") &&
    ["program_id", "affiliate_id"].every((name) => account.metadata?.[name] === sent.get(`metadata[${name}]`))
  );
};

/** Stripe's own words, without the addresses and keys that it may repeat. */
const wordsOf = (error: Stripe.errors.StripeError): string =>
  error.message
    .replaceAll(/\S+@\S+/g, "…")
    .replaceAll(/\b[srp]k_(?:test|live)_\S+/g, "…")
    .slice(0, 400);

const denied = (detail: string): Answer => ({
  kind: "denied",
  refusal: refuse("credentials_refused", detail).refusal,
});

/** Only a 400 of a known type says that nothing was made; a key that may not ask says nothing about an earlier request. */
const answerOfError = (error: unknown): Answer => {
  if (!(error instanceof Stripe.errors.StripeError)) return { kind: "unknown" };
  if (error.statusCode === 429 || error.statusCode === 409) return { kind: "busy" };
  if (error.statusCode === 401) return denied("Stripe refuses the program's secret key.");
  if (error.statusCode === 403) return denied("The program's Stripe key may not make connected accounts.");
  if (error.statusCode !== 400 || error.rawType !== "invalid_request_error") return { kind: "unknown" };
  const pointer = error.param === "country" ? { pointer: "/country" } : {};
  const detail = `Stripe made no account: ${wordsOf(error)}`;
  return { kind: "refused", refusal: refuse("onboarding_refused", detail, pointer).refusal };
};

const inSeconds = (ms: number): number => Math.floor(ms / 1000);

const findMade = async (
  stripe: Stripe,
  request: string,
  made: { readonly from: number; readonly until: number },
): Promise<string | null> => {
  const created = { gte: inSeconds(made.from), lte: inSeconds(made.until) + 1 };
  let after: string | undefined;
  let oldest: string | null = null;
  for (let page = 0; page < PAGES_MAX; page++) {
    const list = await stripe.accounts.list({
      created,
      limit: 100,
      ...(after === undefined ? {} : { starting_after: after }),
    });
    if (!Array.isArray(list.data)) throw new Error("Stripe's list of accounts cannot be read");
    // Newest first: of several the one that was made first is the affiliate's.
    oldest = list.data.findLast((account) => isAccountOf(account, request))?.id ?? oldest;
    after = list.data.at(-1)?.id;
    if (!list.has_more) return oldest;
    if (after === undefined) throw new Error("Stripe's list of accounts ends in the middle");
  }
  throw new Error("more accounts than are looked through");
};

/** Where a browser may be sent: over https, or, beside Stripe's own address, to what stands in for Stripe. */
const isLink = (url: unknown, apiBase: string): url is string => {
  if (typeof url !== "string" || !URL.canParse(url)) return false;
  return new URL(url).protocol === "https:" || new URL(url).origin === new URL(apiBase).origin;
};

interface Link {
  readonly account: string;
  readonly refreshUrl: string;
  readonly returnUrl: string;
}

const mintLink = async (stripe: Stripe, to: Link, apiBase: string): Promise<{ readonly url: string }> => {
  const { object, url } = await stripe.accountLinks.create({
    account: to.account,
    type: "account_onboarding",
    refresh_url: to.refreshUrl,
    return_url: to.returnUrl,
  });
  if (object !== "account_link" || !isLink(url, apiBase)) throw new Error("Stripe's answer is no link");
  return { url };
};

const freeze = async (stripe: Stripe, wish: Wish): Promise<string> => {
  const { object, country } = await stripe.accounts.retrieveCurrent();
  if (object !== "account" || country === undefined) throw new Error("Stripe does not name a country");
  return requestOf(wish, country);
};

/** What goes out is the frozen bytes. */
const create = async (stripe: Stripe, key: string, request: string): Promise<Answer> => {
  try {
    const account = await stripe.accounts.create({}, { idempotencyKey: key });
    return isAccountOf(account, request) ? { kind: "made", account: account.id } : { kind: "unknown" };
  } catch (error) {
    return answerOfError(error);
  }
};

export const stripeConnect = (ports: StripeAccountPorts) => {
  const { apiBase, http } = ports;

  /** A definite no is handed back, trouble is thrown. */
  const asked = async <T>(
    secretKey: string,
    question: (stripe: Stripe) => Promise<T>,
  ): Promise<T | Refused> => {
    const elsewhere = notForThisAddress(ports, secretKey);
    if (elsewhere !== undefined) return elsewhere;
    try {
      return await question(stripeClient(secretKey, apiBase, http));
    } catch (error) {
      const refused = refusalOf(error);
      if (refused === undefined) throw error;
      return refused;
    }
  };

  return {
    freezeAccount: (secretKey: string, wish: Wish): Promise<string | Refused> =>
      asked(secretKey, (stripe) => freeze(stripe, wish)),

    async createAccount(secretKey: string, key: string, request: string): Promise<Answer> {
      const elsewhere = notForThisAddress(ports, secretKey);
      if (elsewhere !== undefined) return { kind: "denied", refusal: elsewhere.refusal };
      return create(stripeClient(secretKey, apiBase, http, request), key, request);
    },

    findAccount: (
      secretKey: string,
      request: string,
      made: { readonly from: number; readonly until: number },
    ): Promise<{ readonly account: string | null } | Refused> =>
      asked(secretKey, async (stripe) => ({ account: await findMade(stripe, request, made) })),

    linkTo: (secretKey: string, to: Link): Promise<{ readonly url: string } | Refused> =>
      asked(secretKey, (stripe) => mintLink(stripe, to, apiBase)),
  };
};
