// The schemas of the wire: what each lets in and what it refuses.

import { z } from "@hono/zod-openapi";
import { describe, expect, it } from "vitest";
import { CURRENCY_CODES } from "../../src/domain/money.ts";
import * as wire from "../../src/http/wire.ts";

const accepts = (schema: z.ZodType, values: readonly unknown[]): void => {
  for (const value of values) expect(schema.safeParse(value).success, JSON.stringify(value)).toBe(true);
};
const refuses = (schema: z.ZodType, values: readonly unknown[]): void => {
  for (const value of values) expect(schema.safeParse(value).success, JSON.stringify(value)).toBe(false);
};
const notStrings: readonly unknown[] = [null, undefined, 1, true, {}, [], ["a"]];

describe("an amount", () => {
  it("is a whole number of minor units above zero, at most 99,999,999,999", () => {
    accepts(wire.amount, [1, 1999, 99_999_999_999, JSON.parse("1e3")]);
    refuses(wire.amount, [
      0,
      -1,
      10.5,
      0.1,
      100_000_000_000,
      JSON.parse("-0"),
      "1000",
      "0x3e8",
      "١٠٠٠",
      [1000],
      null,
    ]);
    refuses(wire.amount, [
      JSON.parse("1e400"),
      JSON.parse("-1e400"),
      JSON.parse("9007199254740993"),
      Number.NaN,
    ]);
    refuses(wire.amount, [{ valueOf: 1000 }, undefined, true]);
  });

  it("as a bound may be zero, never minus zero", () => {
    accepts(wire.amountOrZero, [0, 1]);
    refuses(wire.amountOrZero, [JSON.parse("-0"), -1, 1.5, JSON.parse("1e400"), "0"]);
  });

  it("in a query is digits", () => {
    expect(wire.amountText.parse("2500")).toBe(2500);
    refuses(wire.amountText, ["", "-1", "1.5", "1e3", "0x10", " 1", "01", "999999999999", "١"]);
  });

  it("by currency knows only currencies of the allow-list", () => {
    accepts(wire.amountsByCurrency, [{}, { EUR: 0, USD: 2500 }]);
    refuses(wire.amountsByCurrency, [{ eur: 1 }, { ZZZ: 1 }, { EUR: -1 }, { EUR: "1" }, [], null]);
  });
});

describe("a currency", () => {
  it("is a code of the allow-list in capitals", () => {
    accepts(wire.currency, CURRENCY_CODES);
    refuses(wire.currency, [
      "ZZZ",
      "usd",
      "UЅD",
      "DEM",
      "XAU",
      "",
      "USD ",
      "toString",
      "__proto__",
      ...notStrings,
    ]);
  });
});

describe("time", () => {
  it("is an instant with any offset, handed on as milliseconds", () => {
    expect(wire.instant.parse("2026-11-01T02:00:00+02:00")).toBe(Date.parse("2026-11-01T00:00:00Z"));
    expect(wire.instant.parse("2026-11-01T00:00:00.123Z")).toBe(Date.parse("2026-11-01T00:00:00.123Z"));
    refuses(wire.instant, [
      "2026-02-29T00:00:00Z",
      "2026-13-01T00:00:00Z",
      "2016-12-31T23:59:60Z",
      "2026-01-01T24:00:00Z",
    ]);
    refuses(wire.instant, [
      "1969-12-31T23:59:59Z",
      "2026-11-01",
      "2026-11-01T00:00:00",
      "now",
      "",
      1_793_491_200,
      null,
    ]);
  });

  it("is a date of the calendar", () => {
    accepts(wire.date, ["2026-10-31", "2028-02-29"]);
    refuses(wire.date, ["2026-02-30", "2026-2-3", "20261031", "2026-10-31T00:00:00Z", "", ...notStrings]);
  });
});

describe("an id", () => {
  it("of an affiliate or a commission is ours or the caller's own", () => {
    expect(wire.affiliateRef.parse("aff_01JZ")).toEqual({ id: "aff_01JZ" });
    expect(wire.affiliateRef.parse("ext:shop/42 é")).toEqual({ externalId: "shop/42 é" });
    expect(wire.commissionRef.parse("ext:com_1")).toEqual({ externalId: "com_1" });
    refuses(wire.affiliateRef, [
      "com_1",
      "aff_",
      "aff_1'x",
      "AFF_1",
      "ext:",
      "ext: a",
      "ext:a\u200b",
      "",
      "\u0430ff_1",
    ]);
    refuses(wire.affiliateRef, [
      `aff_${"a".repeat(65)}`,
      `ext:${"a".repeat(256)}`,
      "aff_1\0x",
      ...notStrings,
    ]);
  });

  it("of another kind is refused", () => {
    accepts(wire.idOf("run"), ["run_1"]);
    refuses(wire.idOf("run"), ["po_1", "run_", "run-1", "xrun_1", "run_1\n", ...notStrings]);
  });
});

describe("an external id", () => {
  it("is 1 to 255 visible characters in composed form", () => {
    accepts(wire.externalId, ["a", "order 1001/ü", "注文-1", "x".repeat(255), "#1 😀"]);
    refuses(wire.externalId, [
      "",
      "x".repeat(256),
      " a",
      "a ",
      "ord\u200b_1",
      "cafe\u0301",
      "a\nb",
      "a\0",
      "\u202eabc",
    ]);
    refuses(wire.externalId, ["a\ud800b", "a\u00adb", "a\u2028b", "\ufeffa", "\u3164", 12_345, null]);
  });
});

describe("a name", () => {
  it("is one visible line", () => {
    accepts(wire.nameText, [
      "Jane Doe",
      "Zoë",
      "Nguyễn Thị Ánh",
      "=1+1",
      "<b>",
      "O'Neil",
      "李雷",
      "x".repeat(200),
    ]);
    refuses(wire.nameText, [
      "",
      "   ",
      "x".repeat(201),
      "Jane\r\nBcc: a@b.co",
      "a\tb",
      "a\u200bb",
      "\u202eevil",
      "a\u2066b",
    ]);
    refuses(wire.nameText, ["a\u0007", "a\ud800", ...notStrings]);
  });

  it("may stack ten combining marks, not eleven", () => {
    accepts(wire.nameText, [`Z${"\u0300".repeat(10)}`]);
    refuses(wire.nameText, [`Z${"\u0300".repeat(11)}`, `ok Z${"\u0489".repeat(60)}`]);
  });
});

describe("a note", () => {
  it("may have lines and emoji, and nothing that hides", () => {
    accepts(wire.noteText, ["one\ntwo\r\n\tthree", "👩‍👩‍👧", "x".repeat(2_000)]);
    refuses(wire.noteText, [
      "",
      " \n ",
      "x".repeat(2_001),
      "a\u202eb",
      "a\0b",
      "a\u200bb",
      `a${"\u0300".repeat(11)}`,
    ]);
  });
});

describe("an e-mail address", () => {
  it("is exactly one", () => {
    accepts(wire.emailText, [
      "jane@example.com",
      "JANE+tag@sub.example.co.uk",
      "a_b-c@x.io",
      "o{r}d@example.xn--p1ai",
    ]);
    refuses(wire.emailText, [
      "nobody",
      "a@b.co,c@d.co",
      "a@b.co;c@d.co",
      '"<script>"@b.co',
      "a b@c.co",
      "a@b",
      "a@-b.co",
    ]);
    refuses(wire.emailText, [
      "a@b.co\n",
      "a@b.co\r\nBcc: x@y.co",
      ".a@b.co",
      "a.@b.co",
      "a..b@c.co",
      "@b.co",
      "a@",
      "a@@b.co",
    ]);
    refuses(wire.emailText, [
      "é@b.co",
      "a@b.c-",
      "a@1.2.3.4",
      "a'@b.co",
      "Jane <a@b.co>",
      `${"a".repeat(65)}@b.co`,
    ]);
    refuses(wire.emailText, [`${"a".repeat(60)}@${"b.".repeat(100)}com`, ...notStrings]);
  });
});

describe("a country", () => {
  it("is an assigned ISO 3166 code in capitals", () => {
    expect(wire.COUNTRY_CODES.size).toBe(249);
    accepts(wire.countryCode, ["DE", "US", "GB", "AX"]);
    refuses(wire.countryCode, ["UK", "de", "XX", "EU", "DEU", "", ...notStrings]);
  });
});

describe("a URL for browsers", () => {
  it("is https without a user name", () => {
    accepts(wire.webUrl, ["https://example.com/done?a=1#b"]);
    refuses(wire.webUrl, [
      "http://example.com",
      "javascript:alert(1)",
      "//x",
      "https://a:b@c.d",
      "https://a\nb",
      "",
      null,
    ]);
  });
});

describe("metadata", () => {
  it("is flat, of at most 50 short keys and values", () => {
    const many = (n: number) => Object.fromEntries(Array.from({ length: n }, (_, i) => [`k${i}`, i]));
    accepts(wire.metadata, [{}, { a: "x", b: 1.5, c: true, d: null }, many(50), { k: "v".repeat(500) }]);
    refuses(wire.metadata, [
      many(51),
      { k: "v".repeat(501) },
      { ["k".repeat(41)]: 1 },
      { "": 1 },
      { a: {} },
      { a: [] },
    ]);
    refuses(wire.metadata, [
      { a: JSON.parse("1e400") },
      { a: JSON.parse("9007199254740993") },
      [],
      "x",
      null,
    ]);
  });
});

describe("a list", () => {
  it("has 50 rows unless asked otherwise", () => {
    expect(wire.listQuery({}).parse({})).toEqual({ limit: 50 });
    expect(wire.listQuery({}).parse({ limit: "200", order: "desc" })).toEqual({ limit: 200, order: "desc" });
  });

  it("takes words with commas and flags", () => {
    expect(wire.wordList(["a", "b"]).parse("a,b")).toEqual(["a", "b"]);
    expect(wire.flagText.parse("false")).toBe(false);
    refuses(wire.flagText, ["", "1", "TRUE", "yes", true]);
  });

  it("answers rows, whether there are more, and the cursor", () => {
    const page = wire.pageOf(z.object({ id: z.string() }));
    accepts(page, [{ data: [{ id: "x" }], has_more: false, next_cursor: null }]);
    refuses(page, [{ data: [] }, { data: {}, has_more: false, next_cursor: null }]);
  });
});
