// What Stripe says of a transfer afterwards: how much of it came back, and whether its history knows it at all.
import { describe, expect, it } from "vitest";
import type { Affiliate } from "../../src/domain/affiliate.ts";
import type { AffiliateId, AttemptId, PayoutId } from "../../src/domain/ids.ts";
import { type Attempt, KEY_WINDOW_MS, type Payout } from "../../src/domain/payout.ts";
import type { RailProgram } from "../../src/rails/rail.ts";
import { stripeRail } from "../../src/rails/stripe.ts";
import { StripeSimulator } from "../simulators/stripe.ts";
import { SECRET_KEY, stripeOver } from "../simulators/stripe-client.ts";

const START = Date.UTC(2026, 10, 2, 9);
const DAY_MS = 86_400_000;
const PROGRAM: RailProgram = { id: "prg_01JZ0000000000000000000000", mode: "test" };
const PAYOUT_ID: PayoutId = "po_01JZ0000000000000000000001";

interface Scene {
  readonly clock: { ms: number };
  readonly simulator: StripeSimulator;
  readonly account: string;
  readonly rail: ReturnType<typeof stripeRail>;
  /** The program's present credentials. */
  readonly secret: { key: string; account: string };
  /** Answers in Stripe's place where it answers. */
  readonly edge: { spoil(request: Request): Response | undefined };
  attempt(amount?: number, currency?: string): Promise<Attempt>;
  paid(amount?: number, currency?: string): Promise<Attempt>;
}

const open = async (): Promise<Scene> => {
  const clock = { ms: START };
  const simulator = new StripeSimulator({ now: () => clock.ms });
  const account = String(simulator.seedAccount({}).id);
  const { id } = await stripeOver(simulator).accounts.retrieveCurrent();
  const secret = { key: SECRET_KEY, account: id };
  const edge: Scene["edge"] = { spoil: () => undefined };
  const rail = stripeRail({
    http: async (request) => edge.spoil(request) ?? simulator.fetch(request),
    apiBase: "https://api.stripe.com",
    now: () => clock.ms,
    secretOf: async () => ({ secretKey: secret.key, account: secret.account }),
  });
  const attempt = async (amount = 1_000, currency = "USD"): Promise<Attempt> => {
    const key = `po:${PAYOUT_ID}:1`;
    const attemptId: AttemptId = "att_01JZ0000000000000000000002";
    const frozen = await rail.freeze(
      PROGRAM,
      { id: PAYOUT_ID, amount, currency } as Payout,
      { destination: { method: "stripe", account, sha: "sha" } } as Affiliate,
      { attemptId, key },
    );
    if ("refusal" in frozen) throw new Error(frozen.refusal.detail);
    const affiliateId: AffiliateId = "aff_01JZ0000000000000000000003";
    const standing = { state: "begun", providerRef: null, detail: null, tries: 0, emptySince: null } as const;
    const times = { nextAttemptAt: null, createdAt: clock.ms, updatedAt: clock.ms };
    return { ...frozen, ...standing, ...times, id: attemptId, payoutId: PAYOUT_ID, affiliateId, n: 1, key };
  };
  const paid = async (amount?: number, currency?: string): Promise<Attempt> => {
    const begun = await attempt(amount, currency);
    const outcome = await rail.send(PROGRAM, begun);
    if (outcome.kind !== "settled") throw new Error(JSON.stringify(outcome));
    return { ...begun, state: "settled", providerRef: outcome.ref };
  };
  return { clock, simulator, account, rail, secret, edge, attempt, paid };
};

describe("how much of a transfer came back", () => {
  it("is nothing at first, then the sum of its reversals", async () => {
    const { simulator, rail, paid } = await open();
    const attempt = await paid();
    expect(await rail.returned?.(PROGRAM, attempt)).toBe(0);
    simulator.reverseTransfer(attempt.providerRef ?? "", 300);
    expect(await rail.returned?.(PROGRAM, attempt)).toBe(300);
    simulator.reverseTransfer(attempt.providerRef ?? "");
    expect(await rail.returned?.(PROGRAM, attempt)).toBe(1_000);
  });

  it("is in the currency's own minor units, whole ones only", async () => {
    const { simulator, rail, paid } = await open();
    const attempt = await paid(500, "ISK");
    expect(simulator.transfers()[0]?.amount).toBe(50_000);
    simulator.reverseTransfer(attempt.providerRef ?? "", 12_000);
    expect(await rail.returned?.(PROGRAM, attempt)).toBe(120);
    simulator.reverseTransfer(attempt.providerRef ?? "", 50);
    expect(await rail.returned?.(PROGRAM, attempt)).toBe(120);
  });

  it("is not said where Stripe cannot be asked, or not with this account's key", async () => {
    const { simulator, rail, secret, paid } = await open();
    const attempt = await paid();
    simulator.addFault({ fault: "error_500_not_cached", match: { method: "GET" } });
    expect(await rail.returned?.(PROGRAM, attempt)).toBeUndefined();
    simulator.addFault({ fault: "empty_503", match: { method: "GET" } });
    expect(await rail.returned?.(PROGRAM, attempt)).toBeUndefined();
    secret.account = "acct_of_another_platform";
    expect(await rail.returned?.(PROGRAM, attempt)).toBeUndefined();
  });

  it("is not said of a transfer that is not the attempt's own", async () => {
    const { rail, paid } = await open();
    const attempt = await paid();
    expect(await rail.returned?.(PROGRAM, { ...attempt, providerRef: null })).toBeUndefined();
    for (const providerRef of ["tr_unknown", "BANK-1", "tr_/../accounts", ""])
      expect(await rail.returned?.(PROGRAM, { ...attempt, providerRef }), providerRef).toBeUndefined();
    for (const other of [
      { request: attempt.request.replace("amount=1000", "amount=999") },
      { request: attempt.request.replace("currency=usd", "currency=eur") },
      { request: attempt.request.replace(/destination=[^&]+/, "destination=acct_other") },
      { key: `po:${PAYOUT_ID}:2` },
    ])
      expect(await rail.returned?.(PROGRAM, { ...attempt, ...other }), JSON.stringify(other)).toBeUndefined();
  });
});

const LATER_MS = KEY_WINDOW_MS + 30 * 60_000;

const absent = ({ rail }: Scene, attempt: Attempt): Promise<boolean | undefined> =>
  rail.isAbsent?.(PROGRAM, attempt) ?? Promise.resolve(undefined);

describe("that a transfer was never made", () => {
  it("is said when the whole history of its time knows nothing of its payout", async () => {
    const scene = await open();
    const attempt = await scene.attempt();
    scene.clock.ms += LATER_MS;
    expect(await absent(scene, attempt)).toBe(true);
  });

  it("is not said when it was made, also where the lists do not show it", async () => {
    const scene = await open();
    scene.simulator.addFault({ fault: "list_lag", delay_ms: 90 * DAY_MS });
    const attempt = await scene.paid();
    scene.clock.ms += LATER_MS;
    expect(await scene.rail.find(PROGRAM, attempt)).toBeUndefined();
    expect(await absent(scene, attempt)).toBe(false);
  });

  it("is not said when it was made at the very end of the key's time, by a clock that is a little off", async () => {
    const scene = await open();
    const attempt = await scene.attempt();
    scene.clock.ms += KEY_WINDOW_MS + 10 * 60_000;
    await scene.rail.send(PROGRAM, attempt);
    scene.clock.ms += 60_000;
    expect(await absent(scene, attempt)).toBe(false);
  });

  it("is not said when money of the payout stands there under another attempt, or without our notes", async () => {
    for (const note of [
      { transfer_group: PAYOUT_ID },
      { metadata: { payout_id: PAYOUT_ID } },
      { metadata: { attempt: `po:${PAYOUT_ID}:1` } },
    ]) {
      const scene = await open();
      const attempt = await scene.attempt();
      const money = { amount: 5, currency: "usd", destination: scene.account };
      await stripeOver(scene.simulator).transfers.create({ ...money, ...note });
      scene.clock.ms += LATER_MS;
      expect(await absent(scene, attempt), JSON.stringify(note)).toBe(false);
    }
  });

  it("is said only after every page was read", async () => {
    const scene = await open();
    const stripe = stripeOver(scene.simulator);
    const others = async (count: number) => {
      for (let n = 0; n < count; n++)
        await stripe.transfers.create({ amount: 5, currency: "usd", destination: scene.account });
    };
    const attempt = await scene.paid();
    await others(210);
    scene.clock.ms += LATER_MS;
    expect(await absent(scene, attempt)).toBe(false);
    const other = { ...attempt, key: `${attempt.key}x`, payoutId: `${PAYOUT_ID.slice(0, -1)}9` as PayoutId };
    expect(await absent(scene, other)).toBe(true);
    let asked = 0;
    scene.edge.spoil = () => (++asked === 3 ? new Response("{}", { status: 503 }) : undefined);
    expect(await absent(scene, other)).toBe(false);
    expect(asked).toBe(3);
  });

  it("is not said while the key may still be sent, or once Stripe's history has ended", async () => {
    const scene = await open();
    const attempt = await scene.attempt();
    const at = async (ms: number) => {
      scene.clock.ms = START + ms;
      return absent(scene, attempt);
    };
    expect(await at(KEY_WINDOW_MS - 1)).toBe(false);
    expect(await at(KEY_WINDOW_MS)).toBe(true);
    expect(await at(29 * DAY_MS)).toBe(true);
    expect(await at(30 * DAY_MS)).toBe(false);
    expect(await at(60 * DAY_MS)).toBe(false);
  });

  it.each(["error_500_not_cached", "empty_503", "html_502", "rate_limit_429", "unauthorized_401"] as const)(
    "is not said where Stripe answers %s",
    async (fault) => {
      const scene = await open();
      const attempt = await scene.attempt();
      scene.clock.ms += LATER_MS;
      scene.simulator.addFault({ fault, match: { method: "GET", path: "/v1/events" } });
      expect(await absent(scene, attempt)).toBe(false);
      expect(await absent(scene, attempt)).toBe(true);
    },
  );

  it("is not said with the key of another platform account", async () => {
    const scene = await open();
    const attempt = await scene.attempt();
    scene.clock.ms += LATER_MS;
    scene.secret.account = "acct_of_another_platform";
    expect(await absent(scene, attempt)).toBe(false);
  });
});
