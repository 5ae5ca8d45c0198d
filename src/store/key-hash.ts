// What is stored of an API key: an HMAC under a pepper that the database does not hold.

const encoder = new TextEncoder();
const imported = new Map<string, Promise<CryptoKey>>();

const importPepper = (pepper: string): Promise<CryptoKey> => {
  const known = imported.get(pepper);
  if (known !== undefined) return known;
  const made = crypto.subtle.importKey(
    "raw",
    encoder.encode(pepper),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
  imported.set(pepper, made);
  return made;
};

const toHex = (bytes: ArrayBuffer): string =>
  Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** HMAC-SHA256 of the whole key text, 64 hexadecimal digits. No slow hash: the secret has 256 bits of chance. */
export const hashKey = async (pepper: string, text: string): Promise<string> => {
  if (pepper === "") throw new Error("the key pepper is empty");
  return toHex(await crypto.subtle.sign("HMAC", await importPepper(pepper), encoder.encode(text)));
};

/** SHA-256 of a token, 64 hexadecimal digits: a name for caches that does not hold the token. */
export const digestOf = async (text: string): Promise<string> =>
  toHex(await crypto.subtle.digest("SHA-256", encoder.encode(text)));

/** Compares in time that depends on the length only. */
export const sameHash = (left: string, right: string): boolean => {
  if (left.length !== right.length) return false;
  let difference = 0;
  for (let i = 0; i < left.length; i++) difference |= left.charCodeAt(i) ^ right.charCodeAt(i);
  return difference === 0;
};
