// The text of a portal token: whose it is and until when; its last part is the signature, which alone proves anything.
import { type AffiliateId, isId, type ProgramId } from "./ids.ts";

export interface PortalClaims {
  readonly programId: ProgramId;
  readonly affiliateId: AffiliateId;
  /** Epoch milliseconds of real time, whole seconds. */
  readonly expiresAt: number;
}

/** A portal token lives this long, in milliseconds. */
export const PORTAL_LIVES_MS = 24 * 3_600_000;

const PREFIX = "stp_portal_";
const TOKEN = /^stp_portal_([0-9A-HJKMNP-TV-Z]{26})_([0-9A-HJKMNP-TV-Z]{26})_([1-9]\d{8,10})_([0-9a-f]{64})$/;

/** Whether a token claims to be one of these; parsePortalToken says whether it could be. */
export const isPortalText = (token: string): boolean => token.startsWith(PREFIX);

/** What is signed. One value has one text. */
export const unsignedPortalText = ({ programId, affiliateId, expiresAt }: PortalClaims): string => {
  if (!isId("prg", programId) || !isId("aff", affiliateId) || expiresAt % 1_000 !== 0)
    throw new Error("a portal token of no affiliate, or of no whole second");
  return `${PREFIX}${programId.slice(4)}_${affiliateId.slice(4)}_${expiresAt / 1_000}`;
};

export interface PortalText {
  readonly claims: PortalClaims;
  /** Made anew from the claims: what the signature must be of. */
  readonly unsigned: string;
  readonly signature: string;
}

/** undefined for whatever is not spelled, letter for letter, as these tokens are. */
export const parsePortalToken = (token: string): PortalText | undefined => {
  const [, program, affiliate, seconds, signature] = TOKEN.exec(token) ?? [];
  if (program === undefined || affiliate === undefined || seconds === undefined || signature === undefined)
    return undefined;
  const claims: PortalClaims = {
    programId: `prg_${program}`,
    affiliateId: `aff_${affiliate}`,
    expiresAt: Number(seconds) * 1_000,
  };
  return { claims, unsigned: unsignedPortalText(claims), signature };
};
