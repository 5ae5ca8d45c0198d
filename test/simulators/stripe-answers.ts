// Turns an answer into a response, whole or spoiled as a fault asks.

import {
  type Answer,
  badKey,
  ConnectionDropped,
  lockTimeout,
  rateLimited,
  serverError,
} from "./stripe-errors.ts";
import type { PendingFault } from "./stripe-faults.ts";
import type { Arrival } from "./stripe-request.ts";
import { API_VERSION } from "./stripe-world.ts";

const HTML = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>";

export function respond(arrival: Arrival, answer: Answer): Response {
  const bytes = new TextEncoder().encode(answer.body);
  return new Response(bytes, { status: answer.status, headers: headersOf(arrival, answer, bytes.length) });
}

function headersOf(arrival: Arrival, answer: Answer, length: number): Record<string, string> {
  const key = arrival.method === "POST" ? arrival.headers.get("idempotency-key") : null;
  const account = arrival.headers.get("stripe-account");
  return {
    "content-type": "application/json",
    "content-length": String(length),
    "cache-control": "no-cache, no-store",
    "request-id": arrival.requestId,
    "stripe-version": arrival.headers.get("stripe-version") ?? API_VERSION,
    ...(key ? { "idempotency-key": key } : {}),
    ...(account ? { "stripe-account": account } : {}),
    ...answer.headers,
  };
}

const plain = (status: number, type: string, body: string): Response =>
  new Response(body, { status, headers: { "content-type": type } });

/** The headers and half of the body, then a lost connection. */
function cut(arrival: Arrival, answer: Answer): Response {
  const bytes = new TextEncoder().encode(answer.body);
  let begun = false;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (begun) controller.error(new ConnectionDropped());
      else controller.enqueue(bytes.slice(0, Math.ceil(bytes.length / 2)));
      begun = true;
    },
  });
  return new Response(stream, { status: answer.status, headers: headersOf(arrival, answer, bytes.length) });
}

/** What a fault answers before anything is done. */
export function atTheDoor(arrival: Arrival, fault: PendingFault): Response {
  const { requestId } = arrival;
  switch (fault.fault) {
    case "drop_before_work":
      throw new ConnectionDropped();
    case "error_500_not_cached":
      return respond(arrival, serverError(true).answer(requestId));
    case "empty_503":
      return plain(503, "application/json", "{}");
    case "html_502":
      return plain(502, "text/html", HTML);
    case "rate_limit_429":
      return respond(arrival, rateLimited(fault.retry_after_s).answer(requestId));
    case "lock_timeout_429":
      return respond(arrival, lockTimeout().answer(requestId));
    case "unauthorized_401":
      return respond(arrival, badKey("sk_****").answer(requestId));
    default:
      throw new Error(`${fault.fault} does not strike at the door`);
  }
}

const otherAmount = (answer: Answer): Answer | null => {
  const body = JSON.parse(answer.body) as { object?: unknown; amount?: unknown };
  if (answer.status !== 200 || body.object !== "transfer" || typeof body.amount !== "number") return null;
  return { ...answer, body: JSON.stringify({ ...body, amount: body.amount + 1 }, null, 2) };
};

/** The answer as the fault spoils it; null when there is nothing in it for this fault to spoil. */
export function spoiled(arrival: Arrival, answer: Answer, fault: PendingFault): Response | null {
  switch (fault.fault) {
    case "drop_after_work":
      throw new ConnectionDropped();
    case "cut_body":
      return cut(arrival, answer);
    case "empty_503_after_work":
      return plain(503, "application/json", "{}");
    case "html_502_after_work":
      return plain(502, "text/html", HTML);
    case "garbage_200":
      return plain(200, "application/json", 'upstream connect error\u0000{"id": "tr_');
    case "slow_after_work":
      return respond(arrival, answer);
    case "wrong_amount": {
      const other = otherAmount(answer);
      return other === null ? null : respond(arrival, other);
    }
    default:
      return null;
  }
}
