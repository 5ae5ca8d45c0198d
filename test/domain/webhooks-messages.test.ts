// What is sent and what is said about it: secrets, bodies, signatures, the catalogue; and how thick hints go out.
import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";
import type { WebhookHint } from "../../src/context.ts";
import { EVENT_TYPES } from "../../src/domain/events.ts";
import { deliveryIdOf, subscriptionOf } from "../../src/domain/webhooks/endpoint.ts";
import { EVENT_CATALOGUE } from "../../src/domain/webhooks/event-schemas.ts";
import { bodyOf, type Message, signedText, testMessage } from "../../src/domain/webhooks/message.ts";
import { formatSecret, secretBytes } from "../../src/domain/webhooks/secret.ts";
import { type Look, pacedQueue } from "../../src/jobs/webhook-queue.ts";

const AT = Date.UTC(2026, 10, 1, 12);

const MESSAGE: Message = {
  id: "evt_1",
  type: "payout.paid",
  at: AT,
  sequence: 4,
  position: 9,
  livemode: true,
  actor: { type: "provider", id: "stripe" },
  data: { object: "payout", id: "po_1", amount: 100, currency: "USD" },
};

describe("a signing secret", () => {
  it("is whsec_ and the base64 of its bytes, as the reference library reads it", () => {
    const bytes = Uint8Array.from({ length: 32 }, (_, i) => i * 7);
    const secret = formatSecret(bytes);
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(secretBytes(secret)).toEqual(bytes);
    expect(new Webhook(secret).sign("evt_1", new Date(AT), "x")).toBe(
      new Webhook(bytes, { format: "raw" }).sign("evt_1", new Date(AT), "x"),
    );
  });

  it("has 24 to 64 bytes", () => {
    for (const length of [0, 23, 65]) expect(() => formatSecret(new Uint8Array(length))).toThrow("24 to 64");
    for (const length of [24, 64])
      expect(secretBytes(formatSecret(new Uint8Array(length)))).toHaveLength(length);
  });
});

describe("a message", () => {
  it("is one text for one event, its members in their order", () => {
    expect(bodyOf(MESSAGE)).toBe(
      '{"id":"evt_1","type":"payout.paid","timestamp":"2026-11-01T12:00:00.000Z","sequence":4,"position":9,"livemode":true,' +
        '"actor":{"type":"provider","id":"stripe"},"data":{"object":"payout","id":"po_1","amount":100,"currency":"USD"}}',
    );
    expect(signedText("evt_1", 5, "{}")).toBe("evt_1.5.{}");
  });

  it("of a test stands nowhere in the feed", () => {
    const actor = { type: "key", id: "key_1" } as const;
    const message = testMessage(
      "evt_t",
      { id: "whe_1", isActive: false },
      { at: AT, livemode: false, actor },
    );
    expect(JSON.parse(bodyOf(message))).toMatchObject({
      type: "webhook_endpoint.test",
      position: 0,
      sequence: null,
      data: { object: "webhook_endpoint", id: "whe_1", status: "disabled" },
    });
  });
});

describe("the catalogue", () => {
  it("holds every type of the feed once, in its order, and the test", () => {
    expect(EVENT_CATALOGUE.map(({ type }) => type)).toEqual([...EVENT_TYPES, "webhook_endpoint.test"]);
    for (const { type, description, schema } of EVENT_CATALOGUE) {
      expect(description, type).toMatch(/^[A-Z].{10,}\.$/);
      expect(schema, type).toMatchObject({ title: type, properties: { type: { const: type } } });
    }
  });
});

describe("what an endpoint asks for", () => {
  it("is everything where everything is in it, else each type once", () => {
    expect(subscriptionOf(["payout.paid", "*"])).toEqual(["*"]);
    expect(subscriptionOf(["payout.paid", "payout.failed", "payout.paid"])).toEqual([
      "payout.paid",
      "payout.failed",
    ]);
  });

  it("gives deliveries with ids of their own", () => {
    const ids = [1, 35, 36, 2 ** 40].map((position) =>
      deliveryIdOf("whe_01JZ0000000000000000000000", position),
    );
    expect(new Set(ids).size).toBe(4);
    for (const id of ids) expect(id).toMatch(/^dlv_01JZ0{22}[0-9A-Z]{10}$/);
  });
});

describe("hints that events wait", () => {
  const open = () => {
    const sent: [string, number][] = [];
    const slow: [string, number][] = [];
    const state = { now: 0, fails: false };
    const into = (list: [string, number][]) => ({
      send: async (hint: WebhookHint, options?: { delaySeconds?: number }) => {
        if (state.fails) throw new Error("Queue send failed");
        list.push([hint.programId, options?.delaySeconds ?? 0]);
        return undefined as never;
      },
    });
    const queues = { brisk: into(sent), slow: into(slow) };
    return { sent, slow, state, port: pacedQueue(queues, () => state.now, new Map<string, Look>()) };
  };
  const look = (programId: string) => ({ kind: "fan_out", programId }) as WebhookHint;

  it("go out at once, then gathered: each commit is followed by a look that comes after it", async () => {
    const { sent, state, port } = open();
    const commits = [0, 10, 300, 999, 1_010, 1_500, 2_400, 9_000];
    for (const at of commits) {
      state.now = at;
      await port.send(look("prg_1"));
    }
    expect(sent).toEqual([
      ["prg_1", 0],
      ["prg_1", 1],
      ["prg_1", 0],
      ["prg_1", 1],
      ["prg_1", 0],
    ]);
    const looks = [0, 1_010, 1_010, 2_500, 9_000];
    for (const at of commits) expect(looks.some((then) => then >= at)).toBe(true);
  });

  it("are gathered for each program by itself, and never those to deliver", async () => {
    const { sent, port } = open();
    const deliver = { kind: "deliver", programId: "prg_1", endpointId: "whe_1", isBrisk: true } as const;
    await port.send(look("prg_1"));
    await port.send(look("prg_2"));
    for (let n = 0; n < 3; n++) await port.send(deliver, n);
    expect(sent).toEqual([
      ["prg_1", 0],
      ["prg_2", 0],
      ["prg_1", 0],
      ["prg_1", 1],
      ["prg_1", 2],
    ]);
  });

  it("wait apart for endpoints that are not known to answer without delay", async () => {
    const { sent, slow, port } = open();
    await port.send({ kind: "deliver", programId: "prg_1", endpointId: "whe_1", isBrisk: false }, 5);
    expect([sent, slow]).toEqual([[], [["prg_1", 5]]]);
  });

  it("that the queue did not take hold no later one back", async () => {
    const { sent, state, port } = open();
    state.fails = true;
    await expect(port.send(look("prg_1"))).rejects.toThrow("Queue send failed");
    state.fails = false;
    await port.send(look("prg_1"));
    expect(sent).toEqual([["prg_1", 0]]);
  });
});
