// Records what happened as PayPal's webhook events, signs them as deliveries, and says whether a delivery is genuine.

import { memberText } from "./paypal-json-text.ts";
import { batchLink, renderHeader, renderOneItem } from "./paypal-render.ts";
import { type BatchRecord, type EventRecord, type ItemRecord, instant, type World } from "./paypal-world.ts";

/** PayPal announces no item that is pending again, and none that is reversed. */
const ITEM_EVENTS: Partial<Record<ItemRecord["status"], string>> = {
  SUCCESS: "SUCCEEDED",
  FAILED: "FAILED",
  UNCLAIMED: "UNCLAIMED",
  RETURNED: "RETURNED",
  ONHOLD: "HELD",
  BLOCKED: "BLOCKED",
  REFUNDED: "REFUNDED",
};

function record(world: World, happening: Omit<EventRecord, "id" | "created_at">): void {
  const id = `WH-${world.newId(17)}-${world.newId(17)}`;
  world.data.events[id] = { ...structuredClone(happening), id, created_at: world.now() };
}

export function recordItem(world: World, item: ItemRecord, canceled: boolean): void {
  const name = canceled ? "CANCELED" : ITEM_EVENTS[item.status];
  if (name === undefined) return;
  const batch = world.batchOf(item);
  record(world, {
    client_id: batch.client_id,
    resource_type: "payouts_item",
    event_type: `PAYMENT.PAYOUTS-ITEM.${name}`,
    summary: `A payout item is ${name.toLowerCase()}`,
    resource: renderOneItem(batch, item),
  });
}

/** Events of batches say nothing of items. */
export function recordBatch(world: World, batch: BatchRecord, status: BatchRecord["status"]): void {
  record(world, {
    client_id: batch.client_id,
    resource_type: "payouts",
    event_type: `PAYMENT.PAYOUTSBATCH.${status}`,
    summary: `Payouts batch is ${status.toLowerCase()}`,
    resource: {
      batch_header: { ...renderHeader(world, batch), batch_status: status },
      links: [batchLink(batch)],
    },
  });
}

export const renderEvent = (event: EventRecord) => ({
  id: event.id,
  event_version: "1.0",
  create_time: new Date(event.created_at).toISOString(),
  resource_type: event.resource_type,
  event_type: event.event_type,
  summary: event.summary,
  resource: event.resource,
  links: [
    {
      href: `https://api.sandbox.paypal.com/v1/notifications/webhooks-events/${event.id}`,
      rel: "self",
      method: "GET",
    },
  ],
});

export type Delivery = { body: string; headers: Record<string, string> };

type Signed = { transmissionId: string; time: string; webhookId: string; clientId: string; body: string };

const SECRET = "what the simulated PayPal signs with";

/** Nobody but the simulator checks it: PayPal's own signature is asked about, never computed. */
async function signatureOf(signed: Signed): Promise<string> {
  const bytes = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", bytes.encode(SECRET), algorithm, false, ["sign"]);
  const { transmissionId, time, webhookId, clientId, body } = signed;
  const text = [transmissionId, time, webhookId, clientId, body].join("|");
  const made = new Uint8Array(await crypto.subtle.sign("HMAC", key, bytes.encode(text)));
  return `Sim${btoa(String.fromCharCode(...made))}`;
}

/** Each delivery of an event has the same body, spaced as no JSON writer of ours would space it. */
export async function deliver(
  world: World,
  event: EventRecord,
  webhookId: string,
  sentAt: number,
): Promise<Delivery> {
  const body = JSON.stringify(renderEvent(event), null, 1).replaceAll("/", "\\/");
  const transmissionId = `${world.newId(8).toLowerCase()}-6f0d-11f0-9a3b-${world.newId(12).toLowerCase()}`;
  const time = instant(sentAt);
  const signed = { transmissionId, time, webhookId, clientId: event.client_id, body };
  return {
    body,
    headers: {
      "content-type": "application/json",
      "paypal-auth-algo": "SHA256withRSA",
      "paypal-auth-version": "v2",
      "paypal-cert-url":
        "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-90621ecd",
      "paypal-transmission-id": transmissionId,
      "paypal-transmission-sig": await signatureOf(signed),
      "paypal-transmission-time": time,
      "user-agent": "PayPal/AUHR-214.0-58843214",
    },
  };
}

/** Whether a question about a delivery holds exactly what was sent: the event is taken out of it byte by byte. */
export async function isGenuine(question: string, clientId: string): Promise<boolean> {
  const asked = JSON.parse(question) as Record<string, unknown>;
  const signed = {
    transmissionId: String(asked["transmission_id"]),
    time: String(asked["transmission_time"]),
    webhookId: String(asked["webhook_id"]),
    clientId,
    body: memberText(question, "webhook_event") ?? "",
  };
  return asked["transmission_sig"] === (await signatureOf(signed));
}
