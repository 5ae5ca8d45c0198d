// One history: a world, steps with faults, the oracle after each, and at the end the quiet in which everything must have come out right.
import * as fc from "fast-check";
import { disarmOurs } from "./disarm.ts";
import { Draw } from "./draw.ts";
import { arm, COMMAND_FAULTS, OUR_FAULTS, PROVIDER_FAULTS } from "./faults.ts";
import { OPERATION_NAMES, OPERATIONS, type OperationName } from "./operations.ts";
import { checkAll } from "./oracle.ts";
import { becomeQuiet } from "./quiet.ts";
import { begin } from "./seed.ts";
import type { Tally } from "./tally.ts";
import { Violation } from "./violation.ts";
import { World } from "./world.ts";

export interface Step {
  readonly operation: OperationName;
  /** Armed before the operation. */
  readonly fault: string | null;
  /** Every choice within the step follows from it. */
  readonly seed: number;
}

export interface History {
  readonly seed: number;
  readonly steps: readonly Step[];
}

const seeds = fc.integer({ min: 1, max: 2 ** 31 - 1 });

const faultFor = (operation: OperationName): fc.Arbitrary<string | null> =>
  fc.oneof(
    { arbitrary: fc.constant(null), weight: 6 },
    { arbitrary: fc.constantFrom(...PROVIDER_FAULTS), weight: 2 },
    { arbitrary: fc.constantFrom(...(OUR_FAULTS[operation] ?? COMMAND_FAULTS)), weight: 2 },
  );

const step: fc.Arbitrary<Step> = fc.oneof(
  ...OPERATION_NAMES.map((operation) => ({
    arbitrary: fc.record({ operation: fc.constant(operation), fault: faultFor(operation), seed: seeds }),
    weight: OPERATIONS[operation].weight,
  })),
);

export const histories = (minLength: number, maxLength: number): fc.Arbitrary<History> =>
  fc.noBias(fc.record({ seed: seeds, steps: fc.array(step, { minLength, maxLength, size: "max" }) }));

const take = async (world: World, { operation, fault, seed }: Step): Promise<void> => {
  const draw = new Draw(seed);
  world.log.push(`${operation}${fault === null ? "" : ` under ${fault}`}`);
  world.disturbed = 0;
  world.crowded = false;
  const { touched } = world;
  if (fault !== null) arm(world, fault, draw);
  await OPERATIONS[operation].run(world, draw);
  disarmOurs(world);
  if (world.touched === touched) return;
  const now = await world.snapshot();
  checkAll(world, now);
  world.before = now;
};

let serial = 0;

export const play = async (history: History, tally: Tally): Promise<void> => {
  const world = new World(++serial, tally);
  tally.histories += 1;
  try {
    await begin(world, new Draw(history.seed));
    for (const step of history.steps) {
      tally.steps += 1;
      await take(world, step);
    }
    await becomeQuiet(world, new Draw(history.seed));
  } catch (fault) {
    if (fault instanceof Violation) fault.message += `\nhistory:\n${world.log.join("\n")}`;
    throw fault;
  } finally {
    world.close();
  }
};
