// A message becomes one operation, and what is left of it a later hint. No rules: a hint may be lost, doubled or late.
import type { Hint } from "../context.ts";
import { advanceRun } from "../operations/advance-run.ts";
import { announceEvents } from "../operations/announce-events.ts";
import { type ActingPorts, ctxFor } from "../operations/ctx-for.ts";
import { runPayment } from "../operations/run-payment.ts";
import { stallPayment } from "../operations/stall-payment.ts";

/** Delays beyond this are the sweeper's: the queue is transport, not memory. */
const HINT_DELAY_MAX_S = 60;

const take = async (ports: ActingPorts, hint: Hint): Promise<void> => {
  if (hint.kind === "run") {
    const ctx = await ctxFor(ports, hint.programId, { type: "schedule", id: "runs" });
    if ((await advanceRun(ctx, hint.runId)) === "running") await ports.hints.send(hint);
    announceEvents(ports, ctx.program);
    return;
  }
  const ctx = await ctxFor(ports, hint.programId, { type: "schedule", id: "payments" });
  const next = await runPayment(ctx, hint.payoutId, hint.isDue === true);
  announceEvents(ports, ctx.program);
  if (next.kind === "again" && next.afterMs <= HINT_DELAY_MAX_S * 1000)
    await ports.hints.send({ ...hint, isDue: false }, Math.ceil(next.afterMs / 1000));
};

export const takeHints = async (ports: ActingPorts, batch: MessageBatch<Hint>): Promise<void> => {
  await Promise.all(
    batch.messages.map(async (message) => {
      try {
        await take(ports, message.body);
        message.ack();
      } catch (fault) {
        ports.log({
          event: "hint_failed",
          kind: message.body.kind,
          attempts: message.attempts,
          name: fault instanceof Error ? fault.name : "unknown",
        });
        message.retry({ delaySeconds: Math.min(2 ** message.attempts, HINT_DELAY_MAX_S) });
      }
    }),
  );
};

/** A message that failed again and again: its payout is announced as stalled, and the sweeper goes on trying. */
export const takeDeadLetters = async (ports: ActingPorts, batch: MessageBatch<Hint>): Promise<void> => {
  for (const message of batch.messages) {
    const hint = message.body;
    ports.log({ event: "dead_letter", kind: hint.kind });
    if (hint.kind === "pay") {
      const ctx = await ctxFor(ports, hint.programId, { type: "schedule", id: "dead-letters" });
      await stallPayment(ctx, hint.affiliateId, hint.payoutId, "dead_letter");
      announceEvents(ports, ctx.program);
    }
    message.ack();
  }
};
