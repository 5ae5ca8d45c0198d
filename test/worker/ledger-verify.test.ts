// The proof: healthy books pass it, and each kind of damage is found and named.
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { ENTRY_KINDS } from "../../src/domain/ledger/book.ts";
import { type Eventful, openEventful, turn } from "./eventful.ts";
import { bindings, openWorld, type World } from "./world.ts";

interface Finding {
  readonly invariant: string;
  readonly affiliate_id: string | null;
  readonly currency?: string;
  readonly object_id?: string;
  readonly expected: unknown;
  readonly found: unknown;
}

interface Verification {
  readonly ok: boolean;
  readonly checked: Record<string, number>;
  readonly findings: Finding[];
}

const { DB } = bindings;

const verify = (world: World) => world.ok<Verification>("GET", "/v1/ledger/verify");

const run = (sql: string, ...values: (string | number)[]) =>
  DB.prepare(sql)
    .bind(...values)
    .run();

/** Past the CHECKs: what a restored backup, a bug in SQLite or a careless hand may leave behind. */
const force = (sql: string, ...values: (string | number)[]) =>
  DB.batch([
    DB.prepare("PRAGMA ignore_check_constraints = ON"),
    DB.prepare(sql).bind(...values),
    DB.prepare("PRAGMA ignore_check_constraints = OFF"),
  ]);

test("books to which everything happened pass, and are counted", async () => {
  const { world } = await openEventful();
  const verified = await verify(world);
  expect(verified.findings).toEqual([]);
  expect(verified.ok).toBe(true);
  const count = async (sql: string) =>
    (await DB.prepare(sql).bind(world.program.id).first<{ n: number }>())?.n;
  expect(verified.checked).toEqual({
    affiliates: 2,
    entries: await count(
      "SELECT count(*) AS n FROM entries WHERE affiliate_id IN (SELECT id FROM affiliates WHERE program_id = ?1)",
    ),
    commissions: await count("SELECT count(*) AS n FROM commissions WHERE program_id = ?1"),
    payouts: await count("SELECT count(*) AS n FROM payouts WHERE program_id = ?1"),
  });
  const kinds = await DB.prepare(
    "SELECT DISTINCT kind FROM entries WHERE affiliate_id IN (SELECT id FROM affiliates WHERE program_id = ?1) ORDER BY kind",
  )
    .bind(world.program.id)
    .all<{ kind: string }>();
  // What is paid after a refusal has a test of its own.
  const expected = ENTRY_KINDS.filter((kind) => kind !== "paid_late");
  expect(kinds.results.map(({ kind }) => kind)).toEqual([...expected].sort());
});

test("books pass while turns are taken", async () => {
  const world = await openWorld();
  const id = await world.affiliate();
  const sales = Array.from({ length: 30 }, (_, i) => world.sale(id, i + 1));
  const verified = await Promise.all(Array.from({ length: 5 }, () => verify(world)));
  await Promise.all(sales);
  expect(verified.flatMap(({ findings }) => findings)).toEqual([]);
  expect(await verify(world)).toMatchObject({ ok: true, checked: { commissions: 30, entries: 30 } });
});

test("an empty program passes", async () => {
  const verified = await verify(await openWorld());
  expect(verified).toEqual({
    ok: true,
    checked: { affiliates: 0, entries: 0, commissions: 0, payouts: 0 },
    findings: [],
  });
});

test("money that was paid after a refusal is in the formulas", async () => {
  const world = await openWorld();
  const { id } = await world.stripeAffiliate();
  await world.sale(id, 2_000);
  const { payouts } = await world.generate();
  const payoutId = payouts[0]?.id as `po_${string}`;
  world.stripe.addFault({ fault: "account_closed" });
  await world.ok("POST", `/v1/payouts/${payoutId}/pay`, {});
  await world.drain();
  const attempt = await DB.prepare("SELECT id FROM attempts WHERE payout_id = ?1")
    .bind(payoutId)
    .first<{ id: `att_${string}` }>();
  if (attempt === null) throw new Error("no attempt");
  const outcome = { kind: "settled", ref: "tr_late" } as const;
  await turn(world, id as never, { kind: "conclude_payment", payoutId, attemptId: attempt.id, outcome });
  expect(await world.ok("GET", `/v1/affiliates/${id}/balance`)).toMatchObject({
    balances: [{ paid: 2_000, recovery_owed: 2_000, payable: 2_000 }],
  });
  expect((await verify(world)).findings).toEqual([]);
});

test("events that were pruned from the beginning of the feed are not missed", async () => {
  const { world } = await openEventful();
  await run("DELETE FROM events WHERE program_id = ?1 AND position < 10", world.program.id);
  expect((await verify(world)).findings).toEqual([]);
});

test("reading the books needs reports:read, and damage elsewhere is not this program's", async () => {
  const [broken, world] = [await openEventful(), await openWorld()];
  await run(
    "UPDATE balances SET pending = pending + 1, program = program - 1 WHERE affiliate_id = ?1 AND currency = 'USD'",
    broken.ada,
  );
  expect((await verify(broken.world)).ok).toBe(false);
  expect((await verify(world)).ok).toBe(true);
  const key = await world.ok("POST", "/v1/api-keys", { name: "shop", scopes: ["commissions:write"] });
  const headers = { authorization: `Bearer ${key["secret"]}` };
  expect((await world.call("GET", "/v1/ledger/verify", undefined, headers)).status).toBe(403);
});

interface Damage {
  readonly name: string;
  inflict(of: Eventful): Promise<unknown>;
  /** Among the findings must be these. */
  named(of: Eventful): readonly Partial<Finding>[];
}

const DAMAGES: readonly Damage[] = [
  {
    name: "a balance that its entries do not add up to",
    inflict: ({ ada }) =>
      run(
        "UPDATE balances SET pending = pending + 5, program = program - 5 WHERE affiliate_id = ?1 AND currency = 'USD'",
        ada,
      ),
    named: ({ ada }) => [
      { invariant: "I2", affiliate_id: ada, currency: "USD", object_id: "pending", expected: 39, found: 44 },
      { invariant: "I2", affiliate_id: ada, currency: "USD", object_id: "program" },
      { invariant: "I5", affiliate_id: ada, currency: "USD", object_id: "pending", expected: 39, found: 44 },
    ],
  },
  {
    name: "a balance that is gone",
    inflict: ({ bea }) => run("DELETE FROM balances WHERE affiliate_id = ?1 AND currency = 'EUR'", bea),
    named: ({ bea }) => [
      {
        invariant: "I2",
        affiliate_id: bea,
        currency: "EUR",
        object_id: "store_credit",
        expected: 600,
        found: null,
      },
    ],
  },
  {
    name: "a balance without an entry",
    inflict: ({ ada }) =>
      run(
        "INSERT INTO balances (affiliate_id, currency, seq, available, program) VALUES (?1, 'GBP', 1, 7, -7)",
        ada,
      ),
    named: ({ ada }) => [
      { invariant: "I2", affiliate_id: ada, currency: "GBP", object_id: "available", expected: 0, found: 7 },
      { invariant: "I2", affiliate_id: ada, currency: "GBP", object_id: "seq", expected: null, found: 1 },
    ],
  },
  {
    name: "a balance of another turn",
    inflict: ({ ada }) =>
      run("UPDATE balances SET seq = seq - 1 WHERE affiliate_id = ?1 AND currency = 'USD'", ada),
    named: ({ ada }) => [{ invariant: "I2", affiliate_id: ada, currency: "USD", object_id: "seq" }],
  },
  {
    name: "accounts that do not sum to zero",
    inflict: ({ ada }) =>
      force(
        "UPDATE balances SET available = available + 3 WHERE affiliate_id = ?1 AND currency = 'USD'",
        ada,
      ),
    named: ({ ada }) => [
      {
        invariant: "I2",
        affiliate_id: ada,
        currency: "USD",
        object_id: "sum of accounts",
        expected: 0,
        found: 3,
      },
    ],
  },
  {
    name: "an account below nothing",
    inflict: ({ bea }) =>
      force(
        "UPDATE balances SET reserved = -4, program = program + 4 WHERE affiliate_id = ?1 AND currency = 'EUR'",
        bea,
      ),
    named: ({ bea }) => [
      {
        invariant: "I3",
        affiliate_id: bea,
        currency: "EUR",
        object_id: "reserved",
        expected: "at least 0",
        found: -4,
      },
    ],
  },
  {
    name: "an affiliate that is owed by its own debt",
    inflict: ({ bea }) =>
      force(
        "UPDATE balances SET recovery = 4, program = program - 4 WHERE affiliate_id = ?1 AND currency = 'EUR'",
        bea,
      ),
    named: ({ bea }) => [
      {
        invariant: "I3",
        affiliate_id: bea,
        currency: "EUR",
        object_id: "recovery",
        expected: "at most 0",
        found: 4,
      },
    ],
  },
  {
    name: "an entry that is gone from its turn",
    inflict: ({ ada }) =>
      run(
        `DELETE FROM entries WHERE affiliate_id = ?1 AND kind = 'claim'
          AND seq = (SELECT min(seq) FROM entries WHERE affiliate_id = ?1 AND kind = 'claim_recovery')`,
        ada,
      ),
    named: ({ ada }) => [
      { invariant: "I9", affiliate_id: ada, object_id: expect.stringMatching(/^turn \d+$/) },
      { invariant: "I2", affiliate_id: ada, object_id: "reserved" },
      { invariant: "I6", affiliate_id: ada },
    ],
  },
  {
    name: "an entry of another amount",
    inflict: ({ ada, free }) =>
      run("UPDATE entries SET amount = amount + 1 WHERE affiliate_id = ?1 AND commission_id = ?2", ada, free),
    named: ({ ada }) => [
      { invariant: "I2", affiliate_id: ada, object_id: "available" },
      { invariant: "I2", affiliate_id: ada, object_id: "program" },
    ],
  },
  {
    name: "an entry of a commission that is not there",
    inflict: ({ free }) =>
      run("UPDATE entries SET commission_id = 'com_ghost' WHERE commission_id = ?1", free),
    named: ({ ada }) => [
      { invariant: "I8", affiliate_id: ada, object_id: "com_ghost", found: "no such commission" },
    ],
  },
  {
    name: "an entry in another currency than its commission",
    inflict: ({ free }) => run("UPDATE entries SET currency = 'EUR' WHERE commission_id = ?1", free),
    named: ({ ada, free }) => [
      { invariant: "I8", affiliate_id: ada, currency: "EUR", object_id: free, found: `${ada} USD` },
      {
        invariant: "I2",
        affiliate_id: ada,
        currency: "EUR",
        object_id: "available",
        expected: 11,
        found: null,
      },
    ],
  },
  {
    name: "an entry of another's payout",
    inflict: ({ bea, live }) =>
      run("UPDATE entries SET payout_id = ?2 WHERE affiliate_id = ?1 AND kind = 'return_part'", bea, live),
    named: ({ ada, bea, live }) => [
      { invariant: "I8", affiliate_id: bea, object_id: live, found: `${ada} USD` },
    ],
  },
  {
    name: "a turn that is gone",
    inflict: ({ ada }) =>
      run(
        "DELETE FROM turns WHERE affiliate_id = ?1 AND seq = (SELECT min(seq) FROM turns t WHERE t.affiliate_id = ?1 AND NOT EXISTS (SELECT 1 FROM entries e WHERE e.affiliate_id = ?1 AND e.seq = t.seq) AND seq > 1)",
        ada,
      ),
    named: ({ ada }) => [{ invariant: "I9", affiliate_id: ada, object_id: "turns" }],
  },
  {
    name: "a turn of another program",
    inflict: ({ ada }) =>
      run("UPDATE turns SET program_id = 'prg_other' WHERE affiliate_id = ?1 AND seq = 2", ada),
    named: ({ ada }) => [{ invariant: "I9", affiliate_id: ada, object_id: "turns", found: "1 of another" }],
  },
  {
    name: "a turn of an affiliate that is not there",
    inflict: ({ world }) =>
      run(
        "INSERT INTO turns (affiliate_id, seq, program_id, command_id, request_sha, verdict, event_seq, at) VALUES ('aff_ghost' || ?1, 1, ?1, 'x', '', '{}', 0, 0)",
        world.program.id,
      ),
    named: ({ world }) => [
      { invariant: "I9", affiliate_id: `aff_ghost${world.program.id}`, object_id: "turn 1" },
    ],
  },
  {
    name: "a commission in a state that nothing brought about",
    inflict: ({ free }) => run("UPDATE commissions SET status = 'pending' WHERE id = ?1", free),
    named: ({ ada }) => [
      { invariant: "I5", affiliate_id: ada, currency: "USD", object_id: "pending" },
      { invariant: "I5", affiliate_id: ada, currency: "USD", object_id: "available" },
    ],
  },
  {
    name: "a commission of another amount",
    inflict: ({ free }) => run("UPDATE commissions SET amount = amount + 9 WHERE id = ?1", free),
    named: ({ ada }) => [
      { invariant: "I5", affiliate_id: ada, object_id: "available" },
      { invariant: "I5", affiliate_id: ada, object_id: "program" },
    ],
  },
  {
    name: "a refund that nobody booked",
    inflict: ({ settled }) =>
      run("UPDATE commissions SET clawed_back = clawed_back + 1 WHERE id = ?1", settled),
    named: ({ bea }) => [
      { invariant: "I5", affiliate_id: bea, object_id: "recovery", expected: -51, found: -50 },
      { invariant: "I5", affiliate_id: bea, object_id: "program" },
    ],
  },
  {
    name: "a commission in another currency",
    inflict: ({ claimed }) => run("UPDATE commissions SET currency = 'EUR' WHERE id = ?1", claimed),
    named: ({ ada, claimed, live }) => [
      { invariant: "I4", affiliate_id: ada, object_id: claimed, found: `${live} of ${ada} in USD` },
      { invariant: "I8", affiliate_id: ada, object_id: claimed },
    ],
  },
  {
    name: "a claimed commission whose payout is cancelled",
    inflict: ({ claimed, cancelled }) =>
      run("UPDATE commissions SET payout_id = ?2 WHERE id = ?1", claimed, cancelled),
    named: ({ ada, claimed, cancelled, live }) => [
      { invariant: "I4", affiliate_id: ada, object_id: claimed, found: `${cancelled} cancelled` },
      { invariant: "I4", affiliate_id: ada, object_id: claimed, expected: `a commission of ${live}` },
      { invariant: "I4", affiliate_id: ada, object_id: claimed, expected: `a line of ${cancelled}` },
    ],
  },
  {
    name: "a claimed commission without a payout",
    inflict: ({ claimed }) => force("UPDATE commissions SET payout_id = NULL WHERE id = ?1", claimed),
    named: ({ ada, claimed }) => [
      { invariant: "I4", affiliate_id: ada, object_id: claimed, found: "no payout" },
    ],
  },
  {
    name: "a free commission that points to a payout",
    inflict: ({ free, paid }) => force("UPDATE commissions SET payout_id = ?2 WHERE id = ?1", free, paid),
    named: ({ ada, free }) => [
      { invariant: "I4", affiliate_id: ada, object_id: free, expected: "approved in no payout" },
    ],
  },
  {
    name: "a paid commission that is given out again",
    inflict: ({ settled }) =>
      run("UPDATE commissions SET status = 'approved', payout_id = NULL WHERE id = ?1", settled),
    named: ({ bea, settled, paid }) => [
      {
        invariant: "I4",
        affiliate_id: bea,
        object_id: settled,
        expected: `a commission of ${paid}`,
        found: "approved in no payout",
      },
      { invariant: "I5", affiliate_id: bea, object_id: "available" },
    ],
  },
  {
    name: "a line that is gone",
    inflict: ({ live, claimed }) =>
      run("DELETE FROM payout_lines WHERE payout_id = ?1 AND commission_id = ?2", live, claimed),
    named: ({ ada, live, claimed }) => [
      { invariant: "I4", affiliate_id: ada, object_id: claimed, expected: `a line of ${live}`, found: null },
      { invariant: "I4", affiliate_id: ada, object_id: live },
    ],
  },
  {
    name: "a commission in two payouts that hold it",
    inflict: ({ live, settled }) =>
      run("INSERT INTO payout_lines (payout_id, commission_id, amount) VALUES (?1, ?2, 1)", live, settled),
    named: ({ settled, live, paid }) => [
      {
        invariant: "I4",
        object_id: settled,
        expected: "one payout",
        found: expect.stringMatching(`^(${live} ${paid}|${paid} ${live})$`),
      },
      { invariant: "I4", object_id: live },
    ],
  },
  {
    name: "a payout that is more than its lines",
    inflict: ({ live }) =>
      run("UPDATE payouts SET gross = gross + 1, amount = amount + 1 WHERE id = ?1", live),
    named: ({ ada, live }) => [
      { invariant: "I4", affiliate_id: ada, object_id: live },
      { invariant: "I5", affiliate_id: ada, object_id: "reserved" },
      { invariant: "I6", affiliate_id: ada, object_id: live },
    ],
  },
  {
    name: "a payout that is not what is left of its gross",
    inflict: ({ live }) => force("UPDATE payouts SET amount = amount - 1 WHERE id = ?1", live),
    named: ({ ada, live }) => [
      { invariant: "I4", affiliate_id: ada, object_id: live, expected: expect.stringMatching(/^amount/) },
    ],
  },
  {
    name: "a paid payout that waits again",
    inflict: ({ paid }) => run("UPDATE payouts SET status = 'pending' WHERE id = ?1", paid),
    named: ({ bea, paid, settled }) => [
      { invariant: "I6", affiliate_id: bea, object_id: paid },
      { invariant: "I5", affiliate_id: bea, object_id: "reserved" },
      { invariant: "I5", affiliate_id: bea, object_id: "paid" },
      { invariant: "I4", affiliate_id: bea, object_id: settled },
    ],
  },
  {
    name: "a waiting payout that says it is paid",
    inflict: ({ live }) => run("UPDATE payouts SET status = 'paid', paid_via = 'manual' WHERE id = ?1", live),
    named: ({ ada, live }) => [
      { invariant: "I6", affiliate_id: ada, object_id: live },
      { invariant: "I5", affiliate_id: ada, object_id: "paid" },
    ],
  },
  {
    name: "a payout paid as store credit that was not",
    inflict: ({ paid }) => run("UPDATE payouts SET paid_via = 'store_credit' WHERE id = ?1", paid),
    named: ({ bea }) => [
      { invariant: "I5", affiliate_id: bea, currency: "USD", object_id: "store_credit" },
      { invariant: "I5", affiliate_id: bea, currency: "USD", object_id: "paid" },
    ],
  },
  {
    name: "a claim that nobody made",
    inflict: ({ cancelled }) => run("UPDATE payouts SET claims = claims + 1 WHERE id = ?1", cancelled),
    named: ({ ada, cancelled }) => [{ invariant: "I6", affiliate_id: ada, object_id: cancelled }],
  },
  {
    name: "money that came back to nobody",
    inflict: ({ paid }) => run("UPDATE payouts SET returned_amount = 7 WHERE id = ?1", paid),
    named: ({ bea, paid }) => [
      { invariant: "I6", affiliate_id: bea, object_id: paid },
      { invariant: "I5", affiliate_id: bea, object_id: "paid" },
    ],
  },
  {
    name: "money that was paid late without an entry",
    inflict: ({ cancelled }) => run("UPDATE payouts SET late_paid = 7 WHERE id = ?1", cancelled),
    named: ({ ada, cancelled }) => [
      { invariant: "I6", affiliate_id: ada, object_id: cancelled },
      { invariant: "I5", affiliate_id: ada, object_id: "paid" },
      { invariant: "I5", affiliate_id: ada, object_id: "recovery" },
    ],
  },
  {
    name: "a payout that nobody claimed for",
    inflict: ({ world, paid }) =>
      run(
        `INSERT INTO payouts SELECT program_id, 'po_ghost' || ?1, affiliate_id, currency, gross, recovered, refunded, amount, returned_amount, late_paid,
        commission_count, period_start, period_end, 'cancelled', sent, method, destination_sha, attempt_count, external_ref, external_id, created_by, approved_at,
        approved_by, paid_at, paid_via, expected_by, stalled_at, failure_code, failure_detail, admin_note, partner_message, run_id, session_id, claims, history,
        NULL, NULL, created_at, updated_at FROM payouts WHERE id = ?2`,
        world.program.id,
        paid,
      ),
    named: ({ bea, world }) => [
      { invariant: "I6", affiliate_id: bea, object_id: `po_ghost${world.program.id}`, found: "no entries" },
    ],
  },
  {
    name: "a commission of an affiliate that is not there",
    inflict: ({ free }) => run("UPDATE commissions SET affiliate_id = 'aff_ghost' WHERE id = ?1", free),
    named: ({ ada, free }) => [
      { invariant: "I12", affiliate_id: "aff_ghost", object_id: free },
      { invariant: "I8", affiliate_id: ada, object_id: free },
    ],
  },
  {
    name: "an event that is gone from the middle",
    inflict: ({ world }) =>
      run("DELETE FROM events WHERE program_id = ?1 AND position = 12", world.program.id),
    named: () => [
      { invariant: "I13", affiliate_id: null, object_id: "position 12", expected: 12, found: 13 },
      { invariant: "I13", affiliate_id: expect.stringMatching(/^aff_/), object_id: "events" },
    ],
  },
  {
    name: "the last event of an affiliate that is gone",
    inflict: ({ world }) =>
      run(
        "DELETE FROM events WHERE program_id = ?1 AND position = (SELECT max(position) FROM events WHERE program_id = ?1)",
        world.program.id,
      ),
    named: ({ ada }) => [{ invariant: "I13", affiliate_id: ada, object_id: "events" }],
  },
  {
    name: "an event that is announced twice",
    inflict: ({ ada }) => run("UPDATE events SET sequence = 3 WHERE affiliate_id = ?1 AND sequence = 4", ada),
    named: ({ ada }) => [{ invariant: "I13", affiliate_id: ada, object_id: "events" }],
  },
  {
    name: "an event of an affiliate that is not there",
    inflict: ({ world }) =>
      run(
        `INSERT INTO events SELECT program_id, position + 1, type, at, livemode, 'aff_ghost', 1, actor_type, actor_id, data
        FROM events WHERE program_id = ?1 ORDER BY position DESC LIMIT 1`,
        world.program.id,
      ),
    named: () => [{ invariant: "I13", affiliate_id: "aff_ghost", object_id: "events" }],
  },
];

/** In the order in which they may be filled. */
const TABLES = ["turns", "entries", "balances", "commissions", "payouts", "payout_lines", "events"];

describe("damage", () => {
  let eventful: Eventful;

  beforeAll(async () => {
    const sql = "SELECT name FROM sqlite_master WHERE type = 'trigger'";
    const { results } = await DB.prepare(sql).all<{ name: string }>();
    eventful = await openEventful();
    for (const { name } of results) await run(`DROP TRIGGER ${name}`);
    for (const table of TABLES) await run(`CREATE TABLE whole_${table} AS SELECT * FROM ${table}`);
  });

  afterEach(async () => {
    await DB.batch([
      ...[...TABLES].reverse().map((table) => DB.prepare(`DELETE FROM ${table}`)),
      ...TABLES.map((table) => DB.prepare(`INSERT INTO ${table} SELECT * FROM whole_${table}`)),
    ]);
  });

  test.each(DAMAGES)("is found and named: $name", async ({ inflict, named }) => {
    expect((await verify(eventful.world)).findings).toEqual([]);
    await inflict(eventful);
    const { ok, findings } = await verify(eventful.world);
    expect(ok).toBe(false);
    for (const finding of named(eventful)) expect(findings).toContainEqual(expect.objectContaining(finding));
  });
});
