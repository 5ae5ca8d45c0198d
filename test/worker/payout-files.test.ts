// Payout files: which payouts go into one, what it holds, and that it holds the same for ever.
import { describe, expect, it } from "vitest";
import type { ProgramId, RunId } from "../../src/domain/ids.ts";
import { listRunCandidates } from "../../src/store/payout-file-items.ts";
import { expectSound, rowsOf } from "./books.ts";
import { readAll } from "./generated.ts";
import {
  BRITISH_IBAN,
  bankAffiliate,
  bankPayout,
  camt,
  DEBTOR,
  DUTCH_IBAN,
  download,
  type FileWire,
  GERMAN_IBAN,
  itemOf,
  makeFile,
  pain,
  payoutOf,
  readFile,
  settleFile,
  useBank,
} from "./payout-files-scene.ts";
import { bindings, type Loose, openWorld } from "./world.ts";

const sha256 = async (text: string): Promise<string> => {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
};

describe("a payout file", () => {
  it("goes the whole way: made, downloaded, settled from the bank's statement, paid", async () => {
    const world = await openWorld();
    const { id } = await bankPayout(world, 12_345);
    const file = await makeFile(world, pain([id]));
    expect(file).toMatchObject({
      format: "pain.001.001.09",
      payout_count: 1,
      totals: [{ currency: "EUR", amount: 12_345, count: 1 }],
      failed: [],
      remaining: 0,
      voided_at: null,
    });
    expect(await world.ok("GET", `/v1/payouts/${id}`)).toMatchObject({
      status: "processing",
      expected_by: null,
    });
    const answer = await download(world, file.id);
    const text = await answer.text();
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      "content-type": "application/xml; charset=utf-8",
      "content-disposition": `attachment; filename="${file.id}.xml"`,
      etag: `"${file.sha256}"`,
    });
    expect(await sha256(text)).toBe(file.sha256);
    expect(text).toContain(`<MsgId>${file.message_id}</MsgId>`);
    expect(text).toContain('<InstdAmt Ccy="EUR">123.45</InstdAmt>');
    expect(text).toContain(`<IBAN>${GERMAN_IBAN}</IBAN>`);
    const { end_to_end_id, state } = itemOf(await readFile(world, file.id), id);
    expect(state).toBe("needs_hand");
    expect(text).toContain(`<EndToEndId>${end_to_end_id}</EndToEndId>`);
    world.advance(3 * 24 * 3_600_000);
    const statement = camt([
      { endToEndId: end_to_end_id, amount: "123.45", ref: "BANK-1", date: "2026-11-03" },
    ]);
    const { settled, ...rest } = await settleFile(world, file.id, statement);
    expect(settled).toMatchObject([{ payout_id: id, end_to_end_id, external_ref: "BANK-1" }]);
    expect(rest).toEqual({ already: [], paid_late: [], failed: [], unmatched: [] });
    expect(await world.ok("GET", `/v1/payouts/${id}`)).toMatchObject({
      status: "paid",
      paid_via: "bank_transfer",
      paid_at: "2026-11-03T00:00:00.000Z",
      external_ref: "BANK-1",
      invoice_number: 1,
    });
    expect(itemOf(await readFile(world, file.id), id)).toMatchObject({ state: "settled", status: "paid" });
    await expectSound(world);
  });

  it("keeps account numbers sealed in every row", async () => {
    const world = await openWorld();
    const { id } = await bankPayout(world);
    await makeFile(world, pain([id]));
    const tables = await rowsOf<{ name: string }>(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\' AND name NOT LIKE 'd1\\_%' ESCAPE '\\'",
    );
    expect(tables.map(({ name }) => name)).toContain("attempts");
    for (const { name } of tables) {
      const text = JSON.stringify(await rowsOf(`SELECT * FROM ${name}`));
      for (const secret of [GERMAN_IBAN, DEBTOR.iban, "COBADEFF"])
        expect(text.includes(secret), name).toBe(false);
    }
    const [attempt] = await rowsOf<Loose>("SELECT * FROM attempts WHERE payout_id = ?1", id);
    expect(attempt).toMatchObject({ rail: "bank_transfer", state: "needs_hand", provider_account: "" });
  });

  it("gives the same bytes whatever changes afterwards", async () => {
    const world = await openWorld({ destination_cooldown_hours: 0 });
    const { id, affiliateId } = await bankPayout(world);
    const file = await makeFile(world, pain([id]));
    const before = await (await download(world, file.id)).text();
    await world.ok("PATCH", `/v1/affiliates/${affiliateId}`, { name: "Someone Else" });
    await useBank(world, affiliateId, { iban: DUTCH_IBAN, account_name: "Someone Else" });
    await world.ok("PATCH", "/v1/program", { time_zone: "Asia/Tokyo" });
    world.advance(40 * 24 * 3_600_000);
    await world.ok("POST", `/v1/payout-files/${file.id}/void`, { reason: "not uploaded" });
    const after = await download(world, file.id);
    expect(await after.text()).toBe(before);
    expect(after.headers.get("etag")).toBe(`"${file.sha256}"`);
  });

  it("holds what can be written and says of every other payout why it is not in it", async () => {
    const world = await openWorld();
    const good = await bankPayout(world, 1_000);
    const british = await bankPayout(world, 2_000, { iban: BRITISH_IBAN, swift: "NWBKGB2L" });
    const unwritable = await bankPayout(world, 3_000, { account_name: "王伟" });
    const dollars = await payoutOf(world, await bankAffiliate(world), 4_000, "USD");
    const byHand = await payoutOf(world, await world.affiliate(), 5_000);
    const cancelled = await bankPayout(world, 6_000);
    await world.ok("POST", `/v1/payouts/${cancelled.id}/cancel`, {});
    const nobody = "po_01JZ0000000000000000000000";
    const file = await makeFile(
      world,
      pain([good.id, british.id, unwritable.id, dollars, byHand, cancelled.id, nobody]),
    );
    expect(file.payout_count).toBe(1);
    expect(file.failed.map(({ payout_id, code }) => [payout_id, code])).toEqual([
      [british.id, "address_required"],
      [unwritable.id, "not_writable"],
      [dollars, "address_required"],
      [byHand, "format_not_for_method"],
      [cancelled.id, "invalid_state"],
      [nobody, "payout_not_found"],
    ]);
    for (const { detail } of file.failed) expect(detail).not.toMatch(/王|NWBK|GB29/);
    for (const id of [british.id, unwritable.id, dollars, byHand])
      expect(await world.ok("GET", `/v1/payouts/${id}`)).toMatchObject({ status: "pending" });
    const begun = await rowsOf("SELECT payout_id FROM attempts WHERE program_id = ?1", world.program.id);
    expect(begun).toEqual([{ payout_id: good.id }]);
    await expectSound(world);
  });

  it("takes a payment beyond the EEA with both structured addresses, and never free text", async () => {
    const world = await openWorld();
    const address = { street: "1 High Street", postal_code: "SW1A 1AA", town: "London", country: "GB" };
    const details = { iban: BRITISH_IBAN, swift: "NWBKGB2L" };
    const structured = await bankPayout(world, 1_000, { ...details, address });
    const free = await bankPayout(world, 1_000, { ...details, address: "1 High Street, London" });
    const debtor = { ...DEBTOR, address: { town: "Berlin", country: "DE" } };
    const file = await makeFile(world, pain([structured.id, free.id], { debtor }));
    expect(file.failed).toMatchObject([{ payout_id: free.id, code: "address_required" }]);
    const text = await (await download(world, file.id)).text();
    expect(text.replaceAll(/>\s+</g, "><")).toContain(
      "<PstlAdr><StrtNm>1 High Street</StrtNm><PstCd>SW1A 1AA</PstCd><TwnNm>London</TwnNm><Ctry>GB</Ctry></PstlAdr>",
    );
    expect(text).not.toContain("AdrLine");
  });

  it("is refused whole where nothing can be written, with each payout's reason at its place", async () => {
    const world = await openWorld();
    const byHand = await payoutOf(world, await world.affiliate(), 5_000);
    const body = pain(["po_01JZ0000000000000000000000", byHand]);
    const answer = await world.call<FileWire>("POST", "/v1/payout-files", body);
    expect([answer.status, answer.body.code]).toEqual([422, "nothing_to_write"]);
    expect(answer.body.errors).toMatchObject([
      { pointer: "/payout_ids/0", detail: expect.stringContaining("payout_not_found") },
      { pointer: "/payout_ids/1", detail: expect.stringContaining(`${byHand} format_not_for_method`) },
    ]);
    expect(await readAll(world, "/v1/payout-files")).toEqual([]);
  });

  it("refuses a body that is not one request for one kind of file", async () => {
    const world = await openWorld();
    const id = "po_01JZ0000000000000000000000";
    const run_id = "run_01JZ0000000000000000000000";
    const bodies: [object, string][] = [
      [{ format: "bank_csv" }, ""],
      [{ format: "bank_csv", payout_ids: [id], run_id }, ""],
      [{ format: "bank_csv", payout_ids: [id, id] }, "/payout_ids"],
      [{ format: "bank_csv", payout_ids: [] }, "/payout_ids"],
      [{ format: "pain.001.001.09", payout_ids: [id] }, "/debtor"],
      [{ format: "bank_csv", payout_ids: [id], debtor: DEBTOR }, "/debtor"],
      [pain([id], { debtor: { ...DEBTOR, iban: "DE00370400440532013000" } }), "/debtor/iban"],
      [pain([id], { debtor: { ...DEBTOR, name: "王伟" } }), "/debtor"],
      [
        { format: "paypal_csv", payout_ids: [id], requested_execution_date: "2026-11-02" },
        "/requested_execution_date",
      ],
      [pain([id], { requested_execution_date: "2026-10-31" }), "/requested_execution_date"],
      [pain([id], { requested_execution_date: "2027-11-03" }), "/requested_execution_date"],
      [{ format: "csv", payout_ids: [id] }, "/format"],
    ];
    for (const [body, pointer] of bodies) {
      const { status, body: problem } = await world.call<FileWire>("POST", "/v1/payout-files", body);
      expect([status, problem.errors?.[0]?.pointer], JSON.stringify(body)).toEqual([422, pointer]);
    }
    expect(await world.call("POST", "/v1/payout-files", { format: "bank_csv", run_id })).toMatchObject({
      status: 404,
      body: { code: "run_not_found" },
    });
  });

  it("is carried out on the day that was asked for, otherwise today in the program's zone", async () => {
    const world = await openWorld();
    const [first, second] = [await bankPayout(world), await bankPayout(world)];
    await world.ok("PATCH", "/v1/program", { time_zone: "Pacific/Auckland" });
    // A key remembers its program for as long as this.
    world.advance(30_001);
    const dateIn = async (body: Record<string, unknown>) =>
      /<ReqdExctnDt>\s*<Dt>(.*?)<\/Dt>/.exec(
        await (await download(world, (await makeFile(world, body)).id)).text(),
      )?.[1];
    expect(await dateIn(pain([first.id]))).toBe("2026-11-02");
    expect(await dateIn(pain([second.id], { requested_execution_date: "2026-11-20" }))).toBe("2026-11-20");
  });

  it("pays by the rules of pay: approval, four eyes, cooldown, suspension, daily limit", async () => {
    const world = await openWorld({ require_approval: true, daily_payout_limit: { EUR: 1_500 } });
    const [unapproved, over] = [await bankPayout(world, 1_000), await bankPayout(world, 1_000)];
    const suspended = await bankPayout(world, 100);
    const cooling = await bankPayout(world, 100);
    await useBank(world, cooling.affiliateId, { iban: DUTCH_IBAN });
    const good = await bankPayout(world, 1_000);
    for (const { id } of [over, suspended, cooling, good])
      await world.ok("POST", `/v1/payouts/${id}/approve`);
    await world.ok("PATCH", `/v1/affiliates/${suspended.affiliateId}`, { status: "suspended" });
    const first = await makeFile(world, pain([good.id, unapproved.id, suspended.id, cooling.id]));
    expect(first.failed.map(({ payout_id, code }) => [payout_id, code])).toEqual([
      [unapproved.id, "awaiting_approval"],
      [suspended.id, "affiliate_suspended"],
      [cooling.id, "destination_cooldown"],
    ]);
    const { body } = await world.call<FileWire>("POST", "/v1/payout-files", pain([over.id]));
    expect(body.errors?.[0]?.detail).toContain("daily_limit_reached");
    await expectSound(world);
  });

  it("takes in what pay has begun before, by the queue or by nobody", async () => {
    const world = await openWorld();
    const [begun, asked] = [await bankPayout(world), await bankPayout(world)];
    await world.ok("POST", `/v1/payouts/${begun.id}/pay`);
    await world.deliver();
    await world.ok("POST", `/v1/payouts/${asked.id}/pay`);
    const file = await makeFile(world, pain([begun.id, asked.id]));
    expect([file.payout_count, file.failed]).toEqual([2, []]);
    await world.drain();
    expect((await readFile(world, file.id)).payouts.map(({ state }) => state)).toEqual([
      "needs_hand",
      "needs_hand",
    ]);
    const [{ n } = { n: 0 }] = await rowsOf<{ n: number }>(
      "SELECT count(*) AS n FROM attempts WHERE payout_id IN (?1, ?2)",
      begun.id,
      asked.id,
    );
    expect(n).toBe(2);
  });

  it("of a run takes what is in no file yet", async () => {
    const world = await openWorld();
    const affiliates = [await bankAffiliate(world), await bankAffiliate(world), await world.affiliate()];
    for (const affiliate of affiliates) await world.sale(affiliate, 1_000, { currency: "EUR" });
    const { run_id, payouts } = await world.generate();
    const byBank = payouts
      .filter((payout) => payout["affiliate_id"] !== affiliates[2])
      .map(({ id }) => id)
      .sort();
    const [first] = byBank;
    const by = { method: "bank_transfer", rail: "bank_transfer" } as const;
    const waiting = (limit: number) =>
      listRunCandidates(bindings.DB, world.program.id as ProgramId, run_id as RunId, by, limit);
    expect(await waiting(1)).toEqual({ ids: byBank.slice(0, 1), count: 2 });
    await makeFile(world, pain([first ?? ""]));
    expect(await waiting(5)).toEqual({ ids: byBank.slice(1), count: 1 });
    const file = await makeFile(world, { run_id, format: "bank_csv" });
    expect(file).toMatchObject({ payout_count: 1, failed: [], remaining: 0, run_id });
    expect((await readFile(world, file.id)).payouts.map(({ payout_id }) => payout_id)).toEqual(
      byBank.slice(1),
    );
    expect(await world.call("POST", "/v1/payout-files", { run_id, format: "bank_csv" })).toMatchObject({
      status: 422,
      body: { code: "nothing_to_write", errors: [] },
    });
  });

  it("lists newest first, page by page, by format and by run", async () => {
    const world = await openWorld();
    const made: string[] = [];
    for (let n = 0; n < 3; n++) {
      const { id } = await bankPayout(world);
      made.unshift(
        (await makeFile(world, n === 1 ? pain([id]) : { payout_ids: [id], format: "bank_csv" })).id,
      );
      world.advance(1_000);
    }
    expect((await readAll(world, "/v1/payout-files?limit=2")).map(({ id }) => id)).toEqual(made);
    expect((await readAll(world, "/v1/payout-files?format=pain.001.001.09")).map(({ id }) => id)).toEqual([
      made[1],
    ]);
    expect(await readAll(world, "/v1/payout-files?run_id=run_01JZ0000000000000000000000")).toEqual([]);
  });

  it("of another program is not there", async () => {
    const other = await openWorld();
    const { id } = await bankPayout(other);
    const file = await makeFile(other, pain([id]));
    const world = await openWorld();
    for (const [method, path, body] of [
      ["GET", `/v1/payout-files/${file.id}`, undefined],
      ["GET", `/v1/payout-files/${file.id}/content`, undefined],
      ["POST", `/v1/payout-files/${file.id}/settle`, { format: "csv", content: "x" }],
      ["POST", `/v1/payout-files/${file.id}/void`, { reason: "mine" }],
      ["GET", "/v1/payout-files/nonsense", undefined],
    ] as const)
      expect(await world.call(method, path, body), `${method} ${path}`).toMatchObject({
        status: 404,
        body: { code: "file_not_found" },
      });
    expect(await world.call("POST", "/v1/payout-files", pain([id]))).toMatchObject({ status: 422 });
    expect((await readFile(other, file.id)).voided_at).toBeNull();
  });

  it("is read with files:read and nothing less, and made only with payouts:pay", async () => {
    const world = await openWorld();
    const { id } = await bankPayout(world);
    const file = await makeFile(world, pain([id]));
    const keyOf = async (scope: string): Promise<Record<string, string>> => {
      const key = await world.ok("POST", "/v1/api-keys", { name: "Key", scopes: [scope] });
      return { authorization: `Bearer ${key["secret"]}` };
    };
    const [reader, payer] = [await keyOf("files:read"), await keyOf("payouts:pay")];
    expect((await world.call("GET", `/v1/payout-files/${file.id}`, undefined, reader)).status).toBe(200);
    expect((await world.call("POST", "/v1/payout-files", pain([id]), reader)).status).toBe(403);
    expect((await world.call("GET", `/v1/payout-files/${file.id}/content`, undefined, payer)).status).toBe(
      403,
    );
  });
});
