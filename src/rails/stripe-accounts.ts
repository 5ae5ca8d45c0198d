// What Stripe says of its accounts: whose a secret key is, and whether a connected account can be sent money.
import Stripe from "stripe";
import { type Refusal, refuse } from "../domain/refusals.ts";
import { type Http, mayUse, stripeClient } from "./stripe-client.ts";

export interface StripeAccountPorts {
  readonly http: Http;
  readonly apiBase: string;
}

export interface Readiness {
  readonly ready: boolean;
  readonly missing: readonly string[];
  /** ISO 3166-1 alpha-2; null where Stripe does not say. */
  readonly country: string | null;
}

/** Why a secret key is not used at all at the configured address. */
export const notForThisAddress = (ports: StripeAccountPorts, secretKey: string) =>
  mayUse(secretKey, ports.apiBase)
    ? undefined
    : refuse(
        "credentials_refused",
        "A live key is used with Stripe's own address only, and STRIPE_API_BASE names another.",
        { pointer: "/secret_key" },
      );

/** What Stripe's no to a question about an account means; undefined where it is no answer at all. */
export const refusalOf = (error: unknown): { readonly refusal: Refusal } | undefined => {
  if (!(error instanceof Stripe.errors.StripeError) || error.statusCode === undefined) return undefined;
  if (error.statusCode === 401)
    return refuse("credentials_refused", "Stripe refuses this secret key.", { pointer: "/secret_key" });
  // Not to be mixed up: a key without the permission says nothing about the account.
  if (error.statusCode === 403 && error.code !== "account_invalid")
    return refuse("credentials_refused", "This Stripe key may not ask for it.", { pointer: "/secret_key" });
  if (error.statusCode === 403 || error.statusCode === 404 || error.statusCode === 400) {
    return refuse(
      "account_not_found",
      "Stripe knows no such account, or this program's key may not see it.",
      { pointer: "/stripe_account_id" },
    );
  }
  return undefined;
};

/** The platform account of a secret key; only Stripe judges the key. Throws where Stripe cannot be asked. */
export const accountOfKey = async (
  ports: StripeAccountPorts,
  secretKey: string,
): Promise<string | { readonly refusal: Refusal }> => {
  const elsewhere = notForThisAddress(ports, secretKey);
  if (elsewhere !== undefined) return elsewhere;
  try {
    const account = await stripeClient(secretKey, ports.apiBase, ports.http).accounts.retrieveCurrent();
    if (account.object !== "account" || !account.id.startsWith("acct_"))
      throw new Error("Stripe's answer is no account");
    return account.id;
  } catch (error) {
    const refused = refusalOf(error);
    if (refused === undefined) throw error;
    return refuse("credentials_refused", "Stripe refuses this secret key.", { pointer: "/secret_key" });
  }
};

/** Ready is `capabilities.transfers === "active"`; what is missing is named as Stripe names it. */
export const readinessOf = async (
  ports: StripeAccountPorts,
  secretKey: string,
  accountId: string,
): Promise<Readiness | { readonly refusal: Refusal }> => {
  const elsewhere = notForThisAddress(ports, secretKey);
  if (elsewhere !== undefined) return elsewhere;
  try {
    const account = await stripeClient(secretKey, ports.apiBase, ports.http).accounts.retrieve(accountId);
    if (account.id !== accountId) throw new Error("Stripe answered another account");
    const ready = account.capabilities?.transfers === "active";
    const due = [...(account.requirements?.past_due ?? []), ...(account.requirements?.currently_due ?? [])];
    const missing = ready
      ? []
      : [...new Set([...due, ...(due.length === 0 ? ["capabilities.transfers"] : [])])];
    return { ready, missing, country: account.country ?? null };
  } catch (error) {
    const refused = refusalOf(error);
    if (refused === undefined) throw error;
    return refused;
  }
};
