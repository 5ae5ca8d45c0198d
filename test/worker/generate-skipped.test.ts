// Whom generate skips, for which reason, and what would change it.
import { describe, expect, it } from "vitest";
import { expectSound } from "./books.ts";
import { generate, type Page, payoutOfDue, type Skip } from "./generated.ts";
import { seams } from "./seams.ts";
import { NOON, openWorld, type World } from "./world.ts";

const DAY_MS = 86_400_000;

const skipOf = async (world: World, more: object = {}): Promise<Skip> => {
  const { body } = await generate(world, { ...more });
  const [skip] = body.skipped;
  if (skip === undefined || body.payouts.length + body.skipped.length !== 1)
    throw new Error(`expected one skip: ${JSON.stringify(body)}`);
  const listed = await world.ok<Page<Skip>>("GET", `/v1/payout-runs/${body.run_id}/skipped`);
  expect(listed).toEqual({ data: [skip], has_more: false, next_cursor: null });
  expect(body.skipped_count).toEqual({ [skip.reason]: 1 });
  expect(skip.blockers[0]?.reason).toBe(skip.reason);
  await expectSound(world);
  return skip;
};

const reasonsOf = (skip: Skip): string[] => skip.blockers.map(({ reason }) => reason);

const suspend = (world: World, id: string) =>
  world.ok("PATCH", `/v1/affiliates/${id}`, { status: "suspended" });

/** Paid a thousand, of which so much came back. */
const owing = async (world: World, id: string, refunded: number): Promise<void> => {
  const sale = await world.sale(id, 1_000);
  await world.ok("POST", `/v1/payouts/${(await payoutOfDue(world)).id}/mark-paid`, {});
  await world.ok("POST", `/v1/commissions/${sale.id}/reverse`, { amount: refunded, reason: "sent back" });
};

describe("a skip", () => {
  it("affiliate_suspended: the affiliate is", async () => {
    const world = await openWorld();
    const id = await world.affiliate();
    await world.sale(id, 1_000);
    await suspend(world, id);
    expect(await skipOf(world)).toMatchObject({
      affiliate_id: id,
      currency: "USD",
      reason: "affiliate_suspended",
    });
  });

  it("held: what there is, is on hold", async () => {
    const world = await openWorld();
    const sale = await world.sale(await world.affiliate(), 1_000);
    await world.ok("POST", `/v1/commissions/${sale.id}/hold`, { reason: "looks odd" });
    const skip = await skipOf(world);
    expect(skip).toMatchObject({ reason: "held" });
    expect(skip.next_eligible_at).toBeUndefined();
  });

  it("commissions_pending_approval: nobody approved it yet", async () => {
    const world = await openWorld();
    await world.sale(await world.affiliate(), 1_000, { status: "pending" });
    expect((await skipOf(world)).reason).toBe("commissions_pending_approval");
  });

  it("in_hold_period: says from when the first of it is payable", async () => {
    const world = await openWorld({ hold_days: 30 });
    const id = await world.affiliate();
    await world.sale(id, 1_000, { occurred_at: new Date(NOON - 2 * DAY_MS).toISOString() });
    await world.sale(id, 1_000, { occurred_at: new Date(NOON - DAY_MS).toISOString() });
    const until = new Date(NOON + 28 * DAY_MS).toISOString();
    expect(await skipOf(world)).toMatchObject({
      reason: "in_hold_period",
      next_eligible_at: until,
      blockers: [{ until }],
    });
    world.setNow(NOON + 28 * DAY_MS);
    expect(await payoutOfDue(world)).toMatchObject({ amount: 1_000 });
  });

  it("outside_period: it occurred on another day", async () => {
    const world = await openWorld();
    await world.sale(await world.affiliate(), 1_000, { occurred_at: "2026-09-01T00:00:00Z" });
    const period = { period_start: "2026-10-01", period_end: "2026-10-31" };
    expect((await skipOf(world, period)).reason).toBe("outside_period");
  });

  it("recovery_exceeds_earnings: says how much is missing until something is left", async () => {
    const world = await openWorld();
    const id = await world.affiliate();
    await owing(world, id, 800);
    await world.sale(id, 800);
    const skip = await skipOf(world);
    expect(skip).toMatchObject({ reason: "recovery_exceeds_earnings", blockers: [{ missing_amount: 1 }] });
    await world.sale(id, 1);
    expect(await payoutOfDue(world)).toMatchObject({ gross_amount: 801, reversal_amount: 800, amount: 1 });
  });

  it("below_minimum: compares what would be sent, and says what is missing", async () => {
    const world = await openWorld();
    const id = await world.affiliate();
    await owing(world, id, 300);
    await world.ok("PATCH", "/v1/program", { minimum_payout: { USD: 1_000 } });
    await world.sale(id, 1_100);
    expect(await skipOf(world)).toMatchObject({
      reason: "below_minimum",
      blockers: [{ missing_amount: 200 }],
    });
    await world.ok("PATCH", `/v1/affiliates/${id}`, { minimum_payout: { USD: 800 } });
    expect(await payoutOfDue(world)).toMatchObject({ amount: 800 });
  });

  it("currency_not_supported_by_method: the chosen method does not carry it", async () => {
    const world = await openWorld();
    const id = await world.affiliate();
    await world.ok("PUT", `/v1/affiliates/${id}/payout-method`, {
      payout_method: "paypal",
      paypal_email: "a@b.co",
    });
    await world.sale(id, 1_000, { currency: "VND" });
    expect(await skipOf(world)).toMatchObject({
      reason: "currency_not_supported_by_method",
      currency: "VND",
    });
  });

  it("no_payout_method: none was chosen and the program does not pay by hand", async () => {
    const world = await openWorld({ payout_methods: ["stripe"] });
    await world.sale(await world.affiliate(), 1_000);
    expect((await skipOf(world)).reason).toBe("no_payout_method");
    await world.ok("PATCH", "/v1/program", { payout_methods: ["stripe", "manual"] });
    expect(await payoutOfDue(world)).toMatchObject({ payout_method: "manual" });
  });

  it("tax_form_required: the program wants one and there is none", async () => {
    const world = await openWorld({ require_tax_form: true });
    await world.sale(await world.affiliate(), 1_000);
    expect((await skipOf(world)).reason).toBe("tax_form_required");
  });
});

describe("several reasons", () => {
  it("are all listed, the first by precedence being the reason", async () => {
    const world = await openWorld({
      payout_methods: ["stripe"],
      require_tax_form: true,
      minimum_payout: { USD: 5_000 },
    });
    const id = await world.affiliate();
    await world.sale(id, 1_000);
    await world.ok("PATCH", `/v1/affiliates/${id}`, { status: "suspended" });
    const skip = await skipOf(world);
    expect(reasonsOf(skip)).toEqual([
      "affiliate_suspended",
      "below_minimum",
      "no_payout_method",
      "tax_form_required",
    ]);
  });

  it("of commissions that wait are listed where nothing is due", async () => {
    const world = await openWorld();
    const id = await world.affiliate({ hold_days: 30 });
    await world.sale(id, 1, { status: "pending" });
    const held = await world.sale(id, 2);
    await world.ok("POST", `/v1/commissions/${held.id}/hold`, { reason: "looks odd" });
    await world.sale(id, 3);
    await suspend(world, id);
    expect(reasonsOf(await skipOf(world))).toEqual([
      "affiliate_suspended",
      "held",
      "commissions_pending_approval",
      "in_hold_period",
    ]);
  });

  it("do not stop what is due beside them", async () => {
    const world = await openWorld();
    const id = await world.affiliate();
    await world.sale(id, 1, { status: "pending" });
    await world.sale(id, 20);
    const { body } = await generate(world);
    expect(body).toMatchObject({ payouts: [{ amount: 20 }], skipped: [] });
  });
});

describe("the date from which a skip ends by itself", () => {
  it("is told where time alone ends it, and not where somebody must do something as well", async () => {
    const world = await openWorld({ hold_days: 30 });
    const id = await world.affiliate();
    await world.sale(id, 1_000, { occurred_at: new Date(NOON - DAY_MS).toISOString() });
    const until = new Date(NOON + 29 * DAY_MS).toISOString();
    expect((await skipOf(world)).next_eligible_at).toBe(until);
    await suspend(world, id);
    const skip = await skipOf(world);
    expect(skip.next_eligible_at).toBeUndefined();
    expect(skip.blockers).toMatchObject([{ reason: "affiliate_suspended" }, { until }]);
  });
});

describe("whose book moved while the run was decided", () => {
  /** Does something once, right before the batch that claims. */
  const beforeClaim = (work: () => Promise<unknown>): void => {
    const { ports } = seams;
    let done = false;
    seams.ports = (made) => {
      const own = ports(made);
      let claims = false;
      const prepare = (sql: string) => {
        claims ||= sql.startsWith("INSERT INTO turns");
        return own.db.prepare(sql);
      };
      const batch = async (statements: D1PreparedStatement[]) => {
        if (claims && !done) {
          done = true;
          await work();
        }
        return own.db.batch(statements);
      };
      return { ...own, db: { prepare, batch } as unknown as D1Database };
    };
  };

  it("is skipped with as much as anybody: what is missing", async () => {
    const world = await openWorld({ minimum_payout: { USD: 1_000 } });
    const sale = await world.sale(await world.affiliate(), 1_100);
    await world.sale(await world.affiliate(), 2_000);
    const refund = { amount: 300, reason: "meanwhile" };
    beforeClaim(() => world.ok("POST", `/v1/commissions/${sale.id}/reverse`, refund));
    const { body } = await generate(world);
    expect(body.payouts).toMatchObject([{ amount: 2_000 }]);
    expect(body.skipped).toMatchObject([
      { reason: "below_minimum", blockers: [{ reason: "below_minimum", missing_amount: 200 }] },
    ]);
    await expectSound(world);
  });

  it("is skipped with until when, and where another payout has it, with that", async () => {
    const world = await openWorld();
    const [ada, bea] = [await world.affiliate(), await world.affiliate()];
    const sales = [await world.sale(ada, 500), await world.sale(bea, 700)];
    beforeClaim(async () => {
      await world.ok("POST", `/v1/commissions/${sales[0]?.id}/hold`, { reason: "odd" });
      const body = { affiliate_id: bea, currency: "USD", commission_ids: [sales[1]?.id] };
      await world.ok("POST", "/v1/payouts", body);
    });
    const { body } = await generate(world);
    const skips = new Map(body.skipped.map((skip) => [skip.affiliate_id, skip]));
    expect(skips.get(ada)).toMatchObject({ reason: "held" });
    expect(skips.get(bea)).toMatchObject({
      reason: "not_selected",
      blockers: [{ detail: expect.stringContaining("another payout") }],
    });
    await expectSound(world);
  });
});

describe("a destination that cannot be paid yet", () => {
  it("that is not ready does not stop the payout, stands in its blockers and stops the payment", async () => {
    const world = await openWorld();
    await world.ok("PUT", "/v1/program/credentials/stripe", { secret_key: `sk_test_${world.program.id}` });
    const account = String(world.stripe.seedAccount({ capabilities: { transfers: "inactive" } }).id);
    const id = await world.affiliate();
    await world.ok("PUT", `/v1/affiliates/${id}/payout-method`, {
      payout_method: "stripe",
      stripe_account_id: account,
    });
    await world.sale(id, 1_000);
    const payout = await payoutOfDue(world);
    expect(payout.blockers.map(({ reason }) => reason)).toEqual([
      "payout_method_not_ready",
      "awaiting_payment",
    ]);
    const refused = await world.call("POST", `/v1/payouts/${payout.id}/pay`);
    expect([refused.status, refused.body.code]).toEqual([422, "payout_method_not_ready"]);
    expect(await world.ok("GET", `/v1/payouts/${payout.id}`)).toMatchObject({ status: "pending" });
    await expectSound(world);
  });

  it("that changed a short while ago says until when, and is paid after it", async () => {
    const world = await openWorld({ destination_cooldown_hours: 48 });
    const { id } = await world.stripeAffiliate();
    const account = String(world.stripe.seedAccount({}).id);
    await world.ok("PUT", `/v1/affiliates/${id}/payout-method`, {
      payout_method: "stripe",
      stripe_account_id: account,
    });
    await world.sale(id, 1_000);
    const payout = await payoutOfDue(world);
    const until = new Date(NOON + 2 * DAY_MS).toISOString();
    expect(payout.blockers).toMatchObject([
      { reason: "destination_cooldown", until },
      { reason: "awaiting_payment" },
    ]);
    const refused = await world.call("POST", `/v1/payouts/${payout.id}/pay`);
    expect([refused.status, refused.body]).toMatchObject([422, { code: "destination_cooldown", until }]);
    world.setNow(NOON + 2 * DAY_MS);
    await world.ok("POST", `/v1/payouts/${payout.id}/pay`, {}, { prefer: "wait=10" });
    expect(world.stripe.transfers(payout.id)).toMatchObject([{ destination: account }]);
    await expectSound(world);
  });
});
