// The fence in real D1: whatever a writer believes of a book, only the next turn of it gets in, whole or not at all.
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import type { AffiliateId, ProgramId } from "../../src/domain/ids.ts";
import type { Book } from "../../src/domain/ledger/book.ts";
import type { Command } from "../../src/domain/ledger/command.ts";
import { needsOf } from "../../src/domain/ledger/command.ts";
import { decide } from "../../src/domain/ledger/decide.ts";
import { POLICY_DEFAULTS } from "../../src/domain/policy.ts";
import { commitTurns, type DecidedTurn } from "../../src/store/book.ts";
import { loadBook } from "../../src/store/book-load.ts";

const db = (env as unknown as { DB: D1Database }).DB;
const sleep = async (): Promise<void> => undefined;
const actor = { type: "key", id: "key_test" } as const;

let serial = 0;
const body = (): string => String(++serial).padStart(26, "0");

interface Scene {
  readonly programId: ProgramId;
  readonly affiliateId: AffiliateId;
}

const insertProgram = async (): Promise<ProgramId> => {
  const id: ProgramId = `prg_${body()}`;
  await db
    .prepare(
      "INSERT INTO programs (id, name, mode, default_currency, policy, policy_version, created_at) VALUES (?1, 'Shop', 'test', 'USD', ?2, 1, 0)",
    )
    .bind(id, JSON.stringify({ ...POLICY_DEFAULTS, hold_days: 0 }))
    .run();
  return id;
};

const bookFor = async (scene: Scene, command: Command, commandId: string): Promise<Book> =>
  (await loadBook(db, { ...scene, commandId, needs: needsOf(command), now: 1_000 })).book;

const decided = (book: Book, command: Command, commandId: string): DecidedTurn => {
  const verdict = decide(book, command, { now: 1_000, actor, mint: body() });
  if (verdict.kind !== "change") throw new Error(`expected a change, got ${JSON.stringify(verdict)}`);
  return {
    book,
    change: verdict.change,
    result: verdict.result,
    commandId,
    requestSha: "sha",
    actor,
    at: 1_000,
  };
};

const sale = (externalId: string, amount = 500): Command => ({
  kind: "record",
  externalId,
  amount,
  orderAmount: null,
  currency: "USD",
  occurredAt: 0,
  status: "approved",
  metadata: null,
  requestSha: externalId,
});

const apply = async (scene: Scene, command: Command, commandId = `s:${body()}`) => {
  const turn = decided(await bookFor(scene, command, commandId), command, commandId);
  return { turn, outcome: await commitTurns(db, [turn], sleep) };
};

const open = async (): Promise<Scene> => {
  const scene: Scene = { programId: await insertProgram(), affiliateId: `aff_${body()}` };
  const affiliate = {
    externalId: null,
    name: "Ada",
    email: "ada@example.com",
    country: null,
    metadata: null,
    overrides: {},
  };
  expect((await apply(scene, { kind: "create_affiliate", affiliate })).outcome.kind).toBe("committed");
  return scene;
};

const count = async (table: string, scene: Scene): Promise<number> =>
  (await db
    .prepare(`SELECT count(*) AS n FROM ${table} WHERE affiliate_id = ?1`)
    .bind(scene.affiliateId)
    .first<number>("n")) ?? -1;

const snapshot = async (scene: Scene): Promise<string> => {
  const tables = ["turns", "entries", "balances", "commissions", "payouts", "events"];
  const rows = await Promise.all(
    tables.map((table) =>
      db.prepare(`SELECT * FROM ${table} WHERE affiliate_id = ?1`).bind(scene.affiliateId).all(),
    ),
  );
  return JSON.stringify(rows.map((row) => row.results));
};

describe("the fence", () => {
  let scene: Scene;
  beforeEach(async () => {
    scene = await open();
  });

  it("commits a turn with its entries, balances, commission and event as one", async () => {
    expect((await apply(scene, sale("o1"))).outcome).toEqual({ kind: "committed" });
    expect(await count("turns", scene)).toBe(2);
    expect(
      await db
        .prepare("SELECT available, program FROM balances WHERE affiliate_id = ?1")
        .bind(scene.affiliateId)
        .first(),
    ).toEqual({ available: 500, program: -500 });
    expect(await count("commissions", scene)).toBe(1);
    const events = await db
      .prepare("SELECT type, sequence FROM events WHERE affiliate_id = ?1 ORDER BY position")
      .bind(scene.affiliateId)
      .all();
    expect(events.results).toEqual([
      { type: "affiliate.created", sequence: 1 },
      { type: "commission.created", sequence: 2 },
    ]);
  });

  it("refuses a stale seq and leaves nothing of the batch", async () => {
    const stale = await bookFor(scene, sale("o1"), "s:a");
    await apply(scene, sale("o2"));
    const before = await snapshot(scene);
    expect(await commitTurns(db, [decided(stale, sale("o1"), "s:a")], sleep)).toEqual({ kind: "stale" });
    expect(await snapshot(scene)).toBe(before);
  });

  it("refuses a stale writer whose lines another writer has not used", async () => {
    const stale = await bookFor(scene, sale("o1"), "s:a");
    const note: Command = { kind: "update_affiliate", patch: { name: "Bea" } };
    expect((await apply(scene, note)).outcome.kind).toBe("committed");
    expect(await count("entries", scene)).toBe(0);
    expect(await commitTurns(db, [decided(stale, sale("o1"), "s:a")], sleep)).toEqual({ kind: "stale" });
    expect(await count("entries", scene)).toBe(0);
  });

  it("takes a turn without entries as a turn", async () => {
    await apply(scene, { kind: "update_affiliate", patch: { name: "Bea" } });
    expect(await count("turns", scene)).toBe(2);
    expect(await count("entries", scene)).toBe(0);
  });

  it("refuses a writer that is ahead of the book", async () => {
    const book = await bookFor(scene, sale("o1"), "s:a");
    expect(
      await commitTurns(db, [decided({ ...book, seq: book.seq + 1 }, sale("o1"), "s:a")], sleep),
    ).toEqual({ kind: "stale" });
    expect(await count("turns", scene)).toBe(1);
  });

  it("refuses a replayed command even under the right seq", async () => {
    await apply(scene, sale("o1"), "k:same");
    const book = await bookFor(scene, sale("o2"), "k:other");
    const before = await snapshot(scene);
    expect(await commitTurns(db, [decided(book, sale("o2"), "k:same")], sleep)).toEqual({ kind: "stale" });
    expect(await snapshot(scene)).toBe(before);
  });

  it("finds the verdict of a command that was applied", async () => {
    const { turn } = await apply(scene, sale("o1"), "k:same");
    const { replay } = await loadBook(db, { ...scene, commandId: "k:same", needs: {}, now: 1_000 });
    expect(replay).toEqual({ seq: 2, at: 1_000, requestSha: "sha", result: turn.result });
  });

  it("refuses turns decided on another version of the policy", async () => {
    const book = await bookFor(scene, sale("o1"), "s:a");
    await db.prepare("UPDATE programs SET policy_version = 2 WHERE id = ?1").bind(scene.programId).run();
    expect(await commitTurns(db, [decided(book, sale("o1"), "s:a")], sleep)).toEqual({ kind: "stale" });
    expect(await count("turns", scene)).toBe(1);
  });

  it("tells a taken external_id apart from a stale book", async () => {
    await apply(scene, sale("o1"));
    const book = await bookFor(scene, sale("o1"), "s:b");
    expect(await commitTurns(db, [decided(book, sale("o1"), "s:b")], sleep)).toEqual({
      kind: "external_id_taken",
    });
    expect(await count("turns", scene)).toBe(2);
  });

  it("keeps turns and entries as they were written", async () => {
    await apply(scene, sale("o1"));
    const where = `WHERE affiliate_id = '${scene.affiliateId}'`;
    for (const sql of [
      `UPDATE turns SET at = 1 ${where}`,
      `DELETE FROM turns ${where}`,
      `UPDATE entries SET amount = 1 ${where}`,
      `DELETE FROM entries ${where}`,
    ]) {
      await expect(db.prepare(sql).run()).rejects.toThrow("immutable");
    }
  });

  it("rolls back every affiliate of a list when one of them is stale", async () => {
    const other = await open().then(async (made) => ({ ...made }));
    const mine = decided(await bookFor(scene, sale("o1"), "s:1"), sale("o1"), "s:1");
    const foreign = { ...other, programId: other.programId };
    const theirs = decided({ ...(await bookFor(foreign, sale("o9"), "s:2")), seq: 7 }, sale("o9"), "s:2");
    expect(await commitTurns(db, [mine, theirs], sleep)).toEqual({ kind: "stale" });
    expect(await count("turns", scene)).toBe(1);
  });

  it("resends the very same batch when the answer is lost after the commit, and finds it done", async () => {
    const turn = decided(await bookFor(scene, sale("o1"), "s:1"), sale("o1"), "s:1");
    let calls = 0;
    const losing = new Proxy(db, {
      get: (target, name) =>
        name !== "batch"
          ? Reflect.get(target, name).bind(target)
          : async (statements: D1PreparedStatement[]) => {
              calls++;
              const result = await target.batch(statements);
              if (calls === 1) throw new Error("D1_ERROR: Network connection lost.");
              return result;
            },
    });
    expect(await commitTurns(losing, [turn], sleep)).toEqual({ kind: "stale" });
    expect(calls).toBe(2);
    expect(await count("turns", scene)).toBe(2);
  });
});
