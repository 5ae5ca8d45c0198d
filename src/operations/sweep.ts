// What cron does: send lost hints again, announce what takes too long. The queue is a hint; what must happen stands in D1.
import type { Hint, Ports } from "../context.ts";
import { listDuePayments, listOverduePayments } from "../store/payments.ts";
import { listIdleRuns } from "../store/runs.ts";
import { type ActingPorts, ctxFor } from "./ctx-for.ts";
import { stallPayment } from "./stall-payment.ts";

/** Read at once; a sweep reads on, so that those who cannot go on do not keep the others from their turn. */
const PAGE_LIMIT = 500;
const PAGES_MAX = 20;

/** A run that nobody took on for this long gets a new hint. */
const RUN_IDLE_MS = 15_000;

/** A queue that fails must not keep what takes too long from being announced. */
const resend = async (ports: Ports, hint: Hint): Promise<number> => {
  try {
    await ports.hints.send(hint);
    return 1;
  } catch {
    ports.log({ event: "hint_lost", kind: hint.kind });
    return 0;
  }
};

const resendPayments = async (ports: Ports): Promise<number> => {
  let sent = 0;
  let after = "";
  for (let page = 0; page < PAGES_MAX; page++) {
    const payments = await listDuePayments(ports.db, ports.now(), after, PAGE_LIMIT);
    for (const ref of payments) sent += await resend(ports, { kind: "pay", ...ref });
    after = payments.at(-1)?.payoutId ?? after;
    if (payments.length < PAGE_LIMIT) break;
  }
  return sent;
};

const resendRuns = async (ports: Ports): Promise<number> => {
  const runs = await listIdleRuns(ports.db, ports.now() - RUN_IDLE_MS, PAGE_LIMIT);
  let sent = 0;
  for (const run of runs)
    sent += await resend(ports, { kind: "run", programId: run.programId, runId: run.id });
  return sent;
};

/** One that fails is tried again by the next sweep and keeps nobody else waiting. */
const announceOverdue = async (ports: ActingPorts): Promise<number> => {
  const overdue = await listOverduePayments(ports.db, ports.now(), PAGE_LIMIT);
  for (const ref of overdue) {
    try {
      const ctx = await ctxFor(ports, ref.programId, { type: "schedule", id: "sweep" });
      await stallPayment(ctx, ref.affiliateId, ref.payoutId, "overdue");
    } catch (fault) {
      const name = fault instanceof Error ? fault.name : "unknown";
      ports.log({ event: "stall_failed", payout_id: ref.payoutId, name });
    }
  }
  return overdue.length;
};

export const sweep = async (ports: ActingPorts): Promise<void> => {
  const stalled = await announceOverdue(ports);
  const hints = (await resendPayments(ports)) + (await resendRuns(ports));
  if (hints + stalled > 0) ports.log({ event: "sweep", hints, stalled });
};
