// Settling a file from the bank's statement: exactly what it says was paid, once, and everything else reported.
import { describe, expect, it } from "vitest";
import { atOnce, expectSound } from "./books.ts";
import {
  type Booking,
  bankPayout,
  camt,
  type FileWire,
  itemOf,
  makeFile,
  pain,
  readFile,
  settleFile,
} from "./payout-files-scene.ts";
import { openWorld, type World } from "./world.ts";

/** A file of so many payouts of 10.00 euro each, with their end-to-end ids. */
const fileOf = async (
  world: World,
  count: number,
): Promise<{ file: FileWire; payouts: { id: string; endToEndId: string; affiliateId: string }[] }> => {
  const made = [];
  for (let n = 0; n < count; n++) made.push(await bankPayout(world, 1_000));
  const file = await makeFile(world, pain(made.map(({ id }) => id)));
  const read = await readFile(world, file.id);
  return { file, payouts: made.map((one) => ({ ...one, endToEndId: itemOf(read, one.id).end_to_end_id })) };
};

const paid = (endToEndId: string, more: Partial<Booking> = {}): Booking => ({
  endToEndId,
  amount: "10.00",
  ref: "BANK-1",
  ...more,
});

const statusOf = async (world: World, id: string): Promise<string> =>
  (await world.ok("GET", `/v1/payouts/${id}`)).status;

describe("a statement", () => {
  it("settles what it shows as booked and paid, and nothing else of it", async () => {
    const world = await openWorld();
    const { file, payouts } = await fileOf(world, 8);
    const [fine, little, dollars, pending, credit, reversed, twice, absent] = payouts.map(
      (one) => one.endToEndId,
    );
    if (twice === undefined) throw new Error("too few payouts");
    const ids = payouts.map(({ id }) => id);
    const answer = await settleFile(
      world,
      file.id,
      camt([
        paid(fine ?? ""),
        paid(little ?? "", { amount: "9.99" }),
        paid(dollars ?? "", { currency: "USD" }),
        paid(pending ?? "", { status: "<Cd>PDNG</Cd>" }),
        paid(credit ?? "", { direction: "CRDT" }),
        paid(reversed ?? "", { reversal: true }),
        paid(twice, { ref: "BANK-2" }),
        paid(twice, { ref: "BANK-3" }),
        { amount: "55.00", ref: "rent" },
        paid("PO01JZ00000000000000000000011"),
        { amount: "1.00", direction: "CRDT" },
        paid("NOTPROVIDED"),
      ]),
    );
    expect(answer.settled.map(({ payout_id, external_ref }) => [payout_id, external_ref])).toEqual([
      [ids[0], "BANK-1"],
      [ids[6], "BANK-2"],
    ]);
    expect(answer.failed.map(({ payout_id, code, place }) => [payout_id, code, place])).toEqual([
      [ids[1], "amount_differs", "Stmt[1]/Ntry[2]/TxDtls[1]"],
      [ids[2], "currency_differs", "Stmt[1]/Ntry[3]/TxDtls[1]"],
      [ids[3], "not_booked", "Stmt[1]/Ntry[4]/TxDtls[1]"],
      [ids[4], "came_back", "Stmt[1]/Ntry[5]/TxDtls[1]"],
      [ids[5], "reversed", "Stmt[1]/Ntry[6]/TxDtls[1]"],
      [ids[6], "external_ref_differs", "Stmt[1]/Ntry[8]/TxDtls[1]"],
    ]);
    expect(answer.unmatched).toMatchObject([
      { place: "Stmt[1]/Ntry[9]/TxDtls[1]", end_to_end_id: null, file_id: null },
      { place: "Stmt[1]/Ntry[10]/TxDtls[1]", end_to_end_id: "PO01JZ00000000000000000000011", file_id: null },
      { place: "Stmt[1]/Ntry[12]/TxDtls[1]", end_to_end_id: null },
    ]);
    expect(absent).toBeDefined();
    expect(await Promise.all(ids.map((id) => statusOf(world, id)))).toEqual([
      "paid",
      ...Array<string>(5).fill("processing"),
      "paid",
      "processing",
    ]);
    await expectSound(world);
  });

  it("again, or twice at once, changes nothing more", async () => {
    const world = await openWorld();
    const { file, payouts } = await fileOf(world, 2);
    const statement = camt(payouts.map(({ endToEndId }) => paid(endToEndId)));
    const first = await atOnce(3, () => settleFile(world, file.id, statement));
    expect(first.flatMap(({ settled }) => settled)).toHaveLength(2);
    expect(first.flatMap(({ failed }) => failed)).toEqual([]);
    const before = await world.ok("GET", `/v1/payouts/${payouts[0]?.id}`);
    world.advance(24 * 3_600_000);
    const again = await settleFile(world, file.id, statement);
    expect([again.settled, again.already.map(({ payout_id }) => payout_id).sort()]).toEqual([
      [],
      payouts.map(({ id }) => id).sort(),
    ]);
    expect(await world.ok("GET", `/v1/payouts/${payouts[0]?.id}`)).toEqual(before);
    await expectSound(world);
  });

  it("of several days settles each day's payments as it comes, under a reference that may be shared", async () => {
    const world = await openWorld();
    const { file, payouts } = await fileOf(world, 2);
    const [first, second] = payouts.map(({ endToEndId }) => endToEndId);
    await settleFile(world, file.id, camt([paid(first ?? "", { ref: "BATCH" })]));
    const later = await settleFile(
      world,
      file.id,
      camt([paid(first ?? "", { ref: "BATCH" }), paid(second ?? "", { ref: "BATCH" })]),
    );
    expect([later.settled.length, later.already.length, later.failed]).toEqual([1, 1, []]);
  });

  it("points to the file that a line belongs to", async () => {
    const world = await openWorld();
    const [mine, other] = [await fileOf(world, 1), await fileOf(world, 1)];
    const answer = await settleFile(world, mine.file.id, camt([paid(other.payouts[0]?.endToEndId ?? "")]));
    expect(answer.unmatched).toMatchObject([{ file_id: other.file.id }]);
    expect(await statusOf(world, other.payouts[0]?.id ?? "")).toBe("processing");
  });

  it("says which payment was paid after a person said that it failed, and the affiliate owes it", async () => {
    const world = await openWorld();
    const { file, payouts } = await fileOf(world, 1);
    const [payout] = payouts;
    if (payout === undefined) throw new Error("no payout");
    await world.ok("POST", `/v1/payouts/${payout.id}/mark-failed`, { reason: "rejected, it seemed" });
    const statement = camt([paid(payout.endToEndId)]);
    expect(await settleFile(world, file.id, statement)).toMatchObject({
      settled: [],
      paid_late: [{ payout_id: payout.id }],
      failed: [],
    });
    expect(await world.ok("GET", `/v1/payouts/${payout.id}`)).toMatchObject({
      status: "failed",
      late_paid_amount: 1_000,
    });
    expect(await world.ok("GET", `/v1/affiliates/${payout.affiliateId}/balance`)).toMatchObject({
      balances: [{ recovery_owed: 1_000 }],
    });
    expect(await settleFile(world, file.id, statement)).toMatchObject({ paid_late: [], already: [{}] });
    expect((await world.verify()).findings).toEqual([]);
  });

  it("settles the attempt that it names, not the one that came after", async () => {
    const world = await openWorld();
    const { file, payouts } = await fileOf(world, 1);
    const [payout] = payouts;
    if (payout === undefined) throw new Error("no payout");
    await world.ok("POST", `/v1/payouts/${payout.id}/mark-failed`, { reason: "rejected" });
    await world.ok("POST", `/v1/payouts/${payout.id}/retry`);
    const second = await makeFile(world, pain([payout.id]));
    const item = itemOf(await readFile(world, second.id), payout.id);
    expect(item.end_to_end_id).not.toBe(payout.endToEndId);
    const old = await settleFile(world, second.id, camt([paid(payout.endToEndId)]));
    expect(old).toMatchObject({ settled: [], unmatched: [{ file_id: file.id }] });
    expect(await statusOf(world, payout.id)).toBe("processing");
    expect(await settleFile(world, second.id, camt([paid(item.end_to_end_id)]))).toMatchObject({
      settled: [{ payout_id: payout.id }],
    });
    expect(await world.verify()).toMatchObject({ ok: true });
  });

  it("of what was marked paid by hand reports another reference instead of taking it for the same payment", async () => {
    const world = await openWorld();
    const { file, payouts } = await fileOf(world, 2);
    const [named, plain] = payouts;
    await world.ok("POST", `/v1/payouts/${named?.id}/mark-paid`, { external_ref: "wire 7" });
    await world.ok("POST", `/v1/payouts/${plain?.id}/mark-paid`, {});
    const answer = await settleFile(
      world,
      file.id,
      camt([paid(named?.endToEndId ?? ""), paid(plain?.endToEndId ?? "")]),
    );
    expect(answer.failed).toMatchObject([{ payout_id: named?.id, code: "external_ref_differs" }]);
    expect(answer.already).toMatchObject([{ payout_id: plain?.id }]);
  });
});

describe("a camt.053", () => {
  it("is read in older and newer spellings, with prefixes, batches and instants", async () => {
    const world = await openWorld();
    const { file, payouts } = await fileOf(world, 3);
    const [one, two, three] = payouts.map(({ endToEndId }) => endToEndId);
    world.advance(2 * 24 * 3_600_000);
    const content = `<?xml version="1.0"?>
<!-- of the bank -->
<c:Document xmlns:c="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><c:BkToCstmrStmt><c:Stmt>
 <c:Ntry><c:Amt Ccy="EUR">30.00</c:Amt><c:CdtDbtInd>DBIT</c:CdtDbtInd><c:Sts>BOOK</c:Sts>
  <c:BookgDt><c:DtTm>2026-11-02T09:30:00+01:00</c:DtTm></c:BookgDt><c:AcctSvcrRef>B&amp;B</c:AcctSvcrRef>
  <c:NtryDtls><c:Btch><c:NbOfTxs>3</c:NbOfTxs></c:Btch>
   <c:TxDtls><c:Refs><c:EndToEndId>${one}</c:EndToEndId></c:Refs><c:AmtDtls><c:TxAmt><c:Amt Ccy="EUR">10.00</c:Amt></c:TxAmt></c:AmtDtls></c:TxDtls>
   <c:TxDtls><c:Refs><c:AcctSvcrRef>OWN</c:AcctSvcrRef><c:EndToEndId> ${two} </c:EndToEndId></c:Refs><c:Amt Ccy="EUR">10</c:Amt></c:TxDtls>
   <c:TxDtls><c:Refs><c:EndToEndId><![CDATA[${three}]]></c:EndToEndId></c:Refs></c:TxDtls>
  </c:NtryDtls></c:Ntry></c:Stmt></c:BkToCstmrStmt></c:Document>`;
    const answer = await settleFile(world, file.id, content);
    expect(answer.settled).toMatchObject([{ external_ref: "B&B" }, { external_ref: "OWN" }]);
    // The batch's own amount says nothing of one payment in it.
    expect(answer.failed).toMatchObject([{ payout_id: payouts[2]?.id, code: "amount_missing" }]);
    expect(await world.ok("GET", `/v1/payouts/${payouts[0]?.id}`)).toMatchObject({
      paid_at: "2026-11-02T08:30:00.000Z",
    });
  });

  it("is refused where it is broken, another message, too deep, or has a document type or entities", async () => {
    const world = await openWorld();
    const { file, payouts } = await fileOf(world, 1);
    const fine = camt([paid(payouts[0]?.endToEndId ?? "")]);
    const bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>';
    for (const [name, content] of Object.entries({
      text: "hello",
      broken: fine.replace("</Stmt>", ""),
      doctype: fine.replace("<Document", `${bomb}<Document`),
      external: fine.replace("<Document", '<!DOCTYPE x SYSTEM "file:///etc/passwd"><Document'),
      entity: fine.replace("<Document", '<!ENTITY a "b"><Document'),
      deep: fine.replace("<Stmt>", `<Stmt>${"<x>".repeat(60)}${"</x>".repeat(60)}`),
      other: fine.replaceAll("BkToCstmrStmt", "CstmrCdtTrfInitn"),
      reserved: fine.replace("<Stmt>", "<Stmt><__proto__>x</__proto__>"),
    })) {
      const answer = await world.call("POST", `/v1/payout-files/${file.id}/settle`, {
        format: "camt.053",
        content,
      });
      expect([answer.status, answer.body.code], name).toEqual([422, "statement_unreadable"]);
    }
    expect(await statusOf(world, payouts[0]?.id ?? "")).toBe("processing");
    expect((await settleFile(world, file.id, fine)).settled).toHaveLength(1);
  });

  it("never settles by an entity that it brings along", async () => {
    const world = await openWorld();
    const { file, payouts } = await fileOf(world, 1);
    const content = camt([paid("&nope;")]).replace("&nope;", `${payouts[0]?.endToEndId}&nope;`);
    const answer = await world.call("POST", `/v1/payout-files/${file.id}/settle`, {
      format: "camt.053",
      content,
    });
    expect(await statusOf(world, payouts[0]?.id ?? "")).toBe("processing");
    expect([200, 422]).toContain(answer.status);
  });
});

describe("a CSV of what was carried out", () => {
  const HEADER = "end_to_end_id,amount,currency,booked_on,reference,status";

  it("settles by the same rules, whatever the order and case of its columns", async () => {
    const world = await openWorld();
    const { file, payouts } = await fileOf(world, 4);
    const [one, two, three, four] = payouts.map(({ endToEndId }) => endToEndId);
    world.advance(24 * 3_600_000);
    const content = [
      "\uFEFFBooked_On;Reference;END_TO_END_ID;Currency;Amount;Status;note",
      `2026-11-02;"R;1";${one};eur;-10.00;Completed;`,
      `2026-11-02;;${two};EUR;10.00;;x`,
      `2026-11-02;R3;${three};EUR;10.00;failed;x`,
      `02.11.2026;R4;${four};EUR;10.00;paid;x`,
      "2026-11-02;R5;strange;EUR;1.00;paid;x",
    ].join("\r\n");
    const answer = await settleFile(world, file.id, content, "csv");
    expect(answer.settled.map(({ payout_id, external_ref }) => [payout_id, external_ref])).toEqual([
      [payouts[0]?.id, "R;1"],
      [payouts[1]?.id, two],
    ]);
    expect(answer.failed.map(({ payout_id, code, place }) => [payout_id, code, place])).toEqual([
      [payouts[2]?.id, "not_booked", "row 4"],
      [payouts[3]?.id, "date_unreadable", "row 5"],
    ]);
    expect(answer.unmatched).toMatchObject([{ place: "row 6", end_to_end_id: "strange" }]);
    await expectSound(world);
  });

  it("is refused without its columns, with a column twice, or with cells that belong to none", async () => {
    const world = await openWorld();
    const { file, payouts } = await fileOf(world, 1);
    const row = `${payouts[0]?.endToEndId},10.00,EUR,2026-11-01,R,paid`;
    for (const content of [
      "id,amount\nx,1",
      `${HEADER},amount\n${row},10.00`,
      `${HEADER}\n${row},10.00`,
      `${HEADER}\n"${row}`,
    ]) {
      const answer = await world.call("POST", `/v1/payout-files/${file.id}/settle`, {
        format: "csv",
        content,
      });
      expect([answer.status, answer.body.code], content).toEqual([422, "statement_unreadable"]);
    }
    expect((await settleFile(world, file.id, `${HEADER}\n${row}\n`, "csv")).settled).toHaveLength(1);
  });
});
