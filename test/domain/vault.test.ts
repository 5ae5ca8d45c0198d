// What is sealed opens only whole, in its place, with its key.
import { describe, expect, it } from "vitest";
import { type MasterKey, makeVault } from "../../src/store/vault.ts";

const random = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length));
const masterKey = (id: string): MasterKey => ({ id, base64: Buffer.from(random(32)).toString("base64") });
const OLD = masterKey("k1");
const NEW = masterKey("k2");
const PLACE = "prg_1|credentials|stripe|secret_key";

describe("the vault", () => {
  it("opens what it sealed", async () => {
    const vault = makeVault([OLD], random);
    for (const text of ["sk_test_123", "", "Zürich 🏦", "\uFEFFbom"]) {
      expect(await vault.open(await vault.seal(text, PLACE), PLACE)).toBe(text);
    }
  });

  it("writes version, key id, nonce and cipher text, and never the text", async () => {
    const sealed = await makeVault([OLD], random).seal("sk_test_123", PLACE);
    expect(sealed).toMatch(/^v1\.k1\.[A-Za-z0-9_-]{16}\.[A-Za-z0-9_-]+$/);
    expect(sealed).not.toContain("sk_test");
  });

  it("seals the same text differently each time", async () => {
    const vault = makeVault([OLD], random);
    expect(await vault.seal("same", PLACE)).not.toBe(await vault.seal("same", PLACE));
  });

  it("does not open what was moved to another place", async () => {
    const vault = makeVault([OLD], random);
    await expect(
      vault.open(await vault.seal("secret", PLACE), PLACE.replace("prg_1", "prg_2")),
    ).rejects.toThrow();
  });

  it("does not open what was changed anywhere", async () => {
    const vault = makeVault([OLD], random);
    const sealed = await vault.seal("secret", PLACE);
    for (let i = 0; i < sealed.length; i++) {
      const other = sealed.charAt(i) === "A" ? "B" : "A";
      await expect(
        vault.open(sealed.slice(0, i) + other + sealed.slice(i + 1), PLACE),
        `at ${i}`,
      ).rejects.toThrow();
    }
    for (const text of ["", "v1", "secret", `${sealed}.x`, sealed.slice(0, -4)]) {
      await expect(vault.open(text, PLACE)).rejects.toThrow();
    }
  });

  it("opens with an old key what was sealed under it, and seals with the new one", async () => {
    const before = await makeVault([OLD], random).seal("secret", PLACE);
    const vault = makeVault([NEW, OLD], random);
    expect(await vault.open(before, PLACE)).toBe("secret");
    expect(await vault.seal("secret", PLACE)).toMatch(/^v1\.k2\./);
    await expect(makeVault([NEW], random).open(before, PLACE)).rejects.toThrow("not here");
  });

  it("names its keys, the one that seals first", () => {
    expect(makeVault([NEW, OLD], random).keyIds).toEqual(["k2", "k1"]);
  });

  it("refuses to start without keys, with a double id, and to work with a key of another length", async () => {
    expect(() => makeVault([], random)).toThrow();
    expect(() => makeVault([OLD, { ...NEW, id: OLD.id }], random)).toThrow();
    expect(() => makeVault([{ id: "k3", base64: "c2hvcnQ=" }], random)).toThrow("32 bytes");
    expect(() => makeVault([{ id: "a.b", base64: OLD.base64 }], random)).toThrow();
  });
});
