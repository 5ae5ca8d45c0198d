// The journal and the feed: no gaps, nothing rewritten, and each change announced exactly once.
import { historyOf } from "./oracle-claims.ts";
import { amountIn, groupBy, type Row, type Snapshot, type Table, textIn } from "./snapshot.ts";
import { must } from "./violation.ts";

const checkContiguous = (invariant: string, what: string, numbers: readonly number[], first = 1): void => {
  for (const [i, n] of numbers.entries())
    must(n === first + i, invariant, () => `${what} ${first + i} is numbered ${n}`);
};

/** I9: seq has no gaps, and every entry is a line of a turn. */
const checkTurns = (now: Snapshot): void => {
  const entries = groupBy(now.entries, "affiliate_id", "seq");
  for (const [affiliateId, turns] of groupBy(now.turns, "affiliate_id")) {
    checkContiguous(
      "I9",
      `turn of ${affiliateId}`,
      turns.map((turn) => amountIn(turn, "seq")),
    );
  }
  for (const turn of now.turns) {
    const place = `${turn["affiliate_id"]} ${turn["seq"]}`;
    const lines = (entries.get(place) ?? []).map((entry) => amountIn(entry, "line"));
    checkContiguous("I9", `line of ${place}`, lines, 0);
    entries.delete(place);
  }
  must(entries.size === 0, "I9", () => `entries without a turn: ${[...entries.keys()].join(", ")}`);
};

/** Positions have no gaps over the program, sequences none over an affiliate, and the last turn knows the last sequence. */
const checkFeed = (now: Snapshot): void => {
  checkContiguous(
    "I13",
    "position",
    now.events.map((event) => amountIn(event, "position")),
  );
  const books = now.events.filter((event) => event["affiliate_id"] !== null);
  const feeds = groupBy(books, "affiliate_id");
  for (const [affiliateId, turns] of groupBy(now.turns, "affiliate_id")) {
    const feed = feeds.get(affiliateId) ?? [];
    checkContiguous(
      "I13",
      `event of ${affiliateId}`,
      feed.map((event) => amountIn(event, "sequence")),
    );
    const known = turns.at(-1)?.["event_seq"];
    must(
      known === feed.length,
      "I13",
      () => `${affiliateId} has ${feed.length} events, its turns count ${known}`,
    );
  }
};

/** What a step of a payout's history is announced as. */
const ANNOUNCED: Readonly<Record<string, string>> = {
  requested: "payout.requested",
  approved: "payout.approved",
  processing: "payout.processing",
  paid: "payout.paid",
  failed: "payout.failed",
  cancelled: "payout.cancelled",
  returned: "payout.returned",
};

/** I13: as many events as changes, for what can be counted from the rows. */
const checkAnnounced = (now: Snapshot): void => {
  const counts = new Map<string, number>();
  for (const event of now.events) {
    const data = JSON.parse(textIn(event, "data")) as { id?: string; payout_id?: string };
    const about = event["type"] === "commission.paid" ? data.payout_id : data.id;
    const key = `${event["type"]} ${about}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const check = (type: string, about: string, expected: number): void => {
    const found = counts.get(`${type} ${about}`) ?? 0;
    must(
      found === expected,
      "I13",
      () => `${type} of ${about} was announced ${found} times, not ${expected}`,
    );
  };
  const held = groupBy(now.commissions, "payout_id", "status");
  for (const payout of now.payouts) {
    const id = textIn(payout, "id");
    const steps = historyOf(payout);
    for (const [status, type] of Object.entries(ANNOUNCED))
      check(type, id, steps.filter(({ to }) => to === status).length);
    if (payout["status"] === "paid") check("commission.paid", id, held.get(`${id} paid`)?.length ?? 0);
  }
  for (const commission of now.commissions) check("commission.created", textIn(commission, "id"), 1);
  for (const run of now.payout_runs)
    check("run.completed", textIn(run, "id"), run["status"] === "done" ? 1 : 0);
};

/** Rows that are never touched again once they stand. */
const FOR_EVER: readonly Table[] = ["turns", "entries", "events", "refunds"];

/** What of a row stays as it was made, where the row itself may change. */
const FROZEN: Partial<Record<Table, readonly string[]>> = {
  commissions: ["affiliate_id", "external_id", "kind", "currency", "amount", "payable_at"],
  payouts: ["affiliate_id", "currency", "run_id", "period_start", "period_end", "commission_count"],
  attempts: [
    "payout_id",
    "n",
    "provider_account",
    "destination",
    "idempotency_key",
    "request",
    "amount",
    "created_at",
  ],
};

const checkPrefix = (table: Table, before: readonly Row[], now: readonly Row[]): void => {
  const rows = new Set(now.map((row) => JSON.stringify(row)));
  for (const row of before)
    must(
      rows.has(JSON.stringify(row)),
      "I9",
      () => `a row of ${table} was changed or lost: ${JSON.stringify(row)}`,
    );
};

const checkImmutable = (before: Snapshot, now: Snapshot): void => {
  for (const table of FOR_EVER) checkPrefix(table, before[table], now[table]);
  for (const [table, columns] of Object.entries(FROZEN) as [Table, readonly string[]][]) {
    const rows = new Map(now[table].map((row) => [row["id"], row]));
    for (const row of before[table])
      for (const column of columns) {
        const kept = rows.get(row["id"] ?? null)?.[column];
        must(kept === row[column], "I9", () => `${row["id"]} ${column} became ${kept}, was ${row[column]}`);
      }
  }
};

export const checkJournal = (before: Snapshot, now: Snapshot): void => {
  checkTurns(now);
  checkFeed(now);
  checkAnnounced(now);
  checkImmutable(before, now);
};
