// A payout is in one file at most and is paid to the destination that was approved, whoever comes at once and whatever breaks between.
import { describe, expect, it } from "vitest";
import type { Vault } from "../../src/context.ts";
import { atOnce, expectSound, rowsOf } from "./books.ts";
import { readAll } from "./generated.ts";
import {
  BRITISH_IBAN,
  bankPayout,
  DUTCH_IBAN,
  download,
  type FileWire,
  GERMAN_IBAN,
  makeFile,
  pain,
  readFile,
  useBank,
} from "./payout-files-scene.ts";
import { type EdgePorts, seams } from "./seams.ts";
import { type Answer, openWorld } from "./world.ts";

const filesOf = async (payoutId: string): Promise<string[]> =>
  (
    await rowsOf<{ file_id: string }>(
      "SELECT file_id FROM payout_file_items WHERE payout_id = ?1 AND voided = 0",
      payoutId,
    )
  ).map(({ file_id }) => file_id);

const change = (ports: (made: EdgePorts) => EdgePorts): void => {
  const plain = seams.ports;
  seams.ports = (given) => ports(plain(given));
};

const sealing = (vault: Vault, before: (place: string) => Promise<void> | void): Vault => ({
  ...vault,
  open: (sealed, place) => vault.open(sealed, place),
  seal: async (text, place) => {
    await before(place);
    return vault.seal(text, place);
  },
});

/** The same once. */
const once = (work: () => Promise<void> | void): (() => Promise<void>) => {
  let isDone = false;
  return async () => {
    if (isDone) return;
    isDone = true;
    await work();
  };
};

const beforeTurn = (kind: string, work: (affiliateId: string) => Promise<void>): void =>
  change((ports) => ({
    ...ports,
    ledgerOf: (programId, affiliateId) => {
      const ledger = ports.ledgerOf(programId, affiliateId);
      return {
        leaseCall: (request) => ledger.leaseCall(request),
        endCall: (attemptId) => ledger.endCall(attemptId),
        apply: async (request) => {
          if (request.command.kind === kind) await work(affiliateId);
          return ledger.apply(request);
        },
      };
    },
  }));

const beforeFile = (work: () => Promise<void> | void): void => {
  const run = once(work);
  change((ports) => ({
    ...ports,
    vault: sealing(ports.vault, (place) => (place.includes("|payout_files|") ? run() : undefined)),
  }));
};

describe("two requests for the same payouts", () => {
  it("at once make one file of them, and the others say which", async () => {
    const world = await openWorld();
    const payouts = await Promise.all([bankPayout(world), bankPayout(world), bankPayout(world)]);
    const ids = payouts.map(({ id }) => id);
    const answers = await atOnce(4, () => world.call<FileWire>("POST", "/v1/payout-files", pain(ids)));
    const made = answers.filter(({ status }) => status === 201);
    expect(answers.filter(({ status }) => status !== 201 && status !== 422)).toEqual([]);
    const held = new Map<string, string>();
    for (const { body } of made)
      for (const { payout_id } of (await readFile(world, body.id)).payouts) {
        expect(held.has(payout_id)).toBe(false);
        held.set(payout_id, body.id);
      }
    expect([...held.keys()].sort()).toEqual([...ids].sort());
    for (const id of ids) expect(await filesOf(id)).toEqual([held.get(id)]);
    const attempts = await rowsOf("SELECT id FROM attempts WHERE program_id = ?1", world.program.id);
    expect(attempts).toHaveLength(ids.length);
    await expectSound(world);
  });

  it("one inside the other: the later batch leaves out what the earlier one took", async () => {
    const world = await openWorld();
    const [shared, own] = [await bankPayout(world), await bankPayout(world)];
    let inner: Answer<FileWire> | undefined;
    beforeFile(async () => {
      inner = await world.call<FileWire>("POST", "/v1/payout-files", pain([shared.id]));
    });
    const outer = await makeFile(world, pain([shared.id, own.id]));
    expect(inner?.status).toBe(201);
    expect(outer.payout_count).toBe(1);
    expect(outer.failed).toMatchObject([
      { payout_id: shared.id, code: "payout_in_file", file_id: inner?.body.id },
    ]);
    expect(await filesOf(shared.id)).toEqual([inner?.body.id]);
    expect(await (await download(world, outer.id)).text()).not.toContain(shared.id.slice(3));
    await expectSound(world);
  });

  it("one after the other: the second is told the file of the first", async () => {
    const world = await openWorld();
    const { id } = await bankPayout(world);
    const file = await makeFile(world, pain([id]));
    const again = await world.call<FileWire>("POST", "/v1/payout-files", pain([id]));
    expect(again.status).toBe(422);
    expect(again.body.errors?.[0]?.detail).toContain(`payout_in_file: The payout waits in ${file.id}`);
  });
});

describe("a payout that changes while its file is made", () => {
  it("is left out where a person marks it paid between its beginning and the file", async () => {
    const world = await openWorld();
    const [marked, other] = [await bankPayout(world), await bankPayout(world)];
    beforeFile(async () => {
      await world.ok("POST", `/v1/payouts/${marked.id}/mark-paid`, { external_ref: "by hand" });
    });
    const file = await makeFile(world, pain([marked.id, other.id]));
    expect(file.failed).toMatchObject([{ payout_id: marked.id, code: "invalid_state" }]);
    expect((await readFile(world, file.id)).payouts).toMatchObject([{ payout_id: other.id }]);
    expect(file.totals).toMatchObject([{ count: 1 }]);
    await expectSound(world);
  });

  it("is never paid to a destination that changed after the payment began", async () => {
    const world = await openWorld({ destination_cooldown_hours: 0 });
    const { id, affiliateId } = await bankPayout(world);
    await world.ok("POST", `/v1/payouts/${id}/pay`);
    await world.deliver();
    await useBank(world, affiliateId, { iban: DUTCH_IBAN });
    const { body } = await world.call<FileWire>("POST", "/v1/payout-files", pain([id]));
    expect(body.errors?.[0]?.detail).toContain("destination_changed");
    await world.ok("POST", `/v1/payouts/${id}/mark-failed`, { reason: "the account changed" });
    await world.ok("POST", `/v1/payouts/${id}/retry`);
    const file = await makeFile(world, pain([id]));
    const text = await (await download(world, file.id)).text();
    expect([text.includes(DUTCH_IBAN), text.includes(GERMAN_IBAN)]).toEqual([true, false]);
    await expectSound(world);
  });

  it("is refused, and not paid, where the destination changed after approval", async () => {
    const world = await openWorld({ destination_cooldown_hours: 0 });
    const { id, affiliateId } = await bankPayout(world);
    await world.ok("POST", `/v1/payouts/${id}/approve`);
    await useBank(world, affiliateId, { iban: DUTCH_IBAN });
    const { body } = await world.call<FileWire>("POST", "/v1/payout-files", pain([id]));
    expect(body.errors?.[0]?.detail).toContain("destination_changed");
    expect(await world.ok("GET", `/v1/payouts/${id}`)).toMatchObject({ status: "approved" });
  });

  it("goes with the approved account, or with none, where the destination changes in between", async () => {
    const world = await openWorld({ destination_cooldown_hours: 0 });
    const { id, affiliateId } = await bankPayout(world);
    beforeFile(async () => {
      await useBank(world, affiliateId, { iban: DUTCH_IBAN });
    });
    const file = await makeFile(world, pain([id]));
    const text = await (await download(world, file.id)).text();
    expect([text.includes(DUTCH_IBAN), text.includes(GERMAN_IBAN)]).toEqual([false, true]);
  });

  it("is not written to another account of the same affiliate, sealed at the same place, than the approved one", async () => {
    const world = await openWorld({ destination_cooldown_hours: 0 });
    const { id, affiliateId } = await bankPayout(world);
    await world.ok("POST", `/v1/payouts/${id}/pay`);
    await world.deliver();
    const sealedNow = async (): Promise<string> => {
      const [row] = await rowsOf<{ sealed: string }>(
        "SELECT destination ->> '$.sealed' AS sealed FROM affiliates WHERE id = ?1",
        affiliateId,
      );
      return row?.sealed ?? "";
    };
    await useBank(world, affiliateId, { iban: DUTCH_IBAN });
    const other = await sealedNow();
    await useBank(world, affiliateId);
    await rowsOf("UPDATE attempts SET request = ?1 WHERE payout_id = ?2", other, id);
    const { status, body } = await world.call<FileWire>("POST", "/v1/payout-files", pain([id]));
    expect([status, body.errors?.[0]?.detail]).toEqual([422, expect.stringContaining("destination_changed")]);
    await rowsOf("UPDATE attempts SET request = ?1 WHERE payout_id = ?2", await sealedNow(), id);
    expect((await makeFile(world, pain([id]))).payout_count).toBe(1);
  });

  it("is sent back, not paid, where the destination changes between reading it and paying for it", async () => {
    const world = await openWorld({ destination_cooldown_hours: 0 });
    const { id, affiliateId } = await bankPayout(world);
    const change = once(() => useBank(world, affiliateId, { iban: DUTCH_IBAN }).then(() => undefined));
    beforeTurn("pay", change);
    const { status, body } = await world.call<FileWire>("POST", "/v1/payout-files", pain([id]));
    expect([status, body.errors?.[0]?.detail]).toEqual([422, expect.stringContaining("destination_changed")]);
    expect(await world.ok("GET", `/v1/payouts/${id}`)).toMatchObject({
      status: "pending",
      failure_code: "destination_changed",
    });
    await world.drain();
    expect(await rowsOf("SELECT id FROM attempts WHERE payout_id = ?1", id)).toEqual([]);
    await expectSound(world);
  });

  it("goes with the amount that is left where a refund comes between paying for it and beginning it", async () => {
    const world = await openWorld();
    const { id } = await bankPayout(world, 1_000);
    const { commission_ids } = await world.ok<{ commission_ids: string[] }>("GET", `/v1/payouts/${id}`);
    beforeTurn(
      "begin_payment",
      once(async () => {
        const refund = { amount: 400, reason: "half of it came back" };
        await world.ok("POST", `/v1/commissions/${commission_ids[0]}/reverse`, refund);
      }),
    );
    const file = await makeFile(world, pain([id]));
    expect(file.totals).toEqual([{ currency: "EUR", amount: 600, count: 1 }]);
    expect(await (await download(world, file.id)).text()).toContain('<InstdAmt Ccy="EUR">6.00</InstdAmt>');
    await expectSound(world);
  });

  it("is not written from bank details that are not the approved ones, whoever put them there", async () => {
    const world = await openWorld();
    const [victim, thief] = [await bankPayout(world), await bankPayout(world, 100, { iban: DUTCH_IBAN })];
    for (const { id } of [victim, thief]) await world.ok("POST", `/v1/payouts/${id}/pay`);
    await world.deliver();
    const [stolen] = await rowsOf<{ request: string }>(
      "SELECT request FROM attempts WHERE payout_id = ?1",
      thief.id,
    );
    await rowsOf("UPDATE attempts SET request = ?1 WHERE payout_id = ?2", stolen?.request ?? "", victim.id);
    const { status, body } = await world.call<FileWire>("POST", "/v1/payout-files", pain([victim.id]));
    expect([status, body.errors?.[0]?.detail]).toEqual([422, expect.stringContaining("not_writable")]);
  });
});

describe("a request that dies", () => {
  it("between the beginning and the file leaves payments that wait, and the next file takes them in", async () => {
    const world = await openWorld();
    const { id } = await bankPayout(world);
    beforeFile(() => {
      throw new Error("the isolate is gone");
    });
    expect((await world.call("POST", "/v1/payout-files", pain([id]))).status).toBe(500);
    expect(await world.ok("GET", `/v1/payouts/${id}`)).toMatchObject({ status: "processing" });
    expect(await filesOf(id)).toEqual([]);
    await world.drain();
    const file = await makeFile(world, pain([id]));
    expect(await filesOf(id)).toEqual([file.id]);
    expect(await rowsOf("SELECT id FROM attempts WHERE payout_id = ?1", id)).toHaveLength(1);
    await expectSound(world);
  });

  it.each(["pay", "begin_payment", "conclude_payment"])("at the turn of %s loses nothing", async (kind) => {
    const world = await openWorld();
    const [struck, spared] = [await bankPayout(world), await bankPayout(world)];
    let strikes = 3;
    beforeTurn(kind, async (affiliateId) => {
      if (affiliateId === struck.affiliateId && strikes-- > 0) throw new Error("the object was replaced");
    });
    const first = await makeFile(world, pain([struck.id, spared.id]));
    expect(first.failed).toMatchObject([{ payout_id: struck.id, code: "payment_under_way" }]);
    world.advance(60_000);
    await world.drain();
    const second = await makeFile(world, pain([struck.id]));
    expect(await filesOf(struck.id)).toEqual([second.id]);
    expect(await rowsOf("SELECT id FROM attempts WHERE payout_id = ?1", struck.id)).toHaveLength(1);
    await expectSound(world);
  });

  it("of which the database's answer was lost has made its file, and says so", async () => {
    const world = await openWorld();
    const { id } = await bankPayout(world);
    let isArmed = false;
    beforeFile(() => {
      isArmed = true;
    });
    change((ports) => ({
      ...ports,
      db: {
        prepare: (sql: string) => ports.db.prepare(sql),
        batch: async (statements: D1PreparedStatement[]) => {
          const answer = await ports.db.batch(statements);
          if (!isArmed) return answer;
          isArmed = false;
          throw new Error("Network connection lost.");
        },
      } as unknown as D1Database,
    }));
    const file = await makeFile(world, pain([id]));
    expect(await filesOf(id)).toEqual([file.id]);
    expect(await readAll(world, "/v1/payout-files")).toHaveLength(1);
  });

  it("and is taken up under its key answers the file that it made", async () => {
    const world = await openWorld();
    const [payout, british] = [await bankPayout(world), await bankPayout(world, 100, { iban: BRITISH_IBAN })];
    const body = pain([payout.id, british.id]);
    const headers = { "idempotency-key": "friday" };
    const made = await world.ok<FileWire>("POST", "/v1/payout-files", body, headers);
    // As after a crash between the file and the answer.
    await rowsOf(
      "UPDATE idempotency_keys SET state = 'started', status = NULL, sealed = NULL, started_at = started_at - 60001 WHERE program_id = ?1",
      world.program.id,
    );
    const again = await world.call<FileWire>("POST", "/v1/payout-files", body, headers);
    expect([again.status, again.headers.get("idempotent-replayed")]).toEqual([201, null]);
    expect(again.body).toEqual(made);
    expect(made.failed).toMatchObject([{ payout_id: british.id, code: "address_required" }]);
    expect(await readAll(world, "/v1/payout-files")).toHaveLength(1);
  });
});
