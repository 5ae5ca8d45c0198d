// Cursors of lists: where the next page starts, signed, good only for the same route, program and filters.
import { fromBase64Url, toBase64Url } from "../domain/base64url.ts";
import { canonicalJson } from "./idempotency.ts";
import { Problem } from "./problem.ts";

export type CursorKeys = readonly (string | number)[];

/** What a cursor is bound to. `filters` is the validated query without limit and cursor. */
export interface CursorPlace {
  readonly route: string;
  readonly programId: string;
  readonly filters: Readonly<Record<string, unknown>>;
}

/** 128 bits of the MAC: forging one takes as long as guessing a key. */
const MAC_BYTES = 16;
const CURSOR_MAX = 1_024;
const encoder = new TextEncoder();
const imported = new Map<string, Promise<CryptoKey>>();

const importSecret = (secret: string): Promise<CryptoKey> => {
  if (secret === "") throw new Error("the cursor key is empty");
  const known = imported.get(secret);
  if (known !== undefined) return known;
  const made = crypto.subtle.importKey(
    "raw",
    encoder.encode(secret),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
  imported.set(secret, made);
  return made;
};

const macOf = async (secret: string, place: CursorPlace, payload: string): Promise<Uint8Array> => {
  const bound = canonicalJson(["cursor.v1", place.route, place.programId, place.filters, payload]);
  const mac = await crypto.subtle.sign("HMAC", await importSecret(secret), encoder.encode(bound));
  return new Uint8Array(mac).subarray(0, MAC_BYTES);
};

const isSame = (left: Uint8Array, right: Uint8Array): boolean => {
  let difference = left.length ^ right.length;
  for (let i = 0; i < MAC_BYTES; i++) difference |= (left[i] ?? 0) ^ (right[i] ?? 0);
  return difference === 0;
};

/** `keys` are the sort keys of the page's last row. */
export const encodeCursor = async (secret: string, place: CursorPlace, keys: CursorKeys): Promise<string> => {
  const payload = toBase64Url(encoder.encode(JSON.stringify(keys)));
  return `${payload}.${toBase64Url(await macOf(secret, place, payload))}`;
};

const refused = (): Problem =>
  new Problem("bad_request", "The cursor is not one of this list with these filters.", {
    errors: [{ pointer: "?cursor", detail: "is not a cursor of this list with these filters" }],
  });

/** The keys of an own cursor; anything else is 400 `bad_request`. */
export const decodeCursor = async (
  secret: string,
  place: CursorPlace,
  cursor: string,
): Promise<CursorKeys> => {
  const [payload, macText, ...rest] = cursor.slice(0, CURSOR_MAX + 1).split(".");
  const bytes = fromBase64Url(payload ?? "");
  const mac = fromBase64Url(macText ?? "");
  if (
    cursor.length > CURSOR_MAX ||
    rest.length > 0 ||
    payload === undefined ||
    bytes === undefined ||
    mac === undefined
  ) {
    throw refused();
  }
  if (!isSame(mac, await macOf(secret, place, payload))) throw refused();
  // Signed by us: the shape is as encodeCursor wrote it.
  return JSON.parse(new TextDecoder().decode(bytes)) as CursorKeys;
};
