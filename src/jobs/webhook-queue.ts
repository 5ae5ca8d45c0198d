// Messages about webhooks become one operation each, and hints go out no thicker than they help.
import type { DeliveryQueue, WebhookHint } from "../context.ts";
import type { ActingPorts } from "../operations/ctx-for.ts";
import { deliverEvents } from "../operations/deliver-event.ts";
import { fanOutEvents } from "../operations/fan-out-events.ts";

const RETRY_MAX_S = 60;

/** Workers let six connections wait for an answer at once; the endpoints of a batch share them. */
const CONNECTIONS = 5;

const take = (ports: ActingPorts, hint: WebhookHint, lanes: number): Promise<void> =>
  hint.kind === "fan_out" ? fanOutEvents(ports, hint.programId) : deliverEvents(ports, hint, lanes);

export const takeWebhookHints = async (
  ports: ActingPorts,
  batch: MessageBatch<WebhookHint>,
): Promise<void> => {
  const lanes = Math.max(1, Math.floor(CONNECTIONS / batch.messages.length));
  await Promise.all(
    batch.messages.map(async (message) => {
      const { body, attempts } = message;
      try {
        await take(ports, body, lanes);
        message.ack();
      } catch (fault) {
        const name = fault instanceof Error ? fault.name : "unknown";
        ports.log({ event: "hint_failed", kind: body.kind, attempts, name });
        message.retry({ delaySeconds: Math.min(2 ** attempts, RETRY_MAX_S) });
      }
    }),
  );
};

/** What it was about stands in D1, and the sweep sends another hint. */
export const dropWebhookHints = async (
  ports: Pick<ActingPorts, "log">,
  batch: MessageBatch<WebhookHint>,
): Promise<void> => {
  for (const { body } of batch.messages) ports.log({ event: "dead_letter", kind: body.kind });
  batch.ackAll();
};

/** When this isolate last asked for a look at a program's events, and whether that look is still to come. */
export interface Look {
  readonly at: number;
  readonly isToCome: boolean;
}

const LOOK_EVERY_MS = 1_000;
const PROGRAMS_MAX = 1_000;

/** The first of a burst is looked at once, all that follow within a second together at its end: a look finds everything that was committed before it. */
const lookAfter = (last: Look | undefined, now: number): Look | undefined => {
  if (last === undefined || now >= last.at + LOOK_EVERY_MS) return { at: now, isToCome: false };
  return last.isToCome ? undefined : { at: now, isToCome: true };
};

type Sender = Pick<Queue<WebhookHint>, "send">;

/** `looks` outlives the request: one per isolate. */
export const pacedQueue = (
  queues: { readonly brisk: Sender; readonly slow: Sender },
  now: () => number,
  looks: Map<string, Look>,
): DeliveryQueue => ({
  async send(hint, delayS = 0) {
    if (hint.kind === "deliver") {
      await (hint.isBrisk ? queues.brisk : queues.slow).send(
        hint,
        delayS > 0 ? { delaySeconds: delayS } : {},
      );
      return;
    }
    const { programId } = hint;
    const look = lookAfter(looks.get(programId), now());
    if (look === undefined) return;
    if (looks.size >= PROGRAMS_MAX) looks.clear();
    looks.set(programId, look);
    try {
      await queues.brisk.send(hint, look.isToCome ? { delaySeconds: LOOK_EVERY_MS / 1000 } : {});
    } catch (fault) {
      looks.delete(programId);
      throw fault;
    }
  },
});
