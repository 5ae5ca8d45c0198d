// Twenty callers at the same moment: each thing happens once, nothing is lost, and the books agree with themselves.
import { describe, expect, it } from "vitest";
import { atOnce, expectSound, rowsOf } from "./books.ts";
import { type Answer, type Loose, NOON, openWorld, unique, type World } from "./world.ts";

interface Generated {
  readonly payouts: readonly (Loose & { readonly commission_ids: readonly string[] })[];
}

const statusesOf = (answers: readonly Answer<unknown>[]): number[] =>
  [...new Set(answers.map(({ status }) => status))].sort();

/** So many approved commissions for so many affiliates; amounts are 100, 101, … */
const earn = async (world: World, affiliates: number, each: number): Promise<string[]> => {
  const ids = await atOnce(affiliates, () => world.affiliate());
  await Promise.all(ids.flatMap((id) => Array.from({ length: each }, (_, n) => world.sale(id, 100 + n))));
  return ids;
};

const GENERATE = { period_end: new Date(NOON).toISOString().slice(0, 10) };
const generate = (world: World) => world.call<Generated>("POST", "/v1/payouts/generate", GENERATE);

describe("twenty generate calls over the same commissions", () => {
  it("make each payout once, with every commission in exactly one", async () => {
    const world = await openWorld();
    const ids = await earn(world, 5, 10);
    const answers = await atOnce(20, () => generate(world));
    expect([200, 201]).toEqual(expect.arrayContaining(statusesOf(answers)));
    const made = answers.flatMap(({ body }) => body.payouts);
    expect(made).toHaveLength(5);
    expect(new Set(made.map((payout) => payout["affiliate_id"]))).toEqual(new Set(ids));
    for (const payout of made) expect(payout["gross_amount"]).toBe(1_045);
    expect(new Set(made.flatMap((payout) => payout.commission_ids)).size).toBe(50);
    const { data } = await world.ok<{ data: Loose[] }>("GET", "/v1/payouts?limit=200");
    expect(data.map(({ id }) => id).sort()).toEqual(made.map(({ id }) => id).sort());
    await expectSound(world);
  });

  it("make each payout once while single payouts and refunds go on beside them", async () => {
    const world = await openWorld();
    const [id = ""] = await earn(world, 1, 0);
    const sales = await atOnce(10, () => world.sale(id, 1_000));
    const [first, second] = sales;
    const chosen = { affiliate_id: id, currency: "USD", commission_ids: [first?.id, second?.id] };
    const answers = await Promise.all([
      ...Array.from({ length: 10 }, () => generate(world)),
      ...Array.from({ length: 5 }, () => world.call("POST", "/v1/payouts", chosen)),
      ...sales
        .slice(5)
        .map(({ id: of }) =>
          world.call("POST", `/v1/commissions/${of}/reverse`, { amount: 100, reason: "part" }),
        ),
    ]);
    expect([200, 201, 409]).toEqual(expect.arrayContaining(statusesOf(answers)));
    const live = await rowsOf<{ n: number; gross: number; amount: number }>(
      "SELECT sum(commission_count) AS n, sum(gross - refunded) AS gross, sum(amount) AS amount FROM payouts WHERE program_id = ?1 AND status = 'pending'",
      world.program.id,
    );
    expect(live).toEqual([{ n: 10, gross: 9_500, amount: 9_500 }]);
    await expectSound(world);
  });

  it("under one idempotency key are one run", async () => {
    const world = await openWorld();
    await earn(world, 3, 2);
    const headers = { "idempotency-key": unique("generate") };
    const answers = await atOnce(20, () =>
      world.call<Generated & { run_id: string }>("POST", "/v1/payouts/generate", GENERATE, headers),
    );
    expect(new Set(answers.map(({ body }) => body.run_id)).size).toBe(1);
    expect(answers.filter((answer) => answer.headers.get("idempotent-replayed") !== "true")).toHaveLength(1);
    const { data } = await world.ok<{ data: Loose[] }>("GET", "/v1/payouts");
    expect(data).toHaveLength(3);
    await expectSound(world);
  });
});

describe("twenty commands on one book", () => {
  const seqsOf = async (affiliateId: string): Promise<number[]> =>
    (
      await rowsOf<{ seq: number }>("SELECT seq FROM turns WHERE affiliate_id = ?1 ORDER BY seq", affiliateId)
    ).map(({ seq }) => seq);

  it("all commit, one turn after another without a gap", async () => {
    const world = await openWorld();
    const id = await world.affiliate();
    const waiting = await atOnce(7, () => world.sale(id, 500, { status: "pending" }));
    const approved = await atOnce(6, () => world.sale(id, 500));
    const before = (await seqsOf(id)).length;
    await Promise.all([
      ...Array.from({ length: 7 }, () => world.sale(id, 300)),
      ...waiting.map((sale) => world.ok("POST", `/v1/commissions/${sale.id}/approve`)),
      ...approved.map((sale) =>
        world.ok("POST", `/v1/commissions/${sale.id}/reverse`, { amount: 50, reason: "part" }),
      ),
    ]);
    const seqs = await seqsOf(id);
    expect(seqs).toEqual(Array.from({ length: before + 20 }, (_, i) => i + 1));
    const { balances } = await world.ok<{ balances: Loose[] }>("GET", `/v1/affiliates/${id}/balance`);
    expect(balances).toMatchObject([{ pending: 0, payable: 7 * 300 + 7 * 500 + 6 * 450 }]);
    await expectSound(world);
  });

  it("with the same external id record one commission, and all answers are of it", async () => {
    const world = await openWorld();
    const id = await world.affiliate();
    const body = {
      affiliate_id: id,
      external_id: "order-1",
      amount: 900,
      currency: "USD",
      occurred_at: "2026-10-31T00:00:00Z",
    };
    const answers = await atOnce(20, (n) =>
      world.call("POST", "/v1/commissions", body, n % 2 === 0 ? {} : { "idempotency-key": `key-${n}` }),
    );
    expect(statusesOf(answers)).toEqual([200, 201]);
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(new Set(answers.map((answer) => answer.body.id)).size).toBe(1);
    expect(await rowsOf("SELECT id FROM commissions WHERE affiliate_id = ?1", id)).toHaveLength(1);
    await expectSound(world);
  });

  it("refund no more than there was, however many ask", async () => {
    const world = await openWorld();
    const id = await world.affiliate();
    const sale = await world.sale(id, 1_000);
    const answers = await atOnce(20, () =>
      world.call("POST", `/v1/commissions/${sale.id}/reverse`, { amount: 150, reason: "part" }),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(6);
    expect(answers.filter(({ body }) => body.code === "refund_exceeds_commission")).toHaveLength(14);
    expect(await world.ok("GET", `/v1/commissions/${sale.id}`)).toMatchObject({ reversed_amount: 900 });
    await expectSound(world);
  });
});

describe("payments asked for at the same moment", () => {
  it("are one transfer for each payout, three callers for each", async () => {
    const world = await openWorld();
    const ids = await atOnce(4, async () => (await world.stripeAffiliate()).id);
    await Promise.all(ids.map((id) => world.sale(id, 2_500)));
    const { payouts } = await world.generate();
    const answers = await Promise.all(
      payouts.flatMap(({ id }) =>
        [{}, { prefer: "wait=20" }, { prefer: "wait=20" }].map((headers) =>
          world.call("POST", `/v1/payouts/${id}/pay`, {}, headers),
        ),
      ),
    );
    expect([200, 202, 409]).toEqual(expect.arrayContaining(statusesOf(answers)));
    await world.drain();
    for (const { id } of payouts) {
      expect(world.stripe.transfers(id)).toHaveLength(1);
      expect(await world.ok("GET", `/v1/payouts/${id}`)).toMatchObject({ status: "paid" });
    }
    expect(world.stripe.transfers()).toHaveLength(payouts.length);
    await expectSound(world);
  });

  it("are never both a payment and a cancel", async () => {
    const world = await openWorld();
    const ids = await atOnce(4, async () => (await world.stripeAffiliate()).id);
    await Promise.all(ids.map((id) => world.sale(id, 2_500)));
    const { payouts } = await world.generate();
    await Promise.all(
      payouts.flatMap(({ id }) => [
        world.call("POST", `/v1/payouts/${id}/pay`, {}, { prefer: "wait=20" }),
        world.call("POST", `/v1/payouts/${id}/cancel`, {}),
      ]),
    );
    await world.drain();
    for (const { id } of payouts) {
      const { status } = await world.ok("GET", `/v1/payouts/${id}`);
      expect(["paid", "cancelled"]).toContain(status);
      expect(world.stripe.transfers(id)).toHaveLength(String(status) === "paid" ? 1 : 0);
    }
    await expectSound(world);
  });
});

describe("twenty changes of a program at the same moment", () => {
  it("lose nothing: whoever was answered 200 finds the change, whoever was answered 503 sends it again", async () => {
    const world = await openWorld();
    const patches = [
      { hold_days: 7 },
      { require_approval: true },
      { four_eyes: true },
      { commission_rate_bps: 1_250 },
      { name: "Renamed" },
      { destination_cooldown_hours: 5 },
      { minimum_payout: { USD: 700 } },
      { time_zone: "Europe/Paris" },
      { auto_approve_commissions: true },
      { legal: { name: "Acme" } },
    ];
    const insist = async (patch: object): Promise<void> => {
      for (let tried = 0; tried < 30; tried++) {
        const { status, headers } = await world.call("PATCH", "/v1/program", patch);
        if (status === 200) return;
        expect([status, headers.get("retry-after")]).toEqual([503, expect.any(String)]);
      }
      throw new Error("the program keeps changing");
    };
    await Promise.all([...patches, ...patches].map(insist));
    expect(await world.ok("GET", "/v1/program")).toMatchObject(
      Object.assign({ policy_version: 1 + patches.length }, ...patches),
    );
    await expectSound(world);
  });
});
