// The sealed tax forms: what a statement or a tax report opens, and nobody else.
import type { AffiliateId, ProgramId } from "../domain/ids.ts";
import { sealedPlace } from "./sealed.ts";

/** Where a sealed form stands: moved to another row it does not open. `filedAt` in epoch milliseconds. */
export const taxFormPlace = (programId: ProgramId, affiliateId: AffiliateId, filedAt: number): string =>
  sealedPlace(programId, "tax_forms", `${affiliateId}|${filedAt}`, "sealed");

/** The newest form of an affiliate, sealed; undefined where none was filed. */
export const findSealedTaxForm = async (
  db: D1Database,
  programId: ProgramId,
  affiliateId: AffiliateId,
): Promise<{ readonly sealed: string; readonly filedAt: number } | undefined> => {
  const sql =
    "SELECT sealed, created_at FROM tax_forms WHERE program_id = ?1 AND affiliate_id = ?2 ORDER BY seq DESC LIMIT 1";
  const row = await db
    .prepare(sql)
    .bind(programId, affiliateId)
    .first<{ sealed: string; created_at: number }>();
  return row === null ? undefined : { sealed: row.sealed, filedAt: row.created_at };
};
