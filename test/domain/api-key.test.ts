// The text of API keys and what scopes include.
import { describe, expect, it } from "vitest";
import {
  crc32,
  formatKey,
  impliesScope,
  isScope,
  keyPrefixOf,
  parseKey,
  SCOPES,
} from "../../src/domain/api-key.ts";
import { mintBody } from "../../src/domain/ids.ts";
import { hashKey, sameHash } from "../../src/store/key-hash.ts";

const ID = `key_${mintBody(1_790_000_000_000, new Uint8Array(10).fill(7))}` as const;
const SECRET = Uint8Array.from({ length: 32 }, (_, i) => i * 8);
const KEY = formatKey("test", ID, SECRET);

describe("an API key", () => {
  it("has mode, row id, 256-bit secret and checksum in its text", () => {
    expect(KEY).toMatch(/^stp_test_[0-9A-Z]{26}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}$/);
    expect(formatKey("live", ID, SECRET)).toMatch(/^stp_live_/);
  });

  it("parses back to its mode and row", () => {
    expect(parseKey(KEY)).toEqual({ mode: "test", keyId: ID });
    expect(parseKey(formatKey("live", ID, new Uint8Array(32).fill(255)))).toEqual({
      mode: "live",
      keyId: ID,
    });
    expect(parseKey(formatKey("live", ID, new Uint8Array(32)))).toEqual({ mode: "live", keyId: ID });
  });

  it("is refused offline when any one character is another", () => {
    for (let i = 0; i < KEY.length; i++) {
      const other = KEY.charAt(i) === "x" ? "y" : "x";
      expect(parseKey(KEY.slice(0, i) + other + KEY.slice(i + 1)), `at ${i}`).toBeUndefined();
    }
  });

  it("is refused when it is cut, stretched, padded or of another mode", () => {
    const others = [
      "",
      KEY.slice(0, -1),
      `${KEY}0`,
      ` ${KEY}`,
      `${KEY}\n`,
      KEY.replace("test", "live"),
      KEY.toUpperCase(),
    ];
    for (const text of [...others, `${KEY}_x`, "stp_test___", "a".repeat(100_000)])
      expect(parseKey(text)).toBeUndefined();
  });

  it("shows a prefix that holds nothing of the secret", () => {
    expect(keyPrefixOf("test", ID)).toBe(`stp_test_${ID.slice(4)}`);
    expect(KEY.startsWith(keyPrefixOf("test", ID))).toBe(true);
  });

  it("needs a secret of 32 bytes", () => {
    expect(() => formatKey("test", ID, new Uint8Array(31))).toThrow();
  });

  it("has the checksum of zip files", () => {
    expect(crc32("123456789")).toBe(0xcbf43926);
    expect(crc32("")).toBe(0);
  });
});

describe("a scope", () => {
  it("is included by itself and by program:admin", () => {
    for (const scope of SCOPES) {
      expect(impliesScope([scope], scope)).toBe(true);
      expect(impliesScope(["program:admin"], scope)).toBe(true);
      expect(impliesScope([], scope)).toBe(false);
    }
  });

  it("of writing includes its reading, and nothing else includes anything", () => {
    for (const held of SCOPES.filter((scope) => scope !== "program:admin")) {
      for (const needed of SCOPES.filter((scope) => scope !== held)) {
        const isItsRead = held.endsWith(":write") && needed === held.replace(":write", ":read");
        expect(impliesScope([held], needed), `${held} for ${needed}`).toBe(isItsRead);
      }
    }
  });

  it("is one of the closed list", () => {
    expect(isScope("payouts:pay")).toBe(true);
    for (const text of ["payouts:*", "PAYOUTS:PAY", "", "toString", "admin"])
      expect(isScope(text)).toBe(false);
  });
});

describe("the stored hash of a key", () => {
  it("is an HMAC that another pepper or another key changes", async () => {
    const hash = await hashKey("pepper", KEY);
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(await hashKey("pepper", KEY)).toBe(hash);
    expect(await hashKey("other", KEY)).not.toBe(hash);
    expect(await hashKey("pepper", `${KEY}x`)).not.toBe(hash);
  });

  it("is never made without a pepper", async () => {
    await expect(hashKey("", KEY)).rejects.toThrow();
  });

  it("is the same only as itself", () => {
    expect(sameHash("ab", "ab")).toBe(true);
    expect(sameHash("ab", "ac")).toBe(false);
    expect(sameHash("ab", "abc")).toBe(false);
    expect(sameHash("", "a")).toBe(false);
  });
});
