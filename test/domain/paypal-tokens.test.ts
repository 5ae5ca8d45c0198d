// Tokens of PayPal: one for many calls, replaced before it ends and when PayPal no longer takes it; and whom PayPal takes secrets for.

import { describe, expect, it } from "vitest";
import { paypalRail } from "../../src/rails/paypal.ts";
import { accountOfPayPal } from "../../src/rails/paypal-accounts.ts";
import { PayPalSimulator } from "../simulators/paypal.ts";
import { afterSilence, paypalScene } from "../simulators/paypal-scene.ts";

const TOKEN = "POST /v1/oauth2/token";
const CREATE = "POST /v1/payments/payouts";

describe("a token of PayPal", () => {
  it("is asked for once and serves every call until shortly before it ends", async () => {
    const scene = paypalScene();
    const attempt = await scene.sent();
    for (let n = 0; n < 3; n++) await scene.rail.find(scene.program, attempt);
    expect(scene.simulator.requests()[TOKEN]).toBe(1);
    scene.clock.ms += 32_400_000 - 60_001;
    await scene.rail.find(scene.program, attempt);
    expect(scene.simulator.requests()[TOKEN]).toBe(1);
    scene.clock.ms += 1;
    expect(await scene.rail.find(scene.program, attempt)).toMatchObject({ kind: "settled" });
    expect(scene.simulator.requests()[TOKEN]).toBe(2);
  });

  it("is shared by rails over the same secrets and by no others", async () => {
    const scene = paypalScene();
    const attempt = await scene.sent();
    await paypalRail(scene.ports).find(scene.program, attempt);
    expect(scene.simulator.requests()[TOKEN]).toBe(1);
    await paypalRail({ ...scene.ports, apiBase: "http://paypal.test" }).find(scene.program, attempt);
    expect(scene.simulator.requests()[TOKEN]).toBe(2);
    scene.stored.secrets = { ...scene.stored.secrets, clientSecret: "another secret" };
    expect(await scene.rail.find(scene.program, attempt)).toMatchObject({ kind: "deferred" });
    expect(scene.simulator.requests()[TOKEN]).toBe(3);
  });

  it("is replaced where PayPal no longer takes it, and the payment goes out once", async () => {
    const scene = paypalScene();
    await scene.sent(100, "USD", 2);
    scene.simulator.expireTokens();
    const attempt = await scene.begun();
    expect(await scene.rail.send(scene.program, attempt)).toMatchObject({ kind: "accepted" });
    expect(scene.simulator.requests()).toMatchObject({ [TOKEN]: 2, [CREATE]: 3 });
    expect(scene.simulator.payouts(attempt.key)).toHaveLength(1);
  });

  it("that PayPal has just given and does not take defers, and is not kept", async () => {
    const scene = paypalScene();
    scene.simulator.addFault({ fault: "unauthorized_401", times: 1 });
    const attempt = await scene.begun();
    expect(await scene.rail.send(scene.program, attempt)).toMatchObject({ kind: "deferred" });
    expect(scene.simulator.requests()).toMatchObject({ [TOKEN]: 1, [CREATE]: 1 });
    expect(await scene.rail.send(scene.program, attempt)).toMatchObject({ kind: "accepted" });
    expect(scene.simulator.requests()).toMatchObject({ [TOKEN]: 2, [CREATE]: 2 });
  });

  it.each([
    "drop_before_work",
    "html_502",
    "garbage_200",
    "rate_limit_429",
    "endless_body",
    "redirect_302",
  ] as const)("that PayPal does not give (%s) defers the payment: nothing of it went out", async (fault) => {
    const scene = paypalScene();
    scene.simulator.addFault({ fault, retry_after_s: 9, match: { path: "/v1/oauth2/token" } });
    const attempt = await scene.begun();
    const outcome = await scene.rail.send(scene.program, attempt);
    expect(outcome).toMatchObject({ kind: "deferred" });
    if (fault === "rate_limit_429") expect(outcome).toMatchObject({ retryAfterS: 9 });
    expect(scene.simulator.requests()[CREATE]).toBeUndefined();
    expect(await scene.rail.send(scene.program, attempt)).toMatchObject({ kind: "accepted" });
  });

  it("that cannot be had because the secrets are refused defers, and says so without them", async () => {
    const scene = paypalScene();
    scene.simulator.seedApp({ client_id: scene.clientId, client_secret: "rotated" });
    const outcome = await scene.rail.send(scene.program, afterSilence(await scene.begun()));
    expect(outcome).toMatchObject({
      kind: "deferred",
      detail: expect.stringContaining("client id and secret"),
    });
    expect(JSON.stringify(outcome)).not.toContain("the secret");
  });

  it("lets the work go on where the clock of a test has been set back", async () => {
    const scene = paypalScene();
    const attempt = await scene.sent();
    scene.clock.ms -= 1_000;
    expect(await scene.rail.find(scene.program, attempt)).toMatchObject({ ref: attempt.providerRef });
    expect(scene.simulator.requests()[TOKEN]).toBe(2);
  });
});

describe("the account of PayPal's secrets", () => {
  const SECRETS = { clientId: "the-app", clientSecret: "s3cret", webhookId: null };
  const program = { id: "prg_01JBQ000000000000000000007", mode: "test" } as const;

  const over = (simulator: PayPalSimulator, apiBase = "http://paypal.test") => ({
    http: (request: Request) => simulator.fetch(request),
    apiBase,
  });

  it("is the client id, once PayPal has taken the secret", async () => {
    expect(await accountOfPayPal(over(new PayPalSimulator()), program, SECRETS)).toBe("the-app");
  });

  it("is refused where PayPal refuses the secret, which is not repeated", async () => {
    const simulator = new PayPalSimulator();
    simulator.seedApp({ client_id: "the-app", client_secret: "another" });
    const answer = await accountOfPayPal(over(simulator), program, SECRETS);
    expect(answer).toMatchObject({ refusal: { code: "credentials_refused", pointer: "/client_secret" } });
    expect(JSON.stringify(answer)).not.toContain("s3cret");
    const http = async () => Response.json({ error: "invalid_client" }, { status: 400 });
    expect(await accountOfPayPal({ http, apiBase: "" }, program, SECRETS)).toMatchObject({
      refusal: { pointer: "/client_secret" },
    });
  });

  it("is refused where the app may not send payouts, with what to ask PayPal for", async () => {
    const simulator = new PayPalSimulator();
    simulator.seedApp({ client_id: "the-app", client_secret: "s3cret", scopes: ["openid"] });
    expect(await accountOfPayPal(over(simulator), program, SECRETS)).toMatchObject({
      refusal: {
        code: "credentials_refused",
        pointer: "/client_id",
        detail: expect.stringContaining("https://uri.paypal.com/payments/payouts"),
      },
    });
  });

  it("is never asked for at an address that is not for the program's mode", async () => {
    const simulator = new PayPalSimulator();
    const live = { ...program, mode: "live" } as const;
    expect(await accountOfPayPal(over(simulator), live, SECRETS)).toMatchObject({
      refusal: { code: "credentials_refused" },
    });
    expect(simulator.requests()).toEqual({});
  });

  it.each(["drop_before_work", "html_502", "garbage_200", "rate_limit_429"] as const)(
    "is not known where PayPal cannot be asked (%s)",
    async (fault) => {
      const simulator = new PayPalSimulator();
      simulator.addFault({ fault, match: {} });
      await expect(accountOfPayPal(over(simulator), program, SECRETS)).rejects.toThrow(
        "PayPal gave no token",
      );
    },
  );
});
