// What a whole run of histories did: how often each operation was taken, refused or lost, and how often each fault struck.

export interface OperationCount {
  done: number;
  refused: number;
  /** The answer was lost for good: the caller never learned what became of it. */
  lost: number;
}

export class Tally {
  readonly operations = new Map<string, OperationCount>();
  readonly refusals = new Map<string, number>();
  readonly faults = new Map<string, number>();
  histories = 0;
  steps = 0;
  transfers = 0;

  answered(operation: string, how: keyof OperationCount): void {
    const count = this.operations.get(operation) ?? { done: 0, refused: 0, lost: 0 };
    count[how] += 1;
    this.operations.set(operation, count);
  }

  refused(code: string): void {
    this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1);
  }

  struck(fault: string, times = 1): void {
    this.faults.set(fault, (this.faults.get(fault) ?? 0) + times);
  }

  /** Those of the list that never struck. */
  missing(faults: readonly string[]): string[] {
    return faults.filter((fault) => (this.faults.get(fault) ?? 0) === 0);
  }

  report(): string {
    const counts = (map: ReadonlyMap<string, number>) =>
      [...map].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, n]) => `${name} ${n}`);
    const operations = [...this.operations]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { done, refused, lost }]) => `${name} ${done}/${refused}/${lost}`);
    return [
      `${this.histories} histories, ${this.steps} steps, ${this.transfers} transfers at the provider`,
      `operations (done/refused/lost): ${operations.join(", ")}`,
      `refusals: ${counts(this.refusals).join(", ")}`,
      `faults that struck: ${counts(this.faults).join(", ")}`,
    ].join("\n");
  }
}
