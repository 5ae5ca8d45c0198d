// The simulated PayPal answers in PayPal's shapes, pays once per sender_batch_id in 30 days, and lets items take their courses.

import { describe, expect, it } from "vitest";
import spec from "../fixtures/paypal/payouts-shapes.json" with { type: "json" };
import { PayPalSimulator, type SimulatorOptions } from "../simulators/paypal.ts";
import { type Schema, type Schemas, violations } from "../support/json-schema.ts";

const START = Date.UTC(2026, 10, 2, 9);
const DAY_MS = 86_400_000;
const schemas = spec.components.schemas as unknown as Schemas;
type Operation = { status: number; accepts?: Schema; query?: string[]; answers: Schema };
const paths = spec.paths as unknown as Record<string, Record<string, Operation>>;

const operation = (path: string, method: string): Operation => {
  const found = paths[path]?.[method];
  if (found === undefined) throw new Error(`${method} ${path} is not described`);
  return found;
};

/** PayPal's description requires a debug_id of every error; the errors of items come without one all the same. */
const strayFrom = (value: unknown, schema: Schema): string[] =>
  violations(value, schema, schemas).filter((found) => !found.endsWith(".errors.debug_id: is missing"));

type Loose = Record<string, unknown>;

async function fresh(options: SimulatorOptions = {}) {
  const clock = { ms: START };
  const simulator = new PayPalSimulator({ now: () => clock.ms, ...options });
  const token = await tokenOf(simulator, "shop");
  const ask = (method: string, path: string, body?: unknown, bearer = token) =>
    call(simulator, method, path, body, bearer);
  return { clock, simulator, ask };
}

async function tokenOf(simulator: PayPalSimulator, clientId: string, secret = "s"): Promise<string> {
  const response = await simulator.fetch(
    new Request("https://api-m.sandbox.paypal.com/v1/oauth2/token", {
      method: "POST",
      headers: { authorization: `Basic ${btoa(`${clientId}:${secret}`)}` },
      body: new URLSearchParams({ grant_type: "client_credentials" }),
    }),
  );
  return String(((await response.json()) as Loose)["access_token"]);
}

async function call(
  simulator: PayPalSimulator,
  method: string,
  path: string,
  body: unknown,
  bearer: string,
): Promise<{ status: number; body: Loose }> {
  const response = await simulator.fetch(
    new Request(`https://api-m.sandbox.paypal.com${path}`, {
      method,
      headers: {
        authorization: `Bearer ${bearer}`,
        "content-type": "application/json",
        "paypal-request-id": "the same for all",
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    }),
  );
  return { status: response.status, body: (await response.json()) as Loose };
}

const payout = (id: string, more: Loose = {}) => ({
  sender_batch_header: { sender_batch_id: id },
  items: [
    {
      recipient_type: "EMAIL",
      receiver: "payee@example.com",
      amount: { value: "12.34", currency: "USD" },
      sender_item_id: `item-${id}`,
      ...more,
    },
  ],
});

const batchIdIn = (body: Loose): string =>
  String((body["batch_header"] as Loose | undefined)?.["payout_batch_id"]);

describe("the simulated PayPal answers in PayPal's shapes", () => {
  it("fits the description for every object, in every course", async () => {
    const { simulator, ask } = await fresh();
    for (const course of ["success", "unclaimed", "onhold", "pending", "blocked", "failed", "denied"]) {
      simulator.setCourse({ course, times: 1 });
      const made = await ask("POST", "/v1/payments/payouts", payout(`b-${course}`));
      expect(made.status, course).toBe(201);
      const creation = operation("/v1/payments/payouts", "post");
      expect(strayFrom(payout(`b-${course}`), creation.accepts ?? {})).toEqual([]);
      expect(strayFrom(made.body, creation.answers), course).toEqual([]);
      const id = batchIdIn(made.body);
      const batch = await ask("GET", `/v1/payments/payouts/${id}?total_required=true`);
      expect(strayFrom(batch.body, operation("/v1/payments/payouts/{id}", "get").answers)).toEqual([]);
      const [item] = batch.body["items"] as Loose[];
      const shown = await ask("GET", `/v1/payments/payouts-item/${item?.["payout_item_id"]}`);
      const described = operation("/v1/payments/payouts-item/{payout_item_id}", "get");
      expect(strayFrom(shown.body, described.answers), course).toEqual([]);
      expect(shown.body["sender_batch_id"]).toBe(`b-${course}`);
    }
    for (const event of simulator.events())
      expect(strayFrom(event, schemas["event"] ?? {}), event.event_type).toEqual([]);
    expect([...new Set(simulator.events().map((event) => event.event_type))].sort()).toEqual([
      "PAYMENT.PAYOUTS-ITEM.BLOCKED",
      "PAYMENT.PAYOUTS-ITEM.FAILED",
      "PAYMENT.PAYOUTS-ITEM.HELD",
      "PAYMENT.PAYOUTS-ITEM.SUCCEEDED",
      "PAYMENT.PAYOUTS-ITEM.UNCLAIMED",
      "PAYMENT.PAYOUTSBATCH.DENIED",
      "PAYMENT.PAYOUTSBATCH.PROCESSING",
      "PAYMENT.PAYOUTSBATCH.SUCCESS",
    ]);
  });

  it("says nothing in an item or a header that PayPal does not say", async () => {
    const { simulator, ask } = await fresh();
    simulator.setCourse({ course: "unclaimed" });
    const id = batchIdIn((await ask("POST", "/v1/payments/payouts", payout("b1"))).body);
    const { body } = await ask("GET", `/v1/payments/payouts/${id}`);
    const known = (schema: string) => Object.keys(schemas[schema]?.properties ?? {});
    const strangers = (value: unknown, schema: string) =>
      Object.keys(value as Loose).filter((name) => !known(schema).includes(name));
    const [item] = body["items"] as Loose[];
    expect(strangers(body, "payout_batch")).toEqual([]);
    expect(strangers(body["batch_header"], "payout_batch_header")).toEqual([]);
    expect(strangers(item, "payout_batch_items")).toEqual([]);
    expect(strangers(item?.["payout_item"], "payout_item_detail")).toEqual([]);
    expect(item).toMatchObject({
      transaction_status: "UNCLAIMED",
      errors: { name: "RECEIVER_UNREGISTERED" },
      payout_item: { receiver: "payee@example.com", amount: { value: "12.34", currency: "USD" } },
    });
  });

  it("refuses in PayPal's shape whatever it does not know or take, and pays nobody", async () => {
    const { simulator, ask } = await fresh();
    const wrong: [string, unknown][] = [
      ["malformed", "{"],
      ["no items", { sender_batch_header: {}, items: [] }],
      ["unknown field", { ...payout("w"), colour: "red" }],
      ["unknown field in an item", payout("w", { colour: "red" })],
      ["no receiver", payout("w", { receiver: undefined })],
      ["a receiver that is no address", payout("w", { receiver: "payee" })],
      ["a number for an amount", payout("w", { amount: { value: 12.34, currency: "USD" } })],
      ["three decimals", payout("w", { amount: { value: "1.234", currency: "USD" } })],
      ["decimals of a currency without", payout("w", { amount: { value: "12.00", currency: "JPY" } })],
      ["decimals of forints", payout("w", { amount: { value: "10.50", currency: "HUF" } })],
      ["nothing", payout("w", { amount: { value: "0.00", currency: "USD" } })],
      ["another currency", payout("w", { amount: { value: "1.00", currency: "KWD" } })],
      ["a long item id", payout("w", { sender_item_id: "x".repeat(64) })],
      ["a long batch id", payout("x".repeat(257))],
      ["one item id twice", { ...payout("w"), items: [...payout("w").items, ...payout("w").items] }],
    ];
    for (const [what, body] of wrong) {
      const answer = await ask("POST", "/v1/payments/payouts", body);
      expect(answer, what).toMatchObject({ status: 400, body: { name: "VALIDATION_ERROR" } });
      expect(strayFrom(answer.body, schemas["error"] ?? {}), what).toEqual([]);
    }
    expect(simulator.payouts()).toEqual([]);
  });
});

describe("the simulated PayPal pays", () => {
  it("once per sender_batch_id in 30 days, with a link to the first; after that a second time", async () => {
    const { clock, simulator, ask } = await fresh();
    const first = batchIdIn((await ask("POST", "/v1/payments/payouts", payout("b1"))).body);
    const again = await ask("POST", "/v1/payments/payouts", payout("b1"));
    expect(again).toMatchObject({
      status: 400,
      body: {
        name: "USER_BUSINESS_ERROR",
        details: [
          {
            issue: "Batch with given sender_batch_id already exists",
            link: [{ href: `https://api.sandbox.paypal.com/v1/payments/payouts/${first}`, rel: "self" }],
          },
        ],
      },
    });
    clock.ms += 30 * DAY_MS - 1;
    expect(
      (await ask("POST", "/v1/payments/payouts", payout("b1"), await tokenOf(simulator, "shop"))).status,
    ).toBe(400);
    expect(simulator.received("payee@example.com", "USD")).toBe(1_234);
    clock.ms += 1;
    const late = await ask("POST", "/v1/payments/payouts", payout("b1"), await tokenOf(simulator, "shop"));
    expect(late.status).toBe(201);
    expect(simulator.payouts("b1")).toHaveLength(2);
    expect(simulator.received("payee@example.com", "USD")).toBe(2_468);
  });

  it("whatever the PayPal-Request-Id is: only the sender_batch_id keeps it from paying twice", async () => {
    const { simulator, ask } = await fresh();
    await ask("POST", "/v1/payments/payouts", payout("b1"));
    await ask("POST", "/v1/payments/payouts", payout("b2"));
    expect(simulator.payouts()).toHaveLength(2);
  });

  it("takes the money when it is asked, gives it back where an item fails, and refuses without money", async () => {
    const { simulator, ask } = await fresh();
    simulator.setBalance({ currency: "USD", amount: 3_000 });
    simulator.setCourse({ course: "failed", times: 1 });
    await ask("POST", "/v1/payments/payouts", payout("b1"));
    expect(simulator.available("shop", "USD")).toBe(3_000);
    await ask("POST", "/v1/payments/payouts", payout("b2"));
    expect(simulator.available("shop", "USD")).toBe(1_766);
    await ask("POST", "/v1/payments/payouts", payout("b3"));
    expect(await ask("POST", "/v1/payments/payouts", payout("b4"))).toMatchObject({
      status: 422,
      body: { name: "INSUFFICIENT_FUNDS" },
    });
    expect(simulator.received("payee@example.com", "USD")).toBe(2_468);
  });

  it("keeps apps apart: another app's token sees nothing", async () => {
    const { simulator, ask } = await fresh();
    const id = batchIdIn((await ask("POST", "/v1/payments/payouts", payout("b1"))).body);
    const other = await tokenOf(simulator, "other");
    expect((await ask("GET", `/v1/payments/payouts/${id}`, undefined, other)).status).toBe(404);
    expect((await ask("POST", "/v1/payments/payouts", payout("b1"), other)).status).toBe(201);
  });

  it("gives tokens that end, to apps whose secret it knows, and for what the app may do", async () => {
    const { clock, simulator, ask } = await fresh();
    expect(await tokenOf(simulator, "shop", "wrong")).toBe("undefined");
    expect((await ask("GET", "/v1/payments/payouts/X")).status).toBe(404);
    clock.ms += 32_400_000;
    expect((await ask("GET", "/v1/payments/payouts/X")).status).toBe(401);
    simulator.seedApp({ client_id: "poor", client_secret: "s", scopes: ["openid"] });
    const poor = await tokenOf(simulator, "poor");
    expect(await ask("POST", "/v1/payments/payouts", payout("b1"), poor)).toMatchObject({
      status: 403,
      body: { name: "REQUIRED_SCOPE_MISSING" },
    });
  });

  it("sends back after 30 days what nobody claimed, and lets a claim or a cancellation come first", async () => {
    const { clock, simulator, ask } = await fresh();
    simulator.setCourse({ course: "unclaimed" });
    const before = simulator.available("shop", "USD");
    for (const id of ["b1", "b2", "b3"]) await ask("POST", "/v1/payments/payouts", payout(id));
    const [waits, claimed, cancelled] = simulator.items();
    simulator.moveItem(claimed?.payout_item_id ?? "", "SUCCESS");
    const cancel = `/v1/payments/payouts-item/${cancelled?.payout_item_id}/cancel`;
    expect((await ask("POST", cancel)).body).toMatchObject({ transaction_status: "RETURNED" });
    expect((await ask("POST", cancel)).body).toMatchObject({ name: "ITEM_ALREADY_CANCELLED" });
    clock.ms += 30 * DAY_MS;
    expect(simulator.items(waits?.payout_item?.sender_item_id)).toMatchObject([
      { transaction_status: "RETURNED" },
    ]);
    expect(simulator.received("payee@example.com", "USD")).toBe(1_234);
    expect(simulator.available("shop", "USD")).toBe(before - 1_234);
    expect(simulator.events("PAYMENT.PAYOUTS-ITEM.RETURNED")).toHaveLength(1);
    expect(simulator.events("PAYMENT.PAYOUTS-ITEM.CANCELED")).toHaveLength(1);
  });

  it("says of a delivery whether it is its own, for that webhook and app, and only as it was sent", async () => {
    const { simulator, ask } = await fresh();
    await ask("POST", "/v1/payments/payouts", payout("b1"));
    const [event] = simulator.events("PAYMENT.PAYOUTS-ITEM.SUCCEEDED");
    const { headers, body } = await simulator.signedEvent(event?.id ?? "", "WEBHOOK1");
    const question = (raw: string, webhookId = "WEBHOOK1") =>
      `{"auth_algo":"SHA256withRSA","webhook_event": ${raw} ,"cert_url":${JSON.stringify(headers["paypal-cert-url"])},` +
      `"transmission_id":"${headers["paypal-transmission-id"]}","transmission_sig":"${headers["paypal-transmission-sig"]}",` +
      `"transmission_time":"${headers["paypal-transmission-time"]}","webhook_id":"${webhookId}"}`;
    const path = "/v1/notifications/verify-webhook-signature";
    const verdict = async (text: string, bearer?: string) =>
      (await ask("POST", path, text, bearer)).body["verification_status"];
    const described = operation(path, "post");
    expect(violations(JSON.parse(question(body)), described.accepts ?? {}, schemas)).toEqual([]);
    expect(violations((await ask("POST", path, question(body))).body, described.answers, schemas)).toEqual(
      [],
    );
    expect(await verdict(question(body))).toBe("SUCCESS");
    expect(await verdict(question(JSON.stringify(JSON.parse(body))))).toBe("FAILURE");
    expect(await verdict(question(body.replace("SUCCEEDED", "RETURNED")))).toBe("FAILURE");
    expect(await verdict(question(body, "WEBHOOK2"))).toBe("FAILURE");
    expect(await verdict(question(body), await tokenOf(simulator, "other"))).toBe("FAILURE");
    expect((await ask("POST", path, "{}")).body).toMatchObject({ name: "VALIDATION_ERROR" });
  });
});
