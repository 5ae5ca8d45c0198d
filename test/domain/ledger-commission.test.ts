// Commissions before they are claimed: recorded, approved, held, rejected, refunded and given by hand.
import { describe, expect, test } from "vitest";
import type { CommissionId } from "../../src/domain/ids.ts";
import { Scene } from "./memory-scene.ts";
import { DAY_MS } from "./memory-world.ts";

const reviewed = (kind: "approve" | "reject" | "hold" | "release", id: CommissionId) =>
  ({ kind, commission: { id }, reason: null }) as const;

const recordedAs = (status: "pending" | "approved", amount = 1000) => {
  const scene = new Scene();
  return { scene, id: scene.record(amount, { status }) };
};

describe("record", () => {
  test("a commission that waits for approval moves program to pending", () => {
    const { scene, id } = recordedAs("pending");
    expect(scene.moves).toEqual(["program→pending 1000"]);
    expect(scene.balance()).toEqual({ program: -1000, pending: 1000 });
    expect(scene.commission(id)).toMatchObject({
      status: "pending",
      amount: 1000,
      reduced: 0,
      clawedBack: 0,
      kind: "sale",
    });
    expect(scene.announced).toEqual(["commission.created"]);
  });

  test("one that is auto-approved moves program to available and announces its creation alone", () => {
    const { scene } = recordedAs("approved");
    expect(scene.moves).toEqual(["program→available 1000"]);
    expect(scene.balance()).toEqual({ program: -1000, available: 1000 });
    expect(scene.announced).toEqual(["commission.created"]);
  });

  test("without a status the program's policy says whether it is approved", () => {
    const strict = new Scene({ policy: { auto_approve_commissions: false } });
    expect(strict.commission(strict.record(1)).status).toBe("pending");
    const lenient = new Scene({ policy: { auto_approve_commissions: true } });
    expect(lenient.commission(lenient.record(1)).status).toBe("approved");
  });

  test("it is payable hold_days after the order, fixed when recorded", () => {
    const scene = new Scene({ policy: { hold_days: 30 } });
    const id = scene.record(1000, { occurredAt: scene.now - DAY_MS });
    scene.memory.policy = { ...scene.memory.policy, hold_days: 0 };
    expect(scene.commission(id).payableAt).toBe(scene.now + 29 * DAY_MS);
  });

  test("the same external id with the same body changes nothing, with another body it is refused", () => {
    const scene = new Scene();
    scene.record(1000, { externalId: "order-1" });
    expect(scene.turn(scene.recording(1000, { externalId: "order-1" })).kind).toBe("unchanged");
    expect(scene.refusal(scene.recording(900, { externalId: "order-1", requestSha: "other" }))).toBe(
      "duplicate_external_id",
    );
    expect(scene.balance()).toEqual({ program: -1000, available: 1000 });
  });

  test("a suspended affiliate earns nothing and an unknown one neither", () => {
    const scene = new Scene();
    scene.apply({ kind: "update_affiliate", patch: { status: "suspended" } });
    expect(scene.refusal(scene.recording(1000))).toBe("affiliate_suspended");
    scene.memory.affiliate = undefined;
    expect(scene.refusal(scene.recording(1000))).toBe("affiliate_not_found");
  });

  test("a currency that the program does not take is refused", () => {
    const scene = new Scene({ policy: { currencies: ["EUR"] } });
    expect(scene.refusal(scene.recording(1000))).toBe("currency_not_allowed");
  });

  test.each([
    [0, "USD"],
    [-1, "USD"],
    [1.5, "USD"],
    [100_000_000_000, "USD"],
    [150, "HUF"],
    [15, "KWD"],
  ])("an amount of %s %s cannot be sent and is refused", (amount, currency) => {
    expect(new Scene().refusal(new Scene().recording(amount, { currency }))).toBe("amount_not_sendable");
  });

  test("an order amount without a rate is refused", () => {
    expect(new Scene().refusal(new Scene().recording(null, { orderAmount: 5000 }))).toBe("rate_missing");
  });

  test("an order amount earns the rate of it, the affiliate's own before the program's", () => {
    const scene = new Scene({ policy: { commission_rate_bps: 1000 } });
    const first = scene.apply(scene.recording(null, { orderAmount: 12345 }));
    expect(first.result).toMatchObject({ commission: { amount: 1235, rateBps: 1000, orderAmount: 12345 } });
    scene.apply({ kind: "update_affiliate", patch: { overrides: { commission_rate_bps: 2000 } } });
    const second = scene.apply(scene.recording(null, { orderAmount: 12345 }));
    expect(second.result).toMatchObject({ commission: { amount: 2469, rateBps: 2000 } });
  });
});

describe("approve, hold, release and reject", () => {
  test("approve moves pending to available", () => {
    const { scene, id } = recordedAs("pending");
    scene.apply(reviewed("approve", id));
    expect(scene.moves).toEqual(["pending→available 1000"]);
    expect(scene.announced).toEqual(["commission.approved"]);
    expect(scene.refusal(reviewed("approve", id))).toBe("invalid_state");
  });

  test("hold of an approved one moves it to pending, and release puts it back where it stood", () => {
    const { scene, id } = recordedAs("approved");
    scene.apply(reviewed("hold", id));
    expect(scene.moves).toEqual(["available→pending 1000"]);
    expect(scene.commission(id)).toMatchObject({ status: "held", heldFrom: "approved" });
    scene.apply(reviewed("release", id));
    expect(scene.moves).toEqual(["pending→available 1000"]);
    expect(scene.commission(id)).toMatchObject({ status: "approved", heldFrom: null });
  });

  test("hold of a pending one writes no entry, and release makes it pending again", () => {
    const { scene, id } = recordedAs("pending");
    scene.apply(reviewed("hold", id));
    expect(scene.moves).toEqual([]);
    expect(scene.announced).toEqual(["commission.held"]);
    scene.apply(reviewed("release", id));
    expect(scene.commission(id).status).toBe("pending");
    expect(scene.balance()).toEqual({ program: -1000, pending: 1000 });
  });

  test.each(["pending", "approved"] as const)(
    "reject of a %s one gives what is left back to the program",
    (status) => {
      const { scene, id } = recordedAs(status);
      scene.refund(id, 300);
      scene.apply(reviewed("reject", id));
      expect(scene.moves).toEqual([`${status === "approved" ? "available" : "pending"}→program 700`]);
      expect(scene.balance()).toEqual({});
      expect(scene.commission(id).status).toBe("rejected");
      expect(scene.refusal(scene.reversing(id, 100))).toBe("invalid_state");
    },
  );

  test("reject of a held one takes it from pending, whichever it was before", () => {
    const { scene, id } = recordedAs("approved");
    scene.apply(reviewed("hold", id));
    scene.apply(reviewed("reject", id));
    expect(scene.moves).toEqual(["pending→program 1000"]);
  });

  test("a claimed commission can be neither held nor rejected, and the refusal names its payout", () => {
    const { scene, id } = recordedAs("approved");
    const payoutId = scene.claim();
    for (const kind of ["hold", "reject"] as const) {
      const verdict = scene.turn(reviewed(kind, id));
      expect(verdict).toMatchObject({
        kind: "refused",
        refusal: { code: "commission_claimed", facts: { payout_id: payoutId } },
      });
    }
  });

  test("a commission that is not there is refused", () => {
    expect(new Scene().refusal(reviewed("approve", "com_00000000000000000000000000"))).toBe(
      "commission_not_found",
    );
  });
});

describe("refund before claim", () => {
  test.each(["pending", "approved"] as const)(
    "a refund of a %s commission goes back to the program",
    (status) => {
      const { scene, id } = recordedAs(status);
      scene.refund(id, 400);
      expect(scene.moves).toEqual([`${status === "approved" ? "available" : "pending"}→program 400`]);
      expect(scene.commission(id)).toMatchObject({ status, reduced: 400, clawedBack: 0 });
    },
  );

  test("a refund of a held one leaves it held, and what is left is released", () => {
    const { scene, id } = recordedAs("approved");
    scene.apply(reviewed("hold", id));
    scene.refund(id, 400);
    expect(scene.moves).toEqual(["pending→program 400"]);
    scene.apply(reviewed("release", id));
    expect(scene.moves).toEqual(["pending→available 600"]);
  });

  test("without an amount all that is left is reversed, and nothing more can be", () => {
    const { scene, id } = recordedAs("approved");
    scene.refund(id, 400);
    scene.refund(id);
    expect(scene.moves).toEqual(["available→program 600"]);
    expect(scene.commission(id)).toMatchObject({ status: "reversed", reduced: 1000 });
    expect(scene.refusal(scene.reversing(id, 1))).toBe("refund_exceeds_commission");
    expect(scene.refusal(scene.reversing(id, null))).toBe("refund_exceeds_commission");
  });

  test("a refund of more than is left is refused and says what may be reversed", () => {
    const { scene, id } = recordedAs("approved");
    scene.refund(id, 400);
    const verdict = scene.turn(scene.reversing(id, 601));
    expect(verdict).toMatchObject({
      refusal: { code: "refund_exceeds_commission", facts: { reversible_amount: 600 } },
    });
  });

  test("the same refund again changes nothing, under the same external id another one is refused", () => {
    const { scene, id } = recordedAs("approved");
    const refund = { ...scene.reversing(id, 400), externalId: "refund-1" };
    scene.apply(refund);
    expect(scene.turn(refund).kind).toBe("unchanged");
    expect(scene.refusal({ ...refund, amount: 500, requestSha: "other" })).toBe("duplicate_external_id");
    expect(scene.commission(id).reduced).toBe(400);
  });
});

describe("credit and bonus", () => {
  test.each(["credit", "bonus"] as const)(
    "a %s moves program to available and is payable at once",
    (grant) => {
      const scene = new Scene({ policy: { hold_days: 30 } });
      scene.apply({
        kind: "credit",
        grant,
        amount: 500,
        currency: "USD",
        note: "sorry",
        externalId: null,
        requestSha: "sha",
      });
      expect(scene.moves).toEqual(["program→available 500"]);
      expect(scene.payout(scene.claim())).toMatchObject({ gross: 500, amount: 500, commissionCount: 1 });
    },
  );
});
