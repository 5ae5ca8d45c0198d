// Automatic payouts: what a scheduled run made is paid by the same turn as any other, once nothing stands in its way.
import type { Ctx } from "../context.ts";
import { addDays, dateOf, parseInstant, startOfDate } from "../domain/dates.ts";
import type { ProgramId, RunId } from "../domain/ids.ts";
import { type Refusal, Refused } from "../domain/refusals.ts";
import {
  ASLEEP_MS,
  type AutomaticPayment,
  listDueAutomatic,
  NEEDS_HAND,
  settleAutomatic,
} from "../store/automatic-payments.ts";
import { type ActingPorts, ctxFor } from "./ctx-for.ts";
import { payPayout } from "./pay-payout.ts";

const ACTOR = { type: "schedule", id: "automatic_payouts" } as const;

/** Turns under way at once. */
const AT_ONCE = 10;
const PAGE_LIMIT = 100;

/** One sweep, or one message, asks for no more than this many payments: each is several calls to elsewhere. */
const PAYMENTS_MAX = 500;

const FAULT_WAIT_MS = 5 * 60_000;

/** When what was refused is tried again, in real time; null where the payout is over or somebody else's now. */
const againAfter = (ctx: Ctx, { code, facts }: Refusal): number | null => {
  const ahead = ctx.now() - ctx.realNow();
  if (code === "payout_not_found" || code === "invalid_state") return null;
  const until = typeof facts?.["until"] === "string" ? parseInstant(facts["until"]) : undefined;
  if (until !== undefined) return until - ahead;
  if (code !== "daily_limit_reached") return ctx.realNow() + ASLEEP_MS;
  const { time_zone: zone } = ctx.program.policy;
  return startOfDate(addDays(dateOf(ctx.now(), zone), 1), zone) - ahead;
};

const payOne = async (ctx: Ctx, payment: AutomaticPayment): Promise<number | null> => {
  const { policy } = ctx.program;
  const waits =
    !policy.automatic_payouts ||
    NEEDS_HAND.includes(payment.method) ||
    (policy.require_approval && !payment.isApproved);
  if (waits) return ctx.realNow() + ASLEEP_MS;
  try {
    await payPayout(ctx, payment.payoutId, { commandId: undefined, requestSha: "", waitS: 0 });
    return null;
  } catch (thrown) {
    if (thrown instanceof Refused) return againAfter(ctx, thrown.refusal);
    const name = thrown instanceof Error ? thrown.name : "unknown";
    ctx.log({ event: "automatic_payment_failed", payout_id: payment.payoutId, name });
    return ctx.realNow() + FAULT_WAIT_MS;
  }
};

const payAll = async (ctx: Ctx, payments: readonly AutomaticPayment[]): Promise<void> => {
  for (let from = 0; from < payments.length; from += AT_ONCE) {
    const some = payments.slice(from, from + AT_ONCE);
    const tried = some.map(async (payment) => ({ payment, againAt: await payOne(ctx, payment) }));
    await settleAutomatic(ctx.db, await Promise.all(tried));
  }
};

/** Right after the run that made them; `running` where some are left at `until`, epoch milliseconds of real time. */
export const payRun = async (ctx: Ctx, runId: RunId, until: number): Promise<"running" | "done"> => {
  const acting: Ctx = { ...ctx, actor: ACTOR };
  for (let paid = 0; paid < PAYMENTS_MAX; paid += PAGE_LIMIT) {
    const payments = await listDueAutomatic(ctx.db, ctx.realNow(), runId, PAGE_LIMIT);
    await payAll(acting, payments);
    if (payments.length < PAGE_LIMIT) return "done";
    if (ctx.realNow() >= until) break;
  }
  return "running";
};

const byProgram = (payments: readonly AutomaticPayment[]): Map<ProgramId, AutomaticPayment[]> => {
  const programs = new Map<ProgramId, AutomaticPayment[]>();
  for (const payment of payments) {
    const of = programs.get(payment.programId) ?? [];
    of.push(payment);
    programs.set(payment.programId, of);
  }
  return programs;
};

/** Whatever is due of all programs; answers how many were tried. One D1 round trip where there is nothing. */
export const payAutomatically = async (ports: ActingPorts): Promise<number> => {
  let tried = 0;
  while (tried < PAYMENTS_MAX) {
    const payments = await listDueAutomatic(ports.db, ports.now(), null, PAGE_LIMIT);
    for (const [programId, own] of byProgram(payments)) {
      await ctxFor(ports, programId, ACTOR)
        .then((ctx) => payAll(ctx, own))
        .catch((fault) => {
          const name = fault instanceof Error ? fault.name : "unknown";
          ports.log({ event: "automatic_payments_failed", program_id: programId, name });
        });
    }
    tried += payments.length;
    if (payments.length < PAGE_LIMIT) break;
  }
  return tried;
};
