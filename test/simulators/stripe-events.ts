// Records what happened as Stripe events, lists them, and signs them as webhook deliveries.

import { notFound } from "./stripe-errors.ts";
import { paramsAt, textAt } from "./stripe-form.ts";
import { checkList, inRange, page, RANGE } from "./stripe-lists.ts";
import { API_VERSION, type Call, type EventRecord, type Handler, type World } from "./stripe-world.ts";

const KEPT_S = 30 * 24 * 3600;

export type Happening = {
  type: string;
  object: object;
  previous?: object;
  platform: string | null;
  livemode: boolean;
  account?: string;
  /** Absent when the dashboard or Stripe itself did it. */
  call?: Call;
};

export function record(world: World, happening: Happening): EventRecord {
  const { call } = happening;
  const event: EventRecord = {
    id: world.newId("evt"),
    platform: happening.platform,
    account: happening.account ?? null,
    type: happening.type,
    created: world.seconds(),
    api_version: API_VERSION,
    livemode: happening.livemode,
    object: structuredClone(happening.object),
    previous: happening.previous === undefined ? null : structuredClone(happening.previous),
    request: { id: call?.requestId ?? null, idempotency_key: call?.key ?? null },
  };
  world.data.events[event.id] = event;
  return event;
}

export const renderEvent = (event: EventRecord) => ({
  id: event.id,
  object: "event",
  ...(event.account === null ? {} : { account: event.account }),
  api_version: event.api_version,
  created: event.created,
  data: {
    object: event.object,
    ...(event.previous === null ? {} : { previous_attributes: event.previous }),
  },
  livemode: event.livemode,
  pending_webhooks: 1,
  request: event.request,
  type: event.type,
});

const matchesType = (event: EventRecord, pattern: string): boolean =>
  pattern.endsWith("*") ? event.type.startsWith(pattern.slice(0, -1)) : event.type === pattern;

const seenBy = (call: Call, world: World): EventRecord[] =>
  Object.values(world.data.events).filter(
    (event) =>
      event.account === call.onAccount &&
      (event.platform === null || event.platform === call.platform) &&
      event.created > world.seconds() - KEPT_S,
  );

export const listEvents: Handler = (call, world) => {
  const { params } = call;
  checkList(params, { created: RANGE, type: "text", types: "list", delivery_success: "boolean" });
  const types = paramsAt(params, "types");
  const wanted = types === null ? [textAt(params, "type") ?? "*"] : Object.values(types).map(String);
  return () => {
    const found = seenBy(call, world).filter(
      (event) =>
        wanted.some((pattern) => matchesType(event, pattern)) && inRange(params, "created", event.created),
    );
    return page(found.map(renderEvent), params, "event", "/v1/events");
  };
};

export const getEvent: Handler = (call, world) => () => {
  const event = seenBy(call, world).find((seen) => seen.id === call.ids[0]);
  if (event === undefined) throw notFound("event", call.ids[0] ?? "");
  return renderEvent(event);
};

const hex = (bytes: ArrayBuffer): string =>
  [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

async function signature(secret: string, text: string): Promise<string> {
  const bytes = new TextEncoder();
  const key = await crypto.subtle.importKey(
    "raw",
    bytes.encode(secret),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
  return hex(await crypto.subtle.sign("HMAC", key, bytes.encode(text)));
}

export type Delivery = { body: string; headers: Record<string, string> };

/** Several secrets give several signatures, as while a secret is rolled. */
export async function signBody(
  body: string,
  secrets: string | readonly string[],
  timestampS: number,
): Promise<Delivery> {
  const list = typeof secrets === "string" ? [secrets] : secrets;
  const signatures = await Promise.all(list.map((secret) => signature(secret, `${timestampS}.${body}`)));
  return {
    body,
    headers: {
      "content-type": "application/json; charset=utf-8",
      "stripe-signature": [`t=${timestampS}`, ...signatures.map((made) => `v1=${made}`)].join(","),
      "user-agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
    },
  };
}
