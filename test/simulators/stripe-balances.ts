// Balances per currency, the transactions that move them, and payouts of connected accounts to their banks.

import { balanceInsufficient, invalid, noAccess, notFound } from "./stripe-errors.ts";
import { record } from "./stripe-events.ts";
import { textAt } from "./stripe-form.ts";
import { checkList, inRange, page, RANGE } from "./stripe-lists.ts";
import { checkParams } from "./stripe-params.ts";
import {
  type Call,
  DEFAULT_AVAILABLE,
  type Handler,
  type PayoutRecord,
  type Platform,
  type TransactionRecord,
  type World,
} from "./stripe-world.ts";

export const availableTo = (world: World, platform: Platform, currency: string): number =>
  platform.available[currency] ?? world.data.available[currency] ?? DEFAULT_AVAILABLE;

export const availableOn = (world: World, account: string, currency: string): number =>
  world.data.accounts[account]?.available[currency] ?? 0;

export function moveOnAccount(world: World, account: string, currency: string, amount: number): void {
  const found = world.data.accounts[account];
  if (found !== undefined) found.available[currency] = (found.available[currency] ?? 0) + amount;
}

export function addTransaction(world: World, made: Omit<TransactionRecord, "id" | "created">): string {
  const id = world.newId("txn");
  world.data.transactions[id] = { id, created: world.seconds(), ...made };
  return id;
}

/** Who holds what a call asks about: its platform, or the connected account it acts for. */
function holderOf(call: Call, world: World): string {
  if (call.onAccount === null) return call.platform;
  if (world.account(call.onAccount, call.platform) === null) throw noAccess(call.onAccount);
  return call.onAccount;
}

const USUAL = ["eur", "gbp", "usd"];

export const getBalance: Handler = (call, world) => {
  checkParams(call.params, { expand: "expand" });
  return () => {
    const platform = world.platformOf(call);
    const { onAccount } = call;
    holderOf(call, world);
    const known =
      onAccount === null
        ? [...USUAL, ...Object.keys(world.data.available), ...Object.keys(platform.available)]
        : Object.keys(world.data.accounts[onAccount]?.available ?? {});
    const currencies = [...new Set(known)].sort();
    const rows = (amountOf: (currency: string) => number) =>
      currencies.map((currency) => {
        const amount = amountOf(currency);
        return { amount, currency, source_types: { card: amount } };
      });
    return {
      object: "balance",
      available: rows((currency) =>
        onAccount === null ? availableTo(world, platform, currency) : availableOn(world, onAccount, currency),
      ),
      livemode: call.livemode,
      pending: rows(() => 0),
    };
  };
};

const renderTransaction = (made: TransactionRecord) => ({
  id: made.id,
  object: "balance_transaction",
  amount: made.amount,
  available_on: made.created,
  balance_type: "payments",
  created: made.created,
  currency: made.currency,
  description: made.description,
  exchange_rate: null,
  fee: 0,
  fee_details: [],
  net: made.amount,
  reporting_category: made.type === "transfer_refund" ? "transfer_reversal" : made.type,
  source: made.source,
  status: "available",
  type: made.type,
});

export const listTransactions: Handler = (call, world) => {
  const { params } = call;
  checkList(params, { created: RANGE, currency: "text", source: "text", type: "text", payout: "text" });
  const filters = (["currency", "source", "type", "payout"] as const).filter(
    (name) => params[name] !== undefined,
  );
  return () => {
    const holder = holderOf(call, world);
    const wanted = (made: TransactionRecord) =>
      filters.every((name) => (name === "payout" ? false : made[name] === textAt(params, name)));
    const found = Object.values(world.data.transactions).filter(
      (made) => made.holder === holder && wanted(made) && inRange(params, "created", made.created),
    );
    return page(found.map(renderTransaction), params, "balance_transaction", "/v1/balance_transactions");
  };
};

export const getTransaction: Handler = (call, world) => () => {
  const found = world.data.transactions[call.ids[0] ?? ""];
  if (found?.holder !== holderOf(call, world)) throw notFound("balance transaction", call.ids[0] ?? "");
  return renderTransaction(found);
};

const renderPayout = (payout: PayoutRecord) => ({
  id: payout.id,
  object: "payout",
  amount: payout.amount,
  application_fee: null,
  application_fee_amount: null,
  arrival_date: payout.created + 2 * 24 * 3600,
  automatic: true,
  balance_transaction: payout.balance_transaction,
  created: payout.created,
  currency: payout.currency,
  description: "STRIPE PAYOUT",
  destination: null,
  failure_balance_transaction: null,
  failure_code: null,
  failure_message: null,
  livemode: payout.livemode,
  metadata: {},
  method: "standard",
  original_payout: null,
  payout_method: null,
  reconciliation_status: "completed",
  reversed_by: null,
  source_type: "card",
  statement_descriptor: null,
  status: payout.status,
  trace_id: null,
  type: "bank_account",
});

export const listPayouts: Handler = (call, world) => {
  checkList(call.params, {
    arrival_date: RANGE,
    created: RANGE,
    status: "text",
    destination: "text",
  });
  return () => {
    const holder = holderOf(call, world);
    const status = textAt(call.params, "status");
    const found = Object.values(world.data.payouts).filter(
      (payout) =>
        payout.account === holder &&
        (status === null || payout.status === status) &&
        inRange(call.params, "created", payout.created),
    );
    return page(found.map(renderPayout), call.params, "payout", "/v1/payouts");
  };
};

export const getPayout: Handler = (call, world) => () => {
  const found = world.data.payouts[call.ids[0] ?? ""];
  if (found?.account !== holderOf(call, world)) throw notFound("payout", call.ids[0] ?? "");
  return renderPayout(found);
};

/** A connected account's balance goes to its bank, as on its daily schedule; null takes all of it. */
export function payOut(world: World, accountId: string, currency: string, amount: number | null) {
  const account = world.data.accounts[accountId];
  if (account === undefined) throw notFound("account", accountId);
  const held = availableOn(world, accountId, currency);
  const sum = amount ?? held;
  if (sum < 1) throw invalid("There is nothing to pay out.");
  if (sum > held) throw balanceInsufficient();
  const id = world.newId("po");
  moveOnAccount(world, accountId, currency, -sum);
  const balance_transaction = addTransaction(world, {
    holder: accountId,
    amount: -sum,
    currency,
    description: "STRIPE PAYOUT",
    source: id,
    type: "payout",
  });
  const livemode = account.platform?.startsWith("live:") ?? false;
  const made = { id, account: accountId, livemode, amount: sum, currency, created: world.seconds() };
  const payout: PayoutRecord = { ...made, status: "paid", balance_transaction };
  world.data.payouts[id] = payout;
  const object = renderPayout(payout);
  record(world, { type: "payout.paid", object, platform: account.platform, livemode, account: accountId });
  return object;
}
