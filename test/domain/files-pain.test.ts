// pain.001.001.09 as banks check it: what the notes on payment files ask for, over generated output.
import fc from "fast-check";
import { XMLParser } from "fast-xml-parser";
import { describe, expect, it } from "vitest";
import { endToEndIdOf } from "../../src/domain/files/format.ts";
import { controlSum, writePain001 } from "../../src/domain/files/pain-001.ts";
import {
  type BankAccount,
  needsAddresses,
  type PaymentLine,
  whyNotDebtor,
  whyNotWritable,
} from "../../src/domain/files/payment-line.ts";
import { countryOfIban, isEea, isSepa } from "../../src/domain/files/region.ts";
import type { PayoutId } from "../../src/domain/ids.ts";
import { CURRENCY_CODES, exponentOf, toDecimal } from "../../src/domain/money.ts";
import { seed } from "./memory-random.ts";

const IBANS = {
  german: "DE89370400440532013000",
  dutch: "NL91ABNA0417164300",
  british: "GB29NWBK60161331926819",
  swiss: "CH9300762011623852957",
  turkish: "TR330006100519786457841326",
} as const;

const ADDRESS = { street: "Main Street 1", postalCode: "AB1 2CD", town: "London", country: "GB" };

type Line = PaymentLine<BankAccount>;

const payoutId = (n: number): PayoutId => `po_01JZ${String(n).padStart(22, "0")}`;

const account = (more: Partial<BankAccount> = {}): BankAccount => ({
  name: "Ada Lovelace",
  iban: IBANS.german,
  bic: "COBADEFFXXX",
  address: null,
  ...more,
});

const DEBTOR = account({ name: "Shop GmbH", iban: IBANS.dutch, bic: "ABNANL2A" });

const line = (n: number, more: Partial<Line> = {}): Line => ({
  payoutId: payoutId(n),
  endToEndId: endToEndIdOf(payoutId(n), 1),
  amount: 12_345,
  currency: "EUR",
  to: account(),
  text: `Payout ${n}`,
  ...more,
});

const write = (lines: readonly Line[], debtor = DEBTOR): string =>
  writePain001({
    messageId: "01JZ0000000000000000000000",
    createdAt: Date.UTC(2026, 10, 1, 12, 30, 15, 678),
    executionDate: "2026-11-02",
    debtor,
    lines,
  });

const LISTS = ["PmtInf", "CdtTrfTxInf"];

interface Transfer {
  readonly PmtId: { readonly EndToEndId: string };
  readonly Amt: { readonly InstdAmt: { readonly "#text": string; readonly "@Ccy": string } };
  readonly Cdtr: { readonly Nm: string; readonly PstlAdr?: Readonly<Record<string, string>> };
  readonly CdtrAcct: { readonly Id: { readonly IBAN: string } };
  readonly CdtrAgt?: { readonly FinInstnId: { readonly BICFI: string } };
  readonly RmtInf?: { readonly Ustrd: string };
}

interface Block {
  readonly PmtInfId: string;
  readonly PmtMtd: string;
  readonly BtchBookg: string;
  readonly NbOfTxs: string;
  readonly CtrlSum: string;
  readonly PmtTpInf?: { readonly SvcLvl: { readonly Cd: string } };
  readonly ReqdExctnDt: { readonly Dt: string };
  readonly Dbtr: { readonly Nm: string; readonly PstlAdr?: Readonly<Record<string, string>> };
  readonly DbtrAcct: { readonly Id: { readonly IBAN: string } };
  readonly DbtrAgt: { readonly FinInstnId: Readonly<Record<string, unknown>> };
  readonly ChrgBr: string;
  readonly CdtTrfTxInf: readonly Transfer[];
}

interface Initiation {
  readonly GrpHdr: Readonly<Record<"MsgId" | "CreDtTm" | "NbOfTxs" | "CtrlSum", string>> & {
    readonly InitgPty: { readonly Nm: string };
  };
  readonly PmtInf: readonly Block[];
}

/** Throws for what is not well-formed. */
const read = (xml: string): Initiation => {
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: "@",
    parseTagValue: false,
    isArray: (name) => LISTS.includes(name),
  });
  const document = parser.parse(xml, true)["Document"];
  expect(document["@xmlns"]).toBe("urn:iso:std:iso:20022:tech:xsd:pain.001.001.09");
  return document["CstmrCdtTrfInitn"] as Initiation;
};

const transfersOf = ({ PmtInf }: Initiation): readonly Transfer[] =>
  PmtInf.flatMap((block) => block.CdtTrfTxInf);

const onlyTransfer = (lines: readonly Line[], debtor = DEBTOR): Transfer => {
  const [transfer] = transfersOf(read(write(lines, debtor)));
  if (transfer === undefined) throw new Error("no transfer");
  return transfer;
};

/** Text of every leaf. */
const leavesOf = (xml: string): string[] =>
  [...xml.matchAll(/<([A-Za-z]+)[^<>]*>([^<>]*)<\/\1>/g)].map(([, , text]) => text ?? "");

const SEPA_TEXT = /^[a-zA-Z0-9/\-?:().,'+ ]+$/;

const decode = (text: string): string =>
  text.replaceAll("&apos;", "'").replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

describe("a pain.001", () => {
  it("is written in the order of the schema", () => {
    const to = account({ iban: IBANS.british, bic: "NWBKGB2L", address: ADDRESS });
    const debtor = { ...DEBTOR, address: { street: null, postalCode: null, town: "Berlin", country: "DE" } };
    const names = [...write([line(1, { to })], debtor).matchAll(/<([A-Za-z]+)[ >]/g)].map(([, name]) => name);
    expect(names.join(" ")).toBe(
      "Document CstmrCdtTrfInitn GrpHdr MsgId CreDtTm NbOfTxs CtrlSum InitgPty Nm " +
        "PmtInf PmtInfId PmtMtd BtchBookg NbOfTxs CtrlSum PmtTpInf SvcLvl Cd ReqdExctnDt Dt " +
        "Dbtr Nm PstlAdr TwnNm Ctry DbtrAcct Id IBAN DbtrAgt FinInstnId BICFI ChrgBr " +
        "CdtTrfTxInf PmtId EndToEndId Amt InstdAmt CdtrAgt FinInstnId BICFI Cdtr Nm PstlAdr StrtNm PstCd TwnNm Ctry " +
        "CdtrAcct Id IBAN RmtInf Ustrd",
    );
  });

  it("says when it was made, when it is to be carried out, and that each payment is booked by itself", () => {
    const { GrpHdr, PmtInf } = read(write([line(1)]));
    expect(GrpHdr).toMatchObject({
      MsgId: "01JZ0000000000000000000000",
      CreDtTm: "2026-11-01T12:30:15Z",
      NbOfTxs: "1",
      CtrlSum: "123.45",
      InitgPty: { Nm: "Shop GmbH" },
    });
    expect(PmtInf).toMatchObject([
      {
        PmtInfId: "01JZ0000000000000000000000-1",
        PmtMtd: "TRF",
        BtchBookg: "false",
        PmtTpInf: { SvcLvl: { Cd: "SEPA" } },
        ReqdExctnDt: { Dt: "2026-11-02" },
        ChrgBr: "SLEV",
      },
    ]);
  });

  it("names the debtor's bank by its BIC, or says that none was given", () => {
    const agent = (bic: string | null) =>
      read(write([line(1)], { ...DEBTOR, bic })).PmtInf[0]?.DbtrAgt.FinInstnId;
    expect(agent("ABNANL2A")).toEqual({ BICFI: "ABNANL2A" });
    expect(agent(null)).toEqual({ Othr: { Id: "NOTPROVIDED" } });
  });

  it("carries names and texts in the SEPA character set, at most 70 and 140 characters, never empty", () => {
    const names = [
      'Smith & Sons <Ltd> "x"',
      "Ærøskøbing Østergård",
      "Łukasz Żółć",
      "Đorđe Ćirić",
      "Weiß Müller-Lüdenscheid",
      "Γιώργος Παπαδόπουλος",
      "Юлия Щербакова",
      "José Ñúñez; 'O’Neill'",
      "/Slash//Name/",
      "a\u0000b\u0007c\nd\te",
      "🙂 Smiley",
      "x".repeat(140),
    ];
    const lines = names.map((name, n) =>
      line(n, { to: account({ name }), text: `${name} ${"&".repeat(200)}` }),
    );
    expect(lines.map((one) => whyNotWritable("pain.001.001.09", one, DEBTOR))).toEqual(
      lines.map(() => undefined),
    );
    const transfers = transfersOf(read(write(lines)));
    expect(transfers.map(({ Cdtr }) => Cdtr.Nm)).toEqual([
      "Smith + Sons (Ltd) 'x'",
      "Aeroskobing Ostergard",
      "Lukasz Zolc",
      "Dorde Ciric",
      "Weiss Muller-Ludenscheid",
      "Giorgos Papadopoylos",
      "Yuliya Shterbakova",
      "Jose Nunez, 'O'Neill'",
      "Slash/Name",
      "abc d e",
      ". Smiley",
      "x".repeat(70),
    ]);
    for (const { RmtInf } of transfers) {
      expect(RmtInf?.Ustrd).toMatch(SEPA_TEXT);
      expect(RmtInf?.Ustrd.length).toBeLessThanOrEqual(140);
    }
  });

  it("refuses a name that Latin letters cannot write, rather than pay a name of full stops", () => {
    for (const name of ["王伟", "محمد", "שרה", "Ada 王", "...", "🙂"])
      expect(
        whyNotWritable("pain.001.001.09", line(1, { to: account({ name }) }), DEBTOR),
        name,
      ).toMatchObject({
        code: "not_writable",
      });
    expect(whyNotDebtor({ ...DEBTOR, name: "王伟" })).toMatchObject({ code: "not_writable" });
    expect(whyNotDebtor(DEBTOR)).toBeUndefined();
  });

  it("keeps ids within 35 letters, digits and inner hyphens, without slashes at an end or doubled", () => {
    const initiation = read(
      write([line(1), line(2, { currency: "SEK", to: account({ address: ADDRESS }) })]),
    );
    const ids = [
      initiation.GrpHdr.MsgId,
      ...initiation.PmtInf.map(({ PmtInfId }) => PmtInfId),
      ...transfersOf(initiation).map(({ PmtId }) => PmtId.EndToEndId),
      endToEndIdOf(payoutId(1), 9_999_999),
    ];
    for (const id of ids) expect(id).toMatch(/^(?=.{1,35}$)[A-Za-z0-9]+(-[0-9]+)?$/);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("writes amounts with exactly the currency's decimals, up to 999,999,999.99, and refuses more", () => {
    const amountOf = (amount: number, currency: string) =>
      onlyTransfer([line(1, { amount, currency, to: account({ address: ADDRESS }) })], {
        ...DEBTOR,
        address: ADDRESS,
      }).Amt.InstdAmt;
    expect(amountOf(1, "EUR")).toEqual({ "#text": "0.01", "@Ccy": "EUR" });
    expect(amountOf(99_999_999_999, "EUR")).toEqual({ "#text": "999999999.99", "@Ccy": "EUR" });
    expect(amountOf(1_200, "JPY")).toEqual({ "#text": "1200", "@Ccy": "JPY" });
    expect(amountOf(1_230, "KWD")).toEqual({ "#text": "1.230", "@Ccy": "KWD" });
    expect(whyNotWritable("pain.001.001.09", line(1, { amount: 99_999_999_999 }), DEBTOR)).toBeUndefined();
    expect(whyNotWritable("pain.001.001.09", line(1, { amount: 100_000_000_000 }), DEBTOR)).toMatchObject({
      code: "not_writable",
    });
  });

  it("puts each currency, and what is no SEPA payment, into a block of its own with its own sums", () => {
    const to = account({ address: ADDRESS });
    const turkish = account({ iban: IBANS.turkish, address: { ...ADDRESS, country: "TR" } });
    const lines = [
      line(1),
      line(2, { currency: "SEK", amount: 100, to }),
      line(3, { amount: 55 }),
      line(4, { currency: "JPY", amount: 7, to }),
      line(5, { amount: 10, to: turkish }),
    ];
    const { GrpHdr, PmtInf } = read(write(lines, { ...DEBTOR, address: ADDRESS }));
    expect(GrpHdr).toMatchObject({ NbOfTxs: "5", CtrlSum: "132.10" });
    expect(
      PmtInf.map((block) => [
        block.CdtTrfTxInf[0]?.Amt.InstdAmt["@Ccy"],
        block.NbOfTxs,
        block.CtrlSum,
        block.PmtTpInf?.SvcLvl.Cd,
        block.ChrgBr,
      ]),
    ).toEqual([
      ["EUR", "2", "124.00", "SEPA", "SLEV"],
      ["SEK", "1", "1.00", undefined, "SHAR"],
      ["JPY", "1", "7", undefined, "SHAR"],
      ["EUR", "1", "0.10", undefined, "SHAR"],
    ]);
  });

  it("leaves addresses out within the EEA, and has both, structured, with town and country, beyond it", () => {
    const inside = write([line(1, { to: account({ address: { ...ADDRESS, country: "DE" } }) })], {
      ...DEBTOR,
      address: { ...ADDRESS, country: "NL" },
    });
    expect(inside).not.toContain("PstlAdr");
    const debtor = { ...DEBTOR, address: { street: null, postalCode: null, town: "Köln", country: "DE" } };
    for (const iban of [IBANS.british, IBANS.swiss, IBANS.turkish]) {
      const outside = read(write([line(1, { to: account({ iban, address: ADDRESS }) })], debtor));
      expect(outside.PmtInf[0]?.Dbtr.PstlAdr).toEqual({ TwnNm: "Koln", Ctry: "DE" });
      expect(transfersOf(outside)[0]?.Cdtr.PstlAdr).toEqual({
        StrtNm: "Main Street 1",
        PstCd: "AB1 2CD",
        TwnNm: "London",
        Ctry: "GB",
      });
    }
  });

  it("refuses what leaves the EEA without both addresses, and never writes an address line", () => {
    const why = (to: BankAccount, debtor = DEBTOR) =>
      whyNotWritable("pain.001.001.09", line(1, { to }), debtor)?.code;
    const british = account({ iban: IBANS.british });
    expect(why(british)).toBe("address_required");
    expect(why({ ...british, address: ADDRESS })).toBe("address_required");
    expect(why({ ...british, address: ADDRESS }, { ...DEBTOR, address: ADDRESS })).toBeUndefined();
    expect(why(account(), { ...DEBTOR, iban: IBANS.swiss })).toBe("address_required");
    expect(why(account({ address: { ...ADDRESS, country: "US" } }))).toBe("address_required");
    expect(why({ ...british, address: { ...ADDRESS, town: "北京" } }, { ...DEBTOR, address: ADDRESS })).toBe(
      "not_writable",
    );
    expect(
      write([line(1, { to: { ...british, address: ADDRESS } })], { ...DEBTOR, address: ADDRESS }),
    ).not.toContain("AdrLine");
  });

  it("stays far below what a row of the database holds, sealed, whatever 500 names are made of", () => {
    const long = "A'".repeat(70);
    const address = {
      street: long.slice(0, 70),
      postalCode: "A'".repeat(8),
      town: long.slice(0, 35),
      country: "GB",
    };
    const to = account({ name: long, iban: IBANS.british, address });
    const lines = Array.from({ length: 500 }, (_, n) =>
      line(n, { to, amount: 99_999_999_999, text: "'&".repeat(100) }),
    );
    const bytes = new TextEncoder().encode(write(lines, { ...DEBTOR, address })).length;
    expect((bytes * 4) / 3 + 100).toBeLessThan(1_500_000);
  });

  it("knows the countries that joined SEPA, and which of them are in the EEA", () => {
    for (const country of ["AL", "ME", "MD", "MK", "RS", "GB", "CH", "SM", "VA", "MC", "AD"])
      expect([country, isSepa(country), isEea(country)]).toEqual([country, true, false]);
    for (const country of ["DE", "FR", "NO", "IS", "LI", "HR", "BG"])
      expect([country, isSepa(country), isEea(country)]).toEqual([country, true, true]);
    for (const country of ["TR", "US", "UA", "XK"])
      expect([country, isSepa(country)]).toEqual([country, false]);
    expect(countryOfIban(IBANS.british)).toBe("GB");
  });
});

/** Letters of every scheme that is written, and all that may break a file: markup, marks, controls, halves of pairs, slashes. */
const CHARS = [
  ..."aZ09 äßéłđøÆœþŞİıΘψΆςЩщйЇђ&<>\"'/;_@€–’“”*#%$^~=|`[]{}\\.,:()+-?🙂\u0301\u200b\u0000\u0007\n\t\ufffe",
  "\ud800",
  "]]>",
  "<!--",
  "&amp;",
  "//",
];
const hostile = fc.string({ unit: fc.constantFrom(...CHARS), maxLength: 160 });
const named = (max: number) =>
  fc.string({ unit: fc.constantFrom(...CHARS), maxLength: max }).map((text) => `A${text}`);
const accountOf = (text: fc.Arbitrary<string>): fc.Arbitrary<BankAccount> =>
  fc.record({
    name: text,
    iban: fc.constantFrom(...Object.values(IBANS)),
    bic: fc.option(fc.constant("COBADEFFXXX")),
    address: fc.option(
      fc.record({
        street: fc.option(text),
        postalCode: fc.option(text),
        town: text,
        country: fc.constantFrom("DE", "GB", "US"),
      }),
    ),
  });
const anyAccount = accountOf(named(140));
const anyLine = fc.record({
  amount: fc.integer({ min: 1, max: 99_999_999_999 }),
  currency: fc.constantFrom("EUR", "EUR", "EUR", ...CURRENCY_CODES),
  to: anyAccount,
  text: hostile,
});

/** Decimal text in thousandths, exact. */
const thousandths = (decimal: string): bigint => {
  const [whole = "0", fraction = ""] = decimal.split(".");
  return BigInt(whole + fraction.padEnd(3, "0"));
};

describe("whatever is paid", () => {
  it("is well-formed in the SEPA character set with exact counts and sums", () => {
    fc.assert(
      fc.property(fc.array(anyLine, { minLength: 1, maxLength: 12 }), anyAccount, (drawn, debtor) => {
        const lines = drawn
          .map((one, n) => line(n, one))
          .filter((one) => whyNotWritable("pain.001.001.09", one, debtor) === undefined);
        fc.pre(lines.length > 0 && whyNotDebtor(debtor) === undefined);
        const xml = write(lines, debtor);
        const initiation = read(xml);
        for (const leaf of leavesOf(xml)) expect(decode(leaf)).toMatch(SEPA_TEXT);
        expect(leavesOf(xml).filter((leaf) => /^[ /]|[ /]$|\/\//.test(decode(leaf)))).toEqual([]);
        const transfers = transfersOf(initiation);
        expect(transfers.map(({ PmtId }) => PmtId.EndToEndId).sort()).toEqual(
          lines.map(({ endToEndId }) => endToEndId).sort(),
        );
        const sum = (of: readonly Transfer[]) =>
          of.reduce((total, { Amt }) => total + thousandths(Amt.InstdAmt["#text"]), 0n);
        expect(thousandths(initiation.GrpHdr.CtrlSum)).toBe(sum(transfers));
        expect(Number(initiation.GrpHdr.NbOfTxs)).toBe(lines.length);
        for (const block of initiation.PmtInf) {
          expect(thousandths(block.CtrlSum)).toBe(sum(block.CdtTrfTxInf));
          expect(Number(block.NbOfTxs)).toBe(block.CdtTrfTxInf.length);
          expect(new Set(block.CdtTrfTxInf.map(({ Amt }) => Amt.InstdAmt["@Ccy"])).size).toBe(1);
        }
        for (const one of lines) {
          const found = transfers.find(({ PmtId }) => PmtId.EndToEndId === one.endToEndId);
          expect(found?.Amt.InstdAmt).toEqual({
            "#text": toDecimal(one.amount, one.currency),
            "@Ccy": one.currency,
          });
          expect(found?.CdtrAcct.Id.IBAN).toBe(one.to.iban);
          expect(found?.Cdtr.Nm.length).toBeLessThanOrEqual(70);
          expect(found?.RmtInf?.Ustrd.length ?? 0).toBeLessThanOrEqual(140);
          expect(found?.Cdtr.PstlAdr !== undefined).toBe(needsAddresses(one, debtor));
        }
      }),
      { numRuns: 300, seed: seed() },
    );
  });

  it("is well-formed in the SEPA character set even where nobody asked whether it can be written", () => {
    const wild = accountOf(fc.oneof(hostile, fc.string({ unit: "binary", maxLength: 100 })));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(anyLine, wild), { minLength: 1, maxLength: 5 }),
        wild,
        (drawn, debtor) => {
          const xml = write(
            drawn.map(([one, to], n) => line(n, { ...one, to })),
            debtor,
          );
          expect(transfersOf(read(xml)).length).toBe(drawn.length);
          for (const leaf of leavesOf(xml).filter((text) => text !== ""))
            expect(decode(leaf)).toMatch(SEPA_TEXT);
        },
      ),
      { numRuns: 300, seed: seed() },
    );
  });

  it("adds up exactly where a float would not", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            amount: fc.integer({ min: 1, max: 2 ** 50 }),
            currency: fc.constantFrom(...CURRENCY_CODES),
          }),
          { minLength: 1, maxLength: 500 },
        ),
        (amounts) => {
          const total = amounts.reduce(
            (sum, { amount, currency }) => sum + BigInt(amount) * 10n ** BigInt(3 - exponentOf(currency)),
            0n,
          );
          expect(thousandths(controlSum(amounts))).toBe(total);
        },
      ),
      { numRuns: 200, seed: seed() },
    );
  });
});
