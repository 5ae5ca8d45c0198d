// The PayPal rail over the simulated PayPal: what it freezes and where it sends it, and whose money it takes over.

import { describe, expect, it } from "vitest";
import type { Attempt, RailOutcome } from "../../src/domain/payout.ts";
import type { Refusal } from "../../src/domain/refusals.ts";
import { paypalRail } from "../../src/rails/paypal.ts";
import spec from "../fixtures/paypal/payouts-shapes.json" with { type: "json" };
import {
  afterSilence,
  DAY_MS,
  paypalScene,
  RECEIVER,
  type SceneOptions,
} from "../simulators/paypal-scene.ts";
import { type Schemas, violations } from "../support/json-schema.ts";

const schemas = spec.components.schemas as unknown as Schemas;

const refusalOf = async (scene: ReturnType<typeof paypalScene>, amount?: number, currency?: string) => {
  const answer = await scene.freeze(amount, currency).frozen;
  return "refusal" in answer ? (answer.refusal as Refusal) : undefined;
};

describe("freezing a payment by PayPal", () => {
  it("makes one item in a batch of its own, in PayPal's shape, with nobody's data in its ids", async () => {
    const scene = paypalScene();
    const { payout, next, frozen } = scene.freeze();
    const instruction = await frozen;
    if ("refusal" in instruction) throw new Error(instruction.refusal.detail);
    expect(JSON.parse(instruction.request)).toEqual({
      sender_batch_header: { sender_batch_id: `po:${payout.id}:1` },
      items: [
        {
          recipient_type: "EMAIL",
          receiver: RECEIVER,
          amount: { value: "12.34", currency: "USD" },
          sender_item_id: next.attemptId,
        },
      ],
    });
    expect(instruction).toMatchObject({
      rail: "paypal",
      providerAccount: scene.clientId,
      apiVersion: "v1",
      destination: RECEIVER,
      destinationSha: "sha of the address",
      amount: 1_234,
      currency: "USD",
    });
    const described = schemas["create_payout_request"] ?? {};
    expect(violations(JSON.parse(instruction.request), described, schemas)).toEqual([]);
    expect(next.key.length).toBeLessThanOrEqual(spec.limits["sender_batch_header.sender_batch_id"]);
    expect(next.key.length).toBeLessThanOrEqual(spec.limits["header.PayPal-Request-Id"]);
    expect(next.attemptId.length).toBeLessThanOrEqual(spec.limits["payout_item.sender_item_id"]);
    expect(scene.asked).toEqual([]);
  });

  it.each([
    [1_050, "HUF"],
    [1_001, "TWD"],
  ])("refuses %i of %s, which PayPal cannot carry exactly, instead of rounding", async (amount, currency) => {
    expect(await refusalOf(paypalScene(), amount, currency)).toMatchObject({ code: "amount_not_sendable" });
  });

  it("refuses a currency that PayPal does not carry", async () => {
    expect(await refusalOf(paypalScene(), 1_000, "KWD")).toMatchObject({
      code: "currency_not_supported_by_method",
    });
  });

  it("refuses an address that PayPal does not take, without repeating it", async () => {
    for (const receiver of [`${"x".repeat(116)}@example.com`, "änne@example.com", "a b@example.com"]) {
      const refusal = await refusalOf(paypalScene({ receiver }));
      expect(refusal).toMatchObject({ code: "payout_method_not_ready" });
      expect(JSON.stringify(refusal)).not.toContain("example.com");
    }
  });

  it("refuses without credentials, and for an affiliate who is paid in another way", async () => {
    const scene = paypalScene();
    const rail = { ...scene.ports, secretOf: async () => undefined };
    const { payout, next } = scene.freeze();
    expect(await paypalRail(rail).freeze(scene.program, payout, scene.affiliate, next)).toMatchObject({
      refusal: { code: "credentials_missing" },
    });
    const elsewhere = { ...scene.affiliate, destination: null };
    expect(await scene.rail.freeze(scene.program, payout, elsewhere, next)).toMatchObject({
      refusal: { code: "payout_method_not_ready" },
    });
  });

  it.each<[SceneOptions, string]>([
    [{ mode: "live", apiBase: "http://127.0.0.1:9999" }, "a live program with a simulator's address"],
    [{ mode: "live", apiBase: "https://api-m.paypal.com.evil.test" }, "a live program with a look-alike"],
    [{ mode: "live", apiBase: "https://api-m.sandbox.paypal.com" }, "a live program with the sandbox"],
    [{ mode: "live", apiBase: "no address" }, "a live program with no address at all"],
    [{ mode: "test", apiBase: "https://api-m.paypal.com" }, "a test program with the live address"],
    [{ mode: "test", apiBase: "https://api.paypal.com." }, "a test program with another live address"],
  ])("lets no secret out for %o: %s", async (options) => {
    const scene = paypalScene(options);
    expect(await refusalOf(scene)).toMatchObject({ code: "credentials_refused" });
    const attempt = { ...(await paypalScene().begun()), providerAccount: scene.clientId };
    expect(await scene.rail.send(scene.program, attempt)).toMatchObject({ kind: "deferred" });
    const accepted = { ...attempt, providerRef: "ABC" };
    expect(await scene.rail.find(scene.program, accepted)).toMatchObject({ kind: "unknown" });
    expect(await scene.rail.returned?.(scene.program, accepted)).toBeUndefined();
    expect(scene.asked).toEqual([]);
  });

  it.each<[SceneOptions, string]>([
    [{ mode: "live" }, "https://api-m.paypal.com"],
    [{ mode: "live", apiBase: "https://api-m.paypal.com/" }, "https://api-m.paypal.com"],
    [{ mode: "test" }, "https://api-m.sandbox.paypal.com"],
    [{ mode: "test", apiBase: "http://127.0.0.1:9999" }, "http://127.0.0.1:9999"],
    [{ mode: "test", apiBase: "https://api.sandbox.paypal.com" }, "https://api.sandbox.paypal.com"],
  ])("sends for %o to %s alone", async (options, origin) => {
    const scene = paypalScene(options);
    await scene.rail.find(scene.program, await scene.sent());
    expect(new Set(scene.asked.map((request) => new URL(request.url).origin))).toEqual(new Set([origin]));
    expect(scene.asked.map((request) => request.redirect)).toEqual(scene.asked.map(() => "manual"));
  });
});

describe("sending by PayPal", () => {
  it("sends the frozen bytes under the attempt's key, and is answered with the batch", async () => {
    const scene = paypalScene();
    const attempt = await scene.begun();
    const outcome = await scene.rail.send(scene.program, attempt);
    const [made] = scene.simulator.payouts(attempt.key);
    expect(outcome).toEqual({
      kind: "accepted",
      ref: made?.payout_batch_id,
      detail: "PENDING: PayPal has taken it",
    });
    expect(made).toMatchObject({ request_id: attempt.key, client_id: scene.clientId });
    expect(made?.items).toMatchObject([
      {
        payout_item: {
          receiver: RECEIVER,
          amount: { value: "12.34", currency: "USD" },
          sender_item_id: attempt.id,
        },
      },
    ]);
    expect(scene.simulator.received(RECEIVER, "USD")).toBe(1_234);
  });

  it("takes over the first batch where the same bytes go out again: one payment, whatever PayPal advises", async () => {
    const scene = paypalScene();
    const first = await scene.sent();
    const again = await scene.rail.send(scene.program, afterSilence({ ...first, providerRef: null }));
    expect(again).toEqual({ kind: "settled", ref: first.providerRef });
    expect(scene.simulator.payouts()).toHaveLength(1);
    expect(new Set(scene.asked.map((request) => new URL(request.url).host))).toEqual(
      new Set(["api-m.sandbox.paypal.com"]),
    );
  });

  it.each<[string, (attempt: Attempt) => [string, string]]>([
    ["amount", () => ["12.34", "12.35"]],
    ["currency", () => ["USD", "EUR"]],
    ["receiver", () => [RECEIVER, "other@example.com"]],
    ["item", (attempt) => [attempt.id, "att_other"]],
  ])("does not take over a batch of its id with another %s", async (_what, otherOf) => {
    const scene = paypalScene();
    const attempt = await scene.begun();
    const request = attempt.request.replace(...otherOf(attempt));
    expect(await scene.rail.send(scene.program, { ...attempt, request })).toMatchObject({ kind: "accepted" });
    expect(await scene.rail.send(scene.program, afterSilence(attempt))).toMatchObject({ kind: "unknown" });
    expect(scene.simulator.payouts()).toHaveLength(1);
  });

  it("knows its batch again whatever letters PayPal writes the address in", async () => {
    const scene = paypalScene();
    const attempt = await scene.begun();
    await scene.rail.send(scene.program, {
      ...attempt,
      request: attempt.request.replace(RECEIVER, RECEIVER.toLowerCase()),
    });
    expect(await scene.rail.send(scene.program, afterSilence(attempt))).toMatchObject({ kind: "settled" });
  });

  it("waits where the first batch does not show its item yet", async () => {
    const scene = paypalScene();
    const first = await scene.sent();
    scene.simulator.addFault({ fault: "no_items" });
    const attempt = afterSilence({ ...first, providerRef: null });
    expect(await scene.rail.send(scene.program, attempt)).toMatchObject({ kind: "unknown" });
    expect(await scene.rail.send(scene.program, attempt)).toMatchObject({ kind: "settled" });
  });

  it("refuses on the first send where PayPal says a definite no", async () => {
    const scene = paypalScene();
    scene.simulator.setBalance({ currency: "USD", amount: 5 });
    expect(await scene.rail.send(scene.program, await scene.begun())).toEqual({
      kind: "refused",
      code: "INSUFFICIENT_FUNDS",
      detail: "INSUFFICIENT_FUNDS: Sender does not have sufficient funds. Please add funds and retry.",
    });
    expect(scene.simulator.payouts()).toEqual([]);
  });

  it("says which field PayPal found wrong, and never what stood in it", async () => {
    const scene = paypalScene({ receiver: "someone@nowhere" });
    const outcome = await scene.rail.send(scene.program, await scene.begun());
    expect(outcome).toMatchObject({ kind: "refused", code: "VALIDATION_ERROR" });
    expect((outcome as { detail: string }).detail).toContain("items[0].receiver");
    expect(JSON.stringify(outcome)).not.toContain("someone");
  });

  it("does not believe a refusal after a send whose answer is not known: the first may have taken the money", async () => {
    const scene = paypalScene({ fundsFirst: true });
    scene.simulator.setBalance({ currency: "USD", amount: 2_000 });
    const attempt = await scene.begun();
    scene.simulator.addFault({ fault: "drop_after_work" });
    expect(await scene.rail.send(scene.program, attempt)).toMatchObject({ kind: "unknown" });
    const refused: RailOutcome = await scene.rail.send(scene.program, afterSilence(attempt));
    expect(refused).toMatchObject({ kind: "unknown" });
    expect((refused as { detail: string }).detail).toContain("INSUFFICIENT_FUNDS");
    scene.simulator.setBalance({ currency: "USD", amount: 2_000 });
    expect(await scene.rail.send(scene.program, afterSilence(attempt))).toMatchObject({ kind: "settled" });
    expect(scene.simulator.payouts()).toHaveLength(1);
  });

  it.each<[string, Partial<Attempt>, number]>([
    ["begun by a process that is gone", {}, 25_000],
    ["deferred before, since its last call may have died half way", { state: "deferred", tries: 1 }, 5_000],
  ])("does not believe a refusal of an attempt that was %s", async (_what, state, laterMs) => {
    const scene = paypalScene();
    const attempt = { ...(await scene.begun()), ...state };
    scene.simulator.setBalance({ currency: "USD", amount: 5 });
    scene.clock.ms += laterMs;
    expect(await scene.rail.send(scene.program, attempt)).toMatchObject({ kind: "unknown" });
  });

  it("does nothing through another account than the attempt's own", async () => {
    const scene = paypalScene();
    const attempt = { ...(await scene.begun()), providerAccount: "another app" };
    expect(await scene.rail.send(scene.program, attempt)).toMatchObject({ kind: "deferred" });
    const known = { ...attempt, providerRef: "ABC" };
    expect(await scene.rail.find(scene.program, known)).toMatchObject({ kind: "unknown" });
    expect(await scene.rail.returned?.(scene.program, known)).toBeUndefined();
    expect(scene.asked).toEqual([]);
  });

  it("stops sending a day before PayPal forgets a sender_batch_id", () => {
    const { rail } = paypalScene();
    expect(rail.resendWindowMs).toBe(29 * DAY_MS);
  });
});
