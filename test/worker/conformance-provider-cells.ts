// The cells of rails with a provider: the same demands on each, in the terms of what its provider does.
import { expect } from "vitest";
import { QUIET_AFTER_WINDOW_MS } from "../../src/domain/payout.ts";
import { AMOUNT, type Cell, type Cells, CURRENCY } from "./conformance-cell.ts";
import type { Meddler, Sent } from "./conformance-edge.ts";
import { announce, type ProviderDriver } from "./conformance-providers.ts";
import { deliverBatch } from "./world.ts";

const MINUTE_MS = 60_000;

/** The provider does what it has to do, and its answer is asked for as long as that takes. */
const settle = async (cell: Cell, driver: ProviderDriver): Promise<void> => {
  for (const ms of [5_000, 30_000, MINUTE_MS, 11 * MINUTE_MS, 11 * MINUTE_MS]) {
    driver.finish(cell.world);
    await cell.later(ms);
    if ((await cell.read()).status !== "processing") return;
  }
};

/** Paid, and the provider has exactly that: one movement, of the amount, in the currency, to the destination. */
const expectPaid = async (cell: Cell, { method }: ProviderDriver, n: 1 | 2 = 1): Promise<void> => {
  const [moved, ...more] = cell.moved();
  expect(more).toEqual([]);
  expect(moved).toMatchObject({
    ...{ amount: AMOUNT, currency: CURRENCY, destination: cell.destinations[n - 1] },
  });
  expect(await cell.read()).toMatchObject({
    ...{ status: "paid", paid_via: method, external_ref: moved?.ref, amount: AMOUNT, invoice_number: 1 },
  });
  expect(await cell.balance()).toMatchObject({ available: 0, reserved: 0, paid: AMOUNT });
};

/** Meddles with the first request of a kind only. */
const once = (is: (sent: Sent) => boolean, meddler: Meddler): Meddler => {
  let isDone = false;
  return (sent, forward) => {
    if (isDone || !is(sent)) return forward();
    isDone = true;
    return meddler(sent, forward);
  };
};

const timeout = (): never => {
  throw new DOMException("The operation timed out.", "TimeoutError");
};

const afterWork: Meddler = async (_sent, forward) => {
  await forward();
  return timeout();
};

const isToken = ({ url }: Sent): boolean => url.endsWith("/v1/oauth2/token");

/** Nothing of it is an answer to an instruction by any provider. */
const GARBAGE: readonly (() => Response)[] = [
  () => new Response("<html><body>502</body></html>", { headers: { "content-type": "text/html" } }),
  () => new Response("{}", { status: 503 }),
  () => Response.json({}),
  () => Response.json(null),
  () => new Response('{"id": "tr_', { headers: { "content-type": "application/json" } }),
  () => Response.json({ error: "no such thing" }, { status: 500 }),
  () => Response.json("paid"),
  () => new Response(null, { status: 204 }),
  () => new Response(null, { status: 302, headers: { location: "https://example.com/" } }),
  () => Response.json({ object: "transfer", id: "tr_1", batch_header: {}, status: "outgoing_payment_sent" }),
  () => Response.json({ error: { type: "api_error", message: "Something broke." } }, { status: 500 }),
  () => Response.json({ error: { type: "something_new", message: "Not that." } }, { status: 400 }),
  () => Response.json({ name: "INTERNAL_SERVER_ERROR", message: "Broken.", debug_id: "d" }, { status: 500 }),
  () => Response.json({ errors: [{ code: "error.unknown", message: "Broken." }] }, { status: 500 }),
];

const garbage = (n: number): Response => GARBAGE[n % GARBAGE.length]?.() ?? new Response(null);

const states = async (cell: Cell): Promise<string[]> => (await cell.attempts()).map(({ state }) => state);

const tell = async (cell: Cell, driver: ProviderDriver): Promise<number[]> =>
  announce(cell.world, driver, await driver.messages(cell.world));

const sameEvents = async (cell: Cell): Promise<unknown> =>
  (await cell.world.ok<{ data: unknown[] }>("GET", "/v1/events?after=0&limit=200")).data;

/** The process ends in the middle, and another one takes over. */
const endsAnd = async (cell: Cell, driver: ProviderDriver, movedMeanwhile: number): Promise<void> => {
  await cell.pay();
  expect(cell.edge.hasEnded).toBe(true);
  expect(cell.moved()).toHaveLength(movedMeanwhile);
  expect((await cell.read()).status).toBe("processing");
  cell.edge.restart();
  await settle(cell, driver);
  await expectPaid(cell, driver);
  expect(await cell.attempts()).toMatchObject([{ n: 1, state: "settled" }]);
};

const basics = (driver: ProviderDriver) => ({
  async "pays once, exactly what is due, to the destination that is due"(cell: Cell) {
    await cell.pay();
    await settle(cell, driver);
    await expectPaid(cell, driver);
    expect(await cell.attempts()).toMatchObject([{ n: 1, key: `po:${cell.payoutId}:1`, state: "settled" }]);
  },

  async "asked for again and again, and at once, pays once"(cell: Cell) {
    const { world, edge } = cell;
    await Promise.all([cell.ok("pay"), cell.ok("pay"), cell.ok("pay")]);
    const hints = world.hints.splice(0);
    await Promise.all([deliverBatch(hints), deliverBatch([...hints, ...hints])]);
    await settle(cell, driver);
    await deliverBatch(hints);
    await expectPaid(cell, driver);
    const [sent] = edge.requests.filter(driver.makes);
    const { url, method, headers, body } = sent ?? ({} as Sent);
    const provider = world[driver.method];
    await provider.fetch(new Request(url, { method, headers, body })).then((answer) => answer.text());
    await expectPaid(cell, driver);
    expect((await cell.call("pay")).status).toBe(409);
  },

  async "too many requests: it waits as long as it is told to"(cell: Cell) {
    driver.tooMany(cell.world);
    await cell.pay();
    expect(await states(cell)).toEqual(["deferred"]);
    expect(cell.moved()).toEqual([]);
    const asked = cell.edge.requests.length;
    await cell.later(6_000);
    expect(cell.edge.requests).toHaveLength(asked);
    await settle(cell, driver);
    await expectPaid(cell, driver);
  },

  async "a refusal gives the money back, and the retry is attempt 2 and pays"(cell: Cell) {
    driver.setShort(cell.world, true);
    await cell.pay();
    expect(await cell.read()).toMatchObject({ status: "failed", failure_code: driver.shortCode });
    expect(await cell.balance()).toMatchObject({ available: AMOUNT, reserved: 0, paid: 0 });
    await cell.laterTimes(2, MINUTE_MS);
    expect(cell.moved()).toEqual([]);
    driver.setShort(cell.world, false);
    await cell.ok("retry");
    await cell.pay();
    await settle(cell, driver);
    await expectPaid(cell, driver);
    expect(await cell.attempts()).toMatchObject([
      { n: 1, key: `po:${cell.payoutId}:1`, state: "refused" },
      { n: 2, key: `po:${cell.payoutId}:2`, state: "settled" },
    ]);
  },

  async "a currency that it cannot carry is skipped before anything is reserved"({
    world,
    affiliateId,
  }: Cell) {
    const sale = await world.sale(affiliateId, 1_000, { currency: "KWD" });
    const { payouts, skipped } = await world.generate({ affiliate_ids: [affiliateId], currency: "KWD" });
    expect(payouts).toEqual([]);
    expect(skipped).toMatchObject([{ reason: "currency_not_supported_by_method", currency: "KWD" }]);
    const single = { affiliate_id: affiliateId, currency: "KWD", commission_ids: [sale.id] };
    const refused = await world.call("POST", "/v1/payouts", single);
    expect([refused.status, refused.body.code]).toEqual([422, "currency_not_supported_by_method"]);
    const { balances } = await world.ok<{ balances: unknown[] }>(
      "GET",
      `/v1/affiliates/${affiliateId}/balance`,
    );
    expect(balances).toContainEqual(
      expect.objectContaining({ currency: "KWD", available: 1_000, reserved: 0 }),
    );
  },
});

const crashes = (driver: ProviderDriver) => ({
  async "a process that ends before the payment begins loses nothing"(cell: Cell) {
    cell.edge.endAt("before", "begin_payment");
    await cell.pay();
    expect(cell.edge.hasEnded).toBe(true);
    expect(await cell.attempts()).toEqual([]);
    cell.edge.restart();
    await cell.later(10_000);
    await settle(cell, driver);
    await expectPaid(cell, driver);
  },

  async "a process that ends once the payment has begun loses nothing"(cell: Cell) {
    cell.edge.endAt("after", "begin_payment");
    await endsAnd(cell, driver, 0);
  },

  async "a process that ends before the send loses nothing"(cell: Cell) {
    cell.edge.meddler = once(driver.makes, async () => cell.edge.end());
    await endsAnd(cell, driver, 0);
  },

  async "a process that ends after the send pays nothing twice"(cell: Cell) {
    cell.edge.meddler = once(driver.moves, async (_sent, forward) => {
      await forward();
      return cell.edge.end();
    });
    await endsAnd(cell, driver, 1);
  },

  async "a process that ends before its conclusion is written pays nothing twice"(cell: Cell) {
    cell.edge.endAt("before", "conclude_payment");
    await endsAnd(cell, driver, 1);
  },

  async "a process that ends after its conclusion was written pays nothing twice"(cell: Cell) {
    cell.edge.endAt("after", "conclude_payment");
    await cell.pay();
    expect(cell.edge.hasEnded).toBe(true);
    expect(cell.moved()).toHaveLength(1);
    cell.edge.restart();
    await settle(cell, driver);
    await expectPaid(cell, driver);
    expect(await cell.attempts()).toMatchObject([{ n: 1, state: "settled" }]);
  },
});

const silences = (driver: ProviderDriver) => ({
  async "no answer in time, and nothing was done: it is done once"(cell: Cell) {
    cell.edge.meddler = once(driver.moves, timeout);
    await cell.pay();
    expect(await states(cell)).toEqual(["unknown"]);
    expect(cell.moved()).toEqual([]);
    expect(await cell.balance()).toMatchObject({ available: 0, reserved: AMOUNT });
    await settle(cell, driver);
    await expectPaid(cell, driver);
  },

  async "no answer in time, and it was done: it is not done again"(cell: Cell) {
    cell.edge.meddler = once(driver.moves, afterWork);
    await cell.pay();
    expect(await states(cell)).toEqual(["unknown"]);
    expect(await cell.balance()).toMatchObject({ available: 0, reserved: AMOUNT });
    await settle(cell, driver);
    await expectPaid(cell, driver);
  },

  async "garbage in place of an answer is believed in nothing"(cell: Cell) {
    const expectUnheard = async () => {
      expect(await states(cell)).toEqual(["unknown"]);
      expect(await cell.read()).toMatchObject({ status: "processing", external_ref: null });
    };
    let given = 0;
    cell.edge.meddler = async (sent, forward) => (driver.moves(sent) ? garbage(given++) : forward());
    await cell.pay();
    for (let look = 0; given < GARBAGE.length && look < 20; look++) {
      expect(await states(cell)).toEqual(["unknown"]);
      await cell.look(31_000);
    }
    await expectUnheard();
    expect([given, cell.moved()]).toEqual([GARBAGE.length, []]);
    let isMade = false;
    cell.edge.meddler = async (sent, forward) => {
      if (isToken(sent) || (!isMade && !driver.moves(sent))) return forward();
      if (!isMade) await forward();
      isMade = true;
      return garbage(given++);
    };
    for (let look = 0; given < 2 * GARBAGE.length && look < 20; look++) await cell.look(11 * MINUTE_MS);
    await expectUnheard();
    expect(given).toBeGreaterThanOrEqual(2 * GARBAGE.length);
    cell.edge.meddler = undefined;
    await settle(cell, driver);
    await expectPaid(cell, driver);
  },

  async "garbage in place of a look-up is never taken for nothing being there"(cell: Cell) {
    cell.edge.meddler = once(driver.moves, afterWork);
    await cell.pay();
    let given = 0;
    cell.edge.meddler = async (sent, forward) => (isToken(sent) ? forward() : garbage(given++));
    cell.world.advance(driver.windowMs);
    for (let look = 0; look < GARBAGE.length; look++) await cell.look(11 * MINUTE_MS);
    expect(given > 0).toBe(driver.findsAlone);
    expect(await states(cell)).toEqual(["unknown"]);
    expect(await cell.read()).toMatchObject({ status: "processing" });
    cell.edge.meddler = undefined;
    driver.finish(cell.world);
    await tell(cell, driver);
    await settle(cell, driver);
    await expectPaid(cell, driver);
  },
});

const EVIDENCE = "seen in the provider's own site by two of us";

const windows = (driver: ProviderDriver) => ({
  async "past the key's window what was made is found, and nothing is sent"(cell: Cell) {
    cell.edge.meddler = once(driver.moves, afterWork);
    await cell.pay();
    const sent = cell.edge.sends().length;
    cell.world.advance(driver.windowMs);
    driver.finish(cell.world);
    await cell.laterTimes(3, 11 * MINUTE_MS);
    expect((await cell.read()).status).toBe(driver.findsAlone ? "paid" : "processing");
    // Who has no look-up of its own is told by the provider.
    if (!driver.findsAlone) await tell(cell, driver);
    await expectPaid(cell, driver);
    expect(cell.edge.sends()).toHaveLength(sent);
  },

  async "past the key's window what was not made is not sent, and is given back"(cell: Cell) {
    cell.edge.meddler = once(driver.makes, timeout);
    await cell.pay();
    const sent = cell.edge.sends().length;
    cell.world.advance(driver.windowMs);
    await cell.laterTimes(4, 11 * MINUTE_MS);
    if (driver.findsAlone)
      expect(await cell.read()).toMatchObject({ status: "failed", failure_code: "not_made" });
    else await cell.ok("resolve", { outcome: "refused", evidence: EVIDENCE });
    expect(await cell.read()).toMatchObject({ status: "failed" });
    expect(cell.edge.sends()).toHaveLength(sent);
    expect(await cell.balance()).toMatchObject({ available: AMOUNT, reserved: 0 });
    await cell.ok("retry");
    await cell.pay();
    await settle(cell, driver);
    await expectPaid(cell, driver);
    expect(await states(cell)).toEqual(["refused", "settled"]);
  },

  async "nobody can call it refused while it may still be paid"(cell: Cell) {
    let isLost = false;
    cell.edge.meddler = (sent, forward) => {
      isLost ||= driver.makes(sent);
      return isLost ? Promise.reject(new Error("no route to host")) : forward();
    };
    const began = cell.world.now();
    await cell.pay();
    const untilMs = began + driver.windowMs + QUIET_AFTER_WINDOW_MS;
    const until = new Date(untilMs).toISOString();
    for (const at of [began, untilMs - 1]) {
      cell.world.setNow(at);
      const refused = await cell.call("resolve", { outcome: "refused", evidence: EVIDENCE });
      expect([refused.status, refused.body.code, refused.body["until"]]).toEqual([
        409,
        "payment_under_way",
        until,
      ]);
      for (const verb of ["cancel", "mark-failed"])
        expect((await cell.call(verb, { reason: "no" })).status).toBe(409);
    }
    expect(await states(cell)).toEqual(["unknown"]);
    cell.world.setNow(began + MINUTE_MS);
    cell.edge.meddler = undefined;
    await settle(cell, driver);
    await expectPaid(cell, driver);
  },

  async "a person closes what nobody else can tell, and what comes back later still counts"(cell: Cell) {
    let isLost = false;
    cell.edge.meddler = async (sent, forward) => {
      if (!isLost && !driver.moves(sent)) return forward();
      if (!isLost) await forward();
      isLost = true;
      return timeout();
    };
    await cell.pay();
    const [moved] = cell.moved();
    // Where messages name nothing of ours, only the provider's own id leads back to the payment.
    const external_ref = driver.namesInstruction ? "our note 7" : moved?.ref;
    const settled = { outcome: "settled", external_ref, evidence: EVIDENCE };
    expect(await cell.ok("resolve", settled)).toMatchObject({ status: "paid", external_ref });
    cell.edge.meddler = undefined;
    const sent = cell.edge.sends().length;
    driver.finish(cell.world);
    await cell.laterTimes(3, 11 * MINUTE_MS);
    expect(cell.edge.sends()).toHaveLength(sent);
    driver.giveBack(cell.world, moved?.ref ?? "");
    expect(await tell(cell, driver)).not.toContain(503);
    expect(await cell.read()).toMatchObject({ status: "returned", returned_amount: AMOUNT });
  },
});

const returns = (driver: ProviderDriver) => ({
  async "all of it comes back, once"(cell: Cell) {
    await cell.pay();
    await settle(cell, driver);
    driver.giveBack(cell.world, cell.moved()[0]?.ref ?? "");
    for (let said = 0; said < 2; said++) {
      expect(new Set(await tell(cell, driver))).toEqual(new Set([200]));
      expect(await cell.read()).toMatchObject({ status: "returned", returned_amount: AMOUNT });
      expect(await cell.balance()).toMatchObject({ available: AMOUNT, reserved: 0, paid: 0 });
    }
    await cell.laterTimes(2, 11 * MINUTE_MS);
    expect(cell.moved()).toHaveLength(1);
  },

  async "a part of it comes back, if there are parts"(cell: Cell) {
    await cell.pay();
    await settle(cell, driver);
    const ref = cell.moved()[0]?.ref ?? "";
    const part = driver.hasParts ? 300 : 0;
    if (driver.hasParts) driver.giveBack(cell.world, ref, part);
    else driver.disturb?.(cell.world, ref);
    for (let said = 0; said < 2; said++) {
      await tell(cell, driver);
      expect(await cell.read()).toMatchObject({ status: "paid", returned_amount: part });
      expect(await cell.balance()).toMatchObject({ available: part, paid: AMOUNT - part });
    }
    driver.giveBack(cell.world, ref);
    await tell(cell, driver);
    expect(await cell.read()).toMatchObject({ status: "returned", returned_amount: AMOUNT });
    expect(await cell.balance()).toMatchObject({ available: AMOUNT, paid: 0 });
  },
});

const destinations = (driver: ProviderDriver) => ({
  async "a destination that changes before the payment begins gets nothing unasked"(cell: Cell) {
    await cell.ok("pay");
    await cell.choose(2);
    await cell.later(10_000);
    expect(await cell.read()).toMatchObject({ status: "pending", failure_code: "destination_changed" });
    expect(cell.edge.sends()).toEqual([]);
    await cell.pay();
    await settle(cell, driver);
    await expectPaid(cell, driver, 2);
  },

  async "a destination that changes before the send redirects nothing"(cell: Cell) {
    cell.edge.meddler = once(driver.makes, async () => cell.edge.end());
    await cell.pay();
    cell.edge.restart();
    await cell.choose(2);
    await settle(cell, driver);
    await expectPaid(cell, driver, 1);
  },
});

/** Paid at the provider, and only its messages can say so by now. */
const paysUnheard = async (cell: Cell, driver: ProviderDriver): Promise<void> => {
  if (driver.namesInstruction) cell.edge.meddler = once(driver.moves, afterWork);
  await cell.pay();
  driver.finish(cell.world);
  expect((await cell.read()).status).toBe("processing");
};

const messages = (driver: ProviderDriver) => ({
  async "a message that comes again changes nothing more"(cell: Cell) {
    const { world } = cell;
    await paysUnheard(cell, driver);
    const said = await driver.messages(world);
    expect(said.length).toBeGreaterThan(0);
    const answers = await Promise.all([1, 2, 3].map(() => announce(world, driver, said)));
    expect(new Set(answers.flat())).toEqual(new Set([200]));
    await expectPaid(cell, driver);
    const before = await sameEvents(cell);
    world.advance(MINUTE_MS);
    await tell(cell, driver);
    await cell.laterTimes(2, 11 * MINUTE_MS);
    expect(await sameEvents(cell)).toEqual(before);
  },

  async "messages in the wrong order end where the right order ends"(cell: Cell) {
    const { world } = cell;
    await paysUnheard(cell, driver);
    driver.giveBack(world, cell.moved()[0]?.ref ?? "");
    const said = await driver.messages(world);
    expect(said.length).toBeGreaterThan(1);
    await announce(world, driver, said.toReversed());
    await announce(
      world,
      driver,
      [...said].sort(({ body: x }, { body: y }) => (x < y ? -1 : 1)),
    );
    await cell.laterTimes(2, 11 * MINUTE_MS);
    // Wise shows a cancelled transfer as never sent: what was never seen as paid has failed, with the same money.
    expect((await cell.read()).status).toBe(driver.method === "wise" ? "failed" : "returned");
    expect(await cell.balance()).toMatchObject({ available: AMOUNT, reserved: 0, paid: 0 });
    expect(cell.edge.sends()).toHaveLength(1);
  },

  async "a message of somebody else changes nothing"(cell: Cell) {
    const { world } = cell;
    await paysUnheard(cell, driver);
    const before = [await cell.read(), await cell.attempts(), await sameEvents(cell)];
    const said = await driver.messages(world);
    const forged = said.map(({ headers, body }) => ({
      headers,
      body: body.replaceAll(/\d(?=[^\d]*$)/g, "0 "),
    }));
    const unsigned = said.map(({ body }) => ({ headers: { "content-type": "application/json" }, body }));
    const asked = cell.edge.sends().length;
    for (const lies of [forged, unsigned])
      expect(new Set(await announce(world, driver, lies))).toEqual(new Set([400]));
    expect(cell.edge.sends()).toHaveLength(asked);
    expect([await cell.read(), await cell.attempts(), await sameEvents(cell)]).toEqual(before);
    expect(new Set(await announce(world, driver, said))).toEqual(new Set([200]));
    await expectPaid(cell, driver);
  },
});

const BETWEEN = "a process that ends between two steps goes on from there";

/** One request is the whole payment: there is nothing to end between. */
const oneStep = (driver: ProviderDriver) => ({
  async [BETWEEN](cell: Cell) {
    await cell.pay();
    await settle(cell, driver);
    await expectPaid(cell, driver);
    const writes = cell.edge.requests.filter((sent) => sent.method !== "GET" && !isToken(sent));
    expect(writes.map(driver.moves)).toEqual([true]);
  },
});

/** Making and paying for are two requests: the process ends before the second, and what takes over pays for the transfer that stands. */
const twoSteps = (driver: ProviderDriver) => ({
  async [BETWEEN](cell: Cell) {
    const { world, edge } = cell;
    edge.meddler = once(driver.moves, async () => edge.end());
    await cell.pay();
    expect(world.wise.transfers()).toMatchObject([{ isFunded: false }]);
    edge.restart();
    await settle(cell, driver);
    await expectPaid(cell, driver);
    expect(world.wise.transfers()).toMatchObject([{ isFunded: true, payments: 1 }]);
  },
});

export const providerCells = (driver: ProviderDriver): Cells => ({
  ...basics(driver),
  ...crashes(driver),
  ...silences(driver),
  ...windows(driver),
  ...returns(driver),
  ...destinations(driver),
  ...messages(driver),
  ...(driver.method === "wise" ? twoSteps(driver) : oneStep(driver)),
});
