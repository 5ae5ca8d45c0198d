// What happens at the provider and around it: accounts that cannot receive, money that comes back, and a person who looks there.
import type { AffiliateId, AttemptId, PayoutId } from "../../src/domain/ids.ts";
import type { PaymentCommand } from "../../src/domain/ledger/command.ts";
import { KEY_WINDOW_MS, QUIET_AFTER_WINDOW_MS } from "../../src/domain/payout.ts";
import { applyTurn } from "../../src/operations/apply-turn.ts";
import { reviewPayout } from "../../src/operations/review-payout.ts";
import { ask } from "./ask.ts";
import type { Operation } from "./commission-operations.ts";
import { disarmOurs } from "./disarm.ts";
import type { Draw } from "./draw.ts";
import { payOnce, somePayout } from "./payout-operations.ts";
import { amountIn, type Row, type Transfer, textIn } from "./snapshot.ts";
import type { World } from "./world.ts";

export const troubleAtProvider: Operation = async (world, draw) => {
  const id = draw.pick(world.accounts);
  if (id === undefined) return;
  world.tally.struck("stripe_account_in_trouble");
  draw.of(
    () => world.stripe.seedAccount({ id, capabilities: { transfers: "inactive" } }),
    () => world.stripe.seedAccount({ id, closed: true }),
    () => world.stripe.setBalance({ currency: "USD", amount: 100 }),
  )();
};

/** Faults end, accounts may be paid, the platform has money. */
export const recoverProvider = (world: World): void => {
  world.stripe.clearFaults();
  world.patienceMs = undefined;
  for (const id of world.accounts)
    world.stripe.seedAccount({ id, capabilities: { transfers: "active" }, closed: false });
  for (const currency of ["USD", "EUR"]) world.stripe.setBalance({ currency, amount: 10_000_000_000 });
};

const transferOf = (payout: Row, now: World["before"]): Transfer | undefined =>
  now.transfers.find((transfer) => transfer.metadata["payout_id"] === payout["id"]);

const affiliateOf = (payout: Row): AffiliateId => textIn(payout, "affiliate_id") as AffiliateId;

/** Money comes back from the connected account, in part or whole, and the provider says so. */
export const returnFromProvider: Operation = async (world, draw) => {
  const paid = world.before.payouts.filter((row) => row["status"] === "paid" && row["paid_via"] === "stripe");
  const payout = draw.pick(paid);
  const transfer = payout === undefined ? undefined : transferOf(payout, world.before);
  if (payout === undefined || transfer === undefined) return;
  const returned = amountIn(payout, "returned_amount");
  const rest = amountIn(payout, "amount") - returned;
  const amount = draw.chance(50) ? rest : 1 + draw.below(rest);
  const payoutId = textIn(payout, "id") as PayoutId;
  const total = returned + amount;
  const command: PaymentCommand = { kind: "provider_return", payoutId, total, reason: "reversed" };
  const turn = { commandId: `s:return:${world.name("reversal-")}`, requestSha: "" };
  const reply = await ask(world, "provider_return", (ctx) =>
    applyTurn(ctx, affiliateOf(payout), command, turn, "payout"),
  );
  // A provider goes on telling until it is heard.
  if (reply.kind === "lost") {
    disarmOurs(world);
    const ctx = await world.ctx();
    await applyTurn(ctx, affiliateOf(payout), command, turn, "payout");
  }
  if (reply.kind !== "refused") world.stripe.reverseTransfer(transfer.id, amount);
};

const isQuietAtProvider = (world: World): boolean => world.stripe.toJSON().jobs.length === 0;

/** A person closes what no look-up settles, by what the provider's own pages say. */
export const resolvePayment = async (world: World, payout: Row): Promise<void> => {
  if (!isQuietAtProvider(world)) return;
  const [transfer] = world.stripe.transfers(textIn(payout, "id"));
  const command = {
    kind: "resolve",
    payoutId: textIn(payout, "id") as PayoutId,
    outcome: transfer === undefined ? "refused" : "settled",
    externalRef: transfer?.id ?? null,
    evidence: "looked at the provider's pages",
  } as const;
  const turn = { commandId: `k:${world.name("resolve-")}`, requestSha: command.outcome };
  await ask(world, "resolve", (ctx) => reviewPayout(ctx, command, turn));
};

const isUnknown = (world: World, payout: Row): boolean =>
  world.before.attempts.some((row) => row["payout_id"] === payout["id"] && row["state"] === "unknown");

export const resolve: Operation = async (world, draw) => {
  const payout = somePayout(world, draw, "processing");
  if (payout === undefined) return;
  // Mostly the code itself is to find out.
  if (isUnknown(world, payout) && draw.chance(60)) return;
  await resolvePayment(world, payout);
};

const sentUnknown = (world: World): Row[] =>
  world.before.payouts.filter(
    (row) =>
      row["status"] === "processing" && isUnknown(world, row) && transferOf(row, world.before) !== undefined,
  );

/** A payment of which nobody heard that it was made. */
const payUnheard = async (world: World, draw: Draw): Promise<void> => {
  const payout = somePayout(world, draw, "pending", "approved");
  if (payout === undefined || payout["method"] !== "stripe") return;
  world.stripe.clearFaults();
  world.stripe.addFault({ fault: "drop_after_work" });
  await payOnce(world, payout, 0);
  await world.hints.deliver(world.hints.take());
  world.before = await world.snapshot();
};

/** A person was wrong: the refusal turns out to have paid, and the provider's word comes in late. */
export const payLate: Operation = async (world, draw) => {
  disarmOurs(world);
  world.crowded = true;
  if (sentUnknown(world).length === 0) await payUnheard(world, draw);
  const payout = draw.pick(sentUnknown(world));
  if (payout === undefined || !isQuietAtProvider(world)) return;
  const transfer = transferOf(payout, world.before);
  const attempt = world.before.attempts.find(
    (row) => row["idempotency_key"] === transfer?.metadata["attempt"],
  );
  if (transfer === undefined || attempt === undefined) return;
  const payoutId = textIn(payout, "id") as PayoutId;
  const wrong = {
    kind: "resolve",
    payoutId,
    outcome: "refused",
    externalRef: null,
    evidence: "a mistake",
  } as const;
  const turn = { commandId: `k:${world.name("mistake-")}`, requestSha: "" };
  // Only then may a person say so at all.
  world.now += KEY_WINDOW_MS + QUIET_AFTER_WINDOW_MS;
  const mistaken = await ask(world, "resolve", (ctx) => reviewPayout(ctx, wrong, turn));
  if (mistaken.kind !== "done") return;
  const attemptId = textIn(attempt, "id") as AttemptId;
  const outcome = { kind: "settled", ref: transfer.id } as const;
  const late = { kind: "conclude_payment", payoutId, attemptId, outcome } as const;
  const told = { commandId: `s:conclude:${attemptId}:settled:${transfer.id}`, requestSha: "" };
  await ask(world, "conclude_late", (ctx) => applyTurn(ctx, affiliateOf(payout), late, told, "attempt"));
  world.tally.struck("paid_late");
};
