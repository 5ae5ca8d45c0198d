// A program's books summed by the test itself, beside what the verify endpoint says of them.
import { expect } from "vitest";
import { bindings, type World } from "./world.ts";

const LIVE = "('requested', 'pending', 'approved', 'processing')";
const OWN = "IN (SELECT id FROM affiliates WHERE program_id = ?1)";

/** Each finds nothing in sound books. */
const DISAGREEMENTS: Readonly<Record<string, string>> = {
  "turns have a gap": `SELECT affiliate_id, max(seq) AS last, count(*) AS n FROM turns WHERE program_id = ?1
    GROUP BY affiliate_id HAVING max(seq) <> count(*)`,
  "positions have a gap": `SELECT max(position) AS last, count(*) AS n FROM events WHERE program_id = ?1
    HAVING coalesce(max(position), 0) <> count(*)`,
  "sequences have a gap": `SELECT affiliate_id, max(sequence) AS last, count(*) AS n FROM events
    WHERE program_id = ?1 AND affiliate_id IS NOT NULL GROUP BY affiliate_id HAVING max(sequence) <> count(*)`,
  "a commission is in two payouts": `SELECT l.commission_id FROM payout_lines l JOIN payouts p ON p.id = l.payout_id
    WHERE p.program_id = ?1 AND p.status IN ('requested', 'pending', 'approved', 'processing', 'paid')
    GROUP BY l.commission_id HAVING count(*) > 1`,
  "a payout is not its lines": `SELECT p.id FROM payouts p WHERE p.program_id = ?1 AND (p.gross, p.commission_count) IS NOT
    (SELECT sum(amount), count(*) FROM payout_lines WHERE payout_id = p.id)`,
  "available is not what is left of approved": `SELECT b.affiliate_id, b.currency, b.available FROM balances b
    WHERE b.affiliate_id ${OWN} AND b.available <> (SELECT coalesce(sum(amount - reduced), 0) FROM commissions
      WHERE affiliate_id = b.affiliate_id AND currency = b.currency AND status = 'approved')`,
  "pending is not what is left of pending and held": `SELECT b.affiliate_id, b.currency, b.pending FROM balances b
    WHERE b.affiliate_id ${OWN} AND b.pending <> (SELECT coalesce(sum(amount - reduced), 0) FROM commissions
      WHERE affiliate_id = b.affiliate_id AND currency = b.currency AND status IN ('pending', 'held'))`,
  "reserved is not what live payouts are": `SELECT b.affiliate_id, b.currency, b.reserved FROM balances b
    WHERE b.affiliate_id ${OWN} AND b.reserved <> (SELECT coalesce(sum(amount), 0) FROM payouts
      WHERE affiliate_id = b.affiliate_id AND currency = b.currency AND status IN ${LIVE})`,
  "paid is not what was paid": `SELECT b.affiliate_id, b.currency, b.paid FROM balances b
    WHERE b.affiliate_id ${OWN} AND b.paid <> (SELECT coalesce(sum(amount - returned_amount), 0) FROM payouts
      WHERE affiliate_id = b.affiliate_id AND currency = b.currency AND status IN ('paid', 'returned') AND paid_via <> 'store_credit')`,
  "a balance is not its entries": `SELECT b.affiliate_id, b.currency FROM balances b WHERE b.affiliate_id ${OWN}
    AND (b.available, b.reserved, b.paid, b.recovery) IS NOT
      (SELECT ${["available", "reserved", "paid", "recovery"]
        .map(
          (account) =>
            `sum(iif(to_account = '${account}', amount, 0) - iif(from_account = '${account}', amount, 0))`,
        )
        .join(", ")} FROM entries WHERE affiliate_id = b.affiliate_id AND currency = b.currency)`,
};

export const expectSound = async (world: World): Promise<void> => {
  const names = Object.keys(DISAGREEMENTS);
  const found = await bindings.DB.batch(
    names.map((name) => bindings.DB.prepare(DISAGREEMENTS[name] ?? "").bind(world.program.id)),
  );
  const disagreements = names.flatMap((name, i) =>
    (found[i]?.results ?? []).map((row) => ({ name, ...(row as object) })),
  );
  expect(disagreements).toEqual([]);
  expect(await world.verify()).toMatchObject({ ok: true, findings: [] });
};

export const rowsOf = async <Row>(sql: string, ...values: readonly (string | number)[]): Promise<Row[]> =>
  (
    await bindings.DB.prepare(sql)
      .bind(...values)
      .all<Row>()
  ).results;

/** The same call so many times at once. */
export const atOnce = <T>(times: number, call: (n: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: times }, (_, n) => call(n)));
