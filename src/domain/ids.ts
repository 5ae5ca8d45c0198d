// Ids are prefixed, time-sortable and 26 characters long after the prefix (48 bits of time, 80 of chance, Crockford base 32).

export type ProgramId = `prg_${string}`;
export type KeyId = `key_${string}`;
export type AffiliateId = `aff_${string}`;
export type CommissionId = `com_${string}`;
export type PayoutId = `po_${string}`;
export type RunId = `run_${string}`;
export type AttemptId = `att_${string}`;
export type EventId = `evt_${string}`;
export type IdPrefix =
  | "prg"
  | "key"
  | "aff"
  | "com"
  | "po"
  | "run"
  | "ses"
  | "whe"
  | "evt"
  | "dlv"
  | "att"
  | "fil";

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const BODY = /^[0-9A-HJKMNP-TV-Z]{26}$/;

const encode = (value: bigint, length: number): string => {
  let text = "";
  for (let rest = value, i = 0; i < length; i++, rest >>= 5n)
    text = ALPHABET.charAt(Number(rest & 31n)) + text;
  return text;
};

const decode = (text: string): bigint => {
  let value = 0n;
  for (const char of text) value = (value << 5n) | BigInt(ALPHABET.indexOf(char));
  return value;
};

/** The body of a new id: `atMs` is epoch milliseconds, `chance` ten random bytes. */
export const mintBody = (atMs: number, chance: Uint8Array): string => {
  let random = 0n;
  for (const byte of chance.subarray(0, 10)) random = (random << 8n) | BigInt(byte);
  return encode(BigInt(atMs), 10) + encode(random, 16);
};

/** The n-th id body after `body`: one minted body serves all that a turn creates, the same on every retry of that turn. */
export const nthBody = (body: string, n: number): string =>
  n === 0 ? body : encode((decode(body) + BigInt(n)) & ((1n << 130n) - 1n), 26);

export const isId = <P extends IdPrefix>(prefix: P, text: string): text is `${P}_${string}` =>
  text.startsWith(`${prefix}_`) && BODY.test(text.slice(prefix.length + 1));

/** An event's id is its place: the program's body and the position, so the row needs no id of its own. */
export const eventIdOf = (programId: ProgramId, position: number): EventId =>
  `evt_${programId.slice(4)}${encode(BigInt(position), 10)}`;

export const placeOfEvent = (id: string): { programId: ProgramId; position: number } | undefined => {
  const match = /^evt_([0-9A-HJKMNP-TV-Z]{26})([0-9A-HJKMNP-TV-Z]{10})$/.exec(id);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  return { programId: `prg_${match[1]}`, position: Number(decode(match[2])) };
};
