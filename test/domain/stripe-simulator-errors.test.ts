// The real stripe package meets the simulated Stripe's refusals and faults as it would meet Stripe's own.

import Stripe from "stripe";
import { describe, expect, it } from "vitest";
import { type FaultName, StripeSimulator } from "../simulators/stripe.ts";
import { SECRET_KEY, stripeOver } from "../simulators/stripe-client.ts";

const PAYEE = "acct_payee000000001";
const { errors } = Stripe;

function fresh() {
  const simulator = new StripeSimulator({ slowMs: 40 });
  simulator.seedAccount({ id: PAYEE });
  return { simulator, stripe: stripeOver(simulator) };
}

const BODY = {
  amount: 1250,
  currency: "usd",
  destination: PAYEE,
  transfer_group: "po_1",
  metadata: { payout_id: "po_1" },
};

const pay = (stripe: Stripe, extra: Partial<Stripe.TransferCreateParams> = {}, key = "po:po_1:1") =>
  stripe.transfers.create({ ...BODY, ...extra }, { idempotencyKey: key });

const failure = (work: Promise<unknown>): Promise<InstanceType<typeof errors.StripeError>> =>
  work.then(
    () => Promise.reject(new Error("it resolved")),
    (error) => error,
  );

describe("a transfer that is refused", () => {
  const cases: [string, Partial<Stripe.TransferCreateParams>, string | undefined, string | undefined][] = [
    ["an unknown destination", { destination: "acct_nobody" }, "resource_missing", "destination"],
    [
      "an account without the capability",
      { destination: "acct_new" },
      "insufficient_capabilities_for_transfer",
      undefined,
    ],
    ["a closed account", { destination: "acct_closed" }, "account_closed", "destination"],
    [
      "a currency the account cannot receive",
      { destination: "acct_euros" },
      "transfers_not_allowed",
      undefined,
    ],
    ["more than the balance", { currency: "chf" }, "balance_insufficient", undefined],
    ["no amount to send", { amount: 0 }, "parameter_invalid_integer", "amount"],
    ["a broken amount", { amount: 1.5 }, "parameter_invalid_integer", "amount"],
    ["too large an amount", { amount: 100_000_000 }, "amount_too_large", "amount"],
    [
      "a fraction of a krona where none exists",
      { currency: "isk", amount: 150 },
      "parameter_invalid_integer",
      "amount",
    ],
    ["an unknown currency", { currency: "zzz" }, undefined, "currency"],
    ["a charge it does not have", { source_transaction: "ch_1" }, "resource_missing", "source_transaction"],
    [
      "both a charge and a source type",
      { source_transaction: "ch_1", source_type: "card" },
      "transfer_source_balance_parameters_mismatch",
      undefined,
    ],
    ["a long metadata value", { metadata: { note: "x".repeat(501) } }, undefined, "metadata[note]"],
    [
      "a long metadata key",
      { metadata: { ["k".repeat(41)]: "x" } },
      undefined,
      `metadata[${"k".repeat(41)}]`,
    ],
  ];

  it.each(cases)(
    "for %s is a StripeInvalidRequestError and moves nothing",
    async (_name, extra, code, param) => {
      const { simulator, stripe } = fresh();
      simulator.seedAccount({ id: "acct_new", capabilities: { transfers: "inactive" } });
      simulator.seedAccount({ id: "acct_closed", closed: true });
      simulator.seedAccount({ id: "acct_euros", currencies: ["EUR"] });
      simulator.setBalance({ currency: "CHF", amount: 1249 });
      const error = await failure(pay(stripe, extra));
      expect(error).toBeInstanceOf(errors.StripeInvalidRequestError);
      expect(error).toMatchObject({ statusCode: 400, code, param });
      expect(simulator.transfers()).toEqual([]);
    },
  );

  it("for a missing currency names the parameter", async () => {
    const { stripe } = fresh();
    const body = { amount: 1, destination: PAYEE } as Stripe.TransferCreateParams;
    const error = await failure(stripe.transfers.create(body));
    expect(error).toMatchObject({ code: "parameter_missing", param: "currency", statusCode: 400 });
  });

  it("for a key of another account's making, a revoked key or no key is a StripeAuthenticationError", async () => {
    const { simulator, stripe } = fresh();
    simulator.revokeKey(SECRET_KEY);
    expect(await failure(pay(stripe))).toBeInstanceOf(errors.StripeAuthenticationError);
    simulator.restoreKey(SECRET_KEY);
    expect((await pay(stripe)).id).toMatch(/^tr_/);
    expect(await failure(pay(stripeOver(simulator, "pk_test_shop")))).toMatchObject({ statusCode: 401 });
    const bare = await simulator.fetch(new Request("https://api.stripe.com/v1/balance"));
    expect(bare.status).toBe(401);
  });

  it("for an account it may not see is a StripePermissionError on retrieval", async () => {
    const { simulator, stripe } = fresh();
    simulator.seedAccount({ id: "acct_theirs", key: "sk_test_other_1" });
    const error = await failure(stripe.accounts.retrieve("acct_theirs"));
    expect(error).toBeInstanceOf(errors.StripePermissionError);
    expect(error).toMatchObject({ statusCode: 403, code: "account_invalid" });
    expect((await stripeOver(simulator, "sk_test_other_2").accounts.retrieve("acct_theirs")).id).toBe(
      "acct_theirs",
    );
  });
});

type Row = {
  fault: FaultName;
  seen: object;
  /** Transfers that exist right after the fault. */
  made: number;
  /** What the same key gets next: the transfer, or the stored refusal. */
  next: "transfer" | object;
};

const {
  StripeAPIError,
  StripeAuthenticationError,
  StripeConnectionError,
  StripeInvalidRequestError,
  StripeRateLimitError,
} = errors;
const unreadable = { constructor: StripeAPIError, statusCode: undefined };

const ROWS: Row[] = [
  { fault: "drop_before_work", seen: { constructor: StripeConnectionError }, made: 0, next: "transfer" },
  { fault: "drop_after_work", seen: { constructor: StripeConnectionError }, made: 1, next: "transfer" },
  { fault: "cut_body", seen: { constructor: StripeConnectionError }, made: 1, next: "transfer" },
  {
    fault: "error_500_cached",
    seen: { constructor: StripeAPIError, statusCode: 500 },
    made: 0,
    next: { statusCode: 500 },
  },
  {
    fault: "error_500_after_work",
    seen: { constructor: StripeAPIError, statusCode: 500 },
    made: 1,
    next: { statusCode: 500 },
  },
  {
    fault: "error_500_not_cached",
    seen: { constructor: StripeAPIError, statusCode: 500 },
    made: 0,
    next: "transfer",
  },
  { fault: "html_502", seen: unreadable, made: 0, next: "transfer" },
  { fault: "html_502_after_work", seen: unreadable, made: 1, next: "transfer" },
  { fault: "garbage_200", seen: unreadable, made: 1, next: "transfer" },
  {
    fault: "rate_limit_429",
    seen: { constructor: StripeRateLimitError, statusCode: 429, code: "rate_limit" },
    made: 0,
    next: "transfer",
  },
  {
    fault: "lock_timeout_429",
    seen: { constructor: StripeRateLimitError, statusCode: 429, code: "lock_timeout" },
    made: 0,
    next: "transfer",
  },
  {
    fault: "unauthorized_401",
    seen: { constructor: StripeAuthenticationError, statusCode: 401 },
    made: 0,
    next: "transfer",
  },
  {
    fault: "balance_insufficient",
    seen: { constructor: StripeInvalidRequestError, code: "balance_insufficient" },
    made: 0,
    next: { code: "balance_insufficient" },
  },
  {
    fault: "account_closed",
    seen: { constructor: StripeInvalidRequestError, code: "account_closed" },
    made: 0,
    next: { code: "account_closed" },
  },
];

describe("a fault while a transfer is made", () => {
  it.each(ROWS)("$fault leaves $made transfers, and the same key then gets what was stored", async (row) => {
    const { simulator, stripe } = fresh();
    simulator.addFault({ fault: row.fault });
    const error = await failure(pay(stripe));
    expect(error).toMatchObject(row.seen);
    expect(simulator.transfers()).toHaveLength(row.made);
    expect(simulator.state().faults).toEqual({ pending: [], fired: { [row.fault]: 1 } });
    if (row.next === "transfer") {
      const made = await pay(stripe);
      expect(made).toMatchObject({ object: "transfer", amount: 1250, metadata: { payout_id: "po_1" } });
      expect(simulator.transfers().map((transfer) => transfer.id)).toEqual([made.id]);
      const replayed = made.lastResponse as unknown as Response;
      expect(replayed.headers.get("idempotent-replayed")).toBe(row.made === 1 ? "true" : null);
    } else {
      expect(await failure(pay(stripe))).toMatchObject(row.next);
      expect(simulator.transfers()).toHaveLength(row.made);
    }
  });

  it.each([
    ["empty_503", 0],
    ["empty_503_after_work", 1],
  ] as const)("%s resolves in this SDK as a transfer without an id", async (fault, made) => {
    const { simulator, stripe } = fresh();
    simulator.addFault({ fault });
    expect((await pay(stripe)).id).toBeUndefined();
    expect(simulator.transfers()).toHaveLength(made);
    expect((await pay(stripe)).id).toMatch(/^tr_/);
  });

  it("wrong_amount spoils one answer, not the transfer and not what is stored", async () => {
    const { simulator, stripe } = fresh();
    simulator.addFault({ fault: "wrong_amount" });
    expect((await pay(stripe)).amount).toBe(1251);
    expect((await pay(stripe)).amount).toBe(1250);
    expect(simulator.transfers()).toMatchObject([{ amount: 1250 }]);
  });

  it("slow outlasts the client's patience and does its work all the same", async () => {
    const { simulator } = fresh();
    const impatient = stripeOver(simulator, SECRET_KEY, { timeoutMs: 10 });
    simulator.addFault({ fault: "slow", delay_ms: 60 });
    const error = await failure(pay(impatient));
    expect(error).toBeInstanceOf(errors.StripeConnectionError);
    expect(simulator.transfers()).toEqual([]);
    const second = await failure(pay(stripeOver(simulator)));
    expect(second).toBeInstanceOf(errors.StripeAPIError);
    expect(second).toMatchObject({ statusCode: 409, code: "idempotency_key_in_use" });
    await new Promise((resolve) => setTimeout(resolve, 80));
    expect(simulator.transfers()).toHaveLength(1);
    expect((await pay(stripeOver(simulator))).id).toBe(simulator.transfers()[0]?.id);
  });

  it("slow_after_work has made the transfer before the client gives up", async () => {
    const { simulator } = fresh();
    const impatient = stripeOver(simulator, SECRET_KEY, { timeoutMs: 10 });
    simulator.addFault({ fault: "slow_after_work", delay_ms: 60 });
    expect(await failure(pay(impatient))).toBeInstanceOf(errors.StripeConnectionError);
    expect(simulator.transfers()).toHaveLength(1);
    expect((await pay(impatient)).id).toBe(simulator.transfers()[0]?.id);
  });
});
