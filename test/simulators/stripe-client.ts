// The real stripe package, talking to a simulator in the same process.

import Stripe from "stripe";
import type { StripeSimulator } from "./stripe.ts";

export const SECRET_KEY = "sk_test_shop_1";

/** One request per call: no retries, no telemetry. */
export function stripeOver(
  simulator: StripeSimulator,
  secretKey = SECRET_KEY,
  options: { timeoutMs?: number } = {},
): Stripe {
  const fetchFrom = (url: string | URL | Request, init?: RequestInit) =>
    simulator.fetch(new Request(url, init));
  return new Stripe(secretKey, {
    httpClient: Stripe.createFetchHttpClient(fetchFrom),
    maxNetworkRetries: 0,
    telemetry: false,
    timeout: options.timeoutMs ?? 20_000,
  });
}
