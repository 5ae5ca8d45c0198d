// Records what becomes of transfers as Wise's webhook events, and signs them as deliveries with a key of its own.

import { type EventRecord, instant, type TransferRecord, unitsOf, type World } from "./wise-world.ts";

function record(world: World, type: string, profile: number, data: object): EventRecord {
  world.data.made += 1;
  const event = { id: `event-${world.data.made}`, type, profile, at: world.now(), data };
  world.data.events[event.id] = event;
  return event;
}

const resourceOf = (transfer: TransferRecord) => ({
  type: "transfer",
  id: transfer.id,
  profile_id: transfer.profile,
  account_id: transfer.recipient,
});

/** A change of state; a refund has an event of its own beside it. */
export function announceState(world: World, transfer: TransferRecord, previous: string | null): void {
  const occurred_at = instant(world.now());
  const resource = resourceOf(transfer);
  record(world, "transfers#state-change", transfer.profile, {
    resource,
    current_state: transfer.status,
    previous_state: previous,
    occurred_at,
  });
  if (transfer.status !== "funds_refunded") return;
  const paid = transfer.payments.reduce((sum, payment) => sum + payment.amount, 0);
  record(world, "transfers#refund", transfer.profile, {
    resource: { ...resource, refund_amount: unitsOf(paid), refund_currency: transfer.payments[0]?.currency },
    current_state: transfer.status,
    previous_state: previous,
    occurred_at,
  });
}

export function announceFailure(world: World, transfer: TransferRecord): void {
  record(world, "transfers#payout-failure", transfer.profile, {
    transfer_id: transfer.id,
    profile_id: transfer.profile,
    failure_reason_code: "WRONG_ACCOUNT_DETAILS",
    failure_description: "Invalid account number and/or invalid bank code",
    occurred_at: instant(world.now()),
  });
}

/** A message as Wise sends it; `sent_at` is when this delivery of it was sent. */
export const renderEvent = (event: EventRecord, sentAt: number) => ({
  data: event.data,
  subscription_id: "01234567-89ab-cdef-0123-456789abcdef",
  event_type: event.type,
  schema_version: "4.0.0",
  sent_at: instant(sentAt),
});

const ALGORITHM = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };

const base64 = (bytes: ArrayBuffer): string => btoa(String.fromCharCode(...new Uint8Array(bytes)));

const pemOf = (der: ArrayBuffer): string => {
  const lines = base64(der).match(/.{1,64}/g) ?? [];
  return ["-----BEGIN PUBLIC KEY-----", ...lines, "-----END PUBLIC KEY-----", ""].join("\n");
};

/** The key is made when it is first asked for, and is part of what is remembered. */
async function signingOf(world: World): Promise<NonNullable<World["data"]["signing"]>> {
  if (world.data.signing !== null) return world.data.signing;
  const pair = (await crypto.subtle.generateKey(
    { ...ALGORITHM, modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) },
    true,
    ["sign", "verify"],
  )) as CryptoKeyPair;
  const made = {
    private_key: (await crypto.subtle.exportKey("jwk", pair.privateKey)) as JsonWebKey,
    public_pem: pemOf((await crypto.subtle.exportKey("spki", pair.publicKey)) as ArrayBuffer),
  };
  world.data.signing ??= made;
  return world.data.signing;
}

export const publicPem = async (world: World): Promise<string> => (await signingOf(world)).public_pem;

export type Delivery = { body: string; headers: Record<string, string> };

export async function signBody(
  world: World,
  body: string,
  headers: Record<string, string> = {},
): Promise<Delivery> {
  const { private_key } = await signingOf(world);
  const key = await crypto.subtle.importKey("jwk", private_key, ALGORITHM, false, ["sign"]);
  const signature = await crypto.subtle.sign(ALGORITHM.name, key, new TextEncoder().encode(body));
  return {
    body,
    headers: {
      "content-type": "application/json",
      "x-delivery-id": world.newUuid(),
      "x-signature-sha256": base64(signature),
      ...headers,
    },
  };
}
