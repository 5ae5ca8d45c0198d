// Which messages count as Stripe's own, and what each of them is about.
import { describe, expect, it } from "vitest";
import type { StripeSecrets } from "../../src/domain/credentials.ts";
import type { ProviderEvent, RailProgram } from "../../src/rails/rail.ts";
import { stripeInbound } from "../../src/rails/stripe-events.ts";
import { StripeSimulator } from "../simulators/stripe.ts";
import { stripeOver } from "../simulators/stripe-client.ts";
import { type Delivery, signBody } from "../simulators/stripe-events.ts";

const NOW = Date.UTC(2026, 10, 2, 9);
const NOW_S = NOW / 1000;
const PLATFORM = "whsec_of_the_platform";
const CONNECT = "whsec_of_connect";
const PROGRAM: RailProgram = { id: "prg_01JZ0000000000000000000000", mode: "test" };
const PAYOUT = "po_01JZ0000000000000000000001";

const SECRETS: StripeSecrets = {
  secretKey: "sk_test_shop_1",
  webhookSecret: PLATFORM,
  connectWebhookSecret: CONNECT,
};

const read = (
  delivery: Delivery,
  more: { secrets?: StripeSecrets | undefined; mode?: "test" | "live"; now?: number } = {},
): Promise<ProviderEvent | undefined> => {
  const secrets = "secrets" in more ? more.secrets : SECRETS;
  const source = stripeInbound({ now: () => more.now ?? NOW, secretOf: async () => secrets });
  const message = { headers: new Headers(delivery.headers), rawBody: delivery.body };
  return source.read({ ...PROGRAM, mode: more.mode ?? "test" }, message);
};

const event = (more: object = {}) => ({
  id: "evt_1",
  object: "event",
  type: "balance.available",
  livemode: false,
  api_version: "2019-01-01",
  data: { object: { object: "balance" } },
  ...more,
});

const signed = (value: object = event(), secret: string | readonly string[] = PLATFORM, atS = NOW_S) =>
  signBody(JSON.stringify(value), secret, atS);

const withHeader = (delivery: Delivery, header: string): Delivery => ({
  ...delivery,
  headers: { ...delivery.headers, "stripe-signature": header },
});

const headerOf = (delivery: Delivery): string => delivery.headers["stripe-signature"] ?? "";

describe("a message of Stripe's", () => {
  it.each([
    ["the platform's endpoint", PLATFORM],
    ["the endpoint for connected accounts", CONNECT],
  ])("is taken where it is signed for %s", async (_name, secret) => {
    expect(await read(await signed(event(), secret))).toEqual({ id: "evt_1", subjects: [] });
  });

  it("is taken while a secret is rolled, whichever of the two signed first", async () => {
    for (const secrets of [
      ["whsec_old", PLATFORM],
      [CONNECT, "whsec_new"],
    ])
      expect(await read(await signed(event(), secrets))).toMatchObject({ id: "evt_1" });
  });

  it("is taken under a replaced secret until its time is over", async () => {
    const retired = { value: "whsec_before", until: NOW + 1 };
    const secrets = { ...SECRETS, previousConnectWebhookSecret: retired };
    const delivery = await signed(event(), "whsec_before");
    expect(await read(delivery, { secrets })).toMatchObject({ id: "evt_1" });
    expect(await read(delivery, { secrets, now: NOW + 1 })).toBeUndefined();
  });

  it("is not believed under another secret, or where the program has none", async () => {
    const delivery = await signed(event(), "whsec_of_somebody_else");
    expect(await read(delivery)).toBeUndefined();
    for (const secrets of [
      undefined,
      { ...SECRETS, webhookSecret: null, connectWebhookSecret: null },
      { ...SECRETS, webhookSecret: "", connectWebhookSecret: " " },
    ])
      expect(await read(await signed(), { secrets })).toBeUndefined();
    const blank = { ...SECRETS, webhookSecret: " " };
    expect(await read(await signed(event(), " "), { secrets: blank })).toBeUndefined();
  });

  it("is not believed when a single byte of it is another", async () => {
    const delivery = await signed();
    expect(await read({ ...delivery, body: delivery.body.replace("evt_1", "evt_2") })).toBeUndefined();
    expect(await read({ ...delivery, body: `${delivery.body}\n` })).toBeUndefined();
    const [first = "", ...rest] = headerOf(delivery).split("v1=");
    const other = rest.join("v1=").replace(/^./, (digit) => (digit === "0" ? "1" : "0"));
    expect(await read(withHeader(delivery, `${first}v1=${other}`))).toBeUndefined();
  });

  it.each([
    [-300, true],
    [-301, false],
    [60, true],
    [61, false],
    [86_400, false],
  ])("signed %i s from now is taken: %s", async (offset, taken) => {
    const answer = await read(await signed(event(), PLATFORM, NOW_S + offset));
    expect(answer !== undefined).toBe(taken);
  });

  it("needs exactly one stamp of digits, and a signature", async () => {
    const delivery = await signed();
    const old = await signed(event(), PLATFORM, NOW_S - 10_000);
    const [stamp = "", signature = ""] = headerOf(delivery).split(",");
    const [, oldSignature = ""] = headerOf(old).split(",");
    for (const header of [
      "",
      stamp,
      signature,
      // Two stamps: the SDK signs the last one, and which one is fresh would be anybody's guess.
      `${stamp},${headerOf(old)}`,
      `t=${NOW_S - 10_000},${oldSignature},${stamp}`,
      `${headerOf(old)}, ${headerOf(delivery)}`,
      `${stamp},${stamp},${signature}`,
      `${stamp}, t=1,${signature}`,
      `t=${NOW_S}.0,${signature}`,
      `t=+${NOW_S},${signature}`,
      `t=0x${NOW_S.toString(16)},${signature}`,
      `t=${NOW_S}x,${signature}`,
      `t=,${signature}`,
      `${stamp},v1=`,
      `${stamp},${signature.toUpperCase()}`,
      `${stamp},${signature.replace("v1=", "v0=")}`,
      `${stamp},${signature},${"v1=0,".repeat(1_000)}`,
    ])
      expect(await read(withHeader(delivery, header)), header.slice(0, 80)).toBeUndefined();
    expect(await read(withHeader(delivery, `${stamp},v0=00,${signature}`))).toMatchObject({ id: "evt_1" });
  });

  it("of the other mode is none of the program's", async () => {
    const live = await signed(event({ livemode: true }), CONNECT);
    expect(await read(live)).toBeUndefined();
    expect(await read(live, { mode: "live" })).toMatchObject({ id: "evt_1" });
    expect(await read(await signed(), { mode: "live" })).toBeUndefined();
    expect(await read(await signed(event({ livemode: undefined })))).toBeUndefined();
    expect(await read(await signed(event({ livemode: "false" })))).toBeUndefined();
  });

  it("that is signed and no event is nothing", async () => {
    for (const body of [
      "",
      "null",
      "[]",
      "no json",
      JSON.stringify({ ...event(), object: "v2.core.event" }),
      JSON.stringify({ ...event(), id: 7 }),
      JSON.stringify({ ...event(), id: "po_1" }),
      JSON.stringify({ ...event(), id: `evt_${"1".repeat(300)}` }),
      JSON.stringify({ ...event(), padding: "x".repeat(300_000) }),
    ])
      expect(await read(await signBody(body, PLATFORM, NOW_S)), body.slice(0, 60)).toBeUndefined();
  });
});

const subjectsOf = async (value: object) => (await read(await signed(event(value), CONNECT)))?.subjects;

describe("what a message is about", () => {
  it.each(["transfer.created", "transfer.updated", "transfer.reversed"])(
    "%s: the payout that the transfer names, and the transfer",
    async (type) => {
      const object = { object: "transfer", id: "tr_1", transfer_group: PAYOUT };
      const both = [
        { kind: "payout", payoutId: PAYOUT },
        { kind: "provider_ref", ref: "tr_1" },
      ];
      expect(await subjectsOf({ type, data: { object } })).toEqual(both);
      const named = { ...object, transfer_group: null, metadata: { payout_id: PAYOUT } };
      expect(await subjectsOf({ type, data: { object: named } })).toEqual(both);
    },
  );

  it("a transfer of the merchant's own business: the transfer alone", async () => {
    const object = {
      object: "transfer",
      id: "tr_1",
      transfer_group: "ORDER-7",
      metadata: { payout_id: "7" },
    };
    expect(await subjectsOf({ type: "transfer.created", data: { object } })).toEqual([
      { kind: "provider_ref", ref: "tr_1" },
    ]);
  });

  it.each([
    ["account.updated", { object: "account", id: "acct_1" }],
    ["capability.updated", { object: "capability", id: "transfers", account: "acct_1" }],
    ["account.external_account.created", { object: "bank_account", id: "ba_1", account: "acct_1" }],
    ["account.external_account.deleted", { object: "card", id: "card_1", account: "acct_1" }],
  ])("%s: the account, named by the event or by its object", async (type, object) => {
    const account = [{ kind: "account", account: "acct_1" }];
    expect(await subjectsOf({ type, data: { object } })).toEqual(account);
    expect(await subjectsOf({ type, account: "acct_1", data: { object: {} } })).toEqual(account);
    expect(await subjectsOf({ type, data: { object: { object: "account", id: "ba_1" } } })).toEqual([]);
  });

  it("account.application.deauthorized: the account that the event names, never its application", async () => {
    const data = { object: { object: "application", id: "ca_1" } };
    const type = "account.application.deauthorized";
    expect(await subjectsOf({ type, account: "acct_1", data })).toEqual([
      { kind: "deauthorized", account: "acct_1" },
    ]);
    expect(await subjectsOf({ type, data })).toEqual([]);
  });

  it.each(["payout.paid", "account.application.authorized", "transfer.failed", "account.updated.more", "7"])(
    "%s: nothing that is asked about",
    async (type) => {
      const object = { object: "account", id: "acct_1" };
      expect(await subjectsOf({ type, account: "acct_1", data: { object } })).toEqual([]);
    },
  );

  it("a shape that nobody expects: nothing", async () => {
    for (const data of [null, [], "x", { object: null }, { object: [] }, undefined])
      for (const type of ["transfer.created", "account.updated", "account.application.deauthorized"])
        expect(await subjectsOf({ type, data })).toEqual([]);
  });

  it("every event that the simulated Stripe records on the way of a payment", async () => {
    const simulator = new StripeSimulator({ now: () => NOW });
    const account = String(simulator.seedAccount({ key: "sk_test_shop_1" }).id);
    const stripe = stripeOver(simulator);
    await stripe.transfers.create({
      amount: 100,
      currency: "usd",
      destination: account,
      transfer_group: PAYOUT,
    });
    simulator.seedAccount({ id: account, capabilities: { transfers: "inactive" } });
    simulator.deauthorize(account);
    const ids = simulator.events().map(({ id }) => id);
    const deliveries = await simulator.signedEvents(ids, CONNECT);
    const read_ = await Promise.all(deliveries.map((delivery) => read(delivery)));
    expect(read_.map((taken) => taken?.subjects.map(({ kind }) => kind))).toEqual([
      ["payout", "provider_ref"],
      ["account"],
      ["account"],
      ["deauthorized"],
    ]);
  });
});
