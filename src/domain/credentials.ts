// What a program keeps of each provider: every secret is sealed at rest and never given back.

/** How long what a provider signs with is still believed after it was replaced: two are live while the provider changes over. */
export const WEBHOOK_OVERLAP_MS = 24 * 3_600_000;

/** What messages were verified with until it was replaced. */
export interface Retired {
  readonly value: string;
  /** Epoch milliseconds, exclusive. */
  readonly until: number;
}

export interface StripeSecrets {
  readonly secretKey: string;
  /** Of the platform's own endpoint, `whsec_…`. */
  readonly webhookSecret: string | null;
  /** Of the endpoint for events of connected accounts, `whsec_…`. */
  readonly connectWebhookSecret: string | null;
  readonly previousWebhookSecret?: Retired | null;
  readonly previousConnectWebhookSecret?: Retired | null;
}

export interface PayPalSecrets {
  readonly clientId: string;
  readonly clientSecret: string;
  /** PayPal's id of the webhook that it signs for; without it no message is believed. */
  readonly webhookId: string | null;
  readonly previousWebhookId?: Retired | null;
}

export interface WiseSecrets {
  readonly apiToken: string;
  readonly profileId: string;
  /** The key that Wise signs its messages with, PEM; without it no message is believed. */
  readonly webhookPublicKey: string | null;
  readonly previousWebhookPublicKey?: Retired | null;
}

const isLiveAt = (now: number, retired: Retired | null | undefined): retired is Retired =>
  retired != null && now < retired.until;

/** The newest first. */
const believed = (now: number, current: string | null, previous: Retired | null | undefined): string[] => [
  ...(current === null ? [] : [current]),
  ...(isLiveAt(now, previous) && previous.value !== current ? [previous.value] : []),
];

/** What a message from Stripe may be signed with now; an endpoint without any believes nothing. */
export const liveWebhookSecrets = (
  secrets: StripeSecrets,
  now: number,
): { platform: string[]; connect: string[] } => ({
  platform: believed(now, secrets.webhookSecret, secrets.previousWebhookSecret),
  connect: believed(now, secrets.connectWebhookSecret, secrets.previousConnectWebhookSecret),
});

/** The webhooks of which PayPal may say now that a message is theirs. */
export const liveWebhookIds = (secrets: PayPalSecrets, now: number): string[] =>
  believed(now, secrets.webhookId, secrets.previousWebhookId);

/** PEM of the keys that a message from Wise may be signed with now. */
export const liveWebhookKeys = (secrets: WiseSecrets, now: number): string[] =>
  believed(now, secrets.webhookPublicKey, secrets.previousWebhookPublicKey);

/** What stood here is believed a while longer; what was put again unchanged leaves the one before it to its own time. */
const retire = (
  now: number,
  before: { readonly value: string | null; readonly previous: Retired | null | undefined },
  after: string | null,
): Retired | null => {
  const { value, previous } = before;
  if (value !== null && value !== after) return { value, until: now + WEBHOOK_OVERLAP_MS };
  return isLiveAt(now, previous) && previous.value !== after ? previous : null;
};

/** The new secrets, with what the ones before may still be signed with. */
export const replaceStripe = (
  before: StripeSecrets | undefined,
  after: StripeSecrets,
  now: number,
): StripeSecrets => {
  if (before === undefined) return after;
  const platform = { value: before.webhookSecret, previous: before.previousWebhookSecret };
  const connect = { value: before.connectWebhookSecret, previous: before.previousConnectWebhookSecret };
  return {
    ...after,
    previousWebhookSecret: retire(now, platform, after.webhookSecret),
    previousConnectWebhookSecret: retire(now, connect, after.connectWebhookSecret),
  };
};

export const replacePayPal = (
  before: PayPalSecrets | undefined,
  after: PayPalSecrets,
  now: number,
): PayPalSecrets => {
  if (before === undefined) return after;
  const webhook = { value: before.webhookId, previous: before.previousWebhookId };
  return { ...after, previousWebhookId: retire(now, webhook, after.webhookId) };
};

export const replaceWise = (
  before: WiseSecrets | undefined,
  after: WiseSecrets,
  now: number,
): WiseSecrets => {
  if (before === undefined) return after;
  const webhook = { value: before.webhookPublicKey, previous: before.previousWebhookPublicKey };
  return { ...after, previousWebhookPublicKey: retire(now, webhook, after.webhookPublicKey) };
};
