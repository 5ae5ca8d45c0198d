// Collects what was measured beside its budget, prints it as a table, and knows whether every asserted budget was kept.
import type { Counts } from "./control.ts";

export interface Line {
  readonly name: string;
  readonly measured: string;
  /** Empty where there is none. */
  readonly budget: string;
  /** undefined: printed, not asserted. */
  readonly isKept: boolean | undefined;
  /** Whether it meets the budget, where that is not asserted. */
  readonly isWithin?: boolean;
}

const verdictOf = ({ isKept, isWithin }: Line): string => {
  if (isKept !== undefined) return isKept ? "ok" : "MISSED";
  if (isWithin === undefined) return "";
  return isWithin ? "within" : "beyond";
};

export class Report {
  readonly #lines: Line[] = [];
  readonly #notes: string[] = [];
  readonly #isTraced: boolean;

  constructor(isTraced: boolean) {
    this.#isTraced = isTraced;
  }

  /** A count: exact, asserted. */
  atMost(name: string, measured: number, budget: number, unit: string): void {
    this.check(name, `${measured} ${unit}`, `≤ ${budget}`, measured <= budget);
  }

  exactly(name: string, measured: number, budget: number, unit: string): void {
    this.check(name, `${measured} ${unit}`, `= ${budget}`, measured === budget);
  }

  check(name: string, measured: string, budget: string, isKept: boolean): void {
    this.#add({ name, measured, budget, isKept });
  }

  /** A time: noisy, printed and compared, never asserted. */
  show(name: string, measured: string, budget = "", isWithin?: boolean): void {
    const line = { name, measured, budget, isKept: undefined };
    this.#add(isWithin === undefined ? line : { ...line, isWithin });
  }

  /** Said below the table: what explains a number. */
  note(text: string): void {
    this.#notes.push(text);
  }

  /** Which round trips they were: said where there are too many, and to whoever asks. */
  trips(
    what: string,
    { trips, trace }: Pick<Counts, "trips" | "trace">,
    budget = Number.POSITIVE_INFINITY,
  ): void {
    if (trips <= budget && !this.#isTraced) return;
    this.note(`\nround trips of ${what}:`);
    for (const [at, trip] of trace.entries()) this.note(`  ${at + 1}. ${trip}`);
  }

  get isKept(): boolean {
    return this.#lines.every((line) => line.isKept !== false);
  }

  print(): void {
    const rows = [
      ["what", "measured", "budget", "verdict"],
      ...this.#lines.map((line) => [line.name, line.measured, line.budget, verdictOf(line)]),
    ];
    const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
    const textOf = (row: string[]) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd();
    const [head = [], ...body] = rows;
    const rule = widths.map((width) => "─".repeat(width)).join("  ");
    console.log([textOf(head), rule, ...body.map(textOf)].join("\n"));
    console.log("\nok, MISSED: asserted. within, beyond: times in this run, compared but not asserted.");
    for (const note of this.#notes) console.log(note);
    for (const line of this.#lines) {
      if (line.isKept === false)
        console.log(`budget missed: ${line.name}: ${line.measured}, allowed ${line.budget}`);
    }
  }

  #add(line: Line): void {
    this.#lines.push(line);
    process.stderr.write(
      `  ${line.name}: ${line.measured}${line.budget === "" ? "" : ` (${line.budget}) ${verdictOf(line)}`}\n`,
    );
  }
}

export const medianOf = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
};

export const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
