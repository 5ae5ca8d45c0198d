// Reads of attempts by what a provider's message names: the attempt, its payout, or the provider's own id of the payment.
import type { ProgramId } from "../domain/ids.ts";
import type { Attempt, PayoutMethod } from "../domain/payout.ts";
import { attemptOf, type Row } from "./rows.ts";

export type AttemptClue =
  | { readonly kind: "attempt"; readonly attemptId: string }
  | { readonly kind: "payout"; readonly payoutId: string }
  | { readonly kind: "provider_ref"; readonly ref: string };

/** More attempts than this are of no payout. */
const LIMIT = 100;

const WHERE: Readonly<Record<AttemptClue["kind"], string>> = {
  attempt: "id = ?3",
  // The unique index on the key `po:{payout}:{n}`; ';' follows ':'.
  payout: "idempotency_key >= 'po:' || ?3 || ':' AND idempotency_key < 'po:' || ?3 || ';'",
  provider_ref: "provider_ref = ?3",
};

const clueText = (clue: AttemptClue): string =>
  clue.kind === "attempt" ? clue.attemptId : clue.kind === "payout" ? clue.payoutId : clue.ref;

/** The attempts of one rail that a clue points to, oldest first; one round trip. */
export const findAttempts = async (
  db: D1Database,
  programId: ProgramId,
  rail: PayoutMethod,
  clue: AttemptClue,
): Promise<readonly Attempt[]> => {
  const sql = `SELECT * FROM attempts WHERE program_id = ?1 AND rail = ?2 AND ${WHERE[clue.kind]} ORDER BY created_at, id LIMIT ${LIMIT}`;
  const { results } = await db.prepare(sql).bind(programId, rail, clueText(clue)).all<Row>();
  return results.map(attemptOf);
};
