// Connected accounts that were asked for, and the affiliates that an account belongs to.
import type { Affiliate } from "../domain/affiliate.ts";
import type { AffiliateId, ProgramId } from "../domain/ids.ts";
import { affiliateOf, numberIn, type Row } from "./rows.ts";

export interface Onboarding {
  readonly programId: ProgramId;
  readonly affiliateId: AffiliateId;
  readonly n: number;
  /** The platform account that the connected account belongs to. */
  readonly providerAccount: string;
  readonly key: string;
  /** The bytes as they are sent, form-encoded. */
  readonly request: string;
  /** null until Stripe's answer is known. */
  readonly accountId: string | null;
  /** When Stripe said no, or had made nothing; epoch milliseconds. */
  readonly refusedAt: number | null;
  /** Epoch milliseconds; Stripe's memory of the key counts from here. */
  readonly createdAt: number;
}

type Place = Pick<Onboarding, "programId" | "affiliateId" | "n">;

const textOrNull = (value: string | number | null | undefined): string | null =>
  value == null ? null : String(value);

const onboardingOf = (row: Row): Onboarding => ({
  programId: row["program_id"] as ProgramId,
  affiliateId: row["affiliate_id"] as AffiliateId,
  n: numberIn(row, "n"),
  providerAccount: String(row["provider_account"]),
  key: String(row["idempotency_key"]),
  request: String(row["request"]),
  accountId: textOrNull(row["account_id"]),
  refusedAt: row["refused_at"] == null ? null : numberIn(row, "refused_at"),
  createdAt: numberIn(row, "created_at"),
});

/** In the order in which they were asked for. */
export const listOnboardings = async (
  db: D1Database,
  programId: ProgramId,
  affiliateId: AffiliateId,
): Promise<readonly Onboarding[]> => {
  const sql = "SELECT * FROM stripe_onboardings WHERE program_id = ?1 AND affiliate_id = ?2 ORDER BY n";
  return (await db.prepare(sql).bind(programId, affiliateId).all<Row>()).results.map(onboardingOf);
};

/** False where the number is taken: somebody else asks for the account, and asks with the bytes that stand there. */
export const insertOnboarding = async (db: D1Database, onboarding: Onboarding): Promise<boolean> => {
  const { programId, affiliateId, n, providerAccount, key, request, createdAt } = onboarding;
  const sql = `INSERT INTO stripe_onboardings
      (program_id, affiliate_id, n, provider_account, idempotency_key, request, account_id, refused_at, created_at, updated_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, NULL, NULL, ?7, ?7) ON CONFLICT DO NOTHING`;
  const insert = db.prepare(sql).bind(programId, affiliateId, n, providerAccount, key, request, createdAt);
  return (await insert.run()).meta.changes === 1;
};

/** The first answer stands. */
export const keepAccount = async (
  db: D1Database,
  { programId, affiliateId, n }: Place,
  account: string,
  at: number,
): Promise<void> => {
  const sql = `UPDATE stripe_onboardings SET account_id = ?4, updated_at = ?5
    WHERE program_id = ?1 AND affiliate_id = ?2 AND n = ?3 AND account_id IS NULL`;
  await db.prepare(sql).bind(programId, affiliateId, n, account, at).run();
};

export const keepRefusal = async (
  db: D1Database,
  { programId, affiliateId, n }: Place,
  at: number,
): Promise<void> => {
  const sql = `UPDATE stripe_onboardings SET refused_at = ?4, updated_at = ?4
    WHERE program_id = ?1 AND affiliate_id = ?2 AND n = ?3 AND account_id IS NULL AND refused_at IS NULL`;
  await db.prepare(sql).bind(programId, affiliateId, n, at).run();
};

/** Usually one: nothing keeps two affiliates from naming the same account. */
export const listAffiliatesOfAccount = async (
  db: D1Database,
  programId: ProgramId,
  account: string,
): Promise<readonly Affiliate[]> => {
  const sql = `SELECT * FROM affiliates WHERE program_id = ?1 AND destination IS NOT NULL
    AND destination ->> '$.account' = ?2 AND destination ->> '$.method' = 'stripe' ORDER BY id`;
  return (await db.prepare(sql).bind(programId, account).all<Row>()).results.map(affiliateOf);
};
