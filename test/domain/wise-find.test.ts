// Looking for a transfer at Wise: each of its states means one thing for the money, and an unreadable answer never means "not there".
import { describe, expect, it } from "vitest";
import type { Attempt } from "../../src/domain/payout.ts";
import type { Status } from "../simulators/wise.ts";
import { callWise, ordered } from "../simulators/wise-caller.ts";
import {
  beginAttempt,
  counted,
  DAY_MS,
  find,
  HOUR_MS,
  json,
  MINUTE_MS,
  onlyTransfer,
  openScene,
  type Scene,
  send,
} from "./wise-scene.ts";

const paid = async (scene: Scene): Promise<{ attempt: Attempt; id: number }> => {
  const attempt = await beginAttempt(scene);
  await send(scene, attempt);
  return { attempt, id: onlyTransfer(scene).id };
};

/** What the book holds after an accepted send, and after one whose answer was lost. */
const standings = (attempt: Attempt, id: number) =>
  [
    ["by its id", { ...attempt, state: "accepted", providerRef: String(id) }],
    ["through the list", { ...attempt, state: "unknown", tries: 1 }],
  ] as const;

const MEANINGS: readonly (readonly [Status, object])[] = [
  ["incoming_payment_initiated", { kind: "accepted" }],
  ["processing", { kind: "accepted" }],
  ["funds_converted", { kind: "accepted" }],
  ["waiting_recipient_input_to_proceed", { kind: "accepted", detail: expect.stringContaining("e-mail") }],
  ["outgoing_payment_sent", { kind: "settled" }],
  ["bounced_back", { kind: "accepted", detail: expect.stringContaining("bounced") }],
  ["cancelled", { kind: "refused", code: "transfer_cancelled" }],
  ["funds_refunded", { kind: "refused", code: "transfer_cancelled" }],
  ["charged_back", { kind: "unknown", detail: expect.stringContaining("charged_back") }],
  ["unknown", { kind: "unknown" }],
];

describe("looking for a transfer at Wise", () => {
  it.each(MEANINGS)("takes %s for what it means", async (status, meaning) => {
    const scene = openScene();
    const { attempt, id } = await paid(scene);
    scene.simulator.setStatus(id, status);
    for (const [how, standing] of standings(attempt, id)) {
      const outcome = await find(scene, standing);
      expect(outcome, how).toMatchObject(meaning);
      if (outcome?.kind === "accepted" || outcome?.kind === "settled") expect(outcome.ref).toBe(String(id));
    }
    expect(counted(scene).payments).toBe(1);
  });

  it("takes a state that Wise has not told of for unknown", async () => {
    const scene = openScene();
    const { attempt, id } = await paid(scene);
    for (const status of ["melted", "OUTGOING_PAYMENT_SENT", "", null, 5]) {
      scene.stand.in = () => json(200, { ...onlyTransfer(scene), status });
      expect(await find(scene, { ...attempt, providerRef: String(id) })).toMatchObject({ kind: "unknown" });
    }
  });

  it("lets the time that it may take run out, however often it is asked", async () => {
    const scene = openScene();
    const { attempt, id } = await paid(scene);
    const known = { ...attempt, state: "accepted", providerRef: String(id) } as const;
    scene.clock.now += DAY_MS;
    expect(await find(scene, known)).toMatchObject({ expectedWithinMs: 4 * DAY_MS });
    scene.clock.now += 5 * DAY_MS;
    expect(await find(scene, known)).toEqual({ kind: "accepted", ref: String(id) });
  });

  it("walks every page of the list, whatever page size Wise allows", async () => {
    const scene = openScene();
    scene.simulator.configure({ pageMax: 3 });
    const { attempt, id } = await paid(scene);
    for (let n = 0; n < 10; n += 1) {
      const uuid = `54a6bc09-cef9-59a8-9041-0000000000${String(n).padStart(2, "0")}`;
      const { order } = await ordered(scene.simulator, scene.profile, { uuid });
      scene.clock.now += MINUTE_MS;
      await callWise(scene.simulator, "POST", "/transfers", order);
    }
    scene.sent.splice(0);
    expect(await find(scene, { ...attempt, state: "unknown" })).toMatchObject({
      kind: "accepted",
      ref: String(id),
    });
    const offsets = scene.sent.map(({ url }) => new URL(url).searchParams.get("offset"));
    expect(offsets.slice(0, 5)).toEqual(["0", "3", "6", "9", "11"]);
  });

  it.each([
    "error_500_not_cached",
    "html_502",
    "garbage_200",
    "drop_before_work",
    "cut_body",
    "unauthorized_401",
  ] as const)("does not take a list that breaks off with %s for one without the transfer", async (fault) => {
    const scene = openScene();
    scene.simulator.configure({ pageMax: 1 });
    const attempt = await beginAttempt(scene);
    const { order } = await ordered(scene.simulator, scene.profile);
    await callWise(scene.simulator, "POST", "/transfers", order);
    for (const skipped of [0, 1]) {
      let seen = 0;
      scene.stand.in = ({ url }) => {
        if (!url.includes("/transfers?")) return undefined;
        if (seen === skipped)
          scene.simulator.addFault({ fault, match: { method: "GET", path: "/2026Q3/transfers$" } });
        seen += 1;
        return undefined;
      };
      expect(await find(scene, { ...attempt, state: "unknown" })).toMatchObject({ kind: "unknown" });
    }
    scene.stand.in = undefined;
    expect(await find(scene, { ...attempt, state: "unknown" })).toBeUndefined();
  });

  it("does not take an answer that is no list for one without the transfer", async () => {
    const scene = openScene();
    const attempt = await beginAttempt(scene);
    for (const body of [{}, { content: [] }, null, "[]", [{}], [null], [{ id: "5" }]]) {
      scene.stand.in = ({ url }) =>
        url.includes("/transfers?") ? json(200, url.endsWith("offset=0") ? body : []) : undefined;
      expect(await find(scene, { ...attempt, state: "unknown" })).toMatchObject({ kind: "unknown" });
    }
  });

  it("finds by the id that a message names what the list does not show yet, and no other payment's", async () => {
    const scene = openScene();
    scene.simulator.addFault({ fault: "list_lag", delay_ms: HOUR_MS });
    const { attempt, id } = await paid(scene);
    const lost = { ...attempt, state: "unknown" } as const;
    expect(await find(scene, lost)).toBeUndefined();
    expect(await find(scene, lost, String(id))).toMatchObject({ kind: "accepted", ref: String(id) });
    const { order } = await ordered(scene.simulator, scene.profile);
    const other = await callWise(scene.simulator, "POST", "/transfers", order);
    const otherId = String((other.body as { id: number }).id);
    expect(await find(scene, lost, otherId)).toBeUndefined();
    scene.sent.splice(0);
    for (const ref of ["../profiles", "0", "", "5?profile=6", "5/payments"])
      expect(await find(scene, lost, ref)).toBeUndefined();
    expect(scene.sent.every(({ url }) => url.includes("/transfers?profile="))).toBe(true);
    expect(await find(scene, { ...lost, providerRef: otherId })).toMatchObject({ kind: "unknown" });
  });

  it("is in doubt where two transfers carry the payment's id, or one that is not what was asked for", async () => {
    const scene = openScene();
    const { attempt, id } = await paid(scene);
    const own = onlyTransfer(scene);
    const lists = [
      [own, { ...own, id: id + 1 }],
      [{ ...own, targetAccount: own.targetAccount + 1 }],
      [{ ...own, quoteUuid: "8fa9be20-ba43-4b15-abbb-9424e1481050" }],
      [{ ...own, sourceCurrency: "EUR" }],
      [{ ...own, sourceValue: 100.51 }],
      [{ ...own, sourceValue: "99" }],
    ];
    for (const rows of lists) {
      scene.stand.in = ({ url }) =>
        url.includes("/transfers?") ? json(200, url.endsWith("offset=0") ? rows : []) : undefined;
      expect(await find(scene, { ...attempt, state: "unknown" })).toMatchObject({ kind: "unknown" });
    }
  });

  it("is in doubt where the id that the book holds is answered with another transfer", async () => {
    const scene = openScene();
    const { attempt, id } = await paid(scene);
    const own = onlyTransfer(scene);
    const known = { ...attempt, state: "accepted", providerRef: String(id) } as const;
    const uuid = "54a6bc09-cef9-59a8-9041-f1f0c654cd88";
    for (const wrong of [{ id: id + 1 }, { customerTransactionId: uuid }, { customerTransactionId: null }]) {
      scene.stand.in = () => json(200, { ...own, ...wrong });
      expect(await find(scene, known)).toMatchObject({ kind: "unknown" });
    }
  });

  it("does not pay again while a transfer of an earlier attempt stands", async () => {
    const scene = openScene();
    await paid(scene);
    const first = onlyTransfer(scene).id;
    scene.clock.now += 2 * HOUR_MS;
    const second = await beginAttempt(scene, { n: 2 });
    expect(await find(scene, second)).toMatchObject({
      kind: "unknown",
      detail: expect.stringContaining(`transfer ${first} of another attempt`),
    });
    scene.simulator.setStatus(first, "cancelled");
    expect(await find(scene, second)).toBeUndefined();
  });
});

describe("a transfer that was made and is not paid for", () => {
  const unpaid = async (scene: Scene) => {
    const attempt = await beginAttempt(scene);
    await callWise(scene.simulator, "POST", "/transfers", JSON.parse(attempt.request));
    return attempt;
  };

  it("is to be paid for by sending again, inside the window", async () => {
    const scene = openScene();
    const attempt = await unpaid(scene);
    scene.clock.now += scene.rail.resendWindowMs - 1;
    expect(await find(scene, { ...attempt, state: "unknown" })).toBeUndefined();
    expect(await send(scene, attempt)).toMatchObject({ kind: "accepted" });
    expect(counted(scene)).toEqual({ made: 1, payments: 1, paid: 100.5 });
  });

  it("is a person's after the window, who is told what to do", async () => {
    const scene = openScene();
    const attempt = await unpaid(scene);
    scene.clock.now += scene.rail.resendWindowMs;
    const { id } = onlyTransfer(scene);
    expect(await find(scene, { ...attempt, state: "unknown" })).toMatchObject({
      kind: "needs_hand",
      ref: String(id),
      instructions: expect.stringContaining("cancel the transfer there first"),
    });
  });

  it("counts as paid for as soon as a payment is there, whatever the state says", async () => {
    const scene = openScene();
    const { attempt, id } = await paid(scene);
    scene.simulator.setStatus(id, "incoming_payment_waiting");
    for (const [how, standing] of standings(attempt, id))
      expect(await find(scene, standing), how).toMatchObject({ kind: "accepted" });
    expect(await send(scene, attempt)).toMatchObject({ kind: "accepted" });
    expect(counted(scene).payments).toBe(1);
  });

  it("is shown to be absent only by a quote that was not used and cannot be any more", async () => {
    const scene = openScene();
    const attempt = await beginAttempt(scene);
    const isAbsent = () => scene.rail.isAbsent?.(scene.program, attempt);
    expect(await isAbsent()).toBe(false);
    scene.clock.now += 24 * HOUR_MS;
    expect(await isAbsent()).toBe(true);
    for (const fault of ["error_500_not_cached", "garbage_200", "drop_before_work"] as const) {
      scene.simulator.addFault({ fault, match: { method: "GET", path: "/2026Q3/profiles/" } });
      expect(await isAbsent()).toBe(false);
    }
    scene.clock.now += 3 * DAY_MS;
    expect(await isAbsent()).toBe(false);
    const other = openScene();
    const made = await unpaid(other);
    other.clock.now += 24 * HOUR_MS;
    expect(await other.rail.isAbsent?.(other.program, made)).toBe(false);
  });
});

describe("what has come back of a settled transfer", () => {
  const settled = async (scene: Scene) => {
    const { attempt, id } = await paid(scene);
    scene.simulator.setStatus(id, "funds_converted", "outgoing_payment_sent");
    const known = { ...attempt, state: "settled", providerRef: String(id) } as const;
    return { known, id, returned: () => scene.rail.returned?.(scene.program, known) };
  };

  it("is nothing while it stands or may be sent again, and everything once it is cancelled", async () => {
    const scene = openScene();
    const { id, returned } = await settled(scene);
    expect(await returned()).toBe(0);
    const course: readonly (readonly [Status, number])[] = [
      ["bounced_back", 0],
      ["processing", 0],
      ["funds_converted", 0],
      ["outgoing_payment_sent", 0],
      ["bounced_back", 0],
      ["cancelled", 10_050],
      ["funds_refunded", 10_050],
    ];
    for (const [status, total] of course) {
      scene.simulator.setStatus(id, status);
      expect(await returned(), status).toBe(total);
    }
  });

  it("is not said where the state does not say, or Wise cannot be asked", async () => {
    const scene = openScene();
    const { known, id, returned } = await settled(scene);
    for (const status of ["charged_back", "unknown", "incoming_payment_waiting"] as const) {
      scene.simulator.setStatus(id, status);
      expect(await returned(), status).toBeUndefined();
    }
    scene.simulator.setStatus(id, "funds_refunded");
    for (const fault of ["error_500_not_cached", "garbage_200", "drop_before_work", "wrong_id"] as const) {
      scene.simulator.addFault({ fault, match: { method: "GET", path: "/2026Q3/transfers/" } });
      expect(await returned(), fault).toBeUndefined();
    }
    expect(await scene.rail.returned?.(scene.program, { ...known, providerRef: null })).toBeUndefined();
    expect(await returned()).toBe(10_050);
  });
});
