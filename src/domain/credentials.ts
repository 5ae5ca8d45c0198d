// What a program keeps of each provider: every secret is sealed at rest and never given back.

export interface StripeSecrets {
  readonly secretKey: string;
  /** Of the platform's own endpoint, `whsec_…`. */
  readonly webhookSecret: string | null;
  /** Of the endpoint for events of connected accounts, `whsec_…`. */
  readonly connectWebhookSecret: string | null;
}

export interface PayPalSecrets {
  readonly clientId: string;
  readonly clientSecret: string;
  /** PayPal's id of the webhook that it signs for; without it no message is believed. */
  readonly webhookId: string | null;
}

export interface WiseSecrets {
  readonly apiToken: string;
  readonly profileId: string;
  /** The key that Wise signs its messages with, PEM; without it no message is believed. */
  readonly webhookPublicKey: string | null;
}
