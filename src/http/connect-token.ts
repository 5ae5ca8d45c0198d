// The token of an onboarding link: whose account it leads to, until when, and where to go back to, signed so that nobody can make one.
import { fromBase64Url, toBase64Url } from "../domain/base64url.ts";
import { type AffiliateId, isId, type ProgramId } from "../domain/ids.ts";
import { hashKey, sameHash } from "../store/key-hash.ts";

export interface ConnectClaims {
  readonly programId: ProgramId;
  readonly affiliateId: AffiliateId;
  /** The connected account, `acct_…`. */
  readonly account: string;
  /** Epoch milliseconds, whole seconds. */
  readonly expiresAt: number;
  /** null: where the program's policy says when the affiliate comes back. */
  readonly returnUrl: string | null;
}

/** Keeps these signatures apart from all others under the same key. */
const LABEL = "connect.v1";
const TOKEN_MAX = 3_000;
const TOKEN = /^([A-Za-z0-9_-]+)\.[0-9a-f]{64}$/;
const ACCOUNT = /^acct_[\x21-\x7b\x7d\x7e]{1,250}$/;
const SECONDS = /^[1-9]\d{8,10}$/;

const write = async (secret: string, payload: string): Promise<string> =>
  `${payload}.${await hashKey(secret, `${LABEL}|${payload}`)}`;

export const writeConnectToken = (secret: string, claims: ConnectClaims): Promise<string> => {
  const { programId, affiliateId, account, expiresAt, returnUrl } = claims;
  const fields = [programId, affiliateId, account, String(expiresAt / 1000), returnUrl ?? ""];
  return write(secret, toBase64Url(new TextEncoder().encode(fields.join("|"))));
};

const claimsIn = (text: string): ConnectClaims | undefined => {
  const [programId = "", affiliateId = "", account = "", expiry = "", ...url] = text.split("|");
  if (!isId("prg", programId) || !isId("aff", affiliateId) || !ACCOUNT.test(account) || !SECONDS.test(expiry))
    return undefined;
  return {
    programId,
    affiliateId,
    account,
    expiresAt: Number(expiry) * 1000,
    returnUrl: url.join("|") || null,
  };
};

/** undefined for whatever is not, letter for letter, what writeConnectToken wrote. Says nothing about the expiry. */
export const readConnectToken = async (secret: string, token: string): Promise<ConnectClaims | undefined> => {
  const bytes = token.length <= TOKEN_MAX ? fromBase64Url(TOKEN.exec(token)?.[1] ?? "") : undefined;
  if (bytes === undefined || bytes.length === 0) return undefined;
  // Compared as text, made anew from the bytes: another spelling of the same bits is another token.
  if (!sameHash(await write(secret, toBase64Url(bytes)), token)) return undefined;
  return claimsIn(new TextDecoder().decode(bytes));
};
