// A session worked by several at once, refunds in between, lost answers and crashes: nothing is paid twice, and it goes on.
import { afterEach, describe, expect, it } from "vitest";
import type { Turnstile } from "../../src/context.ts";
import type { TurnAnswer, TurnRequest } from "../../src/domain/ledger/book.ts";
import { atOnce, expectSound, rowsOf } from "./books.ts";
import { seams } from "./seams.ts";
import { markPaid, paySession, select, start, summary, trySelect } from "./session-calls.ts";
import { openWorld, type World } from "./world.ts";

let world: World;

afterEach(async () => {
  await expectSound(world);
});

/** Puts something between an operation and the affiliates' objects. */
const betweenTurns = (
  around: (request: TurnRequest, apply: () => Promise<TurnAnswer>) => Promise<TurnAnswer>,
) => {
  const { ports } = seams;
  seams.ports = (made) => {
    const own = ports(made);
    const ledgerOf: typeof own.ledgerOf = (programId, affiliateId) => {
      const stub = own.ledgerOf(programId, affiliateId);
      const turnstile: Turnstile = {
        apply: (request) => around(request, () => stub.apply(request)),
        leaseCall: (request) => stub.leaseCall(request),
        endCall: (attemptId) => stub.endCall(attemptId),
      };
      return turnstile;
    };
    return { ...own, ledgerOf };
  };
};

const crowd = async (count: number, isStripe = false) => {
  world = await openWorld();
  const ids: string[] = [];
  for (let i = 0; i < count; i++) {
    world.advance(1);
    ids.push(isStripe ? (await world.stripeAffiliate()).id : await world.affiliate());
  }
  const sales = await Promise.all(ids.map((id, i) => world.sale(id, 1_000 + i)));
  const session = await start(world);
  await select(world, session);
  return { ids, sales, session };
};

const payoutsMade = async (): Promise<number> => {
  const sql = "SELECT count(*) AS n FROM payouts WHERE program_id = ?1";
  return (await rowsOf<{ n: number }>(sql, world.program.id))[0]?.n ?? -1;
};

describe("several people in one session", () => {
  it("pay each row once, and each is answered with the same payouts", async () => {
    const { session } = await crowd(4, true);
    const answers = await atOnce(4, () => paySession(world, session));
    for (const { status, body } of answers) expect([status, body.failed]).toEqual([200, []]);
    await world.drain();
    expect(await payoutsMade()).toBe(4);
    expect(world.stripe.transfers().length).toBe(4);
    expect(await summary(world, session)).toMatchObject({ status: "done" });
  });

  it("mark and pay at once: a row goes one of the two ways", async () => {
    const { session } = await crowd(3);
    const [marked, paid] = await Promise.all([markPaid(world, session, {}), paySession(world, session)]);
    for (const { status } of [marked, paid]) expect([200, 409]).toContain(status);
    await world.drain();
    await markPaid(world, session, {});
    expect(await payoutsMade()).toBe(3);
    expect(await summary(world, session)).toMatchObject({ status: "done" });
  });

  it("select at once: the last selection stands, whole", async () => {
    const { ids, session } = await crowd(3);
    const answers = await atOnce(6, (n) => trySelect(world, session, { min_amount: 1_000 + (n % 3) }));
    for (const { status } of answers) expect([200, 503]).toContain(status);
    const { summary: rows } = await summary(world, session);
    const from = ids.length - rows.length;
    expect(rows.map(({ affiliate_id }) => affiliate_id)).toEqual(ids.slice(from));
  });

  it("select again while it is paid: whatever was paid is in it, once", async () => {
    const { session } = await crowd(6);
    await Promise.all([markPaid(world, session, {}), trySelect(world, session), trySelect(world, session)]);
    await trySelect(world, session);
    await markPaid(world, session, {});
    const { summary: rows, status } = await summary(world, session);
    expect([status, rows.length]).toEqual(["done", 6]);
    expect(await payoutsMade()).toBe(6);
  });
});

describe("a refund between the look at a row and its claim", () => {
  it("gives back at once what nobody saw, and names the row", async () => {
    const { sales, session } = await crowd(1);
    let isBetween = false;
    betweenTurns(async (request, apply) => {
      if (request.command.kind === "claim" && !isBetween) {
        isBetween = true;
        const path = `/v1/commissions/${sales[0]?.id}/reverse`;
        await world.ok("POST", path, { amount: 400, reason: "just now" });
      }
      return apply();
    });
    const { status, body } = await markPaid(world, session, {});
    expect(isBetween).toBe(true);
    expect([status, body.payouts]).toEqual([409, undefined]);
    expect(body).toMatchObject({ code: "nothing_claimed", reason: "selection_changed" });
    expect(await world.ok("GET", `/v1/commissions/${sales[0]?.id}`)).toMatchObject({ status: "approved" });
    await select(world, session);
    expect((await markPaid(world, session, {})).body.payouts).toMatchObject([
      { amount: 600, status: "paid" },
    ]);
  });

  it("is given back also where the call died in between", async () => {
    const { sales, session } = await crowd(1);
    let hasDied = false;
    betweenTurns(async (request, apply) => {
      if (request.command.kind === "claim" && !hasDied) {
        const path = `/v1/commissions/${sales[0]?.id}/reverse`;
        await world.ok("POST", path, { amount: 400, reason: "just now" });
      }
      if (request.command.kind === "cancel" && !hasDied) throw new Error("the isolate is gone");
      return apply();
    });
    expect((await markPaid(world, session, {})).body.failed).toBeUndefined();
    hasDied = true;
    expect((await summary(world, session)).summary[0]).toMatchObject({ status: "claimed", amount: 600 });
    const again = await markPaid(world, session, {});
    expect(again.body.failed).toMatchObject([{ code: "selection_changed" }]);
    expect((await summary(world, session)).summary[0]).toMatchObject({ status: "failed" });
    expect(await world.ok("GET", `/v1/commissions/${sales[0]?.id}`)).toMatchObject({ status: "approved" });
  });
});

describe("a crash in the middle", () => {
  it("after some claims goes on from there: paid once each, with the same payouts", async () => {
    const { session } = await crowd(5);
    let turns = 0;
    let isDown = true;
    betweenTurns(async (_request, apply) => {
      turns += 1;
      // The turn is taken and its answer lost: what a crash of the Worker looks like from the books.
      const answer = await apply();
      if (isDown && turns > 4) throw new Error("the isolate is gone");
      return answer;
    });
    const first = await markPaid(world, session, { external_ref: "run" });
    isDown = false;
    expect([200, 500, 503]).toContain(first.status);
    const again = await markPaid(world, session, { external_ref: "run" });
    expect([again.status, again.body.failed, again.body.status]).toEqual([200, [], "done"]);
    expect(await payoutsMade()).toBe(5);
    const { data } = await world.ok<{ data: { external_ref: string }[] }>(
      "GET",
      `/v1/payouts?session_id=${session.id}`,
    );
    expect(data.map(({ external_ref }) => external_ref)).toEqual(Array.from({ length: 5 }, () => "run"));
  });

  it("of one affiliate's object keeps nobody else from being paid", async () => {
    const { ids, session } = await crowd(3);
    let isDown = true;
    betweenTurns(async (request, apply) => {
      if (isDown && request.affiliateId === ids[1]) throw new Error("the object is gone");
      return apply();
    });
    const { status, body } = await markPaid(world, session, {});
    expect([status, body.payouts.length, body.status]).toEqual([200, 2, "paying"]);
    expect(body.failed.map(({ affiliate_id }) => affiliate_id)).toEqual([ids[1]]);
    isDown = false;
    expect((await markPaid(world, session, {})).body).toMatchObject({ status: "done", failed: [] });
  });

  it("between claim and payment leaves a payout that the session still knows", async () => {
    const { session } = await crowd(2, true);
    let isDown = true;
    betweenTurns(async (request, apply) => {
      if (isDown && request.command.kind === "pay") throw new Error("the isolate is gone");
      return apply();
    });
    await paySession(world, session);
    const { summary: rows, status } = await summary(world, session);
    expect([status, rows.map((row) => row.status)]).toEqual(["paying", ["claimed", "claimed"]]);
    isDown = false;
    expect((await paySession(world, session)).body.failed).toEqual([]);
    await world.drain();
    expect(await summary(world, session)).toMatchObject({ status: "done" });
    expect([await payoutsMade(), world.stripe.transfers().length]).toEqual([2, 2]);
  });
});
