// The simulation: seeded histories over the real D1, objects, consumer and cron, with faults everywhere, and every promise checked after every step.
import { env } from "cloudflare:workers";
import * as fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { MUST_STRIKE } from "../simulation/faults.ts";
import { histories, play } from "../simulation/history.ts";
import { Tally } from "../simulation/tally.ts";
import { resetSeams } from "./seams.ts";

const { SEED, HISTORIES } = env as unknown as { SEED?: string; HISTORIES?: string };

const RUNS = Number(HISTORIES ?? 200);
const seed = Number(SEED ?? 20261101);

describe("the simulation", () => {
  afterEach(resetSeams);

  it("keeps every promise after every step of every history", { timeout: 600_000 }, async () => {
    const tally = new Tally();
    const property = fc.asyncProperty(histories(15, 40), (history) => play(history, tally));
    console.log(`simulation: seed ${seed}, ${RUNS} histories`);
    const began = Date.now();
    const { failed, errorInstance, counterexamplePath } = await fc.check(property, {
      seed,
      numRuns: RUNS,
      endOnFailure: true,
    });
    console.log(`${tally.report()}\n${((Date.now() - began) / 1000).toFixed(1)} s`);
    if (failed) console.log(`replay: SEED=${seed} REPLAY=${counterexamplePath}`);
    if (failed) throw errorInstance;
    expect(tally.missing(MUST_STRIKE)).toEqual([]);
  });
});
