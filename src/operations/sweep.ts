// What cron does: send lost hints again, announce what takes too long. The queue is a hint; what must happen stands in D1.
import type { Hint, Ports } from "../context.ts";
import { expireKeys } from "../store/idempotency.ts";
import { listDuePayments, listOverduePayments } from "../store/payments.ts";
import { listIdleRuns } from "../store/runs.ts";
import { type ActingPorts, ctxFor } from "./ctx-for.ts";
import { expireDeliveries } from "./expire-deliveries.ts";
import { payAutomatically } from "./pay-automatically.ts";
import { resealSecrets } from "./reseal-secrets.ts";
import { resendDeliveries } from "./resend-deliveries.ts";
import { runSchedules } from "./run-schedules.ts";
import { stallPayment } from "./stall-payment.ts";

/** Read at once; a sweep reads on, so that those who cannot go on do not keep the others from their turn. */
const PAGE_LIMIT = 500;
const PAGES_MAX = 20;

/** A run that nobody took on for this long gets a new hint. */
const RUN_IDLE_MS = 15_000;

/** A payment may ask its provider twice, and no program asks more than 15 times a second. */
const PAYMENTS_PER_S = 7;

/** Gives each program's payments their places in the seconds to come. */
const pacing = (): ((programId: string) => number) => {
  const counts = new Map<string, number>();
  return (programId) => {
    const before = counts.get(programId) ?? 0;
    counts.set(programId, before + 1);
    return Math.floor(before / PAYMENTS_PER_S);
  };
};

/** A queue that fails must not keep what takes too long from being announced. */
const resend = async (ports: Ports, hint: Hint, delayS = 0): Promise<number> => {
  try {
    await ports.hints.send(hint, delayS);
    return 1;
  } catch {
    ports.log({ event: "hint_lost", kind: hint.kind });
    return 0;
  }
};

const resendPayments = async (ports: Ports): Promise<number> => {
  const placeOf = pacing();
  let sent = 0;
  let after = "";
  for (let page = 0; page < PAGES_MAX; page++) {
    const payments = await listDuePayments(ports.db, ports.now(), after, PAGE_LIMIT);
    for (const ref of payments) sent += await resend(ports, { kind: "pay", ...ref }, placeOf(ref.programId));
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

type Step = (ports: ActingPorts) => Promise<unknown>;

/** In this order: what is late is told first, money before messages, housekeeping last. */
const STEPS: Readonly<Record<string, Step>> = {
  stalled: announceOverdue,
  schedules: (ports) => runSchedules(ports, ports.now()),
  payments: resendPayments,
  runs: resendRuns,
  automatic_payments: payAutomatically,
  deliveries: resendDeliveries,
  deliveries_ended: expireDeliveries,
  answers_ended: (ports) => expireKeys(ports.db, ports.now(), PAGE_LIMIT),
  resealed: resealSecrets,
};

/** One step that fails is tried again by the next sweep and keeps no other from its turn. */
export const sweep = async (ports: ActingPorts): Promise<void> => {
  const done: Record<string, number> = {};
  for (const [name, step] of Object.entries(STEPS)) {
    try {
      const count = await step(ports);
      if (typeof count === "number" && count > 0) done[name] = count;
    } catch (fault) {
      const kind = fault instanceof Error ? fault.name : "unknown";
      ports.log({ event: "sweep_failed", step: name, name: kind });
    }
  }
  if (Object.keys(done).length > 0) ports.log({ event: "sweep", ...done });
};
