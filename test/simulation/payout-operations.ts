// What a merchant does to payouts: generated, chosen, reviewed, paid, marked by hand, tried again, taken back.
import { dateOf } from "../../src/domain/dates.ts";
import type { AffiliateId, CommissionId, PayoutId } from "../../src/domain/ids.ts";
import { generatePayouts } from "../../src/operations/generate-payouts.ts";
import { payPayout } from "../../src/operations/pay-payout.ts";
import { createPayout, type ReviewCommand, reviewPayout } from "../../src/operations/review-payout.ts";
import { ask } from "./ask.ts";
import { type Operation, someAffiliate } from "./commission-operations.ts";
import { Draw } from "./draw.ts";
import { type Row, textIn } from "./snapshot.ts";
import type { World } from "./world.ts";

const generateOnce = async (world: World, draw: Draw, name: string): Promise<void> => {
  const today = dateOf(world.now, "UTC");
  const input = {
    periodStart: draw.chance(8) ? dateOf(world.now + 48 * 3_600_000, "UTC") : null,
    periodEnd: today,
    currency: draw.chance(80) ? null : "USD",
    affiliateIds: draw.chance(85) ? null : [someAffiliate(world, draw)],
    commandId: `k:${name}`,
    requestSha: name,
  };
  await ask(world, "generate", (ctx) => generatePayouts(ctx, input));
};

export const generate: Operation = (world, draw) => generateOnce(world, draw, world.name("run-"));

/** Several at once: some under one name, as impatient clients do, some under their own. */
export const generateAtOnce: Operation = async (world, draw) => {
  world.crowded = true;
  const name = world.name("run-");
  const names = [name, draw.chance(40) ? name : world.name("run-"), world.name("run-")];
  const seed = draw.below(1 << 30);
  await Promise.all(names.map((own) => generateOnce(world, new Draw(seed), own)));
};

export const createSingle: Operation = async (world, draw) => {
  const chosen = draw.pick(world.before.commissions.filter(({ status }) => status === "approved"));
  if (chosen === undefined) return;
  const { affiliate_id, currency } = chosen;
  const siblings = world.before.commissions.filter(
    (row) => row["affiliate_id"] === affiliate_id && row["currency"] === currency && draw.chance(40),
  );
  const ids = [...new Set([chosen, ...siblings].map((row) => textIn(row, "id") as CommissionId))];
  const choice = {
    affiliateId: affiliate_id as AffiliateId,
    currency: String(currency),
    commissionIds: ids,
    adminNote: null,
  };
  const turn = { commandId: `k:${world.name("single-")}`, requestSha: ids.join(" ") };
  await ask(world, "create_single", (ctx) => createPayout(ctx, choice, turn));
};

/** Mostly one whose status allows it, at times any. */
export const somePayout = (world: World, draw: Draw, ...statuses: readonly string[]): Row | undefined => {
  const all = world.before.payouts;
  const fitting = all.filter((row) => statuses.includes(textIn(row, "status")));
  return draw.pick(fitting.length > 0 && draw.chance(90) ? fitting : draw.chance(25) ? all : []);
};

export const payOnce = async (world: World, payout: Row, waitS: number): Promise<void> => {
  const id = textIn(payout, "id") as PayoutId;
  const turn = { commandId: `k:${world.name("pay-")}`, requestSha: `pay ${id}`, waitS };
  await ask(world, "pay", (ctx) => payPayout(ctx, id, turn));
};

export const pay: Operation = async (world, draw) => {
  const payout = somePayout(world, draw, "pending", "approved");
  if (payout !== undefined) await payOnce(world, payout, draw.chance(20) ? 20 : 0);
};

/** The main path: paid, and its message taken up. */
export const payAndDeliver: Operation = async (world, draw) => {
  const payout = somePayout(world, draw, "pending", "approved");
  if (payout === undefined) return;
  if (payout["status"] === "pending" && draw.chance(40))
    await reviewOnce(world, draw, "approve_payout", payout);
  world.crowded = true;
  await payOnce(world, payout, 0);
  await world.hints.deliver(world.hints.take());
};

/** The same payout three times at once, each waiting for the outcome. */
export const payAtOnce: Operation = async (world, draw) => {
  const payout = somePayout(world, draw, "pending", "approved");
  if (payout === undefined) return;
  world.crowded = true;
  await Promise.all([0, 3, 3].map((waitS) => payOnce(world, payout, waitS)));
};

type Kind = ReviewCommand["kind"];

const FITTING: Partial<Record<Kind, readonly string[]>> = {
  accept: ["requested"],
  deny: ["requested"],
  approve_payout: ["pending"],
  withdraw: ["approved"],
  cancel: ["pending", "approved", "processing", "failed"],
  mark_paid: ["pending", "approved", "processing"],
  mark_failed: ["processing"],
  retry: ["failed"],
  reopen: ["cancelled"],
  return: ["paid"],
};

const commandOf = (kind: Kind, payoutId: PayoutId, via: "bank_transfer" | null): ReviewCommand => {
  const noted = { payoutId, adminNote: null, partnerMessage: null } as const;
  switch (kind) {
    case "mark_paid":
      return { kind, ...noted, externalRef: "by hand", amount: null, paidAt: null, paidVia: via };
    case "deny":
    case "cancel":
    case "mark_failed":
    case "return":
      return { kind, payoutId, reason: "a person said so" };
    case "annotate":
      return { kind, payoutId, adminNote: "noted" };
    case "resolve":
      throw new Error("a payment is resolved by what the provider has");
    default:
      return { kind, payoutId };
  }
};

export const reviewOnce = async (world: World, draw: Draw, kind: Kind, payout: Row): Promise<void> => {
  const id = textIn(payout, "id") as PayoutId;
  const command = commandOf(kind, id, draw.chance(80) ? null : "bank_transfer");
  const turn = { commandId: `k:${world.name(`${kind}-`)}`, requestSha: `${kind} ${id}` };
  const key = draw.of("key_one", "key_two");
  await ask(world, kind, (ctx) => reviewPayout(ctx, command, turn), key);
};

/** Whether what it was made of is free, so that it can be claimed again. */
const isFree = (world: World, payout: Row): boolean =>
  world.before.payout_lines.every(
    ({ payout_id, commission_id }) =>
      payout_id !== payout["id"] ||
      world.before.commissions.some(({ id, status }) => id === commission_id && status === "approved"),
  );

/** Retry and reopen; mostly of one whose commissions nobody claimed meanwhile. */
export const claimedAgain =
  (kind: "retry" | "reopen"): Operation =>
  async (world, draw) => {
    const ended = world.before.payouts.filter(({ status }) => FITTING[kind]?.includes(String(status)));
    const free = ended.filter((payout) => isFree(world, payout));
    const payout = draw.pick(free.length > 0 && draw.chance(80) ? free : draw.chance(40) ? ended : []);
    if (payout !== undefined) await reviewOnce(world, draw, kind, payout);
  };

export const reviewed =
  (kind: Kind): Operation =>
  async (world, draw) => {
    const payout = somePayout(world, draw, ...(FITTING[kind] ?? []));
    if (payout !== undefined) await reviewOnce(world, draw, kind, payout);
  };
