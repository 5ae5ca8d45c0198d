// PayPal's messages: only what PayPal itself calls its own is read, byte by byte, and only for what it is about.

import { describe, expect, it } from "vitest";
import { paypalInbound } from "../../src/rails/paypal-events.ts";
import type { Delivery } from "../simulators/paypal.ts";
import { DAY_MS, paypalScene, type SceneOptions, WEBHOOK_ID } from "../simulators/paypal-scene.ts";

const VERIFY = "POST /v1/notifications/verify-webhook-signature";

async function scene(options: SceneOptions = {}) {
  const made = paypalScene(options);
  const inbound = paypalInbound(made.ports);
  const read = ({ headers, body }: Delivery) =>
    inbound.read(made.program, { headers: new Headers(headers), rawBody: body });
  const deliveryOf = async (type: string, more: { webhookId?: string; sentAt?: number } = {}) => {
    const [event] = made.simulator.events(type);
    if (event === undefined) throw new Error(`no event ${type}`);
    const { webhookId = WEBHOOK_ID, ...rest } = more;
    return { id: event.id, delivery: await made.simulator.signedEvent(event.id, webhookId, rest) };
  };
  return { ...made, read, deliveryOf };
}

describe("a message of PayPal", () => {
  it("about an item names the attempt and the batch", async () => {
    const { sent, read, deliveryOf } = await scene();
    const attempt = await sent();
    const { id, delivery } = await deliveryOf("PAYMENT.PAYOUTS-ITEM.SUCCEEDED");
    expect(await read(delivery)).toEqual({
      id,
      subjects: [
        { kind: "attempt", attemptId: attempt.id },
        { kind: "provider_ref", ref: attempt.providerRef },
      ],
    });
  });

  it("about a batch names the payout and the batch", async () => {
    const { sent, read, deliveryOf } = await scene();
    const attempt = await sent();
    for (const type of ["PROCESSING", "SUCCESS"]) {
      const { id, delivery } = await deliveryOf(`PAYMENT.PAYOUTSBATCH.${type}`);
      expect(await read(delivery)).toEqual({
        id,
        subjects: [
          { kind: "payout", payoutId: attempt.payoutId },
          { kind: "provider_ref", ref: attempt.providerRef },
        ],
      });
    }
  });

  it("is the same event again however often and in whatever order it comes", async () => {
    const { simulator, sent, read } = await scene();
    await sent();
    const ids = simulator.events().map((event) => event.id);
    const deliveries = await simulator.signedEvents(ids.toReversed(), WEBHOOK_ID, { copies: 2 });
    const seen = await Promise.all(deliveries.map(read));
    expect(seen.map((event) => event?.id)).toEqual(ids.toReversed().flatMap((id) => [id, id]));
  });

  it("is asked about with the event as it came: written anew it would not be PayPal's", async () => {
    const { asked, sent, read, deliveryOf } = await scene();
    await sent();
    const { delivery } = await deliveryOf("PAYMENT.PAYOUTS-ITEM.SUCCEEDED");
    expect(JSON.stringify(JSON.parse(delivery.body))).not.toBe(delivery.body);
    const before = asked.length;
    expect(await read(delivery)).toBeDefined();
    const [question, ...more] = asked.slice(before);
    expect(more).toEqual([]);
    const text = (await question?.text()) ?? "";
    expect(text.endsWith(`,"webhook_event":${delivery.body}}`)).toBe(true);
    expect(JSON.parse(text)).toMatchObject({
      webhook_id: WEBHOOK_ID,
      auth_algo: "SHA256withRSA",
      transmission_id: delivery.headers["paypal-transmission-id"],
    });
  });

  it.each<[string, (delivery: Delivery) => Delivery]>([
    ["its body was changed", (d) => ({ ...d, body: d.body.replace("SUCCEEDED", "RETURNED") })],
    ["its body was written anew", (d) => ({ ...d, body: JSON.stringify(JSON.parse(d.body)) })],
    ["something was put beside it", (d) => ({ ...d, body: `${d.body},"webhook_id":"${WEBHOOK_ID}"` })],
    ["its signature is another's", (d) => with_(d, "paypal-transmission-sig", "Simulated")],
    ["its transmission is another", (d) => with_(d, "paypal-transmission-id", "another")],
  ])("is not believed where %s", async (_what, change) => {
    const { sent, read, deliveryOf } = await scene();
    await sent();
    const { delivery } = await deliveryOf("PAYMENT.PAYOUTS-ITEM.SUCCEEDED");
    expect(await read(change(delivery))).toBeUndefined();
    expect(await read(delivery)).toBeDefined();
  });

  it.each<[string, (delivery: Delivery) => Delivery]>([
    ["it is no JSON", (d) => ({ ...d, body: "{" })],
    ["it is a list", (d) => ({ ...d, body: "[]" })],
    ["it has no id", (d) => ({ ...d, body: "{}" })],
    ["its id is endless", (d) => ({ ...d, body: `{"id":"${"x".repeat(101)}"}` })],
    ["a header is missing", (d) => without(d, "paypal-transmission-sig")],
    ["a header is endless", (d) => with_(d, "paypal-transmission-sig", "x".repeat(501))],
    ["its time is none", (d) => with_(d, "paypal-transmission-time", "yesterday")],
    ["its certificate is not PayPal's", (d) => with_(d, "paypal-cert-url", "https://paypal.com.evil.test/c")],
    ["its certificate is no web address", (d) => with_(d, "paypal-cert-url", "file:///etc/passwd")],
    ["its certificate is not on https", (d) => with_(d, "paypal-cert-url", "http://api.paypal.com/c")],
  ])("is not even asked about where %s", async (_what, change) => {
    const { simulator, sent, read, deliveryOf } = await scene();
    await sent();
    const { delivery } = await deliveryOf("PAYMENT.PAYOUTS-ITEM.SUCCEEDED");
    expect(await read(change(delivery))).toBeUndefined();
    expect(simulator.requests()[VERIFY]).toBeUndefined();
  });

  it("is believed days later, and not from the future", async () => {
    const { clock, sent, read, deliveryOf } = await scene();
    await sent();
    const type = "PAYMENT.PAYOUTS-ITEM.SUCCEEDED";
    const ahead = await deliveryOf(type, { sentAt: clock.ms + 6 * 60_000 });
    expect(await read(ahead.delivery)).toBeUndefined();
    const late = await deliveryOf(type);
    clock.ms += 3 * DAY_MS;
    expect(await read(late.delivery)).toBeDefined();
    expect(await read(ahead.delivery)).toBeDefined();
  });

  it("signed for another webhook, or where none is stored, is not believed", async () => {
    const made = await scene();
    await made.sent();
    const type = "PAYMENT.PAYOUTS-ITEM.SUCCEEDED";
    expect(
      await made.read((await made.deliveryOf(type, { webhookId: "ANOTHER1" })).delivery),
    ).toBeUndefined();
    made.stored.secrets = { ...made.stored.secrets, webhookId: null };
    expect(await made.read((await made.deliveryOf(type)).delivery)).toBeUndefined();
    expect(made.simulator.requests()[VERIFY]).toBe(1);
  });

  it("is not believed where PayPal finds the question itself wrong", async () => {
    const made = await scene();
    await made.sent();
    const { delivery } = await made.deliveryOf("PAYMENT.PAYOUTS-ITEM.SUCCEEDED");
    const http = async (request: Request) =>
      request.url.endsWith("/verify-webhook-signature")
        ? Response.json({ name: "VALIDATION_ERROR", message: "m", debug_id: "d" }, { status: 400 })
        : made.ports.http(request);
    const inbound = paypalInbound({ ...made.ports, http });
    const message = { headers: new Headers(delivery.headers), rawBody: delivery.body };
    expect(await inbound.read(made.program, message)).toBeUndefined();
  });

  it.each([
    "drop_before_work",
    "html_502",
    "empty_503",
    "garbage_200",
    "rate_limit_429",
    "redirect_302",
  ] as const)(
    "throws where PayPal cannot be asked about it (%s), so that it is sent again",
    async (fault) => {
      const { simulator, sent, read, deliveryOf } = await scene();
      await sent();
      const { delivery } = await deliveryOf("PAYMENT.PAYOUTS-ITEM.SUCCEEDED");
      simulator.addFault({ fault, match: { path: "/v1/notifications/" } });
      await expect(read(delivery)).rejects.toMatchObject({ retryAfterS: 30 });
      expect(await read(delivery)).toBeDefined();
    },
  );

  it("throws where the program's address may not see its secrets", async () => {
    const live = await scene({ mode: "live", apiBase: "http://127.0.0.1:9" });
    const other = await scene();
    await other.sent();
    const { delivery } = await other.deliveryOf("PAYMENT.PAYOUTS-ITEM.SUCCEEDED");
    await expect(live.read(delivery)).rejects.toThrow("PAYPAL_API_BASE");
    expect(live.asked).toEqual([]);
  });

  it("about a payment that was not made here names the batch alone, and other events name nothing", async () => {
    const { ports, program } = await scene();
    const http = async (request: Request) =>
      request.url.endsWith("/token")
        ? Response.json({ access_token: "t", token_type: "Bearer", expires_in: 60, scope: "" })
        : Response.json({ verification_status: "SUCCESS" });
    const inbound = paypalInbound({ ...ports, http });
    const headers = new Headers({
      "paypal-auth-algo": "SHA256withRSA",
      "paypal-cert-url": "https://api.paypal.com/c",
      "paypal-transmission-id": "t1",
      "paypal-transmission-sig": "s1",
      "paypal-transmission-time": new Date(ports.now()).toISOString(),
    });
    const read = (event: object) => inbound.read(program, { headers, rawBody: JSON.stringify(event) });
    const item = { payout_batch_id: "AAA", payout_item: { sender_item_id: "order 7" } };
    expect(await read({ id: "WH-1", event_type: "PAYMENT.PAYOUTS-ITEM.SUCCEEDED", resource: item })).toEqual({
      id: "WH-1",
      subjects: [{ kind: "provider_ref", ref: "AAA" }],
    });
    const batch = {
      batch_header: { payout_batch_id: "../x", sender_batch_header: { sender_batch_id: "po:1" } },
    };
    expect(await read({ id: "WH-2", event_type: "PAYMENT.PAYOUTSBATCH.DENIED", resource: batch })).toEqual({
      id: "WH-2",
      subjects: [],
    });
    expect(await read({ id: "WH-3", event_type: "CHECKOUT.ORDER.APPROVED", resource: {} })).toEqual({
      id: "WH-3",
      subjects: [],
    });
    expect(await read({ id: "WH-4" })).toEqual({ id: "WH-4", subjects: [] });
  });
});

const with_ = (delivery: Delivery, name: string, value: string): Delivery => ({
  ...delivery,
  headers: { ...delivery.headers, [name]: value },
});

const without = (delivery: Delivery, name: string): Delivery => ({
  ...delivery,
  headers: Object.fromEntries(Object.entries(delivery.headers).filter(([other]) => other !== name)),
});
