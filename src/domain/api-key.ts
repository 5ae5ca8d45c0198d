// API keys: their scopes and what a scope includes, and the text of a key, whose checksum tells a typing error before any look-up.
import type { KeyId } from "./ids.ts";

export const SCOPES = [
  "commissions:read",
  "commissions:write",
  "commissions:approve",
  "affiliates:read",
  "affiliates:write",
  "affiliates:payout_method",
  "credits:write",
  "payouts:read",
  "payouts:write",
  "payouts:approve",
  "payouts:pay",
  "files:read",
  "webhooks:write",
  "events:read",
  "reports:read",
  "program:admin",
] as const;
export type Scope = (typeof SCOPES)[number];

export const isScope = (text: string): text is Scope => (SCOPES as readonly string[]).includes(text);

/** A write includes its read; program:admin includes every scope of its program. */
export const impliesScope = (held: readonly Scope[], needed: Scope): boolean =>
  held.includes(needed) ||
  held.includes("program:admin") ||
  (needed.endsWith(":read") && held.some((scope) => scope === needed.replace(/:read$/, ":write")));

export type Mode = "test" | "live";

export interface KeyText {
  readonly mode: Mode;
  readonly keyId: KeyId;
}

const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** 62^43 is just above 2^256, 62^6 above 2^32. */
const SECRET_LENGTH = 43;
const CHECKSUM_LENGTH = 6;
const KEY = /^(stp_(test|live)_([0-9A-HJKMNP-TV-Z]{26})_[0-9A-Za-z]{43})_([0-9A-Za-z]{6})$/;

/** Longest token worth reading: anything longer is no key of ours. */
export const KEY_TEXT_MAX = 128;

const toBase62 = (value: bigint, length: number): string => {
  let text = "";
  for (let rest = value, i = 0; i < length; i++, rest /= 62n) text = BASE62.charAt(Number(rest % 62n)) + text;
  return text;
};

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** CRC-32 as in zip (reflected, 0xEDB88320) of ASCII text. */
export const crc32 = (text: string): number => {
  let crc = 0xffffffff;
  for (let i = 0; i < text.length; i++)
    crc = (crc >>> 8) ^ (CRC_TABLE[(crc ^ text.charCodeAt(i)) & 0xff] ?? 0);
  return (crc ^ 0xffffffff) >>> 0;
};

const checksumOf = (unsealed: string): string => toBase62(BigInt(crc32(unsealed)), CHECKSUM_LENGTH);

/** What may be shown of a key for ever: it names the row and holds nothing of the secret. */
export const keyPrefixOf = (mode: Mode, keyId: KeyId): string => `stp_${mode}_${keyId.slice("key_".length)}`;

/** The whole key, shown once. `secret` is 32 random bytes. */
export const formatKey = (mode: Mode, keyId: KeyId, secret: Uint8Array): string => {
  if (secret.length !== 32) throw new Error("a key's secret is 32 bytes");
  let value = 0n;
  for (const byte of secret) value = (value << 8n) | BigInt(byte);
  const unsealed = `${keyPrefixOf(mode, keyId)}_${toBase62(value, SECRET_LENGTH)}`;
  return `${unsealed}_${checksumOf(unsealed)}`;
};

/** Which row and mode a key names, or undefined when it is not a key as this program writes them. Proves nothing: the secret does. */
export const parseKey = (text: string): KeyText | undefined => {
  if (text.length > KEY_TEXT_MAX) return undefined;
  const match = KEY.exec(text);
  if (match?.[1] === undefined || match[3] === undefined || match[4] !== checksumOf(match[1]))
    return undefined;
  return { mode: match[2] === "live" ? "live" : "test", keyId: `key_${match[3]}` };
};
