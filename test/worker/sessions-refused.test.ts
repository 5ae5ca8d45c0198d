// What a session refuses: bad selections, bad notes, and everything once it is over.
import { afterEach, describe, expect, it } from "vitest";
import { expectSound } from "./books.ts";
import { markPaid, paySession, type Session, select, start, trySelect } from "./session-calls.ts";
import { changedTables, readTables } from "./tables.ts";
import { openWorld, type World } from "./world.ts";

let world: World;

afterEach(async () => {
  await expectSound(world);
});

/** Affiliates in the order of their ids. */
const enrol = async (...overrides: readonly object[]): Promise<string[]> => {
  const ids: string[] = [];
  for (const more of overrides) {
    world.advance(1);
    ids.push(await world.affiliate({ ...more }));
  }
  return ids;
};

const one = async (policy: Record<string, unknown> = {}) => {
  world = await openWorld(policy);
  const [id = ""] = await enrol({ external_id: "ada" });
  const sale = await world.sale(id, 1_000);
  return { id, sale, session: await start(world) };
};

describe("bad input", () => {
  const refusal = async (session: Session, more: object) => {
    const { status, body } = await trySelect(world, session, more);
    return [status, body.code, body.errors?.map(({ pointer }) => pointer).join()];
  };

  it("up to a day that has not come is refused, in the program's zone", async () => {
    const { session } = await one({ time_zone: "Pacific/Kiritimati" });
    expect(await refusal(session, { up_to: "2026-11-03" })).toEqual([422, "period_invalid", "/up_to"]);
    expect((await trySelect(world, session, { up_to: "2026-11-02" })).status).toBe(200);
    const query = await world.call("GET", `/v1/payout-sessions/${session.id}/unpaid?up_to=2026-11-03`);
    expect([query.status, query.body.code]).toEqual([422, "period_invalid"]);
  });

  it("of chosen commissions selects nothing, and names each that cannot be", async () => {
    const { id, sale, session } = await one();
    const paidSession = await start(world);
    await select(world, paidSession);
    await markPaid(world, paidSession, {});
    const free = await world.sale(id, 10);
    const held = await world.sale(id, 20);
    await world.ok("POST", `/v1/commissions/${held.id}/hold`, { reason: "checked" });
    const waiting = await world.sale(id, 30, { status: "pending" });
    const today = await world.sale(id, 40);
    const before = await readTables();
    const ids = [free.id, sale.id, held.id, waiting.id, today.id];
    const answer = await trySelect(world, session, { up_to: "2026-10-31", commission_ids: ids });
    expect([answer.status, answer.body.code]).toEqual([409, "commission_claimed"]);
    expect(answer.body).toMatchObject({ commission_id: sale.id, session_id: paidSession.id });
    expect(answer.body.errors?.map(({ pointer }) => pointer)).toEqual(
      ids.map((_, i) => `/commission_ids/${i}`),
    );
    expect(answer.body.errors?.[1]?.detail).toContain(paidSession.id);
    const notFree = await trySelect(world, session, { commission_ids: [free.id, held.id] });
    expect([notFree.body.code, notFree.body.errors?.length]).toEqual(["commissions_not_free", 1]);
    expect(changedTables(before, await readTables())).toEqual([]);
  });

  it("with a neighbour's commission is refused as with one that is not there", async () => {
    const other = await openWorld();
    const theirs = await other.sale(await other.affiliate(), 100, { external_id: "their-order" });
    const { sale, session } = await one();
    const before = await readTables();
    for (const named of [theirs.id, "ext:their-order", "com_01JZ0000000000000000000000"])
      expect(await refusal(session, { commission_ids: [sale.id, named] })).toEqual([
        404,
        "commission_not_found",
        "/commission_ids/1",
      ]);
    expect(changedTables(before, await readTables())).toEqual([]);
  });

  it.each([
    [{ up_to: "2026-02-30" }, "/up_to"],
    [{ min_amount: 10, max_amount: 9 }, "/max_amount"],
    [{ min_amount: -1 }, "/min_amount"],
    [{ min_amount: 1.5 }, "/min_amount"],
    [{ currency: "usd" }, "/currency"],
    [{ commission_ids: "some" }, "/commission_ids"],
    [{ commission_ids: ["po_1"] }, "/commission_ids/0"],
    [{ colour: "red" }, "/colour"],
  ])("of a selection is 422 and says where: %j", async (more, pointer) => {
    const { session } = await one();
    expect(await refusal(session, more)).toEqual([422, "validation_failed", pointer]);
  });

  it("of titles, notes and instants is refused", async () => {
    const { session } = await one();
    await select(world, session);
    for (const title of ["", " ", "a\u200bb", "x".repeat(201), 7, null])
      expect((await world.call("POST", "/v1/payout-sessions", { title })).status).toBe(422);
    const ahead = await markPaid(world, session, { paid_at: "2026-12-01T00:00:00Z" });
    expect([ahead.status, ahead.body.code]).toEqual([422, "period_invalid"]);
    expect((await markPaid(world, session, { payments: [] })).status).toBe(422);
    expect((await markPaid(world, session, { admin_note: "" })).status).toBe(422);
  });
});

describe("a session that is over", () => {
  it("by cancelling claims and selects nothing more; what it paid stays paid", async () => {
    const { id, session } = await one();
    const [bea = ""] = await enrol({});
    await world.sale(bea, 300);
    await select(world, session);
    await markPaid(world, session, { payments: [{ affiliate_id: id, currency: "USD" }] });
    const cancelled = await world.ok("POST", `/v1/payout-sessions/${session.id}/cancel`);
    expect(cancelled).toMatchObject({ status: "cancelled", paid_count: 1 });
    expect(await world.ok("POST", `/v1/payout-sessions/${session.id}/cancel`)).toEqual(cancelled);
    for (const call of [paySession(world, session), markPaid(world, session, {}), trySelect(world, session)])
      expect(await call).toMatchObject({ status: 409, body: { code: "invalid_state" } });
    const other = await start(world);
    expect((await select(world, other)).summary).toMatchObject([{ affiliate_id: bea, amount: 300 }]);
  });

  it("by being done is not cancelled and not selected again", async () => {
    const { session } = await one();
    await select(world, session);
    await markPaid(world, session, {});
    for (const call of [
      world.call("POST", `/v1/payout-sessions/${session.id}/cancel`),
      trySelect(world, session),
    ])
      expect(await call).toMatchObject({ status: 409, body: { code: "invalid_state" } });
  });

  it("or selected nothing yet has nothing to pay", async () => {
    world = await openWorld();
    const session = await start(world);
    expect(await paySession(world, session)).toMatchObject({
      status: 409,
      body: { code: "nothing_claimed" },
    });
    expect((await select(world, session)).summary).toEqual([]);
    expect(await markPaid(world, session, {})).toMatchObject({
      status: 409,
      body: { code: "nothing_claimed" },
    });
    const missing = await world.call("POST", "/v1/payout-sessions/ses_01JZ0000000000000000000000/pay", {});
    expect([missing.status, missing.body.code]).toEqual([404, "session_not_found"]);
  });
});
