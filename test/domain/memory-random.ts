// Random beginnings and steps of histories, from fast-check's seeded source.
import fc from "fast-check";
import { type Beginning, DRAWS, type Step } from "./memory-history.ts";

const number = fc.nat({ max: 255 });

const beginning: fc.Arbitrary<Beginning> = fc.record({
  minimum: fc.constantFrom(0, 0, 3),
  method: fc.nat({ max: 4 }),
  holdDays: fc.constantFrom(0, 0, 2),
  rules: fc.nat({ max: 34 }),
});

const step: fc.Arbitrary<Step> = fc.tuple(fc.nat({ max: DRAWS.length - 1 }), number, number, number);

/** Without fast-check's liking for small numbers, which would record and record again. */
export const histories: fc.Arbitrary<readonly [Beginning, readonly Step[]]> = fc.noBias(
  fc.tuple(beginning, fc.array(step, { minLength: 12, maxLength: 60, size: "max" })),
);

/** Another at every run, unless SEED says which; fast-check prints it with a failure. */
export const seed = (): number =>
  process.env["SEED"] === undefined ? Date.now() % 2 ** 31 : Number(process.env["SEED"]);
