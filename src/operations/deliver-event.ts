// Delivers what is due to one endpoint: a page under a lease, a few at once, at the endpoint's own pace; what it cannot finish it leaves to another message.
import type { Ports } from "../context.ts";
import { toBase64Url } from "../domain/base64url.ts";
import { unanswered } from "../domain/webhooks/answer.ts";
import { type Health, healthAfter, isOver } from "../domain/webhooks/health.ts";
import { chanceOf, nextTryAt } from "../domain/webhooks/schedule.ts";
import {
  type Attempted,
  type DueDelivery,
  finishPage,
  type LeasedPage,
  leasePage,
  type ReadyEndpoint,
} from "../store/deliveries.ts";
import { disableEndpoint, type StoredEndpoint } from "../store/webhook-endpoints.ts";
import { checkWebhookUrl } from "./check-webhook-url.ts";
import { type ActingPorts, ctxFor } from "./ctx-for.ts";
import { sendWebhook, signingKeys } from "./send-webhook.ts";

/** No attempt starts later than this after the page began; one that began may take 15 s more. */
const START_MS = 10_000;

/** Longer than a page can take: whoever holds it beyond is gone. */
const LEASE_MS = 60_000;

const PAGE_LIMIT = 100;

/** Who answers everything within this is brisk. */
const BRISK_MS = 2_000;

/** A retry sooner than this is hinted at, a later one is the sweep's. */
const HINT_DELAY_MAX_S = 60;

/** Gives out turns, so many a second: `wait` in milliseconds until one's own. */
const pace = (ports: Ports, ratePerS: number): (() => Promise<void>) => {
  const interval = 1000 / ratePerS;
  let next = ports.now();
  return async () => {
    const wait = next - ports.now();
    next = Math.max(next, ports.now()) + interval;
    if (wait > 0) await ports.sleep(wait);
  };
};

const judged = (ports: Ports, due: DueDelivery, outcome: Attempted["outcome"]): Attempted => {
  const chance = chanceOf(ports.random(4));
  const failedAt = ports.now();
  const nextAttemptAt =
    outcome.error === null ? null : nextTryAt(due.tries + 1, failedAt, chance, outcome.retryAfterMs);
  return { due, outcome, nextAttemptAt };
};

/** Nobody is called twice at once, and an endpoint that asks for patience, or is gone, is left alone at once. */
const attemptPage = async (
  ports: Ports,
  { endpoint, mode, due }: LeasedPage,
  lanes: number,
): Promise<Attempted[]> => {
  const checked = await checkWebhookUrl(ports, mode, endpoint.url);
  if ("refused" in checked) return due.map((one) => judged(ports, one, unanswered(checked.error, 0)));
  const keys = await signingKeys(ports, endpoint, ports.now());
  const turn = pace(ports, endpoint.ratePerS);
  const until = ports.now() + START_MS;
  const waiting = [...due];
  const attempted: Attempted[] = [];
  let isStopped = false;
  const lane = async (): Promise<void> => {
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
      await turn();
      // What is not attempted stays due.
      if (isStopped || ports.now() >= until) return;
      const outcome = await sendWebhook(ports, checked.url, keys, one.event);
      attempted.push(judged(ports, one, outcome));
      if (outcome.retryAfterMs !== null || outcome.error === "gone") isStopped = true;
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return attempted;
};

const patienceOf = (attempted: readonly Attempted[], now: number): number | null => {
  const asked = attempted.flatMap(({ outcome }) => outcome.retryAfterMs ?? []);
  return asked.length === 0 ? null : now + Math.max(...asked);
};

const healthOf = (endpoint: StoredEndpoint, attempted: readonly Attempted[], now: number): Health => {
  const delivered = attempted.filter(({ outcome }) => outcome.error === null).length;
  return healthAfter(endpoint, { delivered, failed: attempted.length - delivered }, now);
};

const isBriskNow = (attempted: readonly Attempted[]): boolean =>
  attempted.length > 0 &&
  attempted.every(({ outcome }) => outcome.error === null && outcome.latencyMs <= BRISK_MS);

const switchOff = async (
  ports: ActingPorts,
  endpoint: StoredEndpoint,
  reason: "gone" | "failing",
): Promise<void> => {
  const ctx = await ctxFor(ports, endpoint.programId, { type: "schedule", id: "webhooks" });
  const isOff = await disableEndpoint(ports.db, endpoint, reason, ports.now(), {
    programId: endpoint.programId,
    livemode: ctx.program.mode === "live",
    type: "webhook_endpoint.disabled",
    actor: ctx.actor,
    at: ctx.now(),
    data: {
      object: "webhook_endpoint",
      id: endpoint.id,
      status: "disabled",
      previous_status: "active",
      reason,
    },
  });
  if (!isOff) return;
  ports.log({ event: "webhook_endpoint_disabled", endpoint_id: endpoint.id, reason });
  await ports.deliveries.send({ kind: "fan_out", programId: endpoint.programId });
};

/** A page that did nothing sends no hint: two of them would keep each other alive for ever. */
const goOn = async (ports: Ports, ready: ReadyEndpoint, nextAt: number): Promise<void> => {
  const delayS = Math.max(0, Math.ceil((nextAt - ports.now()) / 1000));
  if (delayS <= HINT_DELAY_MAX_S) await ports.deliveries.send({ kind: "deliver", ...ready }, delayS);
};

/**
 * Any number of times, by anyone; a crash in the middle means that the lease runs out and the page is sent again under the same ids.
 * `lanes` is how many attempts may wait for their answers at once.
 */
export const deliverEvents = async (
  ports: ActingPorts,
  { programId, endpointId }: Pick<ReadyEndpoint, "programId" | "endpointId">,
  lanes: number,
): Promise<void> => {
  const lease = toBase64Url(ports.random(16));
  const now = ports.now();
  const until = now + LEASE_MS;
  const page = await leasePage(ports.db, { programId, endpointId, lease, now, until, limit: PAGE_LIMIT });
  if (page === undefined) return;
  const { endpoint } = page;
  const attempted = await attemptPage(ports, page, lanes);
  const ended = ports.now();
  const health = healthOf(endpoint, attempted, ended);
  const isBrisk = isBriskNow(attempted);
  const notBefore = patienceOf(attempted, ended);
  const finished = { endpoint, lease, attempted, health, isBrisk, notBefore, now: ended };
  const nextAt = await finishPage(ports.db, finished);
  if (attempted.some(({ outcome }) => outcome.error === "gone")) return switchOff(ports, endpoint, "gone");
  if (isOver(health, ended)) return switchOff(ports, endpoint, "failing");
  if (attempted.length > 0 && nextAt !== null)
    await goOn(ports, { programId, endpointId, isBrisk }, Math.max(nextAt, notBefore ?? 0));
};
