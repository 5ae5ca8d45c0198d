// What the simulation throws when a promise is broken: the promise's name and what was found.
export class Violation extends Error {
  readonly invariant: string;

  constructor(invariant: string, found: string) {
    super(`${invariant}: ${found}`);
    this.name = "Violation";
    this.invariant = invariant;
  }
}

export const must = (holds: boolean, invariant: string, found: () => string): void => {
  if (!holds) throw new Violation(invariant, found());
};
