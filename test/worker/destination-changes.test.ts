// An affiliate's destination changes under a payout: it rests, it is approved anew, and what is under way goes where it was sent.
import { describe, expect, test } from "vitest";
import { expectSound, rowsOf } from "./books.ts";
import { bank, methodPath, type Opened, paypalMethod, stripe } from "./destination-methods.ts";
import { DUTCH_IBAN, download, GERMAN_IBAN, makeFile, pain } from "./payout-files-scene.ts";
import { seams } from "./seams.ts";
import type { Loose } from "./world.ts";

const HOUR_MS = 3_600_000;

const METHODS = [stripe, paypalMethod, bank];

const call = ({ world, payout }: Opened, verb: string) =>
  world.call("POST", `/v1/payouts/${payout.id}/${verb}`);
const ok = ({ world, payout }: Opened, verb: string) => world.ok("POST", `/v1/payouts/${payout.id}/${verb}`);
const read = ({ world, payout }: Opened): Promise<Loose> => world.ok("GET", `/v1/payouts/${payout.id}`);

describe.each(METHODS)("$name", ({ open }) => {
  test("a changed destination rests for 72 hours, to the millisecond", async () => {
    const opened = await open();
    const { world, choose, went } = opened;
    const changed = await choose(2);
    const until = new Date(world.now() + 72 * HOUR_MS).toISOString();
    expect(changed["payout_destination"]).toMatchObject({ changed_at: new Date(world.now()).toISOString() });
    expect(await call(opened, "pay")).toMatchObject({
      ...{ status: 422, body: { code: "destination_cooldown", until } },
    });
    world.advance(72 * HOUR_MS - 1);
    expect((await call(opened, "pay")).status).toBe(422);
    world.advance(1);
    await ok(opened, "pay");
    await world.drain();
    expect(await went()).toEqual([2]);
  });

  test("the first destination is paid at once, also where it is named again", async () => {
    const opened = await open();
    const { world, choose, went } = opened;
    world.advance(HOUR_MS);
    expect(await choose(1)).toMatchObject({ payout_destination: { changed_at: null } });
    await ok(opened, "pay");
    await world.drain();
    expect(await went()).toEqual([1]);
  });

  test("there and back again is a change too", async () => {
    const opened = await open();
    await opened.choose(2);
    opened.world.advance(HOUR_MS);
    await opened.choose(1);
    expect(await call(opened, "pay")).toMatchObject({
      status: 422,
      body: {
        code: "destination_cooldown",
        until: new Date(opened.world.now() + 72 * HOUR_MS).toISOString(),
      },
    });
  });

  test("what was approved for one destination is not paid to another until it is approved again", async () => {
    const opened = await open({ require_approval: true, destination_cooldown_hours: 0 });
    const { world, choose, went } = opened;
    await ok(opened, "approve");
    await choose(2);
    const refused = await call(opened, "pay");
    expect([refused.status, refused.body.code]).toEqual([409, "destination_changed"]);
    await world.drain();
    expect(await read(opened)).toMatchObject({ status: "approved" });
    expect(await went()).toEqual([]);
    await ok(opened, "withdraw-approval");
    await ok(opened, "approve");
    await ok(opened, "pay");
    await world.drain();
    expect(await went()).toEqual([2]);
  });

  test("what was approved, and changed there and back, is for the destination that was approved", async () => {
    const opened = await open({ require_approval: true, destination_cooldown_hours: 0 });
    await ok(opened, "approve");
    await opened.choose(2);
    await opened.choose(1);
    await ok(opened, "pay");
    await opened.world.drain();
    expect(await opened.went()).toEqual([1]);
  });

  test("a change between pay and the first call sends it back, unapproved, and nothing is sent", async () => {
    const opened = await open({ require_approval: true, destination_cooldown_hours: 0 });
    const { world, choose, went } = opened;
    await ok(opened, "approve");
    await ok(opened, "pay");
    await choose(2);
    await world.drain();
    expect(await read(opened)).toMatchObject({
      ...{ status: "pending", approved_at: null, approved_by: null },
      ...{ failure_code: "destination_changed", expected_by: null },
    });
    expect(await went()).toEqual([]);
    const refused = await call(opened, "pay");
    expect([refused.status, refused.body.code]).toEqual([409, "awaiting_approval"]);
    await ok(opened, "approve");
    await ok(opened, "pay");
    await world.drain();
    expect(await went()).toEqual([2]);
    await expectSound(world);
  });

  test("a cooldown that begins between pay and the first call stops it as well", async () => {
    const opened = await open();
    await ok(opened, "pay");
    await opened.choose(2);
    await opened.world.drain();
    expect(await read(opened)).toMatchObject({ status: "pending" });
    expect(await opened.went()).toEqual([]);
    expect((await call(opened, "pay")).body.code).toBe("destination_cooldown");
  });

  test("another method is another destination", async () => {
    const opened = await open({ require_approval: true, destination_cooldown_hours: 0 });
    await ok(opened, "approve");
    await opened.world.ok("PUT", methodPath(opened.affiliateId), { payout_method: "manual" });
    const refused = await call(opened, "pay");
    expect([refused.status, refused.body.code]).toEqual([409, "destination_changed"]);
  });
});

describe.each([stripe, paypalMethod])("$name, under way", ({ name, open }) => {
  test("a change between the instruction and its sending does not redirect it", async () => {
    const opened = await open({ destination_cooldown_hours: 0 });
    const { world, choose, went } = opened;
    let isChanged = false;
    const edge = seams.ports;
    seams.ports = (ports) => {
      const made = edge(ports);
      return {
        ...made,
        async http(request) {
          const isSending = request.method === "POST" && /transfers|payments\/payouts/.test(request.url);
          if (isSending && !isChanged) {
            isChanged = true;
            await choose(2);
          }
          return made.http(request);
        },
      };
    };
    await ok(opened, "pay");
    await world.deliver();
    await world.drain();
    expect(isChanged).toBe(true);
    expect(await went()).toEqual([1]);
    expect(await read(opened)).toMatchObject({ status: "paid" });
    expect(await world.ok("GET", `/v1/affiliates/${opened.affiliateId}`)).toMatchObject({
      payout_method: name,
    });
    await expectSound(world);
  });

  test("where the first call was lost, the retries go where it went", async () => {
    const opened = await open({ destination_cooldown_hours: 0 });
    const { world, choose, went } = opened;
    let calls = 0;
    const edge = seams.ports;
    seams.ports = (ports) => {
      const made = edge(ports);
      return {
        ...made,
        async http(request) {
          const isSending = request.method === "POST" && /transfers|payments\/payouts/.test(request.url);
          if (isSending && ++calls === 1) throw new Error("Network connection lost.");
          return made.http(request);
        },
      };
    };
    await ok(opened, "pay");
    await world.deliver();
    await choose(2);
    await world.drain();
    expect(calls).toBe(2);
    expect(await went()).toEqual([1]);
    expect(await read(opened)).toMatchObject({ status: "paid" });
  });
});

describe("a bank payment that waits for a person", () => {
  test("is not written into a file once its destination changed, and a retry goes to the new one", async () => {
    const opened = await bank.open({ destination_cooldown_hours: 0 });
    const { world, choose, went, payout } = opened;
    await ok(opened, "pay");
    await world.deliver();
    await choose(2);
    const refused = await world.call("POST", "/v1/payout-files", pain([payout.id]));
    expect([refused.status, JSON.stringify(refused.body).includes("destination_changed")]).toEqual([
      422,
      true,
    ]);
    expect(await read(opened)).toMatchObject({ status: "processing" });
    await world.ok("POST", `/v1/payouts/${payout.id}/mark-failed`, { reason: "another account" });
    await ok(opened, "retry");
    await ok(opened, "pay");
    await world.deliver();
    expect(await went()).toEqual([2]);
    await expectSound(world);
  });

  test("stays in its file as it was written", async () => {
    const opened = await bank.open({ destination_cooldown_hours: 0 });
    const { world, choose, payout } = opened;
    await ok(opened, "pay");
    await world.deliver();
    const file = await makeFile(world, pain([payout.id]));
    const before = await (await download(world, file.id)).text();
    await choose(2);
    expect(await (await download(world, file.id)).text()).toBe(before);
    expect(before).toContain(GERMAN_IBAN);
    await world.ok("POST", `/v1/payouts/${payout.id}/mark-paid`, { paid_via: "bank_transfer" });
    await expectSound(world);
  });
});

test("after a definite refusal the retry goes to the destination of now, under another key", async () => {
  const opened = await stripe.open({ destination_cooldown_hours: 0 });
  const { world, choose, went, payout } = opened;
  const [affiliate] = await rowsOf<{ account: string }>(
    ...([
      "SELECT destination ->> '$.account' AS account FROM affiliates WHERE id = ?1",
      opened.affiliateId,
    ] as const),
  );
  world.stripe.seedAccount({ id: affiliate?.account ?? "", capabilities: { transfers: "inactive" } });
  await ok(opened, "pay");
  await world.drain();
  expect(await read(opened)).toMatchObject({ status: "failed" });
  await choose(2);
  await ok(opened, "retry");
  await ok(opened, "pay");
  await world.drain();
  expect(await went()).toEqual([2]);
  const keys = await rowsOf<{ k: string }>(
    "SELECT idempotency_key AS k FROM attempts WHERE payout_id = ?1 ORDER BY n",
    payout.id,
  );
  expect(keys.map(({ k }) => k)).toEqual([`po:${payout.id}:1`, `po:${payout.id}:2`]);
});

test("neither account numbers nor addresses stand in events, entries or the payout's history", async () => {
  const opened = await bank.open({ destination_cooldown_hours: 0 });
  const { world, choose } = opened;
  await ok(opened, "pay");
  await world.deliver();
  await choose(2);
  const shown = JSON.stringify([
    await world.ok("GET", "/v1/events?limit=200"),
    await world.ok("GET", `/v1/affiliates/${opened.affiliateId}/ledger`),
    await read(opened),
    await rowsOf("SELECT destination, request, detail FROM attempts WHERE payout_id = ?1", opened.payout.id),
    await rowsOf("SELECT verdict FROM turns WHERE program_id = ?1", world.program.id),
  ]);
  for (const secret of [GERMAN_IBAN, DUTCH_IBAN, "COBADEFF", "Lovelace", "ada@example.com"])
    expect(shown).not.toContain(secret);
});
