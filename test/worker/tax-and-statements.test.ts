// Tax forms, the tax year and the statement: every number in them is recomputed from the journal.
import { exports } from "cloudflare:workers";
import Papa from "papaparse";
import { describe, expect, test } from "vitest";
import { bindings, type Loose, openWorld, type World } from "./world.ts";

const self = (exports as unknown as { default: Fetcher }).default;
const DAY = 86_400_000;

const text = async (world: World, path: string) => {
  const headers = { authorization: `Bearer ${world.program.key}` };
  const answer = await self.fetch(`http://stipend.test${path}`, { headers });
  return { answer, text: await answer.text() };
};

const W8 = {
  form: "w8ben",
  legal_name: "Ada Lovelace",
  address: "Unter den Linden 1, 10117 Berlin",
  country: "DE",
  tax_id: "12 345 678 901",
  signed_on: "2026-03-04",
};

describe("a tax form", () => {
  test("is kept sealed, shown by its last four characters, and ends with the third year after its signature", async () => {
    const world = await openWorld();
    const id = await world.affiliate();
    const filed = await world.ok("PUT", `/v1/affiliates/${id}/tax-form`, W8);
    expect(filed).toEqual({
      affiliate_id: id,
      form: "w8ben",
      country: "DE",
      last4: "8901",
      status: "valid",
      filed_at: new Date(world.now()).toISOString(),
      expires_at: "2030-01-01T00:00:00.000Z",
    });
    expect(await world.ok("GET", `/v1/affiliates/${id}/tax-form`)).toEqual(filed);
    for (const table of ["tax_forms", "affiliates", "turns", "events"]) {
      const rows = await bindings.DB.prepare(`SELECT * FROM ${table}`).all();
      expect(JSON.stringify(rows.results), table).not.toContain("345678901");
    }
  });

  test("is asked for before a payout is made, and again when it has expired", async () => {
    const world = await openWorld({ require_tax_form: true });
    const id = await world.affiliate();
    await world.sale(id, 1_000);
    expect((await world.generate()).skipped).toMatchObject([{ reason: "tax_form_required" }]);
    await world.ok("PUT", `/v1/affiliates/${id}/tax-form`, W8);
    world.setNow(Date.UTC(2030, 0, 1));
    const late = await world.generate({ period_end: "2026-11-30" });
    expect(late.skipped).toMatchObject([{ reason: "tax_form_required" }]);
    await world.ok("PUT", `/v1/affiliates/${id}/tax-form`, { ...W8, signed_on: "2029-12-31" });
    expect((await world.generate({ period_end: "2026-11-30" })).payouts).toHaveLength(1);
    const kept = await bindings.DB.prepare("SELECT count(*) AS n FROM tax_forms WHERE affiliate_id = ?1")
      .bind(id)
      .first<{ n: number }>();
    expect(kept?.n).toBe(2);
  });

  test.each([
    [{ ...W8, country: "US" }, "/country"],
    [{ ...W8, form: "w9" }, "/country"],
    [{ ...W8, form: "w9", country: "US", tax_id: "12345" }, "/tax_id"],
    [{ ...W8, form: "vat_id", tax_id: undefined }, "/vat_id"],
    [{ ...W8, signed_on: "2027-01-01" }, "/signed_on"],
    [{ ...W8, signed_on: "2020-01-01" }, "/signed_on"],
    [{ ...W8, signed_on: "2026-02-30" }, "/signed_on"],
    [{ ...W8, tax_id: "=1+1" }, "/tax_id"],
  ])("that cannot be is refused: %o", async (form, pointer) => {
    const world = await openWorld();
    const id = await world.affiliate();
    const { status, body } = await world.call("PUT", `/v1/affiliates/${id}/tax-form`, form);
    expect([status, (body["errors"] as Loose[])[0]?.["pointer"]]).toEqual([422, pointer]);
    expect(JSON.stringify(body)).not.toContain("345678901");
  });
});

/** What the entries alone say was settled and came back of each payout. */
const fromJournal = async (payoutId: string) => {
  const sql =
    "SELECT kind, sum(amount) AS amount FROM entries WHERE payout_id = ?1 AND kind IN ('settle', 'return', 'return_part', 'release_recovery') GROUP BY kind";
  const { results } = await bindings.DB.prepare(sql).bind(payoutId).all<{ kind: string; amount: number }>();
  const of = (kind: string) => results.find((row) => row.kind === kind)?.amount ?? 0;
  return { paid: of("settle"), returned: of("return") + of("return_part") };
};

const payByHand = async (world: World, paidAt: string) => {
  const { payouts } = await world.generate();
  for (const payout of payouts)
    await world.ok("POST", `/v1/payouts/${payout.id}/mark-paid`, { paid_at: paidAt });
  return payouts;
};

describe("the tax year", () => {
  test("goes by the date of payment in the program's zone, by rail, with what came back taken off", async () => {
    const world = await openWorld({ time_zone: "America/New_York" });
    const stripe = await world.stripeAffiliate({ name: "By Stripe", country: "US" });
    const hand = await world.affiliate({ name: "By hand" });
    await world.ok("PUT", `/v1/affiliates/${stripe.id}/tax-form`, {
      ...W8,
      form: "w9",
      country: "US",
      tax_id: "123-45-6789",
    });
    await world.sale(hand, 150_000);
    await payByHand(world, "2026-01-01T04:59:59Z");
    await world.sale(hand, 50_001);
    const [second] = await payByHand(world, "2026-01-01T05:00:00Z");
    await world.sale(stripe.id, 200_000);
    const { payouts } = await world.generate();
    const paid = await world.ok("POST", `/v1/payouts/${payouts[0]?.id}/pay`, undefined, {
      prefer: "wait=10",
    });
    expect(paid.status).toBe("paid");
    await world.ok("POST", `/v1/payouts/${second?.id}/return`, { reason: "account closed" });

    const year = await world.ok<{ data: Loose[]; threshold: Loose }>("GET", "/v1/reports/tax-year?year=2026");
    expect(year.threshold).toEqual({ form: "1099-NEC", currency: "USD", amount: 200_000, known: true });
    const by = new Map(year.data.map((payee) => [payee["affiliate_id"], payee]));
    expect(by.get(stripe.id)).toMatchObject({
      reaches_threshold: true,
      tax_form: { form: "w9", last4: "6789", status: "valid" },
      totals: [
        { currency: "USD", amount: 200_000, by_rail: [{ rail: "stripe", count: 1, amount: 200_000 }] },
      ],
    });
    expect(by.get(hand)).toMatchObject({
      reaches_threshold: false,
      tax_form: null,
      totals: [{ by_rail: [{ rail: "manual", paid_amount: 50_001, returned_amount: 50_001, amount: 0 }] }],
    });
    for (const payout of [second, payouts[0]]) {
      const own = await fromJournal(String(payout?.id));
      const [total] = (by.get(String(payout?.["affiliate_id"]))?.["totals"] ?? []) as Loose[];
      const rail = (total?.["by_rail"] ?? []) as Loose[];
      expect([rail[0]?.["paid_amount"], rail[0]?.["returned_amount"]]).toEqual([own.paid, own.returned]);
    }
    const before = await world.ok<{ data: Loose[]; threshold: Loose }>(
      "GET",
      "/v1/reports/tax-year?year=2025",
    );
    expect(before.threshold["amount"]).toBe(60_000);
    expect(before.data).toMatchObject([
      { affiliate_id: hand, reaches_threshold: true, totals: [{ amount: 150_000 }] },
    ]);
    const later = await world.ok<{ threshold: Loose }>("GET", "/v1/reports/tax-year?year=2027");
    expect(later.threshold).toMatchObject({ amount: 200_000, known: false });
  });

  test("as CSV has the same numbers, a line per affiliate, currency and rail", async () => {
    const world = await openWorld();
    const id = await world.affiliate({ name: "=cmd" });
    await world.sale(id, 12_345);
    await world.sale(id, 700, { currency: "EUR" });
    await payByHand(world, "2026-10-01T00:00:00Z");
    const { text: csv } = await text(world, "/v1/reports/tax-year.csv?year=2026");
    const { data } = Papa.parse<Record<string, string>>(csv.trimEnd(), { header: true });
    expect(data.map((row) => [row["currency"], row["amount"], row["affiliate_name"]])).toEqual([
      ["EUR", "7.00", "'=cmd"],
      ["USD", "123.45", "'=cmd"],
    ]);
  });

  test("pages through its affiliates", async () => {
    const world = await openWorld();
    const ids = [await world.affiliate(), await world.affiliate(), await world.affiliate()].sort();
    for (const id of ids) await world.sale(id, 1_000);
    await payByHand(world, "2026-10-01T00:00:00Z");
    const seen: unknown[] = [];
    let cursor = "";
    do {
      const page = await world.ok<{ data: Loose[]; next_cursor: string | null }>(
        "GET",
        `/v1/reports/tax-year?year=2026&limit=2${cursor}`,
      );
      seen.push(...page.data.map((payee) => payee["affiliate_id"]));
      cursor = page.next_cursor === null ? "" : `&cursor=${page.next_cursor}`;
    } while (cursor !== "");
    expect(seen).toEqual(ids);
    expect((await world.call("GET", "/v1/reports/tax-year")).status).toBe(422);
    expect((await world.call("GET", "/v1/reports/tax-year?year=26")).status).toBe(422);
  });
});

describe("a statement", () => {
  const numbersIn = (page: string) => {
    const cell = (name: string) =>
      new RegExp(`<td colspan="5">${name}</td><td class="n">(-?[\\d.]+) `).exec(page)?.[1];
    const lines = [...page.matchAll(/<td class="n">([\d.]+)<\/td><\/tr>/g)].map((match) => Number(match[1]));
    return { cell, lines };
  };

  test("shows both parties, every commission and every deduction, and adds up to what the journal settled", async () => {
    const legal = { name: "Shop <GmbH> & Co", address: "Platz 1, 1010 Wien", vat_id: "ATU12345678" };
    const world = await openWorld({ legal });
    const id = await world.affiliate({ name: 'Ada "A" <b>', external_id: "partner-7" });
    await world.ok("PUT", `/v1/affiliates/${id}/tax-form`, { ...W8, vat_id: "DE 123 456 789" });
    const first = await world.sale(id, 5_000);
    await world.generate().then(({ payouts }) => world.ok("POST", `/v1/payouts/${payouts[0]?.id}/mark-paid`));
    await world.ok("POST", `/v1/commissions/${first.id}/reverse`, { amount: 400, reason: "returned" });
    const second = await world.sale(id, 10_000, { external_id: "order-<1>" });
    const third = await world.sale(id, 3_000);
    await world.ok("POST", `/v1/commissions/${second.id}/reverse`, { amount: 1_000, reason: "part" });
    const { payouts } = await world.generate();
    const payoutId = String(payouts[0]?.id);
    await world.ok("POST", `/v1/commissions/${third.id}/reverse`, { amount: 250, reason: "later" });
    await world.ok("POST", `/v1/payouts/${payoutId}/mark-paid`, { external_ref: "SEPA 9" });

    const { answer, text: page } = await text(world, `/v1/payouts/${payoutId}/statement`);
    expect(answer.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(answer.headers.get("content-security-policy")).toMatch(/^default-src 'none'; style-src 'nonce-/);
    const { cell, lines } = numbersIn(page);
    expect(lines.sort((a, b) => a - b)).toEqual([30, 90]);
    expect(cell("2 commissions")).toBe("120.00");
    expect(cell("Refunded before payment")).toBe("-2.50");
    expect(cell("Owed from earlier refunds")).toBe("-4.00");
    const { paid } = await fromJournal(payoutId);
    expect(cell("Net")).toBe((paid / 100).toFixed(2));
    expect(paid).toBe(11_350);
    for (const part of [
      "Statement no. 2",
      "SEPA 9",
      "ATU12345678",
      "DE123456789",
      "partner-7",
      "Reverse charge",
    ])
      expect(page).toContain(part);
    expect(page).toContain("Shop &lt;GmbH&gt; &amp; Co");
    expect(page).toContain("order-&lt;1&gt;");
    expect(page).not.toContain("<GmbH>");
    expect(page).not.toContain("12345678901");
  });

  test("of an unpaid payout has no number, and another program's is not there", async () => {
    const [other, world] = [await openWorld(), await openWorld()];
    const id = await world.affiliate();
    await world.sale(id, 900);
    const { payouts } = await world.generate();
    const path = `/v1/payouts/${payouts[0]?.id}/statement`;
    expect((await text(world, path)).text).toContain(`Statement of ${payouts[0]?.id}`);
    expect((await other.call("GET", path)).status).toBe(404);
  });
});

test("the summary agrees with the balances, the payouts and the journal", async () => {
  const world = await openWorld({ hold_days: 10, payout_schedule: { kind: "weekly", weekday: 5 } });
  const [one, two] = [await world.affiliate(), await world.affiliate()];
  const past = new Date(world.now() - 20 * DAY).toISOString();
  await world.sale(one, 5_000, { occurred_at: past });
  await world.sale(one, 2_000);
  await world.sale(two, 700, { status: "pending" });
  const { payouts } = await world.generate();
  await world.ok("POST", `/v1/payouts/${payouts[0]?.id}/mark-paid`, { paid_at: "2026-10-31T12:00:00Z" });
  await world.ok("PATCH", `/v1/affiliates/${two}`, { status: "suspended" });
  expect(await world.ok("GET", "/v1/reports/summary")).toEqual({
    affiliates: { active: 1, suspended: 1 },
    balances: [
      {
        currency: "USD",
        affiliates: 2,
        pending: 700,
        available: 2_000,
        in_hold_period: 2_000,
        payable: 0,
        reserved: 0,
        paid: 5_000,
        recovery_owed: 0,
        store_credit: 0,
      },
    ],
    payouts_by_status: [{ status: "paid", currency: "USD", count: 1, amount: 5_000 }],
    payouts_by_month: [{ month: "2026-10", currency: "USD", count: 1, amount: 5_000, returned_amount: 0 }],
    stalled: 0,
    next_run: { date: "2026-11-06", period_end: "2026-11-05" },
  });
});
