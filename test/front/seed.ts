// Makes the demo program of a fresh state directory over the public API: a program, its providers' secrets, and affiliates to play with.
import { ApiClient } from "./api-client.ts";
import type { ProviderName } from "./simulators.ts";
import { recall, remember } from "./state-dir.ts";
import { StripeControl } from "./stripe-control.ts";

export interface SeedOptions {
  readonly url: string;
  readonly rootKey: string;
  readonly stateDir: string;
  /** Absent where another provider is used, whose accounts cannot be made here. */
  readonly simulators: Readonly<Partial<Record<ProviderName, string>>>;
  /** A secret key for another Stripe than the simulator, when there is one. */
  readonly stripeKey: string | undefined;
}

export interface NewProgram {
  readonly program_id: string;
  readonly api_key: string;
}

const people = [
  { name: "Ada Park", email: "ada@example.com", external_id: "ada", country: "US" },
  { name: "Ben Osei", email: "ben@example.com", external_id: "ben", country: "GB" },
  { name: "Chiara Neri", email: "chiara@example.com", external_id: "chiara", country: "IT" },
];

/** Holds nothing back, so that a commission can be paid as soon as it is recorded. */
export async function createProgram(
  url: string,
  rootKey: string,
  name: string,
  currency: string,
): Promise<NewProgram> {
  const made = await new ApiClient(url, rootKey).post<{
    program: { id: string };
    api_key: { secret: string };
  }>("/v1/programs", {
    name,
    default_currency: currency,
    hold_days: 0,
    commission_rate_bps: 1000,
    auto_approve_commissions: true,
  });
  return { program_id: made.program.id, api_key: made.api_key.secret };
}

/** The last affiliate gets no method: its payouts are paid by hand. */
async function seedAffiliates(api: ApiClient, stripe: StripeControl | undefined): Promise<void> {
  for (const [at, person] of people.entries()) {
    const affiliate = await api.post<{ id: string }>("/v1/affiliates", person);
    if (stripe === undefined || at === people.length - 1) continue;
    await api.put(`/v1/affiliates/${affiliate.id}/payout-method`, {
      payout_method: "stripe",
      stripe_account_id: await stripe.seedAccount(person.country),
    });
  }
}

const WISE_TOKEN = "wise-token-demo";

async function seedWise(api: ApiClient, simulatorUrl: string): Promise<void> {
  const simulator = new ApiClient(simulatorUrl, "");
  const { id } = await simulator.post<{ id: number }>("/_sim/profiles", { token: WISE_TOKEN });
  const { pem } = await simulator.get<{ pem: string }>("/_sim/public-key");
  await api.put("/v1/program/credentials/wise", {
    api_token: WISE_TOKEN,
    profile_id: String(id),
    webhook_public_key: pem,
  });
}

/** The simulated PayPal takes any app that it meets. */
async function seedCredentials(api: ApiClient, options: SeedOptions): Promise<void> {
  const { stripe, paypal, wise } = options.simulators;
  const stripeKey = stripe === undefined ? options.stripeKey : "sk_test_demo_1";
  if (stripeKey !== undefined) {
    await api.put("/v1/program/credentials/stripe", { secret_key: stripeKey });
  }
  if (paypal !== undefined) {
    await api.put("/v1/program/credentials/paypal", {
      client_id: "demo-app",
      client_secret: "demo-secret",
      webhook_id: "demo-webhook",
    });
  }
  if (wise !== undefined) await seedWise(api, wise);
}

/** Once per state directory: later starts hand out the same program and key. */
export async function seedDemoProgram(options: SeedOptions): Promise<NewProgram> {
  const { url, rootKey, stateDir, simulators } = options;
  const known = recall(stateDir).demo;
  if (known !== undefined) return known;
  const demo = await createProgram(url, rootKey, "Demo shop", "USD");
  const api = new ApiClient(url, demo.api_key);
  await seedCredentials(api, options);
  await seedAffiliates(
    api,
    simulators.stripe === undefined ? undefined : new StripeControl(simulators.stripe),
  );
  remember(stateDir, { demo });
  return demo;
}
