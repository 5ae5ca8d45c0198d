// Claims: what becomes a payout, what is netted from it, and why nothing can be claimed.
import { describe, expect, test } from "vitest";
import { NAME_A } from "./memory-book.ts";
import { Scene } from "./memory-scene.ts";
import { DAY_MS } from "./memory-world.ts";

/** An affiliate who owes `owed` and has `due` payable. */
const owing = (owed: number, due: number, minimum = 0) => {
  const scene = new Scene({ policy: { minimum_payout: { USD: minimum } } });
  const { commission } = scene.paid(5000);
  scene.refund(commission, owed);
  const id = scene.record(due);
  return { scene, id };
};

describe("claim", () => {
  test("every approved and payable commission is claimed: available to reserved", () => {
    const scene = new Scene();
    const ids = [scene.record(1000), scene.record(500)];
    const payoutId = scene.claim();
    expect(scene.moves).toEqual(["available→reserved 1500"]);
    expect(scene.balance()).toEqual({ program: -1500, reserved: 1500 });
    expect(scene.payout(payoutId)).toMatchObject({
      ...{
        status: "pending",
        gross: 1500,
        recovered: 0,
        refunded: 0,
        amount: 1500,
        commissionCount: 2,
        claims: 1,
      },
      ...{
        method: "stripe",
        destinationSha: "stripe-1",
        sent: false,
        createdBy: NAME_A,
        periodStart: "2026-01-01",
      },
    });
    expect([...(scene.memory.lines.get(payoutId) ?? [])]).toEqual(
      ids.map((id, i) => [id, i === 0 ? 1000 : 500]),
    );
    for (const id of ids) expect(scene.commission(id)).toMatchObject({ status: "processing", payoutId });
    expect(scene.announced).toEqual(["payout.generated"]);
  });

  test("gross is what is left of each commission, not what it was", () => {
    const scene = new Scene();
    scene.refund(scene.record(1000), 300);
    expect(scene.payout(scene.claim())).toMatchObject({ gross: 700, refunded: 0, amount: 700 });
  });

  test("what is owed is netted: the rest is reserved and the recovery collected", () => {
    const { scene } = owing(300, 1500);
    const payoutId = scene.claim();
    expect(scene.moves).toEqual(["available→reserved 1200", "available→recovery 300"]);
    expect(scene.payout(payoutId)).toMatchObject({ gross: 1500, recovered: 300, refunded: 0, amount: 1200 });
    expect(scene.balance()).toEqual({ program: -6200, paid: 5000, reserved: 1200 });
    expect(scene.announced.toSorted()).toEqual(["payout.generated", "recovery.changed"]);
  });

  test("what is owed in one currency is never netted from another", () => {
    const scene = new Scene();
    scene.refund(scene.paid(1000, "EUR").commission, 400);
    scene.record(300);
    expect(scene.payout(scene.claim())).toMatchObject({ currency: "USD", recovered: 0, amount: 300 });
    expect(scene.balance("EUR")).toEqual({ program: -600, paid: 1000, recovery: -400 });
  });

  test("commissions of two currencies never share a payout", () => {
    const scene = new Scene();
    scene.record(300);
    scene.record(200, { currency: "EUR" });
    expect(scene.payout(scene.claim())).toMatchObject({ gross: 300, commissionCount: 1 });
    expect(scene.payout(scene.claim("generate", { currency: "EUR" }))).toMatchObject({ gross: 200 });
  });

  test.each([300, 299])("net of zero or less is no payout: 300 owed, %s due", (due) => {
    const { scene } = owing(300, due);
    expect(scene.refusal(scene.claiming("generate"))).toBe("recovery_exceeds_earnings");
    expect(scene.refusal(scene.claiming("person"))).toBe("recovery_exceeds_earnings");
  });

  test("one cent more than is owed is a payout of one cent", () => {
    const { scene } = owing(300, 301);
    expect(scene.payout(scene.claim()).amount).toBe(1);
  });

  test("pending, held and rejected commissions and those on hold are not claimed", () => {
    const scene = new Scene({ policy: { hold_days: 2 } });
    scene.record(1000, { status: "pending" });
    scene.record(2000);
    expect(scene.refusal(scene.claiming("generate"))).toBe("nothing_due");
    scene.now += 2 * DAY_MS - 1;
    expect(scene.refusal(scene.claiming("generate"))).toBe("nothing_due");
    scene.now += 1;
    expect(scene.payout(scene.claim()).gross).toBe(2000);
  });

  test("a period takes what occurred in it, from its first instant to before its end", () => {
    const scene = new Scene();
    for (const [amount, hours] of [
      [1, -1],
      [10, 0],
      [100, 23],
      [1000, 24],
    ] as const) {
      scene.record(amount, { occurredAt: scene.now + hours * 3_600_000 });
    }
    const [from, until] = [scene.now, scene.now + DAY_MS];
    scene.now += 2 * DAY_MS;
    const { result } = scene.apply({
      ...{
        kind: "claim",
        by: "generate",
        periodStart: "2026-01-01",
        periodEnd: "2026-01-01",
        runId: null,
        sessionId: null,
      },
      ...{ adminNote: null, selector: { by: "due", currency: "USD", asOf: scene.now, from, until } },
    });
    expect(result).toMatchObject({
      payout: { gross: 110, commissionCount: 2, periodStart: "2026-01-01", periodEnd: "2026-01-01" },
    });
  });

  test("a request by the affiliate is requested, and claims like generate", () => {
    const scene = new Scene();
    scene.record(1000);
    expect(scene.payout(scene.claim("request"))).toMatchObject({ status: "requested", amount: 1000 });
    expect(scene.moves).toEqual(["available→reserved 1000"]);
    expect(scene.announced).toEqual(["payout.requested"]);
  });

  test("a suspended affiliate's commissions are not claimed", () => {
    const scene = new Scene();
    scene.record(1000);
    scene.apply({ kind: "update_affiliate", patch: { status: "suspended" } });
    expect(scene.refusal(scene.claiming("generate"))).toBe("affiliate_suspended");
  });
});

describe("choosing by id", () => {
  test("exactly the chosen commissions are claimed", () => {
    const scene = new Scene();
    const [first, , third] = [scene.record(100), scene.record(200), scene.record(400)];
    expect(scene.payout(scene.claim("person", { ids: [first, third] }))).toMatchObject({
      gross: 500,
      commissionCount: 2,
    });
  });

  test("a commission that is claimed already is not free, and the refusal names it and its payout", () => {
    const scene = new Scene();
    const id = scene.record(100);
    const payoutId = scene.claim();
    const verdict = scene.turn(scene.claiming("person", { ids: [id, scene.record(200)] }));
    expect(verdict).toMatchObject({
      refusal: { code: "commissions_not_free", facts: { commission_id: id, payout_id: payoutId } },
    });
  });

  test("a commission on hold is not free", () => {
    const scene = new Scene({ policy: { hold_days: 30 } });
    expect(scene.refusal(scene.claiming("person", { ids: [scene.record(100)] }))).toBe(
      "commissions_not_free",
    );
  });

  test("one of another currency, or of nobody, is not found", () => {
    const scene = new Scene();
    const euro = scene.record(100, { currency: "EUR" });
    expect(scene.refusal(scene.claiming("person", { ids: [euro] }))).toBe("commission_not_found");
    expect(scene.refusal(scene.claiming("person", { ids: ["com_00000000000000000000000000"] }))).toBe(
      "commission_not_found",
    );
  });
});

describe("minimum", () => {
  test("net below the minimum is refused and says what is missing; at the minimum it passes", () => {
    const scene = new Scene({ policy: { minimum_payout: { USD: 1000 } } });
    scene.record(999);
    const verdict = scene.turn(scene.claiming("generate"));
    expect(verdict).toMatchObject({ refusal: { code: "below_minimum", facts: { missing_amount: 1 } } });
    scene.record(1);
    expect(scene.payout(scene.claim()).amount).toBe(1000);
  });

  test("the minimum is compared with the net, not with the gross", () => {
    const { scene } = owing(300, 1200, 1000);
    expect(scene.refusal(scene.claiming("generate"))).toBe("below_minimum");
  });

  test("it is per currency, and the affiliate's own goes before the program's", () => {
    const scene = new Scene({ policy: { minimum_payout: { USD: 1000, EUR: 50 } } });
    scene.record(60);
    scene.record(60, { currency: "EUR" });
    expect(scene.refusal(scene.claiming("generate"))).toBe("below_minimum");
    expect(scene.payout(scene.claim("generate", { currency: "EUR" })).amount).toBe(60);
    scene.apply({ kind: "update_affiliate", patch: { overrides: { minimum_payout: { USD: 60 } } } });
    expect(scene.payout(scene.claim()).amount).toBe(60);
  });

  test("a request by the affiliate is held to it", () => {
    const scene = new Scene({ policy: { minimum_payout: { USD: 1000 } } });
    scene.record(999);
    expect(scene.refusal(scene.claiming("request"))).toBe("below_minimum");
  });

  test("a person who chose commissions may go below it", () => {
    const scene = new Scene({ policy: { minimum_payout: { USD: 1000 } } });
    const id = scene.record(10);
    expect(scene.payout(scene.claim("person", { ids: [id] })).amount).toBe(10);
  });

  test("retry and reopen may go below it", () => {
    const scene = new Scene();
    scene.record(500);
    const failed = scene.claim();
    scene.fail(failed);
    scene.memory.policy = { ...scene.memory.policy, minimum_payout: { USD: 1000 } };
    scene.apply({ kind: "retry", payoutId: failed });
    expect(scene.payout(failed)).toMatchObject({ status: "pending", amount: 500 });
    scene.apply({ kind: "cancel", payoutId: failed, reason: "no" });
    scene.apply({ kind: "reopen", payoutId: failed });
    expect(scene.payout(failed)).toMatchObject({ status: "pending", amount: 500, claims: 3 });
  });
});
