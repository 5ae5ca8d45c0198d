// Whatever PayPal answers, or does not: no outcome claims more than is known, and the payment is made once.

import { afterEach, describe, expect, it, vi } from "vitest";
import type { Attempt, RailOutcome } from "../../src/domain/payout.ts";
import { paypalRail } from "../../src/rails/paypal.ts";
import { FAULTS, type FaultName } from "../simulators/paypal.ts";
import { afterSilence, paypalScene } from "../simulators/paypal-scene.ts";

/** What the first send is taken for. Faults of looks do not touch a send. */
const OUTCOMES: Record<FaultName, RailOutcome["kind"]> = {
  drop_before_work: "unknown",
  error_500_not_cached: "unknown",
  empty_503: "unknown",
  html_502: "unknown",
  rate_limit_429: "deferred",
  unauthorized_401: "deferred",
  redirect_302: "unknown",
  slow: "accepted",
  error_500_after_work: "unknown",
  insufficient_funds: "refused",
  user_business_error: "unknown",
  drop_after_work: "unknown",
  cut_body: "unknown",
  empty_503_after_work: "unknown",
  html_502_after_work: "unknown",
  garbage_200: "unknown",
  wrong_amount: "accepted",
  wrong_batch: "unknown",
  no_items: "accepted",
  endless_body: "unknown",
  slow_after_work: "accepted",
};

const standingAfter = (attempt: Attempt, outcome: RailOutcome): Attempt => {
  if (outcome.kind === "accepted")
    return { ...attempt, state: "accepted", providerRef: outcome.ref, tries: 1 };
  return outcome.kind === "deferred" ? { ...attempt, state: "deferred", tries: 1 } : afterSilence(attempt);
};

afterEach(() => {
  vi.useRealTimers();
});

describe("a send that PayPal answers with a fault", () => {
  it.each(FAULTS)("%s is taken for no more than it says, and the payment is made once", async (fault) => {
    const scene = paypalScene({ slowMs: 20 });
    const attempt = await scene.begun();
    scene.simulator.addFault({ fault, times: fault === "unauthorized_401" ? 2 : 1 });
    const outcome = await scene.rail.send(scene.program, attempt);
    expect(outcome.kind).toBe(OUTCOMES[fault]);
    if (outcome.kind === "refused") {
      expect(scene.simulator.payouts()).toEqual([]);
      return;
    }
    let standing = standingAfter(attempt, outcome);
    let found: RailOutcome | undefined;
    for (let tries = 0; found?.kind !== "settled" && tries < 4; tries++) {
      found =
        (await scene.rail.find(scene.program, standing)) ?? (await scene.rail.send(scene.program, standing));
      standing = standingAfter(standing, found);
    }
    expect(found).toMatchObject({ kind: "settled", ref: scene.simulator.payouts()[0]?.payout_batch_id });
    expect(scene.simulator.payouts()).toHaveLength(1);
  });

  it("says when PayPal wants to be asked again, within an hour", async () => {
    const scene = paypalScene();
    for (const [given, told] of [
      [7, 7],
      [86_400, 3_600],
    ] as const) {
      scene.simulator.addFault({ fault: "rate_limit_429", retry_after_s: given });
      expect(await scene.rail.send(scene.program, await scene.begun())).toMatchObject({
        kind: "deferred",
        retryAfterS: told,
      });
    }
  });

  it.each(["INTERNAL_ERROR", "UNDEFINED", "BATCH_NOT_COMPLETED", "USER_BUSINESS_ERROR", "SOMETHING_NEW"])(
    "a 400 called %s is no refusal, though PayPal advises to send under a new id",
    async (name) => {
      const answer = Response.json({ name, message: "m", debug_id: "d" }, { status: 400 });
      expect(await outcomeOf(answer)).toMatchObject({ kind: "unknown" });
    },
  );

  it.each<[string, number, object]>([
    ["has no debug_id", 400, { name: "VALIDATION_ERROR", message: "m" }],
    ["has no message", 400, { name: "VALIDATION_ERROR", debug_id: "d" }],
    ["has a status of its own", 409, { name: "VALIDATION_ERROR", message: "m", debug_id: "d" }],
    ["is a fault of PayPal", 500, { name: "INSUFFICIENT_FUNDS", message: "m", debug_id: "d" }],
    ["is a list", 400, []],
  ])("a refusal that %s is not believed", async (_what, status, body) => {
    expect(await outcomeOf(Response.json(body, { status }))).toMatchObject({ kind: "unknown" });
  });

  it("repeats no address that PayPal quotes in its words", async () => {
    const body = { name: "VALIDATION_ERROR", message: "Receiver ada@example.com is wrong", debug_id: "d" };
    expect(await outcomeOf(Response.json(body, { status: 400 }))).toEqual({
      kind: "refused",
      code: "VALIDATION_ERROR",
      detail: "VALIDATION_ERROR: Receiver (address) is wrong",
    });
  });

  it("reads no answer that is longer than any of PayPal's", async () => {
    let pulled = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled += 1;
        controller.enqueue(new Uint8Array(65_536).fill(32));
      },
    });
    expect(await outcomeOf(new Response(body, { status: 201 }))).toMatchObject({ kind: "unknown" });
    expect(pulled).toBeLessThan(25);
  });

  it.each<[string, object]>([
    ["without the batch's id", { batch_header: { batch_status: "PENDING", sender_batch_header: {} } }],
    [
      "of another payment",
      {
        batch_header: {
          payout_batch_id: "AAA",
          batch_status: "PENDING",
          sender_batch_header: { sender_batch_id: "other" },
        },
      },
    ],
    ["of nothing", {}],
  ])("a 201 %s is not believed", async (_what, body) => {
    expect(await outcomeOf(Response.json(body, { status: 201 }))).toMatchObject({ kind: "unknown" });
  });

  it("follows no link: only an id is taken out of it, and only one", async () => {
    const linked = (...hrefs: string[]) =>
      Response.json(
        {
          name: "USER_BUSINESS_ERROR",
          message: "m",
          debug_id: "d",
          details: [{ issue: "i", link: hrefs.map((href) => ({ href })) }],
        },
        { status: 400 },
      );
    const asked: string[] = [];
    const evil = "https://evil.test/v1/payments/payouts/AAA?next=https://evil.test";
    expect(await outcomeOf(linked(evil), asked)).toMatchObject({ kind: "unknown" });
    expect(asked.at(-1)).toBe("https://api-m.sandbox.paypal.com/v1/payments/payouts/AAA");
    const two = ["https://x.test/v1/payments/payouts/AAA", "https://x.test/v1/payments/payouts/BBB"];
    for (const hrefs of [
      two,
      ["https://x.test/v1/payments/payouts/a%2Fb"],
      ["https://x.test/elsewhere/AAA"],
    ]) {
      asked.length = 0;
      expect(await outcomeOf(linked(...hrefs), asked)).toMatchObject({ kind: "unknown" });
      expect(asked.filter((url) => !url.endsWith("/payouts") && !url.endsWith("/token"))).toEqual([]);
    }
  });
});

describe("a send that PayPal does not answer in time", () => {
  it.each<[string, () => Response | Promise<Response>]>([
    ["no answer begins", () => new Promise<Response>(() => undefined)],
    ["its body does not end", () => new Response(new ReadableStream(), { status: 201 })],
  ])("is unknown after 20 seconds where %s, and PayPal's connection is given up", async (_what, answer) => {
    const scene = paypalScene();
    let post: Request | undefined;
    const http = (request: Request): Promise<Response> => {
      if (request.url.endsWith("/token")) return scene.simulator.fetch(request);
      post = request;
      return Promise.resolve(answer());
    };
    const attempt = await scene.begun();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    let outcome: RailOutcome | undefined;
    const sending = paypalRail({ ...scene.ports, http })
      .send(scene.program, attempt)
      .then((made) => {
        outcome = made;
      });
    while (post === undefined) await new Promise((resolve) => setImmediate(resolve));
    await vi.advanceTimersByTimeAsync(19_999);
    expect(outcome).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    await sending;
    expect(outcome).toMatchObject({ kind: "unknown" });
    expect(post.signal.aborted).toBe(true);
  });
});

/** What a first send is taken for where PayPal answers it with this. */
async function outcomeOf(answer: Response, asked: string[] = []): Promise<RailOutcome> {
  const scene = paypalScene();
  const http = async (request: Request): Promise<Response> => {
    asked.push(request.url);
    return request.url.endsWith("/v1/payments/payouts") ? answer : scene.simulator.fetch(request);
  };
  return paypalRail({ ...scene.ports, http }).send(scene.program, await scene.begun());
}

describe("a look that PayPal answers with a fault", () => {
  const LOOK = { match: { method: "GET" } };

  it.each<[FaultName, RailOutcome["kind"]]>([
    ["drop_before_work", "unknown"],
    ["error_500_not_cached", "unknown"],
    ["empty_503", "unknown"],
    ["html_502", "unknown"],
    ["redirect_302", "unknown"],
    ["cut_body", "unknown"],
    ["garbage_200", "unknown"],
    ["endless_body", "unknown"],
    ["wrong_amount", "unknown"],
    ["wrong_batch", "unknown"],
    ["rate_limit_429", "deferred"],
  ])("%s is %s, never a refusal", async (fault, kind) => {
    const scene = paypalScene();
    const attempt = await scene.sent();
    scene.simulator.addFault({ fault, ...LOOK });
    expect(await scene.rail.find(scene.program, attempt)).toMatchObject({ kind });
    expect(await scene.rail.find(scene.program, attempt)).toMatchObject({ kind: "settled" });
  });
});
