// The PayPal rail looks at the simulated PayPal: what it makes of every state, what came back, and whose batch it is.

import { describe, expect, it } from "vitest";
import type { RailOutcome } from "../../src/domain/payout.ts";
import { paypalRail } from "../../src/rails/paypal.ts";
import { afterSilence, DAY_MS, paypalScene } from "../simulators/paypal-scene.ts";
import type { ItemStatus } from "../simulators/paypal-world.ts";

const WAITING = { kind: "accepted", expectedWithinMs: 31 * DAY_MS } as const;

describe("looking for a payment at PayPal", () => {
  it.each<[string, object]>([
    ["success", { kind: "settled" }],
    ["unclaimed", WAITING],
    ["onhold", WAITING],
    ["pending", WAITING],
    ["blocked", { kind: "needs_hand" }],
    ["failed", { kind: "refused", code: "RECEIVER_ACCOUNT_LOCKED" }],
    ["denied", { kind: "refused", code: "RISK_DECLINE" }],
  ])("an item that takes the course %s is %o", async (course, expected) => {
    const scene = paypalScene();
    scene.simulator.setCourse({ course });
    const attempt = await scene.sent();
    const found = await scene.rail.find(scene.program, attempt);
    expect(found).toMatchObject(expected);
    if (found?.kind !== "refused") expect(found).toMatchObject({ ref: attempt.providerRef });
  });

  it("a batch that PayPal has not begun is accepted, with no word about how long", async () => {
    const scene = paypalScene({ processMs: 60_000 });
    const attempt = await scene.sent();
    expect(await scene.rail.find(scene.program, attempt)).toEqual({
      kind: "accepted",
      ref: attempt.providerRef,
      detail: "PENDING: PayPal works on it",
    });
    scene.simulator.addFault({ fault: "no_items" });
    expect(await scene.rail.find(scene.program, attempt)).toMatchObject({ kind: "accepted" });
    scene.clock.ms += 60_000;
    expect(await scene.rail.find(scene.program, attempt)).toMatchObject({ kind: "settled" });
  });

  it("counts PayPal's 30 days from when it processed the item, not anew at every look", async () => {
    const scene = paypalScene();
    scene.simulator.setCourse({ course: "unclaimed" });
    const attempt = await scene.sent();
    await scene.rail.find(scene.program, attempt);
    scene.clock.ms += 29 * DAY_MS;
    expect(await scene.rail.find(scene.program, attempt)).toMatchObject({
      kind: "accepted",
      expectedWithinMs: 2 * DAY_MS,
      detail: expect.stringContaining("RECEIVER_UNREGISTERED"),
    });
    scene.clock.ms += DAY_MS;
    expect(await scene.rail.find(scene.program, attempt)).toMatchObject({
      kind: "refused",
      code: "RECEIVER_UNREGISTERED",
      detail: expect.stringContaining("RETURNED"),
    });
  });

  it.each<ItemStatus>(["REFUNDED", "REVERSED"])(
    "a payment that is %s was paid, and all of it came back",
    async (status) => {
      const scene = paypalScene();
      const attempt = await scene.sent();
      scene.simulator.moveItem(scene.simulator.items()[0]?.payout_item_id ?? "", status);
      const found = await scene.rail.find(scene.program, attempt);
      expect(found).toEqual({ kind: "settled", ref: attempt.providerRef });
      expect(await scene.rail.returned?.(scene.program, { ...attempt, state: "settled" })).toBe(1_234);
      const refused = await scene.rail.find(scene.program, { ...attempt, state: "refused" });
      expect(refused).toMatchObject({ kind: "refused" });
    },
  );

  it("without a batch id there is nothing to look up: sending again is the look-up", async () => {
    const scene = paypalScene();
    const attempt = afterSilence(await scene.begun());
    expect(await scene.rail.find(scene.program, attempt)).toBeUndefined();
    expect(await scene.rail.find(scene.program, attempt, "not a batch id!")).toBeUndefined();
    expect(scene.asked).toEqual([]);
  });

  it("takes over the batch that a message names, if it is this payment", async () => {
    const scene = paypalScene();
    const other = await scene.sent(555, "USD", 2);
    const attempt = afterSilence(await scene.begun());
    expect(await scene.rail.find(scene.program, attempt, other.providerRef ?? "")).toBeUndefined();
    expect(await scene.rail.find(scene.program, attempt, "NOSUCHBATCH")).toBeUndefined();
    const made = await scene.sent();
    expect(await scene.rail.find(scene.program, attempt, made.providerRef ?? "")).toEqual({
      kind: "settled",
      ref: made.providerRef,
    });
    expect(await scene.rail.find(scene.program, made, other.providerRef ?? "")).toMatchObject({
      kind: "settled",
      ref: made.providerRef,
    });
    scene.simulator.addFault({ fault: "html_502", match: { method: "GET" } });
    expect(await scene.rail.find(scene.program, attempt, made.providerRef ?? "")).toMatchObject({
      kind: "unknown",
    });
  });

  it("believes nothing of a batch that is not what was sent, or that is not shown", async () => {
    const scene = paypalScene();
    const attempt = await scene.sent();
    scene.simulator.addFault({ fault: "wrong_amount" });
    expect(await scene.rail.find(scene.program, attempt)).toMatchObject({ kind: "unknown" });
    expect(await scene.rail.find(scene.program, { ...attempt, providerRef: "NOSUCHBATCH" })).toMatchObject({
      kind: "unknown",
    });
    const byHand = { ...attempt, providerRef: "see the bank's letter" };
    expect(await scene.rail.find(scene.program, byHand)).toMatchObject({ kind: "unknown" });
    expect(await scene.rail.returned?.(scene.program, byHand)).toBeUndefined();
  });

  it("says how much came back: nothing while PayPal has it or the receiver, all where it is with the sender", async () => {
    const scene = paypalScene();
    const attempt = await scene.sent();
    const settled = { ...attempt, state: "settled" } as const;
    const id = scene.simulator.items()[0]?.payout_item_id ?? "";
    const expected: [ItemStatus, number][] = [
      ["SUCCESS", 0],
      ["ONHOLD", 0],
      ["UNCLAIMED", 0],
      ["RETURNED", 1_234],
      ["SUCCESS", 0],
      ["REFUNDED", 1_234],
      ["REVERSED", 1_234],
    ];
    for (const [status, back] of expected) {
      scene.simulator.moveItem(id, status);
      expect(await scene.rail.returned?.(scene.program, settled), status).toBe(back);
    }
    scene.simulator.addFault({ fault: "html_502", match: {} });
    expect(await scene.rail.returned?.(scene.program, settled)).toBeUndefined();
    expect(await scene.rail.returned?.(scene.program, { ...settled, providerRef: null })).toBeUndefined();
  });
});

/** States that PayPal's description lists and the simulated PayPal never shows of a payment made by its API. */
describe("what PayPal shows of a batch", () => {
  const shown = async (
    batchStatus: string,
    item: object | undefined,
    header: object = {},
  ): Promise<RailOutcome | undefined> => {
    const scene = paypalScene();
    const attempt = await scene.sent();
    const plain = scene.ports.http;
    const ports = {
      ...scene.ports,
      http: async (request: Request) => {
        const answer = await plain(request);
        if (request.method !== "GET") return answer;
        const body = (await answer.json()) as { batch_header: object; items: object[] };
        return Response.json({
          ...body,
          batch_header: { ...body.batch_header, batch_status: batchStatus, ...header },
          items: item === undefined ? [] : [{ ...body.items[0], ...item }],
        });
      },
    };
    return paypalRail(ports).find(scene.program, attempt);
  };

  it.each<[string, object | undefined, object]>([
    ["DENIED", undefined, { kind: "refused", code: "DENIED" }],
    ["DENIED", { transaction_status: "DENIED" }, { kind: "refused", code: "DENIED" }],
    ["DENIED", { transaction_status: "SUCCESS" }, { kind: "unknown" }],
    ["DENIED", { transaction_status: "PENDING" }, { kind: "unknown" }],
    ["CANCELED", undefined, { kind: "unknown" }],
    ["CANCELED", { transaction_status: "SUCCESS" }, { kind: "unknown" }],
    ["NEW", undefined, { kind: "unknown" }],
    ["PROCESSING", { transaction_status: "PENDING" }, { kind: "accepted" }],
    ["PROCESSING", { transaction_status: "SUCCESS" }, { kind: "settled" }],
    ["SUCCESS", { transaction_status: "DENIED" }, { kind: "unknown" }],
    ["SUCCESS", { transaction_status: "SOMETHING_NEW" }, { kind: "unknown" }],
    ["SUCCESS", { transaction_status: 7 }, { kind: "unknown" }],
    ["SUCCESS", { transaction_status: "SUCCESS", payout_batch_id: "OTHER" }, { kind: "unknown" }],
    ["SUCCESS", { transaction_status: "FAILED", errors: {} }, { kind: "refused", code: "FAILED" }],
  ])("%s with %o is %o", async (batchStatus, item, expected) => {
    expect(await shown(batchStatus, item)).toMatchObject(expected);
  });

  it("is not believed where it is another batch than the one that was asked for, or of no id of ours", async () => {
    const other = { payout_batch_id: "OTHER" };
    const whole = { transaction_status: "SUCCESS" };
    expect(await shown("SUCCESS", { ...whole, ...other }, other)).toMatchObject({ kind: "unknown" });
    expect(await shown("SUCCESS", whole, { sender_batch_header: {} })).toMatchObject({ kind: "unknown" });
    expect(await shown("SUCCESS", whole)).toMatchObject({ kind: "settled" });
  });
});
