// How accounts and capabilities look on the wire, how one is seeded, and what onboarding changes.

import { currencyOf } from "./stripe-currencies.ts";
import { record } from "./stripe-events.ts";
import type { AccountRecord, Call, Capability, Platform, World } from "./stripe-world.ts";

const due = (account: Pick<AccountRecord, "currently_due" | "past_due" | "disabled_reason">) => ({
  alternatives: [],
  current_deadline: null,
  currently_due: account.currently_due,
  disabled_reason: account.disabled_reason,
  errors: [],
  eventually_due: account.currently_due,
  past_due: account.past_due,
  pending_verification: [],
});

const nothingDue = () => due({ currently_due: [], past_due: [], disabled_reason: null });

export function renderAccount(account: AccountRecord) {
  const { controller } = account;
  const status = (name: string) => account.capabilities[name]?.status === "active";
  return {
    id: account.id,
    object: "account",
    business_profile: null,
    business_type: account.business_type,
    capabilities: Object.fromEntries(
      Object.entries(account.capabilities).map(([name, capability]) => [name, capability.status]),
    ),
    charges_enabled: status("card_payments"),
    controller: {
      type: "application",
      is_controller: true,
      ...(controller === null
        ? {}
        : {
            fees: { payer: controller.fees },
            losses: { payments: controller.losses },
            requirement_collection: controller.requirement_collection,
            stripe_dashboard: { type: controller.dashboard },
          }),
    },
    country: account.country,
    created: account.created,
    default_currency: account.default_currency,
    details_submitted: account.details_submitted,
    email: account.email,
    external_accounts: {
      object: "list",
      data: [],
      has_more: false,
      url: `/v1/accounts/${account.id}/external_accounts`,
    },
    future_requirements: nothingDue(),
    metadata: account.metadata,
    payouts_enabled: account.payouts_enabled && !account.closed,
    requirements: due(account),
    tos_acceptance: {
      date: account.tos_date,
      ip: null,
      ...(account.service_agreement === null ? {} : { service_agreement: account.service_agreement }),
      user_agent: null,
    },
    type: account.type,
  };
}

/** What GET /v1/account answers: the account that the key itself belongs to. */
export const platformAccount = (platform: Platform) => ({
  id: platform.id,
  object: "account",
  business_profile: null,
  business_type: "company",
  capabilities: { card_payments: "active", transfers: "active" },
  charges_enabled: true,
  country: platform.country ?? "US",
  default_currency: currencyOf(platform.country ?? "US"),
  details_submitted: true,
  email: "platform@example.com",
  metadata: {},
  payouts_enabled: true,
  type: "standard",
});

export const renderCapability = (account: AccountRecord, name: string, capability: Capability) => ({
  id: name,
  object: "capability",
  account: account.id,
  future_requirements: nothingDue(),
  requested: capability.requested,
  requested_at: capability.requested_at,
  requirements: due({
    ...account,
    disabled_reason: capability.status === "active" ? null : "requirements.fields_needed",
  }),
  status: capability.status,
});

export function announceAccount(world: World, account: AccountRecord, call?: Call): void {
  record(world, {
    type: "account.updated",
    object: renderAccount(account),
    platform: account.platform,
    livemode: account.platform?.startsWith("live:") ?? false,
    account: account.id,
    ...(call === undefined ? {} : { call }),
  });
}

function announceCapability(world: World, account: AccountRecord, name: string, before: string): void {
  const capability = account.capabilities[name];
  if (capability === undefined || capability.status === before) return;
  record(world, {
    type: "capability.updated",
    object: renderCapability(account, name, capability),
    previous: { status: before },
    platform: account.platform,
    livemode: account.platform?.startsWith("live:") ?? false,
    account: account.id,
  });
}

/** What may be said of a seeded account; whatever is left out means: ready to be paid. */
export type AccountSeed = {
  id?: string;
  /** A secret key of the platform that alone may name it; without it every platform may. */
  key?: string;
  country?: string;
  currencies?: string[] | null;
  default_currency?: string;
  email?: string | null;
  type?: string;
  capabilities?: Record<string, Capability["status"]>;
  details_submitted?: boolean;
  payouts_enabled?: boolean;
  currently_due?: string[];
  past_due?: string[];
  disabled_reason?: string | null;
  service_agreement?: string;
  metadata?: Record<string, string>;
  closed?: boolean;
  available?: Record<string, number>;
};

const READY = { transfers: "active" } as const;

/** Makes the account, or changes what is given of one that exists and announces the change. */
export function seedAccount(world: World, platform: string | null, seed: AccountSeed) {
  const known = seed.id === undefined ? undefined : world.data.accounts[seed.id];
  const before = Object.fromEntries(
    Object.entries(known?.capabilities ?? {}).map(([name, capability]) => [name, capability.status]),
  );
  const account = known ?? freshAccount(world, platform, seed);
  const { id: _id, key: _key, capabilities, currencies, ...rest } = seed;
  Object.assign(account, rest);
  if (currencies !== undefined) {
    account.currencies = currencies === null ? null : currencies.map((name) => name.toLowerCase());
  }
  for (const [name, status] of Object.entries(capabilities ?? {})) {
    account.capabilities[name] = { requested: true, requested_at: world.seconds(), status };
  }
  world.data.accounts[account.id] = account;
  if (known !== undefined) {
    announceAccount(world, account);
    for (const name of Object.keys(account.capabilities)) {
      announceCapability(world, account, name, before[name] ?? "inactive");
    }
  }
  return renderAccount(account);
}

function freshAccount(world: World, platform: string | null, seed: AccountSeed): AccountRecord {
  const capabilities: AccountRecord["capabilities"] = {};
  for (const [name, status] of Object.entries(seed.capabilities ?? READY)) {
    capabilities[name] = { requested: true, requested_at: world.seconds(), status };
  }
  const country = seed.country ?? "US";
  return {
    id: seed.id ?? world.newId("acct", 16),
    platform,
    country,
    currencies: null,
    default_currency: currencyOf(country),
    email: null,
    business_type: "individual",
    capabilities,
    controller: {
      fees: "application",
      losses: "application",
      requirement_collection: "stripe",
      dashboard: "express",
    },
    type: "none",
    created: world.seconds(),
    details_submitted: true,
    payouts_enabled: true,
    currently_due: [],
    past_due: [],
    disabled_reason: null,
    service_agreement: "recipient",
    tos_date: world.seconds(),
    metadata: {},
    closed: false,
    available: {},
  };
}

/** Takes the account from the platform, as its owner may do, and tells the platform so. */
export function deauthorize(world: World, account: AccountRecord): void {
  account.deauthorized = true;
  record(world, {
    type: "account.application.deauthorized",
    object: { id: "ca_platform", object: "application", name: "Platform" },
    platform: account.platform,
    livemode: account.platform?.startsWith("live:") ?? false,
    account: account.id,
  });
}

/**
 * Where an onboarding link leads: to the return address once, then to the refresh address. Who leaves without finishing
 * comes back all the same, and Stripe still waits.
 */
export function onboard(world: World, token: string, finish = true): string | null {
  const link = world.data.links[token];
  if (link === undefined) return null;
  const account = world.data.accounts[link.account];
  const alive = link.expires_at > world.seconds() && account !== undefined;
  link.expires_at = 0;
  if (!alive) return link.refresh_url;
  if (!finish) return link.return_url;
  const asked = Object.entries(account.capabilities).filter(([, capability]) => capability.requested);
  seedAccount(world, account.platform, {
    id: account.id,
    capabilities: Object.fromEntries(asked.map(([name]) => [name, "active" as const])),
    details_submitted: true,
    payouts_enabled: true,
    currently_due: [],
    past_due: [],
    disabled_reason: null,
  });
  return link.return_url;
}
