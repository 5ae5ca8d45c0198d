// Recomputes a program's books from their entries and holds everything else against them, one query per check.
import type { ProgramId } from "../domain/ids.ts";
import { numberIn, type Row } from "./rows.ts";
import { BOOK_CHECKS } from "./verify-books.ts";
import { CLAIM_CHECKS } from "./verify-claims.ts";
import { ORDER_CHECKS } from "./verify-order.ts";

export interface Finding {
  /** As the design numbers them: I2 to I13. */
  readonly invariant: string;
  readonly affiliateId: string | null;
  readonly currency: string | null;
  /** The commission, payout, turn or account in question. */
  readonly objectId: string | null;
  readonly expected: number | string | null;
  readonly found: number | string | null;
}

export interface Verification {
  readonly ok: boolean;
  readonly checked: {
    readonly affiliates: number;
    readonly entries: number;
    readonly commissions: number;
    readonly payouts: number;
  };
  /** The first thousand. */
  readonly findings: readonly Finding[];
}

export const FINDINGS_MAX = 1_000;

const COUNTS = `SELECT
  (SELECT count(*) FROM affiliates WHERE program_id = ?1) AS affiliates,
  (SELECT count(*) FROM affiliates a CROSS JOIN entries e ON e.affiliate_id = a.id WHERE a.program_id = ?1) AS entries,
  (SELECT count(*) FROM commissions WHERE program_id = ?1) AS commissions,
  (SELECT count(*) FROM payouts WHERE program_id = ?1) AS payouts`;

/** Groups that are asked together: few round trips in a small program, and none too long for D1 in a large one. */
const GROUPS: readonly (readonly string[])[] = [ORDER_CHECKS, BOOK_CHECKS, CLAIM_CHECKS];

const findingOf = (row: Row): Finding => ({
  invariant: String(row["invariant"]),
  affiliateId: row["affiliate_id"] as string | null,
  currency: row["currency"] as string | null,
  objectId: row["object_id"] === null ? null : String(row["object_id"]),
  expected: row["expected"] ?? null,
  found: row["found"] ?? null,
});

/**
 * Each check is one statement and so sees one moment, whatever commits between two of them: no check compares across.
 * It gives rows (invariant, affiliate_id, currency, object_id, expected, found) of what does not agree.
 */
export const verifyProgram = async (db: D1Database, programId: ProgramId): Promise<Verification> => {
  const row = await db.prepare(COUNTS).bind(programId).first<Row>();
  if (row === null) throw new Error("the books could not be counted");
  const findings: Finding[] = [];
  for (const group of GROUPS) {
    const checks = group.map((sql) => db.prepare(`${sql} LIMIT ${FINDINGS_MAX}`).bind(programId));
    const answers = await db.batch<Row>(checks);
    findings.push(...answers.flatMap(({ results }) => results.map(findingOf)));
    if (findings.length >= FINDINGS_MAX) break;
  }
  const checked = {
    affiliates: numberIn(row, "affiliates"),
    entries: numberIn(row, "entries"),
    commissions: numberIn(row, "commissions"),
    payouts: numberIn(row, "payouts"),
  };
  return { ok: findings.length === 0, checked, findings: findings.slice(0, FINDINGS_MAX) };
};
