// Takes the faults of our own side away.
import type { World } from "./world.ts";

/** They last for one step, or the next one would not know what struck it. */
export const disarmOurs = (world: World): void => {
  world.edge.clear();
  world.ledger.clear();
  world.hints.failing = 0;
};
