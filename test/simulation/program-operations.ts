// What changes around the book: policy, payout methods, suspension, credentials, requests of affiliates, credit spent and debts written off.

import { dateOf } from "../../src/domain/dates.ts";
import type { AffiliateId } from "../../src/domain/ids.ts";
import type { ClaimCommand, MoneyCommand } from "../../src/domain/ledger/command.ts";
import { applyTurn } from "../../src/operations/apply-turn.ts";
import { setPayoutMethod } from "../../src/operations/set-payout-method.ts";
import { setStripeCredentials } from "../../src/operations/set-stripe-credentials.ts";
import { updateAffiliate } from "../../src/operations/update-affiliate.ts";
import { updateProgram } from "../../src/operations/update-program.ts";
import { ask, type Reply } from "./ask.ts";
import { type Operation, someAffiliate } from "./commission-operations.ts";
import type { Draw } from "./draw.ts";
import { amountIn, type Row, textIn } from "./snapshot.ts";
import type { World } from "./world.ts";

export const changePolicy: Operation = async (world, draw) => {
  const patch = draw.of(
    { hold_days: draw.below(2) },
    { minimum_payout: draw.chance(50) ? {} : { USD: 300, EUR: 200 } },
    { require_approval: draw.chance(25) },
    { four_eyes: draw.chance(30) },
    { auto_approve_commissions: draw.chance(50) },
    { destination_cooldown_hours: draw.of(0, 0, 1) },
    { daily_payout_limit: draw.chance(70) ? {} : { USD: 4000 } },
  );
  await ask(world, "change_policy", (ctx) => updateProgram(ctx, { policy: patch }));
};

const setMethod = async (world: World, id: AffiliateId, method: string): Promise<void> => {
  const account = world.accounts[world.affiliates.indexOf(id)] ?? "";
  const choice =
    method === "stripe"
      ? ({ method, accountId: account } as const)
      : ({ method: method === "manual" ? "manual" : "store_credit" } as const);
  const turn = { commandId: `k:${world.name("method-")}`, requestSha: method };
  await ask(world, "set_method", (ctx) => setPayoutMethod(ctx, { id }, choice, turn));
};

export const changeMethod: Operation = async (world, draw) => {
  const id = someAffiliate(world, draw);
  if (draw.chance(30)) {
    // Another account at the provider from now on: payments already asked for must not go there.
    world.accounts[world.affiliates.indexOf(id)] = String(world.stripe.seedAccount({}).id);
  }
  await setMethod(world, id, draw.of("stripe", "stripe", "stripe", "manual", "store_credit"));
};

export const suspend: Operation = async (world, draw) => {
  const id = someAffiliate(world, draw);
  const isSuspended = world.before.affiliates.some(
    (row) => row["id"] === id && row["status"] === "suspended",
  );
  const status = isSuspended || draw.chance(50) ? "active" : "suspended";
  const turn = { commandId: `k:${world.name("status-")}`, requestSha: status };
  await ask(world, "suspend", (ctx) => updateAffiliate(ctx, { id }, { status, overrides: {} }, turn));
};

/** To another platform account; refused while payments through the present one are open. */
export const rotateCredentials: Operation = async (world, draw) => {
  const secrets = { secretKey: `sk_test_${draw.of("first", "second")}_k`, webhookSecret: null };
  await ask(world, "rotate_credentials", (ctx) =>
    setStripeCredentials(ctx, { ...secrets, connectWebhookSecret: null }),
  );
};

/** The affiliate asks for a payout of all that is due. */
export const request: Operation = async (world, draw) => {
  const id = someAffiliate(world, draw);
  const currency = draw.of("USD", "USD", "EUR");
  const command: ClaimCommand = {
    kind: "claim",
    by: "request",
    selector: { by: "due", currency, asOf: world.now, from: 0, until: world.now + 1 },
    periodStart: null,
    periodEnd: dateOf(world.now, "UTC"),
    runId: null,
    sessionId: null,
    adminNote: null,
  };
  const turn = { commandId: `k:${world.name("request-")}`, requestSha: currency };
  await ask(world, "request", (ctx) => applyTurn(ctx, id, command, turn, "payout"));
};

/** What an order spent, given back: at times more than it took. */
const giveBack = (world: World, draw: Draw, spend: Row): MoneyCommand => {
  const [, , currency = "", spendExternalId = ""] = textIn(spend, "name").split(":");
  const left = amountIn(spend, "cap") - amountIn(spend, "n");
  return {
    kind: "refund_store_credit",
    amount: draw.chance(80) ? 1 + draw.below(Math.max(left, 1)) : left + 1,
    currency,
    externalId: world.name("back-"),
    spendExternalId,
    note: null,
  };
};

const applyMoney = (world: World, id: AffiliateId, command: MoneyCommand): Promise<Reply<unknown>> => {
  const turn = { commandId: `k:${world.name("money-")}`, requestSha: JSON.stringify(command) };
  return ask(world, command.kind, (ctx) => applyTurn(ctx, id, command, turn, "balance"));
};

/** The order is cancelled at once, or after what else happens. */
const giveSomeBack = async (world: World, draw: Draw): Promise<void> => {
  world.before = await world.snapshot();
  const spends = world.before.counters.filter((row) => textIn(row, "name").startsWith("spend:"));
  const spend = draw.pick(spends);
  if (spend === undefined) return;
  const id = textIn(spend, "name").split(":")[1] as AffiliateId;
  await applyMoney(world, id, giveBack(world, draw, spend));
};

/** Store credit spent or given back, and a debt written off: at times more than there is. */
export const moveMoney: Operation = async (world, draw) => {
  const rich = world.before.balances.filter((row) => row["store_credit"] !== 0 || row["recovery"] !== 0);
  const balance = draw.pick(rich.length > 0 ? rich : world.before.balances);
  if (balance === undefined) return;
  const currency = textIn(balance, "currency");
  const owed = -amountIn(balance, "recovery");
  const held = amountIn(balance, "store_credit");
  const part = (whole: number) => 1 + draw.below(Math.max(whole + (draw.chance(10) ? 2 : 0), 1));
  const externalId = world.name("order-with-credit-");
  const command: MoneyCommand =
    owed > 0 && draw.chance(held > 0 ? 50 : 85)
      ? { kind: "settle_recovery", amount: part(owed), currency, how: "written_off", note: "let it be" }
      : { kind: "spend_store_credit", amount: part(held), currency, externalId, note: null };
  await applyMoney(world, textIn(balance, "affiliate_id") as AffiliateId, command);
  if (draw.chance(80)) await giveSomeBack(world, draw);
};
