// Messages of Wise: believed with its signature over the very bytes only, for the program's own profile, and never from the future.
import { describe, expect, it } from "vitest";
import { wiseInbound } from "../../src/rails/wise-events.ts";
import { WiseSimulator } from "../simulators/wise.ts";
import { beginAttempt, MINUTE_MS, onlyTransfer, openScene, type Scene, send } from "./wise-scene.ts";

const listening = async (options: { withoutKey?: boolean } = {}) => {
  const scene = openScene();
  const key = options.withoutKey === true ? null : await scene.simulator.publicKeyPem();
  if (scene.secret.present !== undefined)
    scene.secret.present = { ...scene.secret.present, webhookPublicKey: key };
  await send(scene, await beginAttempt(scene));
  const source = wiseInbound(scene.ports);
  const read = ({ body, headers }: { body: string; headers: Record<string, string> }) =>
    source.read(scene.program, { headers: new Headers(headers), rawBody: body });
  return { scene, read };
};

const eventOf = (scene: Scene, type = "transfers#state-change") => {
  const event = scene.simulator.events(type).at(-1);
  if (event === undefined) throw new Error(`no ${type}`);
  return event.id;
};

describe("a message of Wise", () => {
  it("names the transfer that it is about, and nothing else", async () => {
    const { scene, read } = await listening();
    const { id } = onlyTransfer(scene);
    scene.simulator.setStatus(
      id,
      "funds_converted",
      "outgoing_payment_sent",
      "bounced_back",
      "funds_refunded",
    );
    const types = ["transfers#state-change", "transfers#refund", "transfers#payout-failure"];
    for (const type of types) {
      const message = await scene.simulator.signedEvent(eventOf(scene, type));
      expect(await read(message), type).toMatchObject({
        subjects: [{ kind: "provider_ref", ref: String(id) }],
      });
    }
    const ids = await Promise.all(
      scene.simulator
        .events()
        .map(async (event) => (await read(await scene.simulator.signedEvent(event.id)))?.id),
    );
    expect(new Set(ids).size).toBe(scene.simulator.events().length);
  });

  it("has one id over all its deliveries, and every change of state another", async () => {
    const { scene, read } = await listening();
    const { id } = onlyTransfer(scene);
    const event = eventOf(scene);
    const first = await read(await scene.simulator.signedEvent(event));
    scene.clock.now += 60 * MINUTE_MS;
    const again = await read(await scene.simulator.signedEvent(event));
    expect(again?.id).toBe(first?.id);
    expect(first?.id).toBe(`${id}:transfers#state-change:processing:2026-11-01T12:00:00.000Z`);
    scene.simulator.setStatus(id, "funds_converted");
    expect((await read(await scene.simulator.signedEvent(eventOf(scene))))?.id).not.toBe(first?.id);
  });

  it("is not believed with another body, another key, another signature, or none", async () => {
    const { scene, read } = await listening();
    const genuine = await scene.simulator.signedEvent(eventOf(scene));
    expect(await read(genuine)).toBeDefined();
    expect(await read({ ...genuine, body: genuine.body.replace("processing", "cancelled") })).toBeUndefined();
    expect(await read({ ...genuine, body: `${genuine.body} ` })).toBeUndefined();
    const signed = (signature: string) => read({ ...genuine, headers: { "x-signature-sha256": signature } });
    for (const signature of ["", "AAAA", "not base64 at all!", "é"])
      expect(await signed(signature)).toBeUndefined();
    expect(await read({ ...genuine, headers: {} })).toBeUndefined();
    const stranger = await new WiseSimulator().signed(genuine.body);
    expect(await read(stranger)).toBeUndefined();
  });

  it("is not believed without a key, with a broken one, or without credentials", async () => {
    const { scene, read } = await listening({ withoutKey: true });
    const genuine = await scene.simulator.signedEvent(eventOf(scene));
    expect(await read(genuine)).toBeUndefined();
    const { present } = scene.secret;
    if (present === undefined) throw new Error("no credentials");
    const pem = await scene.simulator.publicKeyPem();
    for (const key of [
      "",
      "no key",
      pem.replace("MIIB", "MIIC"),
      pem.slice(0, 100),
      pem.replaceAll("PUBLIC", "PRIVATE"),
    ]) {
      scene.secret.present = { ...present, webhookPublicKey: key };
      expect(await read(genuine)).toBeUndefined();
    }
    scene.secret.present = { ...present, webhookPublicKey: pem.replaceAll("\n", "\r\n") };
    expect(await read(genuine)).toBeDefined();
    scene.secret.present = undefined;
    expect(await read(genuine)).toBeUndefined();
  });

  it("is believed for a while with the key before, while the key is changed over", async () => {
    const { scene, read } = await listening();
    const genuine = await scene.simulator.signedEvent(eventOf(scene));
    const { present } = scene.secret;
    if (present === undefined) throw new Error("no credentials");
    const webhookPublicKey = await new WiseSimulator().publicKeyPem();
    const value = await scene.simulator.publicKeyPem();
    const until = scene.clock.now + MINUTE_MS;
    scene.secret.present = { ...present, webhookPublicKey, previousWebhookPublicKey: { value, until } };
    expect(await read(genuine)).toBeDefined();
    scene.clock.now = until;
    expect(await read(genuine)).toBeUndefined();
  });

  it("is not for this program where it is about another profile, though Wise's one key signs for all", async () => {
    const { scene, read } = await listening();
    const { body } = await scene.simulator.signedEvent(eventOf(scene));
    const other = body.replaceAll(`"profile_id":${scene.profile}`, '"profile_id":7');
    expect(await read(await scene.simulator.signed(other))).toBeUndefined();
    const none = body.replaceAll(`"profile_id":${scene.profile},`, "");
    expect(await read(await scene.simulator.signed(none))).toBeUndefined();
  });

  it("may come days late and up to five minutes early, and no earlier", async () => {
    const { scene, read } = await listening();
    const genuine = await scene.simulator.signedEvent(eventOf(scene));
    scene.clock.now -= 5 * MINUTE_MS;
    expect(await read(genuine)).toBeDefined();
    scene.clock.now -= 1;
    expect(await read(genuine)).toBeUndefined();
    scene.clock.now += 20_000 * MINUTE_MS;
    expect(await read(genuine)).toBeDefined();
    const { body } = genuine;
    for (const name of ["occurred_at", "sent_at"]) {
      const ahead = body.replace(new RegExp(`"${name}":"[^"]+"`), `"${name}":"2031-01-01T00:00:00Z"`);
      expect(ahead).not.toBe(body);
      expect(await read(await scene.simulator.signed(ahead))).toBeUndefined();
    }
  });

  it("that only tries the address, or is about something else, is taken and is about nothing", async () => {
    const { scene, read } = await listening();
    const event = eventOf(scene);
    const trial = await scene.simulator.signedEvent(event, { "x-test-notification": "true" });
    expect(await read(trial)).toEqual({ id: "test", subjects: [] });
    const { body } = await scene.simulator.signedEvent(event);
    const balance = await scene.simulator.signed(body.replace("transfers#state-change", "balances#update"));
    expect(await read(balance)).toMatchObject({ subjects: [] });
    expect(await read({ ...trial, body: `${trial.body} ` })).toBeUndefined();
  });

  it("that is signed and unreadable is not believed either", async () => {
    const { scene, read } = await listening();
    const at = "2026-11-01T12:00:00Z";
    const bodies = [
      "",
      "no json",
      "[]",
      "null",
      JSON.stringify({ event_type: "transfers#state-change", sent_at: at }),
      JSON.stringify({
        event_type: "transfers#state-change",
        sent_at: at,
        data: { resource: { type: "transfer" } },
      }),
      JSON.stringify({ event_type: "transfers#x", data: { transfer_id: 5, profile_id: scene.profile } }),
      JSON.stringify({ sent_at: at, data: { transfer_id: 5, profile_id: scene.profile, occurred_at: at } }),
      JSON.stringify({
        event_type: "transfers#x",
        sent_at: at,
        data: { transfer_id: "5", profile_id: scene.profile },
      }),
    ];
    for (const body of bodies) expect(await read(await scene.simulator.signed(body)), body).toBeUndefined();
  });
});
