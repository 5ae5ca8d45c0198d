// The world that a history begins with: a program at Stripe, three affiliates and their first orders, written as turns in one batch.
import type { AffiliateId } from "../../src/domain/ids.ts";
import type { Book } from "../../src/domain/ledger/book.ts";
import type { Command } from "../../src/domain/ledger/command.ts";
import { decide, fold } from "../../src/domain/ledger/decide.ts";
import type { Policy } from "../../src/domain/policy.ts";
import { newBody } from "../../src/operations/apply-turn.ts";
import { setStripeCredentials } from "../../src/operations/set-stripe-credentials.ts";
import { commitTurns, type DecidedTurn } from "../../src/store/book.ts";
import { newOrder } from "./commission-operations.ts";
import type { Draw } from "./draw.ts";
import { generate } from "./payout-operations.ts";
import { bindings, type World } from "./world.ts";

const policyFor = (draw: Draw): Partial<Policy> => ({
  hold_days: draw.of(0, 0, 1),
  minimum_payout: draw.chance(25) ? { USD: 300 } : {},
  require_approval: draw.chance(20),
  auto_approve_commissions: draw.chance(50),
  destination_cooldown_hours: 0,
});

const PERSON = {
  name: "Ada",
  email: "ada@example.com",
  externalId: null,
  country: null,
  metadata: null,
  overrides: {},
};

const methodCommand = (method: "stripe" | "manual" | "store_credit", account: string): Command => {
  const sha = `sha of ${method} ${account}`;
  const to = method === "stripe" ? { account, display: account } : { account: null, display: null };
  const destination = { method, sha, ...to, sealed: null, currency: null };
  return { kind: "set_payout_method", destination, ready: true, missing: [], readyAsOf: null };
};

const orderCommand = (world: World, draw: Draw, affiliateId: AffiliateId): Command => {
  const order = { ...newOrder(world, draw, affiliateId), status: "approved" } as const;
  world.orders[world.orders.length - 1] = order;
  world.promisedSales.set(order.externalId, order);
  const { externalId, amount, currency, occurredAt, status } = order;
  const requestSha = JSON.stringify(order);
  return {
    kind: "record",
    externalId,
    amount,
    currency,
    occurredAt,
    status,
    orderAmount: null,
    metadata: null,
    requestSha,
  };
};

/** One affiliate's first turns, each decided on the book after the one before. */
const turnsOf = async (
  world: World,
  commands: readonly Command[],
  affiliateId: AffiliateId,
): Promise<DecidedTurn[]> => {
  const ctx = await world.ctx();
  const { program, actor } = ctx;
  let book: Book = {
    programId: world.programId,
    livemode: false,
    policyVersion: program.policyVersion,
    policy: program.policy,
    affiliateId,
    affiliate: undefined,
    seq: 0,
    eventSeq: 0,
    balances: {},
  };
  return commands.map((command) => {
    const verdict = decide(book, command, { now: world.now, actor, mint: newBody(ctx) });
    if (verdict.kind !== "change") throw new Error(`a world begins with a refused ${command.kind}`);
    const { change, result } = verdict;
    const commandId =
      "externalId" in command ? `s:record:${command.externalId}` : `s:first:${affiliateId}:${command.kind}`;
    const requestSha = "requestSha" in command ? command.requestSha : "";
    const turn = { book, change, result, commandId, requestSha, actor, at: world.now };
    book = fold(book, change);
    return turn;
  });
};

/** Two affiliates at Stripe, and one who is paid by hand or in store credit. */
export const begin = async (world: World, draw: Draw): Promise<void> => {
  world.crowded = true;
  await world.open(policyFor(draw));
  world.before = await world.snapshot();
  const secrets = { secretKey: "sk_test_first_k", webhookSecret: null, connectWebhookSecret: null };
  const ctx = await world.ctx();
  await setStripeCredentials(ctx, secrets);
  const turns: DecidedTurn[] = [];
  for (const method of ["stripe", "stripe", draw.of("manual", "store_credit")] as const) {
    const affiliateId: AffiliateId = `aff_${newBody(ctx)}`;
    const account = String(world.stripe.seedAccount({}).id);
    world.affiliates.push(affiliateId);
    world.accounts.push(account);
    const orders = [1, 2].map(() => orderCommand(world, draw, affiliateId));
    const commands = [
      { kind: "create_affiliate", affiliate: PERSON } as const,
      methodCommand(method, account),
      ...orders,
    ];
    turns.push(...(await turnsOf(world, commands, affiliateId)));
  }
  const committed = await commitTurns(bindings.DB, turns, async () => undefined);
  if (committed.kind !== "committed") throw new Error(`a world did not begin: ${committed.kind}`);
  if (draw.chance(80)) await generate(world, draw);
  world.before = await world.snapshot();
};
