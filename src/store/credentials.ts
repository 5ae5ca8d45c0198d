// A program's credentials with payment providers: the account in the clear, every secret sealed in one value.
import type { PayPalSecrets, StripeSecrets, WiseSecrets } from "../domain/credentials.ts";
import type { ProgramId } from "../domain/ids.ts";
import { type Announcement, commitAnnounced } from "./events.ts";
import { numberIn, type Row } from "./rows.ts";
import { sealedPlace } from "./sealed.ts";

export type Provider = "stripe" | "paypal" | "wise";

export interface Credentials {
  readonly programId: ProgramId;
  readonly provider: Provider;
  /** The provider's own account that the secret belongs to. */
  readonly account: string;
  readonly sealed: string;
  readonly last4: string;
  readonly livemode: boolean;
  /** Epoch milliseconds at which the provider said yes. */
  readonly checkedAt: number;
  readonly updatedAt: number;
}

export interface SecretsOf {
  readonly stripe: StripeSecrets;
  readonly paypal: PayPalSecrets;
  readonly wise: WiseSecrets;
}

export const credentialsPlace = (programId: ProgramId, provider: Provider): string =>
  sealedPlace(programId, "credentials", provider, "sealed");

export const findCredentials = async <P extends Provider>(
  db: D1Database,
  programId: ProgramId,
  provider: P,
): Promise<(Credentials & { readonly provider: P }) | undefined> => {
  const sql = "SELECT * FROM credentials WHERE program_id = ?1 AND provider = ?2";
  const row = await db.prepare(sql).bind(programId, provider).first<Row>();
  if (row === null) return undefined;
  return {
    programId,
    provider,
    account: String(row["account"]),
    sealed: String(row["sealed"]),
    last4: String(row["last4"]),
    livemode: row["livemode"] === 1,
    checkedAt: numberIn(row, "checked_at"),
    updatedAt: numberIn(row, "updated_at"),
  };
};

interface Opens {
  open(sealed: string, place: string): Promise<string>;
}

/** Throws where the master key is gone that they were sealed under. */
export const openSecrets = async <P extends Provider>(
  vault: Opens,
  { programId, provider, sealed }: Credentials & { readonly provider: P },
): Promise<SecretsOf[P]> =>
  JSON.parse(await vault.open(sealed, credentialsPlace(programId, provider))) as SecretsOf[P];

/** Who sends money for this program at a provider now; undefined where no credentials are stored. */
export const secretsOf = async <P extends Provider>(
  db: D1Database,
  vault: Opens,
  programId: ProgramId,
  provider: P,
): Promise<(SecretsOf[P] & { readonly account: string }) | undefined> => {
  const stored = await findCredentials(db, programId, provider);
  if (stored === undefined) return undefined;
  return { ...(await openSecrets(vault, stored)), account: stored.account };
};

/** Resend and look-up go through the attempt's own account, so that account stays while an attempt on it is open; ?9 is what the new ones were made from. */
const PUT = `INSERT INTO credentials (program_id, provider, account, sealed, last4, livemode, checked_at, updated_at)
  SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8
  WHERE NOT EXISTS (SELECT 1 FROM attempts WHERE program_id = ?1 AND rail = ?2 AND provider_account <> ?3
    AND state NOT IN ('refused', 'paid_late', 'settled'))
  ON CONFLICT (program_id, provider) DO UPDATE SET account = excluded.account, sealed = excluded.sealed,
    last4 = excluded.last4, livemode = excluded.livemode, checked_at = excluded.checked_at, updated_at = excluded.updated_at
    WHERE credentials.sealed = ?9`;

/** False where open attempts need the account that these credentials are not for, and where `before` no longer stands there. */
export const putCredentials = (
  db: D1Database,
  credentials: Credentials,
  before: string | null,
  news: Announcement,
): Promise<boolean> => {
  const { programId, provider, account, sealed, last4, livemode, checkedAt, updatedAt } = credentials;
  const put = db
    .prepare(PUT)
    .bind(programId, provider, account, sealed, last4, livemode ? 1 : 0, checkedAt, updatedAt, before);
  return commitAnnounced(db, put, news);
};
