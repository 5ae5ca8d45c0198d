// Before a call to a provider: is the attempt still open, and does the book still hold the turn that the object remembers?
import type { AffiliateId } from "../domain/ids.ts";
import { numberIn, type Row } from "./rows.ts";

interface BegunTurn {
  readonly seq: number;
  readonly commandId: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

const STANDING = `SELECT EXISTS (SELECT 1 FROM turns WHERE affiliate_id = ?1 AND seq = ?2 AND command_id = ?3) AS marked`;

const OPEN = `SELECT t.seq, t.command_id, t.at FROM attempts a
  JOIN payouts p ON p.program_id = a.program_id AND p.id = a.payout_id AND p.status = 'processing'
  JOIN turns t ON t.program_id = a.program_id AND t.command_id = 's:begin:' || a.payout_id || ':' || a.n
  WHERE a.id = ?2 AND a.affiliate_id = ?1 AND a.state NOT IN ('refused', 'paid_late', 'settled')`;

/** Where an attempt stands before a call, and the turn that began it; `rewound` where the book no longer holds the turn that the object remembers. */
export const attemptStanding = async (
  db: D1Database,
  affiliateId: AffiliateId,
  attemptId: string,
  mark: { readonly seq: number; readonly commandId: string } | undefined,
): Promise<{ standing: "open" | "over" | "rewound"; begun?: BegunTurn }> => {
  const [marks, open] = await db.batch<Row>([
    db.prepare(STANDING).bind(affiliateId, mark?.seq ?? 0, mark?.commandId ?? ""),
    db.prepare(OPEN).bind(affiliateId, attemptId),
  ]);
  if (mark !== undefined && marks?.results[0]?.["marked"] !== 1) return { standing: "rewound" };
  const row = open?.results[0];
  if (row === undefined) return { standing: "over" };
  const begun = { seq: numberIn(row, "seq"), commandId: String(row["command_id"]), at: numberIn(row, "at") };
  return { standing: "open", begun };
};
