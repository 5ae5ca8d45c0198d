// Many affiliates with something due, at once: each book decided by the domain and committed like any other, a thousand to a batch.
import type { AffiliateId, ProgramId } from "../../src/domain/ids.ts";
import type { Book } from "../../src/domain/ledger/book.ts";
import type { Command } from "../../src/domain/ledger/command.ts";
import { decide, fold } from "../../src/domain/ledger/decide.ts";
import { POLICY_DEFAULTS } from "../../src/domain/policy.ts";
import { commitTurns, type DecidedTurn } from "../../src/store/book.ts";
import { bindings, type World } from "./world.ts";

const ACTOR = { type: "key", id: "key_crowd" } as const;
const BATCH = 500;

const body = (n: number): string => String(n).padStart(26, "0");

const enrol: Command = {
  kind: "create_affiliate",
  affiliate: {
    externalId: null,
    name: "One of many",
    email: "many@example.com",
    country: null,
    metadata: null,
    overrides: {},
  },
};

const sale = (n: number, amount: number, at: number): Command => ({
  kind: "record",
  externalId: `crowd-${n}`,
  amount,
  orderAmount: null,
  currency: "USD",
  occurredAt: at,
  status: "approved",
  metadata: null,
  requestSha: `crowd-${n}`,
});

const bookOf = (programId: ProgramId, n: number): Book => ({
  programId,
  livemode: false,
  policyVersion: 1,
  policy: { ...POLICY_DEFAULTS, hold_days: 0 },
  affiliateId: `aff_${body(n)}` as AffiliateId,
  affiliate: undefined,
  seq: 0,
  eventSeq: 0,
  balances: {},
});

const turnsOf = (programId: ProgramId, n: number, amount: number, at: number): DecidedTurn[] => {
  const turns: DecidedTurn[] = [];
  let book = bookOf(programId, n);
  for (const [i, command] of [enrol, sale(n, amount, at)].entries()) {
    const verdict = decide(book, command, { now: at, actor: ACTOR, mint: body(n * 10 + i) });
    if (verdict.kind !== "change") throw new Error(`${command.kind} was ${verdict.kind}`);
    const { change, result } = verdict;
    turns.push({ book, change, result, commandId: `s:crowd:${n}:${i}`, requestSha: "", actor: ACTOR, at });
    book = fold(book, change);
  }
  return turns;
};

/** Affiliates numbered from `first`, each with one approved commission of `amountOf(n)` in USD. */
export const seedCrowd = async (
  world: World,
  first: number,
  count: number,
  amountOf: (n: number) => number,
): Promise<void> => {
  const programId = world.program.id as ProgramId;
  const at = world.now() - 3_600_000;
  const numbers = Array.from({ length: count }, (_, i) => first + i);
  for (let from = 0; from < count; from += BATCH) {
    const turns = numbers.slice(from, from + BATCH).flatMap((n) => turnsOf(programId, n, amountOf(n), at));
    const outcome = await commitTurns(bindings.DB, turns, async () => undefined);
    if (outcome.kind !== "committed") throw new Error(`the crowd was ${outcome.kind}`);
  }
};
