// A program to which everything happened that a book can hold, for tests that read all of it.
import type { AffiliateId, PayoutId } from "../../src/domain/ids.ts";
import type { Command } from "../../src/domain/ledger/command.ts";
import { bindings, type Loose, openWorld, unique, type World } from "./world.ts";

interface Object_ {
  apply(request: unknown): Promise<{ readonly kind: string }>;
}

const MINT = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const mint = (): string =>
  `01${Array.from(crypto.getRandomValues(new Uint8Array(24)), (byte) => MINT.charAt(byte & 31)).join("")}`;

/** A turn that no call of the API makes yet, or that only a provider causes. */
export const turn = async (world: World, affiliateId: string, command: Command): Promise<void> => {
  const name = `${world.program.id}:${affiliateId}`;
  const answer = await (bindings.AFFILIATE_LEDGER.getByName(name) as unknown as Object_).apply({
    programId: world.program.id,
    affiliateId,
    command,
    commandId: unique("s:test"),
    requestSha: "",
    actor: { type: "provider", id: "stripe" },
    mint: mint(),
  });
  if (answer.kind !== "done") throw new Error(`${command.kind}: ${JSON.stringify(answer)}`);
};

export interface Eventful {
  readonly world: World;
  readonly ada: AffiliateId;
  readonly bea: AffiliateId;
  /** A payout that waits, one that was paid and refunded later, one that was cancelled. */
  readonly live: PayoutId;
  readonly paid: PayoutId;
  readonly cancelled: PayoutId;
  /** Commissions: of the live payout, of the paid one, and one that is free. */
  readonly claimed: string;
  readonly settled: string;
  readonly free: string;
}

/** The payout that holds a commission. */
const holderOf = async (world: World, commissionId: string): Promise<PayoutId> =>
  (await world.ok("GET", `/v1/commissions/${commissionId}`))["payout_id"] as PayoutId;

/** Paid and refunded after it, the refund collected from the next payout, and then the first one comes back whole. */
const collectElsewhere = async (world: World, id: string): Promise<void> => {
  const first = await world.sale(id, 3_000);
  await world.generate({ affiliate_ids: [id] });
  const one = await holderOf(world, first.id);
  await world.ok("POST", `/v1/payouts/${one}/mark-paid`, {});
  await world.ok("POST", `/v1/commissions/${first.id}/reverse`, { amount: 250, reason: "sent back" });
  const second = await world.sale(id, 900);
  await world.generate({ affiliate_ids: [id] });
  const two = await holderOf(world, second.id);
  await world.ok("POST", `/v1/payouts/${two}/cancel`, { reason: "not yet" });
  await world.ok("POST", `/v1/payouts/${two}/reopen`, {});
  await world.ok("POST", `/v1/payouts/${two}/mark-paid`, {});
  await world.ok("POST", `/v1/payouts/${one}/return`, { reason: "the bank sent it back" });
};

/** Paid, refunded, and come back before anything else was due: the commission itself bears the refund. */
const absorb = async (world: World, id: string): Promise<void> => {
  const sale = await world.sale(id, 450);
  await world.generate({ affiliate_ids: [id], currency: "USD" });
  const payoutId = await holderOf(world, sale.id);
  await world.ok("POST", `/v1/payouts/${payoutId}/mark-paid`, {});
  await world.ok("POST", `/v1/commissions/${sale.id}/reverse`, { amount: 30, reason: "sent back" });
  await world.ok("POST", `/v1/payouts/${payoutId}/return`, { reason: "the bank sent it back" });
};

const payInStoreCredit = async (world: World, id: AffiliateId): Promise<void> => {
  await world.ok("PUT", `/v1/affiliates/${id}/payout-method`, { payout_method: "store_credit" });
  await world.sale(id, 800, { currency: "EUR" });
  const { payouts } = await world.generate({ affiliate_ids: [id], currency: "EUR" });
  await world.ok("POST", `/v1/payouts/${payouts[0]?.id}/pay`, {});
  await world.drain();
  const order = { currency: "EUR", externalId: "order-with-credit" };
  const back = { currency: "EUR", externalId: "mug-back", spendExternalId: order.externalId };
  await turn(world, id, { kind: "spend_store_credit", ...order, amount: 300, note: "mug" });
  await turn(world, id, { kind: "refund_store_credit", ...back, amount: 100, note: null });
  await world.ok("PUT", `/v1/affiliates/${id}/payout-method`, { payout_method: "manual" });
};

/** Comes back in two parts, so that its commissions stay paid and credits stand for the money. */
const returnInParts = async (world: World, id: AffiliateId): Promise<void> => {
  await world.useStripe(id);
  const sale = await world.sale(id, 600);
  await world.generate({ affiliate_ids: [id] });
  const payoutId = await holderOf(world, sale.id);
  await world.ok("POST", `/v1/payouts/${payoutId}/pay`, {}, { prefer: "wait=20" });
  await turn(world, id, { kind: "provider_return", payoutId, total: 200, reason: "part" });
  const { data } = await world.ok<{ data: Loose[] }>("GET", `/v1/affiliates/${id}/commissions?limit=1`);
  await world.ok("POST", `/v1/commissions/${data[0]?.id}/reverse`, { amount: 50, reason: "less" });
  await turn(world, id, { kind: "provider_return", payoutId, total: 600, reason: "the rest" });
  await world.ok("PUT", `/v1/affiliates/${id}/payout-method`, { payout_method: "manual" });
};

const oweAndForgive = async (world: World, id: AffiliateId): Promise<{ paid: PayoutId; settled: string }> => {
  const settled = await world.sale(id, 1_000);
  await world.generate({ affiliate_ids: [id] });
  const paid = await holderOf(world, settled.id);
  await world.ok("POST", `/v1/payouts/${paid}/mark-paid`, {});
  await world.ok("POST", `/v1/commissions/${settled.id}/reverse`, { amount: 90, reason: "sent back" });
  const note = "goodwill";
  await turn(world, id, { kind: "settle_recovery", amount: 40, currency: "USD", how: "written_off", note });
  return { paid, settled: settled.id };
};

const cancelAndReopen = async (world: World, id: string): Promise<PayoutId> => {
  const sale = await world.sale(id, 2_000);
  await world.generate({ affiliate_ids: [id] });
  const payoutId = await holderOf(world, sale.id);
  await world.ok("POST", `/v1/payouts/${payoutId}/cancel`, { reason: "not yet" });
  await world.ok("POST", `/v1/payouts/${payoutId}/reopen`, {});
  await world.ok("POST", `/v1/payouts/${payoutId}/cancel`, { reason: "after all not" });
  return payoutId;
};

/** Every state of a commission, and a payout that waits with less in it than it claimed. */
const leaveOpen = async (
  world: World,
  id: string,
): Promise<{ live: PayoutId; claimed: string; free: string }> => {
  const [claimed, gone] = [await world.sale(id, 5_000), await world.sale(id, 70)];
  await world.generate({ affiliate_ids: [id], currency: "USD" });
  const live = await holderOf(world, claimed.id);
  await world.ok("POST", `/v1/commissions/${claimed.id}/reverse`, { amount: 5, reason: "a bit" });
  await world.ok("POST", `/v1/commissions/${gone.id}/reverse`, { reason: "all of it" });
  const free = await world.sale(id, 11);
  const approved = await world.sale(id, 17, { status: "pending" });
  await world.ok("POST", `/v1/commissions/${approved.id}/approve`, {});
  await world.ok("POST", `/v1/commissions/${approved.id}/hold`, { reason: "odd" });
  await world.ok("POST", `/v1/commissions/${approved.id}/release`, {});
  await world.sale(id, 12, { status: "pending" });
  const held = await world.sale(id, 13);
  await world.ok("POST", `/v1/commissions/${held.id}/hold`, { reason: "odd" });
  const waiting = await world.sale(id, 14, { status: "pending" });
  await world.ok("POST", `/v1/commissions/${waiting.id}/hold`, { reason: "odd" });
  const rejected = await world.sale(id, 15);
  await world.ok("POST", `/v1/commissions/${rejected.id}/reverse`, { amount: 5, reason: "a bit" });
  await world.ok("POST", `/v1/commissions/${rejected.id}/reject`, {});
  await world.ok("POST", `/v1/affiliates/${id}/credits`, { amount: 16, currency: "USD", note: "sorry" });
  return { live, claimed: claimed.id, free: free.id };
};

export const openEventful = async (): Promise<Eventful> => {
  const world = await openWorld({ destination_cooldown_hours: 0 });
  const [ada, bea] = [(await world.affiliate()) as AffiliateId, (await world.affiliate()) as AffiliateId];
  await collectElsewhere(world, ada);
  await absorb(world, ada);
  await payInStoreCredit(world, bea);
  await returnInParts(world, bea);
  const { paid, settled } = await oweAndForgive(world, bea);
  const cancelled = await cancelAndReopen(world, ada);
  const { live, claimed, free } = await leaveOpen(world, ada);
  return { world, ada, bea, live, paid, cancelled, claimed, settled, free };
};
