// Random operations on commissions and on money that is none: recorded, reviewed, refunded, claimed, spent, written off.
import type { CommissionStatus } from "../../src/domain/commission.ts";
import { type Commission, refundableOf } from "../../src/domain/commission.ts";
import type { ClaimCommand, Command } from "../../src/domain/ledger/command.ts";
import { grow } from "./memory-provider.ts";
import {
  aim,
  choose,
  currencyOf,
  DAY_MS,
  type Deed,
  nameOf,
  type Operation,
  oneOf,
  type Pick,
  type World,
} from "./memory-world.ts";

const record = (world: World, { a, b, c }: Pick): Deed => {
  const byOrder = b % 5 === 0;
  return {
    command: {
      kind: "record",
      externalId: nameOf(world, "order"),
      amount: byOrder ? null : 1 + (a % 6),
      orderAmount: byOrder ? 1 + (a % 40) : null,
      currency: currencyOf(b),
      occurredAt: world.now - (c % 3 === 0 ? DAY_MS : 0),
      status: oneOf(["approved", "approved", "approved", "pending", null], c),
      metadata: null,
      requestSha: `sha-${a}`,
    },
  };
};

const recordAgain = (world: World, { a, b }: Pick): Deed | undefined => {
  const earlier = choose(
    [...world.memory.commissions.values()].filter(({ externalId }) => externalId !== null),
    a,
  );
  if (earlier?.externalId == null) return undefined;
  return {
    command: {
      kind: "record",
      externalId: earlier.externalId,
      amount: earlier.amount,
      orderAmount: null,
      currency: earlier.currency,
      occurredAt: earlier.occurredAt,
      status: null,
      metadata: null,
      requestSha: b % 2 === 0 ? earlier.requestSha : "another body",
    },
  };
};

const credit = (world: World, { a, b, c }: Pick): Deed => ({
  command: {
    kind: "credit",
    grant: oneOf(["credit", "bonus"], c),
    amount: 1 + (a % 4),
    currency: currencyOf(b),
    note: "goodwill",
    externalId: c % 3 === 0 ? nameOf(world, "credit") : null,
    requestSha: "credit",
  },
});

const REVIEWED: Record<"approve" | "reject" | "hold" | "release", readonly CommissionStatus[]> = {
  approve: ["pending"],
  hold: ["pending", "approved"],
  release: ["held"],
  reject: ["pending", "approved", "held"],
};

const review =
  (kind: keyof typeof REVIEWED) =>
  (world: World, { a }: Pick): Deed | undefined => {
    const commission = aim(
      world.memory.commissions.values(),
      ({ status }) => REVIEWED[kind].includes(status),
      a,
    );
    return commission && { command: { kind, commission: { id: commission.id }, reason: null } };
  };

const reverseOf = (commission: Commission, more: Partial<Extract<Command, { kind: "reverse" }>>): Deed => ({
  command: {
    kind: "reverse",
    commission: { id: commission.id },
    amount: null,
    orderAmount: null,
    reason: "refund",
    externalId: null,
    requestSha: "reverse",
    ...more,
  },
});

const refund = (world: World, { a, b, c }: Pick): Deed | undefined => {
  const commission = aim(world.memory.commissions.values(), (row) => refundableOf(row) > 0, a);
  if (commission === undefined) return undefined;
  if (commission.rateBps !== null && c % 3 !== 0) return reverseOf(commission, { orderAmount: 1 + (b % 15) });
  if (c % 5 === 0) return reverseOf(commission, {});
  return reverseOf(commission, { amount: 1 + (b % 6), externalId: c % 4 === 0 ? `refund-${b % 3}` : null });
};

/** A refund of what was claimed or paid: the part of life where most rules meet. */
const refundClaimed = (world: World, { a, b, c }: Pick): Deed | undefined => {
  const commission = aim(
    world.memory.commissions.values(),
    (row) => row.payoutId !== null && refundableOf(row) > 0,
    a,
  );
  return commission && reverseOf(commission, c % 3 === 0 ? {} : { amount: 1 + (b % 4) });
};

const claimOf = (world: World, by: ClaimCommand["by"], selector: ClaimCommand["selector"]): Deed => ({
  command: {
    kind: "claim",
    by,
    selector,
    periodStart: null,
    periodEnd: new Date(world.now).toISOString().slice(0, 10),
    runId: null,
    sessionId: null,
    adminNote: null,
  },
});

const generate = (world: World, { a, b, c }: Pick): Deed | undefined => {
  const currency = currencyOf(a);
  const approved = [...world.memory.commissions.values()].some(
    (row) => row.status === "approved" && row.currency === currency,
  );
  if (!approved && c % 16 !== 0) return undefined;
  const upTo = b % 4 === 0 ? world.now - (c % 4) * DAY_MS : Number.MAX_SAFE_INTEGER;
  const from = b % 5 === 0 ? world.now - (c % 6) * DAY_MS : 0;
  const by = b % 6 === 0 ? "request" : "generate";
  return claimOf(world, by, { by: "due", currency, asOf: world.now, from, until: upTo });
};

const chooseSome = (world: World, { a, b, c }: Pick): Deed => {
  const currency = currencyOf(a);
  const free = [...world.memory.commissions.values()].filter(
    ({ status, payableAt }) => status === "approved" && payableAt <= world.now,
  );
  const pool = c % 8 === 0 ? [...world.memory.commissions.values()] : free;
  const ids = pool
    .filter((commission) => commission.currency === currency || c % 16 === 0)
    .slice(b % 4)
    .slice(0, 1 + (c % 2))
    .map(({ id }) => id);
  return claimOf(world, "person", { by: "ids", currency, ids });
};

/** An order that takes store credit. */
const spend = (world: World, { a, b, c }: Pick): Deed => {
  const currency = currencyOf(b);
  const amount = 1 + (a % 5);
  const { spends, spent } = world.truth;
  // Now and then an id that was used before.
  const externalId = c % 8 === 0 ? `order-${b % 3}` : nameOf(world, "bought");
  return {
    command: { kind: "spend_store_credit", amount, currency, externalId, note: null },
    after: () => {
      grow(spent, currency, amount);
      spends.set(`${currency} ${externalId}`, { currency, amount, back: 0 });
    },
  };
};

const giveBack = (world: World, { a, b, c }: Pick): Deed | undefined => {
  const { spends, spent } = world.truth;
  // Mostly of what was spent last, so that some of it is gone already.
  const [name, spend] = choose([...spends].slice(c % 4 === 0 ? 0 : -1), a) ?? [];
  if (name === undefined || spend === undefined) return undefined;
  const amount = c % 2 === 0 ? spend.amount : 1 + (b % 4);
  const currency = c % 11 === 0 ? currencyOf(b) : spend.currency;
  // Now and then of what was never bought.
  const spendExternalId = c % 5 === 3 ? "never-bought" : name.slice(spend.currency.length + 1);
  const externalId = nameOf(world, "back");
  return {
    command: { kind: "refund_store_credit", amount, currency, externalId, spendExternalId, note: null },
    after: () => {
      grow(spent, currency, -amount);
      const given = spends.get(`${currency} ${spendExternalId}`);
      if (given !== undefined) given.back += amount;
    },
  };
};

const writeOff = (world: World, { a, b, c }: Pick): Deed | undefined => {
  const currency = currencyOf(b);
  const owed = -(world.memory.balances[currency]?.recovery ?? 0);
  if (owed === 0 && c % 6 !== 0) return undefined;
  const amount = 1 + (a % Math.max(owed, 2));
  return {
    command: {
      kind: "settle_recovery",
      amount,
      currency,
      how: oneOf(["written_off", "repaid"], c),
      note: "agreed",
    },
    after: () => grow(world.truth.writtenOff, currency, amount),
  };
};

export const COMMISSION_OPERATIONS: readonly Operation[] = [
  { name: "record", weight: 12, deed: record },
  { name: "record again", weight: 2, deed: recordAgain },
  { name: "credit", weight: 3, deed: credit },
  { name: "approve", weight: 4, deed: review("approve") },
  { name: "hold", weight: 3, deed: review("hold") },
  { name: "release", weight: 3, deed: review("release") },
  { name: "reject", weight: 2, deed: review("reject") },
  { name: "refund", weight: 7, deed: refund },
  { name: "refund claimed", weight: 10, deed: refundClaimed },
  { name: "generate", weight: 12, deed: generate },
  { name: "choose", weight: 8, deed: chooseSome },
  { name: "spend", weight: 6, deed: spend },
  { name: "give back", weight: 5, deed: giveBack },
  { name: "write off", weight: 1, deed: writeOff },
];
