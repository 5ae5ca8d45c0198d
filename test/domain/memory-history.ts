// Runs a random history: every operation is a turn, and after every turn each invariant is asked.
import type { Verdict } from "../../src/domain/ledger/book.ts";
import type { Policy } from "../../src/domain/policy.ts";
import { type Decide, KEY_A, takeTurn } from "./memory-book.ts";
import { type Memory, openMemory } from "./memory-ledger.ts";
import { AFFILIATE_OPERATIONS, methodCommand } from "./memory-operations-affiliate.ts";
import { COMMISSION_OPERATIONS } from "./memory-operations-commission.ts";
import { PAYOUT_OPERATIONS } from "./memory-operations-payout.ts";
import { violation } from "./memory-oracle.ts";
import { eventViolation } from "./memory-oracle-events.ts";
import { openTruth } from "./memory-provider.ts";
import {
  DAY_MS,
  type Deed,
  EPOCH,
  HOUR_MS,
  nameOf,
  type Operation,
  oneOf,
  type Pick,
  type World,
} from "./memory-world.ts";

export interface Beginning {
  readonly minimum: number;
  readonly method: number;
  readonly holdDays: number;
  readonly rules: number;
}

export type Step = readonly [operation: number, a: number, b: number, c: number];

/** How often each operation was applied, and how often something rare was met. */
export interface Tally {
  readonly counts: Map<string, number>;
}

export const count = ({ counts }: Tally, what: string): void => {
  counts.set(what, (counts.get(what) ?? 0) + 1);
};

const OPERATIONS: readonly Operation[] = [
  ...COMMISSION_OPERATIONS,
  ...PAYOUT_OPERATIONS,
  ...AFFILIATE_OPERATIONS,
];
const WAIT_WEIGHT = 6;
const RULES_WEIGHT = 2;
export const DRAWS: readonly (Operation | "wait" | "rules")[] = [
  ...OPERATIONS.flatMap((operation) => new Array<Operation>(operation.weight).fill(operation)),
  ...new Array<"wait">(WAIT_WEIGHT).fill("wait"),
  ...new Array<"rules">(RULES_WEIGHT).fill("rules"),
];

const policyOf = ({ minimum, holdDays, rules }: Beginning): Partial<Policy> => ({
  hold_days: holdDays,
  minimum_payout: minimum === 0 ? {} : { USD: minimum, EUR: minimum },
  commission_rate_bps: 3333,
  destination_cooldown_hours: rules % 2 === 0 ? 0 : 48,
  require_approval: rules % 8 === 0,
  four_eyes: rules % 7 === 0,
});

/** A policy that changes under the affiliate's feet touches nothing that is recorded or claimed. */
const changeRules = (memory: Memory, { a, b, c }: Pick): void => {
  memory.policy = {
    ...memory.policy,
    ...policyOf({ minimum: oneOf([0, 0, 3], a), holdDays: oneOf([0, 2], b), method: 0, rules: c }),
    auto_approve_commissions: a % 2 === 0,
    daily_payout_limit: b % 9 === 0 ? { USD: 12 } : {},
    payout_methods: c % 11 === 0 ? ["stripe"] : ["stripe", "manual", "store_credit"],
  };
};

const rowsOf = (memory: Memory): readonly unknown[] => [
  memory.seq,
  memory.affiliate,
  memory.balances,
  memory.entries.length,
  memory.events.length,
  memory.refunds.length,
  memory.linesLog.length,
  ...memory.commissions.values(),
  ...memory.payouts.values(),
  ...memory.attempts.values(),
];

/** Rows are frozen, so the same rows are the same state. */
const unmoved = (before: readonly unknown[], after: readonly unknown[]): boolean =>
  before.length === after.length && before.every((row, i) => row === after[i]);

const same = (stored: unknown, told: unknown): boolean =>
  stored === told || JSON.stringify(stored) === JSON.stringify(told);

/** What a turn answers is what the book holds afterwards. */
const answersTruly = (memory: Memory, verdict: Verdict): boolean => {
  if (verdict.kind === "refused") return true;
  const { result } = verdict;
  switch (result.kind) {
    case "commission":
      return same(memory.commissions.get(result.commission.id), result.commission);
    case "payout":
      return same(memory.payouts.get(result.payout.id), result.payout);
    case "attempt":
      return (
        same(memory.attempts.get(result.attempt.id), result.attempt) &&
        same(memory.payouts.get(result.payout.id), result.payout)
      );
    default:
      return true;
  }
};

const noteRarities = (tally: Tally, verdict: Extract<Verdict, { kind: "change" }>): void => {
  for (const { kind } of verdict.change.entries) count(tally, `entry ${kind}`);
  for (const { origin } of verdict.change.insertedCommissions) {
    if (origin !== null) count(tally, `credit from ${origin}`);
  }
  const payout = verdict.change.updatedPayout;
  if (payout !== undefined) count(tally, `payout ${payout.status}`);
  if (verdict.change.updatedAttempt?.emptySince != null) count(tally, "nothing found again");
  for (const { type } of verdict.change.events) count(tally, `event ${type}`);
};

interface Run {
  readonly world: World;
  readonly tally: Tally;
  readonly trace: string[];
}

const takeDeed = ({ world, tally, trace }: Run, name: string, deed: Deed): Verdict => {
  const { memory } = world;
  const before = rowsOf(memory);
  const { balances, affiliate } = memory;
  const payouts = new Map(memory.payouts);
  const facts = { now: world.now, actor: deed.actor ?? KEY_A };
  const verdict = takeTurn(
    memory,
    deed.command,
    world.decide === undefined ? facts : { ...facts, decide: world.decide },
  );
  trace.push(
    `${verdict.kind === "refused" ? verdict.refusal.code : verdict.kind} ← ${JSON.stringify(deed.command)}`,
  );
  if (verdict.kind === "change") {
    deed.after?.(verdict);
    count(tally, name);
    noteRarities(tally, verdict);
  } else {
    count(tally, verdict.kind === "refused" ? `refused ${verdict.refusal.code}` : `unchanged ${name}`);
    if (!unmoved(before, rowsOf(memory)))
      throw new Error(`I11 ${name} was ${verdict.kind} and changed a row`);
  }
  if (!answersTruly(memory, verdict)) throw new Error(`the answer to ${name} is not what the book holds`);
  const found = violation(memory, world.truth);
  if (found !== undefined) throw new Error(found);
  if (verdict.kind === "change") {
    const { updatedPayout } = verdict.change;
    const payout = updatedPayout === undefined ? undefined : payouts.get(updatedPayout.id);
    const untold = eventViolation({ balances, payout, affiliate }, memory.balances, verdict.change);
    if (untold !== undefined) throw new Error(untold);
  }
  return verdict;
};

const named = (name: string): Operation => {
  const found = OPERATIONS.find((operation) => operation.name === name);
  if (found === undefined) throw new Error(`no operation ${name}`);
  return found;
};

/** What takes money one step on, tried in turn where the drawn operation is refused or has no object. */
const ONWARD = ["retry", "conclude", "begin", "pay", "generate"].map(named);
const RECORD = named("record");
const SUSPEND = named("suspend");

const takeStep = (run: Run, [operation, a, b, c]: Step): void => {
  const drawn = DRAWS[operation] ?? "wait";
  if (drawn === "wait") {
    run.world.now += a % 4 === 0 ? 1000 * (b + 1) : (1 + (b % 3)) * DAY_MS;
    return;
  }
  if (drawn === "rules") {
    changeRules(run.world.memory, { a, b, c });
    return;
  }
  const isSuspended = run.world.memory.affiliate?.status === "suspended";
  const others = isSuspended ? [SUSPEND] : [...ONWARD.slice(c % 6), RECORD];
  for (const tried of [drawn, ...others]) {
    const deed = tried.deed(run.world, { a, b, c });
    if (deed !== undefined && takeDeed(run, tried.name, deed).kind === "change") return;
  }
};

/** At the end faults stop and every open payment is concluded as the provider knows it. */
const drain = (run: Run): void => {
  const { memory, truth } = run.world;
  for (const attempt of [...memory.attempts.values()]) {
    if (
      attempt.rail !== "stripe" ||
      ["settled", "refused", "paid_late", "needs_hand"].includes(attempt.state)
    )
      continue;
    const transfer = truth.transfers.get(attempt.key);
    const outcome =
      transfer === undefined
        ? ({ kind: "refused", code: "declined", detail: "not there" } as const)
        : ({ kind: "settled", ref: `tr-${transfer.key}` } as const);
    const command = {
      kind: "conclude_payment",
      payoutId: attempt.payoutId,
      attemptId: attempt.id,
      outcome,
    } as const;
    takeDeed(run, "drain", { command });
  }
};

/** Throws with the trace at the first invariant that does not hold. */
export const runHistory = (
  beginning: Beginning,
  steps: readonly Step[],
  tally: Tally,
  decide?: Decide,
): void => {
  const memory = openMemory(policyOf(beginning));
  const world: World = { memory, truth: openTruth(), decide, now: EPOCH, named: 0 };
  const run: Run = { world, tally, trace: [] };
  try {
    const affiliate = {
      externalId: null,
      name: "A",
      email: "a@example.com",
      country: null,
      metadata: null,
      overrides: {},
    };
    takeDeed(run, "create affiliate", { command: { kind: "create_affiliate", affiliate } });
    const method = oneOf(["stripe", "stripe", "manual", "store_credit", null], beginning.method);
    if (method !== null) takeDeed(run, "set method", methodCommand(method, nameOf(world, "dest")));
    world.now += HOUR_MS / 60;
    for (const step of steps) {
      takeStep(run, step);
      world.now += HOUR_MS / 60;
    }
    drain(run);
  } catch (fault) {
    const why = fault instanceof Error ? fault.message : String(fault);
    throw new Error(`${why}\n${run.trace.join("\n")}`, { cause: fault });
  }
};
