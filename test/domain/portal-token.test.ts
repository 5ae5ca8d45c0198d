// The text of a portal token: one spelling for one token, and nothing else is read.
import { describe, expect, it } from "vitest";
import {
  isPortalText,
  type PortalClaims,
  parsePortalToken,
  unsignedPortalText,
} from "../../src/domain/portal-token.ts";

const CLAIMS: PortalClaims = {
  programId: "prg_01JZ0000000000000000000000",
  affiliateId: "aff_01JZ0000000000000000000001",
  expiresAt: 1_793_534_400_000,
};
const SIGNATURE = "0123456789abcdef".repeat(4);
const TOKEN = `stp_portal_01JZ0000000000000000000000_01JZ0000000000000000000001_1793534400_${SIGNATURE}`;

describe("a portal token", () => {
  it("names its program, its affiliate and its end, and carries its signature", () => {
    expect(`${unsignedPortalText(CLAIMS)}_${SIGNATURE}`).toBe(TOKEN);
    expect(parsePortalToken(TOKEN)).toEqual({
      claims: CLAIMS,
      unsigned: TOKEN.slice(0, -65),
      signature: SIGNATURE,
    });
  });

  it.each([
    ["cut short", TOKEN.slice(0, -1)],
    ["with something behind it", `${TOKEN}0`],
    ["with a line break behind it", `${TOKEN}\n`],
    ["with a signature in capitals", TOKEN.replace(SIGNATURE, SIGNATURE.toUpperCase())],
    ["with ids in small letters", TOKEN.replaceAll("01JZ", "01jz")],
    ["with a letter that ids do not have", TOKEN.replace("01JZ", "01IZ")],
    ["with an end that starts with a zero", TOKEN.replace("_1793534400_", "_01793534400_")],
    ["with an end in milliseconds", TOKEN.replace("_1793534400_", "_1793534400000_")],
    ["with a negative end", TOKEN.replace("_1793534400_", "_-1793534400_")],
    ["of a key", TOKEN.replace("stp_portal_", "stp_test_")],
    ["empty", ""],
  ])("is not read %s", (_how, token) => {
    expect(parsePortalToken(token)).toBeUndefined();
  });

  it("is told from a key by how it begins, whatever follows", () => {
    expect(isPortalText("stp_portal_x")).toBe(true);
    expect(isPortalText("stp_test_01JZ0000000000000000000000")).toBe(false);
  });

  it("is not made of what is no id, or no whole second", () => {
    for (const wrong of [
      { ...CLAIMS, programId: "prg_" },
      { ...CLAIMS, affiliateId: "prg_01JZ0000000000000000000001" },
      { ...CLAIMS, expiresAt: 1_793_534_400_500 },
    ])
      expect(() => unsignedPortalText(wrong as PortalClaims)).toThrow(/portal token/);
  });
});
