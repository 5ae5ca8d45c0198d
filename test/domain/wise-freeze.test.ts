// Freezing a payment by Wise: the right recipient, a quote over exactly the payout's amount, the bytes of one transfer, and no money moved.
import { describe, expect, it } from "vitest";
import spec from "../fixtures/wise/transfer-shapes.json" with { type: "json" };
import { callWise } from "../simulators/wise-caller.ts";
import { type Schema, type Schemas, violations } from "../support/json-schema.ts";
import {
  affiliateOf,
  beginAttempt,
  callsOf,
  counted,
  json,
  openScene,
  payoutOf,
  type Scene,
  type SceneOptions,
  wiseAddress,
} from "./wise-scene.ts";

const schemas = spec.components.schemas as unknown as Schemas;
const bodies = spec.paths as unknown as Record<string, Record<string, { body?: Schema; accepts: string[] }>>;

const NEXT = { attemptId: "att_1", key: "po:po_1:1" } as const;

const freeze = (scene: Scene, payout = payoutOf(), affiliate = affiliateOf()) =>
  scene.rail.freeze(scene.program, payout, affiliate, NEXT);

describe("freezing a payment by Wise", () => {
  it("keeps profile, version, recipient and the exact bytes of the one transfer, and moves nothing", async () => {
    const scene = openScene();
    const attempt = await beginAttempt(scene);
    const [recipient] = scene.simulator.recipients();
    const [quote] = scene.simulator.quotes();
    expect(attempt).toMatchObject({
      rail: "wise",
      providerAccount: String(scene.profile),
      apiVersion: "2026Q3",
      destination: String(recipient?.id),
      amount: 10_050,
      currency: "USD",
    });
    expect(JSON.parse(attempt.request)).toEqual({
      targetAccount: recipient?.id,
      quoteUuid: quote?.id,
      customerTransactionId: expect.stringMatching(
        /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      ),
      details: { reference: "00ABCDEFGH" },
    });
    expect(recipient).toMatchObject({
      name: "Ada Lovelace",
      currency: "EUR",
      type: "email",
      details: { email: "Ada@Example.com" },
    });
    expect(counted(scene)).toEqual({ made: 0, payments: 0, paid: 0 });
  });

  it("fixes what leaves: exactly the payout's amount, written as Wise writes it", async () => {
    const scene = openScene();
    await beginAttempt(scene);
    const quote = scene.sent.find(({ url }) => url.endsWith("/quotes"));
    expect(quote?.body).toContain('"sourceAmount":100.50,');
    expect(JSON.parse(quote?.body ?? "")).toMatchObject({
      sourceCurrency: "USD",
      targetCurrency: "EUR",
      preferredPayIn: "BALANCE",
    });
    expect(scene.simulator.quotes()[0]).toMatchObject({ source: 100_500, provided: "SOURCE" });
  });

  it("sends nothing that Wise's description does not know", async () => {
    const scene = openScene();
    const attempt = await beginAttempt(scene);
    await scene.rail.send(scene.program, attempt);
    await scene.rail.find(scene.program, attempt);
    const described = Object.keys(bodies).map((path) => ({
      path,
      pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, "[^/]+")}$`),
    }));
    for (const { method, url, body } of scene.sent) {
      const { pathname, searchParams } = new URL(url);
      const path = described.find(({ pattern }) => pattern.test(pathname))?.path ?? "";
      const operation = bodies[path]?.[method.toLowerCase()];
      expect(operation, `${method} ${pathname}`).toBeDefined();
      expect(operation?.accepts).toEqual(expect.arrayContaining([...searchParams.keys()]));
      if (body === "") continue;
      expect(violations(JSON.parse(body), operation?.body ?? {}, schemas), `${method} ${pathname}`).toEqual(
        [],
      );
    }
    expect(scene.sent.filter(({ body }) => body !== "")).toHaveLength(4);
  });

  it("names the same attempt the same for ever, and another attempt otherwise", async () => {
    const scene = openScene();
    const uuid = async (n: number) =>
      (JSON.parse((await beginAttempt(scene, { n })).request) as { customerTransactionId: string })
        .customerTransactionId;
    expect(await uuid(1)).toBe(await uuid(1));
    expect(await uuid(2)).not.toBe(await uuid(1));
    expect(await uuid(1)).toBe("f9b8b180-938a-5de2-a1c7-03268526085e");
  });

  it("uses the recipient that there is, whatever the case of the address, and no other's", async () => {
    const scene = openScene();
    const first = await beginAttempt(scene);
    const again = await beginAttempt(scene, { affiliate: wiseAddress({ account: "ada@example.com" }) });
    expect(again.destination).toBe(first.destination);
    const inPounds = await beginAttempt(scene, { affiliate: wiseAddress({ currency: "GBP" }) });
    const other = await beginAttempt(scene, { affiliate: wiseAddress({ account: "eve@example.com" }) });
    expect(new Set([first, inPounds, other].map(({ destination }) => destination)).size).toBe(3);
    scene.simulator.deactivateRecipient(Number(first.destination));
    expect((await beginAttempt(scene)).destination).not.toBe(first.destination);
    expect(scene.simulator.recipients()).toHaveLength(4);
  });

  it("uses no recipient that Wise lists and that is not the affiliate's own", async () => {
    const scene = openScene();
    const own = {
      id: 41_000_000,
      active: true,
      currency: "EUR",
      type: "Email",
      details: { email: "ada@example.com" },
      profileId: scene.profile,
    };
    const wrong = [
      { currency: "GBP" },
      { active: false },
      { type: "iban" },
      { profileId: 7 },
      { profileId: undefined },
      { details: { email: "eve@example.com" } },
      { details: null },
      { id: "41000000" },
    ];
    const list = (content: object[]) => {
      scene.stand.in = ({ method, url }) =>
        method === "GET" && url.includes("/accounts?") ? json(200, { content }) : undefined;
    };
    list(wrong.map((part) => ({ ...own, ...part })));
    const made = await beginAttempt(scene);
    expect(made.destination).toBe(String(scene.simulator.recipients()[0]?.id));
    // The simulator knows no such recipient, and says so when it is quoted for.
    list([own]);
    await expect(beginAttempt(scene)).rejects.toThrow("payout_method_not_ready");
    expect(scene.sent.at(-1)?.body).toContain(`"targetAccount":${own.id}`);
  });

  it("looks through the newest recipients page by page, and makes a spare rather than look for ever", async () => {
    const scene = openScene();
    const make = (n: number) =>
      callWise(scene.simulator, "POST", "/accounts", {
        profile: scene.profile,
        accountHolderName: "Some One",
        currency: "EUR",
        type: "email",
        details: { email: `one-${n}@example.com` },
      });
    const { destination } = await beginAttempt(scene);
    for (let n = 0; n < 50; n += 1) await make(n);
    expect((await beginAttempt(scene)).destination).toBe(destination);
    for (let n = 50; n < 110; n += 1) await make(n);
    scene.sent.splice(0);
    expect((await beginAttempt(scene)).destination).not.toBe(destination);
    expect(callsOf(scene).filter((path) => path === "GET /2026Q3/accounts")).toHaveLength(5);
  });
});

describe("a definite no to freezing", () => {
  const code = async (scene: Scene, payout = payoutOf(), affiliate = affiliateOf()) => {
    const frozen = await freeze(scene, payout, affiliate);
    return "refusal" in frozen ? frozen.refusal.code : "frozen";
  };

  it("is said where the program has no credentials, or Wise refuses them", async () => {
    const scene = openScene();
    scene.simulator.revokeToken("wise-token-of-the-shop");
    expect(await code(scene)).toBe("credentials_refused");
    scene.secret.present = undefined;
    expect(await code(scene)).toBe("credentials_missing");
  });

  it("is said where the affiliate has no Wise address, or Wise does not take it", async () => {
    const scene = openScene();
    expect(await code(scene, payoutOf(), affiliateOf({ destination: null }))).toBe("payout_method_not_ready");
    expect(scene.sent).toEqual([]);
    const single = await freeze(scene, payoutOf(), affiliateOf({ name: "Ada" }));
    expect(single).toMatchObject({ refusal: { code: "payout_method_not_ready" } });
    const told = JSON.stringify(single);
    expect(told).toContain("NOT_VALID (accountHolderName)");
    for (const secret of ["Ada", "example.com", "wise-token"]) expect(told).not.toContain(secret);
  });

  it.each([
    ["a fraction of a forint", 150, "HUF"],
    ["a currency that Wise does not carry", 1_000, "ISK"],
    ["nothing", 0, "USD"],
  ])("is said to %s before Wise is asked", async (_what, amount, currency) => {
    const scene = openScene();
    expect(await code(scene, payoutOf({ amount, currency }))).toBe("amount_not_sendable");
    expect(scene.sent).toEqual([]);
  });

  it.each([
    ["error.amount.tooLarge", "sourceAmount", "amount_not_sendable"],
    ["CurrencyCode", "targetCurrency", "currency_not_supported_by_method"],
    ["error.route.not.supported", undefined, "currency_not_supported_by_method"],
    ["INVALID_RECIPIENT", "targetAccount", "payout_method_not_ready"],
  ])("is said where Wise gives no quote: %s (%s)", async (error, path, refusal) => {
    const scene = openScene();
    scene.stand.in = ({ url }) =>
      url.endsWith("/quotes") ? json(422, { errors: [{ code: error, path, message: "…" }] }) : undefined;
    expect(await code(scene)).toBe(refusal);
    expect(counted(scene).made).toBe(0);
  });

  it("is said to a quote that Wise blocks, and to an amount below its fee", async () => {
    const scene = openScene();
    expect(await code(scene, payoutOf({ amount: 1 }))).toBe("amount_not_sendable");
    const quote = await callWise(scene.simulator, "POST", `/profiles/${scene.profile}/quotes`, {
      sourceCurrency: "USD",
      targetCurrency: "EUR",
      sourceAmount: 100.5,
    });
    const blocked = { ...(quote.body as object), notices: [{ text: "no", type: "BLOCKED" }] };
    scene.stand.in = ({ url }) => (url.endsWith("/quotes") ? json(200, blocked) : undefined);
    expect(await code(scene)).toBe("payout_method_not_ready");
  });

  it.each<[string, SceneOptions]>([
    ["a live program with another address than Wise's", { mode: "live", apiBase: "http://127.0.0.1:9" }],
    [
      "a live program with an address that looks like Wise's",
      { mode: "live", apiBase: "http://api.wise.com" },
    ],
    ["a test program with an address that is none", { mode: "test", apiBase: "wise" }],
    ["a test program with live Wise's address", { mode: "test", apiBase: "https://api.wise.com/" }],
  ])("is said to %s, and nothing leaves", async (_what, options) => {
    const scene = openScene(options);
    expect(await code(scene)).toBe("rail_not_available");
    const attempt = await beginAttempt(openScene());
    const own = { ...attempt, providerAccount: String(scene.profile) };
    expect(await scene.rail.send(scene.program, own)).toMatchObject({ kind: "deferred" });
    expect(await scene.rail.find(scene.program, own)).toMatchObject({ kind: "unknown" });
    expect(await scene.rail.returned?.(scene.program, { ...own, providerRef: "5" })).toBeUndefined();
    expect(await scene.rail.isAbsent?.(scene.program, own)).toBe(false);
    expect(scene.sent).toEqual([]);
  });

  it.each<[string, SceneOptions, string]>([
    ["a live program", { mode: "live" }, "https://api.wise.com"],
    ["a live program told so", { mode: "live", apiBase: "https://api.wise.com/" }, "https://api.wise.com"],
    ["a test program", {}, "https://api.wise-sandbox.com"],
    ["a test program with a simulator", { apiBase: "http://127.0.0.1:12113/" }, "http://127.0.0.1:12113"],
  ])("is not said to %s with its own address", async (_what, options, origin) => {
    const scene = openScene(options);
    expect(await code(scene)).toBe("frozen");
    expect([...new Set(scene.sent.map(({ url }) => new URL(url).origin))]).toEqual([origin]);
    expect(scene.sent.every(({ authorization }) => authorization === "Bearer wise-token-of-the-shop")).toBe(
      true,
    );
    expect(scene.sent.every(({ url }) => new URL(url).pathname.startsWith("/2026Q3/"))).toBe(true);
  });
});

describe("trouble that passes while a payment is frozen", () => {
  const RECIPIENTS = [
    { method: "GET", path: "/2026Q3/accounts" },
    { method: "POST", path: "/2026Q3/accounts" },
  ];
  const QUOTE = { method: "POST", path: "/2026Q3/profiles/" };

  const FAULTS = [
    "drop_before_work",
    "drop_after_work",
    "cut_body",
    "endless_body",
    "error_500_not_cached",
    "error_500_after_work",
    "empty_503",
    "html_502",
    "html_502_after_work",
    "html_403",
    "redirect_302",
    "rate_limit_429",
    "garbage_200",
    "wrong_amount",
  ] as const;

  it.each(FAULTS)("is thrown, to be tried again, at every call where Wise answers with %s", async (fault) => {
    for (const match of fault === "wrong_amount" ? [QUOTE] : [...RECIPIENTS, QUOTE]) {
      const scene = openScene();
      scene.simulator.addFault({ fault, match, retry_after_s: 7 });
      const frozen = freeze(scene).then(
        () => "frozen",
        (error: Error & { retryAfterS?: number }) => error,
      );
      const result = await frozen;
      expect(result).toBeInstanceOf(Error);
      expect(result).toMatchObject({ retryAfterS: fault === "rate_limit_429" ? 7 : 10 });
      expect(JSON.stringify(result)).not.toContain("example.com");
      expect((await beginAttempt(scene)).amount).toBe(10_050);
    }
  });
});
