// Encrypts what must be kept but not read in the database: AES-256-GCM, bound to the place where it stands, master keys by id.
import { fromBase64Url, toBase64Url } from "../domain/base64url.ts";

export interface MasterKey {
  /** Letters, digits, - and _: it stands in what is sealed. */
  readonly id: string;
  /** 32 bytes in base64 or base64url. */
  readonly base64: string;
}

const IV_BYTES = 12;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const importMasterKey = ({ id, base64 }: MasterKey): Promise<CryptoKey> => {
  if (!/^[A-Za-z0-9_-]{1,32}$/.test(id))
    throw new Error("a master key's id is 1 to 32 letters, digits, - and _");
  const bytes = fromBase64Url(base64.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", ""));
  if (bytes?.length !== 32) throw new Error(`master key ${id} is not 32 bytes of base64`);
  return crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);
};

/**
 * The first key seals, every key opens: a new key is put in front and the old one stays until all is sealed anew.
 * `place` names program, table, row and column; a value moved elsewhere does not open.
 */
export const makeVault = (masterKeys: readonly MasterKey[], random: (length: number) => Uint8Array) => {
  const current = masterKeys[0];
  if (current === undefined) throw new Error("the vault needs a master key");
  const keys = new Map(masterKeys.map((key) => [key.id, importMasterKey(key)]));
  if (keys.size !== masterKeys.length) throw new Error("two master keys have one id");
  for (const key of keys.values()) key.catch(() => undefined);

  const keyOf = (id: string): Promise<CryptoKey> => {
    const key = keys.get(id);
    if (key === undefined) throw new Error("sealed under a master key that is not here");
    return key;
  };

  return {
    keyIds: masterKeys.map(({ id }) => id),
    async seal(text: string, place: string): Promise<string> {
      const iv = Uint8Array.from(random(IV_BYTES));
      if (iv.length !== IV_BYTES) throw new Error("the vault needs 12 random bytes");
      const algorithm = { name: "AES-GCM", iv, additionalData: encoder.encode(place) };
      const sealed = await crypto.subtle.encrypt(algorithm, await keyOf(current.id), encoder.encode(text));
      return `v1.${current.id}.${toBase64Url(iv)}.${toBase64Url(new Uint8Array(sealed))}`;
    },
    async open(sealed: string, place: string): Promise<string> {
      const [version, keyId, ivText, cipherText, ...rest] = sealed.split(".");
      const iv = fromBase64Url(ivText ?? "");
      const cipher = fromBase64Url(cipherText ?? "");
      if (
        version !== "v1" ||
        keyId === undefined ||
        rest.length > 0 ||
        iv?.length !== IV_BYTES ||
        cipher === undefined
      ) {
        throw new Error("not a sealed value");
      }
      const algorithm = { name: "AES-GCM", iv, additionalData: encoder.encode(place) };
      return decoder.decode(await crypto.subtle.decrypt(algorithm, await keyOf(keyId), cipher));
    },
  };
};
