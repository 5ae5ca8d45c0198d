// Portal tokens: signed and kept nowhere; whoever is shown one is looked up, so that a suspended affiliate's opens nothing.
import type { AffiliateStatus } from "../domain/affiliate.ts";
import type { AffiliateId, ProgramId } from "../domain/ids.ts";
import { hashKey } from "./key-hash.ts";
import { programOf, type StoredProgram } from "./programs.ts";
import type { Row } from "./rows.ts";

/** Keeps these signatures apart from all others under the same key. */
const LABEL = "portal.v1";

/** HMAC-SHA256 of what is signed, 64 hexadecimal digits. */
export const signPortalText = (secret: string, unsigned: string): Promise<string> =>
  hashKey(secret, `${LABEL}|${unsigned}`);

export interface PortalHolder {
  readonly affiliateId: AffiliateId;
  readonly externalId: string | null;
  readonly status: AffiliateStatus;
  readonly program: StoredProgram;
}

const HOLDER = `SELECT p.*, a.status AS affiliate_status, a.external_id AS affiliate_external_id
  FROM affiliates a JOIN programs p ON p.id = a.program_id WHERE a.program_id = ?1 AND a.id = ?2`;

/** One round trip. */
export const findPortalHolder = async (
  db: D1Database,
  programId: ProgramId,
  affiliateId: AffiliateId,
): Promise<PortalHolder | undefined> => {
  const row = await db.prepare(HOLDER).bind(programId, affiliateId).first<Row>();
  if (row === null) return undefined;
  return {
    affiliateId,
    externalId: row["affiliate_external_id"] as string | null,
    status: row["affiliate_status"] as AffiliateStatus,
    program: programOf(row),
  };
};
