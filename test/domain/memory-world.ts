// The world that a random history moves through: the memory, the truth outside it, a clock, and how an operation picks its object.
import type { Actor } from "../../src/domain/events.ts";
import type { Verdict } from "../../src/domain/ledger/book.ts";
import type { Command } from "../../src/domain/ledger/command.ts";
import type { Decide } from "./memory-book.ts";
import type { Memory } from "./memory-ledger.ts";
import type { Truth } from "./memory-provider.ts";

export interface World {
  readonly memory: Memory;
  readonly truth: Truth;
  readonly decide: Decide | undefined;
  now: number;
  /** Counts what needs a name of its own. */
  named: number;
}

/** Three numbers of the random source; what they choose depends on the operation. */
export interface Pick {
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

export interface Deed {
  readonly command: Command;
  readonly actor?: Actor;
  /** What the world does when the turn was committed. */
  readonly after?: (verdict: Extract<Verdict, { kind: "change" }>) => void;
}

export interface Operation {
  readonly name: string;
  readonly weight: number;
  /** undefined where there is nothing to do it to. */
  readonly deed: (world: World, pick: Pick) => Deed | undefined;
}

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
export const EPOCH = Date.UTC(2026, 0, 1);

export const choose = <T>(values: readonly T[], n: number): T | undefined => values[n % values.length];

export const oneOf = <const T extends readonly [unknown, ...unknown[]]>(values: T, n: number): T[number] =>
  values[n % values.length] ?? values[0];

/** Mostly a row that the operation is meant for, now and then any row, so that refusals are met too. */
export const aim = <T>(rows: Iterable<T>, fits: (row: T) => boolean, n: number): T | undefined => {
  const all = [...rows];
  const fitting = all.filter(fits);
  return n % 16 === 0 ? choose(all, n >> 4) : choose(fitting, n);
};

/** Mostly dollars. */
export const currencyOf = (n: number): string => (n % 7 === 0 ? "EUR" : "USD");

export const nameOf = (world: World, prefix: string): string => `${prefix}-${world.named++}`;
