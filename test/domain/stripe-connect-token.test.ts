// The token of an onboarding link opens exactly what it was made for, in exactly the spelling in which it was made.
import { describe, expect, it } from "vitest";
import { fromBase64Url, toBase64Url } from "../../src/domain/base64url.ts";
import { type ConnectClaims, readConnectToken, writeConnectToken } from "../../src/http/connect-token.ts";
import { encodeCursor } from "../../src/http/cursor.ts";
import { hashKey } from "../../src/store/key-hash.ts";

const SECRET = "cursor key of the tests";

const CLAIMS: ConnectClaims = {
  programId: "prg_01JZ0000000000000000000000",
  affiliateId: "aff_01JZ0000000000000000000001",
  account: "acct_1S0000",
  expiresAt: 1_790_000_000_000,
  returnUrl: null,
};

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** Each single character of a token put to another one, one at a time. */
const neighboursOf = (token: string): string[] =>
  [...token].map((char, at) => {
    const other = ALPHABET.charAt((ALPHABET.indexOf(char) + 1) % ALPHABET.length);
    return token.slice(0, at) + other + token.slice(at + 1);
  });

describe("a token", () => {
  it.each([
    null,
    "https://shop.example/done",
    "https://shop.example/done?a=1|2&b=%C3%A9#x|y",
    "http://localhost:3000/",
  ])("gives back what it was made of, with the return address %s", async (returnUrl) => {
    const claims = { ...CLAIMS, returnUrl };
    expect(await readConnectToken(SECRET, await writeConnectToken(SECRET, claims))).toEqual(claims);
  });

  it("stays short enough for an address, also with the longest return address", async () => {
    const returnUrl = `https://shop.example/${"x".repeat(1_003)}`;
    expect((await writeConnectToken(SECRET, { ...CLAIMS, returnUrl })).length).toBeLessThan(1_800);
  });

  it("with any one character changed is nothing", async () => {
    const token = await writeConnectToken(SECRET, { ...CLAIMS, returnUrl: "https://shop.example/done" });
    for (const other of neighboursOf(token)) expect(await readConnectToken(SECRET, other)).toBeUndefined();
  });

  it("in another spelling of the same bits is nothing", async () => {
    // One more letter in the claims gives a payload whose last character has bits to spare.
    const claims = { ...CLAIMS, account: "acct_1S0000a" };
    const token = await writeConnectToken(SECRET, claims);
    const [payload = "", mac = ""] = token.split(".");
    expect(payload.length % 4).not.toBe(0);
    const last = ALPHABET.indexOf(payload.slice(-1));
    const respelled = payload.slice(0, -1) + ALPHABET.charAt(last + 1);
    expect(atob(respelled.replaceAll("-", "+").replaceAll("_", "/"))).toBe(
      atob(payload.replaceAll("-", "+").replaceAll("_", "/")),
    );
    for (const other of [
      `${respelled}.${mac}`,
      `${respelled}.${await hashKey(SECRET, `connect.v1|${respelled}`)}`,
      `${payload}=.${mac}`,
      `${payload}.${mac.toUpperCase()}`,
      `${payload}.${mac}.`,
      `${payload}.${mac}\n`,
      ` ${token}`,
      `${payload}..${mac}`,
      token.replaceAll("_", "/").replaceAll("-", "+").concat("x"),
    ])
      expect(await readConnectToken(SECRET, other), other).toBeUndefined();
  });

  it("under another key, or without a signature, is nothing", async () => {
    const token = await writeConnectToken(SECRET, CLAIMS);
    const [payload = ""] = token.split(".");
    expect(await readConnectToken("another key", token)).toBeUndefined();
    for (const other of [
      "",
      ".",
      payload,
      `${payload}.`,
      `${payload}.${"0".repeat(64)}`,
      `.${"0".repeat(64)}`,
    ])
      expect(await readConnectToken(SECRET, other)).toBeUndefined();
    expect(await readConnectToken(SECRET, `${"A".repeat(1_000_000)}.${"0".repeat(64)}`)).toBeUndefined();
  });

  it("is none of what else is signed under the same key", async () => {
    const place = { route: "/v1/affiliates", programId: CLAIMS.programId, filters: {} };
    expect(await readConnectToken(SECRET, await encodeCursor(SECRET, place, ["aff_1"]))).toBeUndefined();
    const [payload = ""] = (await writeConnectToken(SECRET, CLAIMS)).split(".");
    expect(await readConnectToken(SECRET, `${payload}.${await hashKey(SECRET, payload)}`)).toBeUndefined();
  });

  it("that is signed and holds no claims is nothing", async () => {
    const { programId, affiliateId, account } = CLAIMS;
    for (const text of [
      "",
      "|||||",
      `${programId}|${affiliateId}|${account}`,
      `${programId}|${affiliateId}|${account}|soon|`,
      `${programId}|${affiliateId}|${account}|-1790000000|`,
      `${programId}|${affiliateId}|ba_1|1790000000|`,
      `${programId}|${programId}|${account}|1790000000|`,
      `${affiliateId}|${affiliateId}|${account}|1790000000|`,
    ]) {
      const payload = toBase64Url(new TextEncoder().encode(text));
      expect(fromBase64Url(payload)).toBeDefined();
      const token = `${payload}.${await hashKey(SECRET, `connect.v1|${payload}`)}`;
      expect(await readConnectToken(SECRET, token), text).toBeUndefined();
    }
  });
});
