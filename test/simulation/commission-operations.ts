// What a storefront and a merchant do to commissions: recorded once or twice, reviewed, refunded, and credits by hand.
import type { AffiliateId, CommissionId } from "../../src/domain/ids.ts";
import { grantCredit, recordCommission } from "../../src/operations/record-commission.ts";
import { reverseCommission, reviewCommission } from "../../src/operations/review-commission.ts";
import { ask, type Reply } from "./ask.ts";
import type { Draw } from "./draw.ts";
import { amountIn, type Row, textIn } from "./snapshot.ts";
import { must } from "./violation.ts";
import type { Order, World } from "./world.ts";

export type Operation = (world: World, draw: Draw) => Promise<void>;

const HOUR_MS = 3_600_000;

export const someAffiliate = (world: World, draw: Draw): AffiliateId => {
  const affiliateId = draw.pick(world.affiliates);
  if (affiliateId === undefined) throw new Error("a world without affiliates");
  return affiliateId;
};

const currencyOf = (draw: Draw): string => (draw.chance(80) ? "USD" : "EUR");
const amountOf = (draw: Draw): number => 1 + draw.below(draw.chance(20) ? 5 : 2000);

export const send = async (world: World, order: Order): Promise<Reply<{ outcome: string }>> => {
  const { affiliateId, externalId, amount, currency, occurredAt, status } = order;
  const sale = { externalId, amount, currency, occurredAt, status, orderAmount: null, metadata: null };
  const of = { affiliate: { id: affiliateId }, ...sale, mayApprove: true };
  const turn = { commandId: undefined, requestSha: JSON.stringify(order) };
  const reply = await ask(world, "record", (ctx) => recordCommission(ctx, of, turn));
  if (reply.kind === "done") world.promisedSales.set(order.externalId, order);
  return reply;
};

export const newOrder = (world: World, draw: Draw, affiliateId = someAffiliate(world, draw)): Order => {
  const order = {
    externalId: world.name("order-"),
    affiliateId,
    amount: amountOf(draw),
    currency: currencyOf(draw),
    occurredAt: world.now - draw.below(72) * HOUR_MS,
    status: draw.of("approved", "approved", "pending", null),
  } as const;
  world.orders.push(order);
  return order;
};

export const record: Operation = async (world, draw) => {
  await send(world, newOrder(world, draw));
};

/** The storefront sends an order again, with the same body or with another under its name. */
export const recordAgain: Operation = async (world, draw) => {
  const order = draw.pick(world.orders);
  if (order === undefined) return;
  const wasPromised = world.promisedSales.has(order.externalId);
  if (draw.chance(40)) {
    const other = { ...order, amount: order.amount + 1 };
    const reply = await send(world, other);
    must(
      !wasPromised || reply.kind !== "done",
      "I10",
      () => `${order.externalId} was taken with another body`,
    );
    return;
  }
  const reply = await send(world, order);
  const isNew = reply.kind === "done" && reply.value.outcome === "recorded";
  must(!(wasPromised && isNew), "I10", () => `${order.externalId} was recorded a second time`);
};

/** The same new order several times at once. */
export const recordAtOnce: Operation = async (world, draw) => {
  world.crowded = true;
  const order = newOrder(world, draw);
  await Promise.all([1, 2, 3].map(() => send(world, order)));
};

/** Mostly one whose status allows it, at times any. */
const someCommission = (world: World, draw: Draw, ...statuses: readonly string[]): Row | undefined => {
  const all = world.before.commissions;
  const fitting = all.filter((row) => statuses.includes(textIn(row, "status")));
  return draw.pick(fitting.length > 0 && draw.chance(90) ? fitting : draw.chance(25) ? all : []);
};

const REVIEWED = {
  approve: ["pending"],
  reject: ["pending", "approved", "held"],
  hold: ["pending", "approved"],
  release: ["held"],
} as const;

export const reviewed =
  (kind: keyof typeof REVIEWED): Operation =>
  async (world, draw) => {
    const commission = someCommission(world, draw, ...REVIEWED[kind]);
    if (commission === undefined) return;
    await review(world, kind, commission);
  };

export const review = async (world: World, kind: keyof typeof REVIEWED, commission: Row): Promise<void> => {
  const id = textIn(commission, "id") as CommissionId;
  const turn = { commandId: `k:${world.name("review-")}`, requestSha: kind };
  await ask(world, kind, (ctx) => reviewCommission(ctx, { id }, { kind, reason: "because" }, turn));
};

export const refundOf = async (world: World, draw: Draw, commission: Row): Promise<void> => {
  const id = textIn(commission, "id") as CommissionId;
  const open =
    amountIn(commission, "amount") - amountIn(commission, "reduced") - amountIn(commission, "clawed_back");
  const amount = draw.chance(40) ? null : draw.chance(10) ? open + 1 : 1 + draw.below(Math.max(open, 1));
  const earlier = draw.pick(world.before.refunds.filter(({ commission_id }) => commission_id === id));
  const isAgain = earlier !== undefined && draw.chance(25);
  const externalId = isAgain ? textIn(earlier, "external_id") : world.name("refund-");
  const asked = isAgain && draw.chance(50) ? amountIn(earlier, "amount") : amount;
  const reversal = { amount: asked, orderAmount: null, reason: "refunded", externalId };
  const turn = { commandId: `k:${world.name("refund-")}`, requestSha: `refund ${externalId} ${asked}` };
  const reply = await ask(world, "refund", (ctx) => reverseCommission(ctx, { id }, reversal, turn));
  if (reply.kind === "done" && asked !== null) world.promisedRefunds.set(`${id} ${externalId}`, asked);
};

export const refund: Operation = async (world, draw) => {
  const commission = someCommission(world, draw, "approved", "processing", "paid");
  if (commission !== undefined) await refundOf(world, draw, commission);
};

export const credit: Operation = async (world, draw) => {
  const affiliateId = someAffiliate(world, draw);
  const grant = { grant: draw.of("credit", "bonus"), currency: currencyOf(draw), note: "a gift" } as const;
  const given = { ...grant, amount: amountOf(draw), externalId: world.name("gift-") };
  const turn = { commandId: undefined, requestSha: JSON.stringify(given) };
  await ask(world, "credit", (ctx) => grantCredit(ctx, { id: affiliateId }, given, turn));
};
