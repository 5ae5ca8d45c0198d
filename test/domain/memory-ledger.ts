// One affiliate's whole state in memory, and what a committed change does to it: the meaning that the SQL store must have too.
import { deepStrictEqual } from "node:assert/strict";
import type { Affiliate } from "../../src/domain/affiliate.ts";
import { type Commission, leftOf } from "../../src/domain/commission.ts";
import type { EventDraft } from "../../src/domain/events.ts";
import type { AffiliateId, AttemptId, CommissionId, PayoutId, ProgramId } from "../../src/domain/ids.ts";
import type { Balance, Change, Entry, LinesChange, Refund, Selector } from "../../src/domain/ledger/book.ts";
import { foldEntries } from "../../src/domain/ledger/decide.ts";
import type { Attempt, Payout, PayoutStatus } from "../../src/domain/payout.ts";
import { isOpenAttempt } from "../../src/domain/payout.ts";
import { POLICY_DEFAULTS, type Policy } from "../../src/domain/policy.ts";

/** What happened to a payout's lines, in order: claims and the ends of claims are counted from it. */
export interface LinesRecord {
  readonly payoutId: PayoutId;
  readonly kind: LinesChange["kind"];
  readonly before: PayoutStatus | undefined;
}

export interface Memory {
  readonly programId: ProgramId;
  readonly affiliateId: AffiliateId;
  policy: Policy;
  affiliate: Affiliate | undefined;
  seq: number;
  eventSeq: number;
  balances: Readonly<Record<string, Balance>>;
  readonly commissions: Map<CommissionId, Commission>;
  readonly payouts: Map<PayoutId, Payout>;
  /** Per payout its commissions with the amount as claimed. */
  readonly lines: Map<PayoutId, Map<CommissionId, number>>;
  readonly attempts: Map<AttemptId, Attempt>;
  readonly refunds: Refund[];
  readonly entries: (Entry & { readonly seq: number })[];
  readonly events: EventDraft[];
  readonly turns: number[];
  readonly counters: Map<string, { readonly n: number; readonly cap: number }>;
  readonly linesLog: LinesRecord[];
}

export const openMemory = (policy: Partial<Policy> = {}): Memory => ({
  programId: "prg_01J00000000000000000000000",
  affiliateId: "aff_01J00000000000000000000000",
  policy: { ...POLICY_DEFAULTS, ...policy },
  affiliate: undefined,
  seq: 0,
  eventSeq: 0,
  balances: {},
  commissions: new Map(),
  payouts: new Map(),
  lines: new Map(),
  attempts: new Map(),
  refunds: [],
  entries: [],
  events: [],
  turns: [],
  counters: new Map(),
  linesLog: [],
});

/** Rows are immutable all the way down, so that a rule which changes what it was shown throws. */
export const freezeDeep = <T>(value: T): T => {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const inner of Object.values(value)) freezeDeep(inner);
  return value;
};

const isDue = (commission: Commission, selector: Extract<Selector, { by: "due" }>): boolean =>
  commission.status === "approved" &&
  commission.currency === selector.currency &&
  commission.payableAt <= selector.asOf &&
  commission.occurredAt >= selector.from &&
  commission.occurredAt < selector.until;

/** The commissions that a selector names, whether or not they can be claimed. */
export const selected = (memory: Memory, selector: Selector): Commission[] => {
  const all = [...memory.commissions.values()];
  switch (selector.by) {
    case "due":
      return all.filter((commission) => isDue(commission, selector));
    case "ids":
      return all.filter(({ id, currency }) => selector.ids.includes(id) && currency === selector.currency);
    case "lines":
      return all.filter(({ id }) => memory.lines.get(selector.payoutId)?.has(id) === true);
  }
};

const pointingTo = (memory: Memory, payoutId: PayoutId): Commission[] =>
  [...memory.commissions.values()].filter((commission) => commission.payoutId === payoutId);

const putAll = (memory: Memory, commissions: readonly Commission[], now: number): number => {
  for (const commission of commissions) {
    memory.commissions.set(commission.id, freezeDeep({ ...commission, updatedAt: now }));
  }
  return commissions.length;
};

const claimLines = (memory: Memory, change: Extract<LinesChange, { kind: "claim" }>, now: number): number => {
  const free = selected(memory, change.selector).filter(
    ({ status, payableAt }) => status === "approved" && (change.selector.by === "due" || payableAt <= now),
  );
  const lines = memory.lines.get(change.payoutId) ?? new Map<CommissionId, number>();
  for (const commission of free) lines.set(commission.id, leftOf(commission));
  memory.lines.set(change.payoutId, lines);
  return putAll(
    memory,
    free.map((commission) => ({ ...commission, status: "processing", payoutId: change.payoutId })),
    now,
  );
};

const applyLines = (memory: Memory, change: LinesChange, now: number): number => {
  if (change.kind === "claim") return claimLines(memory, change, now);
  const held = pointingTo(memory, change.payoutId);
  if (change.kind === "settle") {
    const processing = held.filter(({ status }) => status === "processing");
    return putAll(
      memory,
      processing.map((commission) => ({ ...commission, status: "paid" })),
      now,
    );
  }
  const free = held.map(
    (commission): Commission => ({
      ...commission,
      status: leftOf(commission) === 0 ? "reversed" : "approved",
      payoutId: null,
    }),
  );
  return putAll(memory, free, now);
};

/** Inserts what must not be there, updates what must be there. */
const put = <K, V>(rows: Map<K, V>, id: K, row: V, isNew: boolean): void => {
  if (rows.has(id) === isNew) throw new Error(`${String(id)} ${isNew ? "is there already" : "is not there"}`);
  rows.set(id, freezeDeep(row));
};

const applyObjects = (memory: Memory, change: Change): void => {
  const { insertedPayout, updatedPayout, insertedAttempt, updatedAttempt } = change;
  if (insertedPayout !== undefined) put(memory.payouts, insertedPayout.id, insertedPayout, true);
  if (updatedPayout !== undefined) put(memory.payouts, updatedPayout.id, updatedPayout, false);
  if (insertedAttempt !== undefined) put(memory.attempts, insertedAttempt.id, insertedAttempt, true);
  if (updatedAttempt !== undefined) put(memory.attempts, updatedAttempt.id, updatedAttempt, false);
  for (const payoutId of memory.payouts.keys()) {
    const open = [...memory.attempts.values()].filter(
      (attempt) => attempt.payoutId === payoutId && isOpenAttempt(attempt.state),
    );
    if (open.length > 1) throw new Error(`I1 ${payoutId} has ${open.length} open attempts`);
  }
  const affiliate = change.insertedAffiliate ?? change.updatedAffiliate;
  if (affiliate !== undefined) memory.affiliate = freezeDeep(affiliate);
};

/** Commits one change: lines first, then single commissions overwrite, then new ones are appended. */
export const applyChange = (memory: Memory, change: Change, now: number): void => {
  const before = new Map([...memory.payouts].map(([id, { status }]) => [id, status]));
  applyObjects(memory, change);
  for (const lines of change.lines) {
    const count = applyLines(memory, lines, now);
    deepStrictEqual(count, lines.count, `I4 ${lines.kind} of ${lines.payoutId}: ${lines.count} announced`);
    memory.linesLog.push({
      payoutId: lines.payoutId,
      kind: lines.kind,
      before: before.get(lines.payoutId),
    });
  }
  for (const commission of change.updatedCommissions)
    put(memory.commissions, commission.id, commission, false);
  for (const commission of change.insertedCommissions)
    put(memory.commissions, commission.id, commission, true);
  memory.refunds.push(...change.refunds.map(freezeDeep));
  memory.seq += 1;
  memory.turns.push(memory.seq);
  memory.entries.push(...change.entries.map((entry) => freezeDeep({ ...entry, seq: memory.seq })));
  memory.balances = freezeDeep(foldEntries(memory.balances, change.entries));
  memory.events.push(...change.events);
  memory.eventSeq += change.events.length + (change.paidLines?.count ?? 0);
  if (change.capped !== undefined) {
    const { name, by, cap } = change.capped;
    const before = memory.counters.get(name);
    if (by >= 0) memory.counters.set(name, { n: (before?.n ?? 0) + by, cap });
    else if (before !== undefined) memory.counters.set(name, { ...before, n: Math.max(0, before.n + by) });
  }
};
