// Turns an answer into a response, whole or spoiled as a fault asks.

import { type Answer, internalError, invalidToken, rateLimited } from "./paypal-errors.ts";
import type { PendingFault } from "./paypal-faults.ts";
import { ConnectionDropped } from "./stripe-errors.ts";

const HTML = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>";

const headersOf = (answer: Answer, debugId: string, length: number): Record<string, string> => ({
  "content-type": "application/json",
  "content-length": String(length),
  "cache-control": "max-age=0, no-cache, no-store, must-revalidate",
  "paypal-debug-id": debugId,
  ...answer.headers,
});

export function respond(answer: Answer, debugId: string): Response {
  const bytes = new TextEncoder().encode(answer.body);
  return new Response(bytes, { status: answer.status, headers: headersOf(answer, debugId, bytes.length) });
}

const plain = (status: number, type: string, body: string): Response =>
  new Response(body, { status, headers: { "content-type": type } });

/** The headers and half of the body, then a lost connection. */
function cut(answer: Answer, debugId: string): Response {
  const bytes = new TextEncoder().encode(answer.body);
  let begun = false;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (begun) controller.error(new ConnectionDropped());
      else controller.enqueue(bytes.slice(0, Math.ceil(bytes.length / 2)));
      begun = true;
    },
  });
  return new Response(stream, { status: answer.status, headers: headersOf(answer, debugId, bytes.length) });
}

/** A right beginning that never ends: whoever reads it whole runs out of memory. */
function endless(answer: Answer): Response {
  const blank = new TextEncoder().encode(" ".repeat(65_536));
  let begun = false;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.enqueue(begun ? blank : new TextEncoder().encode(answer.body));
      begun = true;
    },
  });
  return new Response(stream, { status: answer.status, headers: { "content-type": "application/json" } });
}

/** What a fault answers before anything is done. */
export function atTheDoor(fault: PendingFault, debugId: string): Response {
  switch (fault.fault) {
    case "drop_before_work":
      throw new ConnectionDropped();
    case "error_500_not_cached":
      return respond(internalError().answer(debugId), debugId);
    case "empty_503":
      return plain(503, "application/json", "{}");
    case "html_502":
      return plain(502, "text/html", HTML);
    case "rate_limit_429":
      return respond(rateLimited(fault.retry_after_s).answer(debugId), debugId);
    case "unauthorized_401":
      return respond(invalidToken().answer(), debugId);
    case "redirect_302":
      return new Response(null, { status: 302, headers: { location: "https://paypal.elsewhere.test/" } });
    default:
      throw new Error(`${fault.fault} does not strike at the door`);
  }
}

type Shown = {
  batch_header?: { sender_batch_header?: object; payout_batch_id?: string };
  items?: { payout_item?: { amount?: { value: string } } }[];
};

/** The same answer with something in it changed; null where it has nothing of the kind. */
function changed(answer: Answer, change: (body: Shown) => object | null): Answer | null {
  if (answer.status >= 300) return null;
  const other = change(JSON.parse(answer.body) as Shown);
  return other === null ? null : { ...answer, body: JSON.stringify(other) };
}

const otherAmount = (body: Shown): object | null => {
  const amount = body.items?.[0]?.payout_item?.amount;
  if (amount === undefined) return null;
  amount.value = String(Number(amount.value) + 1);
  return body;
};

const otherBatch = (body: Shown): object | null =>
  body.batch_header === undefined
    ? null
    : { ...body, batch_header: { ...body.batch_header, sender_batch_header: { sender_batch_id: "other" } } };

const withoutItems = (body: Shown): object | null =>
  body.items === undefined ? null : { ...body, items: [] };

const CHANGES = { wrong_amount: otherAmount, wrong_batch: otherBatch, no_items: withoutItems };

/** The answer as the fault spoils it; null when there is nothing in it for this fault to spoil. */
export function spoiled(answer: Answer, debugId: string, fault: PendingFault): Response | null {
  switch (fault.fault) {
    case "drop_after_work":
      throw new ConnectionDropped();
    case "cut_body":
      return cut(answer, debugId);
    case "endless_body":
      return endless(answer);
    case "empty_503_after_work":
      return plain(503, "application/json", "{}");
    case "html_502_after_work":
      return plain(502, "text/html", HTML);
    case "garbage_200":
      return plain(200, "application/json", 'upstream connect error\u0000{"batch_header": {');
    case "slow_after_work":
      return respond(answer, debugId);
    case "wrong_amount":
    case "wrong_batch":
    case "no_items": {
      const other = changed(answer, CHANGES[fault.fault]);
      return other === null ? null : respond(other, debugId);
    }
    default:
      return null;
  }
}
