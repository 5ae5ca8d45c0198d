// The simulation against a planted bug: it must find a broken promise, within some tens of histories, and name it.
import { env } from "cloudflare:workers";
import * as fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { histories, play } from "../simulation/history.ts";
import { Tally } from "../simulation/tally.ts";
import { Violation } from "../simulation/violation.ts";
import { resetSeams } from "../worker/seams.ts";
import { PLANTED, plantedBugs } from "./bugs.ts";

const { PLANTED_BUG, SEED } = env as unknown as { PLANTED_BUG: string; SEED?: string };

const SEEDS = SEED === undefined ? [1, 2] : [Number(SEED)];
const MAX_HISTORIES = 100;

/** How many histories it took, and what broke; undefined where nothing did. */
const hunt = async (seed: number): Promise<{ histories: number; violation: Violation } | undefined> => {
  const tally = new Tally();
  const property = fc.asyncProperty(histories(15, 40), (history) => play(history, tally));
  const found = await fc.check(property, { seed, numRuns: MAX_HISTORIES, endOnFailure: true });
  if (!found.failed) return undefined;
  const { errorInstance } = found;
  if (!(errorInstance instanceof Violation)) throw errorInstance;
  return { histories: found.numRuns, violation: errorInstance };
};

describe(`the planted bug: ${PLANTED_BUG}`, () => {
  afterEach(resetSeams);
  const bug = plantedBugs.find(({ name }) => name === PLANTED_BUG);

  it("is one that the list knows", () => {
    expect(bug).toBeDefined();
  });

  it("breaks a promise that the simulation names", { timeout: 240_000 }, async () => {
    for (const seed of SEEDS) {
      Reflect.set(globalThis, PLANTED, undefined);
      const found = await hunt(seed);
      expect(found, `seed ${seed} found nothing in ${MAX_HISTORIES} histories`).toBeDefined();
      expect(Reflect.get(globalThis, PLANTED)).toBe(PLANTED_BUG);
      expect(bug?.breaks).toContain(found?.violation.invariant);
      const [what = ""] = found?.violation.message.split("\n") ?? [];
      console.log(`${PLANTED_BUG}: seed ${seed}, history ${found?.histories}: ${what.slice(0, 200)}`);
    }
  });
});
