// The clock's work by hand: schedules and automatic payments as a cron tick does them, and everything that follows delivered.
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { platformPorts, withRails } from "../../src/compose.ts";
import { payAutomatically } from "../../src/operations/pay-automatically.ts";
import { runSchedules } from "../../src/operations/run-schedules.ts";
import { readAll } from "./generated.ts";
import { seams } from "./seams.ts";
import type { Loose } from "./world.ts";
import { bindings, type World } from "./world.ts";

export interface Run extends Loose {
  readonly kind: string;
  readonly as_of: string;
  readonly period_end: string;
  readonly planned: number;
  readonly payouts_created: number;
  readonly payouts_failed: number;
  readonly skipped_count: Readonly<Record<string, number>>;
}

/** Ports as the Worker has them for one tick. */
export const inTick = async <T>(work: (ports: ReturnType<typeof withRails>) => Promise<T>): Promise<T> => {
  const execution = createExecutionContext();
  const done = await work(withRails(seams.ports(platformPorts(bindings, execution))));
  await waitOnExecutionContext(execution);
  return done;
};

/** Answers how many runs were made. */
export const tick = (world: World): Promise<number> =>
  inTick(async (ports) => {
    const made = await runSchedules(ports, world.now());
    await payAutomatically(ports);
    return made;
  });

/** A tick, and every hint that follows from it, as long as the clock may take. */
export const runDue = async (world: World, rounds = 30): Promise<void> => {
  await tick(world);
  for (let round = 0; round < rounds && (await world.deliver()); round++) world.advance(100);
};

/** Scheduled runs, oldest first. */
export const scheduledRuns = async (world: World): Promise<Run[]> =>
  (await readAll<Run>(world, "/v1/payout-runs?order=asc")).filter(({ kind }) => kind === "scheduled");
