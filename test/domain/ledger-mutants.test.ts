// The oracle is worth something: with any one rule missing it finds a history that breaks an invariant.
import fc from "fast-check";
import { expect, test } from "vitest";
import { runHistory } from "./memory-history.ts";
import { MUTANTS } from "./memory-mutants.ts";
import { histories, seed } from "./memory-random.ts";

const HISTORIES_AT_MOST = 4000;

test.each(MUTANTS)(
  "a history breaks when this rule is missing: $without",
  { timeout: 120_000 },
  ({ decide }) => {
    const found = fc.check(
      fc.property(histories, ([beginning, steps]) =>
        runHistory(beginning, steps, { counts: new Map() }, decide),
      ),
      { numRuns: HISTORIES_AT_MOST, seed: seed(), endOnFailure: true },
    );
    const [invariant] = String(found.errorInstance).split("\n");
    expect(invariant).toMatch(/^Error: (I\d+|status:)/);
  },
);
