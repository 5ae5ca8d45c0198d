// What a sweep does for webhooks: hints for whoever waits, since any hint may have been lost.
import type { Ports, WebhookHint } from "../context.ts";
import type { ReadyEndpoint } from "../store/deliveries.ts";
import { listBehind, listWaiting } from "../store/delivery-sweep.ts";

const PAGE_LIMIT = 500;
const PAGES_MAX = 20;

const resend = async (ports: Ports, hint: WebhookHint): Promise<number> => {
  try {
    await ports.deliveries.send(hint);
    return 1;
  } catch {
    ports.log({ event: "hint_lost", kind: hint.kind });
    return 0;
  }
};

const resendFanOuts = async (ports: Ports): Promise<number> => {
  let sent = 0;
  let after = "";
  for (let page = 0; page < PAGES_MAX; page++) {
    const programs = await listBehind(ports.db, after, PAGE_LIMIT);
    for (const programId of programs) sent += await resend(ports, { kind: "fan_out", programId });
    after = programs.at(-1) ?? after;
    if (programs.length < PAGE_LIMIT) break;
  }
  return sent;
};

const resendDue = async (ports: Ports): Promise<number> => {
  let sent = 0;
  let after: ReadyEndpoint | undefined;
  for (let page = 0; page < PAGES_MAX; page++) {
    const waiting = await listWaiting(ports.db, ports.now(), after, PAGE_LIMIT);
    for (const ref of waiting) sent += await resend(ports, { kind: "deliver", ...ref });
    after = waiting.at(-1) ?? after;
    if (waiting.length < PAGE_LIMIT) break;
  }
  return sent;
};

/** Answers how many hints were sent. */
export const resendDeliveries = async (ports: Ports): Promise<number> =>
  (await resendFanOuts(ports)) + (await resendDue(ports));
