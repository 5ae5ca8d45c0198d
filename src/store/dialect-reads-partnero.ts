// Reads for Partnero: payouts by page and partner, and who has an e-mail address.
import type { Affiliate } from "../domain/affiliate.ts";
import type { AffiliateId, ProgramId } from "../domain/ids.ts";
import {
  type Numbered,
  type NumberedPage,
  type NumberedPayout,
  numberedPayoutOf,
  selectNumbered,
} from "./dialect-reads.ts";
import { among } from "./filters.ts";
import { type PayoutFilters, payoutFilters } from "./payouts.ts";
import { affiliateOf, type Row } from "./rows.ts";

export interface PartneroFilters extends PayoutFilters {
  /** Payouts of these alone; none where it is empty. */
  readonly partners: readonly AffiliateId[] | undefined;
}

export const pagePartneroPayouts = async (
  db: D1Database,
  programId: ProgramId,
  { partners, ...filters }: PartneroFilters,
  order: "asc" | "desc",
  window: NumberedPage,
): Promise<Numbered<NumberedPayout>> => {
  const where = [...payoutFilters(filters), among("affiliate_id", partners)];
  const by = `created_at ${order}, id ${order}`;
  const { items, total } = await selectNumbered(db, "payouts", programId, where, by, window);
  return { items: items.map(numberedPayoutOf), total };
};

const BY_EMAIL =
  "SELECT * FROM affiliates WHERE program_id = ?1 AND lower(email) = lower(?2) ORDER BY id LIMIT 1000";

/** An address is not unique here: several may have it. */
export const listByEmail = async (
  db: D1Database,
  programId: ProgramId,
  email: string,
): Promise<readonly Affiliate[]> =>
  (await db.prepare(BY_EMAIL).bind(programId, email).all<Row>()).results.map(affiliateOf);
