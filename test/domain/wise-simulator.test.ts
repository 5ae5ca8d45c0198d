// The simulated Wise answers, lists, takes money and announces as Wise's description and pages say.

import { createVerify } from "node:crypto";
import { describe, expect, it } from "vitest";
import spec from "../fixtures/wise/transfer-shapes.json" with { type: "json" };
import { type Status, WiseSimulator } from "../simulators/wise.ts";
import { callWise, ordered, TOKEN } from "../simulators/wise-caller.ts";
import { type Schema, type Schemas, violations } from "../support/json-schema.ts";

const NOON = Date.UTC(2026, 10, 1, 12);
const DAY_MS = 86_400_000;
const schemas = spec.components.schemas as unknown as Schemas;
type Operation = { accepts: string[]; answers: Schema; body?: Schema };
const paths = spec.paths as unknown as Record<string, Record<string, Operation>>;

const operation = (path: string, method: string): Operation => {
  const found = paths[`/2026Q3${path}`]?.[method];
  if (found === undefined) throw new Error(`${method} ${path} is not described`);
  return found;
};

function fresh(country = "US") {
  const clock = { ms: NOON };
  const simulator = new WiseSimulator({ now: () => clock.ms });
  const { id: profile } = simulator.seedProfile({ token: TOKEN, country });
  const call = (method: string, path: string, body?: unknown, token?: string) =>
    callWise(simulator, method, path, body, token);
  return { clock, simulator, profile, call };
}

type Fields = Record<string, unknown> & { id: number };

async function made(country?: string, more: Parameters<typeof ordered>[2] = {}) {
  const world = fresh(country);
  const { order, quote, recipient } = await ordered(world.simulator, world.profile, more);
  const answer = await world.call("POST", "/transfers", order);
  const transfer = answer.body as Fields;
  const fund = () =>
    world.call("POST", `/profiles/${world.profile}/transfers/${transfer.id}/payments`, { type: "BALANCE" });
  return { ...world, order, quote, recipient, answer, transfer, fund };
}

const status = async ({ call, transfer }: Awaited<ReturnType<typeof made>>) =>
  ((await call("GET", `/transfers/${transfer.id}`)).body as Fields).status;

describe("the simulated Wise answers in Wise's shapes", () => {
  it("fits the description for everything it makes and is asked for", async () => {
    const { call, profile, order, quote, recipient, answer, transfer, fund } = await made();
    const funded = await fund();
    const answers = [
      [recipient, "/accounts", "post"],
      [quote, "/profiles/{profileId}/quotes", "post"],
      [answer, "/transfers", "post"],
      [funded, "/profiles/{profileId}/transfers/{transferId}/payments", "post"],
      [await call("GET", "/profiles"), "/profiles", "get"],
      [await call("GET", `/accounts?profileId=${profile}`), "/accounts", "get"],
      [
        await call("GET", `/profiles/${profile}/quotes/${order.quoteUuid}`),
        "/profiles/{profileId}/quotes/{quoteId}",
        "get",
      ],
      [await call("GET", `/transfers?profile=${profile}`), "/transfers", "get"],
      [await call("GET", `/transfers/${transfer.id}`), "/transfers/{transferId}", "get"],
      [await call("GET", `/transfers/${transfer.id}/payments`), "/transfers/{transferId}/payments", "get"],
      [await call("PUT", `/transfers/${transfer.id}/cancel`), "/transfers/{transferId}/cancel", "put"],
    ] as const;
    for (const [reply, path, method] of answers) {
      expect(reply.status, path).toBeLessThan(300);
      expect(violations(reply.body, operation(path, method).answers, schemas), `${method} ${path}`).toEqual(
        [],
      );
    }
  });

  it("refuses in the shape of Wise's errors", async () => {
    const { call, profile, order } = await made();
    const shape = schemas["ClientErrorDetail"] ?? {};
    const refusals = [
      await call("POST", "/transfers", { ...order, customerTransactionId: "no uuid" }),
      await call("POST", `/profiles/${profile}/quotes`, { sourceCurrency: "USD", targetCurrency: "XYZ" }),
      await call("POST", `/profiles/${profile}/quotes`, {
        sourceCurrency: "JPY",
        targetCurrency: "EUR",
        sourceAmount: 10.5,
      }),
      await call("POST", "/accounts", {
        profile,
        accountHolderName: "Ada",
        currency: "EUR",
        type: "email",
        details: { email: "ada@example.com" },
      }),
    ];
    for (const { status: code, body } of refusals) {
      expect([400, 422]).toContain(code);
      const { errors } = body as { errors: unknown[] };
      expect(errors.flatMap((error) => violations(error, shape, schemas))).toEqual([]);
    }
    expect(await call("GET", "/profiles", undefined, "another-token")).toMatchObject({
      status: 401,
      body: { error: "invalid_token" },
    });
    expect((await call("GET", "/nowhere")).status).toBe(404);
  });
});

describe("the simulated Wise makes transfers", () => {
  it("makes one per customerTransactionId, and answers a repeat with what became of it", async () => {
    const world = await made();
    await world.fund();
    const again = await world.call("POST", "/transfers", world.order);
    expect(again).toMatchObject({ status: 200, body: { id: world.transfer.id, status: "processing" } });
    expect(world.simulator.transfers()).toHaveLength(1);
  });

  it("makes one per quote, and none once 30 minutes have passed", async () => {
    const { clock, simulator, profile, call, order } = await made();
    const other = { ...order, customerTransactionId: "54a6bc09-cef9-59a8-9041-f1f0c654cd89" };
    expect(await call("POST", "/transfers", other)).toMatchObject({
      status: 422,
      body: { errors: [{ code: "error.quote.used" }] },
    });
    const later = await ordered(simulator, profile, { uuid: "54a6bc09-cef9-59a8-9041-f1f0c654cd8a" });
    clock.ms += 30 * 60_000;
    expect(await call("POST", "/transfers", later.order)).toMatchObject({
      status: 422,
      body: { errors: [{ code: "error.quote.expired" }] },
    });
    expect((await call("POST", "/transfers", order)).status).toBe(200);
    simulator.configure({ repeatsAfterExpiry: false });
    expect((await call("POST", "/transfers", order)).status).toBe(422);
    expect(simulator.transfers()).toHaveLength(1);
  });

  it("says of a quote what became of it", async () => {
    const { clock, simulator, profile, call, order, fund } = await made();
    const statusOf = async (id: string) =>
      ((await call("GET", `/profiles/${profile}/quotes/${id}`)).body as { status: string }).status;
    expect(await statusOf(order.quoteUuid)).toBe("ACCEPTED");
    await fund();
    expect(await statusOf(order.quoteUuid)).toBe("FUNDED");
    const { order: unused } = await ordered(simulator, profile);
    expect(await statusOf(unused.quoteUuid)).toBe("PENDING");
    clock.ms += 31 * 60_000;
    expect(await statusOf(unused.quoteUuid)).toBe("EXPIRED");
    clock.ms += 3 * DAY_MS;
    expect((await call("GET", `/profiles/${profile}/quotes/${unused.quoteUuid}`)).status).toBe(404);
  });

  it("walks every page newest first, by dates, state and currencies, for one profile", async () => {
    const { clock, simulator, profile, call } = fresh();
    for (let n = 0; n < 12; n += 1) {
      clock.ms += 60_000;
      const uuid = `54a6bc09-cef9-59a8-9041-0000000000${String(n).padStart(2, "0")}`;
      const { order } = await ordered(simulator, profile, { uuid });
      await call("POST", "/transfers", order);
    }
    const { id: other } = simulator.seedProfile({ token: TOKEN });
    const ids = async (query: string) =>
      ((await call("GET", `/transfers?profile=${profile}${query}`)).body as Fields[]).map(({ id }) => id);
    const all = simulator.transfers().map(({ id }) => id);
    const newest = all.toReversed();
    expect(await ids("")).toEqual(newest.slice(0, 10));
    expect([...(await ids("&limit=5")), ...(await ids("&limit=5&offset=5"))]).toEqual(newest.slice(0, 10));
    expect(await ids("&limit=5&offset=12")).toEqual([]);
    const at = (n: number) => new Date(NOON + n * 60_000).toISOString();
    expect(await ids(`&createdDateStart=${at(3)}&createdDateEnd=${at(5)}`)).toEqual(
      all.slice(2, 5).toReversed(),
    );
    simulator.setStatus(all[0] ?? 0, "cancelled");
    expect(await ids("&status=cancelled")).toEqual([all[0]]);
    expect(await ids("&sourceCurrency=GBP")).toEqual([]);
    expect((await call("GET", `/transfers?profile=${other}`)).body).toEqual([]);
    expect((await call("GET", "/transfers?profile=1")).status).toBe(404);
    simulator.configure({ pageMax: 3 });
    expect(await ids("&limit=100")).toHaveLength(3);
  });

  it("shows a transfer by its id before the list does where a fault says so", async () => {
    const { clock, simulator, profile, call } = fresh();
    simulator.addFault({ fault: "list_lag", delay_ms: 60_000 });
    const { order } = await ordered(simulator, profile);
    const { body } = await call("POST", "/transfers", order);
    expect((await call("GET", `/transfers?profile=${profile}`)).body).toEqual([]);
    expect((await call("GET", `/transfers/${(body as Fields).id}`)).status).toBe(200);
    clock.ms += 60_000;
    expect((await call("GET", `/transfers?profile=${profile}`)).body).toHaveLength(1);
  });
});

describe("the simulated Wise takes and gives back money", () => {
  it("takes what the quote says, once, and converts what is left without the fee", async () => {
    const world = await made("US", { sourceAmount: 100 });
    const { simulator, profile, transfer } = world;
    simulator.setBalance({ profile, currency: "USD", amount: 150 });
    expect(await world.fund()).toMatchObject({ status: 201, body: { status: "COMPLETED", errorCode: null } });
    expect(simulator.balance(profile, "USD")).toBe(50);
    const { sourceValue, rate, targetValue } = transfer as unknown as Record<string, number>;
    expect(sourceValue).toBe(99.5);
    expect(targetValue).toBeCloseTo((sourceValue ?? 0) * (rate ?? 0), 2);
    expect(await world.fund()).toMatchObject({
      status: 422,
      body: { errors: [{ code: "transfer.invalid-state" }] },
    });
    expect(simulator.balance(profile, "USD")).toBe(50);
    expect(simulator.funded()).toMatchObject([{ id: transfer.id, paid: 100, payments: 1 }]);
  });

  it("rejects what the balance does not cover, in either of the ways that Wise shows", async () => {
    const world = await made();
    const { simulator, profile } = world;
    simulator.setBalance({ profile, currency: "USD", amount: 99.99 });
    expect(await world.fund()).toMatchObject({
      status: 201,
      body: { status: "REJECTED", errorCode: "transfer.insufficient_funds" },
    });
    simulator.configure({
      rejection: { status: 422, error_code: "balance.payment-option-unavailable" },
    });
    expect(await world.fund()).toMatchObject({
      status: 422,
      body: { status: "REJECTED", errorCode: "balance.payment-option-unavailable" },
    });
    expect(await status(world)).toBe("incoming_payment_waiting");
    expect(simulator.funded()).toEqual([]);
  });

  it("lets a token of an EU profile make transfers, and only a person pay for them", async () => {
    const world = await made("DE");
    const refused = await world.fund();
    expect(refused).toMatchObject({ status: 403, body: { error: "unauthorized" } });
    expect(refused.headers.get("x-2fa-approval-result")).toBe("REJECTED");
    expect(world.simulator.funded()).toEqual([]);
    world.simulator.payByHand(world.transfer.id);
    expect(await status(world)).toBe("processing");
  });

  it("cancels what is not converted yet, and by itself what nobody pays for in 14 days", async () => {
    const world = await made();
    expect(await world.call("PUT", `/transfers/${world.transfer.id}/cancel`)).toMatchObject({
      status: 200,
      body: { status: "cancelled" },
    });
    expect(await world.call("PUT", `/transfers/${world.transfer.id}/cancel`)).toMatchObject({
      status: 409,
      body: { errors: [{ code: "transfer.cancellation.not.allowed" }] },
    });
    expect((await world.fund()).status).toBe(422);
    const idle = await made();
    idle.clock.ms += 14 * DAY_MS - 1;
    expect(await status(idle)).toBe("incoming_payment_waiting");
    idle.clock.ms += 1;
    expect(await status(idle)).toBe("cancelled");
  });

  it("gives a bounced payment back once it is refunded, however often that is said", async () => {
    const world = await made();
    const { simulator, profile, transfer } = world;
    simulator.setBalance({ profile, currency: "USD", amount: 100 });
    await world.fund();
    const course: Status[] = ["funds_converted", "outgoing_payment_sent", "bounced_back", "processing"];
    simulator.setStatus(transfer.id, ...course, "cancelled");
    expect(simulator.balance(profile, "USD")).toBe(0);
    simulator.setStatus(transfer.id, "funds_refunded", "funds_refunded");
    expect(simulator.balance(profile, "USD")).toBe(100);
    expect(simulator.transfers()[0]?.course).toEqual([
      "incoming_payment_waiting",
      "processing",
      ...course,
      "cancelled",
      "funds_refunded",
    ]);
    expect(() => simulator.setStatus(transfer.id, "gone" as Status)).toThrow(RangeError);
  });

  it("sends by itself where it is told how long that takes", async () => {
    const clock = { ms: NOON };
    const simulator = new WiseSimulator({ now: () => clock.ms, courseMs: 60_000 });
    const { id: profile } = simulator.seedProfile({ token: TOKEN });
    const { order } = await ordered(simulator, profile);
    const { body } = await callWise(simulator, "POST", "/transfers", order);
    const { id } = body as Fields;
    await callWise(simulator, "POST", `/profiles/${profile}/transfers/${id}/payments`, { type: "BALANCE" });
    clock.ms += 59_999;
    expect(simulator.transfers()[0]?.status).toBe("processing");
    clock.ms += 1;
    expect(simulator.transfers()[0]?.status).toBe("outgoing_payment_sent");
  });
});

describe("the simulated Wise announces", () => {
  it("every change of state, the refund and the failure apart, in Wise's own shapes", async () => {
    const world = await made();
    await world.fund();
    const { simulator, transfer, profile } = world;
    simulator.advance(transfer.id);
    simulator.advance(transfer.id);
    expect(() => simulator.advance(transfer.id)).toThrow(RangeError);
    simulator.setStatus(transfer.id, "bounced_back", "funds_refunded");
    const told = simulator.events("transfers#state-change").map(({ data }) => data);
    expect(told).toMatchObject(
      [
        [null, "incoming_payment_waiting"],
        ["incoming_payment_waiting", "processing"],
        ["processing", "funds_converted"],
        ["funds_converted", "outgoing_payment_sent"],
        ["outgoing_payment_sent", "bounced_back"],
        ["bounced_back", "funds_refunded"],
      ].map(([previous_state, current_state]) => ({
        previous_state,
        current_state,
        resource: { type: "transfer", id: transfer.id, profile_id: profile },
      })),
    );
    expect(simulator.events("transfers#refund")).toMatchObject([
      { data: { resource: { refund_amount: 100, refund_currency: "USD" } } },
    ]);
    expect(simulator.events("transfers#payout-failure")).toMatchObject([
      { data: { transfer_id: transfer.id, profile_id: profile } },
    ]);
  });

  it("signs each delivery with its one key over the very bytes, under an id of the delivery's own", async () => {
    const { simulator } = await made();
    const ids = simulator.events().map(({ id }) => id);
    const deliveries = await simulator.signedEvents(ids, { copies: 2 });
    expect(deliveries).toHaveLength(2);
    expect(new Set(deliveries.map(({ headers }) => headers["x-delivery-id"])).size).toBe(2);
    const pem = await simulator.publicKeyPem();
    const isGenuine = (body: string, signature = "") =>
      createVerify("RSA-SHA256").update(body).verify(pem, signature, "base64");
    for (const { body, headers } of deliveries) {
      expect(isGenuine(body, headers["x-signature-sha256"])).toBe(true);
      expect(isGenuine(`${body} `, headers["x-signature-sha256"])).toBe(false);
      expect(JSON.parse(body)).toMatchObject({
        event_type: "transfers#state-change",
        schema_version: "4.0.0",
        sent_at: "2026-11-01T12:00:00.000Z",
      });
    }
    expect(await WiseSimulator.fromJSON(JSON.parse(JSON.stringify(simulator))).publicKeyPem()).toBe(pem);
  });
});
