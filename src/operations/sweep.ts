// What cron does: send lost hints again, announce what takes too long. The queue is a hint; what must happen stands in D1.
import type { Ports } from "../context.ts";
import { listDuePayments, listOverduePayments } from "../store/payments.ts";
import { listIdleRuns } from "../store/runs.ts";
import { type ActingPorts, ctxFor } from "./ctx-for.ts";
import { stallPayment } from "./stall-payment.ts";

/** One sweep looks at no more than this of each; the next one goes on. */
const SWEEP_LIMIT = 500;

/** A run that nobody took on for this long gets a new hint. */
const RUN_IDLE_MS = 15_000;

const resend = async (ports: Ports): Promise<number> => {
  const now = ports.now();
  const payments = await listDuePayments(ports.db, now, SWEEP_LIMIT);
  const runs = await listIdleRuns(ports.db, now - RUN_IDLE_MS, SWEEP_LIMIT);
  for (const ref of payments) await ports.hints.send({ kind: "pay", ...ref });
  for (const run of runs) await ports.hints.send({ kind: "run", programId: run.programId, runId: run.id });
  return payments.length + runs.length;
};

export const sweep = async (ports: ActingPorts): Promise<void> => {
  const hints = await resend(ports);
  const overdue = await listOverduePayments(ports.db, ports.now(), SWEEP_LIMIT);
  for (const ref of overdue) {
    const ctx = await ctxFor(ports, ref.programId, { type: "schedule", id: "sweep" });
    await stallPayment(ctx, ref.affiliateId, ref.payoutId, "overdue");
  }
  if (hints + overdue.length > 0) ports.log({ event: "sweep", hints, stalled: overdue.length });
};
