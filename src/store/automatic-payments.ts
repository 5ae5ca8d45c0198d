// Payouts that are to be paid without anyone asking: what is still to do, and when it is tried again. Triggers end a row with its payment and wake it when its block may be over.
import type { AffiliateId, PayoutId, ProgramId, RunId } from "../domain/ids.ts";
import type { Payout, PayoutMethod } from "../domain/payout.ts";
import type { Policy } from "../domain/policy.ts";
import { numberIn, type Row } from "./rows.ts";
import { chunksOf } from "./statements.ts";

/** No rail moves their money: a person does, and says so. */
export const NEEDS_HAND: readonly PayoutMethod[] = ["bank_transfer", "manual"];

/** What nothing wakes is looked at again after this long, in milliseconds. */
export const ASLEEP_MS = 86_400_000;

/** Only what is still waiting; a payout that is on its way already needs nobody. */
const INSERT = `INSERT INTO automatic_payments (payout_id, program_id, affiliate_id, run_id, try_at, wakes)
  SELECT value ->> 0, ?2, value ->> 1, ?3, value ->> 2, 0 FROM json_each(?1)
  WHERE EXISTS (SELECT 1 FROM payouts WHERE program_id = ?2 AND id = value ->> 0 AND status IN ('pending', 'approved'))
  ON CONFLICT (payout_id) DO NOTHING`;

/** Stands behind the turns that make the payouts, in their batch. `realNow` in epoch milliseconds. */
export const automaticStatements = (
  db: D1Database,
  run: { readonly programId: ProgramId; readonly id: RunId },
  payouts: readonly Payout[],
  policy: Policy,
  realNow: number,
): D1PreparedStatement[] => {
  const rows = payouts.map(({ id, affiliateId, method }) => {
    const waits = policy.require_approval || NEEDS_HAND.includes(method);
    return [id, affiliateId, waits ? realNow + ASLEEP_MS : realNow];
  });
  return chunksOf(rows).map(({ json }) => db.prepare(INSERT).bind(json, run.programId, run.id));
};

export interface AutomaticPayment {
  readonly payoutId: PayoutId;
  readonly programId: ProgramId;
  readonly affiliateId: AffiliateId;
  /** How the affiliate is paid now. */
  readonly method: PayoutMethod;
  readonly isApproved: boolean;
  /** How often it was woken: what is woken meanwhile is not put to sleep again. */
  readonly wakes: number;
}

/** Those to be tried by now, longest waiting first: of one run, or of all. `realNow` in epoch milliseconds. */
export const listDueAutomatic = async (
  db: D1Database,
  realNow: number,
  runId: RunId | null,
  limit: number,
): Promise<readonly AutomaticPayment[]> => {
  const sql = `SELECT a.payout_id, a.program_id, a.affiliate_id, a.wakes, p.approved_at IS NOT NULL AS approved,
      coalesce(f.destination ->> '$.method', 'manual') AS method
    FROM automatic_payments a JOIN payouts p ON p.program_id = a.program_id AND p.id = a.payout_id
      JOIN affiliates f ON f.program_id = a.program_id AND f.id = a.affiliate_id
    WHERE a.try_at <= ?1 ${runId === null ? "" : "AND a.run_id = ?3"} ORDER BY a.try_at, a.payout_id LIMIT ?2`;
  const bound = db.prepare(sql).bind(realNow, limit, ...(runId === null ? [] : [runId]));
  return (await bound.all<Row>()).results.map((row) => ({
    payoutId: row["payout_id"] as PayoutId,
    programId: row["program_id"] as ProgramId,
    affiliateId: row["affiliate_id"] as AffiliateId,
    method: row["method"] as PayoutMethod,
    isApproved: row["approved"] === 1,
    wakes: numberIn(row, "wakes"),
  }));
};

const POSTPONE = `UPDATE automatic_payments SET try_at = j.at FROM (SELECT value ->> 0 AS id, value ->> 1 AS wakes, value ->> 2 AS at FROM json_each(?1)) j
  WHERE automatic_payments.payout_id = j.id AND automatic_payments.wakes = j.wakes`;
const END = "DELETE FROM automatic_payments WHERE payout_id IN (SELECT value FROM json_each(?1))";

/** What became of those that were tried: over, or to be tried again at an instant of real time. One round trip. */
export const settleAutomatic = async (
  db: D1Database,
  tried: readonly { readonly payment: AutomaticPayment; readonly againAt: number | null }[],
): Promise<void> => {
  const over = tried.flatMap(({ payment, againAt }) => (againAt === null ? [payment.payoutId] : []));
  const later = tried.flatMap(({ payment, againAt }) =>
    againAt === null ? [] : [[payment.payoutId, payment.wakes, againAt]],
  );
  await db.batch([
    db.prepare(END).bind(JSON.stringify(over)),
    db.prepare(POSTPONE).bind(JSON.stringify(later)),
  ]);
};
