// The demo's payout round: preview, commit exactly that plan, pay, and wait until each payout has come to an end.
import { setTimeout as sleep } from "node:timers/promises";
import { type ApiClient, inParallel } from "./api-client.ts";

export interface DemoPayout {
  readonly id: string;
  readonly affiliate_id: string;
  readonly currency: string;
  readonly gross_amount: number;
  readonly reversal_amount: number;
  readonly amount: number;
  readonly commission_count: number;
  readonly status: string;
  readonly external_ref: string | null;
  readonly failure_code: string | null;
}

export interface Generated {
  readonly run_id: string | null;
  readonly plan_id?: string;
  readonly totals: readonly { readonly currency: string; readonly amount: number; readonly count: number }[];
  readonly skipped_count: Readonly<Record<string, number>>;
}

interface Run {
  readonly status: string;
}

const width = 8;
const payingStates = new Set(["pending", "approved", "processing"]);

export const preview = (api: ApiClient, periodEnd: string): Promise<Generated> =>
  api.post("/v1/payouts/generate", { period_end: periodEnd, dry_run: true });

/** Resolves once the run is through; a large one goes on in the queue after its answer. */
export async function commit(
  api: ApiClient,
  previewed: Generated,
  periodEnd: string,
): Promise<string | null> {
  const order = previewed.plan_id === undefined ? { period_end: periodEnd } : { plan_id: previewed.plan_id };
  const { run_id: runId } = await api.post<Generated>("/v1/payouts/generate", order);
  for (let round = 0; runId !== null && round < 600; round++) {
    const run = await api.get<Run>(`/v1/payout-runs/${runId}`);
    if (run.status !== "running") break;
    await sleep(500);
  }
  return runId;
}

/** Each payout is paid in its own call; what is still under way after that is looked at until it ends, for at most waitS seconds. */
export async function payAll(
  api: ApiClient,
  payoutIds: readonly string[],
  say: (line: string) => void,
  waitS = 120,
): Promise<DemoPayout[]> {
  const until = Date.now() + waitS * 1000;
  let done = 0;
  return inParallel(payoutIds, width, async (id) => {
    await api.post(`/v1/payouts/${id}/pay`, {}, { prefer: "wait=20" });
    for (;;) {
      const payout = await api.get<DemoPayout>(`/v1/payouts/${id}`);
      if (!payingStates.has(payout.status) || Date.now() > until) {
        done += 1;
        if (done % 100 === 0) say(`    ${done} of ${payoutIds.length} payouts`);
        return payout;
      }
      await sleep(500);
    }
  });
}

export async function payoutsOfRun(api: ApiClient, runId: string | null): Promise<DemoPayout[]> {
  const payouts: DemoPayout[] = [];
  if (runId === null) return payouts;
  for await (const payout of api.list<DemoPayout>(`/v1/payouts?run_id=${runId}`)) payouts.push(payout);
  return payouts;
}
