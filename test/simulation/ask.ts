// One client's request: sent, and where its answer was lost sent again under the same name, as a careful client would.
import type { Ctx } from "../../src/context.ts";
import { Refused } from "../../src/domain/refusals.ts";
import { differingTable } from "./snapshot.ts";
import { must, Violation } from "./violation.ts";
import type { World } from "./world.ts";

export type Reply<T> =
  | { readonly kind: "done"; readonly value: T }
  | { readonly kind: "refused"; readonly code: string }
  /** Nothing is known: it may have happened. */
  | { readonly kind: "lost" };

const TRIES = 3;

/** The code's own assertions name the invariant that would have been broken; the schema's bounds of a balance are I3. */
const ASSERTED = /^(I\d+):/;
const BOUND = /CHECK constraint failed: balances_/;

const failed = (world: World, operation: string, fault: unknown): void => {
  if (fault instanceof Violation) throw fault;
  const message = fault instanceof Error ? fault.message : String(fault);
  const asserted = ASSERTED.exec(message)?.[1] ?? (BOUND.test(message) ? "I3" : undefined);
  if (asserted !== undefined) throw new Violation(asserted, `${operation} stopped itself: ${message}`);
  must(world.disturbed > 0, "fault", () => `${operation} failed where no fault had struck: ${message}`);
};

export const ask = async <T>(
  world: World,
  operation: string,
  act: (ctx: Ctx) => Promise<T>,
  key = "key_one",
): Promise<Reply<T>> => {
  for (let tried = 1; ; tried++) {
    try {
      const value = await act(await world.ctx(key));
      world.tally.answered(operation, "done");
      world.log.push(`  ${operation}: done`);
      return { kind: "done", value };
    } catch (fault) {
      if (fault instanceof Refused) {
        const { code } = fault.refusal;
        world.tally.answered(operation, "refused");
        world.tally.refused(code);
        world.log.push(`  ${operation}: refused, ${code}`);
        if (!world.crowded && world.disturbed === 0)
          await assertUnchanged(world, `${operation} was refused (${code})`);
        return { kind: "refused", code };
      }
      failed(world, operation, fault);
      world.log.push(`  ${operation}: ${String(fault).slice(0, 120)}`);
      if (tried < TRIES) continue;
      world.tally.answered(operation, "lost");
      return { kind: "lost" };
    }
  }
};

/** I11: nothing was written. */
export const assertUnchanged = async (world: World, why: string): Promise<void> => {
  const table = differingTable(world.before, await world.snapshot());
  must(table === undefined, "I11", () => `${why} and changed ${table}`);
};
