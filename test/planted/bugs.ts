// The bugs that the tests must catch: each is one exact snippet of one file in src and what stands there instead.

export interface PlantedBug {
  readonly name: string;
  /** Below src. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export const plantedBugs: readonly PlantedBug[] = [];
