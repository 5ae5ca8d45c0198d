// Files that a person uploads at PayPal or Wise: what is in one is paid by hand, and nothing of it is ever sent by API.
import { describe, expect, it } from "vitest";
import { expectSound, rowsOf } from "./books.ts";
import {
  download,
  type FileWire,
  itemOf,
  makeFile,
  payoutOf,
  readFile,
  settleFile,
} from "./payout-files-scene.ts";
import { seams } from "./seams.ts";
import { openWorld, unique, type World } from "./world.ts";

const paypalPayout = async (
  world: World,
  amount: number,
  email = "ada@example.com",
  currency = "EUR",
): Promise<{ id: string; affiliateId: string }> => {
  const affiliateId = await world.affiliate({ external_id: unique("aff") });
  await world.ok("PUT", `/v1/affiliates/${affiliateId}/payout-method`, {
    payout_method: "paypal",
    paypal_email: email,
  });
  return { id: await payoutOf(world, affiliateId, amount, currency), affiliateId };
};

const wisePayout = async (world: World, amount: number, currency: string): Promise<string> => {
  const affiliateId = await world.affiliate({ external_id: unique("aff") });
  await world.ok("PUT", `/v1/affiliates/${affiliateId}/payout-method`, {
    payout_method: "wise",
    wise_email: "ada@example.com",
    currency,
  });
  return payoutOf(world, affiliateId, amount, "EUR");
};

const textOf = async (world: World, file: FileWire): Promise<string> =>
  (await download(world, file.id)).text();

describe("a paypal_csv", () => {
  it("goes the whole way by hand: uploaded, settled from PayPal's report, paid", async () => {
    const world = await openWorld();
    const { id } = await paypalPayout(world, 1_234);
    const file = await makeFile(world, { payout_ids: [id], format: "paypal_csv" });
    const { end_to_end_id } = itemOf(await readFile(world, file.id), id);
    expect(await textOf(world, file)).toMatch(
      new RegExp(
        `^ada@example.com,12.34,EUR,${end_to_end_id},Payout ${end_to_end_id} Shop-\\d+,PAYPAL\\r\\n$`,
      ),
    );
    expect((await download(world, file.id)).headers.get("content-type")).toBe("text/csv; charset=utf-8");
    const report = `end_to_end_id,amount,currency,booked_on,reference,status\n${end_to_end_id},12.34,EUR,2026-11-01,TX1,Completed`;
    await settleFile(world, file.id, report, "csv");
    expect(await world.ok("GET", `/v1/payouts/${id}`)).toMatchObject({
      status: "paid",
      paid_via: "manual",
      external_ref: "TX1",
    });
    await expectSound(world);
  });

  it("is an attempt by hand, which no queue and no sweep ever sends by API", async () => {
    const world = await openWorld();
    const { id } = await paypalPayout(world, 1_000);
    const calls: string[] = [];
    const plain = seams.ports;
    seams.ports = (given) => {
      const ports = plain(given);
      return {
        ...ports,
        http: (request) => {
          calls.push(request.url);
          return ports.http(request);
        },
      };
    };
    await makeFile(world, { payout_ids: [id], format: "paypal_csv" });
    expect(world.hints).toEqual([]);
    await world.ok("POST", `/v1/payouts/${id}/pay`);
    await world.deliver();
    for (let round = 0; round < 5; round++) {
      world.advance(6 * 3_600_000);
      await world.drain();
    }
    expect(calls).toEqual([]);
    expect(await rowsOf("SELECT rail, state FROM attempts WHERE payout_id = ?1", id)).toEqual([
      { rail: "manual", state: "needs_hand" },
    ]);
  });

  it("after a crash between the two turns is still by hand, and the next file takes it in", async () => {
    const world = await openWorld();
    const { id, affiliateId } = await paypalPayout(world, 1_000);
    const plain = seams.ports;
    let isBroken = true;
    seams.ports = (given) => {
      const ports = plain(given);
      return {
        ...ports,
        ledgerOf: (programId, owner) => {
          const ledger = ports.ledgerOf(programId, owner);
          return {
            leaseCall: (request) => ledger.leaseCall(request),
            endCall: (attemptId) => ledger.endCall(attemptId),
            apply: (request) => {
              if (isBroken && request.command.kind === "begin_payment") throw new Error("gone");
              return ledger.apply(request);
            },
          };
        },
      };
    };
    expect(
      (await world.call("POST", "/v1/payout-files", { payout_ids: [id], format: "paypal_csv" })).status,
    ).toBe(422);
    isBroken = false;
    world.advance(60_000);
    await world.drain();
    expect(await rowsOf("SELECT rail, state FROM attempts WHERE affiliate_id = ?1", affiliateId)).toEqual([
      { rail: "manual", state: "needs_hand" },
    ]);
    const file = await makeFile(world, { payout_ids: [id], format: "paypal_csv" });
    expect(await textOf(world, file)).toContain("ada@example.com,10.00,EUR");
    await expectSound(world);
  });

  it("leaves out what is being paid by API, or was asked to be", async () => {
    const world = await openWorld();
    const [asked, fresh] = [await paypalPayout(world, 1_000), await paypalPayout(world, 1_000)];
    await world.ok("POST", `/v1/payouts/${asked.id}/pay`);
    const file = await makeFile(world, { payout_ids: [asked.id, fresh.id], format: "paypal_csv" });
    expect(file.failed).toMatchObject([{ payout_id: asked.id, code: "payment_under_way" }]);
    expect(await world.ok("GET", `/v1/payouts/${asked.id}`)).toMatchObject({ payout_method: "paypal" });
    expect(await world.ok("GET", `/v1/payouts/${fresh.id}`)).toMatchObject({ payout_method: "manual" });
  });

  it("holds one currency, and no address that a spreadsheet would run", async () => {
    const world = await openWorld();
    const first = await paypalPayout(world, 1_000, "a@example.com");
    const dollars = await paypalPayout(world, 1_000, "b@example.com", "USD");
    const formula = await paypalPayout(world, 1_000, "=b@example.com");
    const plus = await paypalPayout(world, 1_000, "c+d@example.com");
    const payout_ids = [formula.id, first.id, dollars.id, plus.id];
    const file = await makeFile(world, { payout_ids, format: "paypal_csv" });
    expect(file.failed.map(({ payout_id, code }) => [payout_id, code])).toEqual([
      [formula.id, "not_writable"],
      [dollars.id, "currency_not_supported_by_method"],
    ]);
    expect(await textOf(world, file)).toContain("c+d@example.com,10.00,EUR");
    expect(await world.ok("GET", `/v1/payouts/${dollars.id}`)).toMatchObject({ status: "pending" });
  });

  it("refuses a payout whose address changed after it was paid for by hand", async () => {
    const world = await openWorld({ destination_cooldown_hours: 0 });
    const { id, affiliateId } = await paypalPayout(world, 1_000);
    const file = await makeFile(world, { payout_ids: [id], format: "paypal_csv" });
    await world.ok("POST", `/v1/payout-files/${file.id}/void`, { reason: "not uploaded" });
    await world.ok("POST", `/v1/payouts/${id}/retry`);
    await world.ok("POST", `/v1/payouts/${id}/approve`);
    await world.ok("PUT", `/v1/affiliates/${affiliateId}/payout-method`, {
      payout_method: "paypal",
      paypal_email: "eve@example.com",
    });
    const { body } = await world.call<FileWire>("POST", "/v1/payout-files", {
      payout_ids: [id],
      format: "paypal_csv",
    });
    expect(body.errors?.[0]?.detail).toContain("destination_changed");
  });
});

describe("a wise_csv", () => {
  it("has each receiver's own currency", async () => {
    const world = await openWorld();
    const [same, other] = [await wisePayout(world, 1_000, "EUR"), await wisePayout(world, 2_000, "GBP")];
    const file = await makeFile(world, { payout_ids: [same, other], format: "wise_csv" });
    const rows = (await textOf(world, file)).split("\r\n").map((row) => row.split(",").slice(3).join(","));
    expect(rows).toEqual([
      "receiverType,amountCurrency,amount,sourceCurrency,targetCurrency",
      "PERSON,target,10.00,EUR,EUR",
      "PERSON,source,20.00,EUR,GBP",
      "",
    ]);
    await expectSound(world);
  });
});
