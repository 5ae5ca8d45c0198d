// Connected accounts at Stripe: what is asked for, what an answer means, and how an account is found whose answer was lost.
import { describe, expect, it } from "vitest";
import { stripeConnect } from "../../src/rails/stripe-connect.ts";
import { StripeSimulator } from "../simulators/stripe.ts";
import { SECRET_KEY } from "../simulators/stripe-client.ts";
import type { FaultName } from "../simulators/stripe-faults.ts";

const NOW = Date.UTC(2026, 10, 2, 9);
const HOUR_MS = 3_600_000;

const WISH = {
  programId: "prg_01JZ0000000000000000000000",
  affiliateId: "aff_01JZ0000000000000000000001",
  key: "acct:aff_01JZ0000000000000000000001:1",
  country: "DE",
  email: "ada@example.com",
};

const open = (apiBase = "https://api.stripe.com") => {
  const clock = { ms: NOW };
  const simulator = new StripeSimulator({ now: () => clock.ms });
  const edge: { spoil(request: Request): Response | undefined } = { spoil: () => undefined };
  const http = async (request: Request) => edge.spoil(request) ?? simulator.fetch(request);
  return { clock, simulator, edge, connect: stripeConnect({ http, apiBase }) };
};

const frozen = async ({ connect }: ReturnType<typeof open>, wish = WISH): Promise<string> => {
  const request = await connect.freezeAccount(SECRET_KEY, wish);
  if (typeof request !== "string") throw new Error(request.refusal.detail);
  return request;
};

describe("the bytes that ask for an account", () => {
  it("ask for one that Stripe looks after, that is only sent money, and that says whose it is", async () => {
    expect(Object.fromEntries(new URLSearchParams(await frozen(open())))).toEqual({
      country: "DE",
      email: "ada@example.com",
      "controller[fees][payer]": "application",
      "controller[losses][payments]": "application",
      "controller[requirement_collection]": "stripe",
      "controller[stripe_dashboard][type]": "express",
      "capabilities[transfers][requested]": "true",
      "tos_acceptance[service_agreement]": "recipient",
      "metadata[program_id]": WISH.programId,
      "metadata[affiliate_id]": WISH.affiliateId,
      "metadata[onboarding]": WISH.key,
    });
  });

  it("leave the recipient agreement out in the platform's own country, where Stripe takes none", async () => {
    const scene = open();
    scene.simulator.setPlatform(SECRET_KEY, { country: "DE" });
    const request = await frozen(scene);
    expect(request).not.toContain("service_agreement");
    expect(await scene.connect.createAccount(SECRET_KEY, WISH.key, request)).toMatchObject({ kind: "made" });
    const abroad = await frozen(scene, { ...WISH, country: "FR" });
    expect(abroad).toContain("recipient");
    expect(await scene.connect.createAccount(SECRET_KEY, "other", abroad)).toMatchObject({ kind: "made" });
    const wrong = `${request}&tos_acceptance%5Bservice_agreement%5D=recipient`;
    const refused = await scene.connect.createAccount(SECRET_KEY, "wrong", wrong);
    expect(refused).toMatchObject({ kind: "refused", refusal: { code: "onboarding_refused" } });
  });

  it("go out as they are, under their key, and make one account however often they are sent", async () => {
    const scene = open();
    const request = await frozen(scene);
    const sent: [string | null, string][] = [];
    scene.edge.spoil = (asked) => {
      if (asked.method === "POST")
        void asked
          .clone()
          .text()
          .then((text) => sent.push([asked.headers.get("idempotency-key"), text]));
      return undefined;
    };
    const made = await scene.connect.createAccount(SECRET_KEY, WISH.key, request);
    expect(await scene.connect.createAccount(SECRET_KEY, WISH.key, request)).toEqual(made);
    expect(sent).toEqual([
      [WISH.key, request],
      [WISH.key, request],
    ]);
    expect(scene.simulator.state().accounts).toHaveLength(1);
    expect(scene.simulator.state().accounts[0]).toMatchObject({
      type: "none",
      email: "ada@example.com",
      controller: { requirement_collection: "stripe", stripe_dashboard: { type: "express" } },
      capabilities: { transfers: "inactive" },
    });
  });
});

const FAULTS: [FaultName, string][] = [
  ["drop_before_work", "unknown"],
  ["drop_after_work", "unknown"],
  ["cut_body", "unknown"],
  ["garbage_200", "unknown"],
  ["empty_503", "unknown"],
  ["empty_503_after_work", "unknown"],
  ["html_502", "unknown"],
  ["error_500_cached", "unknown"],
  ["error_500_not_cached", "unknown"],
  ["rate_limit_429", "busy"],
  ["lock_timeout_429", "busy"],
  ["unauthorized_401", "denied"],
];

describe("what became of the request", () => {
  it.each(FAULTS)("%s: %s", async (fault, kind) => {
    const scene = open();
    const request = await frozen(scene);
    scene.simulator.addFault({ fault, match: { method: "POST", path: "/v1/accounts" } });
    expect((await scene.connect.createAccount(SECRET_KEY, WISH.key, request)).kind).toBe(kind);
  });

  it("the key's other bytes: unknown, for the first ones may have made an account", async () => {
    const scene = open();
    const request = await frozen(scene);
    await scene.connect.createAccount(SECRET_KEY, WISH.key, request);
    const other = request.replace("country=DE", "country=FR");
    expect(await scene.connect.createAccount(SECRET_KEY, WISH.key, other)).toEqual({ kind: "unknown" });
  });

  it("an account of somebody else: unknown", async () => {
    const scene = open();
    const request = await frozen(scene);
    const metadata = { program_id: WISH.programId, affiliate_id: "aff_other" };
    const answers = [
      { object: "account", id: "acct_1", metadata },
      { object: "account", id: "acct_1" },
      { object: "transfer", id: "acct_1", metadata: { ...metadata, affiliate_id: WISH.affiliateId } },
      { object: "account", id: 1, metadata: { ...metadata, affiliate_id: WISH.affiliateId } },
    ];
    for (const answer of answers) {
      scene.edge.spoil = () => Response.json(answer);
      expect(await scene.connect.createAccount(SECRET_KEY, WISH.key, request)).toEqual({ kind: "unknown" });
    }
  });

  it("a definite no: refused, with Stripe's words and without addresses or keys", async () => {
    const scene = open();
    const request = await frozen(scene);
    const message = "Invalid email ada@example.com for sk_test_shop_1 or rk_live_abc: not this one";
    scene.edge.spoil = () =>
      Response.json({ error: { type: "invalid_request_error", message, param: "email" } }, { status: 400 });
    const answer = await scene.connect.createAccount(SECRET_KEY, WISH.key, request);
    expect(answer).toEqual({
      kind: "refused",
      refusal: {
        code: "onboarding_refused",
        detail: "Stripe made no account: Invalid email … for … or … not this one",
      },
    });
  });

  it("a country that Stripe does not know: refused, at the country", async () => {
    const scene = open();
    const request = (await frozen(scene)).replace("country=DE", "country=de");
    const answer = await scene.connect.createAccount(SECRET_KEY, WISH.key, request);
    expect(answer).toMatchObject({ kind: "refused", refusal: { pointer: "/country" } });
  });

  it("a platform that Stripe has not approved: refused, and the words say what to do", async () => {
    const scene = open();
    scene.simulator.setPlatform(SECRET_KEY, { country: "DE", approved: false });
    const answer = await scene.connect.createAccount(SECRET_KEY, WISH.key, await frozen(scene));
    expect(answer).toMatchObject({ kind: "refused" });
    expect(JSON.stringify(answer)).toContain("Your platform needs approval");
  });

  it("a key without the permission: denied, which says nothing about an earlier request", async () => {
    const scene = open();
    const request = await frozen(scene);
    const error = { type: "invalid_request_error", message: "The provided key rk_test_x lacks it." };
    scene.edge.spoil = () => Response.json({ error }, { status: 403 });
    const answer = await scene.connect.createAccount("rk_test_shop_1", WISH.key, request);
    expect(answer).toMatchObject({ kind: "denied", refusal: { code: "credentials_refused" } });
    expect(JSON.stringify(answer)).not.toContain("rk_test");
  });

  it("a live key and another address than Stripe's own: nothing is sent", async () => {
    const scene = open("http://127.0.0.1:9");
    let sent = 0;
    scene.edge.spoil = () => {
      sent += 1;
      return undefined;
    };
    expect(await scene.connect.createAccount("sk_live_x_1", WISH.key, "a=b")).toMatchObject({
      kind: "denied",
    });
    expect(await scene.connect.freezeAccount("sk_live_x_1", WISH)).toHaveProperty("refusal");
    expect(sent).toBe(0);
  });
});

describe("an account whose answer was lost", () => {
  const window = { from: NOW - HOUR_MS, until: NOW + HOUR_MS };

  it("is found by whose it is among all of its time, the first one where there are several", async () => {
    const scene = open();
    const request = await frozen(scene);
    for (let n = 0; n < 120; n++) {
      const other = request.replace(WISH.affiliateId, `aff_other_${n}`);
      await scene.connect.createAccount(SECRET_KEY, `other:${n}`, other);
    }
    expect(await scene.connect.findAccount(SECRET_KEY, request, window)).toEqual({ account: null });
    const made = await scene.connect.createAccount(SECRET_KEY, WISH.key, request);
    for (let n = 0; n < 120; n++) {
      const other = request.replace(WISH.affiliateId, `aff_later_${n}`);
      await scene.connect.createAccount(SECRET_KEY, `later:${n}`, other);
    }
    await scene.connect.createAccount(SECRET_KEY, "again", request);
    const account = made.kind === "made" ? made.account : "";
    expect(await scene.connect.findAccount(SECRET_KEY, request, window)).toEqual({ account });
  });

  it("is looked for in its time, its program and its platform only", async () => {
    const scene = open();
    const request = await frozen(scene);
    await scene.connect.createAccount(SECRET_KEY, WISH.key, request);
    const nothing = { account: null };
    const before = { from: NOW - 2 * HOUR_MS, until: NOW - HOUR_MS };
    expect(await scene.connect.findAccount(SECRET_KEY, request, before)).toEqual(nothing);
    expect(await scene.connect.findAccount("sk_test_other_1", request, window)).toEqual(nothing);
    const other = request.replace(WISH.programId, "prg_other");
    expect(await scene.connect.findAccount(SECRET_KEY, other, window)).toEqual(nothing);
  });

  it("is not said to be missing where a page is", async () => {
    const scene = open();
    const request = await frozen(scene);
    scene.edge.spoil = () => new Response("{}", { status: 503 });
    await expect(scene.connect.findAccount(SECRET_KEY, request, window)).rejects.toThrow();
    scene.edge.spoil = () => Response.json({ object: "list", data: [], has_more: true });
    await expect(scene.connect.findAccount(SECRET_KEY, request, window)).rejects.toThrow();
  });
});

describe("a link", () => {
  const to = { account: "acct_1", refreshUrl: "https://shop.example/r", returnUrl: "https://shop.example/b" };
  const answering = (scene: ReturnType<typeof open>, url: unknown) => {
    scene.edge.spoil = () => Response.json({ object: "account_link", created: 1, expires_at: 2, url });
    return scene.connect.linkTo(SECRET_KEY, to);
  };

  it("is handed on as Stripe gave it", async () => {
    const url = "https://connect.stripe.com/setup/s/acct_1/AbC?x=%2f#y";
    expect(await answering(open(), url)).toEqual({ url });
  });

  it("leads to https only, or to what stands in for Stripe", async () => {
    for (const url of [
      "http://connect.stripe.com/setup",
      "javascript:alert(1)",
      "data:text/html,x",
      "//evil",
      "",
      7,
      undefined,
    ])
      await expect(answering(open(), url), String(url)).rejects.toThrow();
    expect(await answering(open("http://127.0.0.1:9"), "http://127.0.0.1:9/x")).toEqual({
      url: "http://127.0.0.1:9/x",
    });
    await expect(answering(open("http://127.0.0.1:9"), "http://127.0.0.1:10/x")).rejects.toThrow();
  });

  it("is refused for an account that is not the platform's, or is closed", async () => {
    const scene = open();
    const seed = (more: object) => String(scene.simulator.seedAccount({ key: SECRET_KEY, ...more }).id);
    const link = (account: string) => scene.connect.linkTo(SECRET_KEY, { ...to, account });
    expect(await link(seed({}))).toHaveProperty("url");
    const gone = seed({});
    scene.simulator.deauthorize(gone);
    for (const account of ["acct_nobody", seed({ key: "sk_test_other_1" }), seed({ closed: true }), gone])
      expect(await link(account), account).toMatchObject({ refusal: { code: "account_not_found" } });
  });
});
