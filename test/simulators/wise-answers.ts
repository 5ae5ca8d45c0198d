// Turns an answer into a response, whole or spoiled as a fault asks.

import { ConnectionDropped } from "./stripe-errors.ts";
import { type Answer, badToken, rateLimited, serverError } from "./wise-errors.ts";
import type { PendingFault } from "./wise-faults.ts";

const HTML = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>";
const FORBIDDEN = "<html><head><title>403 Forbidden</title></head><body>Forbidden</body></html>";

const headersOf = (answer: Answer, length: number) => ({
  ...answer.headers,
  "content-length": String(length),
  "x-trace-id": "fba501b6d453b96789f52338f019341f",
});

export function respond(answer: Answer): Response {
  const bytes = new TextEncoder().encode(answer.body);
  return new Response(bytes, { status: answer.status, headers: headersOf(answer, bytes.length) });
}

const plain = (status: number, type: string, body: string): Response =>
  new Response(body, { status, headers: { "content-type": type } });

/** Parts of a body, and then a lost connection where it is not whole. */
function streamed(answer: Answer, parts: Iterator<Uint8Array>, length: number): Response {
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      const part = parts.next();
      if (part.done === true) controller.error(new ConnectionDropped());
      else controller.enqueue(part.value);
    },
  });
  return new Response(stream, { status: answer.status, headers: headersOf(answer, length) });
}

function cut(answer: Answer): Response {
  const bytes = new TextEncoder().encode(answer.body);
  return streamed(answer, [bytes.slice(0, Math.ceil(bytes.length / 2))].values(), bytes.length);
}

/** Spaces without end before the answer: whoever reads all of it never comes to the end. */
function endless(answer: Answer): Response {
  const spaces = new Uint8Array(64 * 1024).fill(32);
  function* parts() {
    for (;;) yield spaces;
  }
  return streamed({ ...answer, headers: {} }, parts(), Number.MAX_SAFE_INTEGER);
}

/** What a fault answers before anything is done. */
export function atTheDoor(fault: PendingFault): Response {
  switch (fault.fault) {
    case "drop_before_work":
      throw new ConnectionDropped();
    case "error_500_not_cached":
      return respond(serverError().answer);
    case "empty_503":
      return plain(503, "application/json", "{}");
    case "html_502":
      return plain(502, "text/html", HTML);
    case "html_403":
      return plain(403, "text/html", FORBIDDEN);
    case "redirect_302":
      return new Response(null, { status: 302, headers: { location: "https://wise.example/login" } });
    case "rate_limit_429":
      return respond(rateLimited(fault.retry_after_s).answer);
    case "unauthorized_401":
      return respond(badToken().answer);
    default:
      throw new Error(`${fault.fault} does not strike at the door`);
  }
}

/** Fields of the answer's one object changed; null where there is nothing to change. */
function changed(answer: Answer, fields: Record<string, (value: number) => number>): Response | null {
  if (answer.status > 201) return null;
  const body = JSON.parse(answer.body) as Record<string, unknown>;
  const present = Object.keys(fields).filter((name) => typeof body[name] === "number");
  if (present.length === 0) return null;
  for (const name of present) body[name] = fields[name]?.(body[name] as number);
  return respond({ ...answer, body: JSON.stringify(body) });
}

/** The answer as the fault spoils it; null when there is nothing in it for this fault to spoil. */
export function spoiled(answer: Answer, fault: PendingFault): Response | null {
  switch (fault.fault) {
    case "drop_after_work":
      throw new ConnectionDropped();
    case "cut_body":
      return cut(answer);
    case "endless_body":
      return endless(answer);
    case "empty_503_after_work":
      return plain(503, "application/json", "{}");
    case "html_502_after_work":
      return plain(502, "text/html", HTML);
    case "garbage_200":
      return plain(200, "application/json", 'upstream connect error\u0000{"id": 5');
    case "slow_after_work":
      return respond(answer);
    case "wrong_amount":
      return changed(answer, {
        sourceValue: (value) => value * 2 + 1,
        sourceAmount: (value) => value * 2 + 1,
      });
    case "wrong_id":
      return changed(answer, { id: (value) => value + 1, targetAccount: (value) => value + 1 });
    default:
      return null;
  }
}
