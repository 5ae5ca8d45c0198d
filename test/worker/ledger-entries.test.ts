// The entries of a program: all of them, each once, in the order of the books, by affiliate and by payout.
import { expect, test } from "vitest";
import { openEventful } from "./eventful.ts";
import { bindings, openWorld, type World } from "./world.ts";

interface Entry extends Record<string, unknown> {
  readonly affiliate_id: string;
  readonly seq: number;
  readonly line: number;
}

interface Page {
  readonly data: Entry[];
  readonly has_more: boolean;
  readonly next_cursor: string | null;
}

const place = ({ affiliate_id, seq, line }: Entry): string => `${affiliate_id} ${seq} ${line}`;

const all = async (world: World, query: string): Promise<string[]> => {
  const places: string[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const at: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page: Page = await world.ok("GET", `/v1/ledger/entries?${query}${at}`);
    places.push(...page.data.map(place));
    cursor = page.next_cursor;
  }
  return places;
};

test("entries are paged in the order of the books, forwards and backwards", async () => {
  const { world, ada, bea, paid } = await openEventful();
  const { results } = await bindings.DB.prepare(
    "SELECT * FROM entries WHERE affiliate_id IN (?1, ?2) ORDER BY affiliate_id, seq, line",
  )
    .bind(ada, bea)
    .all<Entry>();
  const expected = results.map(place);
  expect(expected.length).toBeGreaterThan(50);
  expect(await all(world, "limit=7")).toEqual(expected);
  expect(await all(world, "limit=7&order=desc")).toEqual([...expected].reverse());
  expect(await all(world, `limit=7&affiliate_id=${bea}`)).toEqual(
    results.filter((entry) => entry.affiliate_id === bea).map(place),
  );
  expect(await all(world, `limit=1&payout_id=${paid}`)).toEqual(
    results.filter((entry) => entry["payout_id"] === paid).map(place),
  );
  expect(await all(world, "affiliate_id=ext:nobody")).toEqual([]);
});

test("an entry says what moved, for what, and when", async () => {
  const world = await openWorld();
  const id = await world.affiliate();
  const sale = await world.sale(id, 900);
  const { data } = await world.ok<Page>("GET", "/v1/ledger/entries");
  expect(data).toEqual([
    {
      affiliate_id: id,
      seq: 2,
      line: 0,
      at: new Date(world.now()).toISOString(),
      kind: "record",
      currency: "USD",
      from: "program",
      to: "available",
      amount: 900,
      commission_id: sale.id,
      payout_id: null,
      note: null,
    },
  ]);
});

test("another program's entries are not there, and its cursor is none here", async () => {
  const [{ world: other, ada, paid }, world] = [await openEventful(), await openWorld()];
  const first = await other.ok<Page>("GET", "/v1/ledger/entries?limit=1");
  expect(await all(world, `affiliate_id=${ada}`)).toEqual([]);
  expect(await all(world, `payout_id=${paid}`)).toEqual([]);
  const answer = await world.call("GET", `/v1/ledger/entries?limit=1&cursor=${first.next_cursor}`);
  expect(answer.status).toBe(400);
  expect((await world.call("GET", "/v1/ledger/entries?currency=USD")).status).toBe(422);
});
