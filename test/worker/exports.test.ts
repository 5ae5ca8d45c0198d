// Exports: whatever the length, every row once, amounts as decimals, and nothing that a spreadsheet would run.
import { exports } from "cloudflare:workers";
import Papa from "papaparse";
import { expect, test } from "vitest";
import { type Loose, openWorld, type World } from "./world.ts";

const self = (exports as unknown as { default: Fetcher }).default;

const read = async (world: World, path: string) => {
  const answer = await self.fetch(`http://stipend.test${path}`, {
    headers: { authorization: `Bearer ${world.program.key}` },
  });
  const text = await answer.text();
  const { data, errors } = Papa.parse<Record<string, string>>(text.trimEnd(), { header: true });
  expect(errors).toEqual([]);
  return { answer, text, rows: data };
};

const pay = async (world: World, payoutId: string, body: object = {}) =>
  world.ok("POST", `/v1/payouts/${payoutId}/mark-paid`, body);

test("payouts are exported with decimals, whom they are for, and their numbers", async () => {
  const world = await openWorld();
  const id = await world.affiliate({ name: "Ada, Countess", external_id: "partner-1" });
  await world.sale(id, 123_456);
  const { payouts } = await world.generate();
  await pay(world, String(payouts[0]?.id), { external_ref: "bank 1", admin_note: 'a "quoted" note' });
  const { answer, rows, text } = await read(world, "/v1/payouts/export.csv");
  expect(answer.headers.get("content-type")).toBe("text/csv; charset=utf-8; header=present");
  expect(answer.headers.get("content-disposition")).toBe('attachment; filename="payouts-2026-11-01.csv"');
  expect(text.endsWith("\r\n")).toBe(true);
  expect(rows).toEqual([
    expect.objectContaining({
      id: payouts[0]?.id,
      status: "paid",
      affiliate_external_id: "partner-1",
      affiliate_name: "Ada, Countess",
      currency: "USD",
      gross_amount: "1234.56",
      amount: "1234.56",
      external_ref: "bank 1",
      admin_note: 'a "quoted" note',
      invoice_number: "1",
      paid_via: "manual",
    }),
  ]);
});

test("a name that is a formula arrives as text, in every export", async () => {
  const world = await openWorld();
  const id = await world.affiliate({ name: '=HYPERLINK("http://evil.example","x")', external_id: "+1" });
  await world.ok("POST", `/v1/affiliates/${id}/credits`, { amount: 100, currency: "USD", note: "@SUM(A1)" });
  const { payouts } = await world.generate();
  await pay(world, String(payouts[0]?.id), { partner_message: "-2+3" });
  for (const path of ["/v1/payouts/export.csv", "/v1/commissions/export.csv", "/v1/ledger/export.csv"]) {
    const { rows } = await read(world, path);
    expect(rows.length, path).toBeGreaterThan(0);
    for (const cell of rows.flatMap((row) => Object.values(row))) expect(cell).not.toMatch(/^[=+\-@\t\r]/);
  }
});

test("filters are those of the list, and another program's rows are not in it", async () => {
  const [other, world] = [await openWorld(), await openWorld()];
  const stranger = await other.affiliate();
  await other.sale(stranger, 700);
  await other.generate();
  const [one, two] = [await world.affiliate(), await world.affiliate()];
  await world.sale(one, 1_000);
  await world.sale(two, 2_000);
  const { payouts } = await world.generate();
  const ofOne = payouts.find((payout) => payout["affiliate_id"] === one);
  await pay(world, String(ofOne?.id));
  expect((await read(world, "/v1/payouts/export.csv")).rows).toHaveLength(2);
  expect((await read(world, "/v1/payouts/export.csv?status=paid")).rows.map(({ id }) => id)).toEqual([
    ofOne?.id,
  ]);
  expect((await read(world, `/v1/payouts/export.csv?affiliate_id=${two}`)).rows).toHaveLength(1);
  expect((await read(world, `/v1/commissions/export.csv?status=paid`)).rows).toHaveLength(1);
  const unknown = await world.call("GET", "/v1/payouts/export.csv?colour=red");
  expect([unknown.status, unknown.body.code]).toEqual([422, "validation_failed"]);
});

test("the journal's lines sum to zero per currency, and to what the balances say", async () => {
  const world = await openWorld();
  const { id } = await world.stripeAffiliate();
  const sale = await world.sale(id, 5_000);
  await world.sale(id, 700);
  const { payouts } = await world.generate();
  await world.ok("POST", `/v1/payouts/${payouts[0]?.id}/pay`, undefined, { prefer: "wait=10" });
  await world.ok("POST", `/v1/commissions/${sale.id}/reverse`, { amount: 200, reason: "returned goods" });
  const { rows } = await read(world, "/v1/ledger/export.csv");
  const sums = new Map<string, number>();
  for (const { debit_account: to = "", credit_account: from = "", amount } of rows) {
    sums.set(to, (sums.get(to) ?? 0) + Number(amount));
    sums.set(from, (sums.get(from) ?? 0) - Number(amount));
  }
  const { balances } = await world.ok<{ balances: Loose[] }>("GET", `/v1/affiliates/${id}/balance`);
  expect(sums.get("paid")).toBe(Number(balances[0]?.["paid"]) / 100);
  expect(sums.get("recovery")).toBe(-Number(balances[0]?.["recovery_owed"]) / 100);
  expect(Math.abs([...sums.values()].reduce((sum, value) => sum + value, 0))).toBeLessThan(1e-9);
  expect((await read(world, "/v1/ledger/export.csv?created_before=2026-01-01T00:00:00Z")).rows).toEqual([]);
});

test("more rows than a page are all there, once and in order", async () => {
  const world = await openWorld();
  const affiliate_id = await world.affiliate();
  const sales = Array.from({ length: 1_050 }, (_, i) => ({
    affiliate_id,
    external_id: `n${i}`,
    amount: 1 + i,
    currency: "USD",
    occurred_at: "2026-10-01T00:00:00Z",
  }));
  for (let at = 0; at < sales.length; at += 500)
    await world.ok("POST", "/v1/commissions/batch", { commissions: sales.slice(at, at + 500) });
  const { rows } = await read(world, "/v1/commissions/export.csv");
  expect(rows).toHaveLength(1_050);
  expect(new Set(rows.map((row) => row["external_id"])).size).toBe(1_050);
  const ids = rows.map((row) => String(row["id"]));
  expect(new Set(ids).size).toBe(1_050);
  expect(ids).toEqual([...ids].sort());
});
