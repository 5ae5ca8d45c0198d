// An update that dies at any of its turns, before or after it commits: the same request again ends where the first would have.
import { afterEach, describe, expect, it } from "vitest";
import { expectSound } from "./books.ts";
import { type Headers, payoutAt, type Stage } from "./dialects-scene.ts";
import { seams } from "./seams.ts";
import { type Loose, openWorld, type World } from "./world.ts";

interface Envelope {
  readonly success: boolean;
  readonly data: Loose;
  readonly error: { readonly code: string; readonly message: string };
}

let world: World;

afterEach(async () => {
  await world.drain();
  await expectSound(world);
});

interface Death {
  /** The turn at which the Worker dies, from 0; it stays dead until it is healed. */
  at: number;
  readonly committed: boolean;
  turns: number;
}

/** Every turn from the chosen one on is lost, with what it would have done or only with its answer. */
const dieAt = (death: Death): void => {
  const plain = seams.ports;
  seams.ports = (ports) => {
    const made = plain(ports);
    return {
      ...made,
      ledgerOf: (programId, affiliateId) => {
        const ledger = made.ledgerOf(programId, affiliateId);
        return {
          leaseCall: (request) => ledger.leaseCall(request),
          endCall: (attemptId) => ledger.endCall(attemptId),
          async apply(request) {
            const isLost = death.turns++ >= death.at;
            if (isLost && !death.committed) throw new Error("the object is gone");
            const answer = await ledger.apply(request);
            if (isLost) throw new Error("the answer is gone");
            return answer;
          },
        };
      },
    };
  };
};

/** The sweeper's and the queue's way with what was left behind. */
const sweep = async (): Promise<void> => {
  for (let round = 0; round < 2; round++) {
    world.advance(30_000);
    await world.cron();
    await world.deliver();
  }
};

const put = (id: string, body: object, headers: Headers = {}) =>
  world.call<Envelope>("PUT", `/v1/payouts/${id}`, body, headers);

/** Turns that the longest of these updates takes, and one more. */
const TURNS = [0, 1, 2, 3, 4, 5];

const UPDATES: readonly (readonly [Stage, string, string])[] = [
  ["requested", "processing", "processing"],
  ["pending", "processing", "processing"],
  ["waiting for a person", "completed", "paid"],
  ["waiting for a person", "cancelled", "cancelled"],
  ["failed", "pending", "pending"],
  ["cancelled", "pending", "pending"],
];

describe.each([false, true])("an update whose turn is lost, committed: %s", (committed) => {
  it.each(UPDATES)(
    "of one that is %s to %s, is finished by the same request",
    async (stage, status, stands) => {
      world = await openWorld();
      const body = { status, paymentReference: "ref-1", paymentMethod: "cash" };
      for (const at of TURNS) {
        const id = await payoutAt(world, stage);
        const death: Death = { at, committed, turns: 0 };
        dieAt(death);
        const died = await put(id, body, { "idempotency-key": `${stage}-${status}-${at}` });
        const isOver = died.status === 200;
        if (!isOver) {
          expect([died.status, died.body.success, died.body.error.code]).toEqual([
            500,
            false,
            "INTERNAL_ERROR",
          ]);
          expect(died.body.error.message).not.toContain("gone");
        }
        death.at = Number.POSITIVE_INFINITY;
        if (at % 2 === 1) await sweep();
        const again = await put(id, body, { "idempotency-key": `${stage}-${status}-${at}` });
        expect([at, again.status]).toEqual([at, 200]);
        expect(again.body.data).toMatchObject({ status, paymentReference: "ref-1", paymentMethod: "cash" });
        expect(await world.ok("GET", `/v1/payouts/${id}`)).toMatchObject({
          status: stands,
          external_ref: "ref-1",
        });
        if (isOver) return;
      }
      throw new Error("the update takes more turns than were lost");
    },
  );
});

describe("a payment by hand whose beginning died", () => {
  it("is never sent by the affiliate's rail, whoever comes to it next", async () => {
    world = await openWorld();
    const { id: affiliateId } = await world.stripeAffiliate();
    for (const committed of [false, true]) {
      for (const at of TURNS.slice(0, 4)) {
        await world.sale(affiliateId, 2_500);
        const id = (await world.generate({ affiliate_ids: [affiliateId] })).payouts[0]?.id ?? "";
        const death: Death = { at, committed, turns: 0 };
        dieAt(death);
        await put(id, { status: "processing" });
        death.at = Number.POSITIVE_INFINITY;
        world.hints.push({ kind: "pay", programId: world.program.id, affiliateId, payoutId: id } as never);
        if (at % 2 === 1) await sweep();
        expect((await put(id, { status: "processing" })).status).toBe(200);
        expect((await put(id, { status: "completed" })).status).toBe(200);
        await sweep();
        expect(world.stripe.transfers(id)).toEqual([]);
      }
    }
  });
});

describe("a database that is away", () => {
  it("is 503 in Affonso's words, with when to come back, and one line in the log", async () => {
    world = await openWorld();
    const id = await payoutAt(world, "pending");
    const lines: string[] = [];
    const plain = seams.ports;
    seams.ports = (ports) => {
      const made = plain(ports);
      const db = new Proxy(made.db, {
        get: (target, name) => {
          if (name === "batch")
            return () => Promise.reject(new Error("D1_ERROR: Network connection lost. SELECT secret"));
          const value: unknown = Reflect.get(target, name);
          return typeof value === "function" ? value.bind(target) : value;
        },
      });
      return { ...made, db, log: (line) => void lines.push(JSON.stringify(line)) };
    };
    const answer = await put(id, { status: "processing" });
    expect(answer).toMatchObject({
      status: 503,
      body: { success: false, error: { code: "INTERNAL_ERROR" } },
    });
    expect(answer.headers.get("retry-after")).toMatch(/^\d+$/);
    expect(JSON.stringify(answer.body)).not.toContain("secret");
    expect(lines.filter((line) => line.includes('"fault"'))).toHaveLength(1);
    expect(lines.at(-1)).toContain("/dialects/affonso/v1/payouts/{id}");
    seams.ports = plain;
  });
});
