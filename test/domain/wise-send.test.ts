// Sending by Wise: one transfer and one payment for it, whatever breaks between the calls, and a refusal only where nothing stands.
import { describe, expect, it } from "vitest";
import { type FaultName, fundingOf } from "../simulators/wise.ts";
import {
  affiliateOf,
  beginAttempt,
  callsOf,
  counted,
  DAY_MS,
  find,
  HOUR_MS,
  json,
  MINUTE_MS,
  NOON,
  onlyTransfer,
  openScene,
  payoutOf,
  send,
} from "./wise-scene.ts";

const ONCE = { made: 1, payments: 1, paid: 100.5 };

describe("sending by Wise", () => {
  it("makes the transfer with the frozen bytes, asks for it, and pays for it from the balance", async () => {
    const scene = openScene();
    const attempt = await beginAttempt(scene);
    scene.sent.splice(0);
    const outcome = await send(scene, attempt);
    const { id, status } = onlyTransfer(scene);
    expect(outcome).toEqual({ kind: "accepted", ref: String(id), expectedWithinMs: 5 * DAY_MS });
    expect(status).toBe("processing");
    expect(counted(scene)).toEqual(ONCE);
    expect(callsOf(scene)).toEqual([
      "POST /2026Q3/transfers",
      "GET /2026Q3/transfers/{id}",
      "GET /2026Q3/transfers/{id}/payments",
      "POST /2026Q3/profiles/{id}/transfers/{id}/payments",
    ]);
    expect(scene.sent[0]?.body).toBe(attempt.request);
    expect(scene.sent[3]?.body).toBe('{"type":"BALANCE"}');
    expect(new Set(scene.sent.map(({ redirect }) => redirect))).toEqual(new Set(["manual"]));
  });

  it("takes exactly the amount from the balance, also in a currency without decimals", async () => {
    const scene = openScene();
    scene.simulator.setBalance({ profile: scene.profile, currency: "JPY", amount: 50_000 });
    const attempt = await beginAttempt(scene, { payout: payoutOf({ amount: 12_345, currency: "JPY" }) });
    expect(await send(scene, attempt)).toMatchObject({ kind: "accepted" });
    expect(scene.simulator.balance(scene.profile, "JPY")).toBe(50_000 - 12_345);
  });

  it("sent again and again makes one transfer and one payment, and follows its state", async () => {
    const scene = openScene();
    const attempt = await beginAttempt(scene);
    const [one, two] = await Promise.all([send(scene, attempt), send(scene, attempt)]);
    expect([one?.kind, two?.kind]).toContain("accepted");
    for (let n = 0; n < 3; n += 1) expect(await send(scene, attempt)).toMatchObject({ kind: "accepted" });
    scene.simulator.setStatus(onlyTransfer(scene).id, "funds_converted", "outgoing_payment_sent");
    expect(await send(scene, attempt)).toEqual({ kind: "settled", ref: String(onlyTransfer(scene).id) });
    expect(counted(scene)).toEqual(ONCE);
  });

  it("speaks the version that was frozen, not the one of the day", async () => {
    const scene = openScene();
    const attempt = { ...(await beginAttempt(scene)), apiVersion: "2026Q2" };
    scene.sent.splice(0);
    expect(await send(scene, attempt)).toMatchObject({ kind: "unknown" });
    expect(callsOf(scene)).toEqual(["POST /2026Q2/transfers"]);
  });

  it("does not go through another profile, and says nothing of what that profile has", async () => {
    const scene = openScene();
    const attempt = await beginAttempt(scene);
    scene.sent.splice(0);
    scene.secret.present = { apiToken: "t", profileId: "7", webhookPublicKey: null, account: "7" };
    expect(await send(scene, attempt)).toMatchObject({ kind: "deferred" });
    expect(await find(scene, attempt)).toMatchObject({ kind: "unknown" });
    scene.secret.present = undefined;
    expect(await send(scene, attempt)).toMatchObject({ kind: "deferred" });
    expect(scene.sent).toEqual([]);
  });
});

const TROUBLE: readonly FaultName[] = [
  "drop_before_work",
  "drop_after_work",
  "cut_body",
  "endless_body",
  "error_500_not_cached",
  "error_500_after_work",
  "empty_503",
  "empty_503_after_work",
  "html_502",
  "html_502_after_work",
  "html_403",
  "redirect_302",
  "garbage_200",
  "rate_limit_429",
  "unauthorized_401",
];

const PASSING: readonly FaultName[] = ["rate_limit_429", "unauthorized_401"];

const STEPS = [
  ["making the transfer", () => ({ method: "POST", path: "/2026Q3/transfers$" })],
  ["asking for the transfer", () => ({ method: "GET", path: "/2026Q3/transfers/" })],
  ["paying for it", (profile: number) => fundingOf(profile)],
] as const;

describe("trouble between the calls", () => {
  const cases = STEPS.flatMap(([step, matchOf]) => TROUBLE.map((fault) => ({ step, fault, matchOf })));

  it.each(cases)("pays once where $step is answered with $fault", async ({ step, fault, matchOf }) => {
    const scene = openScene();
    const attempt = await beginAttempt(scene);
    scene.simulator.addFault({ fault, match: matchOf(scene.profile), retry_after_s: 7 });
    const first = await send(scene, attempt);
    const isAsking = step === "asking for the transfer";
    expect(first.kind).toBe(PASSING.includes(fault) && !isAsking ? "deferred" : "unknown");
    if (fault === "rate_limit_429" && !isAsking) expect(first).toMatchObject({ retryAfterS: 7 });
    expect(scene.simulator.state().faults).toEqual({ pending: [], fired: { [fault]: 1 } });
    scene.clock.now += 2_000;
    const found = await find(scene, { ...attempt, state: "unknown", tries: 1 });
    const second = found ?? (await send(scene, attempt));
    expect(second).toMatchObject({ kind: "accepted", ref: String(onlyTransfer(scene).id) });
    expect(counted(scene)).toEqual(ONCE);
  });

  it("pays once where whether it is paid for already cannot be asked", async () => {
    const scene = openScene();
    const attempt = await beginAttempt(scene);
    let silent = true;
    scene.stand.in = ({ method, url }) =>
      silent && method === "GET" && url.endsWith("/payments") ? json(500, {}) : undefined;
    expect(await send(scene, attempt)).toMatchObject({ kind: "unknown" });
    expect(counted(scene)).toMatchObject({ made: 1, payments: 0 });
    expect(await find(scene, { ...attempt, state: "unknown" })).toMatchObject({ kind: "unknown" });
    silent = false;
    expect(await send(scene, attempt)).toMatchObject({ kind: "accepted" });
    expect(counted(scene)).toEqual(ONCE);
  });

  it("does not pay twice where an answered payment still looks like none", async () => {
    const scene = openScene();
    const attempt = await beginAttempt(scene);
    await send(scene, attempt);
    const waiting = { ...onlyTransfer(scene), status: "incoming_payment_waiting" };
    scene.stand.in = ({ method, url }) => {
      if (method === "POST" && url.endsWith("/transfers")) return json(200, waiting);
      if (method === "GET" && url.endsWith(`/transfers/${waiting.id}`)) return json(200, waiting);
      return method === "GET" && url.endsWith("/payments") ? json(200, []) : undefined;
    };
    expect(await send(scene, attempt)).toMatchObject({ kind: "unknown" });
    scene.stand.in = undefined;
    expect(await send(scene, attempt)).toMatchObject({ kind: "accepted" });
    expect(counted(scene)).toEqual(ONCE);
  });

  it.each(["wrong_amount", "wrong_id"] as const)(
    "believes no answer that is not the attempt's own transfer: %s",
    async (fault) => {
      for (const match of [undefined, { method: "GET", path: "/2026Q3/transfers/" }]) {
        const scene = openScene();
        const attempt = await beginAttempt(scene);
        scene.simulator.addFault({ fault, ...(match === undefined ? {} : { match }) });
        expect(await send(scene, attempt)).toMatchObject({ kind: "unknown" });
        expect(counted(scene)).toMatchObject({ made: 1, payments: 0 });
        expect(await send(scene, attempt)).toMatchObject({ kind: "accepted" });
        expect(counted(scene)).toEqual(ONCE);
      }
    },
  );

  it("reads no more of an answer than any answer of Wise's can be", async () => {
    const scene = openScene();
    const attempt = await beginAttempt(scene);
    let read = 0;
    const chunk = new Uint8Array(256 * 1024).fill(32);
    const pull = (controller: ReadableStreamDefaultController<Uint8Array>) => {
      read += chunk.length;
      if (read > 64 * 1024 * 1024) controller.close();
      else controller.enqueue(chunk);
    };
    scene.stand.in = () => new Response(new ReadableStream({ pull }));
    expect(await send(scene, attempt)).toMatchObject({ kind: "unknown" });
    expect(read).toBeLessThan(4 * 1024 * 1024);
  });

  it("waits no longer than its patience for a Wise that does not answer", async () => {
    const scene = openScene();
    const attempt = await beginAttempt(scene);
    const { setTimeout: real } = globalThis;
    const delays: unknown[] = [];
    globalThis.setTimeout = ((work: () => void, ms: number) => {
      delays.push(ms);
      return real(work, ms === 20_000 ? 1 : ms);
    }) as typeof setTimeout;
    scene.stand.in = () => new Response(new ReadableStream({ pull: () => new Promise(() => undefined) }));
    const outcome = await send(scene, attempt).finally(() => {
      globalThis.setTimeout = real;
    });
    expect(outcome).toMatchObject({ kind: "unknown" });
    expect(delays).toEqual([20_000]);
  });
});

describe("a payment that Wise rejects", () => {
  const poor = (rejection?: { status: number; error_code: string }) => {
    const scene = openScene();
    scene.simulator.setBalance({ profile: scene.profile, currency: "USD", amount: 100.49 });
    if (rejection !== undefined) scene.simulator.configure({ rejection });
    return scene;
  };

  it.each([
    { status: 201, error_code: "transfer.insufficient_funds" },
    { status: 422, error_code: "balance.payment-option-unavailable" },
  ])("for want of money is refused once the transfer is seen cancelled ($error_code)", async (rejection) => {
    const scene = poor(rejection);
    const attempt = await beginAttempt(scene);
    const outcome = await send(scene, attempt);
    expect(outcome).toMatchObject({ kind: "refused", code: "insufficient_funds" });
    expect(outcome).toMatchObject({ detail: expect.stringContaining(rejection.error_code) });
    expect(onlyTransfer(scene)).toMatchObject({ status: "cancelled", payments: 0 });
    scene.simulator.setBalance({ profile: scene.profile, currency: "USD", amount: 200 });
    const retry = await beginAttempt(scene, { n: 2 });
    expect(await find(scene, retry)).toBeUndefined();
    expect(await send(scene, retry)).toMatchObject({ kind: "accepted" });
    expect(counted(scene)).toMatchObject({ made: 2, payments: 1, paid: 100.5 });
  });

  it("is understood also where the no comes as an error of the request", async () => {
    const scene = openScene();
    const attempt = await beginAttempt(scene);
    scene.stand.in = ({ method, url }) =>
      method === "POST" && url.endsWith("/payments")
        ? json(422, { errors: [{ code: "transfer.insufficient_funds", message: "…", arguments: [] }] })
        : undefined;
    expect(await send(scene, attempt)).toMatchObject({ kind: "refused", code: "insufficient_funds" });
    expect(onlyTransfer(scene).status).toBe("cancelled");
  });

  const CANCEL = { method: "PUT", path: "/2026Q3/transfers/" };

  it.each([...TROUBLE, "wrong_amount"] as const)(
    "is refused only if the transfer is cancelled, where cancelling is answered with %s",
    async (fault) => {
      const scene = poor();
      const attempt = await beginAttempt(scene);
      scene.simulator.addFault({ fault, match: CANCEL });
      const outcome = await send(scene, attempt);
      const { status } = onlyTransfer(scene);
      expect(outcome.kind).toBe(status === "cancelled" ? "refused" : "unknown");
      expect(["cancelled", "incoming_payment_waiting"]).toContain(status);
      const found = await find(scene, { ...attempt, state: "unknown" });
      const later = found ?? (await send(scene, attempt));
      expect(later).toMatchObject({ kind: "refused" });
      expect(onlyTransfer(scene)).toMatchObject({ status: "cancelled", payments: 0 });
    },
  );

  it("is not refused where neither the cancelling nor the transfer can be asked about", async () => {
    const scene = poor();
    const attempt = await beginAttempt(scene);
    let gets = 0;
    scene.stand.in = ({ method, url }) => {
      if (method === "PUT") return json(500, {});
      if (method === "GET" && /\/transfers\/\d+$/.test(url)) gets += 1;
      return method === "GET" && gets > 1 ? json(500, {}) : undefined;
    };
    expect(await send(scene, attempt)).toMatchObject({ kind: "unknown" });
    scene.stand.in = undefined;
    scene.simulator.setBalance({ profile: scene.profile, currency: "USD", amount: 200 });
    expect(await find(scene, { ...attempt, state: "unknown" })).toBeUndefined();
    expect(await send(scene, attempt)).toMatchObject({ kind: "accepted" });
    expect(counted(scene)).toEqual(ONCE);
  });

  it("follows the transfer where a person paid for it between the rejection and the cancelling", async () => {
    const scene = poor();
    const attempt = await beginAttempt(scene);
    scene.stand.in = ({ method }) => {
      if (method !== "PUT") return undefined;
      const { id } = onlyTransfer(scene);
      scene.simulator.setBalance({ profile: scene.profile, currency: "USD", amount: 200 });
      scene.simulator.payByHand(id);
      scene.simulator.setStatus(id, "funds_converted");
      return undefined;
    };
    expect(await send(scene, attempt)).toMatchObject({ kind: "accepted" });
    expect(counted(scene)).toEqual(ONCE);
  });

  it("because it was paid for meanwhile is no rejection: the transfer itself says so", async () => {
    const scene = openScene();
    const attempt = await beginAttempt(scene);
    scene.stand.in = ({ method, url }) => {
      if (method === "POST" && url.endsWith("/payments")) scene.simulator.payByHand(onlyTransfer(scene).id);
      return undefined;
    };
    expect(await send(scene, attempt)).toMatchObject({ kind: "accepted" });
    expect(counted(scene)).toEqual(ONCE);
  });

  it("for a reason that is not documented stays unknown, and is not cancelled", async () => {
    const scene = poor({ status: 201, error_code: "something.new" });
    const attempt = await beginAttempt(scene);
    expect(await send(scene, attempt)).toMatchObject({ kind: "unknown" });
    expect(onlyTransfer(scene).status).toBe("incoming_payment_waiting");
  });

  it("is not taken for paid before its body says COMPLETED", async () => {
    for (const body of [{}, { type: "BALANCE", status: "PENDING" }, { status: "COMPLETED" }, [], null]) {
      const scene = openScene();
      const attempt = await beginAttempt(scene);
      scene.stand.in = ({ method, url }) =>
        method === "POST" && url.endsWith("/payments") ? json(200, body) : undefined;
      expect(await send(scene, attempt)).toMatchObject({ kind: "unknown" });
      expect(counted(scene)).toMatchObject({ made: 1, payments: 0 });
    }
  });
});

describe("a profile that a token may not pay from", () => {
  it("hands the transfer over to a person, says until when, and settles by itself once it is paid there", async () => {
    const scene = openScene({ country: "DE" });
    const attempt = await beginAttempt(scene);
    const outcome = await send(scene, attempt);
    const { id } = onlyTransfer(scene);
    expect(outcome).toMatchObject({ kind: "needs_hand", ref: String(id) });
    if (outcome.kind !== "needs_hand") throw new Error("not handed over");
    expect(outcome.instructions).toContain(`transfer ${id}`);
    expect(outcome.instructions).toContain(new Date(NOON + 14 * DAY_MS).toISOString());
    const handed = { ...attempt, state: "needs_hand", providerRef: String(id) } as const;
    for (const laterMs of [HOUR_MS, 2 * DAY_MS]) {
      scene.clock.now += laterMs;
      expect(await find(scene, handed)).toMatchObject({ kind: "needs_hand", ref: String(id) });
    }
    scene.simulator.payByHand(id);
    expect(await find(scene, handed)).toMatchObject({ kind: "accepted", ref: String(id) });
    scene.simulator.setStatus(id, "funds_converted", "outgoing_payment_sent");
    expect(await find(scene, handed)).toEqual({ kind: "settled", ref: String(id) });
    expect(counted(scene)).toEqual(ONCE);
  });

  it("is refused once Wise has cancelled what nobody paid for", async () => {
    const scene = openScene({ country: "GB" });
    const attempt = await beginAttempt(scene);
    await send(scene, attempt);
    scene.clock.now += 14 * DAY_MS;
    const handed = { ...attempt, state: "needs_hand", providerRef: String(onlyTransfer(scene).id) } as const;
    expect(await find(scene, handed)).toMatchObject({ kind: "refused", code: "transfer_cancelled" });
    expect(counted(scene).payments).toBe(0);
  });

  it("hands over on the documented refusal without a challenge, and not on a 403 that is not Wise's own", async () => {
    for (const [answer, kind] of [
      [json(403, { status: 403, error: "unauthorized", message: "Unauthorized" }), "needs_hand"],
      [json(403, { errors: [{ code: "transfer.not-accessible-for-user", message: "…" }] }), "needs_hand"],
      [new Response(null, { status: 403, headers: { "x-2fa-approval": "t" } }), "needs_hand"],
      [new Response("<html>Forbidden</html>", { status: 403 }), "unknown"],
    ] as const) {
      const scene = openScene();
      const attempt = await beginAttempt(scene);
      scene.stand.in = ({ method, url }) =>
        method === "POST" && url.endsWith("/payments") ? answer : undefined;
      expect((await send(scene, attempt)).kind).toBe(kind);
    }
  });
});

describe("a transfer that Wise does not make", () => {
  it("is refused where the quote has expired and nothing was made, so that a retry gets a new one", async () => {
    const scene = openScene();
    const attempt = await beginAttempt(scene);
    scene.simulator.addFault({ fault: "drop_before_work" });
    expect(await send(scene, attempt)).toMatchObject({ kind: "unknown" });
    scene.clock.now += 31 * MINUTE_MS;
    expect(await find(scene, { ...attempt, state: "unknown" })).toBeUndefined();
    expect(await send(scene, attempt)).toMatchObject({ kind: "refused", code: "quote_expired" });
    expect(counted(scene).made).toBe(0);
    expect(await send(scene, await beginAttempt(scene, { n: 2 }))).toMatchObject({ kind: "accepted" });
    expect(counted(scene)).toEqual(ONCE);
  });

  it("is not refused where it was made and no list shows it yet: its quote does", async () => {
    const scene = openScene();
    scene.simulator.configure({ repeatsAfterExpiry: false });
    const attempt = await beginAttempt(scene);
    scene.simulator.addFault({ fault: "drop_after_work" });
    scene.simulator.addFault({ fault: "list_lag", delay_ms: 2 * HOUR_MS });
    expect(await send(scene, attempt)).toMatchObject({ kind: "unknown" });
    scene.clock.now += HOUR_MS;
    expect(await find(scene, { ...attempt, state: "unknown" })).toBeUndefined();
    expect(await send(scene, attempt)).toMatchObject({ kind: "unknown" });
    scene.clock.now += HOUR_MS;
    expect(await send(scene, attempt)).toMatchObject({ kind: "accepted" });
    expect(counted(scene)).toEqual(ONCE);
  });

  it("is not refused where the list cannot be read to its end, or the quote cannot be asked", async () => {
    for (const path of ["/2026Q3/transfers", "/2026Q3/profiles/"]) {
      const scene = openScene();
      const attempt = await beginAttempt(scene);
      scene.clock.now += 31 * MINUTE_MS;
      for (const fault of ["error_500_not_cached", "garbage_200", "drop_before_work"] as const) {
        scene.simulator.addFault({ fault, match: { method: "GET", path } });
        expect(await send(scene, attempt)).toMatchObject({ kind: "unknown" });
      }
      expect(await send(scene, attempt)).toMatchObject({ kind: "refused", code: "quote_expired" });
    }
  });

  it("is not refused on what another quote says", async () => {
    const scene = openScene();
    const attempt = await beginAttempt(scene);
    const other = await beginAttempt(scene, { n: 2 });
    const { quoteUuid } = JSON.parse(other.request) as { quoteUuid: string };
    scene.clock.now += 31 * MINUTE_MS;
    scene.stand.in = ({ method, url }) =>
      method === "GET" && url.includes("/quotes/")
        ? json(200, { id: quoteUuid, status: "EXPIRED" })
        : undefined;
    expect(await send(scene, attempt)).toMatchObject({ kind: "unknown" });
  });

  it("is refused with Wise's code where the recipient is no longer one", async () => {
    const scene = openScene();
    const attempt = await beginAttempt(scene);
    scene.simulator.deactivateRecipient(Number(attempt.destination));
    expect(await send(scene, attempt)).toMatchObject({ kind: "refused", code: "invalid_recipient" });
    expect(counted(scene).made).toBe(0);
  });

  it("is not refused on a no without Wise's own words", async () => {
    for (const status of [400, 403, 422, 404, 409, 408, 418]) {
      const scene = openScene();
      const attempt = await beginAttempt(scene);
      scene.stand.in = ({ method, url }) =>
        method === "POST" && url.endsWith("/transfers") ? json(status, { message: "no" }) : undefined;
      expect((await send(scene, attempt)).kind, String(status)).toBe("unknown");
    }
  });

  it("tells no name and no address", async () => {
    const scene = openScene();
    const attempt = await beginAttempt(scene, { affiliate: affiliateOf({ name: "Grace Hopper" }) });
    const error = {
      code: "NOT_VALID",
      message: "Grace Hopper <ada@example.com> is not valid",
      path: "accountHolderName",
      arguments: ["accountHolderName", "Grace Hopper"],
    };
    scene.stand.in = ({ method, url }) =>
      method === "POST" && url.endsWith("/transfers") ? json(422, { errors: [error] }) : undefined;
    const told = JSON.stringify(await send(scene, attempt));
    expect(told).toContain("NOT_VALID (accountHolderName)");
    expect(told).not.toMatch(/Grace|Hopper|example\.com/);
  });
});
