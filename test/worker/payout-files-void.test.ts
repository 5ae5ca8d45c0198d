// Voiding a file: what of it is unpaid is given back and can go into another, what is paid stays, however often it breaks off.
import { describe, expect, it } from "vitest";
import { atOnce, expectSound, rowsOf } from "./books.ts";
import {
  bankPayout,
  camt,
  type FileWire,
  itemOf,
  makeFile,
  pain,
  readFile,
  settleFile,
} from "./payout-files-scene.ts";
import { seams } from "./seams.ts";
import { openWorld, type World } from "./world.ts";

const voidFile = (world: World, id: string, reason = "the bank rejected it") =>
  world.call<FileWire>("POST", `/v1/payout-files/${id}/void`, { reason });

const statesOf = async (world: World, id: string): Promise<(readonly string[])[]> =>
  (await readFile(world, id)).payouts.map(({ state, status }) => [state, status]);

describe("voiding a file", () => {
  it("fails each unpaid payout, which can then be retried into another file", async () => {
    const world = await openWorld();
    const [first, second] = [await bankPayout(world), await bankPayout(world)];
    const file = await makeFile(world, pain([first.id, second.id]));
    const { status, body } = await voidFile(world, file.id);
    expect([status, body.void_reason]).toEqual([200, "the bank rejected it"]);
    expect(body.voided_at).not.toBeNull();
    expect(body.payouts.map(({ state, status: now }) => [state, now])).toEqual([
      ["refused", "failed"],
      ["refused", "failed"],
    ]);
    expect(await world.ok("GET", `/v1/payouts/${first.id}`)).toMatchObject({
      failure_code: "file_voided",
      failure_detail: expect.stringContaining("the bank rejected it"),
    });
    for (const { id } of [first, second]) await world.ok("POST", `/v1/payouts/${id}/retry`);
    const again = await makeFile(world, pain([first.id, second.id]));
    expect([again.payout_count, again.failed]).toEqual([2, []]);
    const [before, after] = [await readFile(world, file.id), await readFile(world, again.id)];
    expect(itemOf(after, first.id).end_to_end_id).not.toBe(itemOf(before, first.id).end_to_end_id);
    await expectSound(world);
  });

  it("leaves what is paid as it is, and says so", async () => {
    const world = await openWorld();
    const [paid, unpaid] = [await bankPayout(world, 1_000), await bankPayout(world, 1_000)];
    const file = await makeFile(world, pain([paid.id, unpaid.id]));
    const { end_to_end_id } = itemOf(await readFile(world, file.id), paid.id);
    await settleFile(world, file.id, camt([{ endToEndId: end_to_end_id, amount: "10.00", ref: "B" }]));
    const { body } = await voidFile(world, file.id);
    expect(itemOf(body, paid.id)).toMatchObject({ state: "settled", status: "paid" });
    expect(itemOf(body, unpaid.id)).toMatchObject({ state: "refused", status: "failed" });
    await expectSound(world);
  });

  it("is refused where everything is paid", async () => {
    const world = await openWorld();
    const { id } = await bankPayout(world);
    const file = await makeFile(world, pain([id]));
    await world.ok("POST", `/v1/payouts/${id}/mark-paid`, {});
    expect(await voidFile(world, file.id)).toMatchObject({ status: 409, body: { code: "invalid_state" } });
    expect((await readFile(world, file.id)).voided_at).toBeNull();
  });

  it("again, or many times at once, is voiding it once", async () => {
    const world = await openWorld();
    const { id } = await bankPayout(world);
    const file = await makeFile(world, pain([id]));
    const answers = await atOnce(4, () => voidFile(world, file.id));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const before = await readFile(world, file.id);
    await world.ok("POST", `/v1/payouts/${id}/retry`);
    const next = await makeFile(world, pain([id]));
    world.advance(60_000);
    expect(await voidFile(world, file.id, "once more")).toMatchObject({ status: 200 });
    expect(await readFile(world, file.id)).toMatchObject({
      voided_at: before.voided_at,
      void_reason: before.void_reason,
    });
    expect(await statesOf(world, next.id)).toEqual([["needs_hand", "processing"]]);
    await expectSound(world);
  });

  it("half done can be repeated, and what was retried meanwhile stays in its new file", async () => {
    const world = await openWorld();
    const [first, second] = [await bankPayout(world), await bankPayout(world)];
    const file = await makeFile(world, pain([first.id, second.id]));
    const plain = seams.ports;
    let isBroken = true;
    seams.ports = (given) => {
      const ports = plain(given);
      return {
        ...ports,
        ledgerOf: (programId, affiliateId) => {
          const ledger = ports.ledgerOf(programId, affiliateId);
          return {
            leaseCall: (request) => ledger.leaseCall(request),
            endCall: (attemptId) => ledger.endCall(attemptId),
            apply: (request) => {
              if (isBroken && affiliateId === second.affiliateId) throw new Error("the object was replaced");
              return ledger.apply(request);
            },
          };
        },
      };
    };
    expect((await voidFile(world, file.id)).status).toBe(500);
    expect((await readFile(world, file.id)).voided_at).toBeNull();
    expect(await world.ok("GET", `/v1/payouts/${first.id}`)).toMatchObject({ status: "failed" });
    await world.ok("POST", `/v1/payouts/${first.id}/retry`);
    const next = await makeFile(world, pain([first.id]));
    isBroken = false;
    expect((await voidFile(world, file.id)).status).toBe(200);
    expect((await readFile(world, file.id)).voided_at).not.toBeNull();
    expect(await statesOf(world, next.id)).toEqual([["needs_hand", "processing"]]);
    expect(await world.ok("GET", `/v1/payouts/${second.id}`)).toMatchObject({ status: "failed" });
    await expectSound(world);
  });

  it("of what the bank carries out all the same is found out by the statement", async () => {
    const world = await openWorld();
    const { id } = await bankPayout(world, 1_000);
    const file = await makeFile(world, pain([id]));
    const { end_to_end_id } = itemOf(await readFile(world, file.id), id);
    await voidFile(world, file.id);
    const answer = await settleFile(
      world,
      file.id,
      camt([{ endToEndId: end_to_end_id, amount: "10.00", ref: "B" }]),
    );
    expect(answer).toMatchObject({ settled: [], paid_late: [{ payout_id: id }] });
    expect((await world.verify()).findings).toEqual([]);
  });

  it("while the statement arrives settles or gives back each payout, never both", async () => {
    const world = await openWorld();
    const payouts = [];
    for (let n = 0; n < 4; n++) payouts.push(await bankPayout(world, 1_000));
    const ids = payouts.map(({ id }) => id);
    const file = await makeFile(world, pain(ids));
    const { payouts: items } = await readFile(world, file.id);
    const statement = camt(
      items.map((item) => ({ endToEndId: item.end_to_end_id, amount: "10.00", ref: "B" })),
    );
    const [settled] = await Promise.all([settleFile(world, file.id, statement), voidFile(world, file.id)]);
    const settledIds = settled.settled.map(({ payout_id }) => payout_id);
    const lateIds = settled.paid_late.map(({ payout_id }) => payout_id);
    expect([...settledIds, ...lateIds].sort()).toEqual([...ids].sort());
    for (const { payout_id, state, status } of (await readFile(world, file.id)).payouts)
      expect([state, status]).toEqual(
        settledIds.includes(payout_id) ? ["settled", "paid"] : ["paid_late", "failed"],
      );
    expect((await world.verify()).findings).toEqual([]);
  });
});

describe("one payout of a file that was marked failed", () => {
  it("goes into another file while its neighbours stay in the first", async () => {
    const world = await openWorld();
    const [rejected, fine] = [await bankPayout(world), await bankPayout(world)];
    const file = await makeFile(world, pain([rejected.id, fine.id]));
    await world.ok("POST", `/v1/payouts/${rejected.id}/mark-failed`, {
      reason: "the bank rejected this one",
    });
    await world.ok("POST", `/v1/payouts/${rejected.id}/retry`);
    const next = await makeFile(world, pain([rejected.id, fine.id]));
    expect(next.failed).toMatchObject([{ payout_id: fine.id, code: "payout_in_file", file_id: file.id }]);
    const live = await rowsOf<{ file_id: string; payout_id: string }>(
      "SELECT file_id, payout_id FROM payout_file_items WHERE program_id = ?1 AND voided = 0",
      world.program.id,
    );
    expect(new Map(live.map(({ file_id, payout_id }) => [payout_id, file_id]))).toEqual(
      new Map([
        [fine.id, file.id],
        [rejected.id, next.id],
      ]),
    );
    expect(live).toHaveLength(2);
    await expectSound(world);
  });
});
